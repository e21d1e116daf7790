"""GET_MERCHANT_LISTINGS_ALL_DATA: everything a seller lists in one marketplace, whether it can be bought or not.

Facts, from files that sellers have published: the columns; no quantity for what Amazon ships; a Japanese header in
Japan and a German one for sellers with German accounts; open dates with the day first in the United Kingdom, the year
first in North America, and the zone by its letters (BST, PST). Inferred: the letters of the other zones, that of
several marketplaces the first is reported, "Incomplete" for a listing without a product, and that the report is made
once in half an hour for each marketplace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from simulators import catalogue
from simulators.amazon.reports.columns import LISTINGS_GERMAN, LISTINGS_JAPANESE
from simulators.amazon.reports.frame import Frame, Row
from simulators.amazon.reports.kinds import LISTINGS
from simulators.amazon.stock.desk import StockDesk
from simulators.amazon.stock.records import MFN, Listing, Offer

__all__ = ["LISTINGS", "rows"]
Fulfillable = Callable[[Listing, str], int]
"""The pieces of an FBA listing that a marketplace can sell."""

_ZONES = {
    "GB": ("Europe/London", "%d/%m/%Y %H:%M:%S", {}),
    "US": ("America/Los_Angeles", "%Y-%m-%d %H:%M:%S", {}),
    "CA": ("America/Los_Angeles", "%Y-%m-%d %H:%M:%S", {}),
    "BR": ("America/Sao_Paulo", "%d/%m/%Y %H:%M:%S", {"-03": "BRT"}),
    "JP": ("Asia/Tokyo", "%Y/%m/%d %H:%M:%S", {}),
}
_EUROPE = ("Europe/Berlin", "%d/%m/%Y %H:%M:%S", {"CET": "MET", "CEST": "MEST"})
_HEADERS = {"de": LISTINGS_GERMAN, "ja": LISTINGS_JAPANESE}


def rows(stock: StockDesk, fulfillable: Fulfillable, frame: Frame) -> list[Row]:
    """The seller's listings in the first marketplace of the frame."""
    name = frame.marketplaces[0]
    market = catalogue.MARKETPLACE_BY_ID[name]
    language = stock.manners.language or ("ja" if market.country == "JP" else "en")
    titles = _HEADERS.get(language)
    found = [
        _row(listing, listing.offers[name], market, fulfillable)
        for listing in stock.of(frame.seller_id)
        if name in listing.offers
    ]
    if titles is None:
        return found
    return [{titles[name]: text for name, text in row.items() if name in titles} for row in found]


def _row(listing: Listing, offer: Offer, market: catalogue.Marketplace, fulfillable: Fulfillable) -> Row:
    mine = offer.channel == MFN
    pieces = (offer.quantity or 0) if mine else fulfillable(listing, market.marketplace_id)
    kind, number = _product_id(listing)
    row = {
        "listing-id": _listing_id(listing),
        "seller-sku": listing.sku,
        "quantity": str(offer.quantity or 0) if mine else "",
        "open-date": _moment(listing.created_ms, market.country),
        "item-is-marketplace": "y",
        "fulfillment-channel": offer.channel,
        "pending-quantity": "0" if mine else "",
        "merchant-shipping-group": "Migrated Template",
        "status": "Incomplete",
    }
    if not listing.complete:
        return row
    return row | {
        "item-name": listing.title,
        "price": listing.price,
        "product-id-type": kind,
        "product-id": number,
        "item-condition": "11",
        "asin1": listing.asin,
        "status": "Active" if pieces else "Inactive",
    }


def _product_id(listing: Listing) -> tuple[str, str]:
    """By which number it was listed: 1 ASIN, 3 UPC, 4 EAN."""
    if not listing.ean:
        return "1", listing.asin
    return ("3" if len(listing.ean) == 12 else "4"), listing.ean


def _listing_id(listing: Listing) -> str:
    """Month, day, and seven letters or digits."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    digest = hashlib.blake2b(f"{listing.seller_id} {listing.sku}".encode(), digest_size=7).digest()
    at = datetime.fromtimestamp(listing.created_ms // 1000, UTC)
    return f"{at:%m%d}{''.join(letters[byte % 36] for byte in digest)}"


def _moment(at_ms: int, country: str) -> str:
    zone, shape, names = _ZONES.get(country, _EUROPE)
    at = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone))
    letters = at.tzname() or ""
    return f"{at.strftime(shape)} {names.get(letters, letters)}"
