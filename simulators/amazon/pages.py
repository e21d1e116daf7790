"""Page tokens of searchOrders: opaque, signed, good for one query and 24 hours."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from simulators.amazon.query import Search
from simulators.amazon.wire import invalid

LIFETIME_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Position:
    """Where the next page starts: after this order (by moment, then id), within the first page's window."""

    moment_ms: int
    order_id: str
    before_ms: int


class PageTokens:
    """Writes and reads page tokens."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.blake2b(f"pages {seed}".encode(), digest_size=32).digest()

    def write(self, search: Search, seller_id: str, position: Position, now_ms: int) -> str:
        """The nextToken that continues this search after `position`."""
        claims = [position.moment_ms, position.order_id, position.before_ms, now_ms + LIFETIME_MS]
        body = json.dumps(claims).encode()
        sealed = self._seal(body, search, seller_id) + body
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, search: Search, seller_id: str, now_ms: int) -> Position:
        """The position in the search's token; ApiError 400 if it is old, broken or of another query."""
        token = search.page_token or ""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise invalid("The pagination token is not valid.") from None
        seal, body = sealed[:12], sealed[12:]
        if seal != self._seal(body, search, seller_id):
            raise invalid("The pagination token is not valid.", "It belongs to another request.")
        moment_ms, order_id, before_ms, expires_ms = json.loads(body)
        if expires_ms <= now_ms:
            raise invalid("The pagination token has expired.", "A pagination token is good for 24 hours.")
        return Position(moment_ms, order_id, before_ms)

    def _seal(self, body: bytes, search: Search, seller_id: str) -> bytes:
        text = body + seller_id.encode() + search.canonical.encode()
        return hashlib.blake2b(text, key=self._key, digest_size=12).digest()
