"""Amazon's report GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL: one row for each item of each shipment.

Its rows come 1 to 24 hours after the goods left. An item in two shipments has two rows, and so has an order from two
centres. Amounts are not read: what is booked comes from the order. Non-Amazon orders (MCF) are left out.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from canonical.fba_contracts import FbaItem, FbaShipment, OrderShipped
from canonical.ids import is_amazon_order_id
from canonical.report_cells import RefusedOrder, moment, quantity
from canonical.report_text import OrderRows, Row, gather_orders

_ORDER: Final = "amazon-order-id"
_OWN_CHANNEL: Final = "MFN"


class RefusedRow(NamedTuple):
    """A row that tells of no shipment, and why; the text has no personal value."""

    line: int
    sentence: str


def read_fulfilled_shipments(
    stream: BinaryIO, charset: str | None = None
) -> Iterator[OrderShipped | RefusedRow]:
    """The shipments of each order. Raises UnreadableReport where the file as a whole is none."""
    for rows in gather_orders(stream, _ORDER, charset):
        if rows.broken_line:
            yield RefusedRow(rows.broken_line, "The row has another number of cells than the header.")
        if rows.rows and not is_amazon_order_id(rows.order_id):
            yield from (RefusedRow(line, "The row names no Amazon order.") for line, _ in rows.rows)
            continue
        refused, order = _order(rows)
        yield from refused
        if order is not None:
            yield order


def _order(rows: OrderRows) -> tuple[list[RefusedRow], OrderShipped | None]:
    refused: list[RefusedRow] = []
    found: dict[str, FbaShipment] = {}
    seen: set[tuple[str, str]] = set()
    for line, row in rows.rows:
        if row.get("sales-channel", "").casefold().startswith("non-amazon"):
            continue
        if row.get("fulfillment-channel", "").upper() == _OWN_CHANNEL:
            continue
        try:
            shipment = _shipment(row)
        except RefusedOrder as error:
            refused.append(RefusedRow(line, f"Order {rows.order_id}: {error}."))
            continue
        key = (shipment.shipment_id, row.get("shipment-item-id", ""))
        if key[1] and key in seen:
            continue  # the same row again, of reports joined by hand
        seen.add(key)
        known = found.get(shipment.shipment_id)
        if known is not None:
            shipment = known.model_copy(update={"items": (*known.items, *shipment.items)})
        found[shipment.shipment_id] = shipment
    if not found:
        return refused, None
    return refused, OrderShipped(order_id=rows.order_id, shipments=tuple(found.values()))


def _shipment(row: Row) -> FbaShipment:
    shipment_id, at = row.get("shipment-id", ""), moment(row, "shipment-date")
    pieces = quantity(row, "quantity-shipped")
    if not shipment_id:
        raise RefusedOrder("column shipment-id is empty")
    if at is None:
        raise RefusedOrder("column shipment-date is empty")
    if pieces < 1:
        raise RefusedOrder("column quantity-shipped has no pieces")
    item = FbaItem(order_item_id=row.get("amazon-order-item-id", ""), sku=row.get("sku", ""), quantity=pieces)
    center = row.get("fulfillment-center-id", "")
    return FbaShipment(shipment_id=shipment_id, shipped_at=at, center=center, items=(item,))
