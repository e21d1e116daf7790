"""From temporary to customer order: Confirm, the asynchronous check and creation, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from simulators.m3.errors import RECORD_MISSING, TEXTS, NotOk
from simulators.m3.orders_batch import CREATED, ORDER_TYPES, changeable
from simulators.m3.records import BatchOrder, Charge, Order, OrderLine
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.site_tables import VAT_PERCENT
from simulators.m3.world import World

SURCHARGE = "SURCHG"
_SURCHARGE_AMOUNT = Decimal("2.50")


@mi("OIS100MI", "Confirm")
def confirm(world: World, call: Call) -> list[Row]:
    """Has M3 check the temporary order and make a customer order of it, later.

    Answers at once, with the TEMPORARY number and the status it has now. Once rejected it may be confirmed
    again.
    """
    batch = changeable(world, call.text("ORNO"))
    start_transfer(world, batch)
    return [{"ORNO": batch.orno, "STAT": batch.stat}]


def start_transfer(world: World, batch: BatchOrder) -> None:
    """Lock the temporary order and have it transferred in a moment."""
    batch.in_transfer = True
    world.keep_batch(batch)
    world.agenda.later("transfer", 0.3, 1.0, orno=batch.orno)


@job("transfer")
def transfer(world: World, args: Mapping[str, str]) -> None:
    """Check the temporary order; create the customer order, or leave it rejected with its messages."""
    batch = world.batches.get(args["orno"])
    if batch is None:
        return
    batch.in_transfer = False
    batch.errors = []
    batch.stat = _checked(world, batch)
    if batch.stat == CREATED:
        batch.ornr = _create(world, batch)
    world.keep_batch(batch)


def _reject(batch: BatchOrder, stat: str, code: str, text: str) -> str:
    batch.errors.append({"LEVL": "1", "MDTA": text, "TX60": text[:60], "MSID": code})
    return stat


def _checked(world: World, batch: BatchOrder) -> str:
    """The batch status after M3's own checks: 15, 20, 25, 30, 55 with messages, or 90."""
    troubles = world.troubles_of(batch)
    healing = world.healing.get(batch.cuor)
    if "interrupted" in troubles and healing is not None:
        healing.planted.remove("interrupted")
        world.healing.put(batch.cuor, healing)
        return _reject(batch, "55", "CPF9898", "Transfer of the batch order was interrupted abnormally")
    customer = world.customers.get(batch.cuno)
    if customer is None or customer.fields["STAT"] != "20":
        return _reject(batch, "15", "XIM0002", TEXTS["XIM0002"])
    if not batch.lines:
        return _reject(batch, "20", "CPF9898", "Order lines are missing")
    for line in batch.lines:
        item = world.items.get(line.itno)
        if item is None or item.stat != "20":
            _reject(batch, "25", "XIT0107", f"Line {line.ponr}: item {line.itno} is blocked")
        elif "order_rejected" in world.troubles(batch.cuor, (line.itno,)):
            text = f"Line {line.ponr}: item {line.itno} may not be sold from facility {batch.faci}"
            _reject(batch, "25", "CPF9898", text)
    if batch.errors:
        return "25"
    if "credit_stop" in troubles:
        return _reject(batch, "30", "CPF9898", f"Credit limit of payer {batch.cuno} is exceeded")
    return CREATED


def _country(world: World, batch: BatchOrder) -> str:
    """Country of delivery: of the order's own address, else of the customer."""
    address = batch.addresses.get("1", {})
    customer = world.customers.get(batch.cuno)
    return address.get("CSCD") or (customer.fields.get("CSCD", "") if customer else "")


