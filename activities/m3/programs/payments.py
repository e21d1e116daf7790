"""Customer payments in batches (ARS040MI), and the receivables they pay (OIS350MI, ARS200MI).

ARS040MI adds and never shows, as GLS840MI: whether a batch or a line is there is told by its being refused as
existing, whether a batch was updated by the invoices it pays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from activities.m3.client import BulkResult, Call, M3Client
from activities.m3.errors import MIErrorKind
from activities.m3.programs.values import decimal_text, number
from canonical.settlement.accounts import Account
from canonical.settlement.matching import OpenItem, Paid

_INVOICE = "10"
"""TRCD of the invoice itself; its payments have others."""


@dataclass(frozen=True)
class InvoiceKey:
    """An invoice as accounts receivable knows it."""

    payer: str
    customer: str
    number: str
    year: str


@dataclass(frozen=True)
class PaymentSeen:
    """A payment of an invoice in accounts receivable, and its voucher."""

    amount: Decimal
    """What it pays: negative of a credit note."""
    vono: str
    year: str
    day: str


async def invoices_of_orders(client: M3Client, numbers: Sequence[str]) -> dict[str, list[InvoiceKey]]:
    """Invoices and credit notes by ORNO, as M3 lists them (OIS350MI.LstAllInvByCO, bulk)."""
    calls: list[Call] = [("LstAllInvByCO", {"ORNO": orno}) for orno in numbers]
    answers = await client.execute_bulk("OIS350MI", calls, maxrecs=1000)
    return {
        orno: [
            InvoiceKey(row["PYNO"], row["CUNO"], row["EXIN"], str(int(number(row, "YEA4"))))
            for row in answer.rows()
            if row.get("EXIN")
        ]
        for orno, answer in zip(numbers, answers, strict=True)
    }


async def open_items(client: M3Client, keys: Sequence[InvoiceKey], division: str) -> list[OpenItem | None]:
    """What is open of each invoice (ARS200MI.GetInvTotInfo, bulk); None where it is not posted."""
    calls: list[Call] = [("GetInvTotInfo", _key(key, division)) for key in keys]
    found: list[OpenItem | None] = []
    for key, answer in zip(keys, await client.execute_bulk("ARS200MI", calls), strict=True):
        row = answer.row()
        item = None
        if row is not None:
            item = OpenItem(
                payer=key.payer,
                customer=key.customer,
                number=key.number,
                year=key.year,
                currency=row.get("CUCD", ""),
                left=number(row, "OCUA"),
            )
        found.append(item)
    return found


async def payments_of(client: M3Client, key: InvoiceKey, division: str) -> tuple[PaymentSeen, ...]:
    """The payments of an invoice (ARS200MI.LstInvoiceTrans, cloud only)."""
    [answer] = await client.execute_bulk("ARS200MI", [("LstInvoiceTrans", _key(key, division))], maxrecs=1000)
    return tuple(
        PaymentSeen(
            amount=-number(row, "CUAM"),
            vono=str(int(number(row, "VONO"))),
            year=str(int(number(row, "YEA4"))),
            day=row.get("ACDT", ""),
        )
        for row in answer.rows()
        if row.get("TRCD") != _INVOICE
    )


def _key(key: InvoiceKey, division: str) -> dict[str, str]:
    scope = {"DIVI": division} if division else {}
    return {"PYNO": key.payer, "CINO": key.number, "INYR": key.year, "CUNO": key.customer, **scope}


class PaymentBatch:
    """One batch under the caller's number (PBID)."""

    def __init__(self, client: M3Client, pbid: str, division: str) -> None:
        self._client = client
        self._scope = {"PBID": pbid, **({"DIVI": division} if division else {})}

    async def add_head(self, payment_type: str, bank_account: str, day: date) -> bool:
        """Open the batch (AddBatchHead); False where there is one under this number."""
        bank = {"BAAN": bank_account} if bank_account else {}
        fields = {**self._scope, "BOPE": payment_type, "ACDT": f"{day:%Y%m%d}", **bank}
        [answer] = await self._client.execute_bulk("ARS040MI", [("AddBatchHead", fields)])
        if answer.error is not None and answer.error.kind is MIErrorKind.ALREADY_EXISTS:
            return False
        answer.rows()
        return True

    async def add_lines(
        self, first: int, paid: Sequence[tuple[Paid, Account]], currency: str
    ) -> list[BulkResult]:
        """Add payments, numbered from `first` (AddBatchLine); each with the account of the money."""
        calls: list[Call] = [
            ("AddBatchLine", {**self._scope, **_line(first + place, one, account, currency)})
            for place, (one, account) in enumerate(paid)
        ]
        return await self._client.execute_bulk("ARS040MI", calls)

    async def control(self) -> None:
        """Have the batch controlled (ControlBatch); M3 then updates it itself. Raises `MIError` with what is
        wrong."""
        await self._client.execute("ARS040MI", "ControlBatch", self._scope)


def _line(trno: int, paid: Paid, account: Account, currency: str) -> dict[str, str]:
    return {
        "TRNO": str(trno),
        "CINO": paid.number,
        "INYR": paid.year,
        "CUNO": paid.customer,
        "PYNO": paid.payer,
        "PYAM": decimal_text(paid.amount),
        "CUCD": currency,
        "AIT1": account.account,
        **account.dimensions,
    }
