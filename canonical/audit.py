"""Amazon compared with M3: what is lost, doubled or different.

Held and running orders are counted apart; they are no fault by themselves, for somebody or something is at
work on them. They can still be doubled: two M3 orders are wrong at any moment.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from canonical.audit_contracts import AmazonFacts, AuditFinding, AuditReport, M3Facts, WorkflowFacts
from canonical.case_audit import plus
from canonical.held import HeldReason
from canonical.marketplaces import NON_AMAZON
from canonical.order import Order, OrderStatus
from canonical.order_facts import expected_total
from canonical.shipments import fulfilled_quantities, ordered_quantities

LOST: Final = "lost"
DOUBLED: Final = "doubled"
DIFFERING: Final = "differing"
MAX_FINDINGS: Final = 200

_RUNNING: Final = "RUNNING"
_WAITING: Final = frozenset({OrderStatus.PENDING, OrderStatus.PENDING_AVAILABILITY})
_GIVEN_UP: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.UNFULFILLABLE})
_LEFT: Final = frozenset({OrderStatus.SHIPPED, OrderStatus.PARTIALLY_SHIPPED})

_Finding = tuple[str, str]
"""Kind and sentence."""


def amazon_facts(order: Order) -> AmazonFacts:
    """What the audit needs of an order, without personal data."""
    expected = expected_total(order)
    return AmazonFacts(
        seller_id=order.seller_id,
        order_id=order.order_id,
        marketplace_id=order.marketplace_id,
        channel=order.channel,
        sales_channel=order.sales_channel,
        status=order.status,
        expected_total=expected.amount if expected else None,
        currency=expected.currency if expected else order.currency,
        ordered=sum(ordered_quantities(order).values()),
        fulfilled=sum(fulfilled_quantities(order).values()),
        cancelled_items=sum(1 for line in order.lines if line.quantity == 0),
    )


def compare(
    amazon: Sequence[AmazonFacts],
    m3: Mapping[str, M3Facts],
    workflows: Mapping[str, WorkflowFacts],
    tolerances: Mapping[str, Decimal] | None = None,
) -> AuditReport:
    """The audit of these orders.

    `m3` and `workflows` are by Amazon order id; an order missing there is unknown to M3, or has no workflow.
    `tolerances` are by marketplace id, in the order's currency; a marketplace missing there tolerates
    nothing. An order met twice (pages of a moving list overlap) counts once, with its last facts. Counts are
    of orders.
    """
    orders = {facts.order_id: facts for facts in amazon}
    counts = dict.fromkeys((LOST, DOUBLED, DIFFERING), 0)
    held = under_way = 0
    findings: list[AuditFinding] = []
    for order_id, facts in orders.items():
        case = _Case(
            facts,
            m3.get(order_id) or M3Facts(order_id=order_id, orders=()),
            workflows.get(order_id) or WorkflowFacts(order_id=order_id, status=""),
            (tolerances or {}).get(facts.marketplace_id, Decimal(0)),
        )
        held += case.held
        under_way += case.under_way
        found = tuple(case.findings())
        for kind in {kind for kind, _ in found}:
            counts[kind] += 1
        findings += (
            AuditFinding(kind=kind, order_id=order_id, sentence=sentence) for kind, sentence in found
        )
    return AuditReport(
        orders=len(orders),
        lost=counts[LOST],
        doubled=counts[DOUBLED],
        differing=counts[DIFFERING],
        held=held,
        under_way=under_way,
        findings=tuple(findings[:MAX_FINDINGS]),
    )


def unfollowed(
    amazon: Sequence[AmazonFacts], m3: Mapping[str, M3Facts], workflows: Mapping[str, WorkflowFacts]
) -> tuple[str, ...]:
    """Ids of the orders that need a workflow and have none, not even one that ended.

    Those are sales that Amazon has not given up and of which M3 has nothing, or an order whose goods have not all
    left. What was terminated is left to a person: somebody ended it on purpose.
    """
    return tuple(
        order.order_id
        for order in {facts.order_id: facts for facts in amazon}.values()
        if _is_sale(order)
        and not (order.order_id in workflows and workflows[order.order_id].status)
        and not _is_done(order, m3.get(order.order_id))
    )


def _is_sale(order: AmazonFacts) -> bool:
    wanted = order.ordered > 0 or not order.channel  # one that cannot be read is held where people look
    return wanted and order.sales_channel != NON_AMAZON and order.status not in _GIVEN_UP


def _is_done(order: AmazonFacts, known: M3Facts | None) -> bool:
    """Whether M3 has the order and everything that will ever leave."""
    return known is not None and bool(known.orders) and known.delivered >= order.ordered > 0


def added(report: AuditReport, page: AuditReport) -> AuditReport:
    """Two reports about different orders as one; findings beyond the limit are counted and not kept."""
    return AuditReport(
        orders=report.orders + page.orders,
        lost=report.lost + page.lost,
        doubled=report.doubled + page.doubled,
        differing=report.differing + page.differing,
        held=report.held + page.held,
        under_way=report.under_way + page.under_way,
        missing=report.missing + page.missing,
        started=report.started + page.started,
        cases=plus(report.cases, page.cases),
        findings=(report.findings + page.findings)[:MAX_FINDINGS],
    )


class _Case:
    """One order on both sides."""

    def __init__(self, amazon: AmazonFacts, m3: M3Facts, workflow: WorkflowFacts, tolerance: Decimal) -> None:
        self._amazon = amazon
        self._m3 = m3
        self._workflow = workflow
        self._tolerance = tolerance
        self._running = workflow.status == _RUNNING

    @property
    def held(self) -> bool:
        return self._running and bool(self._workflow.held_reason)

    @property
    def under_way(self) -> bool:
        return self._running and not self._workflow.held_reason

    def findings(self) -> Iterator[_Finding]:
        yield from self._doubled()
        if not self._running:
            name, orno = f"Amazon order {self._amazon.order_id}", ", ".join(self._m3.orders)
            unwanted = self._unwanted(name, orno)
            if unwanted is None:
                yield from self._wanted(name, orno)
            elif orno and unwanted:
                yield DIFFERING, unwanted

    def _unwanted(self, name: str, orno: str) -> str | None:
        """For an order M3 must not have: the sentence if it has it. None for an order M3 must have."""
        amazon = self._amazon
        if not amazon.channel:
            return None
        if amazon.sales_channel == NON_AMAZON:
            return f"{name} is a multi-channel order, no sale, but M3 has order {orno}."
        if amazon.status in _WAITING:
            return f"{name} is not released by Amazon, but M3 has order {orno}."
        if amazon.status in _GIVEN_UP or amazon.ordered == 0:
            if self._accepted(HeldReason.CANCELLED_AFTER_CLOSE):
                return ""
            alive = f"{name} is cancelled, but M3 order {orno} is alive and nobody works on it."
            return "" if self._taken_back else alive
        return None

    def _wanted(self, name: str, orno: str) -> Iterator[_Finding]:
        if not self._amazon.channel:
            kind = DIFFERING if orno else LOST
            yield kind, f"{name} cannot be read and was not compared; M3 has {orno or 'nothing'} for it."
        elif not orno:
            yield from self._absent(name)
        elif len(self._m3.orders) == 1:
            yield from self._differing(name, orno)

    @property
    def _taken_back(self) -> bool:
        """The goods had left before the cancellation: they came back as a return, the order stays."""
        return self._workflow.outcome == "cancelled" and self._m3.delivered > 0

    def _doubled(self) -> Iterator[_Finding]:
        m3, name = self._m3, f"Amazon order {self._amazon.order_id}"
        if len(m3.orders) > 1:
            yield DOUBLED, f"{name} is in M3 as orders {', '.join(m3.orders)}."
        if not self._running and len(m3.temporary) + bool(m3.orders) > 1:
            both = ", ".join((*m3.orders, *m3.temporary))
            yield DOUBLED, f"{name} has a temporary order beside another order in M3: {both}."
        for dlix in m3.duplicate_invoices:
            yield DOUBLED, f"{name}: delivery {dlix} has more than one invoice."

    def _absent(self, name: str) -> Iterator[_Finding]:
        if self._workflow.outcome == "cancelled":
            if self._amazon.status in _LEFT and not self._accepted(HeldReason.SHIPPED_AFTER_CLOSE):
                yield DIFFERING, f"{name} was given up here, but Amazon says {self._amazon.status}."
            return
        beside = f" (only temporary order {', '.join(self._m3.temporary)})" if self._m3.temporary else ""
        workflow = self._workflow.status.lower() or "none"
        yield LOST, f"{name} ({self._amazon.status}) is not in M3{beside}; its workflow: {workflow}."

    def _accepted(self, *reasons: HeldReason) -> bool:
        return any(reason in self._workflow.accepted for reason in reasons)

    def _differing(self, name: str, orno: str) -> Iterator[_Finding]:
        amazon, m3 = self._amazon, self._m3
        changed = self._accepted(
            HeldReason.ORDER_CHANGED,
            HeldReason.CANCELLED_TOO_LATE,
            HeldReason.CANCELLED_AFTER_CLOSE,
            HeldReason.SHIPPED_AFTER_CLOSE,
        )
        if not changed and not self._accepted(HeldReason.TOTAL_DIFFERS, HeldReason.REFUNDED_AFTER_CLOSE):
            yield from self._totals(name, orno)
        if amazon.ordered != m3.ordered and not changed:
            yield DIFFERING, f"{name}: {amazon.ordered} pieces ordered, M3 order {orno} has {m3.ordered}."
        if amazon.fulfilled != m3.delivered and not changed:
            yield DIFFERING, f"{name}: {amazon.fulfilled} pieces shipped, M3 order {orno} has {m3.delivered}."
        if self._workflow.status != "COMPLETED" and amazon.fulfilled < amazon.ordered:
            yield DIFFERING, f"{name} is M3 order {orno}, but no workflow follows it to its shipment."
        elif m3.delivered:
            yield from self._books(name, orno)

    def _totals(self, name: str, orno: str) -> Iterator[_Finding]:
        amazon, m3 = self._amazon, self._m3
        if amazon.expected_total is None or m3.total is None:
            return
        if m3.currency and amazon.currency and m3.currency != amazon.currency:
            yield DIFFERING, f"{name} is in {amazon.currency}, M3 order {orno} in {m3.currency}."
        elif abs(amazon.expected_total - m3.total) > self._tolerance:
            yield (
                DIFFERING,
                f"{name} comes to {amazon.expected_total} {amazon.currency}, M3 order {orno} to {m3.total}.",
            )

    def _books(self, name: str, orno: str) -> Iterator[_Finding]:
        """Deliveries, invoices and vouchers of goods that left. An order worth nothing needs no voucher."""
        m3 = self._m3
        if not m3.deliveries:
            yield DIFFERING, f"{name}: M3 order {orno} says delivered, but has no delivery."
        if m3.unbalanced_vouchers:
            vouchers = ", ".join(m3.unbalanced_vouchers)
            yield DIFFERING, f"{name}: voucher {vouchers} of M3 order {orno} does not balance."
        if not m3.total or self._accepted(HeldReason.LEDGER_MISMATCH):
            return
        if len(m3.invoices) < len(m3.deliveries):
            yield (
                DIFFERING,
                f"{name}: M3 order {orno} has {len(m3.deliveries)} deliveries, {len(m3.invoices)} invoices.",
            )
        elif len(m3.vouchers) < len(m3.invoices):
            yield (
                DIFFERING,
                f"{name}: M3 order {orno} has {len(m3.invoices)} invoices, {len(m3.vouchers)} vouchers.",
            )
        elif m3.delivered >= m3.ordered and abs(m3.invoiced - m3.total) > self._tolerance:
            yield DIFFERING, f"{name}: M3 order {orno} comes to {m3.total}, invoiced are {m3.invoiced}."
