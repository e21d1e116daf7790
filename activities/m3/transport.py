"""One HTTP exchange with M3: authority, what the status means, one log line; no field values anywhere."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import structlog

from activities.m3.auth import Credentials
from activities.m3.errors import M3Throttled, M3Unavailable, MIError, NotAuthorised
from activities.m3.replies import request_id

log = structlog.get_logger("activities.m3")

_THROTTLED: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=10)


class Transport:
    """Sends requests with the service account's authority and sorts what comes back.

    Returns answers with HTTP 200 and 400, which both may hold a refusal. Raises `M3Unavailable` for what
    may pass (429, 5xx, no connection, no answer in time), `NotAuthorised` for 403 and a wrong password,
    `MIError` for the rest.
    """

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        url: str,
        program: str,
        transaction: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        count: int = 1,
    ) -> httpx.Response:
        """Send `count` transactions of `program` in one request."""
        authority = await self._credentials.header(self._http)
        for last in (False, True):
            started = time.monotonic()
            try:
                response = await self._http.request(
                    method, url, params=params, json=json, headers={"authorization": authority}
                )
            except httpx.HTTPError as error:
                self._log(program, transaction, count, type(error).__name__, started)
                raise _no_answer(program, transaction, error) from error
            self._log(program, transaction, count, response.status_code, started, request_id(response))
            if response.status_code != 401 or last or not self._credentials.renewable:
                break
            authority = await self._credentials.header(self._http, refused=authority)
        if response.status_code == 401 and self._credentials.renewable:
            raise M3Unavailable(
                f"M3 did not take {program}.{transaction} with a token just renewed (HTTP 401)."
            )
        if response.status_code not in (200, 400):
            raise _refused(program, transaction, response)
        return response

    def _log(
        self,
        program: str,
        transaction: str,
        count: int,
        outcome: int | str,
        started: float,
        seen: str = "",
    ) -> None:
        log.info(
            "m3 call",
            program=program,
            transaction=transaction,
            count=count,
            outcome=outcome,
            milliseconds=round((time.monotonic() - started) * 1000),
            request_id=seen,
        )


def _no_answer(program: str, transaction: str, error: httpx.HTTPError) -> M3Unavailable:
    return M3Unavailable(
        f"M3 gave no answer to {program}.{transaction} ({type(error).__name__}); whether it did the work is unknown."
    )


def _refused(program: str, transaction: str, response: httpx.Response) -> Exception:
    status, seen = response.status_code, request_id(response)
    if status in (401, 403):
        return NotAuthorised(program, transaction, f"HTTP {status}", request_id=seen)
    sentence = f"M3 answered {program}.{transaction} with HTTP {status}{f' (request {seen})' if seen else ''}"
    if status == 429:
        return M3Throttled(
            f"{sentence}: too many requests; nothing was done.", delay=retry_after(response) or _THROTTLED
        )
    if status >= 500:
        return M3Unavailable(f"{sentence}; whether it did the work is unknown.", delay=retry_after(response))
    return MIError(program, transaction, f"HTTP {status}", request_id=seen)


def retry_after(response: httpx.Response) -> timedelta | None:
    """Retry-After in either form (seconds or a date, RFC 9110 10.2.3), at most ten minutes."""
    value = response.headers.get("retry-after", "")
    if not value:
        return None
    try:
        delay = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        try:
            delay = parsedate_to_datetime(value) - datetime.now(UTC)
        except (ValueError, TypeError):
            return None
    return min(max(delay, timedelta(seconds=1)), _LONGEST_WAIT)
