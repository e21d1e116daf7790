"""An order's way through real Temporal, M3's simulator and Amazon's: the happy and the unhappy paths."""

import asyncio

from canonical.order_contracts import OrderToCashInput
from tests.support.orders import ANOTHER, ORDINARY, order, sku_with
from tests.support.world import World, eventually
from worker.intake import start_or_signal


async def test_fba_order_already_shipped_is_booked_reported_invoiced_and_posted(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 2), ANOTHER, status="SHIPPED", shipping="4.90"))
    result = await world.result(await world.start(order_id))
    assert result.outcome == "booked"
    assert len(result.deliveries) == len(result.invoices) == len(result.vouchers) == 1
    found = await world.in_m3(order_id)
    assert len(found["orders"]) == 1


async def test_fba_order_in_two_shipments_has_two_deliveries_and_invoices(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 3)))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    body = await world.at_amazon(order_id)
    item = body["orderItems"][0]["orderItemId"]  # type: ignore[index]
    await world.event(order_id, "ship", items={item: 1}, actor="AMAZON")
    await world.start(order_id)
    await world.until(handle, lambda view: len(view.vouchers) == 1 and view.step == "awaiting_shipment")
    await world.event(order_id, "ship", items={item: 2}, actor="AMAZON")
    await world.start(order_id)
    result = await world.result(handle)
    assert len(result.deliveries) == len(result.invoices) == len(result.vouchers) == 2
    assert result.shipped == {item: 3}


async def test_mfn_order_is_shipped_by_m3_and_confirmed_to_amazon_with_tracking(world: World) -> None:
    order_id = await world.place(order(ORDINARY, (ANOTHER, 2), channel="MERCHANT"))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.m3_ships(order_id)
    result = await world.result(handle)
    assert result.outcome == "booked"
    body = await world.at_amazon(order_id)
    assert body["fulfillment"]["fulfillmentStatus"] == "SHIPPED"  # type: ignore[index]
    assert all(package["trackingNumber"] for package in body["packages"])  # type: ignore[attr-defined,index]


async def test_unmapped_sku_is_held_with_candidates_and_mapped_by_signal(world: World) -> None:
    sku = sku_with("unmapped_sku")
    order_id = await world.place(order(sku, status="SHIPPED"))
    handle = await world.start(order_id)
    await world.until_held(handle, "unmapped_sku")
    await handle.signal("map_sku", {"sku": sku, "itno": "100000-TEA"})
    assert (await world.result(handle)).outcome == "booked"


async def test_order_cancelled_before_picking_is_taken_back_in_m3(world: World) -> None:
    order_id = await world.place(order(sku_with("shipment_not_reportable")))  # no stock: nothing is picked
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(order_id, "cancel")
    await world.start(order_id)
    result = await world.result(handle)
    assert result.outcome == "cancelled"
    assert result.orno in result.sentence


async def test_order_cancelled_while_picked_is_held(world: World) -> None:
    order_id = await world.place(order(ORDINARY))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(order_id, "cancel")
    await world.start(order_id)
    view = await world.until_held(handle, "cancelled_too_late")
    assert view.step == "cancelling"


async def test_pending_order_waits_and_is_booked_when_released(world: World) -> None:
    order_id = await world.place(order(ORDINARY, status="PENDING"))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_release")
    assert not (await world.in_m3(order_id))["orders"]
    await world.event(order_id, "release")
    await world.event(order_id, "ship", actor="AMAZON")
    await world.start(order_id)
    assert (await world.result(handle)).outcome == "booked"


async def test_multi_channel_order_is_no_sale(world: World) -> None:
    body = order(ORDINARY, status="SHIPPED")
    body["salesChannel"] = {"channelName": "NON_AMAZON"}
    order_id = await world.place(body)
    result = await world.result(await world.start(order_id))
    assert result.outcome == "not_a_sale"
    assert not (await world.in_m3(order_id))["orders"]


async def test_order_without_facts_is_read_from_amazon(world: World) -> None:
    order_id = await world.place(order(ORDINARY, status="SHIPPED"))
    start = OrderToCashInput(seller_id="A2EUSELLER0001", order_id=order_id)
    await start_or_signal(world.client, start)
    assert (await world.result(world.handle(order_id))).outcome == "booked"


