"""Customer returns received: the report by the API or by the own warehouse's people, stock, and the credit.

Inferred: M3 credits what was received and approved by itself (a job), each receipt as an invoice below zero of its own
that refers to the order and to no delivery; the receipt is its approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from simulators import catalogue
from simulators.m3.errors import GENERIC, NotOk
from simulators.m3.invoices import local_amount
from simulators.m3.invoicing import GOODS
from simulators.m3.money import amount_text, net_of, rate_of, rounded
from simulators.m3.orders import order_line
from simulators.m3.records import ZERO, Invoice, InvoiceRow, Meta
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.return_records import CustomerReturn, ReturnLine
from simulators.m3.returns import add_head, add_line, keep, meant, meant_line
from simulators.m3.world import World

_CREDITING = "credits_made"


def receive(world: World, call: Call) -> None:
    """The warehouse partner reports QTY of one return line as received. NotOk for the wrong customer or item,
    or more than was advised."""
    found = meant(world, call)
    line = meant_line(found, call)
    if found.cuno != call.text("CUNO"):
        raise NotOk("XIM0002", "CUNO")
    if call.text("ITNO", line.itno) != line.itno:
        raise NotOk("WIT0103", "ITNO")
    quantity = call.number("QTY")
    if quantity is None or quantity <= 0:
        raise NotOk(GENERIC, "QTY", "Returned quantity must be entered")
    if line.returned + quantity > line.advised:
        raise NotOk(GENERIC, "QTY", f"Returned quantity {quantity} is greater than advised {line.advised}")
    take_in(world, found, line, quantity)


def take_in(world: World, found: CustomerReturn, line: ReturnLine, quantity: Decimal) -> None:
    """The goods are back in stock, approved, and will be credited."""
    line.returned += quantity
    line.approved += quantity
    line.to_credit.append(quantity)
    keep(world, found)
    world.change_balance(world.balance(found.whlo, line.itno), onhand=quantity, allocated=ZERO)
    world.agenda.later("credit", 0.5, 2.0, repn=str(found.repn), reli=str(line.reli))


@job("credit")
def credit_due(world: World, args: Mapping[str, str]) -> None:
    """Credit what is approved and not credited yet, receipt by receipt."""
    found = world.returns.get(args["repn"])
    kept = world.meta.get(_CREDITING)
    if found is None or (kept is not None and kept.value == "0"):
        return
    line = next(each for each in found.lines if str(each.reli) == args["reli"])
    receipts, line.to_credit = line.to_credit, []
    for quantity in receipts:
        _credit(world, found, line, quantity)


def _credit(world: World, found: CustomerReturn, line: ReturnLine, quantity: Decimal) -> None:
    order = world.order(found.orno)
    price = line.sapr if line.sapr is not None else order_line(order, line.ponr).sapr
    line.credited += quantity
    keep(world, found)
    gross = -rounded(quantity * price, order.cucd)
    if not gross:
        return
    now, ivno = world.clock.now(), world.number("invoice")
    vat = gross - net_of(gross, order.vat_percent, order.cucd)
    row = InvoiceRow(
        ivtp=GOODS, reference=line.itno, ponr=line.ponr, quantity=-quantity, gross=gross, vat=vat
    )
    invoice = Invoice(
        ivno=ivno,
        yea4=datetime.fromtimestamp(now, UTC).year,
        orno=order.orno,
        dlix=0,
        whlo=found.whlo,
        cuno=order.cuno,
        cucd=order.cucd,
        rate=rate_of(order.cucd),
        gross=gross,
        vat=vat,
        rows=[row],
        entered=now,
    )
    world.invoices.put(f"{invoice.yea4}/{ivno}", invoice)
    world.agenda.later("voucher", 0.3, 0.3, invoice=f"{invoice.yea4}/{ivno}")


@mi("OIS350MI", "LstInvByCOLine")
def list_invoices_of_line(world: World, call: Call) -> list[Row]:
    """Invoices and credits of one order line. The amounts are those of the whole invoice, in the division's
    currency: the invoice's own are in GetInvHead."""
    order = world.order(call.text("ORNO"))
    ponr = call.integer("PONR")
    order_line(order, ponr)
    return [
        {
            "FACI": order.faci, "IVNO": str(invoice.ivno), "YEA4": str(invoice.yea4), "PYNO": invoice.cuno,
            "INST": "20", "IVAM": local_amount(invoice, invoice.gross), "IVLA": local_amount(invoice, invoice.gross),
            "CUCD": invoice.cucd, "RAIN": f"{invoice.rate:f}", "VONO": str(invoice.vono), "IVTP": "01",
            "INRC": invoice.cuno, "RAFC": amount_text(invoice.gross),
        }
        for invoice in world.invoices_of(order.orno)
        if any(row.ponr == ponr for row in invoice.rows)
    ]  # fmt: skip


class Received(BaseModel):
    """POST /_control/receive: the own warehouse's people receive goods of an order line. Without a return that
    is open for it they enter one themselves, as people do."""

    model_config = ConfigDict(extra="forbid")

    cuor: str
    ponr: int = 1
    quantity: Decimal = Decimal(1)
    by_hand: bool = False
    """Enter a return of their own even though one is open."""

    def happen(self, world: World) -> dict[str, object]:
        """Receive them. ValueError where M3 has no such order; NotOk."""
        keys = world.orders_by_cuor.get(self.cuor, [])
        if not keys:
            raise ValueError(f"No customer order has the CUOR {self.cuor!r}.")
        found, line = self._open(world, keys[0]) or self._entered(world, keys[0])
        take_in(world, found, line, self.quantity)
        return {"repn": found.repn, "reli": line.reli}

    def _open(self, world: World, orno: str) -> tuple[CustomerReturn, ReturnLine] | None:
        for found in map(world.returns.get, world.returns_by_order.get(orno, [])):
            for line in found.lines if found is not None and not self.by_hand else ():
                if found is not None and line.ponr == self.ponr and line.returned < line.advised:
                    return found, line
        return None

    def _entered(self, world: World, orno: str) -> tuple[CustomerReturn, ReturnLine]:
        order_line(world.order(orno), self.ponr)
        whlo = next(warehouse.whlo for warehouse in catalogue.WAREHOUSES if not warehouse.automatic)
        [head] = add_head(world, Call("OIS390MI", "AddHead", {"WHLO": whlo, "RORN": orno}))
        fields = {"WHLO": whlo, "REPN": head["REPN"], "RORL": str(self.ponr), "REQ0": str(self.quantity)}
        add_line(world, Call("OIS390MI", "AddLine", fields))
        found = world.returns.get(head["REPN"])
        if found is None:
            raise ValueError("The return was not entered.")
        return found, found.lines[-1]


class Credits(BaseModel):
    """POST /_control/credits: whether M3's job credits returns; switched on, it makes up for what it missed."""

    model_config = ConfigDict(extra="forbid")

    made: bool

    def switch(self, world: World) -> dict[str, object]:
        """Switch the job."""
        world.meta.put(_CREDITING, Meta(value="1" if self.made else "0"))
        for found in world.returns if self.made else ():
            for line in found.lines:
                world.agenda.later("credit", 0.0, 0.0, repn=str(found.repn), reli=str(line.reli))
        return {"made": self.made}
