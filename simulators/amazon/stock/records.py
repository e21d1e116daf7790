"""What Amazon keeps about stock: listings with an offer in each marketplace, changes under way, FBA pools, and the
ledger of what happened to the pieces in them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators import catalogue
from simulators.amazon.wire import JsonObject

MFN = "DEFAULT"
"""The fulfillment channel code of what the seller ships."""
CHANNELS = {"eu": "AMAZON_EU", "na": "AMAZON_NA", "fe": "AMAZON_JP"}
"""The channel code of FBA, by region."""
ONE_POOL = frozenset({"DE", "FR", "ES", "IT"})
"""Countries whose marketplaces show the same pieces. Inferred: which; the United Kingdom and Turkey have their own."""


class Record(BaseModel):
    """A record that can be written down as JSON."""

    model_config = ConfigDict(extra="forbid")


class Issue(Record):
    """One of Amazon's complaints about a listing (model listingsItems_2021-08-01, Issue)."""

    code: str
    message: str
    severity: Literal["ERROR", "WARNING", "INFO"] = "ERROR"
    attributes: list[str] = Field(default_factory=lambda: ["fulfillment_availability"])
    categories: list[str] = Field(default_factory=lambda: ["INVALID_ATTRIBUTE"])

    def shown(self) -> JsonObject:
        """As the Listings Items API answers it."""
        return {
            "code": self.code,
            "message": self.message,
            "severity": self.severity,
            "attributeNames": self.attributes,
            "categories": self.categories,
        }


class Offer(Record):
    """A listing in one marketplace. quantity: what buyers can buy now (None for FBA); submitted: what the seller last
    sent, which the attributes go on showing."""

    channel: str = MFN
    quantity: int | None = None
    submitted: int | None = None
    lead_days: int | None = None


class Listing(Record):
    """One SKU of a seller. ean: EAN or UPC by which it was listed; empty: by its ASIN. offers: by marketplace id.
    complete: False for a SKU that a change of its stock has made."""

    seller_id: str
    sku: str
    asin: str = ""
    fnsku: str = ""
    ean: str = ""
    title: str = ""
    price: str = "9.99"
    created_ms: int
    updated_ms: int
    offers: dict[str, Offer] = {}
    complete: bool = True
    issues: list[Issue] = []

    @property
    def by_amazon(self) -> bool:
        """Whether Amazon ships it anywhere."""
        return any(offer.channel != MFN for offer in self.offers.values())


class Wanted(Record):
    """One value of fulfillment_availability that somebody sent. marketplace: None for all of the request."""

    channel: str = MFN
    quantity: int | None = None
    lead_days: int | None = None
    marketplace: str | None = None
    remove: bool = False


class Change(Record):
    """An accepted change on its way to be live. source: the submission or feed that brought it."""

    number: int
    seller_id: str
    sku: str
    marketplaces: list[str]
    wanted: Wanted
    due_ms: int
    source: str


class Pool(Record):
    """The pieces of one SKU in the FBA centres of one pool (the quantities of the model fbaInventory)."""

    seller_id: str
    name: str
    sku: str
    updated_ms: int = 0
    fulfillable: int = 0
    inbound_working: int = 0
    inbound_shipped: int = 0
    inbound_receiving: int = 0
    reserved_orders: int = 0
    reserved_transfer: int = 0
    reserved_processing: int = 0
    researching: int = 0
    unfulfillable: dict[str, int] = {}
    """By disposition as the ledger spells it."""

    @property
    def total(self) -> int:
        """In an inbound shipment or in the centres."""
        inbound = self.inbound_working + self.inbound_shipped + self.inbound_receiving
        return (
            self.fulfillable + inbound + self.reserved + self.researching + sum(self.unfulfillable.values())
        )

    @property
    def reserved(self) -> int:
        """Reserved for whatever."""
        return self.reserved_orders + self.reserved_transfer + self.reserved_processing


class Entry(Record):
    """One line of the FBA ledger. reason: Amazon's code, empty but for adjustments."""

    number: int = 0
    seller_id: str
    pool: str
    sku: str
    at_ms: int
    event: Literal["Adjustments", "Shipments", "Receipts", "CustomerReturns", "VendorReturns"]
    quantity: int
    disposition: str = "SELLABLE"
    reason: str = ""
    reference: str = ""


def pool_of(marketplace_id: str) -> str:
    """The pool that a marketplace shows; the country's own where it shares none."""
    market = catalogue.MARKETPLACE_BY_ID.get(marketplace_id)
    country = market.country if market is not None else marketplace_id
    return "EU" if country in ONE_POOL else country
