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

from canonical.activity_contracts import ORDER_TO_CASH
from tests.support.world import eventually
from worker import stepping_aside
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
