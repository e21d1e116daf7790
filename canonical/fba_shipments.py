"""Amazon's own shipments against the order: what M3 is to be told next, and where the quantities do not fit.

Two sources tell of the same goods. The order has totals by item, soon; the report has shipments with their centre, up
to a day later, in any order. Pieces count once, whichever source came first: a shipment whose pieces were reported
by the totals is reported already.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from canonical.fba_contracts import FbaItem, FbaShipment
from canonical.order import Order, OrderStatus
from canonical.shipments import fulfilled_quantities, ordered_quantities


def by_item(order: Order, shipment: FbaShipment) -> dict[str, int]:
    """Quantities by the order's item ids. A row without one, or of an order read from a report that has none, is
    meant by its SKU where one item alone has it; what fits no item is kept under what it is called."""
    known = {line.order_item_id for line in order.lines}
    quantities: dict[str, int] = {}
    for item in shipment.items:
        key = item.order_item_id if item.order_item_id in known else _by_sku(order, item)
        quantities[key] = quantities.get(key, 0) + item.quantity
    return quantities


def _by_sku(order: Order, item: FbaItem) -> str:
    fitting = [line.order_item_id for line in order.lines if line.seller_sku == item.sku]
    return fitting[0] if len(fitting) == 1 else item.order_item_id or item.sku


def shipped_quantities(order: Order, shipments: Iterable[FbaShipment]) -> dict[str, int]:
    """What has left by item, by the source that knows of more; each alone is never too high."""
    told: dict[str, int] = {}
    for shipment in shipments:
        for item, quantity in by_item(order, shipment).items():
            told[item] = told.get(item, 0) + quantity
    totals = fulfilled_quantities(order)
    return {item: max(told.get(item, 0), totals.get(item, 0)) for item in {**totals, **told}}


def settled(
    order: Order, shipments: Iterable[FbaShipment], before: Collection[str], reported: Mapping[str, int]
) -> frozenset[str]:
    """Ids of the shipments whose pieces M3 was told of, given those of `before` and all pieces `reported`.

    The oldest first; a shipment is covered as a whole or not at all.
    """
    known = list(shipments)
    done = set(before)
    loose = _loose(order, known, done, reported)
    for shipment in _by_age(known):
        if shipment.shipment_id in done:
            continue
        wanted = by_item(order, shipment)
        if all(loose.get(item, 0) >= quantity for item, quantity in wanted.items()):
            done.add(shipment.shipment_id)
            for item, quantity in wanted.items():
                loose[item] = loose.get(item, 0) - quantity
    return frozenset(done)


def next_goods(
    order: Order, shipments: Iterable[FbaShipment], done: Collection[str], reported: Mapping[str, int]
) -> dict[str, int]:
    """The next goods issue, by order item id: the oldest shipment that M3 was not told of, less the pieces of it that
    M3 knows already; without one, what the order's totals say beyond. Never more than was ordered.

    `done`: of `settled`. Empty when M3 knows everything.
    """
    known = list(shipments)
    room = {item: quantity - reported.get(item, 0) for item, quantity in ordered_quantities(order).items()}
    loose = _loose(order, known, done, reported)
    for shipment in _by_age(known):
        if shipment.shipment_id in done:
            continue
        rest: dict[str, int] = {}
        for item, quantity in by_item(order, shipment).items():
            covered = min(quantity, loose.get(item, 0))
            loose[item] = loose.get(item, 0) - covered
            rest[item] = min(quantity - covered, room.get(item, 0))
        if any(quantity > 0 for quantity in rest.values()):
            return {item: quantity for item, quantity in rest.items() if quantity > 0}
    totals = {item: q - reported.get(item, 0) for item, q in shipped_quantities(order, known).items()}
    return {
        item: min(quantity, room.get(item, 0))
        for item, quantity in totals.items()
        if min(quantity, room.get(item, 0)) > 0
    }


def _by_age(shipments: Sequence[FbaShipment]) -> list[FbaShipment]:
    return sorted(shipments, key=lambda one: (one.shipped_at, one.shipment_id))


def _loose(
    order: Order, shipments: Sequence[FbaShipment], done: Collection[str], reported: Mapping[str, int]
) -> dict[str, int]:
    """Pieces reported that belong to no shipment known to be reported."""
    loose = dict(reported)
    for shipment in shipments:
        if shipment.shipment_id in done:
            for item, quantity in by_item(order, shipment).items():
                loose[item] = max(loose.get(item, 0) - quantity, 0)
    return loose


def shipped_too_much(order: Order, shipments: Sequence[FbaShipment]) -> str:
    """A sentence where Amazon shipped more than was ordered, or something else; empty where it did not."""
    ordered = ordered_quantities(order)
    skus = {line.order_item_id: line.seller_sku for line in order.lines}
    parts = []
    for item, quantity in sorted(shipped_quantities(order, shipments).items()):
        if quantity <= ordered.get(item, 0):
            continue
        named = f"order item {item}{f' ({skus[item]})' if skus.get(item) else ''}"
        where = _where(order, shipments, item)
        parts.append(f"{quantity} of {named}, of which {ordered.get(item, 0)} were ordered{where}")
    return f"Amazon shipped {'; '.join(parts)}: order {order.order_id}." if parts else ""


def shipped_too_little(order: Order, shipments: Sequence[FbaShipment]) -> str:
    """A sentence where Amazon calls the order shipped and has shipped less than was ordered; empty otherwise.

    Cancelled pieces are not ordered any more. An order that is partly shipped is under way, not short.
    """
    if order.status is not OrderStatus.SHIPPED:
        return ""
    shipped = shipped_quantities(order, shipments)
    parts = [
        f"{shipped.get(item, 0)} of {quantity} of order item {item}"
        for item, quantity in sorted(ordered_quantities(order).items())
        if shipped.get(item, 0) < quantity
    ]
    if not parts:
        return ""
    return f"Amazon calls order {order.order_id} shipped, and shipped {'; '.join(parts)}."


def _where(order: Order, shipments: Sequence[FbaShipment], item: str) -> str:
    """In which shipments the item was."""
    found = [
        f"{quantity} in shipment {one.shipment_id}{f' from {one.center}' if one.center else ''}"
        for one in _by_age(shipments)
        for quantity in (by_item(order, one).get(item, 0),)
        if quantity
    ]
    return f" ({', '.join(found[:5])})" if found else ""
