"""GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING, the unshipped orders: rows of one order read into an `Order`.

The report has order item ids and the whole address, but no prices and no marketplace. Orders read from it
therefore carry no amounts, and the workflow asks Amazon, which also settles the marketplace. Until then the
marketplace given with the file is taken, else that of the country the goods go to.
"""

from typing import Final

from canonical.ids import is_amazon_order_id
from canonical.marketplaces import by_country
from canonical.order import ACTIONABLE_ORDERS_REPORT, Address, Channel, Order, OrderLine, OrderStatus
from canonical.report_cells import (
    RefusedOrder,
    collected_by_amazon,
    flag,
    moment,
    needed_moment,
    quantity,
    replaced_order,
)
from canonical.report_text import Row

COLUMNS: Final = (
    "order-id",
    "order-item-id",
    "purchase-date",
    "sku",
    "quantity-purchased",
    "quantity-shipped",
    "recipient-name",
    "ship-address-1",
    "ship-city",
    "ship-country",
)
"""Columns without which the report cannot be read."""


def order_from_rows(order_id: str, rows: list[Row], seller_id: str, marketplace_id: str = "") -> Order:
    """The order these rows describe.

    Raises:
        RefusedOrder: a cell cannot be read, or no marketplace can be found.
    """
    first = rows[0]
    if not is_amazon_order_id(order_id):
        raise RefusedOrder("column order-id is no Amazon order id")
    lines = tuple(_line(row) for row in rows)
    if len({line.order_item_id for line in lines}) < len(lines):
        raise RefusedOrder("an order-item-id is there twice")
    created = needed_moment(first, "purchase-date")
    news = (moment(row, column) for row in rows for column in ("payments-date", "reporting-date"))
    return Order(
        seller_id=seller_id,
        order_id=order_id,
        marketplace_id=marketplace_id or _marketplace(first),
        channel=Channel.MFN,
        status=_status(lines),
        created=created,
        last_updated=max((time for time in news if time), default=created),
        lines=lines,
        ship_to=_address(first),
        replacement_of=replaced_order(first),
        ship_by=moment(first, "promise-date"),
        service_level=first.get("ship-service-level", ""),
        source=ACTIONABLE_ORDERS_REPORT,
    )


def _marketplace(row: Row) -> str:
    known = by_country(row["ship-country"])
    if known is None:
        raise RefusedOrder("the report names no marketplace and Amazon has none in ship-country: give one")
    return known.id


def _line(row: Row) -> OrderLine:
    for column in ("order-item-id", "sku"):
        if not row[column]:
            raise RefusedOrder(f"column {column} is empty")
    return OrderLine(
        order_item_id=row["order-item-id"],
        seller_sku=row["sku"],
        title=row.get("product-name", ""),
        quantity=quantity(row, "quantity-purchased"),
        quantity_fulfilled=quantity(row, "quantity-shipped"),
        tax_collected_by_amazon=collected_by_amazon(row),
        cancel_requested=flag(row, "is-buyer-requested-cancellation"),
    )


def _status(lines: tuple[OrderLine, ...]) -> OrderStatus:
    if all(line.quantity_fulfilled >= line.quantity for line in lines):
        return OrderStatus.SHIPPED
    if any(line.quantity_fulfilled for line in lines):
        return OrderStatus.PARTIALLY_SHIPPED
    return OrderStatus.UNSHIPPED


def _address(row: Row) -> Address:
    lines = (row.get(f"ship-address-{number}", "") for number in (1, 2, 3))
    return Address(
        name=row["recipient-name"],
        lines=tuple(line for line in lines if line),
        city=row["ship-city"],
        state=row.get("ship-state", ""),
        postal_code=row.get("ship-postal-code", ""),
        country=row["ship-country"].upper(),
        phone=row.get("ship-phone-number", "") or row.get("buyer-phone-number", ""),
    )
