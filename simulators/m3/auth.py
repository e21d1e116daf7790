"""Who may call: OAuth tokens for a service account in the cloud, Basic on-premises."""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import parse_qs, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulators.m3.records import Token
from simulators.m3.settings import TENANT
from simulators.m3.world import World

CLIENT_ID = f"{TENANT}~o2c"
CLIENT_SECRET = "sim-ion-secret"  # noqa: S105 - pretended credentials of a pretended tenant
SERVICE_KEY = f"{TENANT}#service-account"
SERVICE_SECRET = "sim-service-secret"  # noqa: S105
BASIC_USER = "M3API"
BASIC_PASSWORD = "sim-basic-secret"  # noqa: S105


def ionapi(url: str) -> dict[str, str]:
    """The .ionapi document of this installation, as ION API would let an administrator download it."""
    return {
        "ti": TENANT,
        "cn": "Simulated service",
        "dt": "12",
        "ci": CLIENT_ID,
        "cs": CLIENT_SECRET,
        "iu": url,
        "pu": f"{url}/{TENANT}/as/",
        "oa": "authorization.oauth2",
        "ot": "token.oauth2",
        "or": "revoke_token.oauth2",
        "ev": "S0000000001",
        "v": "1.0",
        "saak": SERVICE_KEY,
        "sask": SERVICE_SECRET,
    }


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _refused(error: str, status: int = 400) -> Response:
    return JSONResponse({"error": error}, status_code=status)


async def _form(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}


def _client_known(request: Request, form: dict[str, str]) -> bool:
    """Whether the client proved itself, by Basic header (plain or percent-encoded) or in the form."""
    given = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    return (unquote(given[0]), unquote(given[1])) == (CLIENT_ID, CLIENT_SECRET)


class Guard:
    """Hands out tokens and looks at those that come back."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def issue(self, request: Request) -> Response:
        """POST token.oauth2: a token for the service account (grant_type=password)."""
        form = await _form(request)
        if not _client_known(request, form):
            return _refused("invalid_client", 401)
        if form.get("grant_type") != "password":
            return _refused("unsupported_grant_type")
        if (form.get("username"), form.get("password")) != (SERVICE_KEY, SERVICE_SECRET):
            return _refused("invalid_grant")
        token = secrets.token_urlsafe(24)
        lifetime = self._world.settings.token_lifetime
        self._world.tokens.put(token, Token(expires=self._world.clock.ahead() + lifetime))
        self._world.store.commit()
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})

    async def revoke(self, request: Request) -> Response:
        """POST revoke_token.oauth2: the token is worth nothing from now on."""
        form = await _form(request)
        if not _client_known(request, form):
            return _refused("invalid_client", 401)
        self.withdraw(form.get("token", ""))
        return Response(status_code=200)

    def withdraw(self, token: str) -> None:
        """Make a token invalid; an unknown one is no error."""
        if token in self._world.tokens:
            self._world.tokens.drop(token)
            self._world.store.commit()

    def objection(self, request: Request) -> str | None:
        """Why this caller may not call; None if it may."""
        if self._world.settings.profile == "onprem":
            known = _basic(request) == (BASIC_USER, BASIC_PASSWORD)
            return None if known else "User or password is wrong"
        token = self._world.tokens.get(bearer(request))
        if token is None:
            return "The access token is missing or unknown"
        if token.expires <= self._world.clock.ahead():
            return "The access token has expired"
        return None


def bearer(request: Request) -> str:
    """The bearer token of a request, blank without one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value if scheme.lower() == "bearer" else ""
