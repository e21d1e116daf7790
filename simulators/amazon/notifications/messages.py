"""The payloads of the notifications, as the published schemas have them.

No message carries a name, an address or a price: an order's buyer is a postal code at most.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from simulators import assortment
from simulators.amazon.clock import iso
from simulators.amazon.fulfillment_records import Order as FulfillmentOrder
from simulators.amazon.prices import amount_of
from simulators.amazon.record import OrderRecord, Shipment, fulfilled, unfulfilled
from simulators.amazon.view import UNPAID
from simulators.amazon.wire import JsonObject

OrderChangeType = Literal["OrderStatusChange", "BuyerRequestedChange"]

ORDER_STATUS = {
    "PENDING_AVAILABILITY": "PendingAvailability",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}
"""fulfillmentStatus of Orders 2026-01-01 in the older words the schema allows."""
CHANGE_REASON: dict[OrderChangeType, str] = {
    "OrderStatusChange": "Order Status Change",  # inferred: the schema shows the other alone
    "BuyerRequestedChange": "Buyer Requested Cancel",
}
PROGRAMS = {"AMAZON_BUSINESS": "Business", "PRIME": "Prime"}


def order_change(record: OrderRecord, change: OrderChangeType, at_ms: int, seller_id: str) -> JsonObject:
    """ORDER_CHANGE, at the level of the whole order."""
    return {
        "OrderChangeNotification": {
            "NotificationLevel": "OrderLevel",
            "SellerId": seller_id,
            "AmazonOrderId": record.order_id,
            "OrderChangeType": change,
            "OrderChangeTrigger": {"TimeOfOrderChange": iso(at_ms), "ChangeReason": CHANGE_REASON[change]},
            "Summary": _summary(record),
        }
    }


def outbound_shipment(record: OrderRecord, shipment: Shipment, status: str, seller_id: str) -> JsonObject:
    """FBA_OUTBOUND_SHIPMENT_STATUS."""
    return {
        "FBAOutboundShipmentStatusNotification": {
            "SellerId": seller_id,
            "AmazonOrderId": record.order_id,
            "AmazonShipmentId": shipment.shipment_id,
            "ShipmentStatus": status,
        }
    }


def fulfillment_order(record: OrderRecord, shipment: Shipment, seller_id: str) -> JsonObject:
    """FULFILLMENT_ORDER_STATUS of a multi-channel order: one of its shipments has left.

    Inferred: which values EventType and the statuses take; the schema leaves them open. The schema demands a
    returned item in every message, so an empty one is there.
    """
    package: JsonObject = {
        "PackageNumber": 1,
        "CarrierCode": "Amazon Logistics",
        "TrackingNumber": f"TBA{shipment.shipment_id}",
    }
    return {
        "FulfillmentOrderStatusNotification": {
            "SellerId": seller_id,
            "EventType": "Shipment",
            "StatusUpdatedDateTime": iso(shipment.shipped_ms),
            "SellerFulfillmentOrderId": _shop_number(record),
            "FulfillmentOrderStatus": "Complete" if record.status == "SHIPPED" else "Processing",
            "FulfillmentShipment": {
                "FulfillmentShipmentStatus": "SHIPPED",
                "AmazonShipmentId": shipment.shipment_id,
                "EstimatedArrivalDateTime": iso(shipment.shipped_ms + 2 * 24 * 3600 * 1000),
                "info": package,
                "FulfillmentShipmentPackages": [package],
            },
            "FulfillmentReturnItem": {
                "ReceivedDateTime": iso(shipment.shipped_ms),
                "ReturnedQuantity": 0,
                "SellerSKU": "",
            },
        }
    }


def fulfillment_status(order: FulfillmentOrder, at_ms: int) -> JsonObject:
    """FULFILLMENT_ORDER_STATUS of a fulfilment order as it stands, with its last shipment. Inferred: the statuses are
    spelled as in the schema's example, in capitals."""
    last = order.shipments[-1] if order.shipments else None
    packages: list[JsonObject] = [
        {"PackageNumber": one.number, "CarrierCode": one.carrier, "TrackingNumber": one.tracking}
        for one in (last.packages if last else [])
    ]
    return {
        "FulfillmentOrderStatusNotification": {
            "SellerId": order.seller_id,
            "EventType": "Shipment" if packages else "Order",
            "StatusUpdatedDateTime": iso(at_ms),
            "SellerFulfillmentOrderId": order.order_id,
            "FulfillmentOrderStatus": order.status.upper(),
            "FulfillmentShipment": {
                "FulfillmentShipmentStatus": last.status if last else "",
                "AmazonShipmentId": last.shipment_id if last else "",
                "EstimatedArrivalDateTime": iso(at_ms + 2 * 24 * 3600 * 1000),
                "info": packages[0]
                if packages
                else {"PackageNumber": 0, "CarrierCode": "", "TrackingNumber": ""},
                "FulfillmentShipmentPackages": packages,
            },
            "FulfillmentReturnItem": {
                "ReceivedDateTime": iso(at_ms),
                "ReturnedQuantity": 0,
                "SellerSKU": "",
            },
        }
    }


