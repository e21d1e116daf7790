"""Amazon fulfilled shipments (GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL): one row per line of a shipment.

An order may come in several shipments and a line may be split over them; then each row has its share of the
line's amounts. No names and no streets. Discounts are negative here (a real Japanese file). Inferred: amounts
with VAT inside where Amazon quotes it, and the whole discount as the item's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal

from simulators import catalogue
from simulators.amazon.prices import CENT
from simulators.amazon.record import OrderRecord, Shipment, fulfilled
from simulators.amazon.reports.columns import POINTS
from simulators.amazon.reports.frame import (
    Frame,
    LineMoney,
    Row,
    address_of,
    channel_of,
    marketplace_of,
    moment,
    money_of,
    service_level,
)
from simulators.amazon.wire import JsonObject

CENTERS = {
    "eu": (("LEJ1", "DHL"), ("BHX4", "AMZN_UK"), ("ORY1", "COLISSIMO"), ("WRO1", "DPD")),
    "na": (("PHX3", "UPS"), ("BFI4", "AMZN_US"), ("YYZ4", "CANADA_POST")),
    "fe": (("HND3", "YAMATO"), ("FSZ1", "SAGAWA")),
}
REPORTED_AFTER_MS = 3 * 3600 * 1000
ARRIVES_AFTER_MS = 2 * 24 * 3600 * 1000
NO_DECIMALS = frozenset({"JPY"})


def rows(records: Iterable[OrderRecord], frame: Frame) -> list[Row]:
    """The shipments that left in the window and have been reported since, newest first."""
    found: list[tuple[int, Row]] = []
    for record in frame.orders(records):
        if record.by_amazon:
            found += _of_order(record, frame)
    found.sort(key=lambda pair: -pair[0])
    return [row for _, row in found]


def _of_order(record: OrderRecord, frame: Frame) -> Iterator[tuple[int, Row]]:
    shipped: dict[str, int] = {}
    items = {item["orderItemId"]: item for item in record.items}
    for shipment in shipments_of(record):
        told = frame.covers(shipment.shipped_ms) and shipment.shipped_ms + frame.lag_ms <= frame.now_ms
        for item_id, units in shipment.items.items():
            before = shipped.get(item_id, 0)
            shipped[item_id] = before + units
            if told:
                row = _shipment(record, shipment) | _line(items[item_id], shipment, units, before)
                yield shipment.shipped_ms, row


def shipments_of(record: OrderRecord) -> list[Shipment]:
    """What has left; units shipped before shipments were noted left together when the order last changed."""
    noted: dict[str, int] = {}
    for shipment in record.shipments:
        for item_id, units in shipment.items.items():
            noted[item_id] = noted.get(item_id, 0) + units
    rest = {
        item["orderItemId"]: fulfilled(item) - noted.get(item["orderItemId"], 0)
        for item in record.items
        if fulfilled(item) > noted.get(item["orderItemId"], 0)
    }
    if not rest:
        return record.shipments
    return [Shipment(f"D{_letters(record.order_id)}", record.updated_ms, rest), *record.shipments]


def _shipment(record: OrderRecord, shipment: Shipment) -> Row:
    address = address_of(record)
    market = catalogue.MARKETPLACE_BY_ID.get(marketplace_of(record))
    region = next(s.region for s in catalogue.ACCOUNTS if s.seller_id == record.seller_id)
    centers = CENTERS[region]
    number = int.from_bytes(hashlib.blake2b(shipment.shipment_id.encode(), digest_size=8).digest(), "big")
    center, carrier = centers[number % len(centers)]
    aliases = record.body.get("orderAliases", [])
    row = {
        "amazon-order-id": record.order_id,
        "merchant-order-id": str(aliases[0]["aliasId"]) if aliases else "",
        "shipment-id": shipment.shipment_id,
        "purchase-date": moment(record.created_ms),
        "payments-date": moment(shipment.shipped_ms),
        "shipment-date": moment(shipment.shipped_ms),
        "reporting-date": moment(shipment.shipped_ms + REPORTED_AFTER_MS),
        "ship-service-level": service_level(record),
        "ship-city": address.get("city", ""),
        "ship-state": address.get("stateOrRegion", ""),
        "ship-postal-code": address.get("postalCode", ""),
        "ship-country": address.get("countryCode", ""),
        "carrier": carrier,
        "tracking-number": f"{number % 10**12:012d}",
        "estimated-arrival-date": moment(shipment.shipped_ms + ARRIVES_AFTER_MS),
        "fulfillment-center-id": center,
        "fulfillment-channel": "AFN",
        "sales-channel": channel_of(record),
    }
    if market is not None and market.country == "JP":
        row[POINTS] = "0"
    return row


def _line(item: JsonObject, shipment: Shipment, units: int, before: int) -> Row:
    row = {
        "shipment-item-id": f"D{_letters(shipment.shipment_id + item['orderItemId'])}",
        "amazon-order-item-id": item["orderItemId"],
        "sku": item["product"].get("sellerSku", ""),
        "product-name": item["product"].get("title", ""),
        "quantity-shipped": str(units),
    }
    money = money_of(item)
    return row if money is None else row | _amounts(money, int(item["quantityOrdered"]), units, before)


def _amounts(money: LineMoney, ordered: int, units: int, before: int) -> Row:
    step = Decimal(1) if money.currency in NO_DECIMALS else CENT

    def share(amount: Decimal) -> str:
        """These units' part of the line's amount; the parts of all units add up to it."""
        until, from_ = (
            (amount * count / ordered).quantize(step, ROUND_HALF_UP) for count in (before + units, before)
        )
        return f"{until - from_:f}"

    return {
        "currency": money.currency,
        "item-price": share(money.part("ITEM")),
        "item-tax": share(money.tax("ITEM") + money.tax("DISCOUNT")),
        "shipping-price": share(money.part("SHIPPING")),
        "shipping-tax": share(money.tax("SHIPPING")),
        "gift-wrap-price": share(money.part("GIFT_WRAP")),
        "gift-wrap-tax": share(money.tax("GIFT_WRAP")),
        "item-promotion-discount": share(money.part("DISCOUNT")),
        "ship-promotion-discount": share(Decimal(0)),
    }


def _letters(text: str) -> str:
    digest = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")
    alphabet = "BCDFGHJKLMNPQRSTVWXYZbcdfghjkmnpqrstvwxyz"
    letters = ""
    for _ in range(8):
        digest, place = divmod(digest, len(alphabet))
        letters += alphabet[place]
    return letters
