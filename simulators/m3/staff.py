"""The people in the seller's own warehouse: they pick, pack, stick a carrier's label on, and let it go."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from simulators import catalogue
from simulators.m3.records import Delivery, Meta, Order, Package
from simulators.m3.registry import job
from simulators.m3.warehouse import REPORTED, allocate, issue, release
from simulators.m3.world import World

_AT_WORK = "staff_at_work"
Quantities = Mapping[int, Decimal]
"""Order line number -> pieces."""


def set_at_work(world: World, at_work: bool) -> None:
    """Send the warehouse staff home, or back to work."""
    world.meta.put(_AT_WORK, Meta(value="1" if at_work else "0"))


def at_work(world: World) -> bool:
    """Whether anybody picks in the own warehouse (by default yes)."""
    kept = world.meta.get(_AT_WORK)
    return kept is None or kept.value == "1"


@job("ship")
def ship_due(world: World, args: Mapping[str, str]) -> None:
    """A person packs the delivery and lets it go; sometimes only a part of it, the rest follows later."""
    delivery = world.deliveries.get(args["dlix"])
    if delivery is None or delivery.pist == REPORTED:
        return
    if not at_work(world):
        world.agenda.later("ship", 2.0, 4.0, at_least=1.0, dlix=args["dlix"])
        return
    order = world.order(delivery.orno)
    pack_and_issue(world, order, delivery, _portion(world, order, delivery))


def _portion(world: World, order: Order, delivery: Delivery) -> Quantities:
    """What goes out now: all of it, or of an order's first delivery sometimes about half."""
    whole = {planned.ponr: planned.quantity for planned in delivery.lines}
    pieces = sum(whole.values(), Decimal(0))
    chance = world.agenda.chance("split", order.orno)
    if pieces < 2 or delivery.dlix != order.deliveries[0] or chance.random() >= world.settings.split_share:
        return whole
    left = pieces // 2
    part: dict[int, Decimal] = {}
    for ponr, quantity in whole.items():
        part[ponr] = min(quantity, left)
        left -= part[ponr]
    return part


def pack_and_issue(
    world: World,
    order: Order,
    delivery: Delivery,
    quantities: Quantities,
    *,
    fwno: str = "",
    packages: int | None = None,
) -> None:
    """Pack these quantities (in one package, or several), hand them to the carrier and report the pick."""
    chance = world.agenda.chance("pack", order.orno, str(delivery.dlix))
    carrier = chance.choice([c for c in catalogue.CARRIERS if c != catalogue.UNKNOWN_CARRIER])
    if "carrier_unknown" in world.troubles_of(order):
        carrier = catalogue.UNKNOWN_CARRIER
    delivery.fwno = fwno or carrier
    for planned in delivery.lines:
        planned.picked = min(quantities.get(planned.ponr, Decimal(0)), planned.quantity)
    boxes = packages or (2 if chance.random() < 0.1 and sum(quantities.values()) > 1 else 1)
    delivery.packages = _packed(world, delivery, boxes)
    if delivery.packages:
        delivery.etrn = delivery.packages[0].etrn
    issue(world, delivery)


def _packed(world: World, delivery: Delivery, boxes: int) -> list[Package]:
    """Spread the picked pieces over the packages, each with a tracking number of its own."""
    pieces = [(p.ponr, Decimal(1)) for p in delivery.lines for _ in range(int(p.picked or 0))]
    packages = []
    for number in range(boxes):
        contents: dict[str, Decimal] = {}
        for ponr, piece in pieces[number::boxes]:
            contents[str(ponr)] = contents.get(str(ponr), Decimal(0)) + piece
        if contents:
            etrn = f"{delivery.fwno}{world.number('tracking'):012d}"
            packages.append(Package(panr=f"{world.number('package'):020d}", etrn=etrn, contents=contents))
    return packages


def ship_at_once(
    world: World, order: Order, lines: Quantities | None, *, fwno: str = "", packages: int | None = None
) -> list[int]:
    """Ship now what is asked for (all that is open, if nothing is said); answers the delivery numbers."""
    allocate(world, order)
    wanted = dict(lines) if lines is not None else None
    shipped = []
    for delivery in world.deliveries_of(order):
        if delivery.pist == REPORTED:
            continue
        if not delivery.plsx:
            release(world, delivery)
        quantities: dict[int, Decimal] = {}
        for planned in delivery.lines:
            asked = planned.quantity if wanted is None else wanted.get(planned.ponr, Decimal(0))
            quantities[planned.ponr] = min(asked, planned.quantity)
            if wanted is not None:
                wanted[planned.ponr] = asked - quantities[planned.ponr]
        if any(quantities.values()):
            pack_and_issue(world, order, delivery, quantities, fwno=fwno, packages=packages)
            shipped.append(delivery.dlix)
    return shipped


def correct(
    world: World, delivery: Delivery, package: int, *, etrn: str | None = None, fwno: str | None = None
) -> None:
    """Put right the label of a package that has left (MWS423), or the carrier of its delivery (MWS410)."""
    if fwno is not None:
        delivery.fwno = fwno
    if etrn is not None:
        box = sorted(delivery.packages, key=lambda one: one.panr)[package - 1]
        box.etrn = etrn
        if package == 1:
            delivery.etrn = etrn
    world.keep_delivery(delivery)
