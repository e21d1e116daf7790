"""Files of orders, told apart by their content: Orders API payloads as JSON lines, or order reports."""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple

from canonical.marketplaces import marketplace_name
from canonical.order import Order
from canonical.order_reports import (
    Numbered,
    RefusedRow,
    UnreadableReport,
    number_json_lines,
    number_order_report,
)

_BOM: Final = b"\xef\xbb\xbf"
_JAPANESE: Final = frozenset({"shift_jis", "shift_jisx0213", "shift_jis_2004", "cp932"})
_WINDOWS_JAPANESE: Final = "windows-31j"
"""A name that Python does not know."""


class Owner(NamedTuple):
    """Whose orders a file holds."""

    seller_id: str
    marketplaces: tuple[str, ...]
    """Where the seller sells."""
    marketplace_id: str = ""
    """Where rows belong that name no marketplace."""


def read_orders(stream: BinaryIO, owner: Owner, charset: str = "") -> Iterator[Numbered]:
    """The orders of a file one by one, with their lines; what cannot be taken is a RefusedRow.

    `stream` is opened in binary mode and seekable. `charset` is what came with the file; it counts for reports,
    JSON is UTF-8. Where the file is not in it, the content decides.

    Raises:
        UnreadableReport: the file is empty, or neither of the two kinds, or in another charset.
    """
    if first_content(stream) in b"{[":
        stream.seek(0)
        found = number_json_lines(_without_mark(stream), owner.seller_id)
    else:
        stream.seek(0)
        found = number_order_report(
            stream,
            owner.seller_id,
            marketplace_id=owner.marketplace_id,
            charset=_fitting(stream, known_charset(charset)),
        )
    for one in found:
        yield _own(one, owner)


def first_content(stream: BinaryIO) -> bytes:
    """The first byte that is neither blank nor byte order mark. Raises UnreadableReport for an empty file."""
    for line in stream:
        content = line.removeprefix(_BOM).strip()
        if content:
            return content[:1]
    raise UnreadableReport("The file is empty; there is nothing to import.")


def known_charset(charset: str) -> str:
    """A charset's name as Python's codecs know it, such as ``Cp1252``; empty where they do not.

    Amazon says Shift-JIS and sends Microsoft's superset of it.
    """
    if charset.strip().lower() == _WINDOWS_JAPANESE:
        return "cp932"
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name if charset else ""
    except (LookupError, ValueError):
        return ""
    if name in _JAPANESE:
        return "cp932"
    return "utf-8-sig" if name in ("utf-8", "ascii") else name


def _fitting(stream: BinaryIO, charset: str) -> str | None:
    """The charset, if all of the file is valid in it."""
    if not charset:
        return None
    try:
        for line in stream:
            if not line.isascii():
                line.decode(charset)
    except UnicodeDecodeError:
        return None
    finally:
        stream.seek(0)
    return charset


def _without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(_BOM)


def _own(one: Numbered, owner: Owner) -> Numbered:
    """An order of a marketplace in which the seller does not sell is somebody else's."""
    order = one.found
    if not isinstance(order, Order) or not order.marketplace_id or order.marketplace_id in owner.marketplaces:
        return one
    sentence = (
        f"Amazon order {order.order_id} is of {marketplace_name(order.marketplace_id)}, where seller "
        f"{owner.seller_id} does not sell; it may be another seller's."
    )
    refused = RefusedRow(line_number=min(one.lines, default=0), order_id=order.order_id, sentence=sentence)
    return Numbered(one.lines, refused)
