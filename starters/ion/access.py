"""Who may call: ION's API Gateway, by Basic or by an OAuth 2.0 token that this endpoint has issued.

The gateway's target endpoints authenticate by Basic or OAuth 2.0 (client credentials, or resource owner) among
others; for OAuth 2.0 it is given a token and a revoke address, which are served here. Tokens are signed, not
stored: every process with the same password knows them.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from pydantic import SecretStr

from starters.ion.bodies import Rejected

LIFETIME: Final = 3600
"""Seconds a token is good for."""
_CHALLENGE: Final = {"www-authenticate": 'Basic realm="o2c ion", charset="UTF-8", Bearer realm="o2c ion"'}


class Access:
    """One user (or client) with one password (or secret)."""

    def __init__(self, user: str, password: SecretStr, *, clock: Callable[[], float] = time.time) -> None:
        self._user = user.encode()
        self._password = password.get_secret_value().encode()
        self._key = hashlib.sha256(b"o2c ion token\0" + self._user + b"\0" + self._password).digest()
        self._clock = clock
        self._revoked: dict[str, float] = {}

    def check(self, authorization: str) -> None:
        """Rejects with 401 whoever is not let in."""
        scheme, _, value = authorization.partition(" ")
        allowed = False
        if scheme.lower() == "basic":
            allowed = self._is_known(*_pair(value))
        elif scheme.lower() == "bearer":
            allowed = self._is_good(value.strip())
        if not allowed:
            raise Rejected(
                401, "Name yourself with the user and password agreed, or with a token.", _CHALLENGE
            )

    def token(self, authorization: str, form: Mapping[str, str]) -> dict[str, object]:
        """A token for the client (RFC 6749 4.3 and 4.4). Rejects with 401 and 400."""
        self._check_client(authorization, form)
        grant = form.get("grant_type", "")
        if grant not in ("client_credentials", "password"):
            raise Rejected(400, "unsupported_grant_type")
        if grant == "password" and not self._is_known(form.get("username", ""), form.get("password", "")):
            raise Rejected(400, "invalid_grant")
        ends = int(self._clock()) + LIFETIME
        body = f"{ends}.{secrets.token_urlsafe(12)}"
        return {"access_token": f"{body}.{self._sign(body)}", "token_type": "Bearer", "expires_in": LIFETIME}

    def revoke(self, authorization: str, form: Mapping[str, str]) -> None:
        """Forget a token in this process (RFC 7009). Rejects with 401."""
        self._check_client(authorization, form)
        token, now = form.get("token", ""), self._clock()
        if self._is_good(token):
            self._revoked = {known: ends for known, ends in self._revoked.items() if ends > now}
            self._revoked[token] = now + LIFETIME

    def _check_client(self, authorization: str, form: Mapping[str, str]) -> None:
        scheme, _, value = authorization.partition(" ")
        client = (form.get("client_id", ""), form.get("client_secret", ""))
        if scheme.lower() == "basic":
            client = _pair(value)
        # RFC 6749 2.3.1 percent-encodes id and secret in the header; not every client does.
        if not self._is_known(*client) and not self._is_known(unquote(client[0]), unquote(client[1])):
            raise Rejected(401, "invalid_client", _CHALLENGE)

    def _is_known(self, user: str, password: str) -> bool:
        same_user = hmac.compare_digest(user.encode(), self._user)
        return hmac.compare_digest(password.encode(), self._password) and same_user

    def _is_good(self, token: str) -> bool:
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()) or token in self._revoked:
            return False
        ends = body.partition(".")[0]
        return ends.isdecimal() and int(ends[:15]) > self._clock()

    def _sign(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()


def _pair(value: str) -> tuple[str, str]:
    """User and password of a Basic header; blank ones where it cannot be read."""
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password
