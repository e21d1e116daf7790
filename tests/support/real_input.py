"""Real orders put into the pretended Amazon: the sandbox examples as they are, and the rows of order reports as
Amazon would show their orders in Orders 2026-01-01.

What a report leaves out and Amazon must have is made up here and nowhere else: order item ids of the all-orders
report, its street lines (both withheld there), and the prices of the unshipped-orders report. Rows are read with
the csv module, so that what goes in does not depend on the reader under test.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulators import catalogue

Row = dict[str, str]
Json = dict[str, Any]

SANDBOX = "sandbox example"
ALL_ORDERS = "all-orders report"
UNSHIPPED = "unshipped-orders report"
ALL_ORDERS_FILE = "all-orders-UK-EU-2025-05-shared.txt"
UNSHIPPED_FILE = "unshipped-orders-US-CA-2025-05-shared.txt"
MADE_UP_PRICE = Decimal("19.99")
"""Of one piece in the unshipped-orders report, which tells none."""

_MARKETS = {market.sales_channel: market for account in catalogue.ACCOUNTS for market in account.sold_in}
_STATUSES = {"Pending": "PENDING", "Shipped": "SHIPPED", "Cancelled": "CANCELLED"}


@dataclass(frozen=True)
class RealOrder:
    """One order of the samples: what Amazon is made to know of it, and the rows it came from."""

    source: str
    seller: str
    payload: Json
    rows: tuple[Row, ...] = ()

    @property
    def order_id(self) -> str:
        return str(self.payload["orderId"])

    @property
    def skus(self) -> tuple[str, ...]:
        items = self.payload["orderItems"]
        return tuple(dict.fromkeys(item["product"]["sellerSku"] for item in items if item["quantityOrdered"]))

    @property
    def status(self) -> str:
        return str(self.payload["fulfillment"]["fulfillmentStatus"])

    @property
    def own(self) -> bool:
        """Whether the goods are the merchant's to send."""
        return bool(self.payload["fulfillment"]["fulfilledBy"] == "MERCHANT")

    @property
    def marketplace(self) -> str:
        return str(self.payload["salesChannel"]["marketplaceName"])

    @property
    def pieces(self) -> int:
        return sum(item["quantityOrdered"] for item in self.payload["orderItems"])


def report(shared: Path, name: str) -> Path:
    return shared / "spapi" / "samples" / "order-reports" / name


