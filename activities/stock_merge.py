"""News into the stock book."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Final

from activities import listings_snapshot
from activities.archive import NotArchived
from activities.stock_shelf import StockShelf
from canonical.stock import keeper_contracts as act
from canonical.stock.book import PoolState
from canonical.stock.book_news import PoolNews, Routing, after
from canonical.stock.book_parts import BookIndex, Marks, PartRef, marks_of_pool, part_of
from canonical.stock.models import PoolKey
from canonical.stock.sending import FeedContent, FeedRefusal, unpack_refusals

_REMARKS: Final = 20


def merged(shelf: StockShelf, warehouses: Mapping[str, str], request: act.MergeRequest) -> act.MergeResult:
    """The book with the news in it. Blocks. Raises ArchiveError."""
    return _Merge(shelf, warehouses, request).done()


class _Merge:
    """One merge."""

    def __init__(self, shelf: StockShelf, warehouses: Mapping[str, str], request: act.MergeRequest) -> None:
        self._shelf = shelf
        self._request = request
        self._remarks: list[str] = []
        self._index = shelf.index(request.book, self._remarks)
        self._routing = Routing(lambda number: shelf.skus(self._index, number, self._remarks), warehouses)
        self._refused: list[act.RefusedOffer] = []
        self._refused_now = 0

    def done(self) -> act.MergeResult:
        self._route()
        pools = dict(self._index.pools)
        skus = dict(self._index.skus)
        moving: dict[int, dict[PoolKey, PoolNews]] = {}
        by_part = _by_part(self._routing.pools)
        for number, news in by_part.items():
            self._apply(number, news, pools, moving)
        for number, news in moving.items():  # lines that another pool sells now
            self._apply(number, news, pools, {})
        for number, part in self._routing.skus.items():
            if part.changed:
                skus[number] = self._shelf.keep_skus(part)
        index = self._index.model_copy(update={"pools": pools, "skus": skus})
        book = self._request.book if index == self._index else self._shelf.keep_index(index)
        return act.MergeResult(
            book=book,
            totals=index.totals,
            changed=index.to_plan,
            refused=tuple(self._refused),
            refused_now=self._refused_now,
            remarks=tuple((*self._routing.remarks, *self._remarks)[:_REMARKS]),
        )

    def _route(self) -> None:
        request, routing = self._request, self._routing
        for read in request.listed:
            with self._present(f"The listings of seller {read.seller_id} in {read.marketplace_id}"):
                routing.listed(read, listings_snapshot.read(self._shelf.archive, read.key).listings)
        for told in request.sold:
            routing.sold(told, request.at)
        self._route_m3()
        for answer in request.answers:
            if answer.by_amazon:
                routing.by_amazon(answer.seller, answer.marketplace, answer.sku)
            routing.pool(PoolKey(answer.whlo, answer.itno)).answers.append(answer)
        for feed in request.feeds:
            self._fed(feed)
        for moved in request.moved:
            routing.moved(moved)
        if request.again:
            self._again()

    def _route_m3(self) -> None:
        for key in self._request.in_m3:
            with self._present("What M3 said of orders"):
                self._entered(self._shelf.news(key, act.OrdersInM3))
        for key in self._request.balances:
            with self._present("What M3 said of balances"):
                for known in self._shelf.balances(key):
                    self._routing.pool(known.key).balances.append(known)

    def _entered(self, found: act.OrdersInM3) -> None:
        for order_id, keys in found.orders.items():
            for whlo, itno in keys:
                self._routing.pool(PoolKey(whlo, itno)).entered[order_id] = found.since

    def _fed(self, feed: act.FeedAnswer) -> None:
        with self._present(f"The content of feed {feed.key}"):
            content = FeedContent.unpacked(self._shelf.archive.read(feed.key))
            refusals = None
            if not feed.lost:
                refusals = _by_all(
                    {one.message_id: one for one in unpack_refusals(self._shelf.archive.read(key))}
                    if key
                    else {}
                    for key in feed.refusals
                )
            self._routing.fed(content, feed, refusals)

    def _again(self) -> None:
        """Every pool with a refused offer is told: few have one."""
        for number, ref in self._index.pools.items():
            if not ref.sums.refused:
                continue
            part = self._shelf.pools(self._index, number, self._remarks)
            for whlo, itno in part.marked(lambda marks: marks.refused):
                self._routing.pool(PoolKey(whlo, itno)).again.extend(self._request.again)

    def _apply(
        self,
        number: int,
        news: Mapping[PoolKey, PoolNews],
        pools: dict[int, PartRef],
        moving: dict[int, dict[PoolKey, PoolNews]],
    ) -> None:
        index = BookIndex(pools=pools)
        part = self._shelf.pools(index, number, self._remarks)
        for key, told in news.items():
            before = part.get(key)
            now, lines = after(key, before, told)
            for to, line in lines:
                moving.setdefault(part_of(to), {}).setdefault(to, PoolNews()).lines.append(line)
            if now is None:
                part.remove(key)
            elif now != before:
                marks = part.marks(key) if key in part else Marks()
                to_plan = bool(marks.to_plan) or _to_plan(before, now)
                part.put(key, now, marks_of_pool(now, to_plan=to_plan, waiting=marks.waiting))
                self._note_refused(before, now)
        if part.changed:
            pools[number] = self._shelf.keep_pools(part)

    def _note_refused(self, before: PoolState | None, now: PoolState) -> None:
        known = {each.name for each in before.offers if each.refusal is not None} if before else set()
        for state in now.offers:
            if state.refusal is None or state.name in known:
                continue
            self._refused_now += 1
            if len(self._refused) < act.SHOWN_AT_MOST:
                self._refused.append(act.RefusedOffer.of(state, state.refusal))

    @contextlib.contextmanager
    def _present(self, what: str) -> Iterator[None]:
        try:
            yield
        except (NotArchived, ValueError) as error:
            said = "are gone from the archive" if isinstance(error, NotArchived) else "cannot be read"
            self._remarks.append(f"{what} {said} and count for nothing.")


def _to_plan(before: PoolState | None, now: PoolState) -> bool:
    """Whether anything may be promised otherwise: not where M3 has told the same again."""
    if before is None or before.known is None or now.known is None or now.lines:
        return True
    known = now.known.model_copy(update={"as_of": before.known.as_of})
    return now.model_copy(update={"known": known}) != before


def _by_all(each: Iterable[Mapping[int, FeedRefusal]]) -> Mapping[int, FeedRefusal]:
    """What every feed has refused."""
    return reduce(lambda one, other: {key: one[key] for key in one if key in other}, each)


def _by_part(pools: Mapping[PoolKey, PoolNews]) -> dict[int, dict[PoolKey, PoolNews]]:
    found: dict[int, dict[PoolKey, PoolNews]] = {}
    for key, news in pools.items():
        found.setdefault(part_of(key), {})[key] = news
    return dict(sorted(found.items()))
