"""How much memory a held order costs the worker that keeps it in its cache."""

import asyncio
from pathlib import Path

from canonical.amazon_orders import read_order
from canonical.order_contracts import OrderToCashInput
from tests.bench.stage import Stage, resident_kib, stage
from tests.support.orders import order, sku_with
from tests.support.processes import worker_process
from tests.support.world import eventually
from worker.intake import start_or_signal

SELLER = "A2EUSELLER0001"
_AT_ONCE = 50


async def run(folder: Path, count: int) -> dict[str, object]:
    """Park `count` orders with an unmapped SKU in one worker; the first tenth warms it up."""
    async with stage(folder) as here, worker_process(here.config, folder / "worker.log") as process:
        warm = max(count // 10, 1)
        await _park(here, warm)
        before = resident_kib(process.pid)
        await _park(here, count)
        after = resident_kib(process.pid)
    return {
        "parked": count + warm,
        "worker_mib": round(after / 1024, 1),
        "kib_per_parked_order": round((after - before) / count, 1),
    }


async def _park(here: Stage, count: int) -> None:
    query = 'HeldReason="unmapped_sku" AND ExecutionStatus="Running"'
    already = (await here.client.count_workflows(query)).count
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        read = read_order(order(sku_with("unmapped_sku")), SELLER)
        async with gate:
            await start_or_signal(
                here.client, OrderToCashInput(seller_id=SELLER, order_id=read.order_id, order=read)
            )

    await asyncio.gather(*(one() for _ in range(count)))

    async def parked() -> int:
        return (await here.client.count_workflows(query)).count

    await eventually(parked, lambda held: held >= already + count, patience_seconds=600)