def transaction(
    record: OrderRecord, kind: str, amount: Decimal, at_ms: int, seller_id: str
) -> JsonObject | None:
    """TRANSACTION_UPDATE; None of an order whose money Amazon does not handle (multi-channel)."""
    total = record.body.get("proceeds", {}).get("grandTotal")
    if total is None:
        return None
    return {
        "TransactionUpdateNotification": {
            "SellingPartnerMetadata": {
                "SellingPartnerId": seller_id,
                "MarketplaceId": record.body["salesChannel"].get("marketplaceId", ""),
                "AccountType": "PAYABLE",
            },
            "RelatedIdentifiers": [
                {"RelatedIdentifierName": "OrderId", "RelatedIdentifierValue": record.order_id}
            ],
            "TransactionType": kind,
            "PostedDate": iso(at_ms),
            "TotalAmount": {"CurrencyAmount": float(amount), "CurrencyCode": total["currencyCode"]},
        }
    }


def worth(record: OrderRecord, units: dict[str, int]) -> Decimal:
    """What these units of the order brought in, by the lines' own totals; rounded to the cent."""
    sums = Decimal(0)
    for item in record.items:
        ordered = int(item["quantityOrdered"])
        count = units.get(item["orderItemId"], 0)
        if count and ordered and "proceeds" in item:
            sums += amount_of(item["proceeds"]["proceedsTotal"]) * count / ordered
    return sums.quantize(Decimal("0.01"))


def inventory(seller_id: str, item: assortment.Item, marketplaces: list[str], fulfillable: int) -> JsonObject:
    """FBA_INVENTORY_AVAILABILITY_CHANGES of one SKU: its payload has no wrapper of its own."""
    stock: JsonObject = {
        "InboundQuantityBreakdown": {"Working": 0, "Shipped": 0, "Receiving": 0},
        "Fulfillable": fulfillable,
        "Unfulfillable": 0,
        "Researching": 0,
        "ReservedQuantityBreakdown": {
            "WarehouseProcessing": 0,
            "WarehouseTransfer": 0,
            "PendingCustomerOrder": 0,
        },
        "FutureSupplyBuyable": 0,
        "PendingCustomerOrderInTransit": 0,
    }
    return {
        "SellerId": seller_id,
        "FNSKU": item.fnsku,
        "ASIN": item.asin,
        "SKU": item.sku,
        "FulfillmentInventoryByMarketplace": [
            {"MarketplaceId": name, "ItemName": item.title, "FulfillmentInventory": stock, "Stores": []}
            for name in marketplaces
        ],
    }


def report_finished(
    seller_id: str, report_id: str, report_type: str, status: str, document_id: str | None
) -> JsonObject:
    """REPORT_PROCESSING_FINISHED. status: DONE, CANCELLED or FATAL."""
    body: JsonObject = {
        "sellerId": seller_id,
        "accountId": f"amzn1.merchant.o.{seller_id}",
        "reportId": report_id,
        "reportType": report_type,
        "processingStatus": status,
    }
    if document_id is not None:
        body["reportDocumentId"] = document_id
    return {"reportProcessingFinishedNotification": body}


