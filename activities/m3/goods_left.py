"""What has left the own warehouses: M3's deliveries of many orders at once, with packages and tracking
numbers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from activities.m3.context import M3Context
from activities.m3.programs.deliveries import (
    CODelivery,
    DeliveryHead,
    PackageContents,
    co_deliveries,
    delivered_quantities,
    delivery_heads,
    packages,
)
from activities.m3.programs.orders import OrderLine, lines_of
from canonical.ids import package_reference
from canonical.order import Delivery, Package
from canonical.shipments import OrderLineKey, items_by_order_item

_SHIPMENTS: Final = 1_000_000
"""Package references are numbers; the last six digits of DLIX tell the deliveries of one order apart."""


async def deliveries_of(ctx: M3Context, order_ids: Sequence[str]) -> dict[str, tuple[Delivery, ...]]:
    """Deliveries whose goods have left, by Amazon order id, in a handful of bulk calls; the rest is left out.

    Items are told by Amazon's order item id, which each order line carries as its own CUOR
    (`steps.create_sales_order`); a line entered by hand has none and is told by its number PONR. Package
    references come from DLIX and the package's place, so that they are the same in every sweep. Times are
    M3's, read as UTC. An order that M3 has twice is left out: the audit shows it.
    """
    found = await ctx.lookup().find_many(list(dict.fromkeys(order_ids)))
    orders = {each.orders[0].orno: order_id for order_id, each in found.items() if len(each.orders) == 1}
    deliveries = await co_deliveries(ctx.client, list(orders))
    left = [each for group in deliveries.values() for each in group if each.left]
    if not left:
        return {}
    numbers = list(dict.fromkeys(each.dlix for each in left))
    lines = await lines_of(ctx.client, list(dict.fromkeys(each.orno for each in left)))
    keys = {orno: _keys(orders[orno], group) for orno, group in lines.items()}
    quantities = await delivered_quantities(ctx.client, ctx.options.company, left)
    heads = await delivery_heads(ctx.client, numbers)
    boxes = await packages(ctx.client, numbers)
    told: dict[str, list[Delivery]] = {}
    for each in left:
        items = items_by_order_item(quantities[each.orno, each.dlix], keys[each.orno])
        parcels = _packages(each, items, heads.get(each.dlix), boxes.get(each.dlix, ()), keys[each.orno])
        delivery = Delivery(dlix=each.dlix, whlo=each.whlo, status=each.status, items=items, packages=parcels)
        told.setdefault(orders[each.orno], []).append(delivery)
    return {order_id: tuple(group) for order_id, group in told.items()}


def _keys(order_id: str, lines: Sequence[OrderLine]) -> list[OrderLineKey]:
    return [
        OrderLineKey(line.cuor if line.cuor not in ("", order_id) else line.ponr, line.ponr, line.posx)
        for line in lines
    ]


def _packages(
    delivery: CODelivery,
    items: Mapping[str, int],
    head: DeliveryHead | None,
    boxes: Sequence[PackageContents],
    lines: Sequence[OrderLineKey],
) -> tuple[Package, ...]:
    """One package per box; what is in no box (or where nothing was packed) goes under the delivery's
    number."""
    shipped = (head.shipped if head else None) or delivery.delivered or datetime.now(UTC)
    carrier, tracking = (head.fwno, head.etrn) if head else ("", "")
    parcels: list[Package] = []
    rest = dict(items)
    for place, box in enumerate(boxes, 1):
        contents = items_by_order_item(box.lines, lines)
        contents = {item: min(quantity, rest.get(item, 0)) for item, quantity in contents.items()}
        contents = {item: quantity for item, quantity in contents.items() if quantity > 0}
        for item, quantity in contents.items():
            rest[item] -= quantity
        if contents:
            parcels.append(_package(delivery, place, carrier, box.etrn or tracking, shipped, contents))
    rest = {item: quantity for item, quantity in rest.items() if quantity > 0}
    if rest:
        parcels.append(_package(delivery, len(boxes) + 1, carrier, tracking, shipped, rest))
    return tuple(parcels)


def _package(
    delivery: CODelivery,
    place: int,
    carrier: str,
    tracking: str,
    shipped: datetime,
    items: dict[str, int],
) -> Package:
    return Package(
        reference=package_reference(int(delivery.dlix) % _SHIPMENTS, place),
        carrier=carrier,
        tracking_number=tracking,
        shipped_at=shipped,
        items=items,
    )
