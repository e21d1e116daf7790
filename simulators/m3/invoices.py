"""OIS350MI, reading CO deliveries (ODHEAD) and invoices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simulators import catalogue
from simulators.m3.clock import day_of, time_of
from simulators.m3.deliveries import INVOICE_PREFIX, external_number
from simulators.m3.errors import RECORD_MISSING, NotOk
from simulators.m3.invoicing import meant_delivery, payment_terms
from simulators.m3.money import amount_text, net_of, quantity_text, rounded
from simulators.m3.records import ZERO, Delivery, Invoice, Order
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World

_DUE_DAYS = 14


def local_amount(invoice: Invoice, amount: Decimal) -> str:
    return amount_text(rounded(amount * invoice.rate))


def due_day(invoice: Invoice) -> str:
    """When the customer has to have paid it (YYYYMMDD)."""
    return (datetime.fromtimestamp(invoice.entered, UTC) + timedelta(days=_DUE_DAYS)).strftime("%Y%m%d")


def _name(world: World, cuno: str) -> str:
    customer = world.customers.get(cuno)
    return customer.fields.get("CUNM", "") if customer else ""


def _invoice_of(world: World, delivery: Delivery) -> Invoice | None:
    return world.invoices.get(f"{delivery.yea4}/{delivery.ivno}") if delivery.ivno else None


def _delivery_fields(world: World, order: Order, delivery: Delivery) -> Row:
    """A CO delivery; AMT1 and AMT2 are its goods without VAT (there are no discounts here)."""
    prices = {line.ponr: line.sapr for line in order.lines}
    goods = sum(
        (
            net_of(rounded(ln.quantity * prices[ln.ponr], order.cucd), order.vat_percent, order.cucd)
            for ln in delivery.lines
        ),
        ZERO,
    )
    name = _name(world, order.cuno)
    row = {
        "ORNO": order.orno, "WHLO": delivery.whlo, "DLIX": str(delivery.dlix), "CUNO": order.cuno,
        "CUN1": name,
        "PYNO": order.cuno, "CUN2": name[:10], "ORST": delivery.orst, "TEPY": payment_terms(order),
        "AMT1": amount_text(goods), "AMT2": amount_text(goods), "CUCD": order.cucd, "CRTP": "1",
        "MODL": order.fields.get("MODL", ""), "TEDL": order.fields.get("TEDL", ""),
    }  # fmt: skip
    if delivery.shipped:
        row.update({"DLDT": day_of(delivery.shipped), "DLTM": time_of(delivery.shipped)})
    invoice = _invoice_of(world, delivery)
    if invoice is not None:
        row.update(
            {
                "IVNO": str(invoice.ivno), "IVDT": day_of(invoice.entered), "INTM": time_of(invoice.entered),
                "RAIN": f"{invoice.rate:f}", "INPX": INVOICE_PREFIX, "EXIN": external_number(invoice.ivno),
                "YEA4": str(invoice.yea4), "DUDT": due_day(invoice), "RAFC": amount_text(invoice.gross),
                "PITP": "1",
            }
        )  # fmt: skip
    return row


@mi("OIS350MI", "LstInvHeadByCo")
def list_co_deliveries(world: World, call: Call) -> list[Row]:
    """CO deliveries of an order with their status, invoiced or not."""
    order = world.order(call.text("ORNO"))
    wanted, whlo = call.integer("DLIX"), call.text("WHLO")
    return [
        _delivery_fields(world, order, delivery)
        for delivery in world.deliveries_of(order)
        if delivery.orst and wanted in (0, delivery.dlix) and whlo in ("", delivery.whlo)
    ]


@mi("OIS350MI", "GetDelHead")
def get_co_delivery(world: World, call: Call) -> list[Row]:
    """One CO delivery."""
    delivery = meant_delivery(world, call)
    return [_delivery_fields(world, world.order(delivery.orno), delivery)]


@mi("OIS350MI", "LstDelLine")
def list_co_delivery_lines(world: World, call: Call) -> list[Row]:
    """Lines of one CO delivery: delivered (QTY1) and invoiced (QTY2) quantity."""
    delivery = meant_delivery(world, call)
    return [
        {
            "DLIX": str(delivery.dlix), "WHLO": delivery.whlo, "PONR": str(line.ponr), "POSX": "0",
            "ITNO": line.itno, "ALUN": "PCS", "QTY1": quantity_text(line.quantity),
            "QTY2": quantity_text(line.quantity if delivery.ivno else ZERO), "ORST": delivery.orst,
        }
        for line in delivery.lines
    ]  # fmt: skip


@mi("OIS350MI", "LstAllInvByCO")
def list_invoices(world: World, call: Call) -> list[Row]:
    """Invoices of an order; IVAV is the amount with VAT in the invoice's currency."""
    order = world.order(call.text("ORNO"))
    name = _name(world, order.cuno)
    return [
        {
            "IVNO": str(invoice.ivno), "IVTP": "01", "IVT1": "Invoice", "YEA4": str(invoice.yea4),
            "IDAT": day_of(invoice.entered), "PYNO": invoice.cuno, "PYN1": name, "CUNO": invoice.cuno,
            "CUN1": name,
            "INRC": invoice.cuno, "INR1": name, "IVAV": amount_text(invoice.gross),
            "RAFC": amount_text(invoice.gross), "CUCD": invoice.cucd, "INPX": INVOICE_PREFIX,
            "EXIN": external_number(invoice.ivno), "DUDT": due_day(invoice), "TEPY": payment_terms(order),
        }
        for invoice in world.invoices_of(order.orno)
    ]  # fmt: skip


