"""The parameters of getOrders (Orders v0), and its page tokens.

By the model ordersV0.json. Inferred from what clients in use do (airbyte's source asks for the next page with
MarketplaceIds and NextToken alone): a page token carries the search it continues, and what else is asked
beside it is not looked at.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Final

from starlette.datastructures import QueryParams

from simulators.amazon.pages import LIFETIME_MS, Position
from simulators.amazon.query import MAX_MARKETPLACES, ORDER_ID, Search, listed, moment
from simulators.amazon.wire import denied, invalid

STATUSES: Final = {
    "PendingAvailability": "PENDING_AVAILABILITY",
    "Pending": "PENDING",
    "Unshipped": "UNSHIPPED",
    "PartiallyShipped": "PARTIALLY_SHIPPED",
    "Shipped": "SHIPPED",
    "Canceled": "CANCELLED",
    "Unfulfillable": "UNFULFILLABLE",
}
"""fulfillmentStatus of the 2026-01-01 model by OrderStatus."""
CHANNELS: Final = {"AFN": "AMAZON", "MFN": "MERCHANT"}
"""fulfilledBy by FulfillmentChannel."""
MAX_IDS: Final = 50
UNKNOWN_HERE: Final = (
    "PaymentMethods", "BuyerEmail", "SellerOrderId", "EasyShipShipmentStatuses", "ElectronicInvoiceStatuses",
    "ActualFulfillmentSupplySourceId", "IsISPU", "StoreChainStoreId", "EarliestDeliveryDateBefore",
    "EarliestDeliveryDateAfter", "LatestDeliveryDateBefore", "LatestDeliveryDateAfter",
)  # fmt: skip
"""Filters of the model this Amazon has no facts for; ignoring one would give a wrong list."""


def marketplaces(params: QueryParams, sold_in: set[str]) -> frozenset[str]:
    """MarketplaceIds, which getOrders always needs; 403 for one in which the seller does not sell."""
    asked = listed(params, "MarketplaceIds")
    if not asked:
        raise invalid("MarketplaceIds is missing in the request.")
    if len(asked) > MAX_MARKETPLACES:
        raise invalid(f"MarketplaceIds takes at most {MAX_MARKETPLACES} values.")
    if not asked <= sold_in:
        raise denied("The seller does not sell in one of the marketplaces.")
    return asked


def order_ids(params: QueryParams) -> tuple[str, ...]:
    """AmazonOrderIds in the order asked for."""
    asked = dict.fromkeys(
        part for value in params.getlist("AmazonOrderIds") for part in value.split(",") if part
    )
    if len(asked) > MAX_IDS:
        raise invalid(f"AmazonOrderIds takes at most {MAX_IDS} values.")
    if not all(ORDER_ID.fullmatch(order_id) for order_id in asked):
        raise invalid("AmazonOrderIds is not valid.", "An order identifier has 3-7-7 digits.")
    return tuple(asked)


def search(params: QueryParams, asked: frozenset[str], now_ms: int, blind_ms: int) -> Search:
    """Check a getOrders request without a page token. blind_ms: how old the *Before moment must be."""
    for name in UNKNOWN_HERE:
        if name in params:
            raise invalid(f"{name} is not supported.", "This pretended Amazon has no facts to filter by it.")
    by_update = "LastUpdatedAfter" in params
    _check_dates(params, by_update=by_update)
    stem = "LastUpdated" if by_update else "Created"
    after_ms = moment(params, f"{stem}After")
    latest = now_ms - blind_ms
    before_ms = moment(params, f"{stem}Before") if f"{stem}Before" in params else latest
    if before_ms > latest:
        message = f"{stem}Before must be at least 2 minutes before the current time."
        raise invalid(message, "Please provide a date that is at least 2 minutes before current time.")
    if before_ms < after_ms and f"{stem}Before" in params:
        raise invalid(f"{stem}Before must be equal to or after {stem}After.")
    statuses = listed(params, "OrderStatuses", frozenset(STATUSES) | {"InvoiceUnconfirmed"})
    channels = listed(params, "FulfillmentChannels", frozenset(CHANNELS))
    return Search(
        by_update=by_update,
        after_ms=after_ms,
        before_ms=before_ms,
        # What asks for InvoiceUnconfirmed alone (Brazil) finds nothing here, not everything.
        statuses=frozenset(STATUSES.get(status, status) for status in statuses),
        marketplaces=asked,
        fulfilled_by=frozenset(CHANNELS[channel] for channel in channels),
        page_size=_page_size(params.get("MaxResultsPerPage")),
        datasets=frozenset(),
        page_token=None,
        canonical="",
    )


class PageTokensV0:
    """Writes and reads getOrders' NextToken: opaque, signed, with the whole search in it."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.blake2b(f"pages v0 {seed}".encode(), digest_size=32).digest()

    def write(self, search: Search, seller_id: str, position: Position, now_ms: int) -> str:
        """The NextToken that continues `search` after `position`."""
        claims = [
            search.by_update, search.after_ms, sorted(search.statuses), sorted(search.marketplaces),
            sorted(search.fulfilled_by), search.page_size, position.moment_ms, position.order_id,
            position.before_ms, now_ms + LIFETIME_MS,
        ]  # fmt: skip
        body = json.dumps(claims).encode()
        return base64.b64encode(self._seal(body, seller_id) + body).decode()

    def read(self, token: str, seller_id: str, now_ms: int) -> tuple[Search, Position]:
        """The search and the position in it; ApiError 400 for a token that is old, broken or another's."""
        try:
            sealed = base64.b64decode(token, validate=True)
        except ValueError:
            raise invalid("NextToken is not valid.") from None
        seal, body = sealed[:12], sealed[12:]
        if seal != self._seal(body, seller_id):
            raise invalid("NextToken is not valid.")
        (
            by_update, after_ms, statuses, marketplaces, fulfilled_by, page_size, moment_ms, order_id,
            before_ms, expires_ms,
        ) = json.loads(body)  # fmt: skip
        if expires_ms <= now_ms:
            raise invalid("NextToken has expired.")
        search = Search(
            by_update=by_update,
            after_ms=after_ms,
            before_ms=before_ms,
            statuses=frozenset(statuses),
            marketplaces=frozenset(marketplaces),
            fulfilled_by=frozenset(fulfilled_by),
            page_size=page_size,
            datasets=frozenset(),
            page_token=token,
            canonical="",
        )
        return search, Position(moment_ms, order_id, before_ms)

    def _seal(self, body: bytes, seller_id: str) -> bytes:
        return hashlib.blake2b(body + seller_id.encode(), key=self._key, digest_size=12).digest()


def _check_dates(params: QueryParams, *, by_update: bool) -> None:
    if not by_update and "CreatedAfter" not in params:
        raise invalid("Either the CreatedAfter parameter or the LastUpdatedAfter parameter is required.")
    strangers = ("CreatedAfter", "CreatedBefore") if by_update else ("LastUpdatedAfter", "LastUpdatedBefore")
    for name in strangers:
        if name in params:
            chosen = "LastUpdatedAfter" if by_update else "CreatedAfter"
            raise invalid(f"{name} cannot be set when {chosen} is set.")


def _page_size(text: str | None) -> int:
    if text is None:
        return 100
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= 100:
        raise invalid("MaxResultsPerPage must be between 1 and 100.")
    return int(text)
