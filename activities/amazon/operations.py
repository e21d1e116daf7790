"""The Amazon operations this service calls, with the usage plan Amazon documents for each.

Source: the "Usage Plan" tables in the operation descriptions of Amazon's published Swagger models
(orders_2026-01-01, ordersV0, sellers, fulfillmentOutbound_2020-07-01). A selling partner may have been given more; the
answer's `x-amzn-RateLimit-Limit` then says so.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class Operation:
    """One operation: where it lives and how often it may be called.

    rate: calls per second that Amazon refills, per application and selling partner.
    burst: calls that may be made at once after a quiet spell.
    """

    name: str
    method: str
    path: str
    rate: float
    burst: int
    source: str

    @property
    def interval(self) -> timedelta:
        """Time after which Amazon has refilled one call."""
        return timedelta(seconds=1 / self.rate)

    @property
    def refill(self) -> timedelta:
        """Quiet time after which the whole burst is there again."""
        return timedelta(seconds=self.burst / self.rate)


SEARCH_ORDERS: Final = Operation(
    "searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20, "orders_2026-01-01.json"
)
GET_ORDER: Final = Operation(
    "getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30, "orders_2026-01-01.json"
)
CONFIRM_SHIPMENT: Final = Operation(
    "confirmShipment", "POST", "/orders/v0/orders/{orderId}/shipmentConfirmation", 2.0, 10, "ordersV0.json"
)
MARKETPLACE_PARTICIPATIONS: Final = Operation(
    "getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", 0.016, 15, "sellers.json"
)


def _outbound(name: str, method: str, path: str) -> Operation:
    return Operation(
        name, method, f"/fba/outbound/2020-07-01{path}", 2.0, 30, "fulfillmentOutbound_2020-07-01.json"
    )


_ORDER: Final = "/fulfillmentOrders/{sellerFulfillmentOrderId}"
CREATE_FULFILLMENT_ORDER: Final = _outbound("createFulfillmentOrder", "POST", "/fulfillmentOrders")
GET_FULFILLMENT_ORDER: Final = _outbound("getFulfillmentOrder", "GET", _ORDER)
CANCEL_FULFILLMENT_ORDER: Final = _outbound("cancelFulfillmentOrder", "PUT", f"{_ORDER}/cancel")
GET_PACKAGE_TRACKING_DETAILS: Final = _outbound("getPackageTrackingDetails", "GET", "/tracking")
OUTBOUND_OPERATIONS: Final = (
    CREATE_FULFILLMENT_ORDER, GET_FULFILLMENT_ORDER, CANCEL_FULFILLMENT_ORDER, GET_PACKAGE_TRACKING_DETAILS,
)  # fmt: skip

OPERATIONS: Final[tuple[Operation, ...]] = (
    SEARCH_ORDERS,
    GET_ORDER,
    CONFIRM_SHIPMENT,
    MARKETPLACE_PARTICIPATIONS,
)
"""What carrying Amazon's orders takes, and the question asked before it starts."""

ENDPOINTS: Final[dict[str, str]] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
"""SP-API endpoint by region; a refresh token belongs to one region."""

PAGE_SIZE: Final = 100
"""maxResultsPerPage of searchOrders, the most Amazon allows."""