def feed_finished(
    seller_id: str, feed_id: str, feed_type: str, status: str, document_id: str | None
) -> JsonObject:
    """FEED_PROCESSING_FINISHED. status: DONE, CANCELLED or FATAL."""
    body: JsonObject = {
        "sellerId": seller_id,
        "accountId": f"amzn1.merchant.o.{seller_id}",
        "feedId": feed_id,
        "feedType": feed_type,
        "processingStatus": status,
    }
    if document_id is not None:
        body["resultFeedDocumentId"] = document_id
    return {"feedProcessingFinishedNotification": body}


def _summary(record: OrderRecord) -> JsonObject:
    fulfillment = record.body["fulfillment"]
    address = record.body.get("recipient", {}).get("deliveryAddress", {})
    summary: JsonObject = {
        "MarketplaceId": record.body["salesChannel"].get("marketplaceId", ""),
        "OrderStatus": ORDER_STATUS[record.status],
        "PurchaseDate": record.body.get("createdTime"),
        "DestinationPostalCode": None if record.status in UNPAID else address.get("postalCode"),
        "FulfillmentType": "AFN" if record.by_amazon else "MFN",
        "OrderType": "StandardOrder",
        "NumberOfItemsShipped": sum(fulfilled(item) for item in record.items),
        "NumberOfItemsUnshipped": sum(unfulfilled(item) for item in record.items),
        **_windows(record, fulfillment),
        "OrderPrograms": _programs(record),
        "ShippingPrograms": [],
        "OrderItems": _items(record),
    }
    return {key: value for key, value in summary.items() if value != []}


def _windows(record: OrderRecord, fulfillment: JsonObject) -> JsonObject:
    """The promised times; those of delivery for the seller's own shipments alone (schema)."""
    ship, deliver = fulfillment.get("shipByWindow", {}), fulfillment.get("deliverByWindow", {})
    found = {
        "EarliestShipDate": ship.get("earliestDateTime"),
        "LatestShipDate": ship.get("latestDateTime"),
    }
    if not record.by_amazon:
        found["EarliestDeliveryDate"] = deliver.get("earliestDateTime")
        if record.status not in (*UNPAID, "CANCELLED"):
            found["LatestDeliveryDate"] = deliver.get("latestDateTime")
    return {key: value for key, value in found.items() if value}


def _programs(record: OrderRecord) -> list[str]:
    named = [PROGRAMS[name] for name in record.body.get("programs", []) if name in PROGRAMS]
    associated = record.body.get("associatedOrders", [])
    replaces = any(entry.get("associationType") == "REPLACEMENT_ORIGINAL_ID" for entry in associated)
    return [*named, "Replacement"] if replaces else named


def _items(record: OrderRecord) -> list[JsonObject]:
    statuses = {_item_status(item) for item in record.items}
    items: list[JsonObject] = []
    for item in record.items:
        entry: JsonObject = {
            "OrderItemId": item["orderItemId"],
            "SellerSKU": item["product"].get("sellerSku", ""),
            "SupplySourceId": None,
            "Quantity": int(item["quantityOrdered"]),
            "QuantityShipped": fulfilled(item),
            "IsBuyerRequestedCancel": "cancellationRequest" in item.get("cancellation", {}),
        }
        if len(statuses) > 1:
            entry["OrderItemStatus"] = _item_status(item)
        items.append(entry)
    return items


def _item_status(item: JsonObject) -> str:
    return "Unshipped" if unfulfilled(item) or not fulfilled(item) else "Shipped"


def _shop_number(record: OrderRecord) -> str:
    """The seller's own number of a multi-channel order."""
    aliases = record.body.get("orderAliases", [])
    return next((a["aliasId"] for a in aliases if a.get("aliasType") == "SELLER_ORDER_ID"), record.order_id)
