"""The three things this service says to Amazon about orders, and the one it asks before it starts.

Orders are read with Orders 2026-01-01 (its bodies are not wrapped in `payload`); shipments are confirmed with
Orders v0 `confirmShipment`, which has no successor. Every method raises `AmazonError` and nothing else of the
network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import structlog

from activities.amazon.catalog import Catalog
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.feeds import Feeds
from activities.amazon.finances import Finances
from activities.amazon.fulfillment import FulfillmentOutbound, FulfillmentPort
from activities.amazon.fulfillment_2026 import FulfillmentOutbound2026
from activities.amazon.inventory import Inventory
from activities.amazon.listings import Listings
from activities.amazon.lwa import TokenCache
from activities.amazon.operations import (
    CONFIRM_SHIPMENT,
    GET_ORDER,
    MARKETPLACE_PARTICIPATIONS,
    PAGE_SIZE,
    SEARCH_ORDERS,
    Operation,
)
from activities.amazon.reports import Reports
from activities.amazon.transport import QuotaEar, Transport

ORDER_DATA: Final = ("RECIPIENT", "PROCEEDS", "TAX", "FULFILLMENT", "CANCELLATION")
"""What booking an order takes. BUYER is never asked for: no rule needs the buyer's own name. The recipient is
needed for what the merchant ships and cannot be asked for by channel: one call reads both kinds, and of the
orders it ships itself Amazon tells little."""
FACTS_DATA: Final = ("PROCEEDS", "TAX", "FULFILLMENT", "CANCELLATION")
"""What the audit compares: no personal data."""
PACKAGE_DATA: Final = ("FULFILLMENT", "PACKAGES")

OPTIONAL_DATA: Final = frozenset({"CANCELLATION"})
"""Left out when Amazon refuses a call for naming them. Amazon has answered 400 to a valid dataset for weeks
(FULFILLMENT in the Far East, August 2026). Without what is not in this set no order can be booked right, so
for those the call is tried again instead."""

FRESHEST: Final = timedelta(minutes=2, seconds=5)
"""Amazon refuses a *Before younger than two minutes; five seconds are left for clocks that differ."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Period:
    """Which orders are asked for: exactly one of created/updated, as Amazon wants it."""

    after: datetime
    before: datetime | None = None
    by_creation: bool = False


@dataclass(frozen=True)
class OrderPage:
    """One page of orders as Amazon sent them; an entry that is no object is an empty one."""

    orders: tuple[Mapping[str, object], ...] = ()
    next_token: str = ""
    horizon: datetime | None = None
    """lastUpdatedBefore or createdBefore that Amazon applied: everything up to it has been listed."""


@dataclass(frozen=True)
class ShipmentConfirmation:
    """`packageDetail` of confirmShipment (ordersV0.json, PackageDetail)."""

    marketplace_id: str
    reference: str
    """packageReferenceId: string of a positive number."""
    carrier_code: str
    carrier_name: str
    method: str
    tracking_number: str
    shipped_at: datetime
    items: Mapping[str, int] = field(default_factory=dict)
    """Quantity by order item id."""


