"""OIS100MI, entry of temporary orders (OXHEAD): head, addresses, texts, charges, lines, and taking them
back."""

from __future__ import annotations

from decimal import Decimal

from simulators import catalogue
from simulators.m3.customers import usable_customer
from simulators.m3.errors import CHANGED_BY_USER, GENERIC, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.items import orderable_item
from simulators.m3.records import BatchLine, BatchOrder, Charge
from simulators.m3.registry import Call, Row, mi
from simulators.m3.site_tables import RATES_TO_LOCAL, check_address
from simulators.m3.world import World

CREATED = "90"
WAREHOUSES = frozenset(w.whlo for w in catalogue.WAREHOUSES)
ORDER_TYPES = {t.ortp: t for t in catalogue.ORDER_TYPES}


def changeable(world: World, orno: str) -> BatchOrder:
    """The temporary order if it may still be changed.

    NotOk: XRE0103 (none), XUP0001 (M3 is just transferring it), CPF9898 (customer order already created).
    """
    batch = world.batch(orno)
    if batch.in_transfer:
        raise NotOk(CHANGED_BY_USER, "ORNO")
    if batch.stat == CREATED:
        raise NotOk(GENERIC, "ORNO", f"Batch order {orno} has status 90, customer order already created")
    return batch


def _checked_codes(call: Call) -> None:
    if call.text("FACI", catalogue.FACI) != catalogue.FACI:
        raise NotOk("WFAC303", "FACI")
    if call.text("WHLO") and call.text("WHLO") not in WAREHOUSES:
        raise NotOk("WWH0103", "WHLO")
    if call.text("MODL") and call.text("MODL") not in catalogue.DELIVERY_METHODS:
        raise NotOk("WMO0103", "MODL")
    if call.text("TEDL") and call.text("TEDL") not in catalogue.DELIVERY_TERMS:
        raise NotOk("WTE0103", "TEDL")
    if call.text("TEPY") and call.text("TEPY") not in catalogue.PAYMENT_TERMS:
        raise NotOk(GENERIC, "TEPY", f"Payment terms {call.text('TEPY')} do not exist")
    if call.text("CUCD") and call.text("CUCD") not in RATES_TO_LOCAL:
        raise NotOk(GENERIC, "CUCD", f"Currency {call.text('CUCD')} does not exist")


@mi("OIS100MI", "AddBatchHead")
def add_head(world: World, call: Call) -> list[Row]:
    """Opens a temporary order; answers its TEMPORARY number. A CUOR that exists already is accepted."""
    customer = usable_customer(world, call.text("CUNO"))
    if call.text("ORTP") not in ORDER_TYPES:
        raise NotOk(GENERIC, "ORTP", f"Order type {call.text('ORTP')} does not exist")
    _checked_codes(call)
    adid = call.text("ADID")
    if adid and not any(key.endswith(f"/{adid}") for key in customer.addresses):
        raise NotOk("WAD1003", "ADID")
    batch = BatchOrder(
        orno=f"{world.number('batch'):010d}",
        cuno=call.text("CUNO"),
        cuor=call.text("CUOR"),
        ortp=call.text("ORTP"),
        faci=catalogue.FACI,
        whlo=call.text("WHLO", "MAI"),
        cucd=call.text("CUCD", customer.fields["CUCD"]),
        fields={"TEPY": catalogue.PAYMENT_TERMS[0], "ORDT": world.clock.day(), **call.fields},
        entered=world.clock.now(),
    )
    world.keep_batch(batch)
    return [{"ORNO": batch.orno}]


@mi("OIS100MI", "AddBatchAddress")
def add_address(world: World, call: Call) -> list[Row]:
    """Puts a one-time address on the temporary order; one per address type."""
    batch = changeable(world, call.text("ORNO"))
    kind = str(call.integer("ADRT"))
    if kind in batch.addresses:
        raise NotOk(RECORD_EXISTS, "ADRT")
    check_address(call.text("CSCD"), call.text("ECAR"))
    batch.addresses[kind] = dict(call.fields)
    world.keep_batch(batch)
    return []


