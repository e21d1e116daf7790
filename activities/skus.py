"""SKUs without item and M3's items, put together: what is known of a SKU is gathered, items are ranked for it.

items/<moment>.jsonl.gz           M3's items (`canonical.sku.item_file`); the last three are kept
skus/<seller>/open.json           what the look under way has gathered (`SkuReport` without suggestions)
skus/<seller>/<moment>.json       what a look found (`SkuReport`); the last thirty are kept
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from temporalio import activity

from activities import listings_snapshot
from activities.archive import Archive, ArchiveError, NotArchived
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.m3.settlements import ARCHIVE_AWAY
from canonical.profile import MarketplaceProfile
from canonical.sku import look_contracts as act
from canonical.sku import open_skus
from canonical.sku.item_file import ORDERABLE, Category, unpacked

if TYPE_CHECKING:
    from canonical.sku.index import ItemIndex

_ITEMS: Final = "items"
_ITEMS_KEPT: Final = 3
_REPORTS_KEPT: Final = 30


class SkuActivities:
    """sellers: the marketplaces of each; profiles: by marketplace.

    The index of M3's items is made once for each reading of them and kept in memory: 100,000 items take 400 MB and ten
    seconds of one processor. Sellers share it, unless their SKUs stand in different alias categories.
    """

    def __init__(
        self,
        archive: Archive,
        sellers: Mapping[str, tuple[str, ...]],
        profiles: Mapping[str, MarketplaceProfile],
    ) -> None:
        self._archive = archive
        self._sellers = sellers
        self._profiles = profiles
        self._index: tuple[object, ItemIndex] | None = None
        self._building = asyncio.Lock()

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.end_items, self.latest_items, self.gather_skus, self.suggest_items]

    @activity.defn(name=act.END_ITEMS)
    async def end_items(self, request: act.EndItemsRequest) -> act.ItemsTaken:
        """Make one file of the parts; again it is the same file."""
        key = f"{_ITEMS}/{_moment(request.taken)}.jsonl.gz"
        async with _at_work():
            await asyncio.to_thread(self._join, key, request.parts)
        return act.ItemsTaken(key=key, taken=request.taken, items=request.items)

    @activity.defn(name=act.LATEST_ITEMS)
    async def latest_items(self, _: act.LatestItemsRequest) -> act.ItemsTaken:
        """Which items were read last."""
        async with _at_work():
            keys = await asyncio.to_thread(items_kept, self._archive)
        if not keys:
            return act.ItemsTaken()
        moment = keys[-1].removeprefix(f"{_ITEMS}/").removesuffix(".jsonl.gz")
        taken = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return act.ItemsTaken(key=keys[-1], taken=taken)

    @activity.defn(name=act.GATHER_SKUS)
    async def gather_skus(self, request: act.GatherRequest) -> act.Gathered:
        """Held orders and the newest listings, with what the last look knew of them from Amazon's catalogue."""
        async with _at_work():
            return await asyncio.to_thread(self._gathered, request)

    @activity.defn(name=act.SUGGEST_ITEMS)
    async def suggest_items(self, request: act.SuggestRequest) -> act.Suggested:
        """Rank M3's items for everything gathered, and keep the report."""
        async with _at_work():
            report = await asyncio.to_thread(_report, self._archive, request.key)
            index = await self._index_of(report.items_key, request.seller_id)
            known = await asyncio.to_thread(self._listings, report.listings)
            return await asyncio.to_thread(self._suggested, request, report, index, known)

    # --- what follows runs in a thread ----------------------------------------------------------

    def _join(self, key: str, parts: Sequence[str]) -> None:
        with contextlib.suppress(NotArchived):  # joined by an attempt before
            self._archive.write(key, b"".join(self._archive.read(part) for part in parts))
        for old in [*parts, *items_kept(self._archive)[:-_ITEMS_KEPT]]:
            self._archive.remove(old)

    def _gathered(self, request: act.GatherRequest) -> act.Gathered:
        marketplaces = self._sellers.get(request.seller_id, ())
        newest = (listings_snapshot.newest(self._archive, request.seller_id, one) for one in marketplaces)
        keys = tuple(key for key in newest if key)
        mapped = self._mapped(request.items_key, request.seller_id)
        last = latest_report(self._archive, request.seller_id)
        report = open_skus.gathered(request, keys, self._listings(keys), mapped, last)
        key = f"{_reports(request.seller_id)}/open.json"
        self._archive.write(key, report.model_dump_json().encode())
        return act.Gathered(key=key, skus=len(report.skus), wanted=open_skus.wanted(report, marketplaces))

    def _listings(self, keys: Sequence[str]) -> list[open_skus.Listed]:
        return [
            (snapshot.head.marketplace_id, listing)
            for snapshot in (listings_snapshot.read(self._archive, key) for key in keys)
            for listing in snapshot.listings
        ]

    def _mapped(self, items_key: str, seller_id: str) -> frozenset[str]:
        """SKUs that are an alias of one item by now, in a category of the seller's."""
        ours, _ = self._categories(seller_id)
        seen: dict[str, set[str]] = {}
        for item in unpacked(self._archive.read(items_key)):
            for alias in item.aliases:
                if alias.category in ours and not alias.past:
                    seen.setdefault(alias.name, set()).add(item.itno)
        return frozenset(name for name, items in seen.items() if len(items) == 1)

    async def _index_of(self, key: str, seller_id: str) -> "ItemIndex":
        ours, others = self._categories(seller_id)
        wanted = (key, ours, others)
        async with self._building:
            if self._index is None or self._index[0] != wanted:
                self._index = None  # so that memory holds one alone
                self._index = (wanted, await asyncio.to_thread(self._build, key, ours, others))
            return self._index[1]

    def _build(self, key: str, ours: frozenset[Category], others: frozenset[Category]) -> "ItemIndex":
        from canonical.sku.index import ItemIndex  # noqa: PLC0415 - numpy is only loaded here

        items = unpacked(self._archive.read(key))
        return ItemIndex(item.as_item(ours, others) for item in items if item.status == ORDERABLE)

    def _categories(self, seller_id: str) -> tuple[frozenset[Category], frozenset[Category]]:
        """Alias categories of the seller's SKUs, and those of other sellers' alone."""
        by_seller = {
            seller: frozenset(
                (self._profiles[one].alias_type, self._profiles[one].alias_qualifier) for one in marketplaces
            )
            for seller, marketplaces in self._sellers.items()
        }
        ours = by_seller.get(seller_id, frozenset())
        return ours, frozenset().union(*by_seller.values()) - ours

    def _suggested(
        self,
        request: act.SuggestRequest,
        report: act.SkuReport,
        index: "ItemIndex",
        listings: Sequence[open_skus.Listed],
    ) -> act.Suggested:
        done = open_skus.suggested(report, request, index, listings)
        folder = _reports(request.seller_id)
        key = f"{folder}/{_moment(report.taken)}.json"
        self._archive.write(key, done.model_dump_json().encode())
        for old in reports_kept(self._archive, request.seller_id)[:-_REPORTS_KEPT]:
            self._archive.remove(old)
        return open_skus.summary(done, key, request)


def items_kept(archive: Archive) -> list[str]:
    """Keys of M3's items in the archive, the newest last."""
    return [key for key in archive.keys(_ITEMS) if key.count("/") == 1]


def reports_kept(archive: Archive, seller_id: str) -> list[str]:
    """Keys of what the looks at a seller's SKUs found, the newest last."""
    return [key for key in archive.keys(_reports(seller_id)) if not key.endswith("/open.json")]


def latest_report(archive: Archive, seller_id: str) -> act.SkuReport | None:
    """What the last look at a seller's SKUs found; None where there was none. Raises ArchiveError."""
    keys = reports_kept(archive, seller_id)
    return _report(archive, keys[-1]) if keys else None


def _report(archive: Archive, key: str) -> act.SkuReport:
    return act.SkuReport.model_validate_json(archive.read(key))


def _reports(seller_id: str) -> str:
    return f"skus/{seller_id}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@contextlib.asynccontextmanager
async def _at_work() -> AsyncIterator[None]:
    with failures_as_temporal_knows_them():
        async with heartbeating():
            try:
                yield
            except ArchiveError as error:
                raise RetryLater(str(error), kind=ARCHIVE_AWAY) from error
