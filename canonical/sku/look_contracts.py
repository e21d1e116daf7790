"""The words of the looks at M3's items and at SKUs without item: names, requests, results."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.sku.catalog import CatalogItem
from canonical.sku.likeness import AUTOMATIC
from canonical.sku.models import Suggestion

ITEMS_LOOK: Final = "ItemsLook"
"""Workflow type: all items of M3 are read into the archive; its result is an `ItemsTaken`."""
SKU_LOOK: Final = "SkuLook"
"""Workflow type: one look at a seller's SKUs without item; its result is a `SkuLooked`."""
READ_ITEMS: Final = "read_items"
END_ITEMS: Final = "end_items"
LATEST_ITEMS: Final = "latest_items"
FIND_OPEN_SKUS: Final = "find_open_skus"
GATHER_SKUS: Final = "gather_skus"
SUGGEST_ITEMS: Final = "suggest_items"

ITEMS_CHUNK: Final = 2000
"""Items that one activity reads."""
FRESH: Final = timedelta(hours=20)
"""M3's items are read again for a look when they were last read longer ago."""
MOST_ASKED: Final = 1000
"""ASINs of which one look asks Amazon's catalogue; the next look asks of the others."""
MOST_SKUS: Final = 5000
"""SKUs that one look takes, those with held orders first: each takes some twenty milliseconds."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


def items_look_id() -> str:
    """The one look at M3's items."""
    return "o2c-items"


def sku_look_id(seller_id: str) -> str:
    """The schedule of a seller's looks, and the look that a person asks for; ids of scheduled runs begin with it."""
    return f"o2c-skus-{seller_id}"


class ItemsInput(_Contract):
    """All items; the later fields are set where it goes on in a new run."""

    taken: datetime | None = None
    after: str = ""
    parts: tuple[str, ...] = ()
    items: int = 0


class ReadItemsRequest(_Contract):
    """The next items after this number, written to the archive under `key`."""

    after: str
    key: str


class ItemsRead(_Contract):
    last: str
    """The last item's number; empty where there was none any more."""
    items: int


class EndItemsRequest(_Contract):
    """Put the parts together."""

    taken: datetime
    parts: tuple[str, ...]
    items: int


class ItemsTaken(_Contract):
    """M3's items as of a moment, in the archive; `key` is empty where there are none yet."""

    key: str = ""
    taken: datetime | None = None
    items: int = 0


class LatestItemsRequest(_Contract):
    """Which items were read last?"""


class OpenSkusRequest(_Contract):
    """For which SKUs of the seller are orders held?"""

    seller_id: str


class OpenSku(_Contract):
    """A SKU for which orders are held."""

    sku: str
    orders: int
    marketplaces: tuple[str, ...] = ()
    """As search attributes name them, such as Amazon.de."""
    title: str = ""
    asin: str = ""
    example: str = ""
    """The order held longest."""


class OpenSkus(_Contract):
    skus: tuple[OpenSku, ...] = ()
    """Those with most orders first; at most `MOST_SKUS`."""
    complete: bool = True


class GatherRequest(_Contract):
    """Put held orders and listings together."""

    seller_id: str
    taken: datetime
    items_key: str
    held: tuple[OpenSku, ...]
    complete: bool = True


class AsinsWanted(_Contract):
    """Of these Amazon's catalogue is asked."""

    marketplace_id: str
    asins: tuple[str, ...]


class Gathered(_Contract):
    """SKUs without item, in the archive under `key`."""

    key: str
    skus: int
    wanted: tuple[AsinsWanted, ...] = ()


class SuggestRequest(_Contract):
    seller_id: str
    key: str
    """What was gathered."""
    catalogue: tuple[CatalogItem, ...] = ()
    notes: tuple[str, ...] = ()
    threshold: float = AUTOMATIC
    most_certain: int = 0
    """How many certain ones are returned at most."""


class Certain(_Contract):
    """A SKU whose item is sure enough to be mapped without asking."""

    sku: str
    itno: str
    confidence: float
    reasons: tuple[str, ...]
    held_orders: int = 0


class Suggested(_Contract):
    """What a look found; the suggestions themselves are in the archive."""

    key: str
    skus: int
    held_orders: int
    with_suggestion: int
    certain: int
    """How many are sure enough; `first` are the first of them."""
    first: tuple[Certain, ...] = ()
    notes: tuple[str, ...] = ()


class SkuLookInput(_Contract):
    """One look."""

    seller_id: str
    automatic: bool = False
    """Map what is certain."""
    threshold: float = AUTOMATIC
    most_automatic: int = 50


class Mapped(_Contract):
    """What was mapped by itself."""

    certain: Certain
    released: int = 0
    refused: str = ""


class SkuLooked(_Contract):
    """How a look ended."""

    seller_id: str
    found: Suggested
    items: ItemsTaken
    mapped: tuple[Mapped, ...] = ()


class SkuEntry(_Contract):
    """A SKU without item as the archive keeps it (skus/<seller>/<moment>.json)."""

    sku: str
    marketplaces: tuple[str, ...] = ()
    title: str = ""
    asin: str = ""
    brand: str = ""
    eans: tuple[str, ...] = ()
    asked: bool = False
    """Amazon's catalogue was asked of it."""
    held_orders: int = 0
    example: str = ""
    """An order that is held for it."""
    ranked: tuple[Suggestion, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def effect(self) -> str:
        """What mapping it does."""
        if not self.held_orders:
            return "no order is held for it"
        return f"releases {self.held_orders} held order{'s' * (self.held_orders > 1)}"

    def certain(self, threshold: float) -> Certain | None:
        """The first item where it is sure enough and nothing speaks against it."""
        best = self.ranked[0] if self.ranked else None
        if best is None or best.confidence < threshold or self.notes:
            return None
        return Certain(
            sku=self.sku,
            itno=best.itno,
            confidence=best.confidence,
            reasons=best.reasons,
            held_orders=self.held_orders,
        )


class SkuReport(_Contract):
    """Everything that one look found."""

    seller_id: str
    taken: datetime
    items_key: str
    listings: tuple[str, ...] = ()
    """Keys of the listings that were looked at."""
    skus: tuple[SkuEntry, ...] = ()
    """Those with held orders first."""
    notes: tuple[str, ...] = ()
    """What is wrong with M3's own numbers, such as an EAN of two items."""
