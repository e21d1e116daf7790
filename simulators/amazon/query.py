"""The parameters of searchOrders and getOrder, checked as the 2026-01-01 model says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from simulators.amazon.clock import iso, to_ms
from simulators.amazon.view import DATASETS
from simulators.amazon.wire import invalid

STATUSES = frozenset(
    {
        "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED",
        "UNFULFILLABLE",
    }
)  # fmt: skip
MAX_MARKETPLACES = 50
UTC_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z")
ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}")


@dataclass(frozen=True)
class Search:
    """A valid searchOrders request. Moments are milliseconds since 1970, ends included."""

    by_update: bool
    after_ms: int
    before_ms: int
    statuses: frozenset[str]
    marketplaces: frozenset[str]
    fulfilled_by: frozenset[str]
    page_size: int
    datasets: frozenset[str]
    page_token: str | None
    canonical: str
    """The query without its page token; a token is good for this text only."""


def listed(params: QueryParams, name: str, allowed: frozenset[str] | None = None) -> frozenset[str]:
    """A list parameter: comma-separated (the model's default collectionFormat) or repeated."""
    values = [part for value in params.getlist(name) for part in value.split(",") if part]
    unknown = sorted(set(values) - allowed) if allowed is not None else []
    if unknown:
        raise invalid(
            f"Invalid value for parameter {name}.", f"{unknown[0]} is not one of the allowed values."
        )
    return frozenset(values)


def datasets(params: QueryParams) -> frozenset[str]:
    """includedData."""
    return listed(params, "includedData", DATASETS)


def order_id(text: str) -> str:
    """A well-formed Amazon order id (3-7-7 digits); 400 otherwise."""
    if not ORDER_ID.fullmatch(text):
        raise invalid("The order identifier is not valid.", "An order identifier has 3-7-7 digits.")
    return text


def search(params: QueryParams, now_ms: int, blind_ms: int) -> Search:
    """Check a searchOrders request. blind_ms: how old the *Before moment must be (Amazon: two minutes).

    Parameters Amazon does not know are ignored, as Amazon does.
    """
    by_update = _by_update(params)
    stem = "lastUpdated" if by_update else "created"
    after_ms = moment(params, f"{stem}After")
    latest = now_ms - blind_ms
    before_ms = moment(params, f"{stem}Before") if f"{stem}Before" in params else latest
    if f"{stem}Before" in params:
        if before_ms > latest:
            raise invalid(f"{stem}Before must be at least two minutes before the time of the request.")
        if before_ms < after_ms:
            raise invalid(f"{stem}Before must be equal to or after {stem}After.")
    marketplaces = listed(params, "marketplaceIds")
    if len(marketplaces) > MAX_MARKETPLACES:
        raise invalid(f"marketplaceIds takes at most {MAX_MARKETPLACES} values.")
    return Search(
        by_update=by_update,
        after_ms=after_ms,
        before_ms=before_ms,
        statuses=listed(params, "fulfillmentStatuses", STATUSES),
        marketplaces=marketplaces,
        fulfilled_by=listed(params, "fulfilledBy", frozenset({"AMAZON", "MERCHANT"})),
        page_size=_page_size(params.get("maxResultsPerPage")),
        datasets=datasets(params),
        page_token=params.get("paginationToken"),
        canonical=_canonical(params),
    )


def moment(params: QueryParams, name: str) -> int:
    """A date-time parameter in UTC with Z; Amazon refuses offsets such as +09:00."""
    text = params.get(name, "")
    refusal = invalid(f"{name} is not a valid date-time.", f"Use ISO 8601 in UTC, as {iso(0)}.")
    if not UTC_MOMENT.fullmatch(text):
        raise refusal
    try:
        return to_ms(text)
    except ValueError:
        raise refusal from None


def _by_update(params: QueryParams) -> bool:
    created, updated = "createdAfter" in params, "lastUpdatedAfter" in params
    if created == updated:
        raise invalid("Provide exactly one of createdAfter and lastUpdatedAfter.")
    strangers: Sequence[str] = ("createdBefore",) if updated else ("lastUpdatedBefore",)
    for name in strangers:
        if name in params:
            chosen = "lastUpdatedAfter" if updated else "createdAfter"
            raise invalid(f"{name} may not be provided together with {chosen}.")
    return updated


def _page_size(text: str | None) -> int:
    if text is None:
        return 100
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= 100:
        raise invalid("maxResultsPerPage must be between 1 and 100.")
    return int(text)


def _canonical(params: QueryParams) -> str:
    rest = sorted((name, value) for name, value in params.multi_items() if name != "paginationToken")
    return repr(rest)
