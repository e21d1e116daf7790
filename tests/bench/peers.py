"""A thousand orders under Amazon's documented limits: this service beside what others import them with.

The work of each: from an empty store, have every order with its items, complete and once. All meet a simulator
of their own with the same orders, whose quotas are the documented ones and whose clock is the wall's. Ours
stores more: each order as a workflow, and on to a sales order in M3, which has no peer.

The peers come from an environment of their own (``make peers``), unmodified; where it is absent, they are left
out with a clear word.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from canonical.ids import order_of_workflow
from simulators import catalogue
from simulators.amazon.quotas import PLANS
from tests.bench.commands import o2c
from tests.bench.planting import plant, refused, requests_of
from tests.bench.stage import stage
from tests.support.processes import simulator, worker_process
from tests.support.world import eventually

PEERS: Final = Path(".venv-peers/bin/python")
ABSENT: Final = "left out: .venv-peers is absent; make peers installs it"
NOTE: Final = (
    "Most of the distance between the APIs is Amazon's: 2026-01-01 sends items with the page, v0 takes a call for "
    "each order's items. Beside a script on 2026-01-01 what is ours is the workflow and the sales order in M3."
)
_SCRIPTS: Final = Path(__file__).parent / "peer_scripts"
_MARKETPLACE: Final = "A1PA6795UKMFR9"
_DOCUMENTED: Final = ("--quota-factor", "1")
_LONGEST: Final = 3 * 3600.0


@dataclass(frozen=True)
class Row:
    """One importer's figures."""

    importer: str
    api: str
    seconds: float
    floor_seconds: float
    """What the documented limits leave possible at best."""
    orders: int
    lost: int
    """Orders that are not there with all their items."""
    doubled: int
    """Orders and items that are there more than once."""
    refused_429: int
    requests: dict[str, int]


async def run(folder: Path, count: int) -> dict[str, object]:
    """All of them in one run: ours, then the peers side by side."""
    rows = await _ours(folder / "ours", count)
    result: dict[str, object] = {"orders": count, "items": 2 * count}
    if PEERS.exists():
        rows.append(await _script(folder / "script-2026", count, "2026-01-01"))
        rows += await asyncio.gather(
            _script(folder / "script-v0", count, "v0"), _airbyte(folder / "airbyte", count)
        )
    else:
        result["peers"] = ABSENT
    result["importers"] = [asdict(row) for row in rows]
    result["note"] = NOTE
    return result


async def _ours(folder: Path, count: int) -> list[Row]:
    """`o2c sweep --since` with one worker: until every order has its workflow, and until M3 has them all."""
    folder.mkdir()
    sellers = catalogue.SELLERS[:1]
    async with stage(folder, quota_factor=1, amazon_options=_DOCUMENTED, accounts=sellers) as here:
        planted = await plant(here.amazon, count)
        async with worker_process(here.config, folder / "worker.log"):
            before = await requests_of(here.amazon)
            begin = time.perf_counter()
            await o2c(here.config, folder / "sweep.log", "sweep", "--since", _since(), "--no-m3", "--json")
            read_in = time.perf_counter() - begin
            found = [
                order_of_workflow(flow.id)
                async for flow in here.client.list_workflows('WorkflowType="OrderToCash"')
            ]

            async def booked() -> int:
                summary = (await here.m3.get("/_control/orders")).json()
                return sum(bool(row["orders"]) for row in summary)

            await eventually(booked, lambda there: there >= count, patience_seconds=1800)
            in_m3 = time.perf_counter() - begin
            summary = (await here.m3.get("/_control/orders")).json()
        counts = _without(await requests_of(here.amazon), before)
    api, floor = "2026-01-01", _floor(count, "searchOrders", 100)
    store = _judged(
        planted, {order[1]: [planted[order[1]]] for order in found if order and order[1] in planted}
    )
    doubled = sum(max(len(row["orders"]), row["temporary"]) - 1 for row in summary if row["orders"])
    lost = len(set(planted) - {row["cuor"] for row in summary if row["orders"]})
    return [
        Row("ours, held by Temporal", api, round(read_in, 1), floor, *store, refused(counts), counts),
        Row(
            "ours, sales orders in M3", api, round(in_m3, 1), floor, count - lost, lost, doubled,
            refused(counts), counts,
        ),
    ]  # fmt: skip


