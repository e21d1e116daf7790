"""Accounts receivable: what customers owe, and ARS200MI, which reads it.

An invoice is there once its voucher is posted. Inferred: transaction codes 10 (invoice) and 20 (payment), RECO 0 open,
1 paid in part, 9 paid, AAC0 1 for open items alone, IVDT as the first day, and the meaning of the amounts of
GetInvTotInfo (PCUA paid, OCUA open, in the invoice's currency; PAMT and OAMT in the division's).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulators import catalogue
from simulators.m3.clock import day_of
from simulators.m3.deliveries import INVOICE_PREFIX, external_number
from simulators.m3.errors import NOT_AUTHORIZED, RECORD_MISSING, NotOk
from simulators.m3.invoices import due_day
from simulators.m3.ledger_records import Payment, Voucher
from simulators.m3.money import amount_text, rounded
from simulators.m3.records import ZERO, Invoice
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World

INVOICE, PAYMENT = "10", "20"
_OPEN, _PART, _PAID = "0", "1", "9"


@dataclass(frozen=True)
class Receivable:
    """One posted invoice or credit (below zero), what was paid of it, and what is left."""

    invoice: Invoice
    voucher: Voucher
    payments: list[Payment]

    @property
    def key(self) -> str:
        """Year and number of the invoice."""
        return f"{self.invoice.yea4}/{self.invoice.ivno}"

    @property
    def paid(self) -> Decimal:
        """What was paid, in the invoice's currency."""
        return sum((payment.amount for payment in self.payments), ZERO)

    @property
    def left(self) -> Decimal:
        """What is open, in the invoice's currency."""
        return self.invoice.gross - self.paid

    @property
    def local(self) -> Decimal:
        """The whole amount in the division's currency."""
        return rounded(self.invoice.gross * self.invoice.rate)

    @property
    def left_local(self) -> Decimal:
        """What is open, in the division's currency."""
        return self.local - sum((payment.local for payment in self.payments), ZERO)

    @property
    def reco(self) -> str:
        """RECO: how far it is reconciled."""
        if not self.left:
            return _PAID
        return _PART if self.payments else _OPEN


def receivable(world: World, cuno: str, cino: str, inyr: int) -> Receivable | None:
    """The customer's posted invoice by its external number and year, if there is one."""
    match = re.fullmatch(rf"{INVOICE_PREFIX}(\d{{9}})", cino)
    invoice = world.invoices.get(f"{inyr}/{int(match[1])}") if match else None
    return _posted(world, invoice) if invoice is not None and invoice.cuno == cuno else None


def receivables(world: World, cuno: str = "") -> Iterator[Receivable]:
    """Every posted invoice, of one customer if given, oldest first."""
    keys = world.invoices_by_cuno.get(cuno, []) if cuno else world.invoices.keys()
    for invoice in map(world.invoices.get, keys):
        found = _posted(world, invoice) if invoice is not None else None
        if found is not None:
            yield found


def _posted(world: World, invoice: Invoice) -> Receivable | None:
    voucher = world.vouchers.get(f"{invoice.yea4}/{invoice.vono}") if invoice.vono else None
    if voucher is None:
        return None
    keys = world.payments_by_invoice.get(f"{invoice.yea4}/{invoice.ivno}", [])
    return Receivable(invoice, voucher, [paid for paid in map(world.payments.get, keys) if paid])


def _identity(found: Receivable) -> Row:
    invoice = found.invoice
    return {
        "CONO": str(catalogue.CONO), "DIVI": catalogue.DIVI, "PYNO": invoice.cuno, "CUNO": invoice.cuno,
        "CINO": external_number(invoice.ivno), "INYR": str(invoice.yea4), "IVTP": "01", "TDSC": "CustInv",
        "CUCD": invoice.cucd, "CRTP": "1", "ARAT": f"{invoice.rate:f}", "DCAM": "2",
        "IVDT": day_of(invoice.entered), "DUDT": due_day(invoice), "TEPY": catalogue.PAYMENT_TERMS[0],
    }  # fmt: skip