@mi("OIS100MI", "AddBatchText")
def add_text(world: World, call: Call) -> list[Row]:
    """Adds a text row to the temporary order or to one of its lines."""
    batch = changeable(world, call.text("ORNO"))
    if call.integer("PONR"):
        _line(batch, call.integer("PONR"))
    batch.texts.append(dict(call.fields))
    world.keep_batch(batch)
    return []


def charge_of(call: Call) -> Charge:
    """The charge a call describes. NotOk if the charge does not exist."""
    crid = call.text("CRID")
    if crid not in catalogue.CHARGES:
        raise NotOk(GENERIC, "CRID", f"Charge {crid} does not exist")
    amount = call.number("CRAM") or Decimal(0)
    return Charge(crid=crid, name=call.text("CRD0", catalogue.CHARGES[crid]), amount=amount)


@mi("OIS100MI", "AddBatchHeadChg")
def add_head_charge(world: World, call: Call) -> list[Row]:
    """Adds a charge to the temporary order. The same CRID again ADDS another one: M3 promises nothing
    else."""
    batch = changeable(world, call.text("ORNO"))
    batch.charges.append(charge_of(call))
    world.keep_batch(batch)
    return []


def _line(batch: BatchOrder, ponr: int) -> BatchLine:
    for line in batch.lines:
        if line.ponr == ponr:
            return line
    raise NotOk(RECORD_MISSING, "PONR")


def _sales_price(world: World, batch: BatchOrder, call: Call, listed: Decimal) -> Decimal:
    """SAPR as given; 0 or blank means the price list's, except where the order type allows free goods."""
    price = call.number("SAPR") or Decimal(0)
    if price < 0:
        raise NotOk(GENERIC, "SAPR", "Sales price must not be negative")
    if price == 0 and not ORDER_TYPES[batch.ortp].free_allowed:
        return listed
    return price


@mi("OIS100MI", "AddBatchLine")
def add_line(world: World, call: Call) -> list[Row]:
    """Adds a line; answers its number. Nothing keeps the same line from being added twice."""
    batch = changeable(world, call.text("ORNO"))
    item = orderable_item(world, call.text("ITNO"))
    if "item_blocked" in world.troubles(batch.cuor, ()):
        raise NotOk("XIT0107", "ITNO")
    _checked_codes(call)
    quantity = call.number("ORQT") or Decimal(0)
    if quantity <= 0:
        raise NotOk(GENERIC, "ORQT", "Ordered quantity must be entered")
    ponr = max((line.ponr for line in batch.lines), default=0) + 1
    line = BatchLine(
        ponr=ponr,
        itno=item.itno,
        orqt=quantity,
        sapr=_sales_price(world, batch, call, item.price),
        whlo=call.text("WHLO", batch.whlo),
        fields=dict(call.fields),
    )
    batch.lines.append(line)
    world.keep_batch(batch)
    return [{"PONR": str(ponr), "POSX": "0"}]


@mi("OIS100MI", "AddBatchLineChg")
def add_line_charge(world: World, call: Call) -> list[Row]:
    """Adds a charge to a line of the temporary order; the same CRID again adds another one."""
    batch = changeable(world, call.text("ORNO"))
    line = _line(batch, call.integer("PONR"))
    line.charges.append(charge_of(call))
    world.keep_batch(batch)
    return []


@mi("OIS100MI", "DelBatchLine")
def delete_line(world: World, call: Call) -> list[Row]:
    """Takes a line off the temporary order."""
    batch = changeable(world, call.text("ORNO"))
    batch.lines.remove(_line(batch, call.integer("PONR")))
    world.keep_batch(batch)
    return []


@mi("OIS100MI", "DelBatchHead")
def delete_head(world: World, call: Call) -> list[Row]:
    """Deletes the temporary order with all that hangs on it; refused in transfer (XUP0001) and at status
    90."""
    batch = changeable(world, call.text("ORNO"))
    world.batches.drop(batch.orno)
    return []
