"""Login with Amazon: access tokens, one request for however many callers wait.

An access token lives an hour (`expires_in` 3600) and is renewed five minutes earlier. Errors come in LWA's
own shape, ``{"error", "error_description", "request_id"}``, not in SP-API's.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
import structlog

from activities.amazon.failures import AmazonError, Failure

TOKEN_URL: Final = "https://api.amazon.com/auth/o2/token"  # noqa: S105 - an address, no secret
NOTIFICATIONS_SCOPE: Final = "sellingpartnerapi::notifications"
"""Scope of the grantless operations of the Notifications API."""
OPERATION: Final = "LWA token"
SAFETY_SECONDS: Final = 300.0
_HOPELESS: Final = frozenset({400, 401, 403})
_TRY_AGAIN: Final = frozenset({"server_error", "temporarily_unavailable", "slow_down"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Credentials:
    """What Login with Amazon wants to see; none of it shows in a repr but the public client id."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class _Token:
    text: str = field(repr=False)
    good_until: float


class TokenCache:
    """The access token of one application and selling partner; with `scope`, of the application alone, for
    operations without a seller's grant (grantless).

    `http` is shared and stays the caller's. `clock` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        credentials: Credentials,
        http: httpx.AsyncClient,
        url: str = TOKEN_URL,
        clock: Callable[[], float] = time.monotonic,
        scope: str = "",
    ) -> None:
        self._credentials = credentials
        self._scope = scope
        self._http = http
        self._url = url
        self._clock = clock
        self._token: _Token | None = None
        self._request: asyncio.Task[_Token] | None = None

    async def token(self) -> str:
        """A token good for five minutes more; raises `AmazonError` (not_authorised, unavailable)."""
        held = self._token
        if held is not None and self._clock() < held.good_until:
            return held.text
        if self._request is None:
            self._request = asyncio.create_task(self._fetch())
            self._request.add_done_callback(self._fetched)
        # Shielded: one caller that gives up must not take the answer from the others.
        return (await asyncio.shield(self._request)).text

    def reject(self, token: str) -> None:
        """Amazon did not accept `token`: the next caller gets a new one. One already replaced is ignored."""
        if self._token is not None and self._token.text == token:
            self._token = None

    def _fetched(self, request: asyncio.Task[_Token]) -> None:
        self._request = None
        if not request.cancelled() and request.exception() is None:
            self._token = request.result()

    async def _fetch(self) -> _Token:
        began = self._clock()
        grant = (
            {"grant_type": "client_credentials", "scope": self._scope}
            if self._scope
            else {"grant_type": "refresh_token", "refresh_token": self._credentials.refresh_token}
        )
        form = {
            **grant,
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        try:
            answer = await self._http.post(self._url, data=form)
        except httpx.HTTPError as error:
            # `from None`: the exception keeps the request, and the request carries the secrets.
            raise _unavailable(type(error).__name__) from None
        _log.info(
            "amazon_call",
            operation=OPERATION,
            status=answer.status_code,
            duration_ms=round((self._clock() - began) * 1000),
            request_id=_request_id(answer),
        )
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> _Token:
        body = _object(answer)
        if answer.status_code != 200:
            raise _refusal(answer, body)
        text, seconds = body.get("access_token"), body.get("expires_in")
        if not isinstance(text, str) or not text or not isinstance(seconds, int):
            raise _unavailable("the answer holds no access token", answer)
        # A life shorter than the margin is used for half its time, or every call would ask anew.
        life = max(seconds - SAFETY_SECONDS, seconds / 2)
        return _Token(text, self._clock() + life)


def _object(answer: httpx.Response) -> Mapping[str, object]:
    try:
        body = json.loads(answer.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _request_id(answer: httpx.Response) -> str:
    return str(answer.headers.get("x-amzn-requestid", ""))


def _refusal(answer: httpx.Response, body: Mapping[str, object]) -> AmazonError:
    code = str(body.get("error") or "")
    if answer.status_code not in _HOPELESS or not code or code in _TRY_AGAIN:
        return _unavailable(str(body.get("error_description") or ""), answer, code)
    return AmazonError(
        Failure.NOT_AUTHORISED,
        OPERATION,
        status=answer.status_code,
        code=code,
        message=str(body.get("error_description") or ""),
        request_id=str(body.get("request_id") or _request_id(answer)),
    )


def _unavailable(message: str, answer: httpx.Response | None = None, code: str = "") -> AmazonError:
    return AmazonError(
        Failure.UNAVAILABLE,
        OPERATION,
        status=answer.status_code if answer is not None else 0,
        code=code,
        message=message,
        request_id=_request_id(answer) if answer is not None else "",
    )
