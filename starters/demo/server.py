"""A Temporal development server of the demonstration's own, its history in a file."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final, NamedTuple

from temporalio.client import Client

from starters.console import Refused
from starters.processes import HOST, Children, free_port

_READY_SECONDS: Final = 60.0
_SETTINGS: Final = (
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "frontend.WorkflowTimeSkippingEnabled=true",
)
"""Fairness and single partitions make the queues' rates exact; see the decision on quotas."""


class Server(NamedTuple):
    """Where the server listens."""

    address: str
    web_ui: str


def temporal_binary() -> str:
    """The server installed beside this Python, else on the path. Raises Refused where there is none."""
    beside = shutil.which("temporal", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("temporal")
    if found is None:
        raise Refused("The temporal command is not installed; 'make env' installs it into the environment.")
    return found


async def start_server(
    children: Children,
    folder: Path,
    *settings: str,
    preferred: int = 7233,
    ui_preferred: int = 8233,
) -> Server:
    """Start the server and wait until it answers. Raises Refused where it does not.

    settings: dynamic configuration, key=value, beside that of the service. Any free port is taken where
    another listens on the one preferred, or where 0 is.
    """
    port, ui_port = free_port(preferred), free_port(ui_preferred)
    command = [
        temporal_binary(), "server", "start-dev",
        "--ip", HOST, "--port", str(port), "--ui-port", str(ui_port), "--ui-disable-news-fetch",
        "--db-filename", str(folder / "temporal.db"),
        "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL",
        "--log-level", "error",
    ]  # fmt: skip
    for setting in (*_SETTINGS, *settings):
        command += ["--dynamic-config-value", setting]
    await children.start("temporal", command)
    server = Server(f"{HOST}:{port}", f"http://{HOST}:{ui_port}")
    await _until_ready(children, server.address)
    return server


async def _until_ready(children: Children, address: str) -> None:
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    while True:
        children.check()
        try:
            client = await Client.connect(address)
            await client.count_workflows("")
        except Exception:
            if asyncio.get_running_loop().time() > deadline:
                raise Refused(f"The Temporal server did not answer at {address}.") from None
            await asyncio.sleep(0.2)
        else:
            return
