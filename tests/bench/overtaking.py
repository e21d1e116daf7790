"""What a running import costs a live order: its whole way through, with and without the import beside it."""

import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Final

from canonical.amazon_orders import read_order
from canonical.ids import order_workflow_id
from canonical.order_contracts import ORDER_TO_CASH, OrderToCashInput
from tests.bench.commands import running
from tests.bench.planting import SELLER
from tests.bench.stage import Stage, stage
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.processes import worker_process
from tests.support.world import eventually
from worker.intake import start_or_signal

LIVE_ORDERS: Final = 100
_WARM_UP: Final = 20
_EVERY_SECONDS: Final = 1.0
M3_LATENCY: Final = 0.05
"""Seconds; an MI call through Infor's gateway seldom takes less."""
_UNDER_WAY: Final = 100
"""Orders the import has started when the live ones begin to be measured."""


async def run(folder: Path, count: int) -> dict[str, object]:
    """Live orders one a second, first alone, then beside an import of `count` orders by `o2c import`.

    Once with an M3 that answers at once, so that processor time is all there is to share; once with one that takes
    `M3_LATENCY` for each request, as it does over a network.
    """
    return {
        name: await _once(folder / name, count, latency)
        for name, latency in (("m3_at_once", 0.0), ("m3_over_a_network", M3_LATENCY))
    }


async def _once(folder: Path, count: int, latency: float) -> dict[str, object]:
    folder.mkdir()
    file = _write(folder / "orders.jsonl", count)
    async with (
        stage(folder, m3_latency=latency) as here,
        worker_process(here.config, folder / "worker.log"),
    ):
        await _live(here, _WARM_UP)
        alone = await _live(here, LIVE_ORDERS)
        arguments = ("import", str(file), "--seller", SELLER, "--json")
        async with running(here.config, folder / "import.log", *arguments) as importing:
            there = await _orders(here)
            await eventually(
                lambda: _orders(here), lambda now: now >= there + _UNDER_WAY, patience_seconds=900
            )
            before, begin = await _orders(here), time.perf_counter()
            beside = await _live(here, LIVE_ORDERS)
            imported, took = await _orders(here) - before - LIVE_ORDERS, time.perf_counter() - begin
            still_running = importing.returncode is None
    return {
        "m3_latency_seconds": latency,
        "live_orders": LIVE_ORDERS,
        "imported_orders": count,
        "import_ran_throughout": still_running,
        "imported_per_second_meanwhile": round(imported / took, 1),
        "alone_median_seconds": round(statistics.median(alone), 3),
        "beside_median_seconds": round(statistics.median(beside), 3),
        "alone_p95_seconds": round(_p95(alone), 3),
        "beside_p95_seconds": round(_p95(beside), 3),
        "median_ratio": round(statistics.median(beside) / statistics.median(alone), 2),
        "p95_ratio": round(_p95(beside) / _p95(alone), 2),
    }


def _write(file: Path, count: int) -> Path:
    """Orders that have shipped already: what an import of the past consists of."""
    with file.open("w", encoding="utf-8") as lines:
        for _ in range(count):
            lines.write(json.dumps(order(ORDINARY, ANOTHER, status="SHIPPED")) + "\n")
    return file


async def _live(here: Stage, count: int) -> list[float]:
    """Seconds from the hand-over of each order until it is closed: sold, shipped, invoiced, booked."""
    begin = time.perf_counter()
    each = []
    for number in range(count):
        await asyncio.sleep(max(0.0, begin + number * _EVERY_SECONDS - time.perf_counter()))
        each.append(asyncio.create_task(_through(here)))
    return list(await asyncio.gather(*each))


async def _through(here: Stage) -> float:
    body = order(ORDINARY, ANOTHER, status="SHIPPED")
    answer = await here.amazon.post("/_control/order", json={"order": body, "seller": SELLER})
    answer.raise_for_status()
    read = read_order(body, SELLER)
    begin = time.perf_counter()
    await start_or_signal(here.client, OrderToCashInput(seller_id=SELLER, order_id=read.order_id, order=read))
    await here.client.get_workflow_handle(order_workflow_id(SELLER, read.order_id)).result()
    return time.perf_counter() - begin


async def _orders(here: Stage) -> int:
    return (await here.client.count_workflows(f'WorkflowType="{ORDER_TO_CASH}"')).count


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
