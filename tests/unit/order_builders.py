"""Orders, payloads and profiles for the tests of `canonical`."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from canonical.money import Money
from canonical.order import Address, Channel, LineAmounts, Order, OrderLine, OrderStatus
from canonical.profile import ChargeCodes, CustomerPolicy, MarketplaceProfile, PriceBasis

SELLER = "A2EUSELLER0001"
ORDER_ID = "028-1234567-8901234"
DE = "A1PA6795UKMFR9"
US = "ATVPDKIKX0DER"

ADDRESS = Address(
    name="Erika Mustermann",
    lines=("Heidestr. 17",),
    city="Köln",
    postal_code="51147",
    country="DE",
    phone="+49 221 1234567",
)


def profile(**changes: Any) -> MarketplaceProfile:
    """A German marketplace with gross prices, changed as told."""
    facts: dict[str, Any] = {
        "marketplace_id": DE,
        "facility": "A01",
        "order_type_fba": "AZF",
        "order_type_mfn": "AZM",
        "order_type_replacement": "AZR",
        "order_type_tax_by_amazon": "AZN",
        "warehouse_shipped": "AFE",
        "warehouse_fba": "AFE",
        "warehouse_mfn": "MAI",
        "customer": CustomerPolicy(numbers=("AMZDE",)),
        "price_basis": PriceBasis.GROSS,
        "charges": ChargeCodes(shipping="AMZSHP", gift_wrap="AMZGFT", promotion="AMZPRM", other="AMZFEE"),
    }
    return MarketplaceProfile.model_validate(facts | changes)


def amounts(total: str, item: str | None = None, **parts: Any) -> LineAmounts:
    """Amounts of a line; the item is the whole total unless told."""
    decimals = {name: Decimal(value) if isinstance(value, str) else value for name, value in parts.items()}
    return LineAmounts(item=Decimal(item or total), total=Decimal(total), **decimals)


def line(number: int = 1, **changes: Any) -> OrderLine:
    """An order line of one piece for 10.00."""
    facts: dict[str, Any] = {
        "order_item_id": f"1000000000000{number}",
        "seller_sku": f"SKU-{number}",
        "quantity": 1,
        "amounts": amounts("10.00"),
    }
    return OrderLine.model_validate(facts | changes)


def order(*lines: OrderLine, **changes: Any) -> Order:
    """An unshipped MFN order in Germany; its grand total is the sum of the lines' totals."""
    lines = lines or (line(),)
    known = [each.amounts.total for each in lines if each.amounts]
    facts: dict[str, Any] = {
        "seller_id": SELLER,
        "order_id": ORDER_ID,
        "marketplace_id": DE,
        "channel": Channel.MFN,
        "status": OrderStatus.UNSHIPPED,
        "created": datetime(2026, 11, 2, 23, 30, tzinfo=UTC),
        "last_updated": datetime(2026, 11, 3, 8, 0, tzinfo=UTC),
        "grand_total": Money(amount=sum(known, Decimal(0)), currency="EUR") if known else None,
        "lines": lines,
        "ship_to": ADDRESS,
    }
    return Order.model_validate(facts | changes)


def items_of(some: Order) -> dict[str, str]:
    """An ITNO for every SKU of the order."""
    return {each.seller_sku: f"ITEM-{each.seller_sku}"[:15] for each in some.lines}


def money(amount: object, currency: str = "EUR") -> dict[str, object]:
    """Money as Amazon writes it."""
    return {"amount": amount, "currencyCode": currency}


def payload_item(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An order item as Amazon sends it: one piece for 10.00."""
    item: dict[str, Any] = {
        "orderItemId": f"1000000000000{number}",
        "quantityOrdered": 1,
        "product": {
            "asin": "B000000001",
            "title": "A thing",
            "sellerSku": f"SKU-{number}",
            "price": {"unitPrice": money("10.00")},
        },
        "proceeds": {
            "proceedsTotal": money("10.00"),
            "breakdowns": [{"type": "ITEM", "subtotal": money("10.00")}],
        },
        "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 1},
    }
    return item | changes


def payload(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order as Amazon sends it, with the sum of its items as grandTotal."""
    items = items or (payload_item(),)
    totals = [item["proceeds"]["proceedsTotal"]["amount"] for item in items if item.get("proceeds")]
    body: dict[str, Any] = {
        "orderId": ORDER_ID,
        "createdTime": "2026-11-02T23:30:00Z",
        "lastUpdatedTime": "2026-11-03T08:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": DE, "marketplaceName": "Amazon.de"},
        "recipient": {
            "deliveryAddress": {
                "name": "Erika Mustermann",
                "addressLine1": "Heidestr. 17",
                "city": "Köln",
                "postalCode": "51147",
                "countryCode": "DE",
                "phone": "+49 221 1234567",
            }
        },
        "proceeds": {"grandTotal": money(str(sum((Decimal(str(total)) for total in totals), Decimal(0))))},
        "fulfillment": {
            "fulfillmentStatus": "UNSHIPPED",
            "fulfilledBy": "MERCHANT",
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {"latestDateTime": "2026-11-05T22:59:59Z"},
        },
        "orderItems": list(items),
    }
    return body | changes


def priced_item(number: int, total: str, *breakdowns: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """An order item with these proceeds breakdowns, (type, amount)."""
    rows = [{"type": kind, "subtotal": money(amount)} for kind, amount in breakdowns]
    return payload_item(number, proceeds={"proceedsTotal": money(total), "breakdowns": rows}, **changes)
