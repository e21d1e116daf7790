"""People are told of real held orders, over real HTTP, on a real server whose clock is put forward."""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.taskqueue.v1 import RateLimit
from temporalio.api.workflowservice.v1 import UpdateTaskQueueConfigRequest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.alert_contracts import ALERTS_QUEUE, AlertsView
from canonical.held import HeldReason
from canonical.ids import alerts_workflow_id
from canonical.schedule_contracts import RECONCILIATION, ReconciliationInput, ReconciliationResult
from starters.actions import count_actions
from tests.support.alert_shop import AlertShop, alerting, receiving
from tests.support.holding import OrderHandle, Workshop, workshop
from tests.support.orders import ORDINARY, order
from tests.support.receiver import TOKEN, Receiver
from tests.support.world import eventually
from worker.connection import DATA_CONVERTER, sandbox_runner
from workflows import WORKFLOWS
from workflows import search_attributes as sa

_skus = (f"SKU-NOBODY-KNOWS-{number}" for number in count(1))
MAPPED = "itno=100000-TEA"
QUARTER = timedelta(minutes=16)
"""Longer than the window."""


@pytest.fixture(scope="module")
def here() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """A server that asks for a new run after two hundred events instead of four thousand."""
    folder = tmp_path_factory.mktemp("alerts")
    async with workshop(folder, "limit.historyCount.suggestContinueAsNew=200") as built:
        yield built


@pytest_asyncio.fixture
async def desk(shop: Workshop, here: Receiver) -> AsyncIterator[AlertShop]:
    async with alerting(shop, here) as desk:
        await desk.begin()
        yield desk
        await desk.begin()


async def hold(shop: Workshop) -> OrderHandle:
    """An order held for a SKU of its own: a mapping would serve every later order."""
    handle = await shop.start(await shop.place(order(next(_skus), status="SHIPPED")))
    await shop.until_held(handle, HeldReason.UNMAPPED_SKU)
    return handle


async def repair(shop: Workshop, handle: OrderHandle) -> None:
    """Map the SKU; the order goes its way to the end."""
    [sku] = (await handle.describe()).typed_search_attributes[sa.UNMAPPED_SKUS]
    await handle.signal("map_sku", {"sku": sku, "itno": "100000-TEA"})
    assert (await shop.result(handle)).outcome == "booked"


async def test_the_first_is_told_at_once_with_cause_link_and_a_command_that_repairs_it(
    desk: AlertShop,
) -> None:
    handle = await hold(desk.shop)
    order_id = handle.id[-19:]
    [title] = await desk.until_titles("operations", 1)
    assert title == f"Held: M3 knows no item for a SellerSKU (order {order_id})"
    [body] = desk.receiver.bodies("operations")
    view = await desk.shop.view(handle)
    assert view.held_sentence in body
    run_id = (await handle.describe()).run_id
    assert f"/namespaces/default/workflows/{handle.id}/{run_id}" in body
    command = re.search(r"^Repair: o2c fix (.+)$", body, re.MULTILINE)
    assert command is not None
    words = command[1].replace("'", "").split()
    assert words[:2] == [order_id, "map_sku"]
    said = await desk.shop.o2c("fix", *words[:-1], MAPPED)
    assert said.status == 0, said.err
    assert (await handle.result()).outcome == "booked"
    assert desk.receiver.titles("lead") == []


async def test_repeats_are_gathered_into_one_message_of_those_still_held(desk: AlertShop) -> None:
    handles = [await hold(desk.shop) for _ in range(5)]
    await desk.until_titles("operations", 1)
    await eventually(desk.known, lambda view: view.groups[0].heard == 5)
    repaired = handles[1]
    await repair(desk.shop, repaired)
    await desk.pass_time(QUARTER)
    titles = await desk.until_titles("operations", 2)
    assert titles[1] == "Held: 3 more orders, M3 knows no item for a SellerSKU"
    body = desk.receiver.bodies("operations")[1]
    assert "4 orders in all" in body
    for one in handles[2:]:
        assert one.id[-19:] in body
    assert repaired.id[-19:] not in body
    await desk.pass_time(QUARTER)
    assert (await desk.known()).groups == ()
    assert len(desk.receiver.titles("operations")) == 2


async def test_many_orders_set_no_timer_each(desk: AlertShop) -> None:
    for _ in range(20):
        await hold(desk.shop)
    await eventually(desk.known, lambda view: view.groups[0].heard == 20)
    assert await desk.events(EventType.EVENT_TYPE_TIMER_STARTED) == 1
    assert len(desk.receiver.titles("operations")) == 1


