"""The yardstick: a workflow with as many activities, signals and upserts as an order, and nothing in them.

Run as a process: ``python -m tests.bench.empty ADDRESS``.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from worker.connection import DATA_CONVERTER, sandbox_runner
    from workflows.search_attributes import M3_ORDER, STEP

QUEUE = "bench-empty"
_PATIENCE = timedelta(minutes=1)


@activity.defn
async def nothing(text: str) -> str:
    """An activity that does nothing."""
    return text


@workflow.defn
class Empty:
    """Two activities side by side, one, a signal, three more: the order's shape for one shipment."""

    def __init__(self) -> None:
        self._shipped = False

    @workflow.run
    async def run(self, text: str) -> str:
        await asyncio.gather(self._call(text), self._call(text))
        await self._call(text)
        workflow.upsert_search_attributes([STEP.value_set("waiting"), M3_ORDER.value_set("1")])
        await workflow.wait_condition(lambda: self._shipped)
        for _ in range(3):
            await self._call(text)
        workflow.upsert_search_attributes([STEP.value_set("closed")])
        return text

    @workflow.signal
    def shipped(self) -> None:
        self._shipped = True

    async def _call(self, text: str) -> str:
        return await workflow.execute_activity(
            nothing, text, task_queue=f"{QUEUE}-calls", start_to_close_timeout=_PATIENCE
        )


async def main(address: str) -> None:
    """Host the yardstick as the service hosts its orders: workflows and calls on queues of their own."""
    client = await Client.connect(address, data_converter=DATA_CONVERTER)
    flows = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Empty],
        workflow_runner=sandbox_runner(),
        max_cached_workflows=2000,
        max_concurrent_workflow_tasks=20,
        disable_eager_activity_execution=True,
    )
    calls = Worker(
        client,
        task_queue=f"{QUEUE}-calls",
        activities=[nothing],
        max_concurrent_activities=40,
        disable_eager_activity_execution=True,
    )
    async with flows, calls:
        sys.stdout.write("empty_started\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
