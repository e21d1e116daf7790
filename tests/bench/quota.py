"""Orders at the speed of Amazon's quota: how much of it is used, and how often Amazon has to refuse.

The simulator's clock runs faster than the wall's by a stated factor, and the service is told the same factor, so
that hours of quota pass in minutes. Two paths: orders known by their id alone, each read by getOrder, as after
notifications; and searchOrders, a hundred a page. M3's queue is closed meanwhile, so that the quota is the limit
and not this machine; after the last run it is opened and what has come to M3 is counted.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import order_of_workflow
from canonical.order_contracts import ORDER_TO_CASH, OrderToCashInput
from canonical.sweep_contracts import SWEEP, SweepInput
from simulators.amazon.quotas import PLANS
from tests.bench.planting import SELLER, asked, plant, refused, requests_of
from tests.bench.stage import Stage, stage
from tests.support.processes import worker_process
from tests.support.world import eventually
from worker.intake import start_or_signal
from worker.quota.limits import set_m3_rate

FACTOR: Final = 40.0
"""Makes getOrder 20 a second and a page of searchOrders one in 4.5 seconds."""
PROCESSES: Final = (1, 2, 4)
GET_ORDER: Final = "getOrder"
SEARCH_ORDERS: Final = "searchOrders"
_STARTS_AT_ONCE: Final = 50
_LOOK_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 2 * 3600.0
_SETTLED_SHARE: Final = 0.1
"""The first calls use up the burst; the steady state begins after this share of the calls."""


@dataclass(frozen=True)
class Row:
    """One run."""

    path: str
    worker_processes: int
    orders: int
    calls: int
    seconds: float
    optimum_seconds: float
    """(calls - burst) / rate, on the wall's clock."""
    share_of_optimum: float | None
    """None where the burst carries all calls."""
    refused_429: int
    refused_in_steady_state: int
    lost: int
    """Orders without a workflow, or whose workflow was never given its facts."""
    doubled: int
    """Orders with several workflows, or read more than once."""


@dataclass(frozen=True)
class Seen:
    """What Amazon had answered at one moment."""

    at: float
    answered: int
    refused: int


async def run(folder: Path, count: int, factor: float = FACTOR) -> dict[str, object]:
    """Both paths with one, two and four worker processes; the last run by getOrder goes on into M3.

    factor: how much faster than the wall's the simulator's clock runs; less where the machine is the limit.
    """
    rows: list[Row] = []
    in_m3: dict[str, object] = {}
    for path in (GET_ORDER, SEARCH_ORDERS):
        for processes in PROCESSES:
            here = folder / f"{path}-{processes}"
            here.mkdir()
            last = path == GET_ORDER and processes == PROCESSES[-1]
            row, drained = await measure(here, count, path, processes, factor=factor, drain=last)
            rows.append(row)
            in_m3 = drained or in_m3
    return {"clock_factor": factor, "orders_per_run": count, "runs": [asdict(row) for row in rows], **in_m3}


async def measure(
    folder: Path, count: int, path: str, processes: int, *, factor: float = FACTOR, drain: bool = False
) -> tuple[Row, dict[str, object]]:
    """One path with so many worker processes."""
    clock = str(factor)
    options = ("--pace", "0", "--clock-rate", clock, "--token-lifetime", str(int(3600 * factor)))
    async with stage(folder, quota_factor=factor, amazon_options=options) as here:
        planted = await plant(here.amazon, count)
        async with _workers(here, processes):
            await set_m3_rate(here.client, 0, "benchmark: the quota is the limit")
            watching = asyncio.create_task(_watch(here, path, _calls(path, count)))
            begin = time.perf_counter()
            if path == GET_ORDER:
                await _start_all(here, list(planted))
            else:
                await _sweep(here)
            seen = await watching
            await _all_started(here, count)
            found = await _workflows(here)
            drained = await _drain(here, count) if drain else {}
        counts = await requests_of(here.amazon)
    calls = _calls(path, count)
    took = seen[-1].at - begin
    optimum = max(0, calls - PLANS[path].burst) / (PLANS[path].rate * factor)
    settled = next(moment for moment in seen if moment.answered >= calls * _SETTLED_SHARE)
    row = Row(
        path=path,
        worker_processes=processes,
        orders=count,
        calls=calls,
        seconds=round(took, 1),
        optimum_seconds=round(optimum, 1),
        share_of_optimum=round(optimum / took, 4) if optimum else None,
        refused_429=refused(counts),
        refused_in_steady_state=seen[-1].refused - settled.refused,
        lost=len(set(planted) - set(found)),
        doubled=len(found) - len(set(found)) + asked(counts, path) - calls,
    )
    return row, drained


