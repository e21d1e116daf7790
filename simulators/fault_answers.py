"""What a caller gets when a fault strikes and the simulated system has no words of its own for it."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send


class DroppedConnection(Response):
    """An answer that never comes: the TCP connection is cut without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the connection under the server (uvicorn hands its transport along with `receive`)."""
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is None:
            message = "The simulator dropped this connection on purpose."
            raise ConnectionResetError(message)
        transport.abort()
        await client_gone(receive)


def plain_answer(action: str) -> Response:
    """The form of a failure that no simulated system puts in its own words."""
    if action == "html_503":
        return HTMLResponse("<html><body><h1>503 Service Unavailable</h1></body></html>", status_code=503)
    if action == "empty_200":
        return Response(status_code=200)
    if action in ("forbidden_no_body", "token_expiry"):
        return Response(status_code=403 if action == "forbidden_no_body" else 401)
    return Response(status_code=int(action.removeprefix("status_")))


async def client_gone(receive: Receive) -> None:
    """Return when the client has closed its side of the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
