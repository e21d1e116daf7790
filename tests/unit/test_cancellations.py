"""What counts as a cancellation, and what a buyer asks for."""

from datetime import timedelta
from decimal import Decimal

import pytest

from canonical.cancellations import (
    UNTOLD_DEADLINE,
    answer_until,
    asked_for,
    cancelled_pieces,
    is_all_of,
    lowered,
    named_pieces,
)
from canonical.order import Channel, Order
from canonical.statuses import ORDER_LINE, may_be_picked
from tests.activities.m3_bench import BLACK, GREEN, amazon_order

A, B = f"{1:014d}", f"{2:014d}"


def booked() -> Order:
    return amazon_order((GREEN, 3), (BLACK, 2), channel=Channel.MFN)


def changed(order: Order, item: str, **update: object) -> Order:
    lines = tuple(
        line.model_copy(update=update) if line.order_item_id == item else line for line in order.lines
    )
    return order.model_copy(update={"lines": lines})


def test_a_quantity_that_fell_is_a_cancellation_whatever_its_price_is_now() -> None:
    before = booked()
    now = changed(changed(before, A, quantity=1, amounts=None), B, quantity=0, amounts=None)
    assert cancelled_pieces(before, now) == {A: 2, B: 2}


def test_an_item_that_is_gone_is_cancelled() -> None:
    before = booked()
    assert cancelled_pieces(before, before.model_copy(update={"lines": before.lines[:1]})) == {B: 2}


def test_nothing_is_cancelled_by_progress() -> None:
    before = booked()
    assert cancelled_pieces(before, changed(before, A, quantity_fulfilled=2)) == {}


@pytest.mark.parametrize(
    "update", [{"quantity": 4}, {"seller_sku": BLACK}, {"amounts": "dearer"}], ids=["more", "sku", "price"]
)
def test_any_other_change_beside_it_is_for_a_person(update: dict[str, object]) -> None:
    before = booked()
    amounts = before.lines[0].amounts
    assert amounts is not None
    if "amounts" in update:
        update = {"amounts": amounts.model_copy(update={"total": amounts.total + Decimal(1)})}
    assert cancelled_pieces(before, changed(changed(before, B, quantity=0), A, **update)) == {}


def test_a_request_is_for_what_the_own_warehouse_has_not_shipped_and_nobody_answered() -> None:
    order = changed(booked(), A, cancel_requested=True, quantity_fulfilled=1)
    assert asked_for(order) == {A: 2}
    assert asked_for(order, {A}) == {}
    assert asked_for(order.model_copy(update={"channel": Channel.FBA})) == {}
    assert asked_for(changed(order, A, quantity_fulfilled=3)) == {}
    assert named_pieces(order, {A: 2}) == f"2 of {GREEN}"


def test_all_of_an_order_is_all_that_is_not_shipped_and_nothing_was() -> None:
    order = booked()
    assert is_all_of(order, {A: 3, B: 2})
    assert not is_all_of(order, {A: 3})
    assert not is_all_of(changed(order, A, quantity_fulfilled=1), {A: 2, B: 2})


def test_the_deadline_is_the_ship_date_or_a_day() -> None:
    order = booked()
    assert answer_until(order, order.created) == order.created + UNTOLD_DEADLINE
    ship_by = order.created + timedelta(hours=3)
    assert answer_until(order.model_copy(update={"ship_by": ship_by}), order.created) == ship_by


def test_what_is_lowered_is_not_lowered_twice_and_has_no_price() -> None:
    order = lowered(booked(), {A: 1})
    assert [(line.quantity, line.amounts is None) for line in order.lines] == [(1, True), (2, False)]
    assert lowered(order, {A: 1}) == order


def test_only_lines_without_anything_on_a_list_may_be_changed() -> None:
    free = {status for status in ORDER_LINE if not may_be_picked(status)}
    assert {status for status in free if "4" in status} == set()
    assert {"05", "10", "22", "23", "33"} <= free
    assert may_be_picked("11")