async def test_same_order_twice_is_one_order(world: World) -> None:
    order_id = await world.place(order(ORDINARY, status="SHIPPED"))
    first, second = await asyncio.gather(world.start(order_id), world.start(order_id))
    assert first.id == second.id
    assert (await world.result(first)).outcome == "booked"
    start = OrderToCashInput(seller_id="A2EUSELLER0001", order_id=order_id)
    assert (await start_or_signal(world.client, start)).kind == "late"
    assert len((await world.in_m3(order_id))["orders"]) == 1


async def test_net_prices_leave_out_tax_that_amazon_remits(world: World) -> None:
    body = order((ORDINARY, 2), marketplace="US", status="SHIPPED")
    item = body["orderItems"][0]  # type: ignore[index]
    item["proceeds"]["breakdowns"].append(
        {"type": "TAX", "subtotal": {"amount": "2.10", "currencyCode": "USD"}}
    )
    item["proceeds"]["proceedsTotal"]["amount"] = "27.90"
    item["tax"] = {
        "taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}]
    }
    body["proceeds"]["grandTotal"]["amount"] = "27.90"  # type: ignore[index]
    order_id = await world.place(body, seller="A2NASELLER0001")
    result = await world.result(await world.start(order_id, seller="A2NASELLER0001"))
    assert result.total is not None
    assert str(result.total) == "25.80 USD"


async def test_sweep_starts_signals_and_closes_without_being_told(world: World) -> None:
    order_id = await world.place(order(ORDINARY))
    swept = await world.sweep("A2EUSELLER0001", m3=False)
    assert swept.amazon["A2EUSELLER0001"].started >= 1
    handle = world.handle(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(order_id, "ship", actor="AMAZON")
    await world.sweep("A2EUSELLER0001", m3=False)
    assert (await world.result(handle)).outcome == "booked"


async def test_cancellation_requested_in_the_web_ui_takes_the_order_back(world: World) -> None:
    order_id = await world.place(order(sku_with("shipment_not_reportable")))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await handle.cancel()
    result = await world.result(handle)
    assert result.outcome == "cancelled"
    assert all(found["stat"] == "90" for found in (await world.in_m3(order_id))["orders"])


async def test_held_order_cancelled_at_amazon_closes(world: World) -> None:
    order_id = await world.place(order(ORDINARY, channel="MERCHANT", address={}))
    handle = await world.start(order_id)
    await world.until_held(handle, "order_incomplete")
    await world.event(order_id, "cancel")
    await world.start(order_id)
    assert (await world.result(handle)).outcome == "cancelled"


async def test_overlapping_sweeps_tell_an_order_the_same_news_once(world: World) -> None:
    order_id = await world.place(order(ORDINARY))
    for _ in range(3):
        await world.sweep("A2EUSELLER0001", m3=False)
    events = (await world.handle(order_id).fetch_history()).events
    assert sum(event.HasField("workflow_execution_signaled_event_attributes") for event in events) == 0


async def test_a_change_that_comes_while_m3_makes_the_order_is_seen(world: World) -> None:
    """M3 has two pieces, Amazon meanwhile sells five: nothing says so again, so it must not pass for booked."""
    body = order((ORDINARY, 2))
    fault = {"id": f"slow-{body['orderId']}", "operation": "OIS100MI.AddBatchHead", "action": "hang"}
    aimed = await world.m3.post("/_control/faults", json={**fault, "match": {"CUOR": str(body["orderId"])}})
    assert aimed.status_code == 201, aimed.text
    order_id = await world.place(body)
    handle = await world.start(order_id)

    async def held_back() -> int:
        known = (await world.m3.get("/_control/faults")).json()["faults"]
        return sum(int(one["waiting"]) for one in known if one["id"] == fault["id"])

    await eventually(held_back, bool)
    [item] = [item["orderItemId"] for item in (await world.at_amazon(order_id))["orderItems"]]  # type: ignore[attr-defined]
    await world.event(order_id, "change_quantity", items={item: 5})
    await world.start(order_id)
    await world.m3.post("/_control/release", json={"id": fault["id"]})
    await world.until(handle, lambda view: view.held_reason == "order_changed")
    assert "quantity 2 became 5" in (await world.view(handle)).held_sentence
