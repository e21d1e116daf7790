"""Shipped quantities, changes after booking, and two sources' words about one order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.order import ALL_ORDERS_REPORT, Delivery, OrderStatus, Package
from canonical.shipments import (
    OrderLineKey,
    add_quantities,
    all_shipped,
    changes_since,
    fulfilled_quantities,
    items_by_order_item,
    next_shipment,
    ordered_quantities,
    over_shipments,
    unconfirmed,
    updated,
)
from tests.unit.order_builders import ADDRESS, amounts, line, order

ONE, TWO = "10000000000001", "10000000000002"
LATER = datetime(2026, 11, 4, tzinfo=UTC)


def test_cancelled_items_are_not_ordered() -> None:
    some = order(line(1, quantity=0), line(2, quantity=3, quantity_fulfilled=2))
    assert ordered_quantities(some) == {TWO: 3}
    assert fulfilled_quantities(some) == {TWO: 2}


def test_the_next_shipment_is_what_is_new() -> None:
    some = order(line(1, quantity=3, quantity_fulfilled=2), line(2, quantity_fulfilled=1))
    assert next_shipment(some, {}) == {ONE: 2, TWO: 1}
    assert next_shipment(some, {ONE: 2}) == {TWO: 1}
    assert next_shipment(some, {ONE: 3, TWO: 1}) == {}


def test_all_shipped() -> None:
    some = order(line(1, quantity=2), line(2, quantity=0))
    assert not all_shipped(some, {ONE: 1})
    assert all_shipped(some, {ONE: 2})
    assert not all_shipped(order(line(1, quantity=0)), {})


def test_more_shipped_than_ordered_is_said() -> None:
    (sentence,) = over_shipments(order(line(1, quantity=1, quantity_fulfilled=2), line(2)))
    assert ONE in sentence


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_shipments_add_up_to_what_amazon_shipped_whatever_the_news(steps: list[int]) -> None:
    """News in any order, repeated or late: the goods issues sum to the highest quantity told."""
    reported: dict[str, int] = {}
    for told in steps:
        news = next_shipment(order(line(1, quantity=5, quantity_fulfilled=told)), reported)
        assert all(quantity > 0 for quantity in news.values())
        reported = add_quantities(reported, news)
    assert reported.get(ONE, 0) == max(steps)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"quantity": 2}, "quantity 1 became 2"),
        ({"seller_sku": "OTHER"}, "SKU SKU-1 became OTHER"),
        ({"amounts": amounts("11.00")}, "total 10.00 became 11.00"),
    ],
)
def test_changes_after_booking_are_sentences(change: dict[str, Any], word: str) -> None:
    (sentence,) = changes_since(order(line(1)), order(line(1, **change)))
    assert word in sentence


def test_progress_is_no_change() -> None:
    now = order(line(1, quantity_fulfilled=1, amounts=None), status=OrderStatus.SHIPPED, ship_to=None)
    assert changes_since(order(), now) == ()


def test_added_and_missing_items() -> None:
    sentences = changes_since(order(line(1)), order(line(2)))
    assert len(sentences) == 2
    assert any("was added" in sentence for sentence in sentences)
    assert any("no longer" in sentence for sentence in sentences)


def test_another_address_is_a_change_and_a_withdrawn_one_is_not() -> None:
    moved = ADDRESS.model_copy(update={"city": "Bonn"})
    (sentence,) = changes_since(order(), order(ship_to=moved))
    assert "Bonn" not in sentence
    withdrawn = ADDRESS.model_copy(update={"name": "", "lines": (), "phone": ""})
    assert changes_since(order(), order(ship_to=withdrawn)) == ()


def test_a_report_without_item_ids_is_no_change() -> None:
    reported = order(line(1, order_item_id="SKU-1#1"), source=ALL_ORDERS_REPORT)
    assert changes_since(order(), reported) == ()


def test_older_news_changes_nothing() -> None:
    known = order(last_updated=LATER)
    assert updated(known, order(line(quantity=9), last_updated=LATER - timedelta(hours=1))) is known


def test_news_from_a_report_speaks_in_the_known_ids_and_loses_nothing() -> None:
    twins = (line(1, seller_sku="A"), line(2, seller_sku="A", amounts=amounts("12.00")))
    known = order(*twins)
    news = order(
        line(1, order_item_id="A#1", seller_sku="A", quantity_fulfilled=1, amounts=None),
        line(2, order_item_id="A#2", seller_sku="A", quantity_fulfilled=1, amounts=None),
        source=ALL_ORDERS_REPORT,
        status=OrderStatus.SHIPPED,
        ship_to=ADDRESS.model_copy(update={"name": "", "lines": ()}),
        grand_total=None,
        last_updated=LATER,
    )
    now = updated(known, news)
    assert [each.order_item_id for each in now.lines] == [ONE, TWO]
    assert next_shipment(now, {}) == {ONE: 1, TWO: 1}
    assert [each.amounts for each in now.lines] == [each.amounts for each in known.lines]
    assert (now.ship_to, now.grand_total, now.source) == (known.ship_to, known.grand_total, known.source)
    assert now.status is OrderStatus.SHIPPED


def test_amazons_own_ids_are_taken_until_the_order_is_booked() -> None:
    reported = order(line(1, order_item_id="SKU-1#1", quantity_fulfilled=1), source=ALL_ORDERS_REPORT)
    news = order(line(1, quantity_fulfilled=1), last_updated=LATER)
    assert updated(reported, news).lines[0].order_item_id == ONE
    booked = updated(reported, news, booked=reported)
    assert booked.lines[0].order_item_id == "SKU-1#1"
    assert next_shipment(booked, {"SKU-1#1": 1}) == {}
    assert changes_since(reported, booked) == ()


def test_a_changed_quantity_does_not_keep_the_old_price() -> None:
    now = updated(order(), order(line(1, quantity=2, amounts=None), grand_total=None, last_updated=LATER))
    assert now.lines[0].amounts is None
    assert now.grand_total is None


def test_m3_lines_find_their_order_items() -> None:
    lines = [OrderLineKey(ONE, "1"), OrderLineKey(TWO, "2", "0")]
    delivered = [("00001", "0", 2), ("1", "", 1), ("2", "0", 0), ("3", "0", 5)]
    assert items_by_order_item(delivered, lines) == {ONE: 3}


def test_deliveries_with_an_unconfirmed_package() -> None:
    def delivery(dlix: str, *references: str) -> Delivery:
        packages = tuple(
            Package(reference=reference, carrier="DHL", shipped_at=LATER, items={ONE: 1})
            for reference in references
        )
        return Delivery(dlix=dlix, whlo="MAI", packages=packages)

    deliveries = (delivery("1", "101"), delivery("2", "201", "202"), delivery("3"))
    assert [each.dlix for each in unconfirmed(deliveries, ["101", "201"])] == ["2"]


def test_adding_shipments() -> None:
    assert add_quantities({ONE: 1}, {ONE: 2, TWO: 1}, {}) == {ONE: 3, TWO: 1}
