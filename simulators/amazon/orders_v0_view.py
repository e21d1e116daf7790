"""Orders in the shape of Amazon's v0 model, made from the 2026-01-01 facts the world keeps.

By the model ordersV0.json and Amazon's own field map from v0 to 2026-01-01 (migration guide). No caller of
this Amazon holds a restricted data token, so buyers are never named: of the address only the place is shown,
and BuyerInfo stays away. While an order is pending, no amounts are told at all. That a discount is told as
a positive amount follows the model's sandbox examples.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from simulators.amazon.orders_v0_query import CHANNELS, STATUSES
from simulators.amazon.prices import amount_of
from simulators.amazon.record import OrderRecord, fulfilled, unfulfilled
from simulators.amazon.view import PLACE_KEYS, UNPAID
from simulators.amazon.wire import JsonObject

_STATUS: Final = {new: old for old, new in STATUSES.items()}
_CHANNEL: Final = {new: old for old, new in CHANNELS.items()}
_REPLACING: Final = frozenset({"REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID"})
_LEVELS: Final = {
    "STANDARD": "Standard", "EXPEDITED": "Expedited", "SECOND_DAY": "SecondDay", "NEXT_DAY": "NextDay",
    "SAME_DAY": "SameDay",
}  # fmt: skip
_WINDOWS: Final = {
    "shipByWindow": ("EarliestShipDate", "LatestShipDate"),
    "deliverByWindow": ("EarliestDeliveryDate", "LatestDeliveryDate"),
}
_PARTS: Final = {"ITEM": "ItemPrice", "SHIPPING": "ShippingPrice", "COD_FEE": "CODFee"}
_TAXES: Final = {"ITEM": "ItemTax", "SHIPPING": "ShippingTax", "DISCOUNT": "PromotionDiscountTax"}


def order(record: OrderRecord) -> JsonObject:
    """Model Order."""
    body = record.body
    channel = body["salesChannel"]
    programs = body.get("programs", [])
    shown: JsonObject = {
        "AmazonOrderId": record.order_id,
        "PurchaseDate": _to_seconds(body["createdTime"]),
        "LastUpdateDate": _to_seconds(body["lastUpdatedTime"]),
        "OrderStatus": _STATUS[record.status],
        "NumberOfItemsShipped": sum(fulfilled(item) for item in record.items),
        "NumberOfItemsUnshipped": sum(unfulfilled(item) for item in record.items),
        "PaymentMethod": "Other",
        "PaymentMethodDetails": ["Standard"],
        "OrderType": "Preorder" if "PREORDER" in programs else "StandardOrder",
        "IsBusinessOrder": "AMAZON_BUSINESS" in programs,
        "IsPrime": "PRIME" in programs,
        "IsPremiumOrder": "PREMIUM" in programs,
        "IsGlobalExpressEnabled": False,
        "IsSoldByAB": False,
        "IsISPU": "IN_STORE_PICK_UP" in programs,
        "IsReplacementOrder": False,
    }
    if "marketplaceId" in channel:
        shown["MarketplaceId"] = channel["marketplaceId"]
    if "marketplaceName" in channel:
        shown["SalesChannel"] = channel["marketplaceName"]
    for alias in body.get("orderAliases", []):
        if alias["aliasType"] == "SELLER_ORDER_ID":
            shown["SellerOrderId"] = alias["aliasId"]
    for origin in body.get("associatedOrders", []):
        if origin["associationType"] in _REPLACING:
            shown.update(IsReplacementOrder=True, ReplacedOrderId=origin["orderId"])
    _add_fulfillment(shown, body["fulfillment"])
    total = body.get("proceeds", {}).get("grandTotal")
    if total is not None and _told(record):
        shown["OrderTotal"] = _money(amount_of(total), total["currencyCode"])
    place = _place(record)
    if place:
        shown["ShippingAddress"] = place
    return shown


def items(record: OrderRecord) -> JsonObject:
    """Model OrderItemsList: all items of the order on one page."""
    lines = [_item(item, told=_told(record)) for item in record.items]
    return {"AmazonOrderId": record.order_id, "OrderItems": lines}


def _item(item: JsonObject, *, told: bool) -> JsonObject:
    product = item["product"]
    shown: JsonObject = {
        "ASIN": product.get("asin", ""),
        "OrderItemId": item["orderItemId"],
        "QuantityOrdered": item["quantityOrdered"],
        "QuantityShipped": fulfilled(item),
        "ProductInfo": {"NumberOfItems": "1"},
        "IsTransparency": "TRANSPARENCY" in item.get("programs", []),
        "SerialNumberRequired": False,
    }
    for key, name in (("sellerSku", "SellerSKU"), ("title", "Title")):
        if product.get(key):
            shown[name] = product[key]
    condition = product.get("condition", {})
    for key, name in (("conditionType", "ConditionId"), ("conditionSubtype", "ConditionSubtypeId")):
        if condition.get(key):
            shown[name] = str(condition[key]).title()
    request = item.get("cancellation", {}).get("cancellationRequest")
    if request is not None and request.get("requester") == "BUYER":
        shown["BuyerRequestedCancel"] = {
            "IsBuyerRequestedCancel": "true",
            "BuyerCancelReason": request.get("cancelReason", ""),
        }
    if told:
        gift = "giftOption" in item.get("fulfillment", {}).get("packing", {})
        shown["IsGift"] = "true" if gift else "false"
        shown.update(_amounts(item))
    return shown


def _amounts(item: JsonObject) -> JsonObject:
    shown: JsonObject = {}
    for entry in item.get("proceeds", {}).get("breakdowns", []):
        kind, subtotal = entry["type"], entry["subtotal"]
        currency = subtotal["currencyCode"]
        if kind in _PARTS:
            shown[_PARTS[kind]] = _money(amount_of(subtotal), currency)
        elif kind == "DISCOUNT":
            shown["PromotionDiscount"] = _money(abs(amount_of(subtotal)), currency)
        elif kind == "TAX":
            for part in entry.get("detailedBreakdowns", []):
                if part["subtype"] in _TAXES:
                    shown[_TAXES[part["subtype"]]] = _money(abs(amount_of(part["value"])), currency)
    offers = [entry["promotionId"] for entry in item.get("promotion", {}).get("breakdowns", [])]
    if offers:
        shown["PromotionIds"] = offers
    return shown


def _add_fulfillment(shown: JsonObject, fulfillment: JsonObject) -> None:
    if fulfillment.get("fulfilledBy") in _CHANNEL:
        shown["FulfillmentChannel"] = _CHANNEL[fulfillment["fulfilledBy"]]
    level = fulfillment.get("fulfillmentServiceLevel")
    if level is not None:
        shown["ShipmentServiceLevelCategory"] = _LEVELS.get(level, str(level).title())
        shown["ShipServiceLevel"] = shown["ShipmentServiceLevelCategory"]
    for key, names in _WINDOWS.items():
        window = fulfillment.get(key, {})
        for edge, name in zip(("earliestDateTime", "latestDateTime"), names, strict=True):
            if edge in window:
                shown[name] = _to_seconds(window[edge])


def _place(record: OrderRecord) -> JsonObject:
    if record.status in UNPAID:
        return {}
    address = record.body.get("recipient", {}).get("deliveryAddress", {})
    return {key[0].upper() + key[1:]: address[key] for key in PLACE_KEYS if address.get(key)}


def _told(record: OrderRecord) -> bool:
    return record.status not in UNPAID and record.priced


def _money(amount: Decimal, currency: str) -> JsonObject:
    return {"CurrencyCode": currency, "Amount": str(amount)}


def _to_seconds(moment: str) -> str:
    """Orders v0 writes moments to the second (sandbox examples of the model)."""
    return f"{moment[:19]}Z"
