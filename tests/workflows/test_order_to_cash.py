"""An order's way through real Temporal, M3's simulator and Amazon's: the happy and the unhappy paths."""

from tests.support.orders import ANOTHER, ORDINARY, order, sku_with
from tests.support.world import World


async def test_fba_order_already_shipped_is_booked_reported_invoiced_and_posted(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 2), ANOTHER, status="SHIPPED", shipping="4.90"))
    result = await (await world.start(order_id)).result()
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
    result = await handle.result()
    assert len(result.deliveries) == len(result.invoices) == len(result.vouchers) == 2
    assert result.shipped == {item: 3}


async def test_mfn_order_is_shipped_by_m3_and_confirmed_to_amazon_with_tracking(world: World) -> None:
    order_id = await world.place(order(ORDINARY, (ANOTHER, 2), channel="MERCHANT"))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.m3_ships(order_id)
    result = await handle.result()
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
    assert (await handle.result()).outcome == "booked"


async def test_order_cancelled_at_amazon_before_shipping_is_taken_back_in_m3(world: World) -> None:
    order_id = await world.place(order(ORDINARY))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(order_id, "cancel")
    await world.start(order_id)
    result = await handle.result()
    assert result.outcome == "cancelled"
