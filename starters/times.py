"""Moments as people type them: ISO 8601 with an offset, so that nobody guesses a time zone."""

from datetime import UTC, datetime, timedelta

from starters.console import Refused


def read_time(text: str, name: str) -> datetime:
    """A moment such as ``2026-11-20T00:00Z``; raises Refused for a naive or unreadable one."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused(f"{name} {text!r} is no moment; write it like 2026-11-20T00:00Z.", 2) from None
    if moment.tzinfo is None:
        example = f"{moment:%Y-%m-%dT%H:%M}"
        raise Refused(
            f"{name} {text!r} has no time zone; write {example}Z for UTC or {example}+01:00 with an offset.",
            2,
        )
    return moment.astimezone(UTC)


def read_optional_time(text: str | None, name: str) -> datetime | None:
    """Like `read_time`; None stays None."""
    return None if text is None else read_time(text, name)


def check_period(since: datetime, until: datetime | None) -> None:
    """Raises Refused where a period ends before it begins, or begins in the future."""
    if since > datetime.now(UTC):
        raise Refused(f"--since {shown(since)} lies in the future.", 2)
    if until is not None and until <= since:
        raise Refused(f"--until {shown(until)} is not after --since {shown(since)}.", 2)


def shown(moment: datetime | None) -> str:
    """A moment for a person, in UTC."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def shown_span(span: timedelta) -> str:
    """A span for a person: ``42 s``, ``3 min``, ``5 h``, ``2 d``."""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
