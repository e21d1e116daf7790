"""The words around Amazon's own shipments: what a report tells of them, and how their orders are told."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.import_contracts import FileWanted

FULFILLED_SHIPMENTS: Final = "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL"
AMAZON_SHIPPED: Final = "amazon_shipped"
"""Signal of an order: shipments of Amazon's."""
FBA_FEED: Final = "FbaFeed"
"""Workflow type: a look at what Amazon shipped of one seller's orders."""
TELL_FBA_SHIPMENTS: Final = "tell_fba_shipments"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class FbaItem(_Contract):
    """Pieces of one order item in one shipment."""

    order_item_id: str
    """Empty where the report does not tell it (merchant's older reports)."""
    sku: str
    quantity: int


class FbaShipment(_Contract):
    """One shipment from one of Amazon's centres; an order may have several, and an item may be in several."""

    shipment_id: str
    shipped_at: datetime
    center: str = ""
    items: tuple[FbaItem, ...]


class AmazonShipped(_Contract):
    """Signal `amazon_shipped`: what Amazon has shipped of an order, as far as a report tells."""

    shipments: tuple[FbaShipment, ...]


class OrderShipped(_Contract):
    """Shipments of one order."""

    order_id: str
    shipments: tuple[FbaShipment, ...]


class TellFbaShipmentsRequest(_Contract):
    """A report in the archive."""

    seller_id: str
    file: FileWanted


class TellFbaShipmentsResult(_Contract):
    """What became of the orders of a report."""

    orders: int = 0
    shipments: int = 0
    told: int = 0
    """Orders under way that were told."""
    known: int = 0
    """Closed with all of it, or told before."""
    after_close: int = 0
    """Closed with less: a workflow of its own carries it."""
    unknown: int = 0
    """Without a workflow: the reconciliation starts them."""
    remarks: tuple[str, ...] = ()


class FbaFeedInput(_Contract):
    """A look at a seller's shipments."""

    seller_id: str
    marketplace_ids: tuple[str, ...] = ()
    look_back: timedelta = timedelta(days=2)
    """How far a look reaches back behind the one before: the report tells shipments up to a day late."""
    file: FileWanted | None = None
    """A report that is in the archive already; then Amazon is not asked."""


class FbaFeedResult(_Contract):
    """The schedule's memory: the next look begins `look_back` before `until`."""

    until: datetime
    told: TellFbaShipmentsResult = TellFbaShipmentsResult()
    sentence: str = ""
