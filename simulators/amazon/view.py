"""Which part of an order an answer shows: what was asked for, what is permitted, what is known yet.

An absent key means "not requested", "not permitted" or "not yet known"; Amazon does not say which.
"""

from __future__ import annotations

from simulators.amazon.record import OrderRecord
from simulators.amazon.wire import JsonObject

DATASETS = frozenset(
    {
        "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES",
        "TAX", "PAYMENT", "FULFILLMENT_ORDERS",
    }
)  # fmt: skip
ORDER_KEYS = {
    "BUYER": "buyer",
    "RECIPIENT": "recipient",
    "PROCEEDS": "proceeds",
    "FULFILLMENT": "fulfillment",
    "PACKAGES": "packages",
    "TAX": "tax",
    "PAYMENT": "payment",
    "FULFILLMENT_ORDERS": "fulfillmentOrders",
}
ITEM_KEYS = {
    "PROCEEDS": "proceeds",
    "EXPENSE": "expense",
    "PROMOTION": "promotion",
    "CANCELLATION": "cancellation",
    "FULFILLMENT": "fulfillment",
    "TAX": "tax",
}
ORDER_BASE = (
    "orderId", "orderAliases", "createdTime", "lastUpdatedTime", "programs", "associatedOrders",
    "salesChannel",
)  # fmt: skip
ITEM_BASE = ("orderItemId", "quantityOrdered", "measurement", "associatedOrderItems", "programs", "product")

UNPAID = frozenset({"PENDING", "PENDING_AVAILABILITY"})
PLACE_KEYS = ("city", "stateOrRegion", "postalCode", "countryCode")
PERSONAL = frozenset({"BUYER", "RECIPIENT"})
MONEY = frozenset({"PROCEEDS", "EXPENSE", "PAYMENT", "TAX"})


def visible(record: OrderRecord, asked: frozenset[str], *, personal_data: bool) -> JsonObject:
    """The order as Amazon shows it to this caller. personal_data: the application has the role for it."""
    shown = asked if personal_data else asked - PERSONAL
    untold = record.status in UNPAID or not record.priced
    if untold:
        shown = shown - PERSONAL - MONEY
    body = record.body
    result: JsonObject = {key: body[key] for key in ORDER_BASE if body.get(key) is not None}
    for dataset, key in ORDER_KEYS.items():
        if dataset in shown and body.get(key):
            result[key] = body[key]
    if record.by_amazon:
        _without_people(record, result)
    items: list[JsonObject] = []
    for item in record.items:
        part: JsonObject = {key: item[key] for key in ITEM_BASE if item.get(key) is not None}
        for dataset, key in ITEM_KEYS.items():
            if dataset in shown and item.get(key):
                part[key] = item[key]
        if untold and "price" in part["product"]:
            part["product"] = {key: value for key, value in part["product"].items() if key != "price"}
        items.append(part)
    result["orderItems"] = items
    return result


def _without_people(record: OrderRecord, result: JsonObject) -> None:
    """FBA: no buyer's name or e-mail, no packages; of the recipient at most the place, often nothing."""
    buyer = result.pop("buyer", None)
    if buyer is not None:
        kept = {key: buyer[key] for key in ("buyerPurchaseOrderNumber",) if key in buyer}
        if kept:
            result["buyer"] = kept
    result.pop("packages", None)
    recipient = result.pop("recipient", None)
    address = (recipient or {}).get("deliveryAddress", {})
    place = {key: address[key] for key in PLACE_KEYS if address.get(key)}
    if place and int(record.order_id[-1]) % 3:
        result["recipient"] = {"deliveryAddress": place}
