"""Refunds and fulfilment orders that Amazon notifies: read together, held once, told to their delivery."""

from datetime import timedelta
from decimal import Decimal

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from canonical.amazon_orders import read_order
from canonical.ids import after_close_workflow_id, returns_look_workflow_id
from canonical.late_contracts import AfterCloseResult, RefundTold
from canonical.order import Order
from canonical.return_contracts import ReturnsFeedResult
from starters.listening.tally import Outcome
from tests.support.mcf import mcf_shop
from tests.support.notifications import Post, fulfillment_status, refunded
from tests.support.orders import ORDINARY, order
from tests.support.returns import EU, Sold, sold
from tests.support.world import World, eventually
from worker.late import LateKept, tell_closed

GATHER = timedelta(minutes=5)
CENT = Decimal("0.01")
LOOK = returns_look_workflow_id(EU)


async def exists(handle: WorkflowHandle[object, object]) -> bool:
    try:
        await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def look_of(world: World, run_id: str | None = None) -> WorkflowHandle[object, ReturnsFeedResult]:
    return world.client.get_workflow_handle(LOOK, run_id=run_id, result_type=ReturnsFeedResult)


def after_close(world: World, item: Sold) -> WorkflowHandle[object, AfterCloseResult]:
    workflow_id = after_close_workflow_id(EU, item.order_id)
    return world.client.get_workflow_handle(workflow_id, result_type=AfterCloseResult)


async def requests(world: World, operation: str) -> int:
    state = (await world.amazon.get("/_control/state")).json()
    return sum(count for name, count in state["requests"].items() if name.startswith(operation))


async def test_refunds_that_are_notified_are_read_in_one_look_and_held_by_nobody(
    world: World, sqs: str
) -> None:
    post = await Post.open(sqs, world)
    first, second = await sold(world), await sold(world)
    for item in (first, second):
        await item.happens("refund")
    asked = await requests(world, "listTransactions")
    again = refunded(first.order_id, notification_id="refund-1")
    await post.send(again, refunded(second.order_id), refunded(second.order_id, kind="Shipment"))
    assert (await post.listen()).outcomes == {Outcome.REFUND: 2, Outcome.LATER: 1}
    await post.send(again)
    await post.with_options().listen()  # another listener, which remembers nothing
    assert await requests(world, "listTransactions") == asked, (
        "Nothing is read before the refunds are gathered."
    )
    assert not await exists(first.case)

    look = look_of(world, (await look_of(world).describe()).run_id)
    await world.env.fast_forward(look, GATHER)
    told = await look.result()
    assert (told.nudged, told.reports) == (0, {})
    for item in (first, second):
        view = await item.until_waiting()
        assert view.missing == ("1 piece returned or reimbursed",)
        assert not await exists(after_close(world, item)), "The case has it; nobody is held a second time."


async def test_a_refund_notified_while_others_are_read_is_read_by_the_next_look(
    world: World, sqs: str
) -> None:
    post = await Post.open(sqs, world)
    await post.send(refunded("302-0000001-0000001"))
    await post.listen()
    reading = look_of(world, (await look_of(world).describe()).run_id)
    fault = {"id": "slow", "operation": "listTransactions", "action": "hang", "when": "before"}
    assert (await world.amazon.post("/_control/faults", json=fault)).status_code == 201

    async def fired() -> int:
        faults = (await world.amazon.get("/_control/faults")).json()["faults"]
        return next(int(each["fired"]) for each in faults if each["id"] == "slow")

    await world.env.fast_forward(reading, GATHER)
    await eventually(fired, bool)
    item = await sold(world)
    await item.happens("refund")
    await post.send(refunded(item.order_id))
    assert (await post.listen()).outcomes == {Outcome.REFUND: 1}
    await world.amazon.post("/_control/release", json={"id": "slow"})
    described = await eventually(
        reading.describe, lambda now: now.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    )
    following = look_of(world, (await look_of(world).describe()).run_id)
    assert following.run_id != described.run_id
    await world.env.fast_forward(following, GATHER)
    await following.result()
    await item.until_waiting()
    await world.amazon.delete("/_control/faults")


async def test_without_return_cases_a_closed_orders_refund_is_held_and_an_open_ones_kept(
    world: World, sqs: str
) -> None:
    post = await Post.open(sqs, world)
    post.returns = None
    item = await sold(world)
    waiting = await world.place(order(ORDINARY))
    handle = await world.start(waiting)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    of_open = refunded(waiting)
    await post.send(refunded(item.order_id, "-5.00"), of_open)
    assert (await post.listen()).outcomes == {Outcome.AFTER_CLOSE: 1, Outcome.LATER: 1}
    late = after_close(world, item)
    view = await world.until_held(late, "refunded_after_close")
    assert "5.00 EUR" in view.held_sentence
    assert not await exists(item.case)
    assert list(post.kept().values()) == [of_open]
    await late.signal("accept_difference")
    assert (await world.result(late)).outcome == "settled"


def less(now: Order) -> Order:
    """The order with the price of its goods a cent lower, as Amazon would tell it after a refund."""
    lines = []
    for line in now.lines:
        assert line.amounts is not None
        lower = {"item": line.amounts.item - CENT, "total": line.amounts.total - CENT}
        lines.append(line.model_copy(update={"amounts": line.amounts.model_copy(update=lower)}))
    return now.model_copy(update={"lines": tuple(lines)})


async def test_amounts_that_fell_after_the_close_are_a_cases_matter_where_there_are_cases(
    world: World,
) -> None:
    item = await sold(world, 2)
    now = less(read_order(await world.at_amazon(item.order_id), EU))
    told = await tell_closed(
        world.client, EU, item.order_id, now, RefundTold(transaction_id="T-1"), cases=True
    )
    assert told.kept is LateKept.NOTHING_NEW
    told = await tell_closed(
        world.client, EU, item.order_id, refund=RefundTold(transaction_id="T-1"), cases=True
    )
    assert told.kept is LateKept.NOTHING_NEW
    assert not await exists(after_close(world, item))
    await world.event(item.order_id, "cancel")  # other news of it is carried, and still no refund
    cancelled = less(read_order(await world.at_amazon(item.order_id), EU))
    assert (
        await tell_closed(world.client, EU, item.order_id, cancelled, cases=True)
    ).kept is LateKept.CARRIED
    late = after_close(world, item)
    await world.until_held(late, "cancelled_after_close")
    await late.signal("refund_told", RefundTold(transaction_id="T-1"))
    await late.signal("accept_difference")
    assert (await world.result(late)).outcome == "settled"

    other = await sold(world, 2)
    now = less(read_order(await world.at_amazon(other.order_id), EU))
    assert (await tell_closed(world.client, EU, other.order_id, now)).kept is LateKept.CARRIED
    await world.until_held(after_close(world, other), "refunded_after_close")
    await after_close(world, other).terminate()


async def test_what_is_notified_of_a_fulfilment_order_reaches_its_delivery(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    async with mcf_shop(world) as shop:
        handle, number = await shop.begun()
        await shop.until_step(handle, "awaiting_shipment")
        await shop.happens(number, "validate", "plan", "pick", "ship")
        ours, anothers = (fulfillment_status(one, "COMPLETE") for one in (number, "SHOP-4711"))
        await post.send(ours, anothers)
        assert (await post.listen()).outcomes == {Outcome.DELIVERY: 1, Outcome.ELSEWHERE: 1}
        await shop.until_step(handle, "awaiting_delivery")
        assert post.kept() == {}
        await handle.terminate()
