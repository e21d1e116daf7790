"""Child processes of a command: started one after the other, ended in the opposite order, none left."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from starters.console import Refused

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 20.0
_LAST_WORDS: Final = 600


class Child(NamedTuple):
    """A running child and where it writes."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def last_words(self) -> str:
        """The end of its log, for an error text."""
        with suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:].strip()
        return ""


class Children:
    """The children of one command; leaving the block ends them, the youngest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []

    async def __aenter__(self) -> "Children":
        self._folder.mkdir(parents=True, exist_ok=True)
        task = asyncio.current_task()
        if task is not None:  # SIGTERM leaves the block as Ctrl-C does
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._children:
            await _end(self._children.pop())

    async def start(
        self, name: str, command: Iterable[str], environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start a child that logs to ``<folder>/<name>.log``; its standard output goes there as well."""
        return await self._start(name, command, environment or {}, announces=False)

    async def start_announced(self, name: str, command: Iterable[str]) -> str:
        """Start a child that prints ``{"url": ...}`` when it is ready; returns that address."""
        child = await self._start(name, command, {}, announces=True)
        stream = child.process.stdout
        if stream is None:
            raise RuntimeError("a pipe was asked for")
        try:
            async with asyncio.timeout(_START_SECONDS):
                line = await stream.readline()
            return str(json.loads(line)["url"])
        except (TimeoutError, ValueError, KeyError):
            raise Refused(f"{name} did not start. {child.last_words()}".rstrip()) from None

    def check(self) -> None:
        """Raises Refused where a child has ended by itself."""
        for child in self._children:
            if child.process.returncode is not None:
                raise Refused(
                    f"{child.name} ended with status {child.process.returncode}; its log is {child.log}. "
                    f"{child.last_words()}".rstrip()
                )

    async def _start(
        self, name: str, command: Iterable[str], environment: Mapping[str, str], *, announces: bool
    ) -> Child:
        log = self._folder / f"{name}.log"
        with log.open("ab") as stream:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if announces else stream,
                stderr=stream,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C ends the command, and the command ends its children in order
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child


async def _end(child: Child) -> None:
    if child.process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.process.terminate()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await child.process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.process.kill()
        await child.process.wait()


def free_port(preferred: int = 0) -> int:
    """`preferred` if nobody listens there, else any free port."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                listener.bind((HOST, port))
                return int(listener.getsockname()[1])
    raise Refused("This machine has no free port.")


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