async def test_what_a_target_refuses_is_retried_shown_and_in_nobodys_way(desk: AlertShop) -> None:
    desk.receiver.answers["operations"] = 503
    handle = await hold(desk.shop)
    await repair(desk.shop, handle)
    await desk.pass_time(timedelta(seconds=30))  # the attempts of a round are seconds apart
    view = await eventually(desk.known, lambda known: any(one.tries for one in known.undelivered))
    [waiting] = view.undelivered
    assert (waiting.target, waiting.error) == (
        "operations",
        "The alert target operations answered HTTP 503.",
    )
    metadata = await desk.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert waiting.error in metadata.current_details
    said = await desk.shop.o2c("alerts")
    assert said.status == 0, said.err
    assert waiting.error in said.out
    assert handle.id[-19:] in said.out
    for text in (said.out, metadata.current_details, str(await desk.handle.fetch_history())):
        assert TOKEN not in text
    assert desk.receiver.received == []
    desk.receiver.answers.clear()
    await desk.pass_time(timedelta(minutes=5))
    await desk.until_titles("operations", 1)
    view = await eventually(desk.known, lambda known: not known.undelivered)
    assert view.delivered == 1
    assert len(desk.receiver.titles("operations")) == 1


async def test_a_new_run_knows_what_the_old_one_knew(desk: AlertShop) -> None:
    desk.receiver.answers["operations"] = 500
    await hold(desk.shop)
    await desk.pass_time(timedelta(seconds=30))
    before = await eventually(desk.known, lambda known: any(one.tries for one in known.undelivered))
    run = (await desk.handle.describe()).run_id

    async def told_again() -> str:
        await desk.handle.signal("released", "m3_unavailable")
        return (await desk.handle.describe()).run_id

    await eventually(told_again, lambda now: now != run)
    after = await desk.known()
    assert [group.reason for group in after.groups] == [group.reason for group in before.groups]
    assert [one.id for one in after.undelivered] == [one.id for one in before.undelivered]
    desk.receiver.answers.clear()
    await desk.pass_time(timedelta(minutes=40))
    await desk.until_titles("operations", 1)
    assert (await eventually(desk.known, lambda known: not known.undelivered)).delivered == 1


async def test_histories_replay(desk: AlertShop) -> None:
    handles = [await hold(desk.shop) for _ in range(3)]
    await repair(desk.shop, handles[2])
    await desk.pass_time(QUARTER)
    await desk.until_titles("operations", 2)
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=sandbox_runner())
    for handle in (desk.handle, *handles):
        await replayer.replay_workflow(await handle.fetch_history())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("held", []),
        ("held", [None]),
        ("held", [{"order_id": 7}]),
        ("held", ["text", "surplus"]),
        ("released", []),
        ("released", [{"reason": "m3_unavailable"}]),
        ("released", ["no_such_reason"]),
        ("configured", ["nonsense"]),
        ("unheard_of", [1]),
    ],
)
async def test_a_signal_nobody_can_read_does_no_harm(
    desk: AlertShop, name: str, arguments: list[object]
) -> None:
    before = await desk.known()
    await desk.handle.signal(name, args=arguments)
    assert await desk.known() == before
    await hold(desk.shop)
    await desk.until_titles("operations", 1)


async def test_orders_tell_only_what_matters_and_only_when_held(desk: AlertShop) -> None:
    good = await desk.shop.start(await desk.shop.place(order(ORDINARY, status="SHIPPED")))
    await good.result()
    held = await hold(desk.shop)
    await repair(desk.shop, held)
    assert await _told(good) == 0
    assert await _told(held) == 1
    assert count_actions(await good.fetch_history()).by_kind["activities"] == 6


async def _told(handle: OrderHandle) -> int:
    return sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == "tell_alerts"
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )


async def test_an_order_goes_on_while_nobody_listens_to_it(desk: AlertShop) -> None:
    """The alerts' queue is stopped, as by a worker that is of an older version or dead."""
    await _limit(desk.shop, 0)
    try:
        await repair(desk.shop, await hold(desk.shop))
    finally:
        await _limit(desk.shop, None)
    assert desk.receiver.received == []


