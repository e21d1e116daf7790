"""The stock book and the listings as commands read them."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from activities import listings_snapshot
from activities.archive import Archive, NotArchived
from activities.stock_shelf import StockShelf
from canonical.stock.book import PoolState
from canonical.stock.book_parts import part_of
from canonical.stock.book_skus import SkuState
from canonical.stock.keeper_state import StockView
from canonical.stock.models import OfferName
from canonical.stock.pushes import OfferState
from worker.archiving import open_archive
from worker.settings import Settings


class Shown(NamedTuple):
    """What Amazon shows, as far as it is known."""

    quantities: Mapping[OfferName, int | None]
    newer: int
    """Offers for which Amazon has confirmed a quantity since its listings were read: that one holds."""


class StockReading:
    """One state of the book. Blocks; raises ArchiveError."""

    def __init__(self, settings: Settings, view: StockView) -> None:
        self._archive: Archive = open_archive(settings.archive)
        self._shelf = StockShelf(self._archive)
        self._index = self._shelf.index(view.book)
        self._view = view

    def offers(self) -> Iterator[OfferState]:
        """Every offer."""
        for number in self._index.pools:
            part = self._shelf.pools(self._index, number)
            for pool in part.states(list(part)):
                yield from pool.offers

    def sku(self, seller: str, sku: str) -> SkuState | None:
        """What is known of a SKU."""
        key = (seller, sku)
        return self._shelf.skus(self._index, part_of(key)).get(key)

    def pool(self, whlo: str, itno: str) -> PoolState | None:
        """What is known of a pool."""
        key = (whlo, itno)
        return self._shelf.pools(self._index, part_of(key)).get(key)

    def shown(self, states: Mapping[OfferName, OfferState]) -> Shown:
        """What the newest listings say; what Amazon has confirmed since holds in their place."""
        quantities: dict[OfferName, int | None] = {}
        newer = 0
        for read in self._view.listings:
            try:
                listings = listings_snapshot.read(self._archive, read.key).listings
            except NotArchived:
                continue
            for row in listings:
                if row.channel != "MFN":
                    continue
                name = OfferName(read.seller_id, read.marketplace_id, row.sku)
                state = states.get(name)
                since = state.shown if state is not None else None
                if since is not None and since.confirmed_at > read.taken_at:
                    quantities[name] = since.quantity
                    newer += 1
                else:
                    quantities[name] = row.quantity
        return Shown(quantities, newer)
