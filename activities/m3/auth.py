"""How this service shows M3 who it is: an .ionapi service account in the cloud, Basic on the own grid."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

from activities.m3.errors import M3Unavailable, NotAuthorised

_MARGIN: Final = 60.0
"""Seconds before its end at which a token is no longer used."""


class IonApi(BaseModel):
    """The .ionapi file of a backend service (Infor's field names: ci/cs client, saak/sask service account)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ti: str
    ci: str
    cs: SecretStr
    iu: str
    pu: str
    ot: str
    saak: SecretStr
    sask: SecretStr

    @classmethod
    def from_file(cls, path: Path) -> "IonApi":
        """Read the file Infor ION API hands out. Raises OSError or pydantic's ValidationError."""
        return cls.model_validate_json(path.read_bytes())

    @property
    def tenant_url(self) -> str:
        return f"{self.iu.rstrip('/')}/{self.ti}"

    @property
    def api_base(self) -> str:
        return f"{self.tenant_url}/M3"

    @property
    def token_url(self) -> str:
        return f"{self.pu.rstrip('/')}/{self.ot.lstrip('/')}"


class Credentials(Protocol):
    """Gives the Authorization header of a call."""

    async def header(self, http: httpx.AsyncClient, *, refused: str = "") -> str:
        """The header's value; `refused` is one that M3 has just answered with 401."""

    @property
    def renewable(self) -> bool:
        """Whether another header may be had after a 401."""


class BasicAccess:
    """User and password of the own grid (on-premises)."""

    renewable = False

    def __init__(self, username: str, password: SecretStr) -> None:
        pair = f"{username}:{password.get_secret_value()}".encode()
        self._header = f"Basic {base64.b64encode(pair).decode()}"

    async def header(self, http: httpx.AsyncClient, *, refused: str = "") -> str:
        """The same header every time."""
        return self._header


class ServiceAccount:
    """Token of a service account (OAuth2 password grant), fetched once for all calls of this process.

    One token serves many workers, so it is kept until shortly before its end and renewed once when M3
    refuses it. Raises `NotAuthorised` where the token server refuses the account, `M3Unavailable` where it
    does not answer.
    """

    renewable = True

    def __init__(self, ionapi: IonApi, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ionapi = ionapi
        self._clock = clock
        self._header = ""
        self._ends = 0.0
        self._renewing = asyncio.Lock()

    async def header(self, http: httpx.AsyncClient, *, refused: str = "") -> str:
        """The token's header; of many callers that need a new one, one fetches it and the others wait."""
        if self._usable(refused):
            return self._header
        async with self._renewing:
            if not self._usable(refused):
                await self._fetch(http)
            return self._header

    def _usable(self, refused: str) -> bool:
        return bool(self._header) and self._header != refused and self._clock() < self._ends

    async def _fetch(self, http: httpx.AsyncClient) -> None:
        form = {
            "grant_type": "password",
            "username": self._ionapi.saak.get_secret_value(),
            "password": self._ionapi.sask.get_secret_value(),
        }
        client = (self._ionapi.ci, self._ionapi.cs.get_secret_value())
        try:
            response = await http.post(self._ionapi.token_url, data=form, auth=client)
        except httpx.HTTPError as error:
            sentence = f"The token server of M3 did not answer ({type(error).__name__})."
            raise M3Unavailable(sentence) from error
        if response.status_code in (400, 401, 403):
            raise NotAuthorised(
                "token", "password grant", f"HTTP {response.status_code}", message=_oauth_error(response)
            )
        if response.status_code != 200:
            raise M3Unavailable(f"The token server of M3 answered HTTP {response.status_code}.")
        try:
            answer = json.loads(response.content)
            token, lifetime = str(answer["access_token"]), float(answer.get("expires_in", 0))
        except (ValueError, KeyError, TypeError) as error:
            raise M3Unavailable("The token server of M3 gave an answer that holds no token.") from error
        self._header = f"Bearer {token}"
        self._ends = self._clock() + max(lifetime - _MARGIN, lifetime / 2)


def _oauth_error(response: httpx.Response) -> str:
    """OAuth2's own error word (RFC 6749 5.2), such as invalid_grant; nothing else of the body."""
    try:
        word = str(json.loads(response.content).get("error", ""))
    except (ValueError, AttributeError):
        return ""
    return word if word.replace("_", "").isalpha() else ""