def rows_of(path: Path) -> list[Row]:
    """The rows of a report as they stand in the file."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def real_orders(shared: Path) -> list[RealOrder]:
    """Every order of the sandbox examples and of both order reports."""
    return [
        *(RealOrder(SANDBOX, _seller(body), body) for body in sandbox_orders(shared)),
        *(
            RealOrder(ALL_ORDERS, _seller(body := _from_all_orders(rows)), body, rows)
            for rows in _grouped(rows_of(report(shared, ALL_ORDERS_FILE)), "amazon-order-id")
        ),
        *(
            RealOrder(UNSHIPPED, _seller(body := _from_unshipped(rows)), body, rows)
            for rows in _grouped(rows_of(report(shared, UNSHIPPED_FILE)), "order-id")
        ),
    ]


def sandbox_orders(shared: Path) -> Iterator[Json]:
    """The orders in the answers of the model's static sandbox examples."""
    model = json.loads((shared / "spapi" / "models" / "orders_2026-01-01.json").read_text("utf-8"))
    for path in model["paths"].values():
        for example in path["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]:
            answer = example["response"]
            yield from answer.get("orders", [answer.get("order")])


def _seller(body: Json) -> str:
    return catalogue.seller_of(body["salesChannel"]["marketplaceId"]).seller_id


def _grouped(rows: list[Row], key: str) -> list[tuple[Row, ...]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return [tuple(group) for group in groups.values()]


def _order(order_id: str, market: catalogue.Marketplace, row: Row, items: list[Json], **more: object) -> Json:
    totals = [Decimal(i["proceeds"]["proceedsTotal"]["amount"]) for i in items if "proceeds" in i]
    body: Json = {
        "orderId": order_id,
        "createdTime": _utc(row["purchase-date"]),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": market.marketplace_id,
            "marketplaceName": market.sales_channel,
        },
        "orderItems": items,
        **more,
    }
    if totals:
        body["proceeds"] = {"grandTotal": _money(sum(totals, Decimal(0)), market)}
    return body


def _from_all_orders(rows: tuple[Row, ...]) -> Json:
    first = rows[0]
    order_id, market = first["amazon-order-id"], _MARKETS[first["sales-channel"]]
    status = _STATUSES[first["order-status"]]
    merchant = first["fulfillment-channel"] == "Merchant"
    address = {
        "name": "Recipient Withheld",
        "addressLine1": "Street withheld",
        "city": first["ship-city"],
        "stateOrRegion": first["ship-state"],
        "postalCode": first["ship-postal-code"],
        "countryCode": first["ship-country"],
    }
    return _order(
        order_id,
        market,
        first,
        [_all_orders_item(order_id, number, row, market) for number, row in enumerate(rows, 1)],
        lastUpdatedTime=max(_utc(row["last-updated-date"]) for row in rows),
        recipient={"deliveryAddress": {name: text for name, text in address.items() if text}},
        fulfillment={
            "fulfillmentStatus": status,
            "fulfilledBy": "MERCHANT" if merchant else "AMAZON",
            "fulfillmentServiceLevel": first["ship-service-level"].upper(),
        },
    )


def _all_orders_item(order_id: str, number: int, row: Row, market: catalogue.Marketplace) -> Json:
    """Prices of the report contain VAT, its promotions do not: what was paid is net price less promotion plus
    the tax that was left."""
    ordered = int(row["quantity"])
    shipped = ordered if row["item-status"] == "Shipped" else 0
    item = _item(f"{order_id.replace('-', '')[-12:]}{number:02d}", row, ordered, shipped)
    if not ordered:
        return item
    price, tax = Decimal(row["item-price"]), Decimal(row["item-tax"] or 0)
    promotion, net = (
        Decimal(row["item-promotion-discount"] or 0),
        Decimal(row["vat-exclusive-item-price"] or 0),
    )
    parts = {
        "ITEM": price,
        "SHIPPING": Decimal(row["shipping-price"] or 0),
        "DISCOUNT": (net - promotion + tax) - price if promotion else Decimal(0),
    }
    _price(item, parts, market, tax=tax + Decimal(row["shipping-tax"] or 0), by_amazon=_by_amazon(row))
    return item


def _from_unshipped(rows: tuple[Row, ...]) -> Json:
    first = rows[0]
    market = next(market for market in _MARKETS.values() if market.country == first["ship-country"])
    items = []
    for row in rows:
        ordered = int(row["quantity-purchased"])
        item = _item(row["order-item-id"], row, ordered, int(row["quantity-shipped"]))
        _price(item, {"ITEM": MADE_UP_PRICE * ordered}, market, tax=Decimal(0), by_amazon=_by_amazon(row))
        items.append(item)
    address = {
        "name": first["recipient-name"],
        "addressLine1": first["ship-address-1"],
        "city": first["ship-city"],
        "stateOrRegion": first["ship-state"],
        "postalCode": first["ship-postal-code"],
        "countryCode": first["ship-country"],
        "phone": first["buyer-phone-number"],
    }
    return _order(
        first["order-id"],
        market,
        first,
        items,
        lastUpdatedTime=_utc(first["reporting-date"]),
        recipient={"deliveryAddress": address},
        fulfillment={
            "fulfillmentStatus": "UNSHIPPED",
            "fulfilledBy": "MERCHANT",
            "fulfillmentServiceLevel": first["ship-service-level"].upper(),
            "shipByWindow": {"latestDateTime": _utc(first["promise-date"])},
        },
    )


def _item(item_id: str, row: Row, ordered: int, shipped: int) -> Json:
    product = {"sellerSku": row["sku"], "asin": row.get("asin", ""), "title": row["product-name"]}
    return {
        "orderItemId": item_id,
        "quantityOrdered": ordered,
        "product": {name: text for name, text in product.items() if text},
        "fulfillment": {"quantityFulfilled": shipped, "quantityUnfulfilled": ordered - shipped},
    }


def _price(
    item: Json, parts: dict[str, Decimal], market: catalogue.Marketplace, *, tax: Decimal, by_amazon: bool
) -> None:
    """The item's proceeds: the parts make the total, the tax is told beside them."""
    rows = {name: amount for name, amount in {**parts, "TAX": tax}.items() if amount}
    item["proceeds"] = {
        "proceedsTotal": _money(sum(parts.values(), Decimal(0)), market),
        "breakdowns": [{"type": name, "subtotal": _money(amount, market)} for name, amount in rows.items()],
    }
    if by_amazon:
        item["tax"] = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]}


def _by_amazon(row: Row) -> bool:
    return row["tax-collection-model"] == "MarketplaceFacilitator"


def _money(amount: Decimal, market: catalogue.Marketplace) -> Json:
    return {"amount": f"{amount:.2f}", "currencyCode": market.currency}


def _utc(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
