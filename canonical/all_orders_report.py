"""GET_FLAT_FILE_ALL_ORDERS_DATA_BY_*: rows of one order read into an `Order`.

What this report is like, seen in real files: `item-price` and its sisters are line totals, with VAT where the
marketplace shows prices with VAT; there is no order item id, and two pieces of one SKU may be two equal
rows; pending rows carry preliminary figures (a price without tax, a net price of 0.00) and are therefore
read without amounts; cancelled rows have quantity 0, sometimes with a price that means nothing.

Promotions: `item-promotion-discount` is positive and, where the report tells VAT, without VAT, while
`item-tax` is the tax after the promotion. The promotion's VAT is therefore (item-price -
vat-exclusive-item-price) - item-tax. Without these figures the promotion's gross amount cannot be known, and
neither can the line's total.
"""

from collections import Counter
from decimal import Decimal
from typing import Final, NamedTuple

from canonical.ids import is_amazon_order_id
from canonical.marketplaces import NON_AMAZON, by_sales_channel, is_non_amazon, prices_include_tax
from canonical.money import Money
from canonical.order import (
    ALL_ORDERS_REPORT,
    Address,
    Channel,
    LineAmounts,
    Order,
    OrderLine,
    OrderStatus,
    TaxParts,
)
from canonical.report_cells import (
    RefusedOrder,
    amount,
    collected_by_amazon,
    flag,
    needed_moment,
    quantity,
    replaced_order,
)
from canonical.report_text import Row

COLUMNS: Final = (
    "amazon-order-id",
    "purchase-date",
    "last-updated-date",
    "order-status",
    "fulfillment-channel",
    "sales-channel",
    "sku",
    "quantity",
    "currency",
    "item-price",
)
"""Columns without which the report cannot be read."""

_ZERO: Final = Decimal(0)
_CHANNELS: Final = {
    "amazon": Channel.FBA,
    "afn": Channel.FBA,
    "merchant": Channel.MFN,
    "mfn": Channel.MFN,
}
_STATUSES: Final = {
    "pendingavailability": OrderStatus.PENDING_AVAILABILITY,
    "pending": OrderStatus.PENDING,
    "unshipped": OrderStatus.UNSHIPPED,
    "shipping": OrderStatus.UNSHIPPED,
    "partiallyshipped": OrderStatus.PARTIALLY_SHIPPED,
    "cancelled": OrderStatus.CANCELLED,
    "canceled": OrderStatus.CANCELLED,
    "unfulfillable": OrderStatus.UNFULFILLABLE,
}
_PENDING: Final = (OrderStatus.PENDING, OrderStatus.PENDING_AVAILABILITY)


def order_from_rows(order_id: str, rows: list[Row], seller_id: str, marketplace_id: str = "") -> Order:
    """The order these rows describe. `marketplace_id` is used where the sales channel is not known.

    Raises:
        RefusedOrder: a cell cannot be read, or the rows contradict each other.
    """
    first = rows[0]
    multi_channel = is_non_amazon(first["sales-channel"])
    if not multi_channel and not is_amazon_order_id(order_id):
        raise RefusedOrder("column amazon-order-id is no Amazon order id")
    marketplace = _marketplace(first, marketplace_id, multi_channel=multi_channel)
    status = _status(first)
    currencies = {row["currency"] for row in rows if row["currency"]}
    if len(currencies) > 1 or len({row["order-status"] for row in rows}) > 1:
        raise RefusedOrder("the rows of the order disagree about currency or order-status")
    inclusive = prices_include_tax(marketplace)
    copies: Counter[str] = Counter()
    lines = []
    for row in rows:
        copies[row["sku"]] += 1
        lines.append(_line(row, copies[row["sku"]], status, inclusive=inclusive))
    return Order(
        seller_id=seller_id,
        order_id=order_id,
        marketplace_id=marketplace,
        sales_channel=NON_AMAZON if multi_channel else "AMAZON",
        channel=_channel(first),
        status=status,
        created=needed_moment(first, "purchase-date"),
        last_updated=max(needed_moment(row, "last-updated-date") for row in rows),
        grand_total=_grand_total(lines, next(iter(currencies), "")),
        lines=tuple(lines),
        ship_to=_address(first),
        replacement_of=replaced_order(first),
        service_level=first.get("ship-service-level", ""),
        source=ALL_ORDERS_REPORT,
    )


def _marketplace(row: Row, given: str, *, multi_channel: bool) -> str:
    known = by_sales_channel(row["sales-channel"])
    if known:
        return known.id
    if given or multi_channel:
        return given
    raise RefusedOrder(f"no marketplace is known for sales-channel {row['sales-channel'] or '(empty)'}")


