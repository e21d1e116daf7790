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
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

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
                if form.get("scope") not in SCOPES:
                    raise LwaError(400, "invalid_scope", "The request has an invalid parameter : scope")
                return self._issued(client, "", now_ms)
            case None:
                raise LwaError(
                    400, "invalid_request", "The request is missing a required parameter : grant_type"
                )
            case _:
                raise LwaError(400, "unsupported_grant_type", "The authorization grant type is not supported")

    def caller(self, token: str | None, now_ms: int) -> Caller:
        """Who this access token belongs to; ApiError 403 if it is missing, unknown or expired."""
        if not token:
            raise denied("Access token is missing in the request header.")
        caller = self._callers.get(token) or self._read(token)
        if token in self._revoked or caller.expires_ms <= now_ms:
            raise token_expired()
        if not caller.seller_id:
            raise denied()
        return caller

    def seller_id(self, token: str | None) -> str:
        """Whose token this is, however old; empty if nobody's."""
        caller = self._callers.get(token or "")
        return caller.seller_id if caller is not None else ""

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

    def _issued(self, client: str, seller_id: str, now_ms: int) -> JsonObject:
        expires_ms = now_ms + self.lifetime_s * 1000
        claims = {"c": client, "s": seller_id, "e": expires_ms, "n": secrets.token_hex(6)}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        token = f"Atza|{body}.{self._signature(body)}"
        self._callers[token] = Caller(client, seller_id, expires_ms)
        return {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime_s}

    def _read(self, token: str) -> Caller:
        """The owner of a token issued before a restart."""
        body, _, signature = token.removeprefix("Atza|").partition(".")
        if not token.startswith("Atza|") or not _same(signature, self._signature(body)):
            raise denied("The access token you provided is revoked, malformed or invalid.")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        caller = Caller(claims["c"], claims["s"], claims["e"])
        self._callers[token] = caller
        return caller

    def _signature(self, body: str) -> str:
        return hashlib.blake2b(body.encode(), key=self._key, digest_size=20).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
