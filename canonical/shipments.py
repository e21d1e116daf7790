"""Quantities: ordered, shipped, newly shipped, and what changed since the order was booked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from canonical.order import ALL_ORDERS_REPORT, Address, Delivery, Order, OrderLine


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
            sentences.append(f"{_named(old)}: quantity {old.quantity} became {line.quantity}.")
        if line.seller_sku and line.seller_sku != old.seller_sku:
            sentences.append(f"Order item {item}: SKU {old.seller_sku} became {line.seller_sku}.")
        if line.amounts and old.amounts and line.amounts.total != old.amounts.total:
            sentences.append(f"{_named(old)}: total {old.amounts.total} became {line.amounts.total}.")
    sentences += [
        f"{_named(old)} is no longer on the order." for item, old in before.items() if item not in after
    ]
    if booked.ship_to and now.ship_to and _differs(booked.ship_to, now.ship_to):
        sentences.append("The delivery address changed.")
    return tuple(sentences)


def _named(line: OrderLine) -> str:
    sku = f" ({line.seller_sku})" if line.seller_sku else ""
    return f"Order item {line.order_item_id}{sku}"


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


def updated(known: Order, news: Order, booked: Order | None = None) -> Order:
    """The order as `news` tells it, without losing what `known` already knew.

    - The all-orders report has no order item ids: its lines are matched by SKU and position. Once an order is
      `booked`, its ids stay as they were booked; before that Amazon's own ids are preferred.
    - Prices, address and total that the news leaves out stay while the quantities are the same: a report
      has no street, and Amazon withdraws personal data after a while.

    News older than what is known changes nothing.
    """
    if news.last_updated < known.last_updated:
        return known
    reported = known.source == ALL_ORDERS_REPORT and news.source != ALL_ORDERS_REPORT
    terms = booked or (news if reported else known)
    known_lines = {line.order_item_id: line for line in _in_terms_of(terms, known)}
    lines = tuple(_filled(line, known_lines.get(line.order_item_id)) for line in _in_terms_of(terms, news))
    same = ordered_quantities(news.model_copy(update={"lines": lines})) == {
        item: line.quantity for item, line in known_lines.items() if line.quantity > 0
    }
    street = news.ship_to is not None and bool(news.ship_to.lines)
    return news.model_copy(
        update={
            "lines": lines,
            "source": terms.source,
            "ship_to": news.ship_to if street or known.ship_to is None else known.ship_to,
            "grand_total": news.grand_total or (known.grand_total if same else None),
            "replacement_of": known.replacement_of if news.replacement_of is None else news.replacement_of,
            "ship_by": news.ship_by or known.ship_by,
        }
    )


def _in_terms_of(terms: Order, order: Order) -> tuple[OrderLine, ...]:
    """The order's lines under the ids that `terms` gives to the same SKU at the same position."""
    if terms.source == order.source or ALL_ORDERS_REPORT not in (terms.source, order.source):
        return order.lines
    ids = {key: line.order_item_id for key, line in _by_position(terms)}
    return tuple(
        line.model_copy(update={"order_item_id": ids.get(key, line.order_item_id)})
        for key, line in _by_position(order)
    )


def _by_position(order: Order) -> Iterator[tuple[tuple[str, int], OrderLine]]:
    """Lines by SKU and their position among the lines of that SKU."""
    copies: Counter[str] = Counter()
    for line in order.lines:
        copies[line.seller_sku] += 1
        yield (line.seller_sku, copies[line.seller_sku]), line


def _filled(line: OrderLine, known: OrderLine | None) -> OrderLine:
    if known is None or line.amounts is not None or line.quantity != known.quantity:
        return line
    return line.model_copy(update={"amounts": known.amounts})


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
