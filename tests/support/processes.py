"""Simulators as processes of their own, as the demo runs them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def simulator(name: str, data: Path, *options: str) -> AsyncIterator[str]:
    """Start ``python -m simulators.<name>``; yields its address, ends it when the block is left."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / f"{name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"simulators.{name}",
            "--data",
            str(data),
            *(options if "--port" in options else ("--port", "0", *options)),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        if process.stdout is None:
            raise RuntimeError("a pipe was asked for")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            if not line:
                raise RuntimeError(f"Simulator {name} did not start: {(data / f'{name}.log').read_text()[-2000:]}")
            yield str(json.loads(line)["url"])
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
