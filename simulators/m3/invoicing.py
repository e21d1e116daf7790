"""From issued goods to invoice: the automatic level of the order type, PrtInvoice, approval, and the
invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from simulators import catalogue
from simulators.m3.errors import GENERIC, RECORD_MISSING, NotOk
from simulators.m3.money import net_of, rate_of, rounded
from simulators.m3.records import ZERO, Charge, Delivery, Invoice, InvoiceRow, Order
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.world import World

READY, TO_APPROVE, IN_PROGRESS, INVOICED = "60", "61", "69", "70"
GOODS, CHARGE = "31", "50"


@job("invoice")
def invoice_due(world: World, args: Mapping[str, str]) -> None:
    """Invoice the CO delivery, if it is still to be invoiced."""
    delivery = world.deliveries.get(args["dlix"])
    if delivery is not None and not delivery.ivno and delivery.orst in (READY, IN_PROGRESS):
        _invoice(world, delivery)


def _vat(order: Order, gross: Decimal) -> Decimal:
    return gross - net_of(gross, order.vat_percent, order.cucd)


def _goods(order: Order, delivery: Delivery) -> list[InvoiceRow]:
    rows = []
    for delivered in delivery.lines:
        line = next(line for line in order.lines if line.ponr == delivered.ponr)
        line.delivered -= delivered.quantity
        line.invoiced += delivered.quantity
        gross = rounded(delivered.quantity * line.sapr, order.cucd)
        rows.append(
            InvoiceRow(
                ivtp=GOODS,
                reference=line.itno,
                ponr=line.ponr,
                quantity=delivered.quantity,
                gross=gross,
                vat=_vat(order, gross),
            )
        )
    return rows


def _charges(order: Order, delivery: Delivery) -> list[tuple[int, Charge]]:
    """Charges not invoiced yet: of the head, and of the lines in this delivery. (Order line or 0, charge.)"""
    due = [(0, charge) for charge in order.charges if not charge.ivno]
    lines = {delivered.ponr for delivered in delivery.lines}
    due += [
        (ln.ponr, charge)
        for ln in order.lines
        if ln.ponr in lines
        for charge in ln.charges
        if not charge.ivno
    ]
    return due


def _invoice(world: World, delivery: Delivery) -> None:
    order = world.order(delivery.orno)
    ivno = world.number("invoice")
    rows = _goods(order, delivery)
    for ponr, charge in _charges(order, delivery):
        charge.ivno = ivno
        rows.append(
            InvoiceRow(
                ivtp=CHARGE,
                reference=charge.crid,
                ponr=ponr,
                quantity=ZERO,
                gross=charge.amount,
                vat=_vat(order, charge.amount),
            )
        )
    now = world.clock.now()
    invoice = Invoice(
        ivno=ivno,
        yea4=datetime.fromtimestamp(now, UTC).year,
        orno=order.orno,
        dlix=delivery.dlix,
        whlo=delivery.whlo,
        cuno=order.cuno,
        cucd=order.cucd,
        rate=rate_of(order.cucd),
        gross=sum((row.gross for row in rows), ZERO),
        vat=sum((row.vat for row in rows), ZERO),
        rows=rows,
        entered=now,
    )
    world.invoices.put(f"{invoice.yea4}/{ivno}", invoice)
    delivery.ivno, delivery.yea4, delivery.orst = ivno, invoice.yea4, INVOICED
    world.keep_delivery(delivery)
    world.keep_order(order)
    world.agenda.later("voucher", 0.3, 0.3, invoice=f"{invoice.yea4}/{ivno}")


@mi("OIS350MI", "PrtInvoice")
def print_invoice(world: World, call: Call) -> list[Row]:
    """Asks for the invoice of the order's deliveries (or of one) that are ready. Answers at once and always
    OK: the invoice comes later, or never where a delivery waits for approval (61)."""
    order = world.order(call.text("ORNO"))
    wanted = call.integer("DLIX")
    for delivery in world.deliveries_of(order):
        if wanted in (0, delivery.dlix) and delivery.orst == READY:
            delivery.orst = IN_PROGRESS
            world.keep_delivery(delivery)
            world.agenda.later("invoice", 0.5, 2.0, dlix=str(delivery.dlix))
    return []


def approve(world: World, delivery: Delivery, signature: str) -> None:
    """Approve a delivery for invoicing; its invoice comes in a moment."""
    delivery.orst = READY
    delivery.apby = signature
    world.keep_delivery(delivery)
    world.agenda.later("invoice", 0.5, 2.0, dlix=str(delivery.dlix))


def payment_terms(order: Order) -> str:
    """TEPY of the order."""
    return order.fields.get("TEPY", "") or catalogue.PAYMENT_TERMS[0]


def meant_delivery(world: World, call: Call) -> Delivery:
    """The CO delivery named by ORNO, WHLO, DLIX and TEPY. NotOk if there is none (yet)."""
    order = world.order(call.text("ORNO"))
    delivery = world.deliveries.get(str(call.integer("DLIX")))
    if delivery is None or not delivery.orst or delivery.orno != order.orno:
        raise NotOk(RECORD_MISSING, "DLIX")
    if delivery.whlo != call.text("WHLO") or payment_terms(order) != call.text("TEPY"):
        raise NotOk(RECORD_MISSING, "TEPY")
    return delivery


@mi("OIS155MI", "Approve")
def approve_delivery(world: World, call: Call) -> list[Row]:
    """Approves a delivery at status 61 for invoicing."""
    delivery = meant_delivery(world, call)
    if delivery.orst != TO_APPROVE:
        text = f"Delivery {delivery.dlix} has status {delivery.orst}, approval not allowed"
        raise NotOk(GENERIC, "DLIX", text)
    approve(world, delivery, call.text("APBY"))
    return []


@mi("OIS155MI", "ListDeliveries")
def list_waiting(world: World, call: Call) -> list[Row]:
    """CO deliveries of the facility that wait for approval (61), of one customer if given."""
    wanted = call.text("CUNO")
    rows = []
    for delivery in world.deliveries:
        if delivery.orst != TO_APPROVE:
            continue
        order = world.order(delivery.orno)
        if order.faci == call.text("FACI") and wanted in ("", order.cuno):
            rows.append(
                {
                    "FACI": order.faci, "ORNO": order.orno, "WHLO": delivery.whlo, "DLIX": str(delivery.dlix),
                    "TEPY": payment_terms(order), "ORTP": order.ortp, "CUNO": order.cuno, "PYNO": order.cuno,
                    "ORST": delivery.orst, "MODL": order.fields.get("MODL", ""),
                }
            )  # fmt: skip
    return rows
