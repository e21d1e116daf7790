"""Quantities: ordered, shipped, newly shipped, and what changed since the order was booked."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from canonical.order import Address, Delivery, Order


def ordered_quantities(order: Order) -> dict[str, int]:
    """Ordered quantity by order item id; cancelled items (quantity 0) are left out."""
    return {line.order_item_id: line.quantity for line in order.lines if line.quantity > 0}


def fulfilled_quantities(order: Order) -> dict[str, int]:
    """Quantity that Amazon says has left, by order item id; items with nothing shipped are left out."""
    return {
        line.order_item_id: line.quantity_fulfilled for line in order.lines if line.quantity_fulfilled > 0
    }


def next_shipment(order: Order, reported: Mapping[str, int]) -> dict[str, int]:
    """What Amazon has shipped beyond what M3 was told (`reported`, by order item id): the next goods issue.

    Empty when there is nothing new. Figures never go down: an older copy of the order reports nothing.
    """
    shipped = fulfilled_quantities(order)
    return {
        item: quantity - reported.get(item, 0)
        for item, quantity in shipped.items()
        if quantity > reported.get(item, 0)
    }


def over_shipments(order: Order) -> tuple[str, ...]:
    """Sentences about items of which Amazon says more left than was ordered; empty when none."""
    return tuple(
        f"Amazon says {line.quantity_fulfilled} of order item {line.order_item_id} were shipped, "
        f"but {line.quantity} were ordered."
        for line in order.lines
        if line.quantity_fulfilled > line.quantity
    )


def all_shipped(order: Order, shipped: Mapping[str, int]) -> bool:
    """Whether `shipped` (by order item id) covers every ordered piece; false for an order without goods."""
    ordered = ordered_quantities(order)
    return bool(ordered) and all(shipped.get(item, 0) >= quantity for item, quantity in ordered.items())


def add_quantities(*parts: Mapping[str, int]) -> dict[str, int]:
    """The sum of several shipments, by order item id."""
    total: dict[str, int] = {}
    for part in parts:
        for item, quantity in part.items():
            total[item] = total.get(item, 0) + quantity
    return total


def changes_since(booked: Order, now: Order) -> tuple[str, ...]:
    """What Amazon changed after M3 booked the order, in sentences without personal data; empty when nothing.

    Shipped quantities and statuses are progress, not changes. Prices count only where both sides know them:
    a source that leaves something out has not changed it.
    """
    before = {line.order_item_id: line for line in booked.lines}
    after = {line.order_item_id: line for line in now.lines}
    if booked.source != now.source and not before.keys() & after.keys():
        return ()  # order reports carry no order item ids
    sentences: list[str] = []
    for item, line in after.items():
        old = before.get(item)
        if old is None:
            sentences.append(f"Order item {item} ({line.seller_sku}, quantity {line.quantity}) was added.")
            continue
        if line.quantity != old.quantity:
            sentences.append(f"Order item {item}: quantity {old.quantity} became {line.quantity}.")
        if line.seller_sku and line.seller_sku != old.seller_sku:
            sentences.append(f"Order item {item}: SKU {old.seller_sku} became {line.seller_sku}.")
        if line.amounts and old.amounts and line.amounts.total != old.amounts.total:
            sentences.append(f"Order item {item}: total {old.amounts.total} became {line.amounts.total}.")
    sentences += [f"Order item {item} is no longer on the order." for item in before if item not in after]
    if booked.ship_to and now.ship_to and _differs(booked.ship_to, now.ship_to):
        sentences.append("The delivery address changed.")
    return tuple(sentences)


def _differs(before: Address, now: Address) -> bool:
    """Whether the address is another one. Amazon withdraws personal data: absence is no change."""
    pairs = (
        (before.name, now.name),
        (before.lines, now.lines),
        (before.city, now.city),
        (before.postal_code, now.postal_code),
        (before.country, now.country),
    )
    return any(new and new != old for old, new in pairs)


class OrderLineKey(NamedTuple):
    """An M3 order line and the Amazon item it stands for."""

    order_item_id: str
    ponr: str
    posx: str = "0"


def items_by_order_item(
    delivered: Iterable[tuple[str, str, int]], lines: Iterable[OrderLineKey]
) -> dict[str, int]:
    """Delivered quantities of M3 order lines, given as (PONR, POSX, quantity), by order item id.

    Lines M3 has and Amazon does not (added by hand) are left out. PONR and POSX are compared as numbers: M3
    pads them.
    """
    item_of = {(int(line.ponr), int(line.posx or 0)): line.order_item_id for line in lines}
    quantities: dict[str, int] = {}
    for ponr, posx, quantity in delivered:
        item = item_of.get((int(ponr), int(posx or 0)))
        if item is not None and quantity > 0:
            quantities[item] = quantities.get(item, 0) + quantity
    return quantities


def unconfirmed(deliveries: Iterable[Delivery], confirmed: Iterable[str]) -> tuple[Delivery, ...]:
    """Deliveries with at least one package that Amazon has not been told of, by package reference."""
    known = set(confirmed)
    return tuple(
        delivery
        for delivery in deliveries
        if any(package.reference not in known for package in delivery.packages)
    )
