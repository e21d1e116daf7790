"""Amounts as they stand in a file: with a decimal point or a decimal comma, found out from the whole file.

Amazon writes `1141.18` in most regions and `1141,18` in Europe. Read as the wrong one, 1141,18 becomes 114118: a
file whose amounts can be read both ways is refused, and so is one that has both.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from canonical.money import currency_decimals
from canonical.settlement.models import UnreadableSettlement

_SHOWN: Final = 30
_REMEMBERED: Final = 50_000
"""Amounts repeat: this many different ones are read only once."""


class DecimalMark(StrEnum):
    """What parts whole units from decimals."""

    POINT = "."
    COMMA = ","


_GROUPS: Final = r"[1-9]\d{0,2}(?:\%s\d{3})+"
_FORMS: Final = {
    DecimalMark.POINT: re.compile(rf"[+-]?(?:\d+|{_GROUPS % ','})?(?:\.\d+)?", re.ASCII),
    DecimalMark.COMMA: re.compile(rf"[+-]?(?:\d+|{_GROUPS % '.'})?(?:,\d+)?", re.ASCII),
}
_DIGIT: Final = re.compile(r"\d", re.ASCII)


def marks_of(text: str, row: int) -> frozenset[DecimalMark]:
    """The decimal marks an amount can be read with.

    Raises:
        UnreadableSettlement: with none of them.
    """
    found = frozenset(mark for mark, form in _FORMS.items() if form.fullmatch(text))
    if not found or _DIGIT.search(text) is None:
        raise UnreadableSettlement(f"Row {row}: {text[:_SHOWN]!r} is no amount.", row)
    return found


def _differ(text: str) -> bool:
    """Whether the two readings of an amount are two numbers."""
    return "." in text or "," in text


def decimal_mark(amounts: Iterable[tuple[int, str]]) -> DecimalMark:
    """The file's decimal mark, from its amounts with their rows; reads only as many as it takes.

    Raises:
        UnreadableSettlement: no amount decides, and at least one would be another number with the other mark.
    """
    doubtful: tuple[int, str] | None = None
    for row, text in amounts:
        marks = marks_of(text, row)
        if len(marks) == 1:
            return next(iter(marks))
        if doubtful is None and _differ(text):
            doubtful = row, text
    if doubtful is not None:
        row, text = doubtful
        raise UnreadableSettlement(
            f"Row {row}: {text[:_SHOWN]} can be read with a decimal point and with a decimal comma, and no other "
            "amount of the file decides it.",
            row,
        )
    return DecimalMark.POINT


class Amounts:
    """Reads a file's amounts as whole numbers of the currency's smallest unit (cents)."""

    def __init__(self, mark: DecimalMark, currency: str) -> None:
        self.mark = mark
        self.currency = currency
        self.decimals = currency_decimals(currency)
        self._unit = Decimal(1).scaleb(-self.decimals)
        self._thousands = "," if mark is DecimalMark.POINT else "."
        self.known: dict[str, int] = {}

    def minor(self, text: str, row: int) -> int:
        """Cents of an amount.

        Raises:
            UnreadableSettlement: it is no amount, has the other decimal mark, or more decimals than the currency.
        """
        found = self.known.get(text)
        if found is None:
            found = self._read(text, row)
            if len(self.known) < _REMEMBERED:
                self.known[text] = found
        return found

    def _read(self, text: str, row: int) -> int:
        plain = text.strip()
        if self.mark not in marks_of(plain, row):
            raise UnreadableSettlement(
                f"Row {row}: {plain[:_SHOWN]} has not the decimal mark {self.mark.value!r} of the amounts before "
                "it; the file has two styles of numbers.",
                row,
            )
        whole, _, decimals = plain.replace(self._thousands, "").partition(self.mark.value)
        kept, more = decimals[: self.decimals], decimals[self.decimals :]
        if more.strip("0"):
            raise UnreadableSettlement(
                f"Row {row}: {plain[:_SHOWN]} has more decimals than {self.currency} has.", row
            )
        return int(whole + kept.ljust(self.decimals, "0"))

    def major(self, minor: int) -> Decimal:
        """The amount in major units, with the currency's decimals."""
        return minor * self._unit
