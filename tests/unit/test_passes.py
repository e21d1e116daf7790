"""Waiting for hours for a pass: a server that is busy for a moment does not end it."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from starters import passes


class Server:
    """Refuses so many calls before it answers."""

    def __init__(self, refusals: int, status: RPCStatusCode) -> None:
        self.left = refusals
        self.status = status

    async def ask(self) -> str:
        if self.left:
            self.left -= 1
            raise RPCError("operation was canceled", self.status, b"")
        return "answered"


async def test_a_server_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "_LOOK_AGAIN_SECONDS", 0.0)
    for status in (RPCStatusCode.CANCELLED, RPCStatusCode.UNAVAILABLE):
        assert await passes._patiently(Server(5, status).ask) == "answered"


async def test_a_refusal_or_a_long_absence_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "_LOOK_AGAIN_SECONDS", 0.0)
    for refusals, status in ((1, RPCStatusCode.NOT_FOUND), (1000, RPCStatusCode.UNAVAILABLE)):
        with pytest.raises(RPCError):
            await passes._patiently(Server(refusals, status).ask)
