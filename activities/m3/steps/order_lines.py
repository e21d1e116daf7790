"""Which M3 order line stands for which Amazon item."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from activities.m3.programs.orders import OrderLine
from canonical.activity_contracts import SalesOrderLine
from canonical.order import Order


@dataclass(frozen=True)
class Wanted:
    """One Amazon item as M3 should have it. `cupo` is its position among the lines with goods, from "1"."""

    order_item_id: str
    cupo: str
    itno: str
    quantity: int


@dataclass
class Matching:
    """The lines that were recognised, and sentences about what does not agree."""

    lines: list[SalesOrderLine] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def wanted_lines(order: Order, items: dict[str, str]) -> tuple[Wanted, ...]:
    """What an order's M3 lines should be (the positions of `canonical.sales_order`); ITNO empty if unknown."""
    goods = [line for line in order.lines if line.quantity > 0]
    return tuple(
        Wanted(line.order_item_id, str(position), items.get(line.seller_sku, ""), line.quantity)
        for position, line in enumerate(goods, 1)
    )


def match_lines(wanted: Sequence[Wanted], lines: Sequence[OrderLine]) -> Matching:
    """Recognise M3's lines by CUPO and item; lines entered by hand, without CUPO, by item and quantity."""
    matching = Matching()
    waiting = list(wanted)
    for line in lines:
        mine = _by_position(waiting, line) or _by_item(waiting, line)
        if mine is None:
            matching.differences.append(
                f"line {line.ponr} (item {line.itno}, quantity {line.quantity}) is not Amazon's"
            )
            continue
        waiting.remove(mine)
        if line.quantity != mine.quantity:
            matching.differences.append(
                f"line {line.ponr} has quantity {line.quantity} and Amazon says {mine.quantity}"
            )
        matching.lines.append(_recognised(mine, line))
    matching.differences += [
        f"Amazon's position {mine.cupo} (item {mine.itno or 'unknown'}, quantity {mine.quantity}) is missing"
        for mine in waiting
    ]
    return matching


def _by_position(waiting: Sequence[Wanted], line: OrderLine) -> Wanted | None:
    found = (mine for mine in waiting if line.cupo and mine.cupo == line.cupo)
    return next((mine for mine in found if mine.itno in ("", line.itno)), None)


def _by_item(waiting: Sequence[Wanted], line: OrderLine) -> Wanted | None:
    same = [mine for mine in waiting if mine.itno == line.itno]
    exact = (mine for mine in same if mine.quantity == line.quantity)
    return next(exact, None) or (same[0] if same else None)


def _recognised(mine: Wanted, line: OrderLine) -> SalesOrderLine:
    return SalesOrderLine(
        order_item_id=mine.order_item_id,
        ponr=line.ponr,
        posx=line.posx,
        itno=line.itno,
        quantity=line.quantity,
        whlo=line.whlo,
    )
