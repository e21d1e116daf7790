"""What an Amazon order must tell before it can be booked, and the total that M3 must come to.

`expected_total` is M3's order total including its own VAT: the sum of Amazon's line totals, less tax that
Amazon collects itself. With net prices M3 adds the tax, so the tax Amazon's figures show is expected all the
same.
"""

from decimal import Decimal

from canonical.marketplaces import MARKETPLACES
from canonical.money import Money
from canonical.order import ALL_ORDERS_REPORT, Address, Channel, Order, OrderStatus
from canonical.price_parts import expected_of


def missing_facts(order: Order, corrected: Address | None = None) -> tuple[str, ...]:
    """What M3 needs and this copy of the order lacks; empty when it can be booked.

    The workflow then reads the order from Amazon. `corrected` is the address a person sent. The all-orders
    report carries no order item ids: only an order that is shipped or over can be booked from it, because
    later news of Amazon could not be matched to its lines.
    """
    lines = [line for line in order.lines if line.quantity > 0]
    missing = []
    if order.source == ALL_ORDERS_REPORT and not _is_over(order):
        missing.append("order item ids")
    if not order.is_replacement:
        if any(line.amounts is None for line in lines):
            missing.append("prices")
        if not order.currency:
            missing.append("currency")
    if any(not line.seller_sku for line in lines):
        missing.append("SellerSKU")
    address = corrected or order.ship_to
    if order.channel is Channel.MFN and not (address and address.lines and address.country):
        missing.append("delivery address")
    return tuple(missing)


def _is_over(order: Order) -> bool:
    return order.status is OrderStatus.CANCELLED or (
        order.status is OrderStatus.SHIPPED
        and all(line.quantity_fulfilled >= line.quantity for line in order.lines)
    )


def expected_total(order: Order) -> Money | None:
    """What M3's order total must be; None while Amazon has not told every price."""
    currency = order_currency(order)
    lines = [line for line in order.lines if line.quantity > 0]
    if order.is_replacement:
        return Money(amount=Decimal(0), currency=currency)
    if not currency or any(line.amounts is None for line in lines):
        return None
    amount = sum((expected_of(line, line.amounts) for line in lines if line.amounts), order.delivery_tip)
    return Money(amount=amount, currency=currency)


def order_currency(order: Order) -> str:
    """The order's currency; a replacement, which has no proceeds, takes its marketplace's."""
    marketplace = MARKETPLACES.get(order.marketplace_id)
    if order.currency or not order.is_replacement or marketplace is None:
        return order.currency
    return marketplace.currency