class AmazonClient:
    """One selling partner in one region.

    `http` is shared between clients and closed by whoever made it. `quota_factor`: how many times Amazon's
    documented rates this partner has. `outbound_api`: version of Fulfillment Outbound.
    """

    def __init__(
        self,
        *,
        seller_id: str,
        endpoint: str,
        tokens: TokenCache,
        http: httpx.AsyncClient,
        marketplace_ids: Sequence[str] = (),
        quota_factor: float = 1.0,
        outbound_api: str = "2020-07-01",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.seller_id = seller_id
        self.marketplace_ids = tuple(marketplace_ids)
        self.tokens = tokens
        self.now = now
        self._transport = Transport(endpoint, tokens, http, quota_factor)
        newest = outbound_api == "2026-07-04"
        outbound = FulfillmentOutbound2026 if newest else FulfillmentOutbound
        self.finances = Finances(self._transport, now)
        self.fulfillment: FulfillmentPort = outbound(self._transport)
        self.reports = Reports(self._transport)
        self.inventory = Inventory(self._transport)
        self.listings = Listings(self._transport, seller_id)
        self.feeds = Feeds(self._transport)
        self.catalog = Catalog(self._transport)

    def tell(self, ear: QuotaEar) -> None:
        """Let `ear` hear of every call, 429 and rate."""
        self._transport.ear = ear

    async def search_orders(
        self,
        period: Period,
        *,
        token: str = "",
        included_data: Sequence[str] = ORDER_DATA,
        page_size: int = PAGE_SIZE,
        only: Mapping[str, str] | None = None,
    ) -> OrderPage:
        """One searchOrders page (0.0056 calls/s, burst 20; up to 100 orders).

        `only`: further conditions by Amazon's names, such as ``fulfilledBy``. `token` continues a search; Amazon
        keeps it for 24 hours. Where the period ends in the last two minutes, its end is left out; Amazon then
        applies its own and says which, the same one for every page. A period that lies in them altogether is an
        empty page without a call.
        """
        freshest = self.now() - FRESHEST
        if period.after > freshest:
            return OrderPage(horizon=period.after)
        kind = "created" if period.by_creation else "lastUpdated"
        query = {f"{kind}After": timestamp(period.after), "maxResultsPerPage": str(page_size)}
        if period.before is not None and period.before <= freshest:
            query[f"{kind}Before"] = timestamp(period.before)
        if self.marketplace_ids:
            query["marketplaceIds"] = ",".join(self.marketplace_ids)
        query |= only or {}
        if token:
            query["paginationToken"] = token
        answer = await self._with_data(SEARCH_ORDERS, query, included_data)
        orders = answer.get("orders")
        if not isinstance(orders, list):
            raise _misread(SEARCH_ORDERS, "orders")
        pagination = answer.get("pagination")
        next_token = pagination.get("nextToken") if isinstance(pagination, dict) else None
        return OrderPage(
            tuple(order if isinstance(order, dict) else {} for order in orders),
            str(next_token or ""),
            _moment(answer.get(f"{kind}Before")),
        )

    async def get_order(
        self, order_id: str, included_data: Sequence[str] = ORDER_DATA
    ) -> Mapping[str, object]:
        """The order as Amazon sends it (0.5 calls/s, burst 30)."""
        answer = await self._with_data(GET_ORDER, {}, included_data, order_id)
        order = answer.get("order")
        if not isinstance(order, dict):
            raise _misread(GET_ORDER, "order")
        return order

    async def confirm_shipment(self, order_id: str, shipment: ShipmentConfirmation) -> None:
        """Tell Amazon about one package (2 calls/s, burst 10; 204 without a body).

        The same reference again edits the package instead of making a second one.
        """
        package: dict[str, object] = {
            "packageReferenceId": shipment.reference,
            "carrierCode": shipment.carrier_code,
            "trackingNumber": shipment.tracking_number,
            "shipDate": timestamp(shipment.shipped_at),
            "orderItems": [
                {"orderItemId": item, "quantity": quantity} for item, quantity in shipment.items.items()
            ],
        }
        if shipment.carrier_name:
            package["carrierName"] = shipment.carrier_name
        if shipment.method:
            package["shippingMethod"] = shipment.method
        body = {"marketplaceId": shipment.marketplace_id, "packageDetail": package}
        await self._transport.call(CONFIRM_SHIPMENT, order_id=order_id, body=body)

    async def marketplaces(self) -> frozenset[str]:
        """Ids of the marketplaces this seller takes part in (0.016 calls/s, burst 15)."""
        answer = await self._transport.call(MARKETPLACE_PARTICIPATIONS)
        payload = answer.get("payload")
        if not isinstance(payload, list):
            raise _misread(MARKETPLACE_PARTICIPATIONS, "payload")
        return frozenset(
            str(entry["marketplace"]["id"])
            for entry in payload
            if entry.get("participation", {}).get("isParticipating", False)
        )

    async def _with_data(
        self, operation: Operation, query: Mapping[str, str], data: Sequence[str], order_id: str = ""
    ) -> dict[str, object]:
        """Call with `includedData`; once more without the optional datasets that a 400 names."""
        asked = {**query, "includedData": ",".join(data)}
        try:
            return await self._transport.call(operation, order_id=order_id, query=asked)
        except AmazonError as error:
            named = {name for name in OPTIONAL_DATA.intersection(data) if name in error.message.upper()}
            if error.failure is not Failure.REFUSED or not named:
                raise
            _log.warning(
                "amazon_dataset_refused",
                operation=operation.name,
                datasets=sorted(named),
                request_id=error.request_id,
            )
        rest = ",".join(name for name in data if name not in named)
        return await self._transport.call(operation, order_id=order_id, query={**query, "includedData": rest})


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with Z, to the second: Amazon refuses an offset such as +09:00."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _misread(operation: Operation, key: str) -> AmazonError:
    return AmazonError(
        Failure.UNAVAILABLE, operation.name, status=200, message=f"the answer has no usable '{key}'"
    )
