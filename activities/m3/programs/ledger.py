"""Ledger vouchers by interface batch: GLS840MI, and GLS200MI, which shows what became of them.

GLS840MI adds and never shows: no transaction lists a batch, tells its status or the number of its voucher. What is
there is told by KEY1 and LINE being refused as existing, what was posted by the ledger itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from activities.m3.client import BulkResult, Call, M3Client
from activities.m3.errors import MIErrorKind
from activities.m3.options import InterfaceOptions
from activities.m3.programs.values import decimal_text, number
from canonical.settlement.models import Voucher, VoucherLine

_DIMENSIONS = tuple(f"AIT{position}" for position in range(2, 8))
_VOUCHERS_OF_A_DAY = 100_000
"""Accounting rows of one day that are read at most."""


@dataclass(frozen=True)
class Entry:
    """An accounting row (FGLEDG). `amount` in `currency`, `local` in the division's; debit positive."""

    vono: str
    year: str
    account: str
    dimensions: tuple[str, ...]
    """AIT2 to AIT7, without blanks at the end."""
    amount: Decimal
    currency: str
    local: Decimal
    text: str
    day: str


class Interface:
    """GLS840MI as the site has set up its interface (GLS850), in one company and division."""

    def __init__(self, client: M3Client, options: InterfaceOptions, *, company: int, division: str) -> None:
        self._client = client
        self._options = options
        self._scope = {"CONO": str(company), **({"DIVI": division} if division else {})}

    async def add_head(self, key: str, description: str) -> bool:
        """Open a batch (AddBatchHead); False where there is one under this KEY1. Raises any other `MIError`."""
        fields = {**self._scope, "KEY1": key, "INTN": self._options.name, "DESC": description}
        [answer] = await self._client.execute_bulk("GLS840MI", [("AddBatchHead", fields)])
        return _is_new(answer)

    async def add_lines(self, key: str, voucher: Voucher) -> list[BulkResult]:
        """Add the voucher's lines, numbered from 1 (AddBatchLineFld, or AddBatchLine with fixed positions)."""
        calls = [
            self._line(key, number_, voucher, line) for number_, line in enumerate(voucher.lines, start=1)
        ]
        return await self._client.execute_bulk("GLS840MI", calls)

    async def check(self, key: str) -> None:
        """Have the batch checked (CtrlBatch, option 6). Raises `MIError` with what is wrong."""
        await self._client.execute("GLS840MI", "CtrlBatch", {**self._scope, "KEY1": key})

    async def update(self, key: str) -> None:
        """Have the batch posted (UpdBatch, option 9). M3 answers before it has."""
        await self._client.execute("GLS840MI", "UpdBatch", {**self._scope, "KEY1": key})

    def _line(self, key: str, line_number: int, voucher: Voucher, line: VoucherLine) -> Call:
        identity = {"KEY1": key, "LINE": str(line_number)}
        values = self._values(voucher, line)
        if self._options.positions:
            return "AddBatchLine", {**self._scope, **identity, "PARM": self._parm(values)}
        del values["CUAM"]
        amount = {"CUAM": decimal_text(line.debit or line.credit), "DBCR": "D" if line.debit else "C"}
        scope = {name: value for name, value in self._scope.items() if name != "CONO"}
        return "AddBatchLineFld", {**scope, **identity, **values, **amount}

    def _values(self, voucher: Voucher, line: VoucherLine) -> dict[str, str]:
        return {
            "INRI": self._options.information_type,
            "GRNR": f"{voucher.number:02d}",
            "AIT1": line.account,
            **line.dimensions,
            "CUCD": voucher.currency,
            "ACDT": f"{voucher.accounting_date:%Y%m%d}",
            "VTXT": line.text,
            "CUAM": decimal_text(line.debit - line.credit),
        }

    def _parm(self, values: Mapping[str, str]) -> str:
        """The line as one string of the site's positions; the amount is signed and has the site's decimal mark."""
        options = self._options
        values = {**values, **options.constants, "CUAM": values["CUAM"].replace(".", options.decimal_mark)}
        parm = [" "] * max(first + length - 1 for first, length in options.positions.values())
        for name, (first, length) in options.positions.items():
            value = values.get(name, "")
            if len(value) > length:
                raise ValueError(f"{name} has {len(value)} characters, the interface takes {length}")
            parm[first - 1 : first - 1 + length] = value.ljust(length)
        return "".join(parm)


def refused_lines(answers: Sequence[BulkResult]) -> list[BulkResult]:
    """The answers to lines that are neither there now nor were before."""
    return [
        answer for answer in answers if answer.error and answer.error.kind is not MIErrorKind.ALREADY_EXISTS
    ]


def _is_new(answer: BulkResult) -> bool:
    if answer.error is not None and answer.error.kind is MIErrorKind.ALREADY_EXISTS:
        return False
    answer.rows()
    return True


async def entries_of_day(client: M3Client, day: date, division: str) -> tuple[Entry, ...]:
    """All accounting rows of one accounting date (GLS200MI.LstVouchersByDt). Raises `TruncatedListError`."""
    text = f"{day:%Y%m%d}"
    fields = {"FRDT": text, "TODT": text, **({"DIVI": division} if division else {})}
    rows = await client.complete_list("GLS200MI", "LstVouchersByDt", fields, limit=_VOUCHERS_OF_A_DAY)
    return tuple(_entry(row) for row in rows)


async def entries_of_voucher(client: M3Client, vono: str, year: str, division: str) -> tuple[Entry, ...]:
    """All accounting rows of one voucher (GLS200MI.LstVoucherLines), none where M3 does not show it."""
    fields = {"DIVI": division, "YEA4": year, "VONO": vono}
    rows = await client.complete_list("GLS200MI", "LstVoucherLines", fields, limit=_VOUCHERS_OF_A_DAY)
    return tuple(_entry(row) for row in rows)


def _entry(row: Mapping[str, str]) -> Entry:
    credit = row.get("DBCR", "").strip().upper() in ("C", "2")
    dimensions = [row.get(name, "").strip() for name in _DIMENSIONS]
    while dimensions and not dimensions[-1]:
        dimensions.pop()
    return Entry(
        vono=str(int(number(row, "VONO"))),
        year=str(int(number(row, "YEA4"))),
        account=row.get("AIT1", "").strip(),
        dimensions=tuple(dimensions),
        amount=_signed(number(row, "CUAM"), credit=credit),
        currency=row.get("CUCD", "").strip(),
        local=_signed(number(row, "ACAM"), credit=credit),
        text=row.get("VTXT", "").strip(),
        day=row.get("ACDT", "").strip(),
    )


def _signed(amount: Decimal, *, credit: bool) -> Decimal:
    """Amounts come signed, or unsigned with DBCR."""
    return -amount if credit and amount > 0 else amount


def dimensions_of(line: VoucherLine) -> tuple[str, ...]:
    """The line's AIT2 to AIT7 as an `Entry` has them."""
    values = [line.dimensions.get(name, "") for name in _DIMENSIONS]
    while values and not values[-1]:
        values.pop()
    return tuple(values)