async def _script(folder: Path, count: int, version: str) -> Row:
    async with _amazon(folder) as (url, amazon):
        planted = await plant(amazon, count)
        result = folder / "orders.jsonl"
        took = await _peer(folder, "sp_api_script.py", url, version, _MARKETPLACE, _since(), str(result))
        counts = await requests_of(amazon)
    store: dict[str, list[list[str]]] = {}
    for line in result.read_text().splitlines():
        entry = json.loads(line)
        store.setdefault(entry["order"], []).append(entry["items"])
    floor = _floor(count, "getOrderItems", 1) if version == "v0" else _floor(count, "searchOrders", 100)
    return Row(
        "python-amazon-sp-api", version, took, floor, *_judged(planted, store), refused(counts), counts
    )


async def _airbyte(folder: Path, count: int) -> Row:
    async with _amazon(folder) as (url, amazon):
        planted = await plant(amazon, count)
        took = await _peer(folder, "airbyte_source.py", url, _MARKETPLACE, _since(), str(folder))
        counts = await requests_of(amazon)
    emitted: dict[str, Counter[str]] = {"Orders": Counter(), "OrderItems": Counter()}
    items: dict[str, list[str]] = {}
    with (folder / "airbyte.jsonl").open() as messages:
        for line in messages:
            message = json.loads(line)
            if message.get("type") != "RECORD":
                continue
            stream, data = message["record"]["stream"], message["record"]["data"]
            if stream == "Orders":
                emitted[stream][data["AmazonOrderId"]] += 1
            else:
                emitted[stream][data["OrderItemId"]] += 1
                items.setdefault(data["AmazonOrderId"], []).append(data["OrderItemId"])
    store = {order_id: [items.get(order_id, [])] * times for order_id, times in emitted["Orders"].items()}
    floor = _floor(count, "getOrderItems", 1)
    return Row(
        "airbyte-source-amazon-seller-partner", "v0", took, floor, *_judged(planted, store),
        refused(counts), counts,
    )  # fmt: skip


def _judged(planted: Mapping[str, list[str]], store: Mapping[str, list[list[str]]]) -> tuple[int, int, int]:
    """Orders there, lost, doubled. store: for each order its entries, each with its item ids."""
    complete = {
        order_id
        for order_id, items in planted.items()
        if any(set(entry) >= set(items) for entry in store.get(order_id, []))
    }
    doubled = sum(len(entries) - 1 for entries in store.values())
    doubled += sum(_repeated(entry) for entries in store.values() for entry in entries[:1])
    return len(complete), len(planted) - len(complete), doubled


def _repeated(items: Iterable[str]) -> int:
    counts = Counter(items)
    return sum(counts.values()) - len(counts)


@asynccontextmanager
async def _amazon(folder: Path) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    folder.mkdir()
    async with (
        simulator("amazon", folder, *_DOCUMENTED) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as amazon,
    ):
        yield url, amazon


async def _peer(folder: Path, script: str, *arguments: str) -> float:
    """Run a peer to its end; the seconds it took."""
    seller = catalogue.SELLERS[0]
    environment = {
        **os.environ,
        "LWA_ID": catalogue.LWA_CLIENT_ID,
        "LWA_SECRET": catalogue.LWA_CLIENT_SECRET,
        "LWA_REFRESH": seller.refresh_token,
        "NO_PROXY": "127.0.0.1",
        "DO_NOT_TRACK": "1",
    }
    begin = time.perf_counter()
    log_file = folder / "peer.log"
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(PEERS), str(_SCRIPTS / script), *arguments, stdout=log, stderr=log, env=environment
        )
        try:
            status = await asyncio.wait_for(process.wait(), _LONGEST)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if status:
        sys.stderr.write(f"{script} ended with {status}: {log_file.read_text()[-2000:]}\n")
    return round(time.perf_counter() - begin, 1)


def _since() -> str:
    return (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _floor(count: int, operation: str, each: int) -> float:
    """Seconds in which the bucket, full at first, lets through what `count` orders take."""
    plan = PLANS[operation]
    calls = -(-count // each)
    return round(max(0, calls - plan.burst) / plan.rate, 1)


def _without(counts: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {
        name: count - before.get(name, 0) for name, count in counts.items() if count > before.get(name, 0)
    }
