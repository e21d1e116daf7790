"""Page tokens of listTransactions: good for the arguments they came with, and for a place in the list.

Inferred: that a page goes on behind the last transaction of the page before. A transaction that moves between two
pages, as an order's does when more of it is shipped, then pushes no other one past the reader.
"""

from __future__ import annotations

import hashlib

from starlette.requests import Request

from simulators.amazon.wire import invalid

Place = tuple[int, str]
"""Posted moment and id of the last transaction on the pages so far."""


def token(seller_id: str, request: Request, place: Place, *, pause: bool = False) -> str:
    """What the next page is asked for with; `pause`: it will be an empty one."""
    return f"{_seal(seller_id, request)}.{place[0]}.{place[1]}.{int(pause)}"


def position(seller_id: str, request: Request) -> tuple[Place, bool]:
    """Where the page that is asked for begins, and whether it is an empty one. ApiError for a token that belongs
    to other arguments."""
    given = request.query_params.get("nextToken", "")
    if not given:
        return (0, ""), False
    seal, posted_ms, last, pause = (given.split(".") + [""] * 4)[:4]
    if seal != _seal(seller_id, request) or not posted_ms.isdecimal():
        raise invalid("The nextToken is not valid.", "Give the arguments of the call that produced it.")
    return (int(posted_ms), last), pause == "1"


def _seal(seller_id: str, request: Request) -> str:
    given = sorted((name, value) for name, value in request.query_params.items() if name != "nextToken")
    return hashlib.blake2b(f"{seller_id} {given}".encode(), digest_size=8).hexdigest()