def _channel(row: Row) -> Channel:
    channel = _CHANNELS.get(row["fulfillment-channel"].lower())
    if channel is None:
        raise RefusedOrder("column fulfillment-channel is neither Amazon nor Merchant")
    return channel


def _status(row: Row) -> OrderStatus:
    word = "".join(character for character in row["order-status"].lower() if character.isalpha())
    if word.startswith("shipped"):  # also "Shipped - Delivered to Buyer"
        return OrderStatus.SHIPPED
    status = _STATUSES.get(word)
    if status is None:
        raise RefusedOrder("column order-status has an unknown value")
    return status


def _line(row: Row, copy: int, status: OrderStatus, *, inclusive: bool) -> OrderLine:
    if not row["sku"]:
        raise RefusedOrder("column sku is empty")
    ordered = quantity(row, "quantity")
    item_status = row.get("item-status", "").lower()
    shipped = item_status == "shipped" or (not item_status and status is OrderStatus.SHIPPED)
    told = ordered > 0 and status not in _PENDING
    return OrderLine(
        order_item_id=f"{row['sku']}#{copy}",
        seller_sku=row["sku"],
        asin=row.get("asin", ""),
        title=row.get("product-name", ""),
        quantity=ordered,
        quantity_fulfilled=ordered if shipped else 0,
        amounts=_amounts(row, inclusive=inclusive) if told else None,
        tax_collected_by_amazon=collected_by_amazon(row),
        cancel_requested=flag(row, "is-buyer-requested-cancellation"),
    )


class _Part(NamedTuple):
    """One priced part of a row, promotion and tax sorted out."""

    price: Decimal
    discount: Decimal
    tax: Decimal
    """Tax of the price before the promotion."""
    discount_tax: Decimal


def _amounts(row: Row, *, inclusive: bool) -> LineAmounts | None:
    if amount(row, "item-price") is None:
        return None
    item = _part(row, "item", "vat-exclusive-item-price", inclusive=inclusive)
    shipping = _part(row, "shipping", "vat-exclusive-shipping-price", "ship", inclusive=inclusive)
    gift_wrap = _part(row, "gift-wrap", "vat-exclusive-giftwrap-price", inclusive=inclusive)
    if item is None or shipping is None or gift_wrap is None:
        return None
    parts = (item, shipping, gift_wrap)
    tax = sum((part.tax - part.discount_tax for part in parts), _ZERO)
    discount = -sum((part.discount for part in parts), _ZERO)
    total = sum((part.price for part in parts), discount) + (_ZERO if inclusive else tax)
    return LineAmounts(
        item=item.price,
        shipping=shipping.price,
        gift_wrap=gift_wrap.price,
        discount=discount,
        tax=tax,
        tax_included=inclusive,
        tax_parts=TaxParts(
            item=item.tax,
            shipping=shipping.tax,
            gift_wrap=gift_wrap.tax,
            discount=-sum((part.discount_tax for part in parts), _ZERO),
        )
        if tax
        else None,
        total=total,
    )


def _part(
    row: Row, name: str, net_column: str, promotion: str | None = None, *, inclusive: bool
) -> _Part | None:
    """One part of the row; None where its promotion cannot be known with VAT."""
    price = amount(row, f"{name}-price") or _ZERO
    tax = amount(row, f"{name}-tax")
    discount = abs(amount(row, f"{promotion or name}-promotion-discount") or _ZERO)
    if not inclusive or not discount:
        return _Part(price, discount, tax or _ZERO, _ZERO)
    net = amount(row, net_column)
    if tax is None or not net:
        return None
    discount_tax = (price - net) - tax
    if not 0 <= discount_tax <= discount:
        return None
    return _Part(price, discount + discount_tax, tax + discount_tax, discount_tax)


def _grand_total(lines: list[OrderLine], currency: str) -> Money | None:
    goods = [line.amounts for line in lines if line.quantity > 0]
    known = [amounts.total for amounts in goods if amounts is not None]
    if not currency or not goods or len(known) < len(goods):
        return None
    return Money(amount=sum(known, _ZERO), currency=currency)


def _address(row: Row) -> Address | None:
    """City, state, postal code and country: all this report tells."""
    country = row.get("ship-country", "").upper()
    if not country:
        return None
    return Address(
        city=row.get("ship-city", ""),
        state=row.get("ship-state", ""),
        postal_code=row.get("ship-postal-code", ""),
        country=country,
    )
