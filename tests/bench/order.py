"""Orders against empty workflows of the same shape, on one server, in one run."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from canonical.amazon_orders import read_order
from canonical.ids import order_workflow_id
from canonical.order_contracts import OrderToCashInput
from tests.bench.empty import QUEUE, Empty
from tests.bench.stage import Stage, cpu_seconds, stage
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.processes import python_process, worker_process
from worker.intake import start_or_signal

SELLER = "A2EUSELLER0001"
_AT_ONCE = 50


@dataclass(frozen=True)
class Measured:
    """One side of the comparison."""

    per_second: float
    cpu_ms_each: float


async def run(folder: Path, count: int) -> dict[str, object]:
    """Both sides, alternating in halves so that neither meets a warmer server than the other."""
    async with stage(folder) as here:
        ours: list[Measured] = []
        empty: list[Measured] = []
        for half in range(2):
            ours.append(await _orders(here, count // 2))
            empty.append(await _empties(here, count // 2, half))
    mine, yardstick = _mean(ours), _mean(empty)
    return {
        "orders": count,
        "orders_per_second": round(mine.per_second, 2),
        "empty_per_second": round(yardstick.per_second, 2),
        "cpu_ms_per_order": round(mine.cpu_ms_each, 1),
        "cpu_ms_per_empty": round(yardstick.cpu_ms_each, 1),
        "speed_ratio": round(mine.per_second / yardstick.per_second, 3),
        "cpu_ratio": round(yardstick.cpu_ms_each / mine.cpu_ms_each, 3),
    }


async def _orders(here: Stage, count: int) -> Measured:
    """FBA orders that arrive unshipped and ship while under way: six activities, one signal each."""
    ids = []
    for _ in range(count):
        body = order((ORDINARY, 2), ANOTHER)
        answer = await here.amazon.post("/_control/order", json={"order": body, "seller": SELLER})
        answer.raise_for_status()
        ids.append(str(body["orderId"]))
    log = here.folder / "worker.log"
    async with worker_process(here.config, log) as process:
        before, begin = cpu_seconds(process.pid), time.perf_counter()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(order_id: str) -> None:
            async with gate:
                await _hand_in(here, order_id)
                await here.amazon.post(
                    f"/_control/orders/{order_id}/events", json={"type": "ship", "actor": "AMAZON"}
                )
                await _hand_in(here, order_id)
            handle = here.client.get_workflow_handle(order_workflow_id(SELLER, order_id))
            await handle.result()

        await asyncio.gather(*(one(order_id) for order_id in ids))
        took, used = time.perf_counter() - begin, cpu_seconds(process.pid) - before
    return Measured(count / took, used * 1000 / count)


async def _hand_in(here: Stage, order_id: str) -> None:
    answer = await here.amazon.get(f"/_control/orders/{order_id}")
    read = read_order(answer.json()["order"], SELLER)
    await start_or_signal(here.client, OrderToCashInput(seller_id=SELLER, order_id=order_id, order=read))


async def _empties(here: Stage, count: int, half: int) -> Measured:
    async with python_process(
        here.folder / "empty.log", "empty_started", "-m", "tests.bench.empty", here.address
    ) as process:
        before, begin = cpu_seconds(process.pid), time.perf_counter()
        gate = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(
            *(_one_empty(here.client, gate, f"empty-{half}-{number}") for number in range(count))
        )
        took, used = time.perf_counter() - begin, cpu_seconds(process.pid) - before
    return Measured(count / took, used * 1000 / count)


async def _one_empty(client: Client, gate: asyncio.Semaphore, name: str) -> None:
    async with gate:
        handle = await client.start_workflow(Empty.run, "x" * 3000, id=name, task_queue=QUEUE)
        await handle.signal(Empty.shipped)
    await handle.result()


def _mean(parts: list[Measured]) -> Measured:
    return Measured(
        sum(part.per_second for part in parts) / len(parts),
        sum(part.cpu_ms_each for part in parts) / len(parts),
    )