async def _limit(shop: Workshop, rate: float | None) -> None:
    """The rate of the alerts' queue; None lifts the limit."""
    request = UpdateTaskQueueConfigRequest(
        namespace=shop.client.namespace,
        identity=shop.client.identity,
        task_queue=ALERTS_QUEUE,
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    request.update_queue_rate_limit.reason = "test"
    if rate is not None:
        request.update_queue_rate_limit.rate_limit.CopyFrom(RateLimit(requests_per_second=rate))
    await shop.client.workflow_service.update_task_queue_config(request)


async def test_a_held_order_whose_cancellation_is_requested_is_held_no_longer(desk: AlertShop) -> None:
    handle = await hold(desk.shop)
    await handle.cancel()
    assert (await handle.result()).outcome == "cancelled"
    described = await handle.describe()
    assert described.typed_search_attributes.get(sa.HELD_REASON) is None


async def test_the_digest_comes_at_its_hour_and_only_when_something_is_held(
    shop: Workshop, here: Receiver
) -> None:
    at = datetime.now(UTC) + timedelta(hours=2)
    async with alerting(shop, here, digest=f"{at:%H:%M}") as desk:
        await desk.begin()
        first = (await desk.known()).next_digest
        assert first is not None
        assert abs(first - at) < timedelta(minutes=2)
        await desk.pass_time(timedelta(hours=3))
        view = await eventually(desk.known, lambda known: known.last_digest is not None)
        assert view.last_digest is not None
        assert (view.last_digest.held, view.last_digest.sent, view.next_digest) == (
            0,
            False,
            first + timedelta(days=1),
        )
        assert here.received == []
        handles = [await hold(shop) for _ in range(2)]
        await desk.until_titles("operations", 1)
        await desk.pass_time(timedelta(hours=24))
        titles = await desk.until_titles("operations", 3)
        assert titles[2].startswith("2 orders held at ")
        body = here.bodies("operations")[2]
        assert "2 orders: M3 knows no item for a SellerSKU (unmapped_sku), the oldest since " in body
        assert handles[0].id[-19:] in body
        await desk.begin()


async def test_without_a_target_nobody_is_told_and_no_workflow_is_started(
    shop: Workshop, here: Receiver, desk: AlertShop
) -> None:
    await shop.configure()
    await desk.handle.terminate("the configuration names no target any more")
    handle = await hold(shop)
    history = await eventually(handle.fetch_history, lambda found: len(found.events) > 0)
    await eventually(lambda: _told_and_done(handle), lambda done: done)
    assert history.events
    with pytest.raises(RPCError) as missing:
        await desk.handle.signal("released", "")
    assert missing.value.status is RPCStatusCode.NOT_FOUND
    said = await shop.o2c("alerts", "--test")
    assert said.status == 1
    assert "No target is configured" in said.out


async def _told_and_done(handle: OrderHandle) -> bool:
    description = await handle.describe()
    return await _told(handle) == 1 and not description.raw_description.pending_activities


# --- the command ---------------------------------------------------------------------------------


async def test_the_command_tells_the_same_as_the_workflow(desk: AlertShop) -> None:
    await hold(desk.shop)
    await desk.until_titles("operations", 1)
    await eventually(desk.known, lambda known: known.delivered == 1)
    told = await desk.shop.o2c("alerts", "--json")
    assert told.status == 0, told.err
    assert AlertsView.model_validate(json.loads(told.out)["view"]) == await desk.known()
    shown = (await desk.shop.o2c("alerts")).out
    for part in ("unmapped_sku", "1 delivered, 0 not yet, 0 given up", f"/workflows/{alerts_workflow_id()}/"):
        assert part in shown


async def test_the_test_says_of_each_target_whether_it_arrived(desk: AlertShop) -> None:
    good = await desk.shop.o2c("alerts", "--test")
    assert (good.status, good.err) == (0, "")
    assert "2 targets took the test alert" in good.out
    assert desk.receiver.titles("operations") == desk.receiver.titles("lead") == ["Test of the alerts"]
    desk.receiver.answers["lead"] = 401
    bad = await desk.shop.o2c("alerts", "--test", "--json")
    assert bad.status == 1
    said = json.loads(bad.out)
    assert said == {
        "ok": False,
        "targets": [
            {
                "target": "operations",
                "delivered": True,
                "sentence": "The alert target operations took the test alert.",
            },
            {
                "target": "lead",
                "delivered": False,
                "sentence": "The alert target lead answered HTTP 401.",
            },
        ],
    }
    assert TOKEN not in bad.out + bad.err


async def test_a_worker_with_an_address_nobody_can_read_is_refused_without_quoting_it(
    desk: AlertShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "ALERTS_LEAD", f"nonsense://{TOKEN}")
    for words in (("alerts", "--test"), ("worker",)):
        said = await desk.shop.o2c(*words)
        assert said.status == 2
        assert "alert target lead" in said.err
        assert TOKEN not in said.err
    monkeypatch.delitem(os.environ, "ALERTS_LEAD")
    said = await desk.shop.o2c("alerts", "--test")
    assert (said.status, "ALERTS_LEAD" in said.err) == (2, True)


async def test_the_reconciliation_tells_once_what_differs_and_nothing_where_all_is_right(
    desk: AlertShop,
) -> None:
    shop, yesterday = desk.shop, datetime.now(UTC) - timedelta(days=1)
    body = order(ORDINARY, status="SHIPPED")
    body["createdTime"] = f"{yesterday:%Y-%m-%dT12:00:00Z}"
    missed = await shop.place(body)
    asking = ReconciliationInput(seller_ids=("A2EUSELLER0001",))

    async def reconcile(workflow_id: str) -> ReconciliationResult:
        result: ReconciliationResult = await shop.client.execute_workflow(
            RECONCILIATION,
            asking,
            id=workflow_id,
            task_queue=ORDERS_QUEUE,
            result_type=ReconciliationResult,
        )
        return result

    assert (await reconcile("first-night")).report.started == 1
    [title] = await desk.until_titles("operations", 1)
    assert title == "Reconciliation: 1 order is not in M3 as at Amazon"
    [told] = desk.receiver.bodies("operations")
    assert missed in told
    assert "o2c audit --since" in told
    assert (await shop.result(shop.handle(missed))).outcome == "booked"
    assert (await reconcile("second-night")).report.lost == 0
    assert len(desk.receiver.titles("operations")) == 1
