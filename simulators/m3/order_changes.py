"""OIS100MI, changing customer orders that exist: deleting, closing, and charges."""

from __future__ import annotations

from simulators.m3.errors import GENERIC, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.money import amount_text
from simulators.m3.orders import order_line
from simulators.m3.orders_batch import charge_of
from simulators.m3.records import Charge, Order, OrderLine
from simulators.m3.registry import Call, Row, mi
from simulators.m3.warehouse import take_back_allocation
from simulators.m3.world import World

DELETED = "90"


def _refuse_beyond_allocation(order: Order, line: OrderLine) -> None:
    """NotOk once part of the line is on a picking list, delivered or invoiced."""
    if line.on_list or line.delivered or line.invoiced:
        text = f"Order {order.orno} line {line.ponr} has status {line.status}, deletion not allowed"
        raise NotOk(GENERIC, "PONR", text)


def _changeable(world: World, call: Call) -> Order:
    order = world.order(call.text("ORNO"))
    if order.stat == DELETED:
        raise NotOk(GENERIC, "ORNO", f"Order {order.orno} has status 90, deleted")
    return order


@mi("OIS100MI", "DelHead")
def delete_head(world: World, call: Call) -> list[Row]:
    """Deletes the order while none of its lines is on a picking list; the head stays, with status 90."""
    order = _changeable(world, call)
    for line in order.lines:
        _refuse_beyond_allocation(order, line)
    for line in order.lines:
        take_back_allocation(world, order, line)
    order.lines.clear()
    order.stat = DELETED
    world.keep_order(order)
    return []


@mi("OIS100MI", "DelLine")
def delete_line(world: World, call: Call) -> list[Row]:
    """Deletes one line while it is not on a picking list; with its last line the order is deleted."""
    order = _changeable(world, call)
    line = order_line(order, call.integer("PONR"))
    _refuse_beyond_allocation(order, line)
    take_back_allocation(world, order, line)
    order.lines.remove(line)
    if not order.lines:
        order.stat = DELETED
    world.keep_order(order)
    return []


@mi("OIS100MI", "CloLine")
def close_line(world: World, call: Call) -> list[Row]:
    """Flags what is still open of a line as completed without delivery; refused while it is being picked."""
    order = _changeable(world, call)
    line = order_line(order, call.integer("PONR"))
    if line.on_list:
        text = f"Order {order.orno} line {line.ponr} is on a picking list, closing not allowed"
        raise NotOk(GENERIC, "PONR", text)
    take_back_allocation(world, order, line)
    line.closed += line.open
    world.keep_order(order)
    return []


@mi("OIS100MI", "ChgLineBatchEnt")
def change_line(world: World, call: Call) -> list[Row]:
    """Changes the ordered quantity (ORQA) of a line; allocations beyond it go. Refused once any of the line is on
    a picking list, and below what has been delivered (the refusals are inferred: OIS101 does it so)."""
    order = _changeable(world, call)
    line = order_line(order, call.integer("PONR"))
    wanted = call.number("ORQA")
    if wanted is None:
        return []
    left = line.delivered + line.invoiced
    if line.on_list or wanted < left or wanted <= 0:
        text = f"Order {order.orno} line {line.ponr} has status {line.status}, quantity cannot be {wanted}"
        raise NotOk(GENERIC, "ORQA", text)
    take_back_allocation(world, order, line)
    line.orqt = wanted
    world.keep_order(order)
    world.agenda.later("allocate", 0.5, 0.5, orno=order.orno)
    return []


def _open_charge(order: Order, call: Call) -> Charge:
    charge = next((one for one in order.charges if one.crid == call.text("CRID")), None)
    if charge is None:
        raise NotOk(RECORD_MISSING, "CRID")
    if charge.ivno:
        raise NotOk(GENERIC, "CRID", f"Charge {charge.crid} of order {order.orno} is invoiced")
    return charge


@mi("OIS100MI", "UpdConnCOCharge")
def update_charge(world: World, call: Call) -> list[Row]:
    """Changes the amount of a charge that is not invoiced yet."""
    order = _changeable(world, call)
    charge = _open_charge(order, call)
    amount = call.number("CRAM")
    if amount is not None:
        charge.amount = amount
    world.keep_order(order)
    return []


@mi("OIS100MI", "DelConnCOCharge")
def delete_charge(world: World, call: Call) -> list[Row]:
    """Deletes a charge that is not invoiced yet."""
    order = _changeable(world, call)
    order.charges.remove(_open_charge(order, call))
    world.keep_order(order)
    return []


@mi("OIS100MI", "AddConnCOCharge")
def add_charge(world: World, call: Call) -> list[Row]:
    """Adds a charge to a customer order; one of each CRID. It goes on the next invoice."""
    order = _changeable(world, call)
    charge = charge_of(call)
    if any(other.crid == charge.crid for other in order.charges):
        raise NotOk(RECORD_EXISTS, "CRID")
    order.charges.append(charge)
    world.keep_order(order)
    return []


@mi("OIS100MI", "LstConnCOCharge")
def list_charges(world: World, call: Call) -> list[Row]:
    """Charges on the head of a customer order, also those M3 has added itself."""
    order = world.order(call.text("ORNO"))
    wanted = call.text("CRID")
    return [
        {
            "ORNO": order.orno, "DLIX": "0", "WHLO": order.whlo, "CRID": charge.crid, "CRTY": "1",
            "CRD0": charge.name, "CRAM": amount_text(charge.amount), "CUCD": order.cucd,
            "CHST": "77" if charge.ivno else "66" if order.highest >= "66" else "22",
        }
        for charge in order.charges
        if wanted in ("", charge.crid)
    ]  # fmt: skip