def _create(world: World, batch: BatchOrder) -> str:
    country = _country(world, batch)
    vat = VAT_PERCENT.get(country, 0) if ORDER_TYPES[batch.ortp].vat_included else 0
    order = Order(
        orno=f"{world.number('order'):010d}",
        temp=batch.orno,
        cuno=batch.cuno,
        cuor=batch.cuor,
        ortp=batch.ortp,
        faci=batch.faci,
        whlo=batch.whlo,
        cucd=batch.cucd,
        vat_percent=Decimal(vat),
        country=country,
        fields=dict(batch.fields),
        entered=world.clock.now(),
        addresses=batch.addresses,
        charges=[charge.model_copy() for charge in batch.charges],
    )
    for line in batch.lines:
        item = world.items.get(line.itno)
        order.lines.append(
            OrderLine(
                ponr=line.ponr,
                itno=line.itno,
                itds=line.fields.get("ITDS", "") or (item.itds if item else ""),
                whlo=line.whlo,
                orqt=line.orqt,
                sapr=line.sapr,
                fields=line.fields,
                charges=[charge.model_copy() for charge in line.charges],
            )
        )
    if "total_differs" in world.troubles_of(order):
        order.charges.append(Charge(crid=SURCHARGE, name="Small volume surcharge", amount=_SURCHARGE_AMOUNT))
    world.keep_order(order)
    world.agenda.later("allocate", 0.5, 0.5, orno=order.orno)
    return order.orno


def _temporary_of(world: World, orno: str) -> BatchOrder:
    order = world.orders.get(orno)
    batch = world.batches.get(order.temp if order else orno)
    if batch is None:
        raise NotOk(RECORD_MISSING, "ORNO")
    return batch


@mi("OIS100MI", "GetOrderNo")
def get_order_number(world: World, call: Call) -> list[Row]:
    """The customer order number of a temporary one; blank as long as there is none."""
    return [{"ORNR": world.batch(call.text("ORNO")).ornr}]


@mi("OIS275MI", "GetTmpOrderStat")
def get_status(world: World, call: Call) -> list[Row]:
    """Temporary number, customer order number and batch status; asked with either number."""
    batch = _temporary_of(world, call.text("ORNO"))
    return [{"ORNO": batch.orno, "ORNR": batch.ornr, "STAT": batch.stat}]


@mi("OIS100MI", "LstErrMsgOrder")
def list_errors(world: World, call: Call) -> list[Row]:
    """Why the temporary order was rejected; empty if it was not."""
    return list(world.batch(call.text("ORNO")).errors)


def _shown(batch: BatchOrder) -> Row:
    return {
        **batch.fields, "ORNO": batch.orno, "CUNO": batch.cuno, "CUOR": batch.cuor, "ORTP": batch.ortp,
        "FACI": batch.faci, "CUCD": batch.cucd, "STAT": batch.stat, "ORNR": batch.ornr, "ORSL": batch.stat,
        "ORST": batch.stat, "RGTM": "0", "WHLO": batch.whlo,
    }  # fmt: skip


@mi("OIS100MI", "GetBatchHead")
@mi("OIS275MI", "GetBatchHead")
def get_batch_head(world: World, call: Call) -> list[Row]:
    """Head of a temporary order, STAT among it."""
    return [_shown(world.batch(call.text("ORNO")))]


@mi("OIS100MI", "LstBatchHead")
def list_batch_heads(world: World, call: Call) -> Iterator[Row]:
    """A customer's temporary orders, created ones too, oldest first: maxrecs hides the newest."""
    low, high = call.text("ORSL", "00"), call.text("ORST", "99")
    found = (world.batches.get(orno) for orno in world.batches_by_cuno.get(call.text("CUNO"), []))
    return (_shown(batch) for batch in found if batch is not None and low <= batch.stat <= high)


@mi("OIS100MI", "LstBatchLine")
@mi("OIS275MI", "LstBatchLine")
def list_batch_lines(world: World, call: Call) -> list[Row]:
    """Lines of a temporary order."""
    batch = world.batch(call.text("ORNO"))
    return [
        {
            **line.fields, "PONR": str(line.ponr), "POSX": "0", "ITNO": line.itno, "ORQT": f"{line.orqt:f}",
            "SAPR": f"{line.sapr:f}", "WHLO": line.whlo, "ITDS": _name(world, line.fields, line.itno),
        }
        for line in batch.lines
    ]  # fmt: skip


def _name(world: World, fields: Row, itno: str) -> str:
    item = world.items.get(itno)
    return fields.get("ITDS", "") or (item.itds if item else "")


@mi("OIS275MI", "GetAddress")
def get_batch_address(world: World, call: Call) -> list[Row]:
    """The one-time address of a temporary order, by type."""
    address = world.batch(call.text("ORNO")).addresses.get(str(call.integer("ADRT")))
    if address is None:
        raise NotOk(RECORD_MISSING, "ADRT")
    return [address]
