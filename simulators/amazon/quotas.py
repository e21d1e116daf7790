"""Amazon's usage plans: one token bucket per application, selling partner and operation.

Rates and bursts are those of the published models (orders_2026-01-01, ordersV0, sellers,
fulfillmentOutbound_2020-07-01, fulfillmentOutbound_2026-07-04, reports_2021-06-30, tokens_2021-03-01,
notifications, finances_2024-06-19, listingsItems_2021-08-01, feeds_2021-06-30, fbaInventory,
catalogItems_2022-04-01).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """rate: requests per second that flow back into the bucket. burst: what the bucket holds."""

    rate: float
    burst: int


PLANS: dict[str, Plan] = {
    "searchOrders": Plan(0.0056, 20),
    "getOrder": Plan(0.5, 30),
    "confirmShipment": Plan(2.0, 10),
    "getOrders": Plan(0.0167, 20),
    "getOrderV0": Plan(0.5, 30),
    "getOrderItems": Plan(0.5, 30),
    "getMarketplaceParticipations": Plan(0.016, 15),
    "listTransactions": Plan(0.5, 10),
    "createReport": Plan(0.0167, 15),
    "getReport": Plan(2.0, 15),
    "getReports": Plan(0.0222, 10),
    "cancelReport": Plan(0.0222, 10),
    "getReportDocument": Plan(0.0167, 15),
    "createRestrictedDataToken": Plan(1.0, 10),
    "getListingsItem": Plan(5.0, 10),
    "patchListingsItem": Plan(5.0, 5),
    "getInventorySummaries": Plan(2.0, 2),
    "searchCatalogItems": Plan(2.0, 2),
    "getCatalogItem": Plan(2.0, 2),
    "createFeedDocument": Plan(0.5, 15),
    "createFeed": Plan(0.0083, 15),
    "getFeed": Plan(2.0, 15),
    "cancelFeed": Plan(2.0, 15),
    "getFeeds": Plan(0.0222, 10),
    "getFeedDocument": Plan(0.0222, 10),
}
PLANS.update(
    dict.fromkeys(
        (
            "createFulfillmentOrder", "getFulfillmentOrder", "listAllFulfillmentOrders",
            "cancelFulfillmentOrder", "getPackageTrackingDetails", "createOrder", "getOutboundOrder",
            "cancelOrder",
        ),
        Plan(2.0, 30),
    )
)  # fmt: skip

PLANS.update(
    dict.fromkeys(
        (
            "createDestination", "getDestination", "getDestinations", "deleteDestination",
            "createSubscription", "getSubscription", "getSubscriptions", "getSubscriptionById",
            "deleteSubscriptionById", "sendTestNotification",
        ),
        Plan(1.0, 5),
    )
)  # fmt: skip


@dataclass
class _Bucket:
    tokens: float
    at_ms: int


class Quotas:
    """All buckets of the simulator. factor multiplies the rates, for demonstrations."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def rate(self, operation: str) -> float:
        """Requests per second allowed for this operation."""
        return PLANS[operation].rate * self.factor

    def take(self, application: str, seller: str, operation: str, now_ms: int) -> bool:
        """Take one token; False when the bucket is empty."""
        key = (application, seller, operation)
        burst = PLANS[operation].burst
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(burst), now_ms)
        bucket.tokens = min(burst, bucket.tokens + (now_ms - bucket.at_ms) / 1000 * self.rate(operation))
        bucket.at_ms = now_ms
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def view(self) -> list[dict[str, object]]:
        """What is left in each bucket (as of its last use), for ``GET /_control/state``."""
        return [
            {"seller": seller, "operation": operation, "left": round(bucket.tokens, 2)}
            for (_, seller, operation), bucket in self._buckets.items()
        ]
