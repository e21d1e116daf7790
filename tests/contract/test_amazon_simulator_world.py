"""The orders of the Amazon simulator: how they are invented, what becomes of them, what survives."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators import assortment, catalogue
from simulators.amazon import stories
from simulators.amazon.generator import Circumstances, make_order
from simulators.amazon.record import OrderRecord
from tests.contract.amazon_simulator_client import EU, Caller, mfn_order, simulator

MANY = 3000


@pytest.fixture(scope="module")
def invented() -> list[OrderRecord]:
    return [make_order(11, number, Circumstances(10**12)) for number in range(MANY)]


def amount(money: dict[str, Any]) -> Decimal:
    return Decimal(money["amount"])


def test_the_same_seed_invents_the_same_orders() -> None:
    first, second = (make_order(5, 3, Circumstances(10**12)) for _ in range(2))
    assert first == second
    assert make_order(6, 3, Circumstances(10**12)).order_id != first.order_id


def test_order_ids_are_well_formed_and_unique(invented: list[OrderRecord]) -> None:
    assert all(re.fullmatch(r"\d{3}-\d{7}-\d{7}", record.order_id) for record in invented)
    assert len({record.order_id for record in invented}) == MANY


def test_every_sum_is_exact(invented: list[OrderRecord]) -> None:
    for record in invented:
        lines = [item["proceeds"] for item in record.items if "proceeds" in item]
        if not lines:
            assert record.body["salesChannel"]["channelName"] == "NON_AMAZON"
            continue
        grand_total = amount(record.body["proceeds"]["grandTotal"])
        assert grand_total == sum(amount(line["proceedsTotal"]) for line in lines)
        on_top = any("tax" in item for item in record.items)
        for line in lines:
            parts = {entry["type"]: amount(entry["subtotal"]) for entry in line["breakdowns"]}
            tax = parts.pop("TAX", Decimal(0))
            assert amount(line["proceedsTotal"]) == sum(parts.values()) + (tax if on_top else 0)
            for entry in line["breakdowns"]:
                details = entry.get("detailedBreakdowns")
                assert not details or amount(entry["subtotal"]) == sum(amount(d["value"]) for d in details)


def test_tax_is_inside_in_europe_and_on_top_in_north_america(invented: list[OrderRecord]) -> None:
    for record in invented:
        market = catalogue.marketplace(record.body["salesChannel"]["marketplaceId"])
        collected = {
            c["model"] for item in record.items for c in item.get("tax", {}).get("taxCollections", [])
        }
        assert collected <= ({"MARKETPLACE_FACILITATOR"} if market.vat_percent == 0 else set())
        assert record.body.get("proceeds", {}).get("grandTotal", {}).get("currencyCode") in (
            market.currency,
            None,
        )


def test_the_mix_is_lively(invented: list[OrderRecord]) -> None:
    by_amazon = sum(record.by_amazon for record in invented) / MANY
    assert abs(by_amazon - stories.FBA_SHARE) < 0.05
    lines = [item for record in invented for item in record.items]
    kinds = Counter(
        entry["type"] for item in lines for entry in item.get("proceeds", {}).get("breakdowns", [])
    )
    assert set(kinds) == {"ITEM", "SHIPPING", "GIFT_WRAP", "DISCOUNT", "TAX"}
    uneven = [
        item
        for item in lines
        if "proceeds" in item
        and amount(item["proceeds"]["breakdowns"][0]["subtotal"]) * 100 % item["quantityOrdered"]
    ]
    assert len(uneven) > 50
    assert {len(record.items) for record in invented} == {1, 2, 3, 4}
    assert {record.status for record in invented} == {"PENDING", "UNSHIPPED"}
    assert any(record.body["salesChannel"]["channelName"] == "NON_AMAZON" for record in invented)
    free = [record for record in invented if "associatedOrders" in record.body]
    assert free
    assert all(amount(record.body["proceeds"]["grandTotal"]) == 0 for record in free)


def test_ordinary_orders_hold_ordinary_items(invented: list[OrderRecord]) -> None:
    skus = {item["product"]["sellerSku"] for record in invented for item in record.items}
    assert not skus & set(assortment.TROUBLE)
    assert {record.planted for record in invented} <= {None, *stories.LATE_TROUBLE.values()}


def test_planted_trouble_is_in_the_order_it_is_told_of() -> None:
    records = [make_order(3, number, Circumstances(10**12, trouble_share=1)) for number in range(600)]
    assert {record.planted for record in records} == {*assortment.TROUBLE.values(), *stories.ADDRESS_TROUBLE}
    for record in records:
        troubles = {assortment.TROUBLE.get(item["product"]["sellerSku"]) for item in record.items} - {None}
        address = record.body.get("recipient", {}).get("deliveryAddress", {})
        text = "".join(address.get(f"addressLine{n}", "") for n in (1, 2, 3))
        match record.planted:
            case "order_incomplete":
                assert (record.by_amazon, address) == (False, {})
            case "address_does_not_fit":
                assert not record.by_amazon
                assert len(text) > 130
                assert max(len(word) for word in text.split()) > 36
            case "address_refused":
                assert not record.by_amazon
                assert address["stateOrRegion"] in ("Jefferson", "Acadia")
            case planted:
                assert troubles == {planted}


async def test_pending_orders_tell_neither_price_nor_buyer(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        pending = {"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"}
        await caller.plant(mfn_order(fulfillment=pending), lifecycle={"release_after": 10})
        order = await caller.order("304-0000001-0000001")
        assert not {"proceeds", "buyer", "recipient", "payment"} & set(order)
        assert "proceeds" not in order["orderItems"][0]
        assert "price" not in order["orderItems"][0]["product"]
        assert order["orderItems"][0]["quantityOrdered"] == 3
        await caller.advance(11)
        order = await caller.order("304-0000001-0000001")
        assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
        assert order["proceeds"]["grandTotal"]["amount"] == "47.20"
        assert order["orderItems"][0]["product"]["price"]


async def test_fba_orders_name_nobody_and_ship_in_two_parts(tmp_path: Path) -> None:
    async with simulator(tmp_path, pace=2) as caller:
        fba = {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"}
        plan = {"ship_after": 10, "partial": True, "second_after": 20}
        for number in range(1, 7):
            await caller.plant(mfn_order(f"304-0000001-000000{number}", fulfillment=fba), lifecycle=plan)
        seen = []
        for number in range(1, 7):
            order = await caller.order(f"304-0000001-000000{number}")
            assert "buyer" not in order
            assert "packages" not in order
            seen.append(order.get("recipient", {}).get("deliveryAddress"))
        assert None in seen
        place = next(address for address in seen if address)
        assert place == {
            "city": "Köln",
            "stateOrRegion": "Nordrhein-Westfalen",
            "postalCode": "50667",
            "countryCode": "DE",
        }
        shipped = []
        for _ in range(3):
            order = await caller.order("304-0000001-0000001")
            done = sum(item["fulfillment"]["quantityFulfilled"] for item in order["orderItems"])
            shipped.append((order["fulfillment"]["fulfillmentStatus"], done))
            await caller.advance(30)
        assert shipped == [("UNSHIPPED", 0), ("PARTIALLY_SHIPPED", 1), ("SHIPPED", 4)]


async def events_of(caller: Caller, *events: dict[str, Any]) -> dict[str, Any]:
    await caller.plant(mfn_order())
    for event in events:
        response = await caller.event("304-0000001-0000001", **event)
        assert response.status_code == 200, response.text
    return await caller.order("304-0000001-0000001")


async def test_cancellation_before_shipping(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        order = await events_of(caller, {"type": "cancel"})
        assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
        assert order["orderItems"][0]["cancellation"]["cancellationExecution"]["cancelledBy"] == "BUYER"
        assert order["orderItems"][0]["fulfillment"]["quantityUnfulfilled"] == 0
        assert order["orderItems"][0]["quantityOrdered"] == 0
        assert "proceeds" not in order
        again = await caller.event("304-0000001-0000001", type="cancel")
        assert again.status_code == 409


async def test_cancellation_of_the_rest_leaves_a_shipped_order(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        order = await events_of(
            caller,
            {"type": "ship", "items": {"10000000000001": 3}},
            {"type": "cancel", "items": {"10000000000002": 1}, "actor": "MERCHANT"},
        )
        assert order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
        assert order["orderItems"][1]["cancellation"]["cancellationExecution"]["cancelledBy"] == "MERCHANT"
        assert "cancellation" not in order["orderItems"][0]
        assert [item["quantityOrdered"] for item in order["orderItems"]] == [3, 0]
        assert order["proceeds"]["grandTotal"]["amount"] == "38.70"


async def test_cancellation_after_shipping_keeps_what_was_sold(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        order = await events_of(caller, {"type": "ship"}, {"type": "cancel", "actor": "AMAZON"})
        assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
        assert [item["quantityOrdered"] for item in order["orderItems"]] == [3, 1]
        assert order["proceeds"]["grandTotal"]["amount"] == "47.20"


async def test_cancelling_the_rest_of_a_line_leaves_what_was_shipped(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        order = await events_of(
            caller, {"type": "ship", "items": {"10000000000001": 2}}, {"type": "cancel", "actor": "MERCHANT"}
        )
        assert order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
        assert [item["quantityOrdered"] for item in order["orderItems"]] == [2, 0]
        assert order["proceeds"]["grandTotal"]["amount"] == "25.80"


async def test_cancellation_while_pending_never_tells_prices(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        pending = {"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"}
        await caller.plant(
            mfn_order(fulfillment=pending), lifecycle={"cancel_after": 5, "cancel_by": "AMAZON"}
        )
        await caller.advance(6)
        order = await caller.order("304-0000001-0000001")
        assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
        assert "proceeds" not in order


async def test_a_buyer_can_ask_for_cancellation(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        order = await events_of(caller, {"type": "request_cancel"})
        assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
        request = order["orderItems"][0]["cancellation"]["cancellationRequest"]
        assert request["requester"] == "BUYER"


async def test_a_changed_quantity_changes_the_amounts(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        order = await events_of(caller, {"type": "change_quantity", "items": {"10000000000001": 2}})
        line = order["orderItems"][0]
        assert (line["quantityOrdered"], line["proceeds"]["proceedsTotal"]["amount"]) == (2, "25.80")
        assert line["fulfillment"]["quantityUnfulfilled"] == 2
        assert order["proceeds"]["grandTotal"]["amount"] == "34.30"


async def test_a_restart_keeps_orders_events_tokens_and_time(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        await caller.plant(mfn_order(), lifecycle={"ship_after": 100}, planted="credit_stop")
        await caller.place(20)
        await caller.advance(5000)
        await caller.plant(mfn_order("304-0000002-0000002"), lifecycle={"ship_after": 100})
        await caller.login()
        tokens, before = caller.tokens, await caller.control("orders")
        now = (await caller.control("state"))["now"]
    async with simulator(tmp_path) as caller:
        caller.tokens = tokens
        assert (await caller.control("state"))["now"] >= now
        after = await caller.control("orders")
        assert sorted(after, key=str) == sorted(before, key=str)
        assert (await caller.order("304-0000002-0000002"))["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
        await caller.advance(100)
        assert (await caller.order("304-0000002-0000002"))["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
        assert (await caller.control("planted"))["304-0000001-0000001"] == "credit_stop"
        more = await caller.place(20)
        assert not {order["orderId"] for order in before} & set(more), "the seed goes on where it stopped"


async def test_a_stream_brings_orders_over_time_and_then_ends(tmp_path: Path) -> None:
    async with simulator(tmp_path, orders=30, per_second=2) as caller:
        first = len(await caller.control("orders"))
        assert 1 <= first <= 3
        await caller.advance(5)
        assert first + 10 <= len(await caller.control("orders")) <= first + 12
        await caller.advance(100)
        assert len(await caller.control("orders")) == 30


async def test_the_seeded_order_appears_as_updated_now_unless_told_otherwise(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        old = "2024-01-01T00:00:00.000Z"
        kept = await caller.plant(
            mfn_order(createdTime=old, lastUpdatedTime=old), seller=EU.seller_id, keep_times=True
        )
        fresh = await caller.plant(mfn_order("304-0000002-0000002", createdTime=old, lastUpdatedTime=old))
        assert kept["lastUpdatedTime"] == old
        assert fresh["lastUpdatedTime"] > old
        refused = await caller.http.post("/_control/order", json={"order": mfn_order()})
        assert refused.status_code == 422


async def test_the_page_for_people_shows_orders_and_escapes_them(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        await caller.plant(mfn_order(), planted="credit_stop")
        await caller.event("304-0000001-0000001", type="ship")
        order = mfn_order("304-0000002-0000002")
        order["salesChannel"]["marketplaceName"] = "<b>Amazon</b>"
        await caller.plant(order)
        page = (await caller.http.get("/")).text
        assert "304-0000001-0000001" in page
        assert "credit stop" in page
        assert "4 / 4" in page
        assert "<b>Amazon</b>" not in page
        only = (await caller.http.get("/?status=UNSHIPPED")).text
        assert "304-0000002-0000002" in only
        assert "304-0000001-0000001" not in only
