"""Orders in Amazon's 2026-01-01 shape, small enough to read in a test."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simulators import assortment, catalogue

_numbers = itertools.count(1)

GERMAN_ADDRESS = {
    "name": "First Buyer",
    "addressLine1": "Lindenstraße 12",
    "city": "Köln",
    "postalCode": "50667",
    "countryCode": "DE",
    "phone": "+49 221 555010",
    "addressType": "RESIDENTIAL",
}
AMERICAN_ADDRESS = {
    "name": "Second Buyer",
    "addressLine1": "12 Orchard Road",
    "city": "Seattle",
    "stateOrRegion": "Washington",
    "postalCode": "98101",
    "countryCode": "US",
    "addressType": "RESIDENTIAL",
}
ORDINARY = "TEA-GREEN-250"
ANOTHER = "CUP-STON-4"


def new_order_id() -> str:
    """An order number nobody has used in this run."""
    return f"{302:03d}-{next(_numbers):07d}-{5550000:07d}"


def sku_with(trouble: str) -> str:
    """The SKU whose M3 side is wrong in this way."""
    return next(sku for sku, reason in assortment.TROUBLE.items() if reason == trouble)


def order(
    *lines: tuple[str, int] | str,
    channel: str = "AMAZON",
    marketplace: str = "DE",
    status: str = "UNSHIPPED",
    order_id: str | None = None,
    address: dict[str, str] | None = None,
    shipping: str = "0",
    discount: str = "0",
    **more: object,
) -> dict[str, object]:
    """An order of `lines` (SKU, or SKU and quantity) at catalogue prices; channel AMAZON or MERCHANT."""
    market = next(found for found in catalogue.MARKETPLACES if found.country == marketplace)
    currency = market.currency
    wanted = [(line, 1) if isinstance(line, str) else line for line in (lines or (ORDINARY,))]
    items = [
        _item(
            position,
            sku,
            quantity,
            status,
            currency,
            shipping if position == 1 else "0",
            discount if position == 1 else "0",
        )
        for position, (sku, quantity) in enumerate(wanted, start=1)
    ]
    total = sum(Decimal(str(item["proceeds"]["proceedsTotal"]["amount"])) for item in items)  # type: ignore[index,call-overload]
    created = datetime.now(UTC) - timedelta(hours=1)
    body: dict[str, object] = {
        "orderId": order_id or new_order_id(),
        "createdTime": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "lastUpdatedTime": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": market.marketplace_id,
            "marketplaceName": market.sales_channel,
        },
        "fulfillment": {
            "fulfillmentStatus": status,
            "fulfilledBy": channel,
            "fulfillmentServiceLevel": "STANDARD",
        },
        "proceeds": {"grandTotal": {"amount": str(total), "currencyCode": currency}},
        "orderItems": items,
        **more,
    }
    if channel == "MERCHANT":
        default = AMERICAN_ADDRESS if marketplace in ("US", "CA") else GERMAN_ADDRESS
        body["recipient"] = {"deliveryAddress": address if address is not None else default}
    return body


def _item(
    position: int, sku: str, quantity: int, status: str, currency: str, shipping: str, discount: str
) -> dict[str, object]:
    known = next((item for item in assortment.ITEMS if item.sku == sku), None)
    price = known.price if known else Decimal("10.00")
    shipped = quantity if status == "SHIPPED" else 0
    goods = price * quantity
    parts = [("ITEM", goods), ("SHIPPING", Decimal(shipping)), ("DISCOUNT", -Decimal(discount))]
    total = sum((amount for _, amount in parts), Decimal(0))
    return {
        "orderItemId": f"{next(_numbers):014d}",
        "quantityOrdered": quantity,
        "product": {
            "asin": known.asin if known else "B000000000",
            "title": known.title if known else "Unknown thing",
            "sellerSku": sku,
            "price": {"unitPrice": {"amount": str(price), "currencyCode": currency}},
        },
        "proceeds": {
            "proceedsTotal": {"amount": str(total), "currencyCode": currency},
            "breakdowns": [
                {"type": kind, "subtotal": {"amount": str(amount), "currencyCode": currency}}
                for kind, amount in parts
                if amount or kind == "ITEM"
            ],
        },
        "fulfillment": {"quantityFulfilled": shipped, "quantityUnfulfilled": quantity - shipped},
    }
