"""Orders cancelled in part, and buyers who ask: what M3 has in the end, and what the order says of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from canonical.cancellations import CancelledBy, Settled
from canonical.order_contracts import OrderResult, OrderView
from tests.support.notifications import Post, order_change
from tests.support.orders import ANOTHER, ORDINARY, order, sku_with
from tests.support.world import World, updated

Handle = WorkflowHandle[object, OrderResult]
SCARCE = sku_with("shipment_not_reportable")
"""M3 has none of it: it is never allocated."""


def waits(view: OrderView) -> bool:
    return view.step == "awaiting_shipment" and not view.held_reason


async def waiting(
    world: World, *lines: tuple[str, int] | str, **how: object
) -> tuple[str, Handle, list[str]]:
    """A booked order that waits for its goods, and its item ids."""
    order_id = await world.place(order(*lines, **how))  # type: ignore[arg-type]
    handle = await world.start(order_id)
    await world.until(handle, waits)
    body = await world.at_amazon(order_id)
    return order_id, handle, [item["orderItemId"] for item in body["orderItems"]]  # type: ignore[attr-defined]


async def out_of_stock(world: World, order_id: str) -> None:
    body = {"kind": "shipment_not_reportable", "cuor": order_id}
    (await world.m3.post("/_control/trouble", json=body)).raise_for_status()


async def unallocated(
    world: World, *lines: tuple[str, int] | str, **how: object
) -> tuple[str, Handle, list[str]]:
    """The same, and M3 allocates none of it."""
    body = order(*lines, **how)  # type: ignore[arg-type]
    await out_of_stock(world, str(body["orderId"]))
    order_id = await world.place(body)
    handle = await world.start(order_id)
    await world.until(handle, waits)
    return order_id, handle, [item["orderItemId"] for item in body["orderItems"]]  # type: ignore[attr-defined]


async def stop_in_m3(world: World, order_id: str, *, stopped: bool = True) -> None:
    body = {"cuor": order_id, "stopped": stopped}
    (await world.m3.post("/_control/stop", json=body)).raise_for_status()


async def heal(world: World, order_id: str) -> None:
    """M3 has the goods, and allocates them."""
    body = {"kind": "shipment_not_reportable", "cuor": order_id}
    (await world.m3.post("/_control/heal", json=body)).raise_for_status()


async def ship_in_m3(world: World, order_id: str, **what: object) -> None:
    (await world.m3.post("/_control/ship", json={"cuor": order_id, **what})).raise_for_status()


@asynccontextmanager
async def nobody_at_work(world: World) -> AsyncIterator[None]:
    """The people of the own warehouse have gone home for a while."""
    (await world.m3.post("/_control/staff", json={"at_work": False})).raise_for_status()
    try:
        yield
    finally:
        (await world.m3.post("/_control/staff", json={"at_work": True})).raise_for_status()


async def m3_order(world: World, order_id: str) -> dict[str, object]:
    [found] = (await world.in_m3(order_id))["orders"]
    return found


async def quantities(world: World, order_id: str) -> dict[int, int]:
    lines = (await m3_order(world, order_id))["lines"]
    return {line["ponr"]: int(float(line["orqt"])) for line in lines}  # type: ignore[attr-defined]


async def details(handle: Handle) -> str:
    described = await handle.query("__temporal_workflow_metadata", rpc_timeout=timedelta(seconds=20))
    return str(described)


# --- by Amazon -----------------------------------------------------------------------------------


async def test_a_cancelled_line_is_deleted_and_the_rest_shipped(world: World) -> None:
    order_id, handle, (_, second) = await waiting(world, ORDINARY, (SCARCE, 2))
    await world.event(order_id, "cancel", items={second: 2})
    await world.start(order_id)
    view = await world.until(handle, lambda view: bool(view.cancellations) and waits(view))
    assert await quantities(world, order_id) == {1: 1}
    [told] = view.cancellations
    assert (told.by, told.settled, told.items) == (CancelledBy.AMAZON, Settled.LINES, {second: 2})
    assert "line 2 deleted" in told.sentence
    assert told.sentence in await details(handle)
    await world.event(order_id, "ship", actor="AMAZON")
    await world.start(order_id)
    result = await world.result(handle)
    assert (result.outcome, result.cancellations) == ("booked", (told,))
    assert result.total is not None
    assert result.total.amount == sum(
        invoice.amount.amount for invoice in (await world.view(handle)).invoices
    )


async def test_cancelled_pieces_lower_the_line_and_the_charges_follow(world: World) -> None:
    order_id, handle, (first, second) = await unallocated(world, (ORDINARY, 3), (ANOTHER, 2), shipping="6.00")
    await world.event(order_id, "change_quantity", items={first: 1})
    await world.event(order_id, "cancel", items={second: 2})
    await world.start(order_id)
    await world.until(handle, lambda view: len(view.cancellations) == 1 and waits(view))
    found = await m3_order(world, order_id)
    assert await quantities(world, order_id) == {1: 1}
    assert [charge["amount"] for charge in found["charges"]] == ["2.00"]  # type: ignore[attr-defined]
    await heal(world, order_id)
    await world.event(order_id, "ship", actor="AMAZON")
    await world.start(order_id)
    assert (await world.result(handle)).shipped == {first: 1}


async def test_a_charge_of_a_cancelled_line_goes_with_it(world: World) -> None:
    order_id, handle, (first, _) = await unallocated(world, ORDINARY, (ANOTHER, 2), shipping="4.90")
    await world.event(order_id, "cancel", items={first: 1})
    await world.start(order_id)
    await world.until(handle, lambda view: len(view.cancellations) == 1 and waits(view))
    assert (await m3_order(world, order_id))["charges"] == []


async def test_a_line_being_picked_is_stopped_by_a_person_and_then_taken_back(world: World) -> None:
    order_id, handle, (_, second) = await waiting(world, ORDINARY, (ANOTHER, 2))
    await world.event(order_id, "cancel", items={second: 2})
    await world.start(order_id)
    view = await world.until_held(handle, "cancelled_too_late")
    assert "line 2" in view.held_sentence
    assert await quantities(world, order_id) == {1: 1, 2: 2}
    await stop_in_m3(world, order_id)
    await handle.signal("retry")
    await world.until(handle, lambda view: len(view.cancellations) == 1 and waits(view))
    assert await quantities(world, order_id) == {1: 1}
    await stop_in_m3(world, order_id, stopped=False)
    await world.event(order_id, "ship", actor="AMAZON")
    await world.start(order_id)
    assert (await world.result(handle)).outcome == "booked"


async def test_a_whole_order_being_picked_is_stopped_and_then_deleted(world: World) -> None:
    order_id, handle, _ = await waiting(world, ORDINARY)
    await world.event(order_id, "cancel")
    await world.start(order_id)
    await world.until_held(handle, "cancelled_too_late")
    await stop_in_m3(world, order_id)
    await handle.signal("retry")
    result = await world.result(handle)
    assert [(one.by, one.settled) for one in result.cancellations] == [(CancelledBy.AMAZON, Settled.DELETED)]
    assert (await m3_order(world, order_id))["stat"] == "90"


async def test_cancelling_once_more_what_m3_did_not_let_go_tries_again(world: World) -> None:
    order_id, handle, _ = await unallocated(world, ORDINARY)
    match = {"ORNO": (await m3_order(world, order_id))["orno"]}
    fault = {"operation": "*", "action": "forbidden_no_body", "times": 1000, "match": match}
    (await world.m3.post("/_control/faults", json=fault)).raise_for_status()
    await handle.signal("cancel")
    view = await world.until_held(handle, "m3_not_authorised")
    assert view.step == "cancelling"
    await world.m3.delete("/_control/faults")
    assert "was accepted; m3_not_authorised is being repaired" in await updated(handle, "cancel", {})
    result = await world.result(handle)
    assert (result.outcome, (await m3_order(world, order_id))["stat"]) == ("cancelled", "90")


async def test_the_rest_of_a_partial_shipment_is_closed(world: World) -> None:
    order_id, handle, (item,) = await unallocated(world, (ORDINARY, 3), channel="MERCHANT")
    async with nobody_at_work(world):
        await heal(world, order_id)
        await ship_in_m3(world, order_id, lines={"1": 1})
        await stop_in_m3(world, order_id)
    await world.m3_ships(order_id)
    await world.until(handle, lambda view: len(view.vouchers) == 1 and waits(view))
    await world.event(order_id, "cancel", items={item: 2})
    await world.start(order_id)
    result = await world.result(handle)
    assert (result.outcome, result.shipped) == ("booked", {item: 1})
    assert "line 1 closed" in result.cancellations[0].sentence


# --- by the buyer --------------------------------------------------------------------------------


async def asked(
    world: World, *lines: tuple[str, int] | str, items: slice = slice(None)
) -> tuple[str, Handle, list[str]]:
    """A merchant's order that nobody has allocated, whose buyer asks to cancel these items."""
    order_id, handle, ids = await unallocated(world, *lines, channel="MERCHANT")
    wanted = dict.fromkeys(ids[items], 1) if items != slice(None) else {}
    await world.event(order_id, "request_cancel", items=wanted)
    await world.start(order_id)
    await world.until_held(handle, "cancellation_requested")
    return order_id, handle, ids