def _meant_invoice(world: World, call: Call) -> Invoice:
    invoice = world.invoices.get(f"{call.integer('YEA4')}/{call.integer('IVNO')}")
    if invoice is None:
        raise NotOk(RECORD_MISSING, "IVNO")
    return invoice


@mi("OIS350MI", "GetInvHead")
def get_invoice(world: World, call: Call) -> list[Row]:
    """Head of an invoice. AMT2 (IVAM) is its amount with VAT in CUC2, the invoice's currency; AMT1 the same
    in CUC1, the division's. VONO is 0 until the voucher has been created."""
    invoice = _meant_invoice(world, call)
    order = world.order(invoice.orno)
    name = _name(world, invoice.cuno)
    return [
        {
            "FACI": order.faci, "VONO": str(invoice.vono), "PYNO": invoice.cuno, "DUDT": due_day(invoice),
            "IDAT": day_of(invoice.entered), "FAC2": order.faci, "RAFC": amount_text(invoice.gross),
            "CUCD": invoice.cucd, "INST": "20", "CUNM": name, "AMT1": local_amount(invoice, invoice.gross),
            "CUC1": catalogue.LOCAL_CURRENCY, "AMT2": amount_text(invoice.gross), "CUC2": invoice.cucd,
            "RAIN": f"{invoice.rate:f}", "UPAC": "1" if invoice.vono else "0", "INRC": invoice.cuno,
            "CUN2": name,
            "IVTP": "01", "ACDT": day_of(invoice.entered), "EXIN": external_number(invoice.ivno),
            "CUNO": invoice.cuno, "RGDT": day_of(invoice.entered), "RGTM": time_of(invoice.entered),
            "CHID": "M3SRVADM",
        }
    ]  # fmt: skip


@mi("OIS350MI", "LstInvLine")
def list_invoice_rows(world: World, call: Call) -> list[Row]:
    """Rows of an invoice: IVTP 31 goods, 50 a charge. AMT2 is the amount without VAT in the invoice's
    currency, AMT1 the same in the division's; VTAM the VAT in the invoice's currency, CVTM in the
    division's."""
    invoice = _meant_invoice(world, call)
    order = world.order(invoice.orno)
    return [
        {
            "IVTP": row.ivtp, "ORNO": invoice.orno, "DLIX": str(invoice.dlix), "WHLO": invoice.whlo,
            "IVRF": row.reference, "AMT1": local_amount(invoice, row.gross - row.vat),
            "AMT2": amount_text(row.gross - row.vat), "AMT3": amount_text(row.gross - row.vat),
            "PYNO": invoice.cuno, "CUNM": _name(world, invoice.cuno), "VTAM": amount_text(row.vat),
            "BSCD": "DE", "FTCO": order.country, "VTCD": "1" if order.vat_percent else "0",
            "CVTM": local_amount(invoice, row.vat), "CVBA": local_amount(invoice, row.gross - row.vat),
            "VTP1": f"{order.vat_percent:.2f}", "VTP2": "0.00",
        }
        for row in invoice.rows
    ]  # fmt: skip
