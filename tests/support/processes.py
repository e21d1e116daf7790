"""Simulators as processes of their own, as the demo runs them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def announced(
    module: str, log: Path, *arguments: str, patience_seconds: float = 30
) -> AsyncIterator[str]:
    """Start ``python -m <module>``; yields the address it announces, ends it when the block is left."""
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=sink
        )
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), patience_seconds)
        if not line:
            raise RuntimeError(f"{module} did not start: {log.read_text()[-2000:]}")
        yield str(json.loads(line)["url"])
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def simulator(name: str, data: Path, *options: str) -> AsyncIterator[str]:
    """Start a simulator on a free port unless told which."""
    data.mkdir(parents=True, exist_ok=True)
    port = () if "--port" in options else ("--port", "0")
    words = ("--data", str(data), *port, *options)
    async with announced(f"simulators.{name}", data / f"{name}.log", *words) as url:
        yield url


@asynccontextmanager
async def python_process(log: Path, ready: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process of ours, ready when its log says `ready`; ended when the block is left, if still alive."""
    with log.open("ab") as sink:
        begin = sink.tell()
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=sink, stderr=sink)
    try:
        await asyncio.wait_for(_said(log, begin, ready, process), 60)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _said(log: Path, begin: int, ready: str, process: asyncio.subprocess.Process) -> None:
    while True:
        said = log.read_bytes()[begin:].decode(errors="replace")
        if ready in said:
            return
        if process.returncode is not None:
            raise RuntimeError(f"The process ended before it was ready:\n{said[-3000:]}")
        await asyncio.sleep(0.05)


def worker_process(config: Path, log: Path) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """``o2c worker`` as a process of its own, as in production."""
    run = "from starters.cli import main; main()"
    return python_process(log, "worker_started", "-c", run, "worker", "--config", str(config))
