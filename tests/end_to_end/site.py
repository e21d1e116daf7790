"""A whole installation driven by its commands alone: server, simulators and worker as processes of their own."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from canonical.ids import order_workflow_id
from canonical.order_contracts import OrderView
from starters.demo.server import start_server
from starters.processes import Child, Children
from tests.support.configuration import QUOTA_FACTOR, SECRETS, write_configuration
from tests.support.world import eventually
from worker.connection import DATA_CONVERTER

EU = "A2EUSELLER0001"
NA = "A2NASELLER0001"
_PATIENCE_SECONDS = 90.0
_LOOK_EVERY = 0.1


class Done(NamedTuple):
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Site:
    """One installation, and the shell beside it."""

    folder: Path
    environment: dict[str, str]
    address: str
    client: Client
    """To wait with: asking again and again by commands, each a process, would be most of a test's work."""
    children: Children
    worker: Child
    amazon: httpx.AsyncClient
    m3: httpx.AsyncClient

    async def o2c(self, *words: str) -> Done:
        """Run an `o2c` command to its end."""
        return await self._run([sys.executable, "-m", "starters", *words])

    async def temporal(self, *words: str) -> Done:
        """Run Temporal's own command line."""
        found = shutil.which("temporal", path=str(Path(sys.executable).parent))
        assert found is not None
        return await self._run([found, *words, "--address", self.address])

    async def _run(self, command: Sequence[str]) -> Done:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
        )
        async with asyncio.timeout(_PATIENCE_SECONDS):
            out, err = await process.communicate()
        done = Done(process.returncode or 0, out.decode(), err.decode())
        for trace in ("Traceback", "error of its own", "Fatal Python error"):
            assert trace not in done.err, done.err
        return done

    async def place(self, order: dict[str, object], seller: str = EU) -> str:
        """Let a buyer order exactly this at Amazon."""
        answer = await self.amazon.post("/_control/order", json={"order": order, "seller": seller})
        assert answer.status_code < 300, answer.text
        return str(order["orderId"])

    async def ship(self, order_id: str) -> None:
        """Amazon ships all of it."""
        body = {"type": "ship", "actor": "AMAZON"}
        answer = await self.amazon.post(f"/_control/orders/{order_id}/events", json=body)
        assert answer.status_code < 300, answer.text

    async def in_m3(self, order_id: str) -> dict[str, list[dict[str, object]]]:
        """Everything M3 has under this CUOR."""
        answer = await self.m3.get("/_control/orders", params={"cuor": order_id})
        found: dict[str, list[dict[str, object]]] = answer.json()
        return found

    async def trail(self, order_id: str) -> Any:
        """`o2c order --json`."""
        done = await self.o2c("order", order_id, "--json")
        assert done.status == 0, done.err
        return done.json

    async def until_step(self, order_id: str, step: str) -> Any:
        """The trail as soon as the order is at this step."""
        await self._until(order_id, lambda view: view.step == step)
        return await self.trail(order_id)

    async def until_held(self, order_id: str, reason: str) -> Any:
        """The trail as soon as the order is held for this reason."""
        await self._until(order_id, lambda view: view.held_reason == reason)
        return await self.trail(order_id)

    async def until_closed(self, order_id: str) -> Any:
        """The trail as soon as the order is closed."""
        handle = await self._handle(order_id)
        await eventually(
            handle.describe, lambda found: found.close_time is not None, _PATIENCE_SECONDS, _LOOK_EVERY
        )
        trail = await self.trail(order_id)
        assert trail["result"] is not None, f"order {order_id} ended without a result: {trail['status']}"
        return trail

    async def _until(self, order_id: str, true: Callable[[OrderView], bool]) -> None:
        handle = await self._handle(order_id)

        async def look() -> OrderView | str:
            try:
                return await handle.query("state", result_type=OrderView)
            except (
                RPCError,
                WorkflowQueryFailedError,
            ) as error:  # a worker that starts, or one that cannot go on
                return str(error)

        await eventually(
            look, lambda view: isinstance(view, OrderView) and true(view), _PATIENCE_SECONDS, _LOOK_EVERY
        )

    async def _handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        """The order of whichever seller has it, as `o2c order` finds it."""
        for seller in (EU, NA):
            handle = self.client.get_workflow_handle(order_workflow_id(seller, order_id))
            try:
                await handle.describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            else:
                return handle
        raise AssertionError(f"There is no workflow of order {order_id}.")


async def start_site(folder: Path, children: Children, *dynamic_config: str) -> Site:
    """Start everything the way the documentation says: simulators, `o2c register`, `o2c worker`."""
    server = await start_server(children, folder, *dynamic_config, preferred=0, ui_preferred=0)
    addresses = await _simulators(folder, children)
    config = write_configuration(
        folder / "o2c.toml",
        temporal=server.address,
        amazon=addresses["amazon"]["url"],
        ionapi=Path(addresses["m3"]["ionapi"]),
    )
    environment = {**os.environ, **SECRETS, "O2C_CONFIG": str(config), "NO_COLOR": "1"}
    worker = await children.start("worker", [sys.executable, "-m", "starters", "worker"], environment)
    site = Site(
        folder=folder,
        environment=environment,
        address=server.address,
        client=await Client.connect(server.address, data_converter=DATA_CONVERTER),
        children=children,
        worker=worker,
        amazon=httpx.AsyncClient(base_url=addresses["amazon"]["url"], timeout=30),
        m3=httpx.AsyncClient(base_url=addresses["m3"]["url"], timeout=30),
    )
    registered = await site.o2c("register")
    assert registered.status == 0, registered.err
    return site


async def _simulators(folder: Path, children: Children) -> Any:
    """`o2c simulators --json`, and what it prints."""
    words = ["--json", "--pace", "0", "--quota-factor", str(QUOTA_FACTOR), "--data", str(folder / "outside")]
    child = await children.start("simulators", [sys.executable, "-m", "starters", "simulators", *words])
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        children.check()
        try:
            return json.loads(child.log.read_text())
        except ValueError:
            assert asyncio.get_running_loop().time() < deadline, child.last_words()
            await asyncio.sleep(0.05)


@asynccontextmanager
async def standing_site(folder: Path, *dynamic_config: str) -> AsyncIterator[Site]:
    """A site that stands until the block is left."""
    async with Children(folder) as children:
        started = await start_site(folder, children, *dynamic_config)
        async with started.amazon, started.m3:
            yield started


def hours_ago(hours: int) -> str:
    """That moment, as commands take it."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
