"""What is new about a closed order: its result against what Amazon says now.

Orders 2026-01-01 tells shipments, cancellations and amounts, and no refund as such: refunds come as transactions
(Finances). Amounts that fall below what was booked, with the quantities as they were, are taken for one too.
"""

from collections.abc import Sequence

from canonical.late_contracts import ClosedOrder, LateEvent, LateKind, RefundTold
from canonical.money import Money
from canonical.order import ORDERS_API, Order, OrderStatus
from canonical.order_contracts import OrderResult
from canonical.order_facts import expected_total
from canonical.shipments import fulfilled_quantities, ordered_quantities

BOOKED = "booked"
CANCELLED = "cancelled"
NOT_A_SALE = "not_a_sale"


def closed_order(result: OrderResult) -> ClosedOrder:
    """What M3 was told of an order by the time its workflow ended."""
    gone = result.outcome == CANCELLED
    return ClosedOrder(
        outcome=result.outcome,
        orno=result.orno,
        shipped=sum(result.shipped.values()) + result.surplus,
        ordered=result.ordered,
        expected=None if gone else result.expected,
        cancelled=gone,
    )


def late_events(
    closed: ClosedOrder,
    now: Order,
    refunds: Sequence[RefundTold] = (),
    *,
    cases: bool = False,
    shipped_pieces: int = 0,
) -> tuple[LateEvent, ...]:
    """What Amazon says of a closed order and M3 does not have; empty where nothing is new.

    shipped_pieces: how many Amazon's report of its shipments tells of, which may be more than the order says.

    cases: return cases follow refunds, so that none is told here.

    An order that was no sale here stays none. Pieces that Amazon still is to ship are no news until they left.
    """
    if closed.outcome == NOT_A_SALE or now.is_multi_channel:
        return ()
    shipped, cancelled = _shipped(closed, now, shipped_pieces), _cancelled(closed, now)
    if cases:
        return tuple(event for event in (shipped, cancelled) if event is not None)
    told = tuple(_refund(closed, now, one) for one in refunds if one.transaction_id not in closed.refunds)
    less = None if shipped or cancelled or told else _less(closed, now)
    return tuple(event for event in (shipped, cancelled, *told, less) if event is not None)


def settled(
    closed: ClosedOrder,
    kind: LateKind,
    now: Order,
    refunds: Sequence[RefundTold] = (),
    shipped_pieces: int = 0,
) -> ClosedOrder:
    """The closed order once M3 has what `kind` told: the same news again is none."""
    match kind:
        case LateKind.SHIPPED:
            gone = now.status is OrderStatus.CANCELLED
            left = max(_left(now), shipped_pieces)
            known: dict[str, object] = {"shipped": left, "outcome": BOOKED, "cancelled": gone}
        case LateKind.CANCELLED:
            known = {"cancelled": now.status is OrderStatus.CANCELLED or closed.cancelled}
        case LateKind.REFUNDED:
            known = {"refunds": (*closed.refunds, *(one.transaction_id for one in refunds))}
    known |= {"expected": comparable_total(now), "ordered": _ordered(now)}
    return closed.model_copy(update=known)


def _shipped(closed: ClosedOrder, now: Order, shipped_pieces: int) -> LateEvent | None:
    left = max(_left(now), shipped_pieces)
    if left <= closed.shipped:
        return None
    has = f"has order {closed.orno}, of which {closed.shipped} left" if closed.orno else "has no order for it"
    if closed.outcome == CANCELLED:
        has = f"took its order {closed.orno} back" if closed.orno else "never had it"
    return LateEvent(
        kind=LateKind.SHIPPED,
        sentence=f"Amazon shipped {left} of order {now.order_id} after it was closed here; M3 {has}.",
    )


def _cancelled(closed: ClosedOrder, now: Order) -> LateEvent | None:
    if closed.cancelled or closed.outcome != BOOKED:
        return None
    if now.status is OrderStatus.CANCELLED:
        what = ""
    elif closed.ordered is not None and _ordered(now) < closed.ordered:
        what = f"{closed.ordered - _ordered(now)} of {closed.ordered} pieces of "
    else:
        return None
    return LateEvent(
        kind=LateKind.CANCELLED,
        sentence=f"Amazon cancelled {what}order {now.order_id} after M3 order {closed.orno} was shipped and "
        "invoiced.",
    )


def _refund(closed: ClosedOrder, now: Order, refund: RefundTold) -> LateEvent:
    amount = f" {refund.amount}" if refund.amount else ""
    return LateEvent(
        kind=LateKind.REFUNDED,
        sentence=f"Amazon refunded{amount} of order {now.order_id} (transaction {refund.transaction_id}) after it "
        f"was closed here; M3 order {closed.orno or '(none)'} knows of no refund.",
    )


def _less(closed: ClosedOrder, now: Order) -> LateEvent | None:
    """Amazon's amounts fell while the quantities stayed: part of the money went back to the buyer."""
    expected = comparable_total(now)
    if closed.outcome != BOOKED or closed.cancelled or closed.expected is None or expected is None:
        return None
    if expected.currency != closed.expected.currency or expected.amount >= closed.expected.amount:
        return None
    if closed.ordered is not None and closed.ordered != _ordered(now):
        return None
    return LateEvent(
        kind=LateKind.REFUNDED,
        sentence=f"Amazon's order {now.order_id} now comes to {expected}; M3 order {closed.orno} was invoiced when "
        f"it came to {closed.expected}.",
    )


def comparable_total(order: Order | None) -> Money | None:
    """Amazon's figures, where they come from the Orders API: reports leave parts of them out."""
    return expected_total(order) if order is not None and order.source == ORDERS_API else None


def _left(order: Order) -> int:
    return sum(fulfilled_quantities(order).values())


def _ordered(order: Order) -> int:
    return sum(ordered_quantities(order).values())
