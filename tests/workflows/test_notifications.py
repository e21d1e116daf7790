"""Notifications from a real SQS to real order workflows."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import report_workflow_id
from canonical.import_contracts import REPORT, ReportInput
from canonical.order_contracts import OrderResult, OrderView
from starters.actions import count_actions
from starters.listening.tally import Outcome
from tests.support.notifications import SELLER, Post, envelope, fba_shipment, order_change, report_finished
from tests.support.orders import ANOTHER, ORDINARY, new_order_id, order
from tests.support.sqs import take_all
from tests.support.world import World, eventually

Handle = WorkflowHandle[object, OrderResult]
BUDGET = 10
"""Actions of an order with one shipment that notifications started."""


@pytest.fixture
def soon() -> datetime:
    """A change later than anything Amazon has said so far: the simulator tells whole seconds."""
    return datetime.now(UTC) + timedelta(seconds=2)


async def activities(handle: Handle) -> list[str]:
    """Names of the activities that the order asked for, in their order."""
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]


def awaits_shipment(view: OrderView) -> bool:
    return view.step == "awaiting_shipment"


async def started(world: World, post: Post, *lines: str, **made: object) -> Handle:
    """An order that a notification told of, booked and waiting for goods to leave."""
    wanted = lines or ((ORDINARY, 2), ANOTHER)
    order_id = await world.place(order(*wanted, **made))  # type: ignore[arg-type]
    await post.send(order_change(await world.at_amazon(order_id)))
    assert (await post.listen()).outcomes == {Outcome.TOLD: 1}
    handle = world.handle(order_id)
    await world.until(handle, awaits_shipment)
    return handle


async def shipped(world: World, handle: Handle) -> dict[str, int]:
    """Amazon ships all of it; what left, by order item id."""
    order_id = handle.id[-19:]
    body = await world.at_amazon(order_id)
    items = {item["orderItemId"]: item["quantityOrdered"] for item in body["orderItems"]}  # type: ignore[attr-defined]
    await world.event(order_id, "ship", items=items, actor="AMAZON")
    return items


async def ends_shipped(world: World, post: Post, handle: Handle, soon: datetime) -> None:
    """Amazon ships it and notifies of it, which ends the order."""
    await shipped(world, handle)
    told = order_change(await world.at_amazon(handle.id[-19:]), at=soon + timedelta(seconds=5))
    await post.send(told)
    await post.listen()
    assert (await world.result(handle)).outcome == "booked"


async def test_an_order_is_started_read_once_and_shipped_by_what_notifications_tell(
    world: World, sqs: str
) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post)
    items = await shipped(world, handle)
    await post.send(order_change(await world.at_amazon(handle.id[-19:])))
    await post.listen()
    result = await world.result(handle)
    assert (result.outcome, result.shipped) == ("booked", items)
    assert (await activities(handle)).count("fetch_order") == 1
    assert await post.counts() == (0, 0)
    count = count_actions(await handle.fetch_history())
    assert count.total <= BUDGET, count.by_kind


async def test_everything_twice_and_in_any_order_is_the_same_order(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    order_id = await world.place(order(ORDINARY))
    before = order_change(await world.at_amazon(order_id))
    body = await world.at_amazon(order_id)
    item = body["orderItems"][0]["orderItemId"]  # type: ignore[index]
    await world.event(order_id, "ship", items={item: 1}, actor="AMAZON")
    after = order_change(await world.at_amazon(order_id))
    for messages in ((after, before), (before, after), (after,)):
        await post.send(*messages)
        await post.listen()  # each time a listener that remembers nothing
    result = await world.result(world.handle(order_id))
    assert (result.outcome, len(result.invoices)) == ("booked", 1)
    assert len((await world.in_m3(order_id))["orders"]) == 1


async def test_the_same_notification_again_is_recognised_inside_the_workflow(
    world: World, sqs: str, soon: datetime
) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post)
    order_id = handle.id[-19:]
    asks = order_change(await world.at_amazon(order_id), at=soon, quantities=False)
    for _ in range(3):
        await post.send(asks)
        await post.listen()
    await eventually(lambda: activities(handle), lambda names: names.count("fetch_order") == 2)
    signals = [
        event
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]
    assert len(signals) == 4
    await ends_shipped(world, post, handle, soon)
    assert (await activities(handle)).count("fetch_order") == 2


async def test_older_than_what_is_known_is_ignored(world: World, sqs: str, soon: datetime) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post)
    order_id = handle.id[-19:]
    long_ago = datetime.now(UTC) - timedelta(days=1)
    await post.send(order_change(await world.at_amazon(order_id), at=long_ago, quantities=False))
    assert (await post.listen()).outcomes == {Outcome.TOLD: 1}
    await ends_shipped(world, post, handle, soon)
    assert (await activities(handle)).count("fetch_order") == 1


async def test_many_changes_at_once_are_one_reading(world: World, sqs: str, soon: datetime) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post)
    order_id = handle.id[-19:]
    body = await world.at_amazon(order_id)
    many = [order_change(body, at=soon + timedelta(milliseconds=n), quantities=False) for n in range(8)]
    await post.send(*many)
    assert (await post.listen()).outcomes == {Outcome.TOLD: 8}
    await eventually(lambda: activities(handle), lambda names: names.count("fetch_order") > 1)
    await ends_shipped(world, post, handle, soon)
    assert (await activities(handle)).count("fetch_order") == 2


async def test_a_shipment_without_quantities_is_read(world: World, sqs: str, soon: datetime) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post)
    order_id = handle.id[-19:]
    items = await shipped(world, handle)
    await post.send(fba_shipment(order_id, at=soon))
    await post.listen()
    assert (await world.result(handle)).shipped == items
    assert (await activities(handle)).count("fetch_order") == 2


async def test_the_echo_of_an_own_confirmation_is_no_news(world: World, sqs: str, soon: datetime) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post, ORDINARY, channel="MERCHANT")  # one piece: one delivery, one package
    order_id = handle.id[-19:]
    body = await world.at_amazon(order_id)
    await post.send(order_change(body, status="Shipped", at=soon, quantities=False))
    await post.listen()
    assert awaits_shipment(await world.view(handle))
    await world.m3_ships(order_id)
    assert (await world.result(handle)).outcome == "booked"
    assert (await activities(handle)).count("fetch_order") == 1
    count = count_actions(await handle.fetch_history())
    assert count.total <= BUDGET + 1, f"the echo is one more: {count.by_kind}"


@pytest.mark.parametrize("sku", [ORDINARY, "SKU-NOBODY-NOTIFIES"], ids=["waiting for goods", "held"])
async def test_a_cancellation_reaches_an_order_that_waits_or_is_held(
    world: World, sqs: str, soon: datetime, sku: str
) -> None:
    post = await Post.open(sqs, world)
    order_id = await world.place(order(sku))
    await post.send(order_change(await world.at_amazon(order_id)))
    await post.listen()
    handle = world.handle(order_id)
    await world.until(handle, lambda view: awaits_shipment(view) or bool(view.held_reason))
    await world.event(order_id, "cancel")
    await post.send(order_change(await world.at_amazon(order_id), at=soon))
    assert (await post.listen()).outcomes == {Outcome.TOLD: 1}
    if sku == ORDINARY:  # M3 picks at once here
        await world.until_held(handle, "cancelled_too_late")
    else:
        assert (await world.result(handle)).outcome == "cancelled"


async def test_a_cancelled_order_nobody_had_begun_is_not_begun(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    order_id = await world.place(order(ORDINARY))
    await world.event(order_id, "cancel")
    await post.send(order_change(await world.at_amazon(order_id)))
    assert (await post.listen()).outcomes == {Outcome.NOT_KNOWN: 1}


async def test_a_pending_order_waits_for_its_release(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    order_id = await world.place(order(ORDINARY, status="PENDING"))
    await post.send(order_change(await world.at_amazon(order_id)))
    assert (await post.listen()).outcomes == {Outcome.PENDING: 1}
    await world.event(order_id, "release")
    await post.send(order_change(await world.at_amazon(order_id)))
    assert (await post.listen()).outcomes == {Outcome.TOLD: 1}
    await world.until(world.handle(order_id), awaits_shipment)


async def test_news_of_a_closed_order_is_left_to_the_sweep(world: World, sqs: str, soon: datetime) -> None:
    post = await Post.open(sqs, world)
    handle = await world.start(await world.place(order(ORDINARY, status="SHIPPED")))
    result = await world.result(handle)
    body = await world.at_amazon(result.order_id)
    await post.send(order_change(body, at=soon))
    assert (await post.listen()).outcomes == {Outcome.LATE: 1}
    await post.send(order_change(body, status="Canceled", at=soon))
    assert (await post.listen()).outcomes == {Outcome.AFTER_CLOSE: 1}


async def test_what_cannot_be_read_is_a_dead_letter_with_its_reason(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    body = json.loads(order_change(order(ORDINARY)))
    body["Payload"]["OrderChangeNotification"]["AmazonOrderId"] = "something else"
    unreadable = ["no json {", "[]", '{"NotificationType": "ORDER_CHANGE"}', json.dumps(body)]
    await post.send(*unreadable)
    assert (await post.listen()).outcomes == {Outcome.DEAD: 4}
    assert await post.counts() == (0, 0)
    assert sorted(await take_all(sqs, post.dead)) == sorted(unreadable)


async def test_strangers_are_kept(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    foreign = order_change(order(ORDINARY), seller="A9NOBODYS")
    unknown = json.dumps(envelope("PRICING_HEALTH", {"merchantOffer": {}}, notification_id="pricing-1"))
    later = json.dumps(
        envelope(
            "FBA_INVENTORY_AVAILABILITY_CHANGES", {"SellerId": SELLER, "SKU": "X"}, notification_id="../x"
        )
    )
    await post.send(foreign, unknown, later)
    done = await post.listen()
    assert done.outcomes == {Outcome.LATER: 1, Outcome.UNKNOWN: 1, Outcome.FOREIGN: 1}
    kept = post.kept()
    assert sorted(kept.values()) == sorted([foreign, unknown, later])
    assert any(key.startswith("notifications/unknown/PRICING_HEALTH/") for key in kept)


async def test_a_report_nobody_here_asked_for_is_not_ours(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    await post.send(report_finished("50001"), report_finished("50002", seller=None))
    assert (await post.listen()).outcomes == {Outcome.NOT_OURS: 2}


async def test_the_workflow_that_waits_for_a_report_is_told(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    waits = await world.client.start_workflow(
        REPORT,
        ReportInput(seller_id=SELLER, report_id="50003", report_type="GET_FLAT_FILE_ALL_ORDERS_DATA"),
        id=report_workflow_id(SELLER, "50003"),
        task_queue=ORDERS_QUEUE,
        start_delay=timedelta(hours=1),
    )
    await post.send(report_finished("50003", status="CANCELLED"), report_finished("50003", seller=None))
    assert (await post.listen()).outcomes == {Outcome.REPORT: 2}
    await waits.terminate()


async def test_a_message_in_work_stays_hidden_and_work_is_bounded(world: World, sqs: str) -> None:
    """The shipment's notification waits longer than the message would stay hidden by itself."""
    post = await Post.open(sqs, world, gather_seconds=60, visibility_seconds=2, in_flight=10)
    await post.send(*(fba_shipment(new_order_id()) for _ in range(25)))
    stop = asyncio.Event()
    listening = asyncio.create_task(post.listen_until(stop))
    await eventually(post.counts, lambda counts: counts[1] == 10)
    await asyncio.sleep(3)
    assert await post.counts() == (15, 10)
    stop.set()
    assert (await listening).outcomes == {Outcome.TOLD: 10}
    assert await post.counts() == (15, 0)


async def test_a_shipment_waits_for_the_notification_that_tells_more(world: World, sqs: str) -> None:
    post = await Post.open(sqs, world)
    handle = await started(world, post)
    order_id = handle.id[-19:]
    items = await shipped(world, handle)
    post = post.with_options(gather_seconds=60)
    stop = asyncio.Event()
    listening = asyncio.create_task(post.listen_until(stop))
    await post.send(fba_shipment(order_id))
    await eventually(post.counts, lambda counts: counts == (0, 1))
    await post.send(order_change(await world.at_amazon(order_id)))
    assert (await world.result(handle)).shipped == items
    stop.set()
    assert (await listening).outcomes == {Outcome.TOLD: 2}
    assert (await activities(handle)).count("fetch_order") == 1
    assert count_actions(await handle.fetch_history()).by_kind["signals"] == 1
