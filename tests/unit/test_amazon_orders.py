"""Amazon's payload becomes an order, or a sentence that says which field is wrong."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.order import Channel, Order, OrderStatus
from tests.unit.order_builders import (
    ORDER_ID,
    SELLER,
    money,
    payload,
    payload_item,
    priced_item,
)


def sandbox_orders(shared: Path) -> Iterator[dict[str, Any]]:
    """Every order among the sandbox answers of Amazon's own model."""
    model = json.loads((shared / "spapi" / "models" / "orders_2026-01-01.json").read_text())
    for operations in model["paths"].values():
        for answer in operations["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]:
            body = answer["response"]
            yield from body.get("orders") or [body["order"]]


def test_sandbox_examples_are_read_whole(shared: Path) -> None:
    examples = list(sandbox_orders(shared))
    assert len(examples) == 6
    for example in examples:
        order = read_order(example, SELLER)
        assert order.order_id == example["orderId"]
        assert order.inconsistency == ""
        assert order.grand_total is not None
        assert order.grand_total.amount == Decimal(example["proceeds"]["grandTotal"]["amount"])
        assert sum(line.amounts.total for line in order.lines if line.amounts) == order.grand_total.amount
        assert [line.quantity for line in order.lines] == [
            item["quantityOrdered"] for item in example["orderItems"]
        ]
        assert order.ship_to is not None
        written = example["recipient"]["deliveryAddress"]
        assert order.ship_to.postal_code == written["postalCode"]
        assert order.ship_to.lines == tuple(
            written[key] for key in ("addressLine1", "addressLine2", "addressLine3") if written.get(key)
        )
        assert Order.model_validate_json(order.model_dump_json()) == order


def test_sandbox_tax_on_top_and_facilitator_are_told_apart(shared: Path) -> None:
    by_id = {example["orderId"]: read_order(example, SELLER) for example in sandbox_orders(shared)}
    american = by_id["114-9876543-1234567"].lines[0]
    assert american.amounts is not None
    assert (american.amounts.item, american.amounts.tax) == (Decimal("39.99"), Decimal("10.00"))
    assert not american.amounts.tax_included
    assert by_id["028-1234567-8901234"].lines[0].tax_collected_by_amazon
    brazilian = by_id["171-2345678-9012345"]
    assert brazilian.ship_to is not None
    assert brazilian.ship_to.district == "Bela Vista"


def test_an_order_with_its_envelope_is_the_same_order() -> None:
    assert read_order({"order": payload()}, SELLER) == read_order(payload(), SELLER)


def test_facts_of_the_order() -> None:
    order = read_order(payload(), SELLER)
    assert (order.channel, order.status) == (Channel.MFN, OrderStatus.UNSHIPPED)
    assert order.created == datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    assert order.ship_by == datetime(2026, 11, 5, 22, 59, 59, tzinfo=UTC)
    assert order.currency == "EUR"
    assert order.lines[0].amounts is not None
    assert order.lines[0].amounts.item == Decimal("10.00")


def test_a_pending_order_has_no_prices_and_zero_is_not_invented() -> None:
    item = payload_item()
    del item["proceeds"]
    body = payload(item, fulfillment={"fulfillmentStatus": "PENDING", "fulfilledBy": "AMAZON"})
    del body["proceeds"]
    del body["recipient"]
    order = read_order(body, SELLER)
    assert order.lines[0].amounts is None
    assert order.grand_total is None
    assert order.currency == ""
    assert order.ship_to is None
    assert not order.is_released
    assert order.inconsistency == ""


def test_json_numbers_are_money_too() -> None:
    body = json.loads(
        json.dumps(payload(priced_item(1, "12.90", ("ITEM", "12.90")))).replace('"12.90"', "12.90"),
        parse_float=Decimal,
    )
    order = read_order(body, SELLER)
    assert order.grand_total is not None
    assert str(order.grand_total.amount) == "12.90"


@pytest.mark.parametrize("discount", ["-2.00", "2.00"])
def test_a_discount_lowers_the_total_whatever_its_sign(discount: str) -> None:
    order = read_order(payload(priced_item(1, "8.00", ("ITEM", "10.00"), ("DISCOUNT", discount))), SELLER)
    amounts = order.lines[0].amounts
    assert amounts is not None
    assert amounts.discount == Decimal("-2.00")
    assert amounts.adds_up


def test_tax_inside_and_on_top_is_found_by_arithmetic() -> None:
    inside = read_order(payload(priced_item(1, "11.90", ("ITEM", "11.90"), ("TAX", "1.90"))), SELLER)
    on_top = read_order(payload(priced_item(1, "11.90", ("ITEM", "10.00"), ("TAX", "1.90"))), SELLER)
    first, second = inside.lines[0].amounts, on_top.lines[0].amounts
    assert first is not None
    assert second is not None
    assert first.tax_included
    assert not second.tax_included
    assert first.tax == second.tax == Decimal("1.90")


def test_tax_kept_by_amazon_beside_a_net_total_is_not_recorded() -> None:
    """Where prices are net, a facilitator's tax that the total does not contain was never the seller's."""
    item = priced_item(
        1,
        "10.00",
        ("ITEM", "10.00"),
        ("TAX", "0.80"),
        tax={"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]},
    )
    body = payload(item, salesChannel={"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"})
    amounts = read_order(body, SELLER).lines[0].amounts
    assert amounts is not None
    assert (amounts.tax, amounts.total) == (Decimal(0), Decimal("10.00"))


def test_tax_by_amount_is_kept_where_it_makes_the_tax() -> None:
    item = priced_item(
        1, "19.90", ("ITEM", "11.90"), ("SHIPPING", "10.00"), ("DISCOUNT", "2.00"), ("TAX", "3.10")
    )
    item["proceeds"]["breakdowns"][3]["detailedBreakdowns"] = [
        {"subtype": "ITEM", "value": money("1.90")},
        {"subtype": "SHIPPING", "value": money("1.60")},
        {"subtype": "DISCOUNT", "value": money("0.40")},
    ]
    amounts = read_order(payload(item), SELLER).lines[0].amounts
    assert amounts is not None
    assert amounts.tax_parts is not None
    assert amounts.tax_parts.shipping == Decimal("1.60")
    assert amounts.tax_parts.discount == Decimal("-0.40")


def test_fees_and_unknown_breakdowns_are_other() -> None:
    item = priced_item(
        1, "17.00", ("ITEM", "10.00"), ("COD_FEE", "4.00"), ("OTHER", "2.00"), ("NEW_ONE", "1.00")
    )
    amounts = read_order(payload(item), SELLER).lines[0].amounts
    assert amounts is not None
    assert amounts.other == Decimal("7.00")


def test_breakdowns_that_do_not_make_the_total_are_an_inconsistency() -> None:
    order = read_order(payload(priced_item(1, "99.00", ("ITEM", "10.00"), ("TAX", "1.90"))), SELLER)
    assert order.lines[0].amounts is None
    assert "10000000000001" in order.inconsistency
    assert "99.00" in order.inconsistency


def test_a_grand_total_that_is_not_the_sum_is_an_inconsistency() -> None:
    order = read_order(payload(proceeds={"grandTotal": money("11.00")}), SELLER)
    assert "grandTotal is 11.00" in order.inconsistency


def test_a_second_currency_is_an_inconsistency() -> None:
    item = priced_item(1, "10.00", ("ITEM", "10.00"))
    order = read_order(payload(item, proceeds={"grandTotal": money("10.00", "GBP")}), SELLER)
    assert "EUR, GBP" in order.inconsistency


def test_a_delivery_tip_belongs_to_no_line() -> None:
    tip = {"type": "DELIVERY_TIP", "status": "FINALIZED", "subtotal": money("3.00")}
    order = read_order(payload(proceeds={"grandTotal": money("13.00"), "breakdowns": [tip]}), SELLER)
    assert order.inconsistency == ""
    assert order.delivery_tip == Decimal("3.00")


def test_a_cancelled_item_may_be_in_the_grand_total_or_not() -> None:
    items = (payload_item(1), payload_item(2, quantityOrdered=0))
    for grand_total in ("10.00", "20.00"):
        order = read_order(payload(*items, proceeds={"grandTotal": money(grand_total)}), SELLER)
        assert order.inconsistency == ""
        assert [line.quantity for line in order.lines] == [1, 0]


@pytest.mark.parametrize(
    ("total", "quantity", "known"), [("20.00", 2, True), ("25.00", 2, False), ("0.00", 2, True)]
)
def test_a_total_without_breakdowns_counts_only_where_it_is_the_unit_price(
    total: str, quantity: int, known: bool
) -> None:
    item = payload_item(quantityOrdered=quantity, proceeds={"proceedsTotal": money(total)})
    amounts = read_order(payload(item), SELLER).lines[0].amounts
    assert (amounts is not None) is known


def test_without_grand_total_the_lines_make_it() -> None:
    body = payload(payload_item(1), payload_item(2))
    del body["proceeds"]
    order = read_order(body, SELLER)
    assert order.grand_total is not None
    assert str(order.grand_total) == "20.00 EUR"


@pytest.mark.parametrize("kind", ["REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID"])
def test_a_replacement_names_the_order_it_replaces(kind: str) -> None:
    order = read_order(
        payload(associatedOrders=[{"orderId": "028-0000000-0000001", "associationType": kind}]), SELLER
    )
    assert order.replacement_of == "028-0000000-0000001"


def test_cancellation_request_and_shipped_quantity_are_read() -> None:
    item = payload_item(
        quantityOrdered=3,
        cancellation={"cancellationRequest": {"requester": "BUYER", "cancelReason": "x"}},
        fulfillment={"quantityFulfilled": 2, "quantityUnfulfilled": 1},
    )
    line = read_order(payload(item), SELLER).lines[0]
    assert line.cancel_requested
    assert (line.quantity, line.quantity_fulfilled) == (3, 2)


def test_a_multi_channel_order_needs_no_marketplace() -> None:
    body = payload(salesChannel={"channelName": "NON_AMAZON"}, fulfillment={"fulfillmentStatus": "SHIPPED"})
    order = read_order(body, SELLER)
    assert order.is_multi_channel
    assert order.channel is Channel.FBA


def test_fields_and_values_amazon_adds_do_no_harm() -> None:
    body = payload(programs=["A_NEW_PROGRAM"], somethingNew={"deep": [1]})
    body["recipient"]["deliveryAddress"]["addressType"] = "SPACE_STATION"
    assert read_order(body, SELLER).order_id == ORDER_ID


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"createdTime": None}, "createdTime"),
        ({"createdTime": "2026-11-02T23:30:00"}, "createdTime"),
        ({"orderItems": "none"}, "orderItems"),
        ({"fulfillment": {"fulfilledBy": "MERCHANT"}}, "fulfillment.fulfillmentStatus"),
        ({"fulfillment": {"fulfillmentStatus": "LOST", "fulfilledBy": "AMAZON"}}, "fulfillmentStatus"),
        ({"fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "NOBODY"}}, "fulfilledBy"),
        ({"salesChannel": {"channelName": "AMAZON"}}, "salesChannel.marketplaceId"),
        ({"proceeds": {"grandTotal": money("12,34")}}, "proceeds.grandTotal.amount"),
        ({"proceeds": {"grandTotal": money("NaN")}}, "proceeds.grandTotal.amount"),
        ({"orderItems": [payload_item(quantityOrdered=-1)]}, "orderItems.0.quantityOrdered"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableOrder) as refusal:
        read_order(payload() | change, SELLER)
    assert field in str(refusal.value)
    assert ORDER_ID in str(refusal.value)


def test_a_refusal_never_repeats_personal_data() -> None:
    body = payload()
    body["recipient"]["deliveryAddress"] |= {
        "name": {"first": "Erika"},
        "phone": 491701234567,
        "city": ["Köln"],
    }
    with pytest.raises(UnreadableOrder) as refusal:
        read_order(body, SELLER)
    for personal in ("Erika", "491701234567", "Köln", "Heidestr"):
        assert personal not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_name_in_the_place_of_the_order_id_is_not_repeated() -> None:
    with pytest.raises(UnreadableOrder) as refusal:
        read_order({"orderId": "Erika Mustermann"}, SELLER)
    assert "Erika" not in str(refusal.value)
