"""The general ledger: the voucher an invoice makes by itself, and GLS200MI, which reads vouchers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from simulators import catalogue
from simulators.m3.chart import CHARGES, GOODS_SOLD, RECEIVABLES, VAT
from simulators.m3.clock import day_of, time_of
from simulators.m3.errors import NOT_AUTHORIZED, RECORD_MISSING, NotOk
from simulators.m3.invoicing import GOODS
from simulators.m3.items import matches, search_terms
from simulators.m3.ledger_records import Voucher, VoucherLine
from simulators.m3.money import amount_text, rounded
from simulators.m3.records import ZERO, Invoice
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.world import World

INVOICE_ENTRY, INTERFACE_ENTRY, PAYMENT_ENTRY = "OI20", "GL10", "AR40"
SERIES = {INVOICE_ENTRY: "OI1", INTERFACE_ENTRY: "GL1", PAYMENT_ENTRY: "AR4"}
_CALLED = {INVOICE_ENTRY: "CustInv", INTERFACE_ENTRY: "GenLedger", PAYMENT_ENTRY: "CustPaym"}
_WRONG_BY = Decimal(1)


@job("voucher")
def voucher_due(world: World, args: Mapping[str, str]) -> None:
    """Post an invoice to accounts receivable and general ledger: CO delivery 80, invoice with VONO."""
    invoice = world.invoices.get(args["invoice"])
    if invoice is None or invoice.vono:
        return
    order = world.order(invoice.orno)
    wrong = "ledger_mismatch" in world.troubles_of(order)
    lines = invoice_lines(invoice, wrong_by=_WRONG_BY if wrong else ZERO)
    voucher = post(world, INVOICE_ENTRY, lines)
    voucher.ivno = invoice.ivno
    invoice.vono = voucher.vono
    world.invoices.put(f"{invoice.yea4}/{invoice.ivno}", invoice)
    if not invoice.dlix:  # a credit has no delivery
        return
    delivery = world.delivery(invoice.dlix)
    delivery.orst = "80"
    world.keep_delivery(delivery)


def invoice_lines(invoice: Invoice, wrong_by: Decimal = ZERO) -> list[VoucherLine]:
    """Accounting rows of an invoice: receivables against goods, charges and VAT; balanced in both
    currencies."""
    goods = sum((row.gross - row.vat for row in invoice.rows if row.ivtp == GOODS), ZERO)
    charges = sum((row.gross - row.vat for row in invoice.rows if row.ivtp != GOODS), ZERO)
    earned = [(GOODS_SOLD, goods - wrong_by), (CHARGES, charges), (VAT, invoice.vat)]
    day = day_of(invoice.entered)

    def line(account: str, amount: Decimal, local: Decimal) -> VoucherLine:
        text = f"Invoice {invoice.ivno} order {invoice.orno}"
        return VoucherLine(ait=[account], amount=amount, local=local, cucd=invoice.cucd, text=text, acdt=day)

    rows = [
        line(account, -amount, -rounded(amount * invoice.rate))
        for account, amount in earned
        if amount or account == GOODS_SOLD
    ]
    total = line(RECEIVABLES, -sum((r.amount for r in rows), ZERO), -sum((r.local for r in rows), ZERO))
    return [total, *rows]


def post(world: World, feid: str, lines: list[VoucherLine], key1: str = "") -> Voucher:
    """Make a voucher of these rows."""
    now = world.clock.now()
    voucher = Voucher(
        yea4=int(lines[0].acdt[:4]) if lines[0].acdt else datetime.fromtimestamp(now, UTC).year,
        vono=world.number("voucher"),
        vser=SERIES[feid],
        jrno=world.number("journal"),
        feid=feid,
        lines=lines,
        entered=now,
        key1=key1,
    )
    world.vouchers.put(f"{voucher.yea4}/{voucher.vono}", voucher)
    return voucher


def _meant(world: World, call: Call) -> Voucher:
    if call.text("DIVI") != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")
    voucher = world.vouchers.get(f"{call.integer('YEA4')}/{call.integer('VONO')}")
    if voucher is None or call.text("VSER", voucher.vser) != voucher.vser:
        raise NotOk(RECORD_MISSING, "VONO")
    if call.integer("JRNO") not in (0, voucher.jrno):
        raise NotOk(RECORD_MISSING, "JRNO")
    return voucher


def _identity(voucher: Voucher) -> Row:
    return {
        "CONO": str(catalogue.CONO), "DIVI": catalogue.DIVI, "YEA4": str(voucher.yea4), "VSER": voucher.vser,
        "VONO": str(voucher.vono), "JRNO": str(voucher.jrno), "FEID": voucher.feid, "FNCN": "1",
        "TDSC": _CALLED[voucher.feid], "VDSC": voucher.vser,
    }  # fmt: skip


@mi("GLS200MI", "GetVoucherHead")
def get_voucher(world: World, call: Call) -> list[Row]:
    """Sums of one voucher, all positive: DSUM and CSUM in the division's currency, CUAD and CUAC in the
    voucher's."""
    voucher = _meant(world, call)
    return [
        {
            **_identity(voucher),
            "DSUM": amount_text(sum((ln.local for ln in voucher.lines if ln.local > 0), ZERO)),
            "CSUM": amount_text(-sum((ln.local for ln in voucher.lines if ln.local < 0), ZERO)),
            "CUAD": amount_text(sum((ln.amount for ln in voucher.lines if ln.amount > 0), ZERO)),
            "CUAC": amount_text(-sum((ln.amount for ln in voucher.lines if ln.amount < 0), ZERO)),
            "CUCD": voucher.lines[0].cucd,
        }
    ]


