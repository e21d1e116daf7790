"""OIS390MI: customer returns, entered and read.

Facts: the transactions' fields (MI metadata). Inferred: a return refers to an order that M3 has delivered, not
more comes back than was delivered, a head may stand without a line and no MI transaction deletes one, a line is
open until it is credited, and a sales price of 0 means "the order's price" unless the order type lets goods go
for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from simulators import catalogue
from simulators.m3.clock import day_of
from simulators.m3.errors import GENERIC, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.money import quantity_text
from simulators.m3.orders import order_line
from simulators.m3.records import Order
from simulators.m3.registry import Call, Row, mi
from simulators.m3.return_records import ZERO, CustomerReturn, ReturnLine
from simulators.m3.world import World

WAREHOUSES = frozenset(warehouse.whlo for warehouse in catalogue.WAREHOUSES)
FREE = frozenset(kind.ortp for kind in catalogue.ORDER_TYPES if kind.free_allowed)
CUSTOMER_ORDER = "3"


def meant(world: World, call: Call) -> CustomerReturn:
    """The customer return by WHLO and REPN. NotOk if there is none."""
    found = world.returns.get(str(call.integer("REPN")))
    if found is None or found.whlo != call.text("WHLO"):
        raise NotOk(RECORD_MISSING, "REPN")
    return found


def meant_line(found: CustomerReturn, call: Call) -> ReturnLine:
    """Its line by RELI. NotOk if there is none."""
    for line in found.lines:
        if line.reli == call.integer("RELI"):
            return line
    raise NotOk(RECORD_MISSING, "RELI")


def keep(world: World, found: CustomerReturn) -> None:
    """Say that the return has changed."""
    world.returns.put(str(found.repn), found)


@mi("OIS390MI", "AddHead")
def add_head(world: World, call: Call) -> list[Row]:
    """Enters a customer return for an order (RORN); with REPN under the caller's own number."""
    if call.text("WHLO") not in WAREHOUSES:
        raise NotOk("WWH0103", "WHLO")
    order = world.order(call.text("RORN")) if call.text("RORN") else None
    if order is None:
        raise NotOk(GENERIC, "RORN", "Reference order number must be entered")
    if call.text("CUNO", order.cuno) != order.cuno:
        raise NotOk("XIM0002", "CUNO")
    if call.text("ORTP") and call.text("ORTP") not in {kind.ortp for kind in catalogue.ORDER_TYPES}:
        raise NotOk(GENERIC, "ORTP", f"Order type {call.text('ORTP')} does not exist")
    repn = call.integer("REPN") or world.number("return")
    if str(repn) in world.returns:
        raise NotOk(RECORD_EXISTS, "REPN")
    found = CustomerReturn(
        repn=repn,
        whlo=call.text("WHLO"),
        cuno=order.cuno,
        faci=call.text("FACI", order.faci),
        orno=order.orno,
        yref=call.text("YREF"),
        ortp=call.text("ORTP", order.ortp),
        rscd=call.text("RSCD"),
        rere=call.text("RERE"),
        cucd=order.cucd,
        entered=world.clock.now(),
    )
    keep(world, found)
    return [{"REPN": str(repn)}]


@mi("OIS390MI", "AddLine")
def add_line(world: World, call: Call) -> list[Row]:
    """Enters a line for one line of the order (RORL); not more than was delivered of it comes back."""
    found = meant(world, call)
    order = world.order(found.orno)
    sold = order_line(order, call.integer("RORL"))
    if call.text("ITNO", sold.itno) != sold.itno:
        raise NotOk("WIT0103", "ITNO")
    quantity = call.number("REQ0") or ZERO
    if quantity <= 0:
        raise NotOk(GENERIC, "REQ0", "Transport notified quantity must be entered")
    if _advised(world, order, sold.ponr) + quantity > sold.delivered + sold.invoiced:
        raise NotOk(
            GENERIC, "REQ0", f"Returned quantity {quantity} is greater than what is left of the delivery"
        )
    line = ReturnLine(
        reli=max((each.reli for each in found.lines), default=0) + 1,
        ponr=sold.ponr,
        itno=sold.itno,
        advised=quantity,
        sapr=_price(found, call),
        whsl=call.text("WHSL"),
        rscd=call.text("RSCD", found.rscd),
    )
    found.lines.append(line)
    keep(world, found)
    return [{"RELI": str(line.reli), "TREL": str(line.reli)}]


