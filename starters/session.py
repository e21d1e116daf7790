"""What nearly every command needs: the configuration, a connection, and errors turned into sentences."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from starters.console import Refused
from worker.connection import NotReachable, connect
from worker.settings import ConfigurationError, Settings, load_settings

T = TypeVar("T")

_NO_ANSWER = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED})


def settings_of(config: Path | None) -> Settings:
    """The configuration; raises Refused with the key and the reason."""
    try:
        return load_settings(config)
    except ConfigurationError as error:
        raise Refused(str(error), 2) from None


def run_connected(settings: Settings, work: Callable[[Client], Awaitable[T]]) -> T:
    """Connect and do `work`; what can be said in a sentence is raised as Refused."""

    async def connected() -> T:
        return await work(await connect(settings))

    return run(connected())


def run(work: Awaitable[T]) -> T:
    """Run `work` in an event loop; what can be said in a sentence is raised as Refused."""

    async def main() -> T:
        return await work

    _quiet()
    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise Refused("Stopped.", 143) from None
    except (NotReachable, ConfigurationError) as error:
        raise Refused(str(error), 2) from None
    except RPCError as error:
        raise Refused(_said(error), 2) from None


def _quiet() -> None:
    """Logs below a warning are for workers; a command's result goes to standard output alone."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _said(error: RPCError) -> str:
    if error.status in _NO_ANSWER:
        return f"The Temporal server does not answer ({error.status.name}): {error.message}."
    if error.status is RPCStatusCode.INVALID_ARGUMENT and "search attribute" in error.message.lower():
        return f"Temporal does not know a search attribute: {error.message}. Run 'o2c register' first."
    return f"The Temporal server refused the call ({error.status.name}): {error.message}."


def seller_of(settings: Settings, seller_id: str | None) -> str:
    """The seller that is meant; raises Refused where that is not clear or not configured."""
    known = ", ".join(settings.sellers)
    if seller_id is None:
        if len(settings.sellers) == 1:
            return next(iter(settings.sellers))
        raise Refused(f"Several sellers are configured; name one with --seller: {known}.", 2)
    if seller_id not in settings.sellers:
        raise Refused(f"Seller {seller_id} is not configured; configured: {known}.", 2)
    return seller_id


def sellers_of(settings: Settings, seller_id: str | None) -> tuple[str, ...]:
    """The named seller, or all that are configured."""
    return tuple(settings.sellers) if seller_id is None else (seller_of(settings, seller_id),)
