"""In one worker process the steps of imported orders stand aside for those of live ones, on a real server."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from canonical.amazon_orders import read_order
from canonical.order_contracts import ORDER_TO_CASH, OrderToCashInput
from tests.support.orders import ORDINARY, order
from tests.support.world import World, eventually
from worker import stepping_aside
from worker.intake import start_or_signal
from worker.stepping_aside import StepsAside
from workflows.policies import BULK_PRIORITY, LIVE_PRIORITY

STEP = "step_of_an_order"
SWEEP_STEP = "step_of_something_else"


@workflow.defn(name=ORDER_TO_CASH)
class OneStep:
    """An order of one step."""

    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.execute_activity(
            STEP, name, start_to_close_timeout=timedelta(minutes=1), priority=workflow.info().priority
        )


@workflow.defn(name=SWEEP_STEP)
class NoOrder:
    """Something else that calls the same system."""

    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.execute_activity(
            STEP, name, start_to_close_timeout=timedelta(minutes=1), priority=workflow.info().priority
        )


class Steps:
    """Steps that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = asyncio.Event()

    @activity.defn(name=STEP)
    async def step(self, name: str) -> None:
        self.begun.append(name)
        if name == "live":
            await self.may_end.wait()


@asynccontextmanager
async def working(client: Client, steps: Steps) -> AsyncIterator[str]:
    queue = f"aside-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[OneStep, NoOrder],
        activities=[steps.step],
        interceptors=[StepsAside()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield queue


async def begin(
    client: Client, queue: str, name: str, priority: int, kind: str = ORDER_TO_CASH
) -> WorkflowHandle[object, object]:
    return await client.start_workflow(
        kind, name, id=f"{name}-{uuid.uuid4()}", task_queue=queue, priority=Priority(priority_key=priority)
    )


async def seen(steps: Steps) -> list[str]:
    return steps.begun


async def test_a_step_of_an_import_begins_when_no_live_one_is_under_way(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping_aside, "LONGEST_SECONDS", 60.0)
    client, steps = temporal.client, Steps()
    async with working(client, steps) as queue:
        live = await begin(client, queue, "live", LIVE_PRIORITY)
        await eventually(lambda: seen(steps), lambda begun: begun == ["live"])
        bulk = await begin(client, queue, "bulk", BULK_PRIORITY)
        other = await begin(client, queue, "sweep", BULK_PRIORITY, SWEEP_STEP)
        another = await begin(client, queue, "live too", LIVE_PRIORITY)
        await asyncio.gather(other.result(), another.result())
        assert sorted(steps.begun) == ["live", "live too", "sweep"]
        steps.may_end.set()
        await asyncio.gather(live.result(), bulk.result())
    assert steps.begun[-1] == "bulk"


async def test_it_is_slowed_and_never_starved(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping_aside, "LONGEST_SECONDS", 0.05)
    client, steps = temporal.client, Steps()
    async with working(client, steps) as queue:
        live = await begin(client, queue, "live", LIVE_PRIORITY)
        await eventually(lambda: seen(steps), lambda begun: begun == ["live"])
        bulk = await begin(client, queue, "bulk", BULK_PRIORITY)
        await bulk.result()
        assert steps.begun == ["live", "bulk"]
        steps.may_end.set()
        await live.result()


# --- the service's own worker -------------------------------------------------------------------


async def imported(world: World, order_id: str) -> None:
    """Start it as an import does, behind live orders."""
    seller = "A2EUSELLER0001"
    known = read_order(await world.at_amazon(order_id), seller)
    start = OrderToCashInput(seller_id=seller, order_id=order_id, order=known)
    await start_or_signal(world.client, start, priority=BULK_PRIORITY)


async def calls_handed_out(world: World, order_id: str) -> set[str]:
    """The order's calls that the server has handed to the worker and that have not ended."""
    found = await world.handle(order_id).describe()
    pending = found.raw_description.pending_activities
    return {one.activity_type.name for one in pending if one.HasField("last_started_time")}


async def test_m3_calls_of_an_import_stand_aside_in_the_service_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping_aside, "LONGEST_SECONDS", 60.0)
    live, bulk, other = [await world.place(order(ORDINARY, status="SHIPPED")) for _ in range(3)]
    hang = {"id": "live-step", "match": {"CUOR": live}, "action": "hang"}
    aimed = await world.m3.post("/_control/faults", json=hang)
    assert aimed.status_code == 201, aimed.text
    try:
        under_way = await world.start(live)
        await eventually(
            lambda: world.m3.get("/_control/faults"), lambda said: said.json()["faults"][-1]["waiting"] > 0
        )
        await imported(world, bulk)
        first = {"resolve_items", "ensure_customer"}
        await eventually(lambda: calls_handed_out(world, bulk), lambda calls: calls == first)
        assert (await world.result(await world.start(other))).outcome == "booked"
        assert await calls_handed_out(world, bulk) == first  # while another went through all its calls
        assert (await world.in_m3(bulk))["orders"] == []
    finally:
        await world.m3.post("/_control/release", json={"id": "live-step"})
        await world.m3.delete("/_control/faults")
    results = [await world.result(handle) for handle in (under_way, world.handle(bulk))]
    assert {result.outcome for result in results} == {"booked"}
