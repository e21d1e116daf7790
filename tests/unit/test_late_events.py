"""What is new about a closed order, and what is not."""

from decimal import Decimal

import pytest

from canonical.late_contracts import ClosedOrder, LateKind, RefundTold
from canonical.late_events import closed_order, late_events, settled
from canonical.money import Money
from canonical.order import ALL_ORDERS_REPORT, Order, OrderStatus
from canonical.order_contracts import OrderResult
from tests.unit.order_builders import ORDER_ID, SELLER, amounts, line, order

EUR = "EUR"


def euros(text: str) -> Money:
    return Money(amount=Decimal(text), currency=EUR)


def booked(**changes: object) -> ClosedOrder:
    facts: dict[str, object] = {
        "outcome": "booked",
        "orno": "0001000001",
        "shipped": 2,
        "ordered": 2,
        "expected": euros("20.00"),
    }
    return ClosedOrder.model_validate(facts | changes)


def shipped(pieces: int = 2, of: int = 2, total: str = "20.00", **changes: object) -> Order:
    one = line(quantity=of, quantity_fulfilled=pieces, amounts=amounts(total))
    return order(one, **({"status": OrderStatus.SHIPPED} | changes))


def kinds(closed: ClosedOrder, now: Order, *refunds: RefundTold) -> list[LateKind]:
    events = late_events(closed, now, refunds)
    assert all(ORDER_ID in event.sentence and event.sentence.endswith(".") for event in events)
    return [event.kind for event in events]


def test_an_order_that_is_as_it_was_is_no_news() -> None:
    assert kinds(booked(), shipped()) == []


def test_goods_shipped_beyond_what_m3_knows() -> None:
    assert kinds(booked(shipped=1), shipped()) == [LateKind.SHIPPED]
    gone = booked(outcome="cancelled", cancelled=True, shipped=0, expected=None)
    assert kinds(gone, shipped()) == [LateKind.SHIPPED]
    assert kinds(gone, shipped(pieces=0, status=OrderStatus.UNSHIPPED)) == []


def test_a_cancellation_of_the_whole_or_of_a_part() -> None:
    assert kinds(booked(), shipped(status=OrderStatus.CANCELLED)) == [LateKind.CANCELLED]
    part = late_events(booked(), shipped(pieces=1, of=1, total="10.00"))
    assert [event.kind for event in part] == [LateKind.CANCELLED]
    assert "1 of 2 pieces" in part[0].sentence


def test_an_order_taken_back_here_is_not_cancelled_again() -> None:
    gone = booked(outcome="cancelled", cancelled=True, shipped=0, expected=None)
    assert kinds(gone, shipped(pieces=0, status=OrderStatus.CANCELLED)) == []


def test_amounts_that_fell_are_a_refund_and_amounts_that_rose_are_none() -> None:
    assert kinds(booked(), shipped(total="19.99")) == [LateKind.REFUNDED]
    assert kinds(booked(), shipped(total="20.01")) == []


def test_amounts_are_compared_only_where_both_come_from_the_orders_api() -> None:
    assert kinds(booked(), shipped(total="15.00", source=ALL_ORDERS_REPORT)) == []
    assert kinds(booked(expected=None), shipped(total="15.00")) == []
    assert kinds(booked(ordered=None), shipped(total="15.00")) == [LateKind.REFUNDED]


def test_where_cases_follow_refunds_no_refund_is_news_and_all_else_is() -> None:
    refund = RefundTold(transaction_id="T-1", amount=euros("5.00"))
    assert late_events(booked(), shipped(total="12.00"), (refund,), cases=True) == ()
    [event] = late_events(booked(shipped=1), shipped(total="12.00"), (refund,), cases=True)
    assert event.kind is LateKind.SHIPPED


def test_a_refund_that_was_told_is_news_once() -> None:
    first, second = RefundTold(transaction_id="T-1", amount=euros("5.00")), RefundTold(transaction_id="T-2")
    assert kinds(booked(), shipped(), first, second) == [LateKind.REFUNDED, LateKind.REFUNDED]
    known = settled(booked(), LateKind.REFUNDED, shipped(), (first,))
    assert kinds(known, shipped(), first) == []
    assert kinds(known, shipped(), first, second) == [LateKind.REFUNDED]


@pytest.mark.parametrize(
    "now",
    [
        shipped(pieces=3, of=3, total="30.00"),
        shipped(status=OrderStatus.CANCELLED),
        shipped(pieces=1, of=1, total="10.00"),
        shipped(total="12.00"),
    ],
)
def test_what_is_settled_is_no_news_again(now: Order) -> None:
    known = booked()
    for _ in range(3):
        events = late_events(known, now)
        if not events:
            break
        known = settled(known, events[0].kind, now)
    assert late_events(known, now) == ()


def test_a_cancelled_order_that_was_shipped_after_all_can_be_cancelled_once_more() -> None:
    gone = booked(outcome="cancelled", cancelled=True, shipped=0, expected=None)
    known = settled(gone, LateKind.SHIPPED, shipped())
    assert kinds(known, shipped(status=OrderStatus.CANCELLED)) == [LateKind.CANCELLED]


def test_what_was_no_sale_stays_none() -> None:
    assert kinds(booked(outcome="not_a_sale", shipped=0), shipped()) == []
    assert kinds(booked(shipped=0), shipped(sales_channel="NON_AMAZON")) == []


def test_a_result_says_what_m3_was_told() -> None:
    facts = {
        "seller_id": SELLER,
        "order_id": ORDER_ID,
        "sentence": "",
        "orno": "1",
        "shipped": {"a": 1, "b": 2},
    }
    result = OrderResult.model_validate(
        {**facts, "outcome": "booked", "ordered": 3, "expected": euros("9.00")}
    )
    assert closed_order(result) == ClosedOrder(
        outcome="booked", orno="1", shipped=3, ordered=3, expected=euros("9.00")
    )
    assert closed_order(result.model_copy(update={"outcome": "cancelled"})).cancelled
    before = OrderResult.model_validate({**facts, "outcome": "booked"})
    assert kinds(closed_order(before), shipped(pieces=3, of=3, total="5.00")) == []