def _calls(path: str, count: int) -> int:
    return count if path == GET_ORDER else -(-count // 100)


async def _start_all(here: Stage, order_ids: list[str]) -> None:
    """What a listener does with notifications of unknown orders: start each by its id."""
    gate = asyncio.Semaphore(_STARTS_AT_ONCE)

    async def one(order_id: str) -> None:
        async with gate:
            await start_or_signal(here.client, OrderToCashInput(seller_id=SELLER, order_id=order_id))

    await asyncio.gather(*(one(order_id) for order_id in order_ids))


async def _sweep(here: Stage) -> None:
    """One sweep; an import would wait for M3's queue to be opened."""
    since = datetime.now(UTC) - timedelta(days=1)
    await here.client.execute_workflow(
        SWEEP,
        SweepInput(seller_ids=(SELLER,), updated_after=since, m3=False),
        id="bench-sweep",
        task_queue=ORDERS_QUEUE,
    )


async def _watch(here: Stage, path: str, calls: int) -> list[Seen]:
    """Look at what Amazon has answered until it has answered all."""
    seen: list[Seen] = []
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    while not seen or seen[-1].answered < calls:
        counts = await requests_of(here.amazon)
        seen.append(Seen(time.perf_counter(), asked(counts, path), refused(counts)))
        if seen[-1].at > deadline:
            raise TimeoutError(f"{seen[-1].answered} of {calls} {path} calls were answered.")
        await asyncio.sleep(_LOOK_SECONDS)
    return seen


async def _all_started(here: Stage, count: int) -> None:
    """Visibility is told of starts a little later."""

    async def started() -> int:
        return (await here.client.count_workflows(f'WorkflowType="{ORDER_TO_CASH}"')).count

    await eventually(started, lambda there: there >= count, patience_seconds=120)


async def _workflows(here: Stage) -> list[str]:
    """The order ids of all order workflows."""
    known = [
        order_of_workflow(flow.id)
        async for flow in here.client.list_workflows(f'WorkflowType="{ORDER_TO_CASH}"', page_size=1000)
    ]
    return [order[1] for order in known if order is not None]


async def _drain(here: Stage, count: int) -> dict[str, object]:
    """Open M3's queue and wait until it has every order."""
    await set_m3_rate(here.client, None, "benchmark: the intake was measured")
    begin = time.perf_counter()

    async def summary() -> list[dict[str, object]]:
        rows: list[dict[str, object]] = (await here.m3.get("/_control/orders")).json()
        return [row for row in rows if row["orders"]]

    async def booked() -> int:
        await asyncio.sleep(5)  # the summary of ten thousand orders is work for M3, too
        return len(await summary())

    await eventually(booked, lambda there: there >= count, patience_seconds=_PATIENCE_SECONDS)
    took = time.perf_counter() - begin
    rows = await summary()
    doubled = sum(max(len(_listed(row["orders"])), int(str(row["temporary"]))) - 1 for row in rows)
    return {
        "then_in_m3": len(rows),
        "lost_in_m3": count - len(rows),
        "doubled_in_m3": doubled,
        "m3_orders_per_second": round(count / took, 2),
    }


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


@asynccontextmanager
async def _workers(here: Stage, processes: int) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for number in range(processes):
            await stack.enter_async_context(worker_process(here.config, here.folder / f"worker-{number}.log"))
        yield
