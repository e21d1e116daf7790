"""The "all orders" reports (GET_FLAT_FILE_ALL_ORDERS_DATA_BY_*): one row per order line, without its id.

As a real European file of 2025 shows it: an order not yet shipped is "Pending" although paid; tax is told once
it is paid; item-price is the line with VAT, item-promotion-discount is positive and without VAT, item-tax is
what is left of the tax after the discount; a cancelled line has quantity 0. Inferred: prices without VAT in
North America, "Shipping" for an order shipped in part, no price on a cancelled line.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulators import catalogue
from simulators.amazon.record import OrderRecord, fulfilled, unfulfilled
from simulators.amazon.reports.frame import (
    Frame,
    LineMoney,
    Row,
    address_of,
    cancel_wish,
    channel_of,
    facilitated,
    figure,
    in_marketplace,
    is_business,
    marketplace_of,
    moment,
    money_of,
    replaces,
    service_level,
    yes_no,
)
from simulators.amazon.view import UNPAID
from simulators.amazon.wire import JsonObject

STATUSES = {
    "SHIPPED": "Shipped",
    "PARTIALLY_SHIPPED": "Shipping",
    "CANCELLED": "Cancelled",
    "UNFULFILLABLE": "Unfulfillable",
}
"""All others are Pending."""

SHIP_FROM = {"address-name": "Leaf & Bean", "city": "Hamburg", "country": "DE", "postal-code": "20095"}


def by_order_date(records: Iterable[OrderRecord], frame: Frame) -> list[Row]:
    """The orders placed in the window."""
    return _rows([r for r in frame.orders(records) if frame.covers(r.created_ms)])


def by_last_update(records: Iterable[OrderRecord], frame: Frame) -> list[Row]:
    """The orders last changed in the window."""
    return _rows([r for r in frame.orders(records) if frame.covers(r.updated_ms)])


def _rows(records: list[OrderRecord]) -> list[Row]:
    records.sort(key=lambda r: (channel_of(r), -r.created_ms, r.order_id))
    rows: list[Row] = []
    for record in records:
        order = _order(record)
        rows += [order | _line(record, item) for item in record.items]
    return rows


def _order(record: OrderRecord) -> Row:
    body = record.body
    address = address_of(record)
    paid = record.status not in UNPAID
    row = {
        "amazon-order-id": record.order_id,
        "merchant-order-id": _merchant_order_id(record),
        "purchase-date": moment(record.created_ms),
        "last-updated-date": moment(record.updated_ms),
        "order-status": STATUSES.get(record.status, "Pending"),
        "fulfillment-channel": "Amazon" if record.by_amazon else "Merchant",
        "sales-channel": channel_of(record),
        "order-channel": "" if record.by_amazon else "WebsiteOrderChannel",
        "ship-service-level": service_level(record),
        "ship-city": address.get("city", ""),
        "ship-state": address.get("stateOrRegion", ""),
        "ship-postal-code": address.get("postalCode", ""),
        "ship-country": address.get("countryCode", ""),
        "payment-method-details": _payment(body),
        "is-business-order": yes_no(is_business(record)),
        "purchase-order-number": body.get("buyer", {}).get("buyerPurchaseOrderNumber", ""),
        "is-heavy-or-bulky": "false",
        "is-replacement-order": yes_no(replaces(record)),
        "is-exchange-order": "false",
        "original-order-id": replaces(record),
        "is-iba": "false",
        "is-transparency": "false",
        "is-ispu-order": "false",
        "is-pickup-point-order": "false",
    }
    if not record.by_amazon:
        row["address-type"] = str(address.get("addressType", "")).title()
        row["buyer-company-name"] = body.get("buyer", {}).get("buyerCompanyName", "")
        if paid:
            row |= {f"default-ship-from-{name}": text for name, text in SHIP_FROM.items()}
        if record.packages:
            row |= {f"actual-ship-from-{name}": text for name, text in SHIP_FROM.items()}
    return row


def _merchant_order_id(record: OrderRecord) -> str:
    """The seller's own number of a multi-channel order; Amazon's id again for its other FBA orders."""
    for alias in record.body.get("orderAliases", []):
        if alias.get("aliasType") == "SELLER_ORDER_ID":
            return str(alias["aliasId"])
    return record.order_id if record.by_amazon and in_marketplace(record) else ""


def _payment(body: JsonObject) -> str:
    executions = body.get("payment", {}).get("paymentExecutions", [])
    return "Invoice" if any(e.get("paymentMethod") == "Invoice" for e in executions) else "Standard"


def _line(record: OrderRecord, item: JsonObject) -> Row:
    product = item["product"]
    price = product.get("price", {})
    promotions = item.get("promotion", {}).get("breakdowns", [])
    row = {
        "product-name": product.get("title", ""),
        "sku": product.get("sellerSku", ""),
        "asin": product.get("asin", ""),
        "number-of-items": "" if record.by_amazon else "1",
        "item-status": _item_status(item),
        "quantity": str(item["quantityOrdered"]),
        "promotion-ids": ",".join(str(entry.get("promotionId", "")) for entry in promotions),
        "price-designation": "BusinessPrice" if price.get("priceDesignation") == "BUSINESS_PRICE" else "",
        "is-amazon-invoiced": "false",
        **cancel_wish(item),
    }
    money = money_of(item)
    if money is None or not record.priced:
        return row
    row["currency"] = money.currency
    row["item-price"] = figure(money.part("ITEM"))
    if record.status in UNPAID:
        return row
    row |= facilitated(item) | _amounts(money)
    market = catalogue.MARKETPLACE_BY_ID.get(marketplace_of(record))
    if market is not None and market.vat_percent:
        row |= _without_vat(money)
    return row


def _item_status(item: JsonObject) -> str:
    if unfulfilled(item):
        return "Unshipped"
    return "Shipped" if fulfilled(item) else ""


def _amounts(money: LineMoney) -> Row:
    row: Row = {}
    for column, name in (("shipping", "SHIPPING"), ("gift-wrap", "GIFT_WRAP")):
        if name in money.parts:
            row[f"{column}-price"] = figure(money.part(name))
            if money.taxes:
                row[f"{column}-tax"] = figure(money.tax(name))
    if money.taxes:
        row["item-tax"] = figure(money.tax("ITEM") + money.tax("DISCOUNT"))
    if "DISCOUNT" in money.parts:
        row["item-promotion-discount"] = figure(-money.net("DISCOUNT"))
    return row


def _without_vat(money: LineMoney) -> Row:
    row = {
        "is-amazon-invoiced": yes_no(money.taxes),
        "vat-exclusive-item-price": f"{money.net('ITEM'):.2f}",
        "vat-exclusive-shipping-price": f"{money.net('SHIPPING'):.2f}",
    }
    if "GIFT_WRAP" in money.parts:
        row["vat-exclusive-giftwrap-price"] = f"{money.net('GIFT_WRAP'):.2f}"
    return row