def _as_invoice(found: Receivable) -> Row:
    """The ledger's transaction of the invoice itself."""
    voucher = found.voucher
    return {
        **_identity(found), "TRCD": INVOICE, "YEA4": str(voucher.yea4), "JRNO": str(voucher.jrno), "JSNO": "1",
        "VSER": voucher.vser, "VONO": str(voucher.vono), "CUAM": amount_text(found.invoice.gross),
        "VTAM": amount_text(found.invoice.vat), "ACDT": voucher.lines[0].acdt, "RECO": found.reco,
        "REDE": found.payments[-1].acdt if found.reco == _PAID and found.payments else "",
    }  # fmt: skip


def _as_payment(found: Receivable, payment: Payment) -> Row:
    return {
        **_identity(found), "TRCD": PAYMENT, "TDSC": "CustPaym", "YEA4": str(payment.yea4),
        "JRNO": str(payment.jrno), "JSNO": str(payment.jsno), "VSER": payment.vser, "VONO": str(payment.vono),
        "CUAM": amount_text(-payment.amount), "ACDT": payment.acdt, "RECO": found.reco,
    }  # fmt: skip


def _transactions(found: Receivable) -> list[Row]:
    return [_as_invoice(found), *(_as_payment(found, payment) for payment in found.payments)]


def _meant(world: World, call: Call) -> Receivable:
    if call.text("DIVI", catalogue.DIVI) != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")
    found = receivable(world, call.text("CUNO"), call.text("CINO"), call.integer("INYR"))
    if found is None or call.text("PYNO", found.invoice.cuno) != found.invoice.cuno:
        raise NotOk(RECORD_MISSING, "CINO")
    return found


@mi("ARS200MI", "GetInvTotInfo")
def get_totals(world: World, call: Call) -> list[Row]:
    """An invoice with what was paid of it and what is open."""
    found = _meant(world, call)
    row = _as_invoice(found)
    return [
        {
            **row, "ACAM": amount_text(found.local), "PCUA": amount_text(found.paid),
            "PAMT": amount_text(found.local - found.left_local), "OCUA": amount_text(found.left),
            "OAMT": amount_text(found.left_local), "LOCD": catalogue.LOCAL_CURRENCY,
        }
    ]  # fmt: skip


@mi("ARS200MI", "LstInvoiceTrans")
def list_transactions(world: World, call: Call) -> list[Row]:
    """The invoice and its payments, of one transaction code if given. Cloud only."""
    wanted = call.text("TRCD")
    return [row for row in _transactions(_meant(world, call)) if wanted in ("", row["TRCD"])]


@mi("ARS200MI", "LstInvoices")
def list_invoices(world: World, call: Call) -> Iterator[Row]:
    """A customer's invoices, from a day on if given. The amounts are not told."""
    if call.text("CUNO") not in world.customers:
        raise NotOk("WCU0203", "CUNO")
    for found in receivables(world, call.text("CUNO")):
        if _wanted(found, call):
            yield _as_invoice(found)


@mi("ARS200MI", "LstInvByDivi")
def list_by_division(world: World, call: Call) -> Iterator[Row]:
    """Invoices of the divisions from FDIV to TDIV, of a customer if given."""
    first, last = call.text("FDIV"), call.text("TDIV", "\x7f")
    if first <= catalogue.DIVI <= last:
        for found in receivables(world, call.text("CUNO") or call.text("PYNO")):
            if _wanted(found, call):
                yield _as_invoice(found)


def _wanted(found: Receivable, call: Call) -> bool:
    open_alone = call.text("AAC0") == "1"
    return day_of(found.invoice.entered) >= call.text("IVDT") and not (open_alone and found.reco == _PAID)


@mi("ARS200MI", "GetUniqueKey")
def get_key(world: World, call: Call) -> list[Row]:
    """Where a transaction stands in the ledger: YEA4, JRNO and JSNO."""
    found = _meant(world, call)
    for row in _transactions(found):
        if row["TRCD"] == call.text("TRCD") and row["IVDT"] == call.text("IVDT"):
            return [row]
    raise NotOk(RECORD_MISSING, "TRCD")


@mi("ARS200MI", "GetInvoice")
def get_invoice(world: World, call: Call) -> list[Row]:
    """One transaction by its place in the ledger."""
    place = [str(call.integer(name)) for name in ("YEA4", "JRNO", "JSNO")]
    for found in receivables(world):
        for row in _transactions(found):
            if [row["YEA4"], row["JRNO"], row["JSNO"]] == place:
                return [row]
    raise NotOk(RECORD_MISSING, "JRNO")
