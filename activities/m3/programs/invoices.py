"""Invoices and the vouchers they make: OIS350MI, GLS200MI."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from activities.m3.client import Call, M3Client
from activities.m3.errors import MIError
from activities.m3.programs.values import number
from canonical.money import Money


@dataclass(frozen=True)
class InvoiceHead:
    """An invoice: amount with VAT in its own currency, and its voucher, empty until M3 has posted it."""

    ivno: str
    year: str
    external_number: str
    amount: Money
    vono: str


@dataclass(frozen=True)
class VoucherLine:
    """An accounting row: `amount` in `currency`, `local` in the division's, debit positive."""

    account: str
    amount: Decimal
    currency: str
    local: Decimal


@dataclass(frozen=True)
class VoucherSums:
    """Debit and credit of a voucher in the division's currency, neither negative."""

    debit: Decimal
    credit: Decimal

    @property
    def balanced(self) -> bool:
        return self.debit == self.credit


async def invoice_heads(
    client: M3Client, numbers: Iterable[tuple[str, str]], division: str
) -> dict[tuple[str, str], InvoiceHead]:
    """Invoices by (IVNO, YEA4) (OIS350MI.GetInvHead, bulk)."""
    wanted = list(dict.fromkeys(numbers))
    scope = {"DIVI": division} if division else {}
    calls: list[Call] = [("GetInvHead", {"YEA4": year, "IVNO": ivno, **scope}) for ivno, year in wanted]
    answers = await client.execute_bulk("OIS350MI", calls)
    found = {}
    for (ivno, year), answer in zip(wanted, answers, strict=True):
        row = answer.row()
        if row is not None:
            found[ivno, year] = _invoice(ivno, year, row)
    return found


async def request_invoice(client: M3Client, orno: str, dlix: str) -> None:
    """Ask for the invoice of one delivery (OIS350MI.PrtInvoice, cloud only). M3 answers before it has made
    it."""
    await client.execute("OIS350MI", "PrtInvoice", {"ORNO": orno, "DLIX": dlix})


async def voucher_sums(
    client: M3Client, numbers: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], VoucherSums]:
    """Debit and credit by (VONO, YEA4, DIVI) (GLS200MI.GetVoucherHead, bulk)."""
    calls: list[Call] = [
        ("GetVoucherHead", {"DIVI": division, "YEA4": year, "VONO": vono}) for vono, year, division in numbers
    ]
    answers = await client.execute_bulk("GLS200MI", calls)
    found = {}
    for key, answer in zip(numbers, answers, strict=True):
        row = answer.row()
        if row is not None:
            found[key] = VoucherSums(abs(number(row, "DSUM")), abs(number(row, "CSUM")))
    return found


async def voucher_lines(client: M3Client, vono: str, year: str, division: str) -> tuple[VoucherLine, ...]:
    """Rows of a voucher (GLS200MI.LstVoucherLines), none where M3 does not show it (yet)."""
    try:
        rows = await client.execute(
            "GLS200MI", "LstVoucherLines", {"DIVI": division, "YEA4": year, "VONO": vono}, maxrecs=1000
        )
    except MIError as error:
        if error.is_missing:
            return ()
        raise
    return tuple(_voucher_line(row) for row in rows)


def _invoice(ivno: str, year: str, row: dict[str, str]) -> InvoiceHead:
    currency = row.get("CUCD", "")
    in_own = "AMT2" if row.get("CUC2", "") == currency else "AMT1"
    vono = str(int(number(row, "VONO")))
    return InvoiceHead(
        ivno=ivno,
        year=year,
        external_number=row.get("EXIN", ""),
        amount=Money(amount=number(row, in_own), currency=currency),
        vono="" if vono == "0" else vono,
    )


def _voucher_line(row: dict[str, str]) -> VoucherLine:
    sign = _sign(row)
    return VoucherLine(
        account=row.get("AIT1", ""),
        amount=sign * number(row, "CUAM"),
        currency=row.get("CUCD", ""),
        local=sign * number(row, "ACAM"),
    )


def _sign(row: dict[str, str]) -> int:
    """Amounts come signed, or unsigned with DBCR: a credit row that is not negative is turned."""
    credit = row.get("DBCR", "").strip().upper() in ("C", "2")
    return -1 if credit and number(row, "ACAM") > 0 else 1
