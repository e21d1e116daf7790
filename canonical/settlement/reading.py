"""A settlement file row by row: its header apart, its amounts with what they are, refused where it is damaged.

The file is read more than once, each time from the start: for its charset, for the style of its numbers and
dates (only as far as it takes), and for its amounts. No pass keeps rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Final
from zoneinfo import ZoneInfo

from canonical.settlement.amounts import Amounts, decimal_mark
from canonical.settlement.dates import Moments, date_order
from canonical.settlement.layout import Columns
from canonical.settlement.models import Header, Layout, UnreadableSettlement
from canonical.settlement.text import Source, charset_of, lines_of, refuse_xml

_SHOWN: Final = 30

Entry = tuple[int, tuple[str, str, str, str], str, str, str, str]
"""Row; transaction type, amount type, amount description, marketplace; amount; order id; shipment id; date."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file must be, where that is known."""

    settlement_id: str = ""
    marketplaces: frozenset[str] = frozenset()
    """Names of the seller's marketplaces; empty takes all."""
    home: str = ""
    """Name of the marketplace the report is of, where Amazon tells one: rows of reserves and fees name none."""
    seller_id: str = ""
    """For the refusal's sentence."""


class SettlementFile:
    """A settlement file whose header has been read."""

    def __init__(self, source: Source, zone: ZoneInfo, charset: str | None = None) -> None:
        """Reads as much as it takes to know header and formats.

        Raises:
            UnreadableSettlement: the file is damaged, ambiguous, or no settlement report.
        """
        self._source = source
        refuse_xml(source)
        self._charset = charset_of(source, charset)
        self._names, line = self._first_line()
        self.columns = Columns(line)
        self.row, self._head = self._header_row()
        currency = self._head[self.columns["currency"]].strip()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
            raise UnreadableSettlement(
                f"Row {self.row}: {currency[:_SHOWN]!r} is no currency (ISO 4217).", self.row
            )
        self.amounts = Amounts(decimal_mark(self._all_amounts()), currency)
        self.moments = Moments(date_order(self._all_dates()), zone)
        self.header = self._header(currency)

    def _first_line(self) -> tuple[int, str]:
        for first, lines in lines_of(self._source, self._charset):
            for number, line in enumerate(lines, first):
                if line and not line.isspace():
                    return number, line
        raise UnreadableSettlement("The file is empty.")

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """The lines behind the column names."""
        for first, lines in lines_of(self._source, self._charset):
            if first > self._names:
                yield first, lines
            elif first + len(lines) > self._names + 1:
                yield self._names + 1, lines[self._names + 1 - first :]

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """All rows behind the column names, the header's first; each as long as the column names."""
        width = self.columns.width
        for first, lines in self._lines():
            for number, line in enumerate(lines, first):
                if line and not line.isspace():
                    cells = line.split("\t")
                    yield number, cells if len(cells) == width else _cut(cells, width, number)

    def _header_row(self) -> tuple[int, list[str]]:
        found = next(self._rows(), None)
        if found is None:
            raise UnreadableSettlement("The file ends behind its column names: it has no rows.", 1)
        row, cells = found
        if not cells[self.columns["total-amount"]].strip():
            raise UnreadableSettlement(
                f"Row {row} should tell the settlement's dates, total and currency, and does not.", row
            )
        return row, cells

    def _header(self, currency: str) -> Header:
        cells, row, columns = self._head, self.row, self.columns
        settlement_id = cells[columns["settlement-id"]].strip()
        if not (settlement_id.isascii() and settlement_id.isdigit()):
            raise UnreadableSettlement(f"Row {row}: {settlement_id[:_SHOWN]!r} is no settlement id.", row)
        start = self.moments.moment(cells[columns["settlement-start-date"]], row)
        end = self.moments.moment(cells[columns["settlement-end-date"]], row)
        if end < start:
            raise UnreadableSettlement(f"Row {row}: the settlement ends before it begins.", row)
        deposit = cells[columns["deposit-date"]].strip()
        return Header(
            settlement_id=settlement_id,
            start=start,
            end=end,
            deposit_date=self.moments.moment(deposit, row) if deposit else None,
            total=self.amounts.major(self.amounts.minor(cells[columns["total-amount"]], row)),
            currency=currency,
            layout=columns.layout,
            row=row,
        )

    def _all_amounts(self) -> Iterator[tuple[int, str]]:
        positions = [self.columns["total-amount"]]
        if self.columns.layout is Layout.V2:
            positions.append(self.columns["amount"])
        else:
            positions += [self.columns[each.column] for each in self.columns.old_amounts]
        for row, cells in self._rows():
            for position in positions:
                if text := cells[position].strip():
                    yield row, text

    def _all_dates(self) -> Iterator[tuple[int, str]]:
        names = ("settlement-start-date", "settlement-end-date", "deposit-date")
        positions = [*(self.columns[name] for name in names), self.columns.posted]
        for row, cells in self._rows():
            for position in positions:
                if text := cells[position].strip():
                    yield row, text

    def entries(self) -> Iterator[Entry]:
        """Every amount of the file, with its row.

        Raises:
            UnreadableSettlement: a row is cut off, lacks its amount, belongs to another settlement, or is a second
                header. Empty rows are passed over.
        """
        return self._new_entries() if self.columns.layout is Layout.V2 else self._old_entries()

    def _refuse_stranger(self, number: int, cells: list[str]) -> None:
        found = cells[self.columns["settlement-id"]].strip()
        if found != self.header.settlement_id:
            raise UnreadableSettlement(
                f"Row {number} belongs to settlement {found[:_SHOWN] or '(none)'}, the file to "
                f"{self.header.settlement_id}.",
                number,
            )
        if cells[self.columns["total-amount"]].strip():
            raise UnreadableSettlement(
                f"Row {number} is a second header: it tells a total amount, as row {self.row} does.", number
            )
        currency = cells[self.columns["currency"]].strip()
        if currency not in ("", self.header.currency):
            raise UnreadableSettlement(
                f"Row {number} is in {currency[:_SHOWN]}, the settlement in {self.header.currency}.", number
            )

    def _new_entries(self) -> Iterator[Entry]:
        columns, header_row = self.columns, self.row
        names = ("transaction-type", "amount-type", "amount-description", "marketplace-name")
        places = [columns[name] for name in names]
        amount, order, shipment = columns["amount"], columns["order-id"], columns["shipment-id"]
        posted, day = columns.posted, columns.find("posted-date") or columns.posted
        own, total, currency = columns["settlement-id"], columns["total-amount"], columns["currency"]
        settlement, tabs = self._head[own], columns.width - 1
        needed, pick = (
            max(*places, amount, order, shipment, posted, day, own, total, currency) + 1,
            itemgetter(*places),
        )
        for first, lines in self._lines():
            for number, line in enumerate(lines, first):
                if line.count("\t") != tabs:
                    if not line or line.isspace():
                        continue
                    _cut(line.split("\t"), tabs + 1, number)
                cells = line.split("\t", needed)
                text = cells[amount]
                if cells[own] != settlement or cells[total] or cells[currency] or not text:
                    if line.isspace() or number <= header_row:
                        continue
                    self._refuse_stranger(number, cells)
                    if not text:
                        raise UnreadableSettlement(f"Row {number} has no amount.", number)
                yield number, pick(cells), text, cells[order], cells[shipment], cells[posted] or cells[day]

    def _old_entries(self) -> Iterator[Entry]:
        columns = self.columns
        market, order, shipment = columns["marketplace-name"], columns["order-id"], columns["shipment-id"]
        for number, cells in self._rows():
            if number <= self.row:
                continue
            self._refuse_stranger(number, cells)
            for each in columns.old_amounts:
                text = cells[columns[each.column]]
                if text and not text.isspace():
                    key = (*columns.old_combination(cells, each), cells[market])
                    yield number, key, text, cells[order], cells[shipment], cells[columns.posted]


def _cut(cells: list[str], width: int, number: int) -> list[str]:
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        return cells[:width]
    raise UnreadableSettlement(
        f"Row {number} has {len(cells)} of {width} cells: the file is cut off or damaged there.",
        number,
    )
