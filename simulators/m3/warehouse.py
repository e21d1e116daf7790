"""What happens to an order in a warehouse: allocation, picking list, report of the pick, issue.

In the automatic warehouses (FBA) M3 goes as far as the picking list and waits for the pick to be reported by
the API. In the seller's own a person goes on (see `staff`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from simulators import catalogue
from simulators.m3.errors import GENERIC, NotOk
from simulators.m3.records import ZERO, Delivery, DeliveryLine, Order, OrderLine
from simulators.m3.registry import job
from simulators.m3.world import World

AUTOMATIC = frozenset(w.whlo for w in catalogue.WAREHOUSES if w.automatic)
ON_LIST = "40"
REPORTED = "90"
_LIST_STAYS_OPEN = 0.5
"""Wall seconds a partly reported picking list stays open even at pace 0: one parcel is reported line by
line."""


@job("allocate")
def allocation_due(world: World, args: Mapping[str, str]) -> None:
    """Allocate what is open on the order and have the picking lists released."""
    order = world.orders.get(args["orno"])
    if order is not None:
        for delivery in allocate(world, order):
            world.agenda.later("release", 0.5, 0.5, dlix=str(delivery.dlix))


def allocate(world: World, order: Order) -> list[Delivery]:
    """Allocate the open quantities there is stock for; one new delivery per warehouse."""
    created: dict[str, Delivery] = {}
    for line in order.lines:
        quantity = _allocatable(world, order, line)
        if quantity <= 0:
            continue
        delivery = created.get(line.whlo)
        if delivery is None:
            delivery = Delivery(
                dlix=world.number("delivery"),
                orno=order.orno,
                whlo=line.whlo,
                lines=[],
                entered=world.clock.now(),
            )
            created[line.whlo] = delivery
        delivery.lines.append(
            DeliveryLine(
                ponr=line.ponr, itno=line.itno, quantity=quantity, reporting_number=world.number("pick")
            )
        )
        line.allocated += quantity
        world.change_balance(world.balance(line.whlo, line.itno), onhand=ZERO, allocated=quantity)
    for delivery in created.values():
        order.deliveries.append(delivery.dlix)
        world.keep_delivery(delivery)
    world.keep_order(order)
    return list(created.values())


def _allocatable(world: World, order: Order, line: OrderLine) -> Decimal:
    if order.stopped or "shipment_not_reportable" in world.troubles(order.cuor, (line.itno,)):
        return ZERO
    balance = world.balance(line.whlo, line.itno)
    return min(line.open, balance.onhand - balance.allocated)


def take_back_allocation(world: World, order: Order, line: OrderLine) -> None:
    """Undo the allocation of a line that is on no picking list yet; a delivery left empty disappears."""
    for delivery in world.deliveries_of(order):
        if delivery.plsx:
            continue
        for planned in [one for one in delivery.lines if one.ponr == line.ponr]:
            delivery.lines.remove(planned)
            line.allocated -= planned.quantity
            balance = world.balance(line.whlo, line.itno)
            world.change_balance(balance, onhand=ZERO, allocated=-planned.quantity)
        _keep_unless_empty(world, order, delivery)
    world.keep_order(order)


def stop(world: World, order: Order) -> None:
    """A person stops the order (OIS120) and hands its open picking lists back: nothing of it is allocated again
    before it is released."""
    order.stopped = True
    for delivery in world.deliveries_of(order):
        if delivery.pist == REPORTED:
            continue
        for planned in list(delivery.lines):
            line = _line(order, planned.ponr)
            if delivery.plsx:
                line.on_list -= planned.quantity
            else:
                line.allocated -= planned.quantity
            balance = world.balance(delivery.whlo, planned.itno)
            world.change_balance(balance, onhand=ZERO, allocated=-planned.quantity)
            delivery.lines.remove(planned)
        _keep_unless_empty(world, order, delivery)
    world.keep_order(order)


def _keep_unless_empty(world: World, order: Order, delivery: Delivery) -> None:
    if delivery.lines:
        world.keep_delivery(delivery)
    else:
        order.deliveries.remove(delivery.dlix)
        world.deliveries.drop(str(delivery.dlix))


@job("release")
def release_due(world: World, args: Mapping[str, str]) -> None:
    """Release the picking list of a delivery; in the own warehouse a person then starts to pick."""
    delivery = world.deliveries.get(args["dlix"])
    if delivery is not None and not delivery.plsx:
        release(world, delivery)


def release(world: World, delivery: Delivery) -> None:
    """Put everything allocated on picking list 1 of the delivery."""
    order = world.order(delivery.orno)
    delivery.plsx = 1
    delivery.pist = delivery.pgrs = ON_LIST
    for planned in delivery.lines:
        line = _line(order, planned.ponr)
        line.allocated -= planned.quantity
        line.on_list += planned.quantity
    world.keep_delivery(delivery)
    world.keep_order(order)
    if delivery.whlo not in AUTOMATIC:
        world.agenda.later("ship", 2.0, 4.0, dlix=str(delivery.dlix))


def _line(order: Order, ponr: int) -> OrderLine:
    return next(line for line in order.lines if line.ponr == ponr)


def open_list(world: World, dlix: int, plsx: int) -> Delivery:
    """The delivery whose picking list may still be reported. NotOk WDL0203, WPL1803 or CPF9898 (reported)."""
    delivery = world.delivery(dlix)
    if not delivery.plsx or delivery.plsx != plsx:
        raise NotOk("WPL1803", "PLSX")
    if delivery.pist == REPORTED:
        raise NotOk(
            GENERIC, "PLSX", f"Picking list {plsx} of delivery {dlix} has status 90, already reported"
        )
    return delivery


def require_packed(delivery: Delivery) -> None:
    """NotOk MW42220 where the dispatch policy wants everything packed before the issue."""
    if delivery.whlo not in AUTOMATIC and not delivery.packages:
        raise NotOk("MW42220", "DLIX")


def report_line(world: World, delivery: Delivery, planned: DeliveryLine, quantity: Decimal) -> None:
    """Report the pick of one line. The delivery leaves as soon as every line has been reported; while lines
    are missing it waits a moment for them and then leaves without."""
    planned.picked = quantity
    delivery.reported = world.clock.now()
    delivery.orst = "05"
    world.keep_delivery(delivery)
    if all(line.picked is not None for line in delivery.lines):
        issue(world, delivery)
    else:
        world.agenda.later("close_list", 1.0, 1.0, at_least=_LIST_STAYS_OPEN, dlix=str(delivery.dlix))


@job("close_list")
def close_list_due(world: World, args: Mapping[str, str]) -> None:
    """Let a partly reported delivery leave, unless another report has come in meanwhile."""
    delivery = world.deliveries.get(args["dlix"])
    waited = max(world.settings.pace, _LIST_STAYS_OPEN)
    if (
        delivery is None
        or delivery.pist == REPORTED
        or world.clock.now() - delivery.reported < waited - 0.001
    ):
        return
    issue(world, delivery)


def report_all(world: World, delivery: Delivery) -> None:
    """Report every line not reported yet in full; the delivery leaves."""
    for planned in delivery.lines:
        if planned.picked is None:
            planned.picked = planned.quantity
    issue(world, delivery)


def issue(world: World, delivery: Delivery) -> None:
    """The goods have left: stock goes down, the CO delivery becomes ready for invoicing (60, or 61 to be
    approved), what was not reported is open again and will be allocated to a new delivery."""
    order = world.order(delivery.orno)
    rest = False
    for planned in list(delivery.lines):
        picked = planned.picked or ZERO
        line = _line(order, planned.ponr)
        line.on_list -= planned.quantity
        line.delivered += picked
        balance = world.balance(delivery.whlo, planned.itno)
        world.change_balance(balance, onhand=-picked, allocated=-planned.quantity)
        rest = rest or picked < planned.quantity
        if picked:
            planned.quantity = picked
        else:
            delivery.lines.remove(planned)
    delivery.pist = delivery.pgrs = REPORTED
    delivery.shipped = world.clock.now()
    delivery.orst = "61" if "invoice_missing" in world.troubles_of(order) else "60"
    _keep_unless_empty(world, order, delivery)
    world.keep_order(order)
    if rest:
        world.agenda.later("allocate", 0.5, 0.5, orno=order.orno)
    if delivery.lines and order.ortp not in world.settings.manual_invoice_types:
        world.agenda.later("invoice", 0.5, 2.0, dlix=str(delivery.dlix))
