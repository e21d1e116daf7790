"""Login with Amazon: refresh tokens in, access tokens out, and who an access token belongs to.

Access tokens carry their owner and end under a signature, so they stay good when the simulator restarts.
Errors have LWA's own shape, not the Selling Partner API's (amzn/selling-partner-api-models issue 4112);
a wrong client secret is 401, the rest 400 (jlevers/selling-partner-api issue 595).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.responses import Response

from simulators import catalogue
from simulators.amazon.wire import JsonObject, denied, to_json, token_expired

SCOPES = frozenset(
    {
        "sellingpartnerapi::notifications",
        "sellingpartnerapi::client_credential:rotation",
        "sellingpartnerapi::migration",
    }
)


@dataclass(frozen=True)
class Caller:
    """Who a request speaks for. `seller_id` is empty for a grantless token."""

    application: str
    seller_id: str
    expires_ms: int
    scope: str = ""
    """What a grantless token is good for; empty for a seller's."""
    resources: tuple[tuple[str, str], ...] = ()
    """What a restricted data token opens: method and path, `{}` in a path standing for any one part."""

    @property
    def restricted(self) -> bool:
        """Whether this is the caller's restricted data token."""
        return bool(self.resources)

    def may(self, method: str, path: str) -> bool:
        """Whether the token is good for this request; an ordinary access token is for every one."""
        return not self.resources or any(
            method == allowed and re.fullmatch(re.sub(r"\\\{[^/]*\\\}", "[^/]+", re.escape(pattern)), path)
            for allowed, pattern in self.resources
        )


class LwaError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    def response(self) -> Response:
        """The refusal on the wire."""
        body: JsonObject = {
            "error_index": base64.urlsafe_b64encode(secrets.token_bytes(60)).decode(),
            "error_description": self.description,
            "error": self.error,
            "request_id": str(uuid.uuid4()),
        }
        return Response(to_json(body), self.status, media_type="application/json;charset=UTF-8")


class Tokens:
    """Issues and checks access tokens. lifetime_s: seconds, on the simulator's clock."""

    def __init__(self, seed: int, lifetime_s: int) -> None:
        self.lifetime_s = lifetime_s
        self._key = hashlib.blake2b(f"lwa {seed}".encode(), digest_size=32).digest()
        self._sellers = {seller.refresh_token: seller.seller_id for seller in catalogue.ACCOUNTS}
        self._callers: dict[str, Caller] = {}
        self._revoked: set[str] = set()

    def grant(self, form: Mapping[str, str], now_ms: int) -> JsonObject:
        """Answer one request to the token endpoint; LwaError if it is refused."""
        client = form.get("client_id", "")
        known = client == catalogue.LWA_CLIENT_ID
        if not known or form.get("client_secret") != catalogue.LWA_CLIENT_SECRET:
            raise LwaError(401, "invalid_client", "Client authentication failed")
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(client, form.get("refresh_token"), now_ms)
            case "client_credentials":
                scope = form.get("scope", "")
                if scope not in SCOPES:
                    raise LwaError(400, "invalid_scope", "The request has an invalid parameter : scope")
                return self._issued(client, "", now_ms, scope)
            case None:
                raise LwaError(
                    400, "invalid_request", "The request is missing a required parameter : grant_type"
                )
            case _:
                raise LwaError(400, "unsupported_grant_type", "The authorization grant type is not supported")

    def caller(self, token: str | None, now_ms: int, scope: str = "") -> Caller:
        """Who this access token belongs to; ApiError 403 if it is missing, unknown or expired.

        A grantless operation names its `scope`, and takes tokens of that scope alone; the others take none.
        """
        if not token:
            raise denied("Access token is missing in the request header.")
        caller = self._callers.get(token) or self._read(token)
        if token in self._revoked or caller.expires_ms <= now_ms:
            raise token_expired()
        if caller.scope != scope:
            raise denied()
        return caller

    def seller_id(self, token: str | None) -> str:
        """Whose token this is, however old; empty if nobody's."""
        caller = self._callers.get(token or "")
        return caller.seller_id if caller is not None else ""

    def restrict(self, caller: Caller, resources: tuple[tuple[str, str], ...], now_ms: int) -> str:
        """A restricted data token of this caller for these methods and paths."""
        return self._keep("Atz.sprdt|", replace(caller, expires_ms=self._end(now_ms), resources=resources))

    def revoke(self, token: str | None) -> None:
        """Let this token be expired from now on, whatever its age."""
        if token:
            self._revoked.add(token)

    def revoke_all(self) -> int:
        """Expire every token issued so far by this process; returns how many."""
        self._revoked.update(self._callers)
        return len(self._callers)

    def _refresh(self, client: str, refresh_token: str | None, now_ms: int) -> JsonObject:
        if not refresh_token:
            raise LwaError(
                400, "invalid_request", "The request is missing a required parameter : refresh_token"
            )
        seller_id = self._sellers.get(refresh_token)
        if seller_id is None:
            raise LwaError(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
        issued = self._issued(client, seller_id, now_ms)
        return {
            "access_token": issued["access_token"],
            "refresh_token": refresh_token,
            **issued,
        }

    def _issued(self, client: str, seller_id: str, now_ms: int, scope: str = "") -> JsonObject:
        token = self._keep("Atza|", Caller(client, seller_id, self._end(now_ms), scope))
        return {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime_s}

    def _end(self, now_ms: int) -> int:
        return now_ms + self.lifetime_s * 1000

    def _keep(self, prefix: str, caller: Caller) -> str:
        claims = {"c": caller.application, "s": caller.seller_id, "e": caller.expires_ms}
        claims |= {"g": caller.scope, "r": caller.resources, "n": secrets.token_hex(6)}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        token = f"{prefix}{body}.{self._signature(body)}"
        self._callers[token] = caller
        return token

    def _read(self, token: str) -> Caller:
        """The owner of a token issued before a restart."""
        prefix, _, rest = token.partition("|")
        body, _, signature = rest.partition(".")
        if prefix not in ("Atza", "Atz.sprdt") or not _same(signature, self._signature(body)):
            raise denied("The access token you provided is revoked, malformed or invalid.")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        resources = tuple((method, path) for method, path in claims.get("r", ()))
        caller = Caller(claims["c"], claims["s"], claims["e"], claims.get("g", ""), resources)
        self._callers[token] = caller
        return caller

    def _signature(self, body: str) -> str:
        return hashlib.blake2b(body.encode(), key=self._key, digest_size=20).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