async def test_an_accepted_request_deletes_the_order_and_waits_for_amazon(world: World) -> None:
    order_id, handle, _ = await asked(world, ORDINARY)
    assert "by " in (await world.view(handle)).held_sentence
    assert "was accepted" in await updated(
        handle, "accept_cancellation", {"by": "service", "why": "ordered twice"}
    )
    view = await world.until(handle, lambda view: bool(view.cancellations))
    assert (view.step, (await m3_order(world, order_id))["stat"]) == ("cancelling", "90")
    assert "Seller Central" in await details(handle)
    await world.event(order_id, "cancel", actor="MERCHANT")
    await world.start(order_id)
    result = await world.result(handle)
    assert result.outcome == "cancelled"
    assert [(one.by, one.settled) for one in result.cancellations] == [(CancelledBy.BUYER, Settled.DELETED)]
    assert [one.fix for one in result.repairs] == ["accept_cancellation"]


async def test_the_wait_for_amazon_is_ended_by_a_person(world: World) -> None:
    _, handle, _ = await asked(world, ORDINARY)
    await handle.signal("accept_cancellation")
    await world.until(handle, lambda view: bool(view.cancellations))
    await handle.cancel()
    result = await world.result(handle)
    assert (result.outcome, len(result.cancellations)) == ("cancelled", 1)


