"""The keeper of the quotas dies by kill -9 while two worker processes share Amazon's quota, again and again."""

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from canonical.ids import quotas_workflow_id
from canonical.order_contracts import OrderToCashInput
from tests.bench.planting import SELLER, asked, plant, refused, requests_of
from tests.bench.stage import Stage, stage
from tests.support.processes import worker_process
from tests.support.world import eventually
from worker.intake import start_or_signal
from worker.quota.limits import pause_system

FACTOR = 10.0
"""The simulator's clock runs so much faster than the wall's: getOrder five times a second."""
ORDERS = 600
DEATHS = 3
RATE = 0.5 * FACTOR
BURST = 30


async def keeper_of(here: Stage) -> int:
    """The process id of the worker that keeps the quotas; 0 where none does at the moment."""
    found = await here.client.get_workflow_handle(quotas_workflow_id()).describe()
    for pending in found.raw_description.pending_activities:
        if pending.HasField("last_heartbeat_time"):
            return int(pending.last_worker_identity.partition("@")[0])
    return 0


@pytest.mark.long
async def test_no_death_of_the_keeper_is_answered_429_and_the_quota_is_used(tmp_path: Path) -> None:
    options = ("--pace", "0", "--clock-rate", str(FACTOR), "--token-lifetime", "86400")
    async with (
        stage(tmp_path, quota_factor=FACTOR, amazon_options=options) as here,
        AsyncExitStack() as stack,
    ):
        planted = await plant(here.amazon, ORDERS)
        await pause_system(here.client, "m3", "the quota is the limit")
        running = {}
        for number in range(2):
            process = await stack.enter_async_context(
                worker_process(here.config, tmp_path / f"worker-{number}.log")
            )
            running[process.pid] = process
        begin = time.monotonic()
        gate = asyncio.Semaphore(20)

        async def start(order_id: str) -> None:
            async with gate:
                await start_or_signal(here.client, OrderToCashInput(seller_id=SELLER, order_id=order_id))

        await asyncio.gather(*(start(order_id) for order_id in planted))

        async def answered() -> int:
            return asked(await requests_of(here.amazon), "getOrder")

        for death in range(1, DEATHS + 1):
            await eventually(answered, lambda calls, at=death: calls > at * ORDERS / (DEATHS + 1.5), 200)  # type: ignore[misc]
            keeper = await eventually(lambda: keeper_of(here), lambda pid: pid in running)
            os.kill(keeper, signal.SIGKILL)
            await running.pop(keeper).wait()
            process = await stack.enter_async_context(
                worker_process(here.config, tmp_path / f"worker-again-{death}.log")
            )
            running[process.pid] = process
        await eventually(answered, lambda calls: calls >= ORDERS, 200)
        seconds = time.monotonic() - begin
        counts = await requests_of(here.amazon)
        optimum = (ORDERS - BURST) / RATE
        print(f"{seconds:.1f} s of {optimum:.1f} s, {counts}")
        assert refused(counts) == 0
        # A killed worker takes with it what it was asking; Temporal gives that to another after half a minute.
        assert optimum / seconds > 0.6
