"""A settlement's customer payments as a file for a spreadsheet."""

import csv
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Final

from canonical.settlement.order_rows import OrderRow
from starters.console import Refused

_FORMULA: Final = ("=", "+", "-", "@")


def write_orders(rows: Iterable[OrderRow], currency: str, file: Path) -> int:
    """Write them as CSV with a heading, one at a time; how many. The file is there whole or not at all.

    Raises Refused where it cannot be written.
    """
    count, unfinished = 0, file.with_name(f"{file.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            sheet = csv.writer(stream)
            sheet.writerow((*OrderRow._fields, "currency"))
            for row in rows:
                sheet.writerow((*map(_cell, row), currency))
                count += 1
        unfinished.replace(file)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror or error}.", 2) from None
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return count


def _cell(value: object) -> str:
    """Amounts as they are; a text that a spreadsheet would take for a formula stays text."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, Decimal | int) else text
