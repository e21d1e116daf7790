"""Amazon's report GET_LEDGER_DETAIL_VIEW_DATA: what happened to the seller's goods in Amazon's centres, line by line.

Facts (Amazon's help page on the inventory ledger, public parsers of the file): the columns; the month stands before the
day in `Date`; `Date and Time` is midnight of that day at the centre, so it tells two lines of a day no better apart.
The file is separated by tabs, what is downloaded from Seller Central by commas, and cells may be quoted. Inferred: a
line that was told once does not change.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from canonical.report_text import UnreadableReport
from canonical.stock.corrections import FbaAdjustment
from canonical.stock.fba_pool import area_of_country

if TYPE_CHECKING:
    from _csv import Reader as Lines

LEDGER_DETAIL: Final = "GET_LEDGER_DETAIL_VIEW_DATA"
ADJUSTMENTS: Final = "Adjustments"
"""The event type that is read; reportOptions takes it too (eventType), so that the file has nothing else."""
SELLABLE: Final = "SELLABLE"

_DATE, _SKU, _QUANTITY = "date", "msku", "quantity"
_NAMING: Final = ("fnsku", _SKU, "reference id", "fulfillment center", "disposition", "reason")
_NEEDED: Final = (_DATE, "event type", _QUANTITY, *_NAMING)
_WHOLE: Final = re.compile(r"[+-]?\d{1,9}")
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MARK_OF_JAPAN: Final = b"\tJP\t"

_Row = Mapping[str, str]


class RefusedRow(NamedTuple):
    """A line that tells of no adjustment, and why."""

    line: int
    sentence: str


def read_ledger(content: bytes, seller: str, charset: str = "") -> Iterator[FbaAdjustment | RefusedRow]:
    """The adjustments of a report. Raises UnreadableReport where the file as a whole is none.

    A line's reference is all that names it: day, FNSKU, SKU, Amazon's reference id, centre, disposition, reason and
    quantity. Of lines that are the same in all of it the second has `#2`, the third `#3`: nobody can tell one from
    the other, so that they have the same references whatever their order is, and in whatever period they are read.
    """
    text = io.StringIO(_text(content, charset), newline="")
    delimiter, quoted = _form(content)
    lines = csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    try:
        yield from _read(lines, seller)
    except csv.Error as error:
        raise UnreadableReport(f"Line {lines.line_num} of the report cannot be read: {error}.") from None


def _read(lines: "Lines", seller: str) -> Iterator[FbaAdjustment | RefusedRow]:
    header = tuple(_plain(name).lower() for name in next(lines, ()))
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise UnreadableReport(f"The report has no column {', '.join(missing)}: it is no inventory ledger.")
    seen: Counter[str] = Counter()
    for cells in lines:
        if not any(cells):
            continue
        told = _told(cells, header, lines.line_num, seller, seen)
        if told is not None:
            yield told


def _told(
    cells: list[str], header: tuple[str, ...], line: int, seller: str, seen: Counter[str]
) -> FbaAdjustment | RefusedRow | None:
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) != len(header):
        return RefusedRow(line, "The line has another number of cells than the header.")
    row = {name: _plain(cell) for name, cell in zip(header, cells, strict=True)}
    if row["event type"].casefold() != ADJUSTMENTS.casefold():
        return None
    named = f"reference {row['reference id'] or 'none'} of {row[_DATE] or 'no date'}"
    if not row[_SKU]:
        return RefusedRow(line, f"Column MSKU names no SKU ({named}).")
    if not _WHOLE.fullmatch(row[_QUANTITY]):
        return RefusedRow(line, f"Column Quantity is no whole number ({named}).")
    day = _day(row[_DATE])
    if day is None:
        return RefusedRow(line, f"Column Date is no date with the month first ({named}).")
    return _adjustment(row, seller, day, seen)


def _adjustment(row: _Row, seller: str, day: date, seen: Counter[str]) -> FbaAdjustment | None:
    quantity = int(row[_QUANTITY])
    if not quantity:
        return None
    named = "|".join([seller, day.isoformat(), *(row[name] for name in _NAMING), str(quantity)])
    seen[named] += 1
    return FbaAdjustment(
        reference=named if seen[named] == 1 else f"{named}#{seen[named]}",
        seller=seller,
        sku=row[_SKU],
        at=datetime(day.year, day.month, day.day, tzinfo=UTC),
        quantity=quantity,
        reason=row["reason"].upper(),
        sellable=row["disposition"].upper() == SELLABLE,
        area=area_of_country(row.get("country", "")),
    )


def _day(text: str) -> date | None:
    american = _AMERICAN.fullmatch(text)
    try:
        if american:
            return date(int(american[3]), int(american[1]), int(american[2]))
        return date.fromisoformat(text)
    except ValueError:
        return None


def _form(content: bytes) -> tuple[str, bool]:
    """What separates cells, and whether quotes may hold separators: where the header has none, a title that begins
    with a quote must not swallow the lines after it."""
    header = content.partition(b"\n")[0]
    tabs = b"\t" in header
    return ("\t" if tabs else ","), not tabs or b'"' in header


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text


def _text(content: bytes, charset: str) -> str:
    """The file's text: as it says, else UTF-8, else what Amazon used before it."""
    older = ("cp932", "cp1252") if _MARK_OF_JAPAN in content else ("cp1252",)
    for name in (charset,) if charset else ("utf-8-sig", *older):
        try:
            return content.decode(name).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    raise UnreadableReport(f"The report is not {charset or 'UTF-8 nor cp1252'}; say which charset it has.")
