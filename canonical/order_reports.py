"""Files full of orders: Amazon's order reports and JSON lines of Orders API payloads, read one order at a
time.

Nothing a file contains stops the reading: an order that cannot be read becomes a `RefusedRow` with its line
number, and the next one follows. An order of which one row cannot be read is refused as a whole, never
booked in part.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from canonical import actionable_report, all_orders_report
from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.ids import is_amazon_order_id
from canonical.order import Order
from canonical.report_cells import RefusedOrder
from canonical.report_text import OrderRows, Row, UnreadableReport, gather_orders, read_header

__all__ = [
    "Numbered",
    "RefusalKind",
    "RefusedRow",
    "UnreadableReport",
    "number_json_lines",
    "number_order_report",
    "read_json_lines",
    "read_order_report",
]


class RefusalKind(StrEnum):
    """Why something in a file was not taken."""

    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"
    """The file has the order already; the first one counts."""


class RefusedRow(BaseModel):
    """A row, or an order, of a file that was not taken."""

    model_config = ConfigDict(frozen=True)

    line_number: int
    """1 is the first line of the file."""
    order_id: str
    """Empty where the row has none."""
    sentence: str
    """What is wrong, without personal data."""
    kind: RefusalKind = RefusalKind.UNREADABLE


class Numbered(NamedTuple):
    """What was found in a file, and on which of its lines."""

    lines: tuple[int, ...]
    found: Order | RefusedRow


class _Format(NamedTuple):
    key: str
    columns: tuple[str, ...]
    read: Callable[[str, list[Row], str, str], Order]


_FORMATS: Final = (
    _Format("amazon-order-id", all_orders_report.COLUMNS, all_orders_report.order_from_rows),
    _Format("order-id", actionable_report.COLUMNS, actionable_report.order_from_rows),
)


def read_order_report(
    stream: BinaryIO, seller_id: str, *, marketplace_id: str = "", charset: str | None = None
) -> Iterator[Order | RefusedRow]:
    """Orders of an all-orders or an actionable-orders report, told apart by their header.

    `stream` is the file opened in binary mode, seekable, for it is read twice. `charset` is the
    Content-Type's; see `canonical.report_text`. `marketplace_id` serves rows that name no marketplace.

    Raises:
        UnreadableReport: the file is no such report, or in no known encoding.
    """
    found = number_order_report(stream, seller_id, marketplace_id=marketplace_id, charset=charset)
    return (one.found for one in found)


def number_order_report(
    stream: BinaryIO, seller_id: str, *, marketplace_id: str = "", charset: str | None = None
) -> Iterator[Numbered]:
    """Like `read_order_report`, with the lines of each order."""
    layout = _layout(read_header(stream))
    for gathered in gather_orders(stream, layout.key, charset):
        lines = {number for number, _ in gathered.rows} | {gathered.broken_line} - {0}
        yield Numbered(tuple(sorted(lines)), _order(gathered, layout, seller_id, marketplace_id))


def _layout(header: tuple[str, ...]) -> _Format:
    for layout in _FORMATS:
        if layout.key in header:
            absent = [column for column in layout.columns if column not in header]
            if absent:
                raise UnreadableReport(f"The report lacks the column(s) {', '.join(absent)}.")
            return layout
    raise UnreadableReport("The file is neither an all-orders nor an actionable-orders report.")


def _order(gathered: OrderRows, layout: _Format, seller_id: str, marketplace_id: str) -> Order | RefusedRow:
    name = gathered.order_id if is_amazon_order_id(gathered.order_id) else ""
    which = f"Amazon order {name}" if name else "An order without a valid order id"
    if gathered.broken_line:
        sentence = f"{which} is refused: a row has not as many cells as the header, it may be cut off."
        return RefusedRow(line_number=gathered.broken_line, order_id=name, sentence=sentence)
    rows = [row for _, row in gathered.rows]
    try:
        return layout.read(gathered.order_id, rows, seller_id, marketplace_id)
    except RefusedOrder as trouble:
        number = gathered.rows[0][0]
        return RefusedRow(line_number=number, order_id=name, sentence=f"{which} is refused: {trouble}.")


def read_json_lines(lines: Iterable[str | bytes], seller_id: str) -> Iterator[Order | RefusedRow]:
    """Orders of a JSON lines file. A line holds one order, an answer of getOrder, or a page of searchOrders.

    An order id that was already taken from the same file is refused as a duplicate.
    """
    return (one.found for one in number_json_lines(lines, seller_id))


def number_json_lines(lines: Iterable[str | bytes], seller_id: str) -> Iterator[Numbered]:
    """Like `read_json_lines`, with the line of each order."""
    taken: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        for payload in _payloads(line):
            if isinstance(payload, str):
                refused = RefusedRow(line_number=number, order_id="", sentence=payload)
                yield Numbered((number,), refused)
                continue
            read = _from_payload(payload, number, seller_id)
            if isinstance(read, Order):
                if read.order_id in taken:
                    yield Numbered((number,), _duplicate(read.order_id, number))
                    continue
                taken.add(read.order_id)
            yield Numbered((number,), read)


def _duplicate(order_id: str, number: int) -> RefusedRow:
    sentence = f"Amazon order {order_id} is in the file already; the first one counts."
    return RefusedRow(line_number=number, order_id=order_id, sentence=sentence, kind=RefusalKind.DUPLICATE)


def _payloads(line: str | bytes) -> Iterator[Mapping[str, object] | str]:
    """The order payloads of a line, or a sentence for what is none."""
    try:
        document = json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        yield f"The line is no JSON{place}."
        return
    if not isinstance(document, dict):
        yield "The line is no JSON object."
        return
    orders = document.get("orders")
    if "orderId" in document or not isinstance(orders, list):
        yield document
        return
    for order in orders:
        yield order if isinstance(order, dict) else "The page holds something that is no order."


def _from_payload(payload: Mapping[str, object], number: int, seller_id: str) -> Order | RefusedRow:
    try:
        return read_order(payload, seller_id)
    except UnreadableOrder as trouble:
        inner = payload.get("order")
        named = payload.get("orderId", inner.get("orderId") if isinstance(inner, Mapping) else None)
        order_id = named if isinstance(named, str) and is_amazon_order_id(named) else ""
        return RefusedRow(line_number=number, order_id=order_id, sentence=str(trouble))
