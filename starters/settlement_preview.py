"""A settlement file read and booked on paper: nothing is posted, nothing but the file is needed."""

import csv
import json
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from canonical.marketplaces import marketplace_name
from canonical.settlement.accounts import RECEIVABLE
from canonical.settlement.checks import book
from canonical.settlement.models import (
    Booking,
    CheckStatus,
    CustomerPayment,
    Missing,
    UnknownCombination,
    UnreadableSettlement,
    Voucher,
    VoucherKind,
    VoucherLine,
)
from canonical.settlement.reading import Expected
from canonical.settlement.summing import Summed, read_settlement
from canonical.settlement.text import Source
from canonical.settlement.vouchers import receivable_lines
from starters.console import Refused, complain, say, table
from worker.settings import Settings
from worker.settlement_settings import SettlementSettings

UNREADABLE: Final = 2
UNKNOWN: Final = 3
DIFFERS: Final = 4

_PIECE: Final = 1 << 18
_SHOWN: Final = 20
_MAP_COLUMNS: Final = ("transaction_type", "amount_type", "amount_description", "category")


def file_source(file: Path) -> Source:
    """The file's bytes, piece by piece, as often as they are asked for."""

    def pieces() -> Iterator[bytes]:
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece

    return pieces


def temporary_file() -> BinaryIO:
    """An empty file that is gone when it is closed."""
    return tempfile.TemporaryFile()


def read_map(file: Path) -> SettlementSettings:
    """A file of additions: TOML with the keys of [settlement], or CSV with transaction_type, amount_type,
    amount_description and category. Raises Refused with the key or row at fault."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        data = _map_rows(text) if file.suffix.lower() == ".csv" else tomllib.loads(text)
    except FileNotFoundError:
        raise Refused(f"There is no file {file}.", UNREADABLE) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error) as error:
        raise Refused(f"The map {file} cannot be read: {error}.", UNREADABLE) from None
    inner = data.get("settlement")
    try:
        return SettlementSettings.model_validate(inner if isinstance(inner, dict) else data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise Refused(f"The map {file} cannot be used: {place}: {reason}.", UNREADABLE) from None


def _map_rows(text: str) -> dict[str, object]:
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or any(column not in rows[0] for column in _MAP_COLUMNS):
        raise csv.Error(f"it needs the columns {', '.join(_MAP_COLUMNS)}")
    return {"map": [{column: row[column] or "" for column in _MAP_COLUMNS} for row in rows]}


def expected_of(settings: Settings | None, seller_id: str | None) -> Expected:
    """What a settlement of this seller must be."""
    if settings is None or seller_id is None:
        return Expected()
    names = frozenset(marketplace_name(each) for each in settings.sellers[seller_id].marketplaces)
    return Expected(marketplaces=names, seller_id=seller_id)


class Preview:
    """A settlement file that has been read and booked on paper."""

    def __init__(
        self, file: Path, settings: SettlementSettings, expected: Expected, charset: str | None = None
    ) -> None:
        """Raises Refused where the file cannot be read."""
        self._settings = settings
        self._plan = settings.plan
        try:
            self.read: Summed = read_settlement(
                file_source(file), settings.book, self._plan, settings.zone,
                charset=charset, expected=expected, spool=temporary_file,
            )  # fmt: skip
        except FileNotFoundError:
            raise Refused(f"There is no file {file}.", UNREADABLE) from None
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror or error}.", UNREADABLE) from None
        except UnreadableSettlement as error:
            raise Refused(f"{file.name} is not read. {error}", UNREADABLE) from None
        self.booking: Booking = book(self.read.settlement, self._plan)

    @property
    def status(self) -> int:
        """The command's exit status."""
        settlement = self.read.settlement
        if settlement.unknown:
            return UNKNOWN
        if settlement.difference or not self.booking.postable:
            return DIFFERS
        return 0

    def write_json(self) -> None:
        """The whole as one JSON document on standard output; orders are written one by one."""
        settlement, header = self.read.settlement, self.read.settlement.header
        write = sys.stdout.write
        write("{\n")
        for key, value in (
            ("settlement_id", header.settlement_id),
            ("currency", header.currency),
            ("declared_total", str(header.total)),
            ("sum_of_rows", str(settlement.sum_of_rows)),
            ("categories", {name: str(amount) for name, amount in settlement.categories.items()}),
        ):
            write(f"  {json.dumps(key)}: {json.dumps(value)},\n")
        write('  "vouchers": [')
        for number, voucher in enumerate(self.booking.vouchers):
            write(",\n" if number else "\n")
            self._write_voucher(voucher)
        write('\n  ],\n  "orders": ')
        _write_list(_payment(one) for one in self.read.payments())
        write(',\n  "unknown": ')
        _write_list(_unknown(one) for one in settlement.unknown)
        write("\n}\n")
        sys.stdout.flush()

    def _write_voucher(self, voucher: Voucher) -> None:
        about = {
            "kind": voucher.kind.value,
            "number": voucher.number,
            "month": voucher.month,
            "accounting_date": voucher.accounting_date.isoformat(),
            "currency": voucher.currency,
            "text": voucher.text,
        }
        sys.stdout.write(f'    {json.dumps(about)[:-1]}, "lines": ')
        _write_list(_line(one) for one in self._lines(voucher))
        sys.stdout.write("}")

    def _lines(self, voucher: Voucher) -> Iterator[VoucherLine]:
        """The voucher's lines, with one receivable for each order."""
        if voucher.kind is VoucherKind.LEDGER:
            yield from voucher.lines
            return
        yield from (line for line in voucher.lines if line.category != RECEIVABLE)
        yield from receivable_lines(self.read.payments(), self.read.settlement, self._plan)

    def say(self) -> None:
        """The result as text."""
        settlement, header = self.read.settlement, self.read.settlement.header
        say(
            f"Settlement {header.settlement_id}: {header.total} {header.currency}, {settlement.opens_on} to "
            f"{settlement.closes_on}, {settlement.rows} rows."
        )
        table(
            ("category", "amount"),
            ((name, f"{amount:>14}") for name, amount in settlement.categories.items()),
        )
        for voucher in self.booking.vouchers:
            say("")
            table(
                ("account", "dimensions", "debit", "credit", "text"),
                (_cells(line) for line in voucher.lines),
                title=f"Voucher {voucher.number} ({voucher.kind}), {voucher.accounting_date}, {voucher.currency}",
            )
        say("")
        for check in self.booking.checks:
            say(f"{check.name.value:<16} {check.status.value:<8} {check.sentence}")
        if self.booking.vouchers and not self._plan.configured:
            say("No accounts are configured: those in <> are placeholders.")

    def complain(self) -> None:
        """Why the exit status is not 0, on standard error."""
        settlement = self.read.settlement
        for one in settlement.unknown[:_SHOWN]:
            complain(_sentence(one, settlement.header.currency))
        more = len(settlement.unknown) - _SHOWN
        if more > 0:
            complain(f"{more} more unknown combinations; --json lists them.")
        for check in self.booking.checks:
            if check.status is CheckStatus.DIFFERS and (check.name != "known"):
                complain(check.sentence)


