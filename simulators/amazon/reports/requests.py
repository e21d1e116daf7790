"""What callers ask of the Reports API, checked as the 2021-06-30 model says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError
from starlette.datastructures import QueryParams

from simulators.amazon.clock import to_ms
from simulators.amazon.query import listed
from simulators.amazon.reports.kinds import DAY_MS, KINDS, UNASKED
from simulators.amazon.wire import invalid

STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})
KEPT_MS = 90 * DAY_MS


class _Specification(BaseModel):
    """Model CreateReportSpecification."""

    model_config = ConfigDict(extra="ignore")

    reportType: StrictStr  # noqa: N815
    marketplaceIds: list[StrictStr] = Field(min_length=1, max_length=25)  # noqa: N815
    dataStartTime: StrictStr | None = None  # noqa: N815
    dataEndTime: StrictStr | None = None  # noqa: N815
    reportOptions: dict[StrictStr, StrictStr] | None = None  # noqa: N815


@dataclass(frozen=True)
class Wanted:
    """A valid createReport request. given: it named the beginning of its window."""

    report_type: str
    marketplaces: tuple[str, ...]
    start_ms: int
    end_ms: int
    given: bool
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Listing:
    """A valid getReports request; after: where the page begins (creation moment and report id)."""

    types: frozenset[str]
    statuses: frozenset[str]
    marketplaces: frozenset[str]
    since_ms: int
    until_ms: int
    page_size: int
    after: tuple[int, str] | None = None


def specification(body: bytes, now_ms: int, own_marketplaces: set[str]) -> Wanted:
    """The body of createReport; ApiError 400 says what is wrong with it."""
    try:
        given = _Specification.model_validate_json(body)
    except ValidationError as error:
        names = sorted({".".join(str(part) for part in entry["loc"]) or "body" for entry in error.errors()})
        raise invalid("Invalid input", f"Missing or invalid: {', '.join(names)}.") from None
    if given.reportType in UNASKED:
        raise invalid(f"Request for report type {UNASKED[given.reportType]} is not allowed at this time")
    if given.reportType not in KINDS:
        raise invalid(f"Invalid Report Type {given.reportType}")
    strange = [name for name in given.marketplaceIds if name not in own_marketplaces]
    if strange:
        raise invalid(f"Invalid marketplace {strange[0]}", "The seller does not sell there.")
    start_ms = _moment("dataStartTime", given.dataStartTime, now_ms)
    end_ms = _moment("dataEndTime", given.dataEndTime, now_ms)
    for name, value in (("dataStartTime", start_ms), ("dataEndTime", end_ms)):
        if value > now_ms:
            raise invalid(f"{name} must be prior to or equal to the current date and time.")
    if end_ms < start_ms:
        raise invalid("dataEndTime must not be before dataStartTime.")
    return Wanted(
        report_type=given.reportType,
        marketplaces=tuple(dict.fromkeys(given.marketplaceIds)),
        start_ms=start_ms,
        end_ms=end_ms,
        given=given.dataStartTime is not None,
        options=tuple(sorted((given.reportOptions or {}).items())),
    )


def listing(params: QueryParams, now_ms: int) -> Listing:
    """A getReports query without nextToken; ApiError 400 says what is wrong with it."""
    types = listed(params, "reportTypes")
    if not types:
        raise invalid("Either reportTypes or nextToken is required.")
    for name in ("reportTypes", "marketplaceIds"):
        if len(listed(params, name)) > 10:
            raise invalid(f"{name} takes at most 10 values.")
    size = params.get("pageSize", "10")
    if not re.fullmatch(r"\d{1,3}", size) or not 1 <= int(size) <= 100:
        raise invalid("pageSize must be between 1 and 100.")
    return Listing(
        types=types,
        statuses=listed(params, "processingStatuses", STATUSES),
        marketplaces=listed(params, "marketplaceIds"),
        since_ms=_moment("createdSince", params.get("createdSince"), now_ms - KEPT_MS),
        until_ms=_moment("createdUntil", params.get("createdUntil"), now_ms),
        page_size=int(size),
    )


def _moment(name: str, text: str | None, default_ms: int) -> int:
    if text is None:
        return default_ms
    try:
        return to_ms(text)
    except ValueError:
        raise invalid(f"{name} is not a valid date-time.", "Use ISO 8601 with Z or an offset.") from None