def _price(found: CustomerReturn, call: Call) -> Decimal | None:
    given = call.number("SAPR")
    return given if given or (given is not None and found.ortp in FREE) else None


def _advised(world: World, order: Order, ponr: int) -> Decimal:
    """What has been entered as coming back of this order line."""
    keys = world.returns_by_order.get(order.orno, [])
    known = (found for found in map(world.returns.get, keys) if found is not None)
    return sum((line.advised for found in known for line in found.lines if line.ponr == ponr), ZERO)


@mi("OIS390MI", "GetHead")
def get_head(world: World, call: Call) -> list[Row]:
    """Head of a customer return. Its invoice number is the original's where one was given, never the credit's
    (inferred)."""
    found = meant(world, call)
    statuses = [line.status for line in found.lines] or ["10"]
    credited = [line.credit_status for line in found.lines] or ["1"]
    return [
        {
            "WHLO": found.whlo, "REPN": str(found.repn), "CUNO": found.cuno, "FACI": found.faci,
            "PYNO": found.cuno, "ORNO": found.orno, "YREF": found.yref, "EPDT": day_of(found.entered),
            "RERE": found.rere, "RESL": min(statuses), "RESH": max(statuses), "CRSB": min(credited),
            "CRSH": max(credited), "RSCD": found.rscd, "CUCD": found.cucd, "ORTP": found.ortp,
            "DIVI": catalogue.DIVI, "RORC": CUSTOMER_ORDER,
        }
    ]  # fmt: skip


def _short(found: CustomerReturn, line: ReturnLine) -> Row:
    return {
        "WHLO": found.whlo, "REPN": str(found.repn), "RELI": str(line.reli), "FACI": found.faci,
        "ORNO": found.orno, "PONR": str(line.ponr), "POSX": "0", "ITNO": line.itno, "RORC": CUSTOMER_ORDER,
    }  # fmt: skip


def _open(found: CustomerReturn, line: ReturnLine) -> Row:
    return {
        **_short(found, line), "REST": line.status, "EPDT": day_of(found.entered), "CUNO": found.cuno,
        "REQ0": quantity_text(line.advised), "REQ1": quantity_text(line.returned), "UNMS": "PCS",
    }  # fmt: skip


@mi("OIS390MI", "LstLine")
def list_lines(world: World, call: Call) -> list[Row]:
    """Lines of one customer return; none while it has only its head."""
    found = meant(world, call)
    return [_short(found, line) for line in found.lines]


@mi("OIS390MI", "GetLine")
def get_line(world: World, call: Call) -> list[Row]:
    """One line with its quantities: advised REQ0, returned REQ1, approved REQ3, credited REQ7."""
    found = meant(world, call)
    line = meant_line(found, call)
    return [
        {
            **_short(found, line), "REST": line.status, "WHSL": line.whsl, "CRES": line.credit_status,
            "REQ0": quantity_text(line.advised), "REQ1": quantity_text(line.returned),
            "REQ3": quantity_text(line.approved), "REQ7": quantity_text(line.credited),
            "SAPR": f"{_line_price(world, found, line):f}", "RSCD": line.rscd, "DIVI": catalogue.DIVI,
        }
    ]  # fmt: skip


def _line_price(world: World, found: CustomerReturn, line: ReturnLine) -> Decimal:
    return line.sapr if line.sapr is not None else order_line(world.order(found.orno), line.ponr).sapr


@mi("OIS390MI", "LstOpenLine")
@mi("OIS390MI", "SelOpenLine")
def list_open_lines(world: World, call: Call) -> Iterator[Row]:
    """Lines that are not credited yet, of a warehouse, a customer, an order, an order line, as asked."""
    for found in world.returns:
        asked = (
            call.text("WHLO") in ("", found.whlo)
            and call.text("CUNO") in ("", found.cuno)
            and call.text("ORNO") in ("", found.orno)
            and call.integer("REPN") in (0, found.repn)
        )
        for line in found.lines if asked else ():
            wanted = call.text("ITNO") in ("", line.itno) and call.integer("PONR") in (0, line.ponr)
            if wanted and line.status != "77":
                yield _open(found, line)
