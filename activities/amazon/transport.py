"""One HTTP exchange with Amazon: signed by a token, timed, logged, and every outcome named.

What Amazon really sends is less tidy than its models: 200 with nothing in it, 503 as HTML, 403 from the edge
without a body or a request id, 429 without a word. Each becomes an `AmazonError`; a success is a JSON object.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol
from urllib.parse import quote

import httpx
import structlog

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.lwa import TokenCache
from activities.amazon.operations import Operation

USER_AGENT: Final = "amazon-m3-o2c/0.1 (Language=Python/3.11)"
TIMEOUT: Final = httpx.Timeout(connect=5.0, write=10.0, read=30.0, pool=30.0)
"""Seconds; every call has an end, so that Temporal and not a socket decides when to try again."""

_log = structlog.get_logger(__name__)

type_of_status: Final[dict[int, Failure]] = {
    401: Failure.NOT_AUTHORISED,
    403: Failure.NOT_AUTHORISED,
    404: Failure.NOT_FOUND,
    408: Failure.UNAVAILABLE,
    429: Failure.QUOTA,
}


class QuotaEar(Protocol):
    """Whoever paces the calls of all workers, as one seller's client tells it."""

    def called(self, operation: Operation) -> None:
        """A request is about to be sent."""

    def throttled(self, operation: Operation) -> None:
        """Amazon answered 429."""

    def rate_named(self, operation: Operation, rate: float) -> None:
        """Amazon named a rate (x-amzn-RateLimit-Limit), in calls per second."""


class Transport:
    """Calls one SP-API endpoint for one selling partner.

    `http` is shared and stays the caller's. `ear` hears of every call. `quota_factor`: how many times the documented
    rates this partner has; the rate that Amazon names in an answer's header counts more.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenCache,
        http: httpx.AsyncClient,
        quota_factor: float = 1.0,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._tokens = tokens
        self._http = http
        self.ear: QuotaEar | None = None
        self._quota_factor = quota_factor
        self._rates: dict[str, float] = {}

    async def call(
        self,
        operation: Operation,
        *,
        order_id: str = "",
        names: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        restricted_token: str = "",
    ) -> dict[str, object]:
        """The answer's JSON object; `{}` for 204. A 401 or 403 is tried once more with a new token.

        names: what stands in the path for its placeholders, beside the order id. restricted_token: a restricted
        data token to use in place of the access token; no other is tried then. Raises `AmazonError`.
        """
        path = operation.path.format(
            orderId=order_id, **{name: quote(value, safe="") for name, value in (names or {}).items()}
        )
        if restricted_token:
            return await self._exchange(operation, path, restricted_token, order_id, query, body)
        token = await self._tokens.token()
        try:
            return await self._exchange(operation, path, token, order_id, query, body)
        except AmazonError as error:
            if error.failure is not Failure.NOT_AUTHORISED:
                raise
        self._tokens.reject(token)
        return await self._exchange(operation, path, await self._tokens.token(), order_id, query, body)

    def interval(self, operation: Operation) -> timedelta:
        """Time after which Amazon grants this partner another call: by the rate it named last, else as configured."""
        return timedelta(seconds=1 / self._rates.get(operation.name, operation.rate * self._quota_factor))

    async def _exchange(
        self,
        operation: Operation,
        path: str,
        token: str,
        order_id: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, object] | None,
    ) -> dict[str, object]:
        began = time.monotonic()
        if self.ear is not None:
            self.ear.called(operation)
        try:
            answer = await self._http.request(
                operation.method,
                self._endpoint + path,
                params=query,
                json=body,
                headers={
                    "x-amz-access-token": token,
                    "x-amz-date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
                    "user-agent": USER_AGENT,
                    "accept": "application/json",
                },
                timeout=TIMEOUT,
            )
        except httpx.HTTPError as error:
            _note(operation, order_id, began, error=type(error).__name__)
            # `from None`: the exception keeps the request, and the request carries the token.
            raise AmazonError(Failure.UNAVAILABLE, operation.name, message=type(error).__name__) from None
        request_id = str(answer.headers.get("x-amzn-requestid", ""))
        _note(operation, order_id, began, status=answer.status_code, request_id=request_id)
        self._remember_rate(operation, answer)
        if answer.status_code in (200, 201, 202, 204):
            return _content(operation, answer, request_id)
        raise self._failure(operation, answer, request_id)

    def _remember_rate(self, operation: Operation, answer: httpx.Response) -> None:
        # The header comes with 20x, 400 and 404 only, and not always.
        try:
            rate = float(answer.headers.get("x-amzn-ratelimit-limit", ""))
        except ValueError:
            return
        if 0 < rate < float("inf"):
            self._rates[operation.name] = rate
            if self.ear is not None:
                self.ear.rate_named(operation, rate)

    def _failure(self, operation: Operation, answer: httpx.Response, request_id: str) -> AmazonError:
        status = answer.status_code
        fallback = Failure.REFUSED if 400 <= status < 500 else Failure.UNAVAILABLE
        failure = type_of_status.get(status, fallback)
        retry_after = None
        if failure is Failure.QUOTA:
            retry_after = self.interval(operation)
            if self.ear is not None:
                self.ear.throttled(operation)
        code, message = _first_error(answer)
        return AmazonError(
            failure,
            operation.name,
            status=status,
            code=code,
            message=message,
            request_id=request_id,
            retry_after=retry_after,
        )


def read_json(content: bytes) -> object:
    """JSON with every number as int or Decimal: money never passes through a float. Raises ValueError."""
    parsed: object = json.loads(content, parse_float=Decimal)
    return parsed


def _content(operation: Operation, answer: httpx.Response, request_id: str) -> dict[str, object]:
    if answer.status_code == 204:
        return {}
    try:
        parsed = read_json(answer.content)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        return parsed
    said = "the answer is no JSON object" if answer.content else "the answer is empty"
    raise AmazonError(
        Failure.UNAVAILABLE,
        operation.name,
        status=answer.status_code,
        message=said,
        request_id=request_id,
    )


def _first_error(answer: httpx.Response) -> tuple[str, str]:
    """code, and message with details, of ``{"errors": [...]}``; both empty where the body is another."""
    try:
        parsed = read_json(answer.content)
    except ValueError:
        return "", ""
    errors = parsed.get("errors") if isinstance(parsed, dict) else parsed
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return "", ""
    message, details = str(first.get("message") or ""), str(first.get("details") or "")
    return str(first.get("code") or ""), message if details in ("", message) else f"{message} ({details})"


def _note(
    operation: Operation,
    order_id: str,
    began: float,
    *,
    status: int = 0,
    request_id: str = "",
    error: str = "",
) -> None:
    facts = {
        "operation": operation.name,
        "status": status,
        "duration_ms": round((time.monotonic() - began) * 1000),
        "request_id": request_id,
    }
    if order_id:
        facts["order_id"] = order_id
    if error:
        facts["error"] = error
    _log.info("amazon_call", **facts)
