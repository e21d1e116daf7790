"""A queue, its keeper on a real server, and Amazon's bucket behind it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import MetricMeter, Priority
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from canonical.activity_contracts import AMAZON_GET_ORDER_QUEUE, ORDERS_QUEUE
from canonical.ids import quotas_workflow_id
from canonical.quota_contracts import QUOTAS_QUEUE
from worker.quota.gauges import QuotaGauges
from worker.quota.keeper import QuotaKeeper
from workflows.quotas import KeepQuotas

CALL = "quota_call"


@workflow.defn(name="QuotaCalls", sandboxed=False)
class QuotaCalls:
    """Schedules many calls at once under one seller's fairness key."""

    @workflow.run
    async def run(self, queue: str, seller_id: str, calls: int) -> None:
        await asyncio.gather(
            *(
                workflow.execute_activity(
                    CALL,
                    seller_id,
                    task_queue=queue,
                    start_to_close_timeout=timedelta(seconds=30),
                    priority=Priority(fairness_key=seller_id),
                )
                for _ in range(calls)
            )
        )


@dataclass
class Bucket:
    """Amazon's bucket of one operation; each seller has its own."""

    rate: float
    burst: float
    moments: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    @activity.defn(name=CALL)
    async def call(self, seller_id: str) -> None:
        """Take one call; what is refused is counted and let through all the same."""
        now = time.monotonic()
        level, at = self._levels.get(seller_id, (self.burst, now))
        level = min(self.burst, level + (now - at) * self.rate)
        if level < 1:
            self.refused += 1
        else:
            level -= 1
        self._levels[seller_id] = (level, now)
        self.moments.setdefault(seller_id, []).append(now)

    def level(self, seller_id: str) -> float:
        """Calls that are in it now."""
        level, at = self._levels.get(seller_id, (self.burst, time.monotonic()))
        return min(self.burst, level + (time.monotonic() - at) * self.rate)


@asynccontextmanager
async def callers(client: Client, bucket: Bucket, *queues: str) -> AsyncIterator[str]:
    """Workers that call; yields the queue of the workflows that schedule the calls."""
    queue = f"callers-{uuid.uuid4()}"
    async with AsyncExitStack() as stack:
        workflows = Worker(
            client,
            task_queue=queue,
            workflows=[QuotaCalls],
            workflow_runner=UnsandboxedWorkflowRunner(),
            disable_eager_activity_execution=True,
        )
        await stack.enter_async_context(workflows)
        for limited in queues or (AMAZON_GET_ORDER_QUEUE,):
            calling = Worker(client, task_queue=limited, activities=[bucket.call])
            await stack.enter_async_context(calling)
        yield queue


@asynccontextmanager
async def kept(
    client: Client, factors: dict[str, float], *, tick: float = 1.0, end: bool = True
) -> AsyncIterator[QuotaKeeper]:
    """A keeper that works, and the worker of its workflow; with `end` nothing of it is left."""
    keeper = QuotaKeeper(client, factors, QuotaGauges(MetricMeter.noop), tick=tick)
    async with (
        Worker(
            client,
            task_queue=ORDERS_QUEUE,
            workflows=[KeepQuotas],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
        Worker(client, task_queue=QUOTAS_QUEUE, activities=[keeper.keep_queues]),
    ):
        await keeper.start()
        yield keeper
        if end:
            await client.get_workflow_handle(quotas_workflow_id()).terminate()
