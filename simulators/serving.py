"""Running a simulator: inside a test's event loop, or as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Generator

import uvicorn
from starlette.applications import Starlette

HOST = "127.0.0.1"

Ready = Callable[[str], None]


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: whoever runs the loop decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listening_socket(port: int) -> socket.socket:
    """A socket bound to the port (0 = any free one) on this machine only. OSError if the port is taken."""
    # The protocol must be named: asyncio switches Nagle off only where it sees TCP, and 40 ms per reply
    # hang on it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def _server(app: Starlette) -> _Server:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    return _Server(config)


@contextlib.asynccontextmanager
async def serve(app: Starlette, *, port: int = 0, ready: Ready | None = None) -> AsyncIterator[str]:
    """Serve `app` in the current event loop; yields its URL, stops when the block is left.

    `ready` is told the URL once the port is known and before the first request is answered.
    """
    listener = _listening_socket(port)
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    if ready is not None:
        ready(url)
    server = _server(app)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
            await asyncio.sleep(0.005)
        if task.done():
            await task
            raise RuntimeError(f"The simulator could not be started at {url}.")
        yield url
    finally:
        server.should_exit = True
        await task
        listener.close()


def run(name: str, app: Starlette, *, port: int = 0, ready: Ready | None = None) -> None:
    """Serve `app` as this process until SIGTERM or SIGINT.

    Prints exactly one line to stdout: ``{"name": ..., "url": ...}``.
    """

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with serve(app, port=port, ready=ready) as url:
            sys.stdout.write(json.dumps({"name": name, "url": url}) + "\n")
            sys.stdout.flush()
            await stop.wait()

    asyncio.run(main())
