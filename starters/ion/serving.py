"""The endpoint as a server, and put together from the configuration."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Generator
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from temporalio.client import Client

from starters.ion.access import Access
from starters.ion.endpoint import build_app
from starters.ion.kept import IonArchive
from starters.ion.receiver import Receiver
from worker.archiving import open_archive
from worker.ion_settings import IonSettings
from worker.m3_documents import DocumentsOnTemporal
from worker.settings import ConfigurationError, Settings, secret

_AT_ONCE: Final = 64
_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: whoever runs the loop decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def ion_settings(settings: Settings) -> IonSettings:
    """The section [ion]; raises ConfigurationError where there is none."""
    if settings.ion is None:
        raise ConfigurationError(
            "The configuration has no section [ion]; docs/ion.md says what goes into it."
        )
    return settings.ion


def receiver_for(client: Client, settings: Settings) -> Receiver:
    """What takes the messages, as configured."""
    ion = ion_settings(settings)
    return Receiver(
        DocumentsOnTemporal(client, tuple(settings.sellers)),
        IonArchive(open_archive(settings.archive)),
        max_bytes=ion.max_bytes,
        answers=ion.logical_id is not None,
    )


def ion_app(client: Client, settings: Settings) -> Starlette:
    """The whole endpoint, as configured; raises ConfigurationError where a secret is missing."""
    ion = ion_settings(settings)
    access = Access(secret(f"{ion.secrets}_USER").get_secret_value(), secret(f"{ion.secrets}_PASSWORD"))
    receiver = receiver_for(client, settings)
    return build_app(receiver, access, tenant=ion.tenant, max_bytes=ion.max_bytes, path=ion.path)


@contextlib.asynccontextmanager
async def serving(app: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve in this event loop; yields the address, ends when the block is left, after requests under way.

    Raises OSError where the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="off",
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=30,
        server_header=False,
        proxy_headers=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
            await asyncio.sleep(0.005)
        shown = f"[{host}]" if family is socket.AF_INET6 else host
        yield f"http://{shown}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def listen(client: Client, settings: Settings) -> None:
    """Take ION's messages until SIGTERM or SIGINT: what `o2c listen --ion` does."""
    ion = ion_settings(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(ion_app(client, settings), ion.host, ion.port) as url:
        _log.info("ion_listening", address=f"{url}{ion.path}/service", tenant=ion.tenant)
        await stop.wait()
    _log.info("ion_stopped")
