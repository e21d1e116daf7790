"""Cells of an Amazon report read as numbers, times and flags; what cannot be read is refused with its
column."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from canonical.report_text import Row

_TRUE: Final = frozenset({"true", "yes", "y", "1"})


class RefusedOrder(ValueError):  # noqa: N818 - the file is at fault, not the program
    """An order of the report cannot be read. The text names column and trouble, never a personal value."""


def amount(row: Row, column: str) -> Decimal | None:
    """An amount with a decimal point, None where the cell is empty or the report has no such column.

    Raises:
        RefusedOrder: the cell is no such number; a decimal comma is not guessed at.
    """
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise RefusedOrder(f"column {column} is no amount with a decimal point") from None
    if not value.is_finite():
        raise RefusedOrder(f"column {column} is no amount with a decimal point")
    return value


def quantity(row: Row, column: str) -> int:
    """A quantity, 0 where the cell is empty.

    Raises:
        RefusedOrder: the cell is no whole number, or negative.
    """
    text = row.get(column, "")
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()):
        raise RefusedOrder(f"column {column} is no quantity")
    return int(text)


def moment(row: Row, column: str) -> datetime | None:
    """A time with its offset, None where the cell is empty.

    Raises:
        RefusedOrder: the cell is no ISO 8601 time, or has no offset.
    """
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedOrder(f"column {column} is no time") from None
    if value.tzinfo is None:
        raise RefusedOrder(f"column {column} is a time without offset")
    return value


def needed_moment(row: Row, column: str) -> datetime:
    """A time that must be there.

    Raises:
        RefusedOrder: it is missing or no time.
    """
    value = moment(row, column)
    if value is None:
        raise RefusedOrder(f"column {column} is empty")
    return value


def flag(row: Row, column: str) -> bool:
    """Whether the cell says yes; an empty cell or missing column says no."""
    return row.get(column, "").lower() in _TRUE


def collected_by_amazon(row: Row) -> bool:
    """Whether Amazon remits the row's tax itself (`tax-collection-model` MarketplaceFacilitator)."""
    return row.get("tax-collection-model", "").replace("_", "").lower() == "marketplacefacilitator"


def replaced_order(row: Row) -> str | None:
    """The order this one replaces free of charge; empty where the report does not name it, None for a
    sale."""
    if flag(row, "is-replacement-order") or flag(row, "is-exchange-order"):
        return row.get("original-order-id", "")
    return None
