"""An M3 delivery that Amazon fulfils: real Temporal, M3's simulator and Amazon's, every way it can go."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.service import RPCError

from canonical.fixes import Retry
from canonical.held import FixName, HeldReason
from canonical.ids import mcf_workflow_id
from canonical.mcf_contracts import FULFILLMENT_CHANGED, McfOrderInput, McfResult, McfStart
from starters.held_orders import held_orders
from starters.lookup import find_subject
from starters.repairs import send_fix
from tests.support.mcf import MUGS, SELLER, TEA, WAREHOUSE, McfHandle, McfShop, mcf_shop
from tests.support.orders import order
from tests.support.world import World, eventually, updated
from worker.mcf import McfOnTemporal
from workflows.search_attributes import HELD_REASON

QUARTER, DAY = timedelta(minutes=16), timedelta(hours=25)


@pytest_asyncio.fixture
async def shop(world: World) -> AsyncIterator[McfShop]:
    async with mcf_shop(world) as built:
        yield built
        await world.amazon.delete("/_control/faults")
        await world.m3.delete("/_control/faults")


async def result_of(handle: McfHandle) -> McfResult:
    return await asyncio.wait_for(handle.result(), 60)


async def fulfilment_orders_of(shop: McfShop, orno: str) -> list[dict[str, object]]:
    return [one for one in await shop.every() if str(one["order_id"]).startswith(orno)]


async def m3_delivery(shop: McfShop, handle: McfHandle) -> dict[str, object]:
    """M3's delivery of this workflow, as M3's owner sees it."""
    view = await shop.view(handle)
    summary = (await shop.world.m3.get("/_control/orders")).json()
    cuor = next(row["cuor"] for row in summary if view.orno in row["orders"])
    found = await shop.world.in_m3(cuor)
    return next(one for one in found["deliveries"] if str(one["dlix"]) == view.dlix)


async def test_a_delivery_is_found_shipped_reported_with_tracking_and_seen_delivered(shop: McfShop) -> None:
    handle, number = await shop.begun((TEA, 2), (MUGS, 1), MODL="EXP")
    await shop.until_step(handle, "awaiting_shipment")
    asked = (await shop.at_amazon(number))["asked"]
    assert asked["shippingSpeedCategory"] == "Expedited"  # type: ignore[index]
    assert asked["destinationAddress"]["city"] == "Hamburg"  # type: ignore[index]
    assert [item["sellerSku"] for item in asked["items"]] == [TEA.sku, MUGS.sku]  # type: ignore[index]
    at_amazon = await shop.happens(number, "validate", "plan", "pick", {"type": "ship", "packages": 2})
    assert await shop.notified(number)
    await shop.until_step(handle, "awaiting_delivery")

    delivery = await m3_delivery(shop, handle)
    parcels = at_amazon["shipments"][0]["packages"]  # type: ignore[index]
    assert delivery["orst"] >= "60"  # type: ignore[operator]
    assert [one["etrn"] for one in delivery["packages"]] == [one["tracking"] for one in parcels]  # type: ignore[attr-defined]
    assert [line["quantity"] for line in delivery["lines"]] == ["2", "1"]  # type: ignore[attr-defined]

    await shop.happens(number, "deliver")
    await shop.world.env.fast_forward(handle, timedelta(days=3))
    result = await result_of(handle)
    assert result.outcome == "delivered"
    assert result.tracking_numbers == tuple(one["tracking"] for one in parcels)


async def test_two_shipments_are_one_report_to_m3(shop: McfShop) -> None:
    handle, number = await shop.begun((TEA, 3))
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(number, "validate", "plan", {"type": "pick", "items": {"1-0": 1}}, "ship")
    await shop.notified(number)
    first = await eventually(lambda: shop.view(handle), lambda seen: bool(seen.shipped))
    assert first.shipped == {"1-0": 1}
    assert not first.reported
    await shop.happens(number, "pick", "ship")
    await shop.notified(number)
    await shop.until_step(handle, "awaiting_delivery")
    delivery = await m3_delivery(shop, handle)
    assert len(delivery["packages"]) == 2  # type: ignore[arg-type]
    assert delivery["lines"][0]["quantity"] == "3"  # type: ignore[index]
    await handle.terminate()


async def test_lost_notifications_are_made_up_for_by_the_daily_look(shop: McfShop) -> None:
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    await shop.world.env.fast_forward(handle, QUARTER)
    await shop.happens(number, "validate", "plan", "pick", "ship", "deliver")
    await shop.world.env.fast_forward(handle, DAY)
    await shop.until_step(handle, "awaiting_delivery")
    await shop.world.env.fast_forward(handle, timedelta(days=3))
    assert (await result_of(handle)).outcome == "delivered"
    looks = [e for e in (await handle.fetch_history()).events if e.HasField("timer_fired_event_attributes")]
    assert len(looks) == 3, "a quarter of an hour, a day, the arrival: no polling"


async def test_a_notification_that_tells_nothing_new_costs_no_look(shop: McfShop) -> None:
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    before = await shop.view(handle)
    for _ in range(3):
        await handle.signal(
            FULFILLMENT_CHANGED, {"fulfillment_order_id": number, "status": "NEW", "notification_id": "x"}
        )
    await handle.signal(FULFILLMENT_CHANGED, {"fulfillment_order_id": "another", "status": "COMPLETE"})
    await handle.signal(FULFILLMENT_CHANGED, "nonsense")
    after = await shop.view(handle)
    assert after.looks == before.looks
    assert any("could not be read" in remark for remark in after.remarks)
    await handle.terminate()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_makes_no_second_fulfilment_order(shop: McfShop, when: str) -> None:
    fault = {"operation": "createFulfillmentOrder", "when": when, "action": "drop", "times": 2}
    await shop.world.amazon.post("/_control/faults", json={"id": f"lost-{when}", **fault})
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    mine = [one for one in await shop.every() if str(one["order_id"]).startswith(number)]
    assert [one["order_id"] for one in mine] == [number]
    await handle.terminate()


async def test_what_was_cancelled_in_time_ships_nothing(shop: McfShop) -> None:
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(number, "validate", "plan")
    answer = await updated(handle, "cancel", {"by": "operations"})
    assert "accepted" in answer
    result = await result_of(handle)
    assert result.outcome == "not_shipped"
    assert (await shop.at_amazon(number))["status"] == "Cancelled"
    assert (await m3_delivery(shop, handle))["pist"] == "40"
    await shop.sweep()
    assert (await handle.describe()).status is not None
    assert (await handle.describe()).status.name == "COMPLETED", "the sweep does not begin it again"  # type: ignore[union-attr]


async def test_a_cancellation_whose_answer_was_lost_is_none_that_amazon_refused(shop: McfShop) -> None:
    fault = {"operation": "cancelFulfillmentOrder", "when": "after", "action": "status_504"}
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    await shop.world.amazon.post("/_control/faults", json={"id": "lost-cancel", **fault})
    await handle.signal("cancel")
    assert (await result_of(handle)).outcome == "not_shipped"
    assert (await shop.at_amazon(number))["status"] == "Cancelled"
    assert not any("did not cancel" in remark for remark in (await shop.view(handle)).remarks)


async def test_what_is_picked_already_is_not_cancelled_and_goes_its_way(shop: McfShop) -> None:
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(number, "validate", "plan", "pick")
    await handle.signal("cancel")
    view = await eventually(lambda: shop.view(handle), lambda seen: seen.status == "Processing")
    assert any("Amazon did not cancel" in remark for remark in view.remarks)
    await shop.happens(number, "ship", "deliver")
    await shop.notified(number)
    await shop.until_step(handle, "awaiting_delivery")
    await shop.world.env.fast_forward(handle, timedelta(days=3))
    assert (await result_of(handle)).outcome == "delivered"


async def test_a_part_that_cannot_be_shipped_is_reported_short_and_comes_with_m3s_next_delivery(
    shop: McfShop,
) -> None:
    handle, number = await shop.begun((TEA, 3), (MUGS, 2))
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(
        number,
        "validate",
        "plan",
        {"type": "pick", "items": {"1-0": 2}},
        {"type": "short", "items": {}},
        "ship",
    )
    at_amazon = await shop.happens(number, "deliver")
    assert at_amazon["status"] == "CompletePartialled"
    await shop.notified(number)
    await shop.until_step(handle, "awaiting_delivery")
    await shop.world.env.fast_forward(handle, timedelta(days=3))
    result = await result_of(handle)
    assert result.outcome == "partly_shipped"
    delivery = await m3_delivery(shop, handle)
    assert [(line["ponr"], line["quantity"]) for line in delivery["lines"]] == [(1, "2")]  # type: ignore[attr-defined]
    # M3 puts the rest on a delivery of its own; that one is found, once, and asks Amazon for the rest alone.
    await shop.sweep()
    await shop.sweep()
    mine = await eventually(lambda: fulfilment_orders_of(shop, result.orno), lambda seen: len(seen) > 1)
    assert sorted(sum(item["quantity"] for item in one["items"]) for one in mine) == [3, 5]  # type: ignore[attr-defined]
    for one in mine:
        if one["order_id"] != number:
            await shop.handle(*str(one["order_id"]).split("-")[:2]).terminate()


async def test_unfulfillable_is_held_and_tried_again_under_a_new_id(shop: McfShop) -> None:
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(number, "validate", "plan", "short")
    await shop.notified(number)
    view = await shop.until_held(handle, "mcf_unfulfillable")
    assert "no stock" in view.held_sentence
    listed = await eventually(
        lambda: held_orders(shop.world.client, "http://web", reason=HeldReason.MCF_UNFULFILLABLE),
        lambda held: number in [one.order_id for one in held],
    )
    [row] = [one for one in listed if one.order_id == number]
    assert (row.kind, row.command) == ("delivery", f"o2c fix {number} retry")
    found = await find_subject(shop.world.client, (), number)
    assert "retry of delivery" in await send_fix(
        shop.world.client, found, FixName.RETRY, Retry(by="operations")
    )
    view = await shop.until_step(handle, "awaiting_shipment")
    assert view.fulfillment_order_id == f"{number}-2"
    assert (await shop.at_amazon(f"{number}-2"))["status"] == "New"
    await handle.terminate()


async def test_an_address_amazon_cannot_validate_is_corrected(shop: McfShop) -> None:
    nowhere = {"CUNM": "Nobody", "CUA1": "Nowhere 1", "PONO": "00000", "TOWN": "Hamburg", "CSCD": "DE"}
    handle, number = await shop.begun(address=nowhere)
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(number, "validate")
    await shop.world.env.fast_forward(handle, QUARTER)  # nobody told, the first look sees it
    view = await shop.until_held(handle, "mcf_refused")
    assert "Invalid" in view.held_sentence
    assert "Nowhere" not in view.held_sentence
    corrected = {
        "name": "Teehaus",
        "lines": ["Hafen 1"],
        "city": "Hamburg",
        "postal_code": "20457",
        "country": "DE",
    }
    await updated(handle, "correct_address", {"address": corrected})
    await shop.until_step(handle, "awaiting_shipment")
    again = await shop.at_amazon(f"{number}-2")
    assert again["asked"]["destinationAddress"]["postalCode"] == "20457"  # type: ignore[index]
    await handle.terminate()


async def test_an_address_without_a_town_is_held_before_amazon_is_asked(shop: McfShop) -> None:
    handle, _ = await shop.begun(address={"CUNM": "X", "CUA1": "Y 1", "PONO": "20457", "CSCD": "DE"})
    view = await shop.until_held(handle, "mcf_refused")
    assert "no town" in view.held_sentence
    await handle.signal("cancel")
    assert (await result_of(handle)).outcome == "not_shipped"


async def test_a_held_delivery_that_is_cancelled_in_the_web_ui_is_listed_no_longer(shop: McfShop) -> None:
    handle, _ = await shop.begun(address={"CUNM": "X", "CUA1": "Y 1", "PONO": "20457", "CSCD": "DE"})
    await shop.until_held(handle, "mcf_refused")
    assert HELD_REASON in (await handle.describe()).typed_search_attributes
    await handle.cancel()
    assert (await result_of(handle)).outcome == "not_shipped"
    assert HELD_REASON not in (await handle.describe()).typed_search_attributes


async def test_a_sku_that_amazon_does_not_know_is_mapped(shop: McfShop) -> None:
    alias = {"ALWT": "2", "ALWQ": "AMZN", "ITNO": TEA.itno}
    await shop.m3.execute("MMS025MI", "AddAlias", {**alias, "POPN": "NO-SUCH-SKU"})
    try:
        handle, number = await shop.begun()
        view = await shop.until_held(handle, "mcf_sku_unknown")
        assert "several SellerSKUs" in view.held_sentence
        await updated(handle, "map_sku", {"sku": "NO-SUCH-SKU", "itno": TEA.itno})
        view = await shop.until_held(handle, "mcf_refused")
        assert "the SellerSKU for Item Id: 1-0 is invalid" in view.held_sentence
        await updated(handle, "map_sku", {"sku": TEA.sku, "itno": TEA.itno})
        await shop.until_step(handle, "awaiting_shipment")
        assert (await shop.at_amazon(number))["items"][0]["sku"] == TEA.sku  # type: ignore[index]
        await handle.terminate()
    finally:
        await shop.m3.execute("MMS025MI", "DltAlias", {**alias, "POPN": "NO-SUCH-SKU"})


async def test_a_lost_parcel_is_held_and_closed_as_it_stands(shop: McfShop) -> None:
    handle, number = await shop.begun()
    await shop.until_step(handle, "awaiting_shipment")
    await shop.happens(number, "validate", "plan", "pick", "ship", "lose")
    await shop.notified(number)
    await shop.until_step(handle, "awaiting_delivery")
    await shop.world.env.fast_forward(handle, timedelta(days=3))
    view = await shop.until_held(handle, "mcf_not_delivered")
    assert "UNDELIVERABLE" in view.held_sentence
    with pytest.raises(Exception, match="update"):
        await updated(handle, "cancel", {})
    await updated(handle, "accept_difference", {"why": "Amazon refunds"})
    assert (await result_of(handle)).outcome == "shipped"


async def test_a_report_that_m3_lost_the_answer_of_is_not_made_twice(shop: McfShop) -> None:
    fault = {"operation": "MHS850MI.AddCfmPickList", "when": "after", "action": "status_504", "times": 1}
    handle, number = await shop.begun((TEA, 2))
    await shop.until_step(handle, "awaiting_shipment")
    await shop.world.m3.post("/_control/faults", json={"id": "lost-pick", **fault})
    await shop.happens(number, "validate", "plan", "pick", "ship")
    await shop.notified(number)
    await shop.until_step(handle, "awaiting_delivery")
    delivery = await m3_delivery(shop, handle)
    assert len(delivery["packages"]) == 1  # type: ignore[arg-type]
    assert delivery["lines"][0]["picked"] == "2"  # type: ignore[index]
    await handle.terminate()


async def test_amazons_own_orders_from_the_same_warehouse_are_left_alone(shop: McfShop) -> None:
    order_id = await shop.world.place(order((TEA.sku, 1)))
    handle = await shop.world.start(order_id)
    await shop.world.until(handle, lambda view: view.step == "awaiting_shipment")
    found = await eventually(
        lambda: shop.world.in_m3(order_id), lambda seen: any(one["plsx"] for one in seen["deliveries"])
    )
    [delivery] = found["deliveries"]
    await shop.sweep()
    with pytest.raises(RPCError, match="not found"):
        await shop.handle(str(delivery["orno"]), str(delivery["dlix"])).describe()
    await handle.terminate()


async def test_what_m3_let_go_too_little_of_is_held_and_amazon_is_not_asked_again(shop: McfShop) -> None:
    """M3 stops half way through a short report and lets the delivery go with what it was told: the rest that Amazon
    has shipped is on a new delivery."""
    handle, number = await shop.begun((TEA, 3), (MUGS, 2))
    await shop.until_step(handle, "awaiting_shipment")
    own = {"RIDN": number.split("-")[0], "RIDL": "2"}
    stop = {"operation": "MHS850MI.AddCOPick", "match": own, "times": 50}
    await shop.world.m3.post("/_control/terminate", json=stop)
    await shop.happens(
        number, "validate", "plan", {"type": "pick", "items": {"1-0": 2, "2-0": 2}}, "short", "ship"
    )
    await shop.notified(number)
    view = await shop.until_held(handle, "shipment_not_reportable")
    assert "left with 2 of line 1-0; Amazon shipped 2 of line 1-0, 2 of line 2-0" in view.held_sentence
    swept = await shop.sweep()
    assert swept.mcf.started == 0
    assert [one["order_id"] for one in await shop.every() if str(one["order_id"]).startswith(view.orno)] == [
        number
    ]
    answer = await updated(handle, "mark_step_done", {"step": "shipment", "number": view.dlix})
    assert "accepted" in answer
    await shop.until_step(handle, "awaiting_delivery")
    await handle.terminate()


async def test_a_delivery_that_has_left_is_not_fulfilled_again(shop: McfShop) -> None:
    orno, dlix = await shop.order()
    await shop.m3.execute("MWS420MI", "Confirm", {"DLIX": dlix, "PLSX": "1"})
    start = McfOrderInput(orno=orno, dlix=dlix, seller_id=SELLER, whlo=WAREHOUSE)
    on_temporal = McfOnTemporal(shop.world.client)
    assert await on_temporal.start(start) is McfStart.STARTED
    assert await on_temporal.start(start) is McfStart.KNOWN
    result = await result_of(shop.handle(orno, dlix))
    assert result.outcome == "nothing_to_do"
    assert result.fulfillment_order_id == ""
    assert mcf_workflow_id(orno, dlix) == shop.handle(orno, dlix).id
