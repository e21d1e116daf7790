"""`o2c` as people run it: a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_RUN = "from starters.cli import main; main()"


@asynccontextmanager
async def running(config: Path, log: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command under way; ended when the block is left, if it has not ended by itself."""
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _RUN, *arguments, "--config", str(config), stdout=sink, stderr=sink
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def o2c(config: Path, log: Path, *arguments: str) -> None:
    """Run the command to its end; RuntimeError with what it said where it fails."""
    async with running(config, log, *arguments) as process:
        status = await process.wait()
    if status:
        raise RuntimeError(f"o2c {arguments[0]} ended with {status}: {log.read_text()[-2000:]}")
