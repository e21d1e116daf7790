"""Stock changes in M3 until Amazon shows them, under Amazon's documented quotas and at the wall's own speed.

A warehouse's stock is counted anew in waves, large and small ones, of which later ones overtake earlier ones; the
worker is killed several times meanwhile. At the end every quantity at Amazon must equal M3's. An offer is *behind* from
the moment M3 has another quantity than Amazon shows until they are equal; changes that are overtaken meanwhile are
never sent, and that is meant.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from canonical.ids import stock_workflow_id
from canonical.stock.keeper_state import STATE, StockView
from simulators.amazon.quotas import PLANS
from tests.bench.planting import refused, requests_of
from tests.bench.stage import Stage, cpu_seconds, resident_kib, stage
from tests.support.processes import worker_process

SELLER: Final = "A2EUSELLER0001"
MARKETPLACES: Final = ("A1PA6795UKMFR9", "A13V1IB3VIYZZH")
"""Germany and France: each item is offered in both."""
WAREHOUSE: Final = "MAI"
CONFIGURATION: Final = "[stock]\nevery_seconds = 30\nconfirm_minutes = 1\n"
WAVE_SECONDS: Final = 45.0
_LARGE: Final = 6
_SMALL: Final = 8
_SMALL_SHARE: Final = 1 / 80
_KILLED_IN: Final = (1, 4, 8, 11)
"""Waves in which the worker is killed."""
_LOOK_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 1800.0
_PARCEL: Final = 1000
OPERATIONS: Final = ("createFeed", "patchListingsItem", "getListingsItem", "getFeed", "getFeedDocument")


@dataclass
class Watch:
    """Which offers are behind, and for how long they were."""

    wanted: dict[str, int]
    """What M3 has, by SKU."""
    behind: dict[tuple[str, str], float] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)

    def change(self, sku: str, quantity: int) -> None:
        """M3 has another quantity from now on."""
        self.wanted[sku] = quantity
        for marketplace in MARKETPLACES:
            self.behind.setdefault((marketplace, sku), time.perf_counter())

    def look(self, marketplace: str, shows: dict[str, int]) -> None:
        """What Amazon shows now."""
        now = time.perf_counter()
        mine = [key for key in self.behind if key[0] == marketplace]
        for key in mine:
            if shows.get(key[1]) == self.wanted[key[1]]:
                self.lags.append(now - self.behind.pop(key))


async def run(folder: Path, count: int) -> dict[str, object]:
    """`count` changes of half as many items."""
    items = count // 2
    waves = list(_waves(items, count))
    async with (
        stage(folder, quota_factor=1.0, amazon_options=(), configuration=CONFIGURATION) as here,
        AsyncExitStack() as worker,
    ):
        watch = Watch(await _fill(here, items))
        process = await worker.enter_async_context(worker_process(here.config, folder / "worker.log"))
        await _known(here, items)
        before = await requests_of(here.amazon)
        begin = time.perf_counter()
        kills = 0
        for number, wave in enumerate(waves):
            await _count(here, watch, wave)
            until = time.perf_counter() + WAVE_SECONDS
            if number in _KILLED_IN:
                await _watch_until(here, watch, time.perf_counter() + random.Random(number).uniform(2, 40))
                process.kill()
                await process.wait()
                kills += 1
                await worker.aclose()
                process = await worker.enter_async_context(worker_process(here.config, folder / "worker.log"))
            await _watch_until(here, watch, until)
        last = time.perf_counter()
        await _watch_until(here, watch, last + _PATIENCE_SECONDS, empty=True)
        ended = time.perf_counter()
        after = await requests_of(here.amazon)
        wrong = await _differing(here, watch)
        cpu, memory = cpu_seconds(process.pid), resident_kib(process.pid) / 1024
    calls = {name: _answered(after, name) - _answered(before, name) for name in OPERATIONS}
    optimum = _optimum(waves)
    lags = sorted(watch.lags)
    return {
        "changes": sum(len(wave) for wave in waves),
        "items": items,
        "offers": items * len(MARKETPLACES),
        "waves": len(waves),
        "worker_killed": kills,
        "offers_that_differ_at_the_end": wrong,
        "seconds_of_changes": round(last - begin, 1),
        "seconds_until_equal_after_the_last": round(ended - last, 1),
        "answers_429": refused(after),
        "behind_seconds_median": round(statistics.median(lags), 1),
        "behind_seconds_p95": round(lags[int(len(lags) * 0.95)], 1),
        "behind_seconds_longest": round(lags[-1], 1),
        "quotas": [
            {
                "operation": name,
                "calls": calls[name],
                "optimum": optimum.get(name, 0),
                "granted_in_that_time": round(PLANS[name].burst + PLANS[name].rate * (ended - begin)),
            }
            for name in OPERATIONS
        ],
        "cpu_seconds_of_the_last_worker": round(cpu, 1),
        "memory_mib": round(memory, 1),
    }


def _waves(items: int, count: int) -> Iterator[list[int]]:
    """Numbers of the items that each wave changes; together `count`, large and small ones mixed."""
    chance = random.Random(7)
    small = max(1, round(count * _SMALL_SHARE))
    large = (count - small * _SMALL) // _LARGE
    kinds = [small] * _SMALL + [large] * _LARGE
    chance.shuffle(kinds)
    for size in kinds:
        yield chance.sample(range(items), min(size, items))


def _optimum(waves: list[list[int]]) -> dict[str, int]:
    """The calls of one who knows each wave when it comes: a feed a marketplace for a large one, else patches, each of
    which is looked at once, since nobody listens to notifications here."""
    feeds = sum(len(wave) * len(MARKETPLACES) > 500 for wave in waves) * len(MARKETPLACES)
    patches = sum(len(wave) * len(MARKETPLACES) for wave in waves if len(wave) * len(MARKETPLACES) <= 500)
    return {
        "createFeed": feeds,
        "getFeed": feeds,
        "getFeedDocument": feeds,
        "patchListingsItem": patches,
        "getListingsItem": patches,
    }


def _sku(number: int) -> str:
    return f"STK-{number:05d}"


def _itno(number: int) -> str:
    return f"9S{number:05d}"


async def _fill(here: Stage, items: int) -> dict[str, int]:
    """Items in M3 with the stock that Amazon shows, too."""
    wanted = {_sku(number): 100 + number % 50 for number in range(items)}
    for start in range(0, items, _PARCEL):
        numbers = range(start, min(start + _PARCEL, items))
        given = [
            {
                "itno": _itno(number),
                "itds": f"Stock item {number}",
                "sku": _sku(number),
                "onhand": {WAREHOUSE: wanted[_sku(number)]},
            }
            for number in numbers
        ]
        (await here.m3.post("/_control/items", json={"items": given})).raise_for_status()
        listings = [
            {
                "seller": SELLER,
                "sku": _sku(number),
                "quantity": wanted[_sku(number)],
                "marketplaces": list(MARKETPLACES),
            }
            for number in numbers
        ]
        answer = await here.amazon.post("/_control/stock/listings", json={"listings": listings})
        answer.raise_for_status()
    return wanted


async def _known(here: Stage, items: int) -> None:
    """Wait until the keeper has every offer and its balance, and nothing is on its way."""
    handle = here.client.get_workflow_handle(stock_workflow_id())
    until = time.perf_counter() + _PATIENCE_SECONDS
    view: StockView | None = None
    while time.perf_counter() < until:
        with suppress(RPCError, WorkflowQueryFailedError):
            view = await handle.query(STATE, result_type=StockView)
            totals = view.totals
            known = totals.offers >= items * len(MARKETPLACES) and not totals.unread
            if known and not totals.on_their_way and not view.busy:
                return
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError(f"The keeper does not know all offers: {view}")


async def _count(here: Stage, watch: Watch, wave: list[int]) -> None:
    """One wave: another quantity than before for each of its items."""
    chance = random.Random(len(watch.lags))
    for start in range(0, len(wave), _PARCEL):
        counted: dict[str, int] = {}
        for number in wave[start : start + _PARCEL]:
            quantity = chance.choice([q for q in range(200) if q != watch.wanted[_sku(number)]])
            counted[_itno(number)] = quantity
        answer = await here.m3.post("/_control/counts", json={"whlo": WAREHOUSE, "onhand": counted})
        answer.raise_for_status()
        for number in wave[start : start + _PARCEL]:
            watch.change(_sku(number), counted[_itno(number)])


async def _watch_until(here: Stage, watch: Watch, until: float, *, empty: bool = False) -> None:
    while time.perf_counter() < until:
        for marketplace in MARKETPLACES:
            watch.look(marketplace, await _shows(here, marketplace))
        if empty and not watch.behind:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _shows(here: Stage, marketplace: str) -> dict[str, int]:
    query = {"seller": SELLER, "marketplace": marketplace}
    shows: dict[str, int] = (await here.amazon.get("/_control/stock/quantities", params=query)).json()
    return shows


async def _differing(here: Stage, watch: Watch) -> int:
    """Offers that do not show what M3 has, both read afresh."""
    rows = (await here.m3.get("/_control/balances", params={"whlo": WAREHOUSE})).json()
    there = {row["itno"]: int(float(row["allocatable"])) for row in rows}
    wrong = 0
    for marketplace in MARKETPLACES:
        shows = await _shows(here, marketplace)
        wrong += sum(shows.get(sku) != there[f"9S{sku.removeprefix('STK-')}"] for sku in watch.wanted)
    return wrong


def _answered(counts: dict[str, int], operation: str) -> int:
    return sum(number for name, number in counts.items() if name.startswith(f"{operation} "))
