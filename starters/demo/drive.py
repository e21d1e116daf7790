"""Driving the demonstration: buyers order, sweeps carry it in, until every order is closed or held."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import httpx
from temporalio.client import Client

from canonical.ids import sweep_workflow_id
from canonical.sweep_contracts import SWEEP, SweepInput, SweepResult
from starters.console import Refused, hint
from starters.demo.counts import Counts, look
from starters.demo.progress import Progress
from starters.passes import begin, finish, last_horizon
from starters.processes import Children
from starters.simulation import AmazonControl
from starters.times import shown

SWEEP_SECONDS: Final = 2.0
STALL_SECONDS: Final = 180.0
"""Nothing has moved for so long: it is told instead of waited for."""
TOO_FRESH: Final = timedelta(minutes=2, seconds=10)
"""Amazon lists no change younger than two minutes and nobody asks for a period that lies in them; so each
pass reaches back so far, although the pretended Amazon is quicker. What is met again changes nothing."""
_LOOK_SECONDS: Final = 1.0
_FEED_SECONDS: Final = 0.25
_BEFORE: Final = timedelta(hours=1)


class Stream(NamedTuple):
    """The orders that buyers place."""

    orders: int
    per_second: float
    seed: int
    trouble_share: float


class Drive:
    """One run. `until_ended` returns the last look."""

    def __init__(
        self,
        client: Client,
        http: httpx.AsyncClient,
        amazon: AmazonControl,
        m3_url: str,
        sellers: Sequence[str],
    ) -> None:
        self._client = client
        self._http = http
        self._amazon = amazon
        self._m3_url = m3_url
        self._sellers = tuple(sellers)
        self._horizon: datetime | None = None
        self.passes = 0

    async def until_ended(self, stream: Stream, children: Children, progress: Progress) -> Counts:
        """Feed and sweep until everything has ended. Raises Refused where a process ends; returns
        as well where nothing moves any more."""
        already = len(await self._amazon.orders())
        helpers = [
            asyncio.create_task(self._feed(stream)),
            asyncio.create_task(self._sweep_on_and_on()),
        ]
        try:
            return await self._watch(already + stream.orders, children, progress, helpers)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _watch(
        self, orders: int, children: Children, progress: Progress, helpers: list[asyncio.Task[None]]
    ) -> Counts:
        clock = asyncio.get_running_loop().time
        last: tuple[object, ...] = ()
        moved_at, ended_looks = clock(), 0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            children.check()
            for helper in helpers:
                if helper.done():
                    helper.result()
            counts = await look(self._client, self._http, self._amazon, self._m3_url)
            ended = counts.placed >= orders and counts.all_ended and self._swept_past(counts)
            ended_looks = ended_looks + 1 if ended else 0
            progress.show(counts, last=ended_looks > 1)
            if ended_looks > 1:  # visibility may lag by a moment: what is so is so twice
                return counts
            if counts.fingerprint != last:
                moved_at, last = clock(), counts.fingerprint
            elif clock() - moved_at > STALL_SECONDS:
                return counts

    def _swept_past(self, counts: Counts) -> bool:
        """Whether the sweeps have read every change that Amazon knows."""
        newest = max((order.last_updated for order in counts.amazon), default=None)
        return newest is None or (self._horizon is not None and newest <= self._horizon)

    async def _feed(self, stream: Stream) -> None:
        begun, placed = asyncio.get_running_loop().time(), 0
        while placed < stream.orders:
            elapsed = asyncio.get_running_loop().time() - begun
            due = min(stream.orders, int(elapsed * stream.per_second) + 1)
            if due > placed:
                await self._amazon.place(due - placed, stream.seed, stream.trouble_share)
                placed = due
            await asyncio.sleep(_FEED_SECONDS)

    async def _sweep_on_and_on(self) -> None:
        self._horizon = await last_horizon(self._client, self._sellers)
        while True:
            now = datetime.now(UTC)
            since = min(self._horizon or now - _BEFORE, now - TOO_FRESH)
            asking = SweepInput(seller_ids=self._sellers, updated_after=since)
            summary = f"Changes since {shown(since)}"
            begun = await begin(self._client, SWEEP, asking, sweep_workflow_id(), summary)
            try:
                result = await finish(self._client, begun, SweepResult)
            except Refused as refusal:  # the next pass reads the same period again
                hint(str(refusal))
            else:
                self.passes += 1
                read = [page.horizon for page in result.amazon.values() if page.horizon]
                if len(read) == len(self._sellers):
                    self._horizon = min(read)
            await asyncio.sleep(SWEEP_SECONDS)
