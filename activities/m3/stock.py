"""M3's side of the stock that is offered at Amazon, as activities: which of Amazon's orders it has, which balances have
changed, and what they are. What is long goes through the archive.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from temporalio import activity

from activities.archive import ArchiveError
from activities.errors import RetryLater
from activities.m3.activities import under_way
from activities.m3.client import TruncatedListError
from activities.m3.context import M3Context
from activities.m3.programs.stock import balances, changed_balances
from activities.stock_shelf import StockShelf
from canonical.stock import keeper_contracts as act
from canonical.stock.book_parts import BookIndex, part_of
from canonical.stock.models import Known, NoBalance, PoolKey

ORDERS_A_CALL: Final = 2_000
"""Most orders that are looked for in one activity, the newest first."""
_AT_ONCE: Final = 200
"""Of orders or balances in one go: two bulk calls of each."""
_FRESH: Final = timedelta(hours=1)
_SELDOM: Final = 10
"""An order that M3 has not had for longer than `_FRESH` is looked for in one round of so many."""


class M3StockActivities:
    """Activities on one M3 company."""

    def __init__(self, context: M3Context, shelf: StockShelf) -> None:
        self._context = context
        self._shelf = shelf

    @property
    def all(self) -> list[Callable[..., object]]:
        """Every activity, for a worker."""
        return [self.find_sold_in_m3, self.find_changed_balances, self.read_balances]

    # --- orders ---------------------------------------------------------------------------------

    @activity.defn(name=act.FIND_SOLD_IN_M3)
    async def find_sold_in_m3(self, request: act.FindSoldRequest) -> act.FindSoldResult:
        """Which of Amazon's orders M3 has by now as customer orders (CUOR). A temporary one takes nothing from the
        balance yet, and counts as not there."""
        async with _asking("(stock orders)"):
            awaited = await asyncio.to_thread(self._awaited, request)
            numbers = list(awaited)
            if not numbers:
                return act.FindSoldResult()
            lookup = self._context.lookup()
            # By customer every question reads the customers' whole lists: one question then.
            step = len(numbers) if self._context.options.cuor_lookup == "by_customer" else _AT_ONCE
            found: set[str] = set()
            for start in range(0, len(numbers), step):
                part = await lookup.find_many(numbers[start : start + step])
                found |= {number for number, seen in part.items() if seen.orders}
            if not found:
                return act.FindSoldResult(asked=len(numbers))
            since = datetime.now(UTC)
            told = act.OrdersInM3(
                since=since, orders={number: awaited[number] for number in numbers if number in found}
            )
            key = await asyncio.to_thread(self._shelf.keep_news, told)
            return act.FindSoldResult(asked=len(numbers), found=len(found), key=key)

    def _awaited(self, request: act.FindSoldRequest) -> dict[str, tuple[tuple[str, str], ...]]:
        """Orders to be looked for, the newest first, each with the pools of its lines."""
        index = self._shelf.index(request.book)
        now = datetime.now(UTC)
        pools: dict[str, list[PoolKey]] = {}
        news: dict[str, datetime] = {}
        for number, ref in index.pools.items():
            if not ref.sums.not_in_m3:
                continue
            part = self._shelf.pools(index, number)
            for pool in part.states(part.marked(lambda marks: marks.not_in_m3)):
                for line in pool.lines:
                    fresh = now - line.updated_at < _FRESH
                    if line.awaits_m3 and (fresh or _turn(line.order_id) == request.round % _SELDOM):
                        pools.setdefault(line.order_id, []).append(pool.key)
                        news[line.order_id] = max(news.get(line.order_id, line.updated_at), line.updated_at)
        newest = sorted(pools, key=lambda order_id: (news[order_id], order_id), reverse=True)[:ORDERS_A_CALL]
        return {order_id: tuple(sorted(set(pools[order_id]))) for order_id in newest}

    # --- balances -------------------------------------------------------------------------------

    @activity.defn(name=act.FIND_CHANGED_BALANCES)
    async def find_changed_balances(self, request: act.FindChangedRequest) -> act.FindChangedResult:
        """Pools to be read: those whose balance has changed, those never read, those that orders have come to. Every
        one where M3 cuts its list, which has no second page."""
        async with _asking("(stock changes)"):
            asked_at = datetime.now(UTC)
            since, remark = request.since, ""
            changed: list[PoolKey] = []
            if since is not None:
                try:
                    changed = await changed_balances(self._context.client, since)
                except TruncatedListError as error:
                    since, remark = None, f"{error}: every balance is read."
            keys = await asyncio.to_thread(self._to_read, request, changed, full=since is None)
            parts = [
                await asyncio.to_thread(self._shelf.keep_keys, keys[start : start + act.POOLS_A_CALL])
                for start in range(0, len(keys), act.POOLS_A_CALL)
            ]
            return act.FindChangedResult(
                asked_at=asked_at,
                pools=len(keys),
                full=since is None,
                parts=tuple(parts),
                remark=remark,
            )

    def _to_read(
        self, request: act.FindChangedRequest, changed: Iterable[PoolKey], *, full: bool
    ) -> list[tuple[str, str]]:
        index = self._shelf.index(request.book)
        meant: dict[int, set[tuple[str, str]]] = {}
        keys: set[tuple[str, str]] = {*changed, *request.pools}
        if request.in_m3:
            orders = self._shelf.news(request.in_m3, act.OrdersInM3).orders
            keys |= {key for pools in orders.values() for key in pools}
        for key in keys:
            meant.setdefault(part_of(key), set()).add(key)
        return sorted(
            found
            for number in index.pools
            for found in self._in_part(index, number, meant.get(number, set()), full=full)
        )

    def _in_part(
        self, index: BookIndex, number: int, meant: set[tuple[str, str]], *, full: bool
    ) -> list[tuple[str, str]]:
        if not full and not meant and not index.pools[number].sums.unread:
            return []
        part = self._shelf.pools(index, number)
        return [key for key in part if full or key in meant or part.marks(key).unread]

    @activity.defn(name=act.READ_BALANCES)
    async def read_balances(self, request: act.ReadBalancesRequest) -> act.ReadBalancesResult:
        """The balances of up to `POOLS_A_CALL` pools. One whose figures cannot be read counts as refused."""
        async with _asking("(stock balances)"):
            keys = [PoolKey(*key) for key in await asyncio.to_thread(self._shelf.keys, request.part)]
            found: list[Known] = []
            for start in range(0, len(keys), _AT_ONCE):
                found += await self._read(keys[start : start + _AT_ONCE])
            key = await asyncio.to_thread(self._shelf.keep_balances, found)
            return act.ReadBalancesResult(key=key, read=len(found))

    async def _read(self, keys: list[PoolKey]) -> list[Known]:
        asked_at = datetime.now(UTC)
        try:
            return list((await balances(self._context.client, keys, asked_at=asked_at)).values())
        except ValueError:
            if len(keys) == 1:
                return [NoBalance(whlo=keys[0].whlo, itno=keys[0].itno, why="refused", as_of=asked_at)]
            half = len(keys) // 2
            return [*await self._read(keys[:half]), *await self._read(keys[half:])]


def _turn(order_id: str) -> int:
    return blake2b(order_id.encode(), digest_size=1).digest()[0] % _SELDOM


@contextlib.asynccontextmanager
async def _asking(subject: str) -> AsyncIterator[None]:
    async with under_way(subject):
        try:
            yield
        except ArchiveError as error:
            raise RetryLater(f"The stock book: {error}", kind="archive_away") from error
