"""Dates as they stand in a file, their order found out from the whole file.

Amazon writes `2025-08-28 22:07:19 UTC`, `17.07.2026 07:06:34 UTC` and, in the old layout,
`2025-08-28T22:07:19+00:00`. A date with slashes may be day first or month first: a file in which no date decides
is refused. Times without a zone are UTC, as Amazon's reports are; a date without a time is a day of the books.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from canonical.settlement.models import UnreadableSettlement

_SHOWN: Final = 40
_REMEMBERED: Final = 100_000
_FORM: Final = re.compile(
    r"(?P<first>\d{1,4})(?P<mark>[-./])(?P<second>\d{1,2})(?P=mark)(?P<third>\d{1,4})"
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second_of>\d{2})(?:\.\d+)?)?)?"
    r"\s*(?P<zone>[A-Z]{1,4}|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_ZONES: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "JST": 9,
    "AEST": 10, "AEDT": 11, "SGT": 8, "PST": -8, "PDT": -7,
}  # fmt: skip
"""Hours before UTC of the zone names that mean one zone only."""


class DateOrder(StrEnum):
    """How a file's dates are written."""

    YEAR_FIRST = "year, month, day"
    DAY_FIRST = "day, month, year"
    MONTH_FIRST = "month, day, year"


def _parts(text: str, row: int) -> re.Match[str]:
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UnreadableSettlement(f"Row {row}: {text[:_SHOWN]!r} is no date.", row)
    return found


def _orders(text: str, row: int) -> frozenset[DateOrder]:
    found = _parts(text, row)
    if len(found["first"]) == 4:
        return frozenset({DateOrder.YEAR_FIRST})
    if len(found["third"]) != 4:
        raise UnreadableSettlement(
            f"Row {row}: {text[:_SHOWN]!r} is no date with a year of four digits.", row
        )
    first, second = int(found["first"]), int(found["second"])
    if found["mark"] == ".":
        return frozenset({DateOrder.DAY_FIRST})
    possible = {DateOrder.DAY_FIRST} if second <= 12 else set()
    return frozenset(possible | ({DateOrder.MONTH_FIRST} if first <= 12 else set()))


def date_order(dates: Iterable[tuple[int, str]]) -> DateOrder:
    """The order of the file's dates, from its dates with their rows; reads only as many as it takes.

    Raises:
        UnreadableSettlement: no date decides, or one is no date.
    """
    first: tuple[int, str] | None = None
    for row, text in dates:
        orders = _orders(text, row)
        if len(orders) == 1:
            return next(iter(orders))
        first = first or (row, text)
    row, text = first or (0, "")
    if not text:
        raise UnreadableSettlement("The file has no dates.", row)
    raise UnreadableSettlement(
        f"Row {row}: {text[:_SHOWN]} can be read day first and month first, and no other date of the file decides it.",
        row,
    )


class Moments:
    """Reads a file's dates, and tells the month of each in the time zone of the books."""

    def __init__(self, order: DateOrder, zone: ZoneInfo) -> None:
        self._order = order
        self._zone = zone
        self._months: dict[str, str] = {}

    def moment(self, text: str, row: int) -> datetime:
        """The moment, with its offset.

        Raises:
            UnreadableSettlement: it is no date, or not in the order of the file's other dates.
        """
        found = _parts(text, row)
        if self._order not in _orders(text, row):
            raise UnreadableSettlement(
                f"Row {row}: {text[:_SHOWN]} is not written as the file's other dates ({self._order.value}).",
                row,
            )
        first, second, third = int(found["first"]), int(found["second"]), int(found["third"])
        year, month, day = {
            DateOrder.YEAR_FIRST: (first, second, third),
            DateOrder.DAY_FIRST: (third, second, first),
            DateOrder.MONTH_FIRST: (third, first, second),
        }[self._order]
        try:
            return datetime(
                year, month, day, int(found["hour"] or 0), int(found["minute"] or 0), int(found["second_of"] or 0),
                tzinfo=_offset(found["zone"], row) if found["hour"] else self._zone,
            )  # fmt: skip
        except ValueError:
            raise UnreadableSettlement(f"Row {row}: {text[:_SHOWN]!r} is no date.", row) from None

    def local(self, moment: datetime) -> datetime:
        """The moment in the time zone of the books."""
        return moment.astimezone(self._zone)

    def month(self, text: str, row: int) -> str:
        """The month of the books it falls in, such as ``2026-07``; raises like `moment`."""
        minute = f"{text[:16]}{text[19:]}" if text[16:17] == ":" else text
        found = self._months.get(minute)
        if found is None:
            found = f"{self.local(self.moment(text, row)):%Y-%m}"
            if len(self._months) < _REMEMBERED:
                self._months[minute] = found
        return found


def _offset(zone: str | None, row: int) -> timezone:
    if zone is None:
        return UTC
    if zone[0] in "+-":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1))
    if zone not in _ZONES:
        raise UnreadableSettlement(f"Row {row}: the time zone {zone} is not known, or means several.", row)
    return timezone(timedelta(hours=_ZONES[zone]))
