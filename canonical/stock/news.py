"""What the stock keeper is told: its workflow, its signals and what they carry."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

STOCK: Final = "Stock"
"""Workflow type of the keeper: the one workflow that knows what Amazon should show, and sends it."""
SOLD: Final = "sold"
"""Signal: Amazon has sold, cancelled or shipped (`SoldLines`)."""
LISTED: Final = "listed"
"""Signal: what Amazon lists in a marketplace was read (`ListingsRead`)."""
MOVED: Final = "moved"
"""Signal: Amazon shows other quantities (`QuantitiesMoved`)."""
LOOK: Final = "look"
"""Signal: look now; with `full`, at every balance (`LookNow`)."""
FEED_FINISHED: Final = "feed_finished"
"""Signal: Amazon's notification FEED_PROCESSING_FINISHED (`FeedFinished`)."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class SoldLine(_Contract):
    """One line of an Amazon order that the seller ships himself (MFN), as Amazon told it at `updated_at`."""

    order_id: str
    order_item_id: str
    marketplace_id: str
    sku: str
    quantity: int = Field(ge=0)
    """Pieces ordered and not cancelled; of a cancelled line what Amazon still tells as ordered, which may be 0."""
    purchased_at: datetime
    updated_at: datetime
    pending: bool = False
    """PENDING: M3 cannot have it yet."""
    cancelled: bool = False
    """The whole line is cancelled."""


class SoldLines(_Contract):
    """Lines of one seller; of two tellings of a line the one updated later holds."""

    seller_id: str
    lines: tuple[SoldLine, ...]


class ListingsRead(_Contract):
    """A marketplace's listings are in the archive, each with the item it stands for (`canonical.stock.listings`)."""

    seller_id: str
    marketplace_id: str
    key: str
    taken_at: datetime
    """Amazon's quantities in it are not newer than this."""


class QuantityMoved(_Contract):
    """LISTINGS_ITEM_MFN_QUANTITY_CHANGE."""

    seller_id: str
    marketplace_id: str = ""
    """Amazon's notification names no marketplace: empty, it may be of any in which the SKU is offered."""
    sku: str
    quantity: int
    at: datetime
    id: str = ""
    """Of the notification: the same again is the same, while two of one moment may be of two marketplaces."""


class QuantitiesMoved(_Contract):
    """Many at once: every pushed quantity is told back by Amazon."""

    moves: tuple[QuantityMoved, ...]


class FeedFinished(_Contract):
    seller_id: str
    feed_id: str
    status: str = ""


class LookNow(_Contract):
    """A person or a BOD asks for a look."""

    full: bool = False
    pools: tuple[tuple[str, str], ...] = ()
    """WHLO and ITNO of what has changed, where it is known."""
