"""Amazon's tab-separated report files: encoding, header, and rows gathered by order.

A report is read twice. The first pass finds the encoding and the orders whose rows do not stand together;
the second yields each order as soon as its last row is read, so memory holds one order at a time. The first
pass needs about 100 bytes for each order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

_UTF8: Final = "utf-8-sig"
_JAPANESE: Final = "cp932"
_WESTERN: Final = "cp1252"
_MARKS_OF_JAPAN: Final = (b"Amazon.co.jp", b"\tJP\t")

Row = Mapping[str, str]
"""Cells of one row by column name."""


class UnreadableReport(ValueError):  # noqa: N818 - the operator reads it as what it is
    """The file as a whole cannot be read. The text says why and names the line."""


@dataclass(slots=True)
class OrderRows:
    """The rows of one order, with their line numbers (the header is line 1)."""

    order_id: str
    rows: list[tuple[int, Row]] = field(default_factory=list)
    broken_line: int = 0
    """First line whose number of cells is not the header's; 0 when all rows are whole."""


@dataclass(slots=True)
class _Survey:
    """What the first pass learns."""

    utf8: bool = True
    western: bool = True
    japanese: bool = True
    looks_japanese: bool = False
    apart: dict[bytes, int] = field(default_factory=dict)
    """How many rows an order has, for orders whose rows stand apart."""


def read_header(stream: BinaryIO) -> tuple[str, ...]:
    """Column names of the report: its first line, lower case, without byte order mark.

    Raises:
        UnreadableReport: the first line is no header.
    """
    stream.seek(0)
    try:
        text = stream.readline().decode(_UTF8)
    except UnicodeDecodeError:
        raise UnreadableReport("The first line is no header of an Amazon report.") from None
    names = tuple(name.strip().strip('"').lower() for name in text.rstrip("\r\n").split("\t"))
    if len(names) < 2:
        raise UnreadableReport("The first line is no header of an Amazon report: it has no tabs.")
    return names


def gather_orders(stream: BinaryIO, key: str, charset: str | None = None) -> Iterator[OrderRows]:
    """The report's rows by order, in the order of each order's last row; empty lines are skipped.

    `key` is the column of the order id. `charset` is what came with the file (Content-Type); without it
    UTF-8 is tried, then cp932 where the file speaks of Japan, else cp1252, always strictly.

    Raises:
        UnreadableReport: the header lacks `key`, or the text is in none of these encodings.
    """
    header = read_header(stream)
    if key not in header:
        raise UnreadableReport(f"The report has no column {key}.")
    position = header.index(key)
    survey = _survey(stream, position)
    encoding = charset or _encoding(survey)
    waiting: dict[bytes, OrderRows] = {}
    left = survey.apart
    current: OrderRows | None = None
    for number, raw in _rows(stream):
        order_id = _cell(raw, position)
        text = _decoded(raw, encoding, number)
        if order_id in left:
            gathered = waiting.setdefault(order_id, OrderRows(order_id.decode(errors="replace")))
            _add(gathered, number, text, header)
            left[order_id] -= 1
            if not left[order_id]:
                yield waiting.pop(order_id)
            continue
        name = order_id.decode(errors="replace")
        if current is None or current.order_id != name:
            if current is not None:
                yield current
            current = OrderRows(name)
        _add(current, number, text, header)
    if current is not None:
        yield current


def _rows(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    stream.seek(0)
    for number, raw in enumerate(stream, 1):
        if number > 1 and raw.strip():
            yield number, raw.rstrip(b"\r\n")


def _cell(raw: bytes, position: int) -> bytes:
    cells = raw.split(b"\t", position + 1)
    return cells[position].strip() if len(cells) > position else b""


def _add(order: OrderRows, number: int, text: str, header: tuple[str, ...]) -> None:
    cells = text.split("\t")
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) != len(header):
        order.broken_line = order.broken_line or number
        return
    order.rows.append((number, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}))


def _survey(stream: BinaryIO, position: int) -> _Survey:
    survey, seen, last = _Survey(), set[bytes](), b""
    for _, raw in _rows(stream):
        if not raw.isascii():
            survey.utf8 = survey.utf8 and _decodes(raw, _UTF8)
            survey.western = survey.western and _decodes(raw, _WESTERN)
            survey.japanese = survey.japanese and _decodes(raw, _JAPANESE)
        survey.looks_japanese = survey.looks_japanese or any(mark in raw for mark in _MARKS_OF_JAPAN)
        order_id = _cell(raw, position)
        if order_id != last and order_id in seen:
            survey.apart[order_id] = 0
        seen.add(order_id)
        last = order_id
    if survey.apart:
        for _, raw in _rows(stream):
            order_id = _cell(raw, position)
            if order_id in survey.apart:
                survey.apart[order_id] += 1
    return survey


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(survey: _Survey) -> str:
    if survey.utf8:
        return _UTF8
    fitting = (_WESTERN, survey.western), (_JAPANESE, survey.japanese)
    for name, fits in reversed(fitting) if survey.looks_japanese else fitting:
        if fits:
            return name
    raise UnreadableReport("The report is neither UTF-8 nor cp1252 nor cp932; say which charset it has.")


def _decoded(raw: bytes, encoding: str, number: int) -> str:
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise UnreadableReport(f"Line {number} of the report is not valid {encoding}.") from None
