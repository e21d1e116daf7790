"""Refunds and return cases compared: what Amazon paid and no case has, what was closed without M3's credit.

Amazon's orders say nothing of refunds. Its transactions do, by the day on which they were posted; whatever goes back
without a refund is in no source that could be asked for a period.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.audit_contracts import AuditFinding, CaseCounts
from canonical.return_models import Credit

AUDIT_REFUNDS_PAGE: Final = "audit_refunds_page"
AUDIT_CASES: Final = "audit_cases"
COUNT_CASES: Final = "count_cases"
AUDIT_CREDITS: Final = "audit_credits"

RETURN: Final = "return"
"""Kind of a finding about a return case."""
MAY_BE_LATE: Final = timedelta(days=2)
"""Amazon tells transactions up to 48 hours late, and the look at them is daily: younger ones prove nothing."""
_ZERO: Final = Decimal(0)
_RUNNING: Final = "RUNNING"
_COMPLETED: Final = "COMPLETED"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class AuditRefundsPageRequest(_Contract):
    """One listTransactions page, read and told to nobody."""

    seller_id: str
    posted_after: datetime
    posted_before: datetime
    token: str = ""


class RefundPaid(_Contract):
    """What one transaction gave back for one SKU of one order."""

    case_id: str
    """Id of the workflow that has to know it."""
    order_id: str
    sku: str
    key: str
    posted: datetime
    amount: Decimal
    currency: str


class AuditRefundsPageResult(_Contract):
    refunds: tuple[RefundPaid, ...]
    next_token: str = ""


class CountCasesRequest(_Contract):
    """The seller's cases: those open now, and those that closed in a period."""

    seller_id: str
    closed_after: datetime
    closed_before: datetime
    limit: int = 1000
    """Of the closed ones, the latest so many are looked at one by one; all are counted."""


class CountCasesResult(_Contract):
    open: int
    """Not held."""
    held: int
    closed: int
    closed_ids: tuple[str, ...]


class AuditCasesRequest(_Contract):
    case_ids: tuple[str, ...]


class CaseStands(_Contract):
    """How the workflow of a case stands: the run under way, else the last one."""

    case_id: str
    subject: str
    """Order and SKU, as a person calls the case."""
    status: str
    """RUNNING, COMPLETED, ... as Temporal says."""
    outcome: str = ""
    refunds: tuple[str, ...] | None = None
    """Keys of the refunds it knows; None where it did not answer."""
    refunded: Decimal = _ZERO
    credited: Decimal = _ZERO
    accepted: Decimal | None = None
    """The difference that a person accepted."""
    currency: str = ""
    orno: str = ""
    credits: tuple[Credit, ...] = ()


class AuditCasesResult(_Contract):
    cases: tuple[CaseStands, ...]
    """Those of which Temporal knows anything."""


class CreditsOfOrder(_Contract):
    orno: str
    credits: tuple[Credit, ...]


class AuditCreditsRequest(_Contract):
    """Look in M3 for the credit invoices that cases were closed with."""

    orders: tuple[CreditsOfOrder, ...]


class AuditCreditsResult(_Contract):
    missing: tuple[tuple[str, str], ...]
    """IVNO and year of those that M3 does not have, or has over another amount."""


def refund_period(since: datetime, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """From and until of the refunds that are compared with a period of orders: the same days, or as many days that
    are old enough to be told."""
    settled = now - MAY_BE_LATE
    if until is not None and until <= settled:
        return since, until
    return since - MAY_BE_LATE, settled


def unknown_refunds(refunds: Sequence[RefundPaid], cases: Mapping[str, CaseStands]) -> Iterator[AuditFinding]:
    """Refunds that Amazon paid and no case knows, one finding for each item of an order. A case that did not answer
    is at work, and no finding."""
    unknown: dict[str, list[RefundPaid]] = {}
    for refund in {one.key: one for one in refunds}.values():
        case = cases.get(refund.case_id)
        if case is None or (case.refunds is not None and refund.key not in case.refunds):
            unknown.setdefault(refund.case_id, []).append(refund)
    for case_id, group in unknown.items():
        first, total = group[0], sum((one.amount for one in group), _ZERO)
        has = "its return case does not know it" if case_id in cases else "there is no return case for it"
        yield AuditFinding(
            kind=RETURN,
            order_id=first.order_id,
            sentence=f"Amazon order {first.order_id}, SKU {first.sku or 'unknown'}: {total} {first.currency} were "
            f"refunded on {min(one.posted for one in group):%Y-%m-%d}, and {has}.",
        )


def uncredited(
    cases: Sequence[CaseStands], tolerance: Decimal, missing: frozenset[tuple[str, str]] = frozenset()
) -> Iterator[AuditFinding]:
    """Cases that have ended and are not even: ended from outside, given up, closed with another credit than the
    refund, or with one that M3 does not have (`missing`: IVNO and year)."""
    for case in cases:
        trouble = _trouble(case, tolerance, missing)
        if trouble:
            order_id = case.subject.partition("/")[0]
            yield AuditFinding(
                kind=RETURN, order_id=order_id, sentence=f"Return case {case.subject} {trouble}."
            )


def _trouble(case: CaseStands, tolerance: Decimal, missing: frozenset[tuple[str, str]]) -> str:
    if case.status == _RUNNING:
        return ""
    if case.status != _COMPLETED:
        return f"was ended ({case.status.lower()}), and nobody follows it"
    gone = [credit for credit in case.credits if (credit.ivno, credit.year) in missing]
    if gone:
        named = ", ".join(f"{credit.ivno} of {credit.year} over {credit.amount}" for credit in gone)
        return f"is closed with credit invoice {named}, and M3 does not have it so"
    difference = case.refunded - case.credited
    if abs(difference) > tolerance and difference != case.accepted:
        how = "was given up by a person" if case.outcome == "given_up" else "is closed"
        return f"{how}: Amazon refunded {case.refunded}, M3 has credited {case.credited} {case.currency}".rstrip()
    return ""


def plus(one: CaseCounts | None, other: CaseCounts | None) -> CaseCounts | None:
    """Both together; None where no cases are followed."""
    if one is None or other is None:
        return one or other
    return CaseCounts(
        open=one.open + other.open,
        held=one.held + other.held,
        closed=one.closed + other.closed,
        refunds=one.refunds + other.refunds,
        differing=one.differing + other.differing,
    )
