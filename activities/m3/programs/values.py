"""M3's texts as values: every field of an answer is text, numbers and dates too."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation


def number(record: Mapping[str, str], name: str) -> Decimal:
    """A numeric field; blank is 0. Raises ValueError for what is no number."""
    text = record.get(name, "").strip()
    if not text:
        return Decimal(0)
    if text.endswith("-"):
        text = f"-{text[:-1]}"
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"M3's field {name} is no number") from error
    if not value.is_finite():
        raise ValueError(f"M3's field {name} is no number")
    return value


def pieces(record: Mapping[str, str], name: str) -> int:
    """A quantity in whole pieces. Raises ValueError for a fraction: Amazon sells none."""
    value = number(record, name)
    if value != value.to_integral_value():
        raise ValueError(f"M3's field {name} is no whole quantity")
    return int(value)


def moment(record: Mapping[str, str], date: str, time: str) -> datetime | None:
    """A date field (YYYYMMDD) with its time field (HHMM or HHMMSS), None when blank or 0. Taken as UTC."""
    day = record.get(date, "").strip()
    if not day.strip("0"):
        return None
    clock = record.get(time, "").strip()
    clock = clock.zfill(6) if len(clock) > 4 else clock.zfill(4) + "00"
    try:
        return datetime.strptime(day + clock, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)


def decimal_text(value: Decimal) -> str:
    """A number as M3 takes it: decimal point, no exponent."""
    return f"{value:f}"