def _sentence(one: UnknownCombination, currency: str) -> str:
    amounts = f"{one.count} rows, {one.amount} {currency}"
    if one.missing is Missing.CATEGORY:
        return f"Row {one.row}: {one} is in no map ({amounts}). Add it to [settlement] map, or to --map."
    if one.missing is Missing.ACCOUNT:
        return f"Row {one.row}: {one} is {one.category}, which has no account ({amounts})."
    if one.missing is Missing.ORDER:
        return f"Row {one.row}: {one} is a customer payment and names no order ({amounts})."
    return f"Row {one.row}: there is no clearing account for {currency} {one.marketplace}".rstrip() + "."


def _cells(line: VoucherLine) -> tuple[str, ...]:
    dimensions = " ".join(f"{name}={value}" for name, value in line.dimensions.items())
    return line.account, dimensions, _shown(line.debit), _shown(line.credit), line.text


def _shown(amount: Decimal) -> str:
    return f"{amount:>12}" if amount else ""


def _write_list(values: Iterator[dict[str, object]]) -> None:
    sys.stdout.write("[")
    empty = True
    for value in values:
        sys.stdout.write("\n    " if empty else ",\n    ")
        sys.stdout.write(json.dumps(value))
        empty = False
    sys.stdout.write("]" if empty else "\n  ]")


def _line(line: VoucherLine) -> dict[str, object]:
    return {
        "account": line.account,
        "dimensions": line.dimensions,
        "debit": str(line.debit),
        "credit": str(line.credit),
        "text": line.text,
    }


def _payment(payment: CustomerPayment) -> dict[str, object]:
    return {
        "order_id": payment.order_id,
        "kind": payment.kind.value,
        "marketplace": payment.marketplace,
        "amount": str(payment.amount),
        "parts": {name: str(amount) for name, amount in payment.parts.items()},
        "row": payment.row,
    }


def _unknown(one: UnknownCombination) -> dict[str, object]:
    return {
        "transaction_type": one.transaction_type,
        "amount_type": one.amount_type,
        "amount_description": one.amount_description,
        "missing": one.missing.value,
        "category": one.category,
        "marketplace": one.marketplace,
        "row": one.row,
        "count": one.count,
        "amount": str(one.amount),
    }