async def test_an_accepted_request_for_one_line_leaves_the_other(world: World) -> None:
    order_id, handle, (_, second) = await asked(world, ORDINARY, (ANOTHER, 2), items=slice(1, 2))
    await handle.signal("accept_cancellation")
    await world.until(handle, lambda view: bool(view.cancellations) and waits(view))
    assert await quantities(world, order_id) == {1: 1}
    await world.event(order_id, "cancel", items={second: 2}, actor="MERCHANT")
    await world.start(order_id)
    await heal(world, order_id)
    await ship_in_m3(world, order_id)
    await world.m3_ships(order_id)
    result = await world.result(handle)
    assert (result.outcome, len(result.cancellations)) == ("booked", 1)
    assert result.cancellations[0].items == {second: 2}


async def test_a_refused_request_is_not_asked_again_and_the_order_shipped(world: World) -> None:
    order_id, handle, _ = await asked(world, ORDINARY)
    await handle.signal("refuse_cancellation", {"by": "service", "why": "already packed"})
    await world.until(handle, waits)
    await world.start(order_id)
    await heal(world, order_id)
    await ship_in_m3(world, order_id)
    await world.m3_ships(order_id)
    result = await world.result(handle)
    assert (result.outcome, [one.settled for one in result.cancellations]) == ("booked", [Settled.REFUSED])


async def test_goods_that_leave_first_answer_the_buyer(world: World) -> None:
    order_id, handle, _ = await asked(world, ORDINARY)
    await heal(world, order_id)
    await ship_in_m3(world, order_id)
    await world.m3_ships(order_id)
    result = await world.result(handle)
    assert (result.outcome, [one.settled for one in result.cancellations]) == ("booked", [Settled.OVERTAKEN])


async def test_amazon_cancelling_it_ends_the_task(world: World) -> None:
    order_id, handle, _ = await asked(world, ORDINARY)
    await world.event(order_id, "cancel", actor="MERCHANT")
    await world.start(order_id)
    result = await world.result(handle)
    assert [(one.by, one.settled) for one in result.cancellations] == [(CancelledBy.AMAZON, Settled.DELETED)]


async def test_the_deadline_is_amazons_ship_date_and_people_are_told_when_it_passes(world: World) -> None:
    _, handle, _ = await asked(world, ORDINARY)
    assert "To be answered by" in (await world.view(handle)).held_sentence
    await world.env.fast_forward(handle, timedelta(hours=25))
    view = await world.until(handle, lambda view: "should have been answered" in view.held_sentence)
    assert view.held_reason == "cancellation_requested"
    await handle.signal("refuse_cancellation")
    await world.until(handle, waits)


async def test_other_repairs_do_not_answer_a_buyer(world: World) -> None:
    _, handle, _ = await asked(world, ORDINARY)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await updated(handle, "retry")
    assert "accept_cancellation, refuse_cancellation" in str(refused.value.cause)
    await handle.signal("refuse_cancellation")
    await world.until(handle, waits)
    with pytest.raises(WorkflowUpdateFailedError):
        await updated(handle, "accept_cancellation")


async def test_the_request_of_a_partly_shipped_order_is_notified_and_heard(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    order_id, handle, _ = await unallocated(world, ORDINARY, channel="MERCHANT")
    await world.event(order_id, "request_cancel")
    soon = datetime.now(UTC) + timedelta(seconds=2)
    body = order_change(await world.at_amazon(order_id), status="PartiallyShipped", at=soon)
    await post.send(body.replace("OrderStatusChange", "BuyerRequestedChange"))
    await post.listen()
    await world.until_held(handle, "cancellation_requested")
    await handle.signal("refuse_cancellation")
    await world.until(handle, waits)


async def test_amazon_decides_about_what_it_ships_itself(world: World) -> None:
    order_id, handle, _ = await waiting(world, ORDINARY)
    await world.event(order_id, "request_cancel")
    await world.event(order_id, "ship", actor="AMAZON")
    await world.start(order_id)
    assert (await world.result(handle)).cancellations == ()
