"""The stock book as activities: news are merged into it, and what is to be sent is planned from it.

Each takes a book by its key and answers with the key of the next. From the same book and the same news comes the same
next one, however often an activity is run.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from temporalio import activity

from activities.archive import Archive, ArchiveError
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.stock_merge import merged
from activities.stock_plan import StockPolicy, plan_of
from activities.stock_shelf import StockShelf
from canonical.stock import keeper_contracts as act

ARCHIVE_AWAY: Final = "archive_away"


class StockBook:
    """The book's activities."""

    def __init__(self, archive: Archive, policy: StockPolicy) -> None:
        self._shelf = StockShelf(archive)
        self._policy = policy

    @property
    def all(self) -> list[Callable[..., object]]:
        """Every activity, for a worker."""
        return [self.merge_stock, self.plan_stock, self.prune_stock]

    @activity.defn(name=act.MERGE_STOCK)
    async def merge_stock(self, request: act.MergeRequest) -> act.MergeResult:
        """Take news in."""
        async with _working():
            return await asyncio.to_thread(merged, self._shelf, self._policy.warehouses, request)

    @activity.defn(name=act.PLAN_STOCK)
    async def plan_stock(self, request: act.PlanRequest) -> act.PlanResult:
        """Decide what is to be sent, and write down that it is on its way."""
        async with _working():
            return await asyncio.to_thread(plan_of, self._shelf, self._policy, request)

    @activity.defn(name=act.PRUNE_STOCK)
    async def prune_stock(self, request: act.PruneRequest) -> act.PruneResult:
        """Delete files that no book needs."""
        async with _working():
            deleted = await asyncio.to_thread(self._shelf.prune, request.book, request.at)
            return act.PruneResult(deleted=deleted)


@contextlib.asynccontextmanager
async def _working() -> AsyncIterator[None]:
    with failures_as_temporal_knows_them():
        async with heartbeating():
            try:
                yield
            except ArchiveError as error:
                raise RetryLater(f"The stock book: {error}", kind=ARCHIVE_AWAY) from error
