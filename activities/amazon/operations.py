"""The Amazon operations this service calls, with the usage plan Amazon documents for each.

Source: the "Usage Plan" tables in the operation descriptions of Amazon's published Swagger models, which
`source` names. A selling partner may have been given another rate; the answer's `x-amzn-RateLimit-Limit` then
says so.
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


_ORDERS: Final = "orders_2026-01-01.json"
_REPORTS: Final = "reports_2021-06-30.json"
_FEEDS: Final = "feeds_2021-06-30.json"
_FINANCES: Final = "finances_2024-06-19.json"
_CATALOG: Final = "catalogItems_2022-04-01.json"


def _notifications(name: str, method: str, path: str) -> Operation:
    return Operation(name, method, f"/notifications/v1{path}", 1.0, 5, "notifications.json")


def _listings(name: str, method: str, path: str, burst: int) -> Operation:
    return Operation(
        name, method, f"/listings/2021-08-01/items{path}", 5.0, burst, "listingsItems_2021-08-01.json"
    )


def _outbound(name: str, method: str, path: str) -> Operation:
    return Operation(
        name, method, f"/fba/outbound/2020-07-01{path}", 2.0, 30, "fulfillmentOutbound_2020-07-01.json"
    )


SEARCH_ORDERS: Final = Operation("searchOrders", "GET", "/orders/2026-01-01/orders", 0.0056, 20, _ORDERS)
GET_ORDER: Final = Operation("getOrder", "GET", "/orders/2026-01-01/orders/{orderId}", 0.5, 30, _ORDERS)
CONFIRM_SHIPMENT: Final = Operation(
    "confirmShipment", "POST", "/orders/v0/orders/{orderId}/shipmentConfirmation", 2.0, 10, "ordersV0.json"
)
MARKETPLACE_PARTICIPATIONS: Final = Operation(
    "getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", 0.016, 15, "sellers.json"
)
ORDER_OPERATIONS: Final = (SEARCH_ORDERS, GET_ORDER, CONFIRM_SHIPMENT, MARKETPLACE_PARTICIPATIONS)
"""What carrying orders takes, and the question asked before it starts."""

CREATE_RESTRICTED_DATA_TOKEN: Final = Operation(
    "createRestrictedDataToken",
    "POST",
    "/tokens/2021-03-01/restrictedDataToken",
    1.0,
    10,
    "tokens_2021-03-01.json",
)

CREATE_REPORT: Final = Operation("createReport", "POST", "/reports/2021-06-30/reports", 0.0167, 15, _REPORTS)
GET_REPORT: Final = Operation("getReport", "GET", "/reports/2021-06-30/reports/{reportId}", 2.0, 15, _REPORTS)
GET_REPORTS: Final = Operation("getReports", "GET", "/reports/2021-06-30/reports", 0.0222, 10, _REPORTS)
CANCEL_REPORT: Final = Operation(
    "cancelReport", "DELETE", "/reports/2021-06-30/reports/{reportId}", 0.0222, 10, _REPORTS
)
GET_REPORT_DOCUMENT: Final = Operation(
    "getReportDocument", "GET", "/reports/2021-06-30/documents/{reportDocumentId}", 0.0167, 15, _REPORTS
)
REPORT_OPERATIONS: Final = (CREATE_REPORT, GET_REPORT, GET_REPORTS, CANCEL_REPORT, GET_REPORT_DOCUMENT)

CREATE_FEED_DOCUMENT: Final = Operation(
    "createFeedDocument", "POST", "/feeds/2021-06-30/documents", 0.5, 15, _FEEDS
)
CREATE_FEED: Final = Operation("createFeed", "POST", "/feeds/2021-06-30/feeds", 0.0083, 15, _FEEDS)
GET_FEED: Final = Operation("getFeed", "GET", "/feeds/2021-06-30/feeds/{feedId}", 2.0, 15, _FEEDS)
GET_FEEDS: Final = Operation("getFeeds", "GET", "/feeds/2021-06-30/feeds", 0.0222, 10, _FEEDS)
CANCEL_FEED: Final = Operation("cancelFeed", "DELETE", "/feeds/2021-06-30/feeds/{feedId}", 2.0, 15, _FEEDS)
GET_FEED_DOCUMENT: Final = Operation(
    "getFeedDocument", "GET", "/feeds/2021-06-30/documents/{feedDocumentId}", 0.0222, 10, _FEEDS
)
FEED_OPERATIONS: Final = (
    CREATE_FEED_DOCUMENT, CREATE_FEED, GET_FEED, GET_FEEDS, CANCEL_FEED, GET_FEED_DOCUMENT,
)  # fmt: skip

CREATE_DESTINATION: Final = _notifications("createDestination", "POST", "/destinations")
GET_DESTINATIONS: Final = _notifications("getDestinations", "GET", "/destinations")
GET_DESTINATION: Final = _notifications("getDestination", "GET", "/destinations/{destinationId}")
DELETE_DESTINATION: Final = _notifications("deleteDestination", "DELETE", "/destinations/{destinationId}")
CREATE_SUBSCRIPTION: Final = _notifications("createSubscription", "POST", "/subscriptions/{notificationType}")
GET_SUBSCRIPTION: Final = _notifications("getSubscription", "GET", "/subscriptions/{notificationType}")
GET_SUBSCRIPTIONS: Final = _notifications("getSubscriptions", "GET", "/subscriptions")
GET_SUBSCRIPTION_BY_ID: Final = _notifications(
    "getSubscriptionById", "GET", "/subscriptions/{notificationType}/{subscriptionId}"
)
DELETE_SUBSCRIPTION_BY_ID: Final = _notifications(
    "deleteSubscriptionById", "DELETE", "/subscriptions/{notificationType}/{subscriptionId}"
)
SEND_TEST_NOTIFICATION: Final = _notifications(
    "sendTestNotification", "POST", "/subscriptions/{notificationType}/testNotification"
)
NOTIFICATION_OPERATIONS: Final = (
    CREATE_DESTINATION, GET_DESTINATIONS, GET_DESTINATION, DELETE_DESTINATION, CREATE_SUBSCRIPTION,
    GET_SUBSCRIPTION, GET_SUBSCRIPTIONS, GET_SUBSCRIPTION_BY_ID, DELETE_SUBSCRIPTION_BY_ID,
    SEND_TEST_NOTIFICATION,
)  # fmt: skip

LIST_TRANSACTIONS: Final = Operation(
    "listTransactions", "GET", "/finances/2024-06-19/transactions", 0.5, 10, _FINANCES
)
LIST_BALANCES: Final = Operation("listBalances", "GET", "/finances/2024-06-19/balances", 0.5, 10, _FINANCES)
LIST_SUMMARY: Final = Operation("listSummary", "GET", "/finances/2024-06-19/summary", 0.5, 10, _FINANCES)
FINANCE_OPERATIONS: Final = (LIST_TRANSACTIONS, LIST_BALANCES, LIST_SUMMARY)

GET_INVENTORY_SUMMARIES: Final = Operation(
    "getInventorySummaries", "GET", "/fba/inventory/v1/summaries", 2.0, 2, "fbaInventory.json"
)
SEARCH_CATALOG_ITEMS: Final = Operation(
    "searchCatalogItems", "GET", "/catalog/2022-04-01/items", 2.0, 2, _CATALOG
)
GET_CATALOG_ITEM: Final = Operation(
    "getCatalogItem", "GET", "/catalog/2022-04-01/items/{asin}", 2.0, 2, _CATALOG
)

GET_LISTINGS_ITEM: Final = _listings("getListingsItem", "GET", "/{sellerId}/{sku}", 10)
PUT_LISTINGS_ITEM: Final = _listings("putListingsItem", "PUT", "/{sellerId}/{sku}", 10)
PATCH_LISTINGS_ITEM: Final = _listings("patchListingsItem", "PATCH", "/{sellerId}/{sku}", 5)
DELETE_LISTINGS_ITEM: Final = _listings("deleteListingsItem", "DELETE", "/{sellerId}/{sku}", 5)
SEARCH_LISTINGS_ITEMS: Final = _listings("searchListingsItems", "GET", "/{sellerId}", 5)
ITEM_OPERATIONS: Final = (
    GET_INVENTORY_SUMMARIES, SEARCH_CATALOG_ITEMS, GET_CATALOG_ITEM, GET_LISTINGS_ITEM, PUT_LISTINGS_ITEM,
    PATCH_LISTINGS_ITEM, DELETE_LISTINGS_ITEM, SEARCH_LISTINGS_ITEMS,
)  # fmt: skip

_ORDER: Final = "/fulfillmentOrders/{sellerFulfillmentOrderId}"
GET_FULFILLMENT_PREVIEW: Final = _outbound("getFulfillmentPreview", "POST", "/fulfillmentOrders/preview")
CREATE_FULFILLMENT_ORDER: Final = _outbound("createFulfillmentOrder", "POST", "/fulfillmentOrders")
LIST_FULFILLMENT_ORDERS: Final = _outbound("listAllFulfillmentOrders", "GET", "/fulfillmentOrders")
GET_FULFILLMENT_ORDER: Final = _outbound("getFulfillmentOrder", "GET", _ORDER)
UPDATE_FULFILLMENT_ORDER: Final = _outbound("updateFulfillmentOrder", "PUT", _ORDER)
CANCEL_FULFILLMENT_ORDER: Final = _outbound("cancelFulfillmentOrder", "PUT", f"{_ORDER}/cancel")
CREATE_FULFILLMENT_RETURN: Final = _outbound("createFulfillmentReturn", "PUT", f"{_ORDER}/return")
LIST_RETURN_REASON_CODES: Final = _outbound("listReturnReasonCodes", "GET", "/returnReasonCodes")
GET_PACKAGE_TRACKING_DETAILS: Final = _outbound("getPackageTrackingDetails", "GET", "/tracking")
OUTBOUND_OPERATIONS: Final = (
    GET_FULFILLMENT_PREVIEW, CREATE_FULFILLMENT_ORDER, LIST_FULFILLMENT_ORDERS, GET_FULFILLMENT_ORDER,
    UPDATE_FULFILLMENT_ORDER, CANCEL_FULFILLMENT_ORDER, CREATE_FULFILLMENT_RETURN, LIST_RETURN_REASON_CODES,
    GET_PACKAGE_TRACKING_DETAILS,
)  # fmt: skip

OPERATIONS: Final[tuple[Operation, ...]] = (
    *ORDER_OPERATIONS,
    CREATE_RESTRICTED_DATA_TOKEN,
    *REPORT_OPERATIONS,
    *FEED_OPERATIONS,
    *NOTIFICATION_OPERATIONS,
    *FINANCE_OPERATIONS,
    *ITEM_OPERATIONS,
    *OUTBOUND_OPERATIONS,
)
"""Every operation of Amazon's that this service uses or will use."""

ENDPOINTS: Final[dict[str, str]] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
"""SP-API endpoint by region; a refresh token belongs to one region."""

PAGE_SIZE: Final = 100
"""maxResultsPerPage of searchOrders, the most Amazon allows."""
