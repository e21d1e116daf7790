"""What left with an M3 delivery, told by Amazon's order items."""

from collections.abc import Iterable, Sequence

from activities.m3.client import M3Client
from activities.m3.programs.deliveries import CODelivery, delivered_quantities
from canonical.activity_contracts import SalesOrderLine
from canonical.shipments import OrderLineKey, items_by_order_item


def keys_of(lines: Iterable[SalesOrderLine]) -> list[OrderLineKey]:
    """The M3 line of each Amazon item."""
    return [OrderLineKey(line.order_item_id, line.ponr, line.posx) for line in lines]


async def items_of(
    client: M3Client, company: int, delivery: CODelivery, lines: Sequence[SalesOrderLine]
) -> dict[str, int]:
    """Delivered quantity by order item id of one delivery whose goods have left."""
    quantities = await delivered_quantities(client, company, [delivery])
    return items_by_order_item(quantities[delivery.orno, delivery.dlix], keys_of(lines))