def _line_fields(voucher: Voucher, number: int, line: VoucherLine) -> Row:
    """One accounting row; CUAM and ACAM are negative on the credit side (DBCR C)."""
    return {
        **_identity(voucher), "JSNO": str(number), "ACDT": line.acdt, "OCDT": line.acdt, "VATD": line.acdt,
        **{f"AIT{position}": value for position, value in enumerate(line.ait, 1)},
        "CUCD": line.cucd, "CUAM": amount_text(line.amount), "ACAM": amount_text(line.local), "DCAM": "2",
        "DBCR": "D" if line.amount >= 0 else "C", "VTXT": line.text, "RGDT": day_of(voucher.entered),
        "RGTM": time_of(voucher.entered), "CHID": "M3SRVADM", "ACYP": line.acdt[:6],
    }  # fmt: skip


@mi("GLS200MI", "LstVoucherLines")
def list_voucher_lines(world: World, call: Call) -> list[Row]:
    """Accounting rows of one voucher."""
    voucher = _meant(world, call)
    return [_line_fields(voucher, number, line) for number, line in enumerate(voucher.lines, 1)]


@mi("GLS200MI", "GetVoucherLine")
def get_voucher_line(world: World, call: Call) -> list[Row]:
    """One accounting row, by voucher, journal number and sequence number."""
    voucher, number = _meant(world, call), call.integer("JSNO")
    if not 1 <= number <= len(voucher.lines):
        raise NotOk(RECORD_MISSING, "JSNO")
    return [_line_fields(voucher, number, voucher.lines[number - 1])]


@mi("GLS200MI", "SearchGenLedger")
def search(world: World, call: Call) -> Iterator[Row]:
    """Accounting rows that meet all words of SQRY. Reads the search index, which lags behind; M3's answer names the
    journal (YEA4, JRNO, JSNO) and no voucher."""
    newest = world.clock.now() - world.settings.search_lag * world.settings.pace
    terms = search_terms(call.text("SQRY"))
    for voucher in world.vouchers:
        for number, line in enumerate(voucher.lines, 1) if voucher.entered <= newest else ():
            row = _line_fields(voucher, number, line)
            if matches(terms, row):
                key = f"{voucher.yea4}{voucher.jrno:07d}{number:07d}"
                yield {**row, "PGNM": "GLS200", "FILE": "FGLEDG", "KSTR": key}


@mi("GLS200MI", "LstVouchersByDt")
def list_vouchers(world: World, call: Call) -> Iterator[Row]:
    """Accounting rows of every voucher accounted from FRDT to TODT, oldest voucher first."""
    if call.text("DIVI", catalogue.DIVI) != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")
    first, last = call.text("FRDT"), call.text("TODT")
    for voucher in world.vouchers:
        for number, line in enumerate(voucher.lines, 1):
            if first <= line.acdt <= last:
                yield _line_fields(voucher, number, line)
