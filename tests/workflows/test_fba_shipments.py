"""Amazon's own shipments from its report, through real Temporal and both simulators: each piece reported to M3 once."""

from datetime import timedelta

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.fba_contracts import FBA_FEED, FbaFeedInput, FbaFeedResult
from canonical.ids import after_close_workflow_id
from canonical.order_contracts import OrderResult
from tests.support.orders import ANOTHER, ORDINARY, new_order_id, order
from tests.support.world import World, eventually, updated

EU = "A2EUSELLER0001"


async def look(world: World) -> FbaFeedResult:
    """One look of the schedule's."""
    result: FbaFeedResult = await world.client.execute_workflow(
        FBA_FEED,
        FbaFeedInput(seller_id=EU, marketplace_ids=("A1PA6795UKMFR9",), look_back=timedelta(days=3)),
        id=f"test-shipments-{new_order_id()}",
        task_queue=ORDERS_QUEUE,
        result_type=FbaFeedResult,
    )
    return result


async def items_of(world: World, order_id: str) -> list[str]:
    body = await world.at_amazon(order_id)
    return [item["orderItemId"] for item in body["orderItems"]]  # type: ignore[attr-defined]


async def deliveries(world: World, order_id: str) -> list[dict[str, object]]:
    return (await world.in_m3(order_id))["deliveries"]


async def test_two_centres_and_one_item_in_two_shipments_are_two_deliveries(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 3), (ANOTHER, 1)))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    tea, cup = await items_of(world, order_id)
    await world.event(order_id, "ship", items={tea: 1, cup: 1}, actor="AMAZON")
    await world.event(order_id, "ship", items={tea: 2}, actor="AMAZON")
    seen = await look(world)  # no notification and no sweep told the order
    assert seen.told.told >= 1, seen
    result = await world.result(handle)
    assert result.shipped == {tea: 3, cup: 1}
    assert len(result.deliveries) == len(result.invoices) == 2
    assert len(await deliveries(world, order_id)) == 2


async def test_what_the_order_told_first_the_report_does_not_tell_again(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 3)))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    [tea] = await items_of(world, order_id)
    await world.event(order_id, "ship", items={tea: 1}, actor="AMAZON")
    await world.start(order_id)
    await world.until(handle, lambda view: len(view.vouchers) == 1 and view.step == "awaiting_shipment")
    await world.event(order_id, "ship", items={tea: 2}, actor="AMAZON")
    await look(world)
    result = await world.result(handle)
    assert result.shipped == {tea: 3}
    assert len(result.deliveries) == 2
    assert (await look(world)).told.after_close == 0


async def test_more_than_was_ordered_is_held_and_accepted_once(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 2)))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    [tea] = await items_of(world, order_id)
    await world.event(order_id, "ship", items={tea: 1}, actor="AMAZON")
    await world.event(order_id, "reship", items={tea: 2}, actor="AMAZON")
    await look(world)
    view = await world.until_held(handle, "shipped_too_much")
    assert "3 of order item" in view.held_sentence
    assert "2 were ordered" in view.held_sentence
    assert (await world.in_m3(order_id))["invoices"] == []
    await updated(handle, "accept_difference")
    result = await world.result(handle)
    assert (result.shipped, result.surplus) == ({tea: 2}, 1)
    assert (await look(world)).told.after_close == 0


async def test_less_than_was_ordered_is_held_and_ends_as_it_stands(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 3)))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    [tea] = await items_of(world, order_id)
    await world.event(order_id, "ship", items={tea: 2}, actor="AMAZON")
    await world.event(order_id, "drop", actor="AMAZON")
    await world.start(order_id)
    view = await world.until_held(handle, "shipped_too_little")
    assert "2 of 3" in view.held_sentence
    await updated(handle, "accept_difference")
    result = await world.result(handle)
    assert sum(result.shipped.values()) == 2
    assert len(result.invoices) == 1


async def test_a_surplus_after_the_order_was_closed_is_carried_apart(world: World) -> None:
    order_id = await world.place(order((ORDINARY, 1)))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(order_id, "ship", actor="AMAZON")
    await world.start(order_id)
    assert (await world.result(handle)).outcome == "booked"
    await world.event(order_id, "reship", actor="AMAZON")
    assert (await look(world)).told.after_close == 1
    late = world.client.get_workflow_handle(after_close_workflow_id(EU, order_id), result_type=OrderResult)
    await eventually(lambda: world.view(late), lambda view: view.held_reason == "shipped_after_close")
    await updated(late, "accept_difference")
    assert (await world.result(late)).outcome == "settled"
    assert (await look(world)).told.after_close == 0
