"""A whole installation driven by its commands alone: server, simulators and worker as processes of their own."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from starters.demo.server import start_server
from starters.processes import Child, Children
from tests.support.configuration import QUOTA_FACTOR, SECRETS, write_configuration

EU = "A2EUSELLER0001"
NA = "A2NASELLER0001"
_PATIENCE_SECONDS = 90.0


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
        return await self._until(order_id, lambda trail: trail["step"] == step, step)

    async def until_held(self, order_id: str, reason: str) -> Any:
        """The trail as soon as the order is held for this reason."""
        return await self._until(order_id, lambda trail: trail["held_reason"] == reason, reason)

    async def until_closed(self, order_id: str) -> Any:
        """The trail as soon as the order is closed."""
        return await self._until(order_id, lambda trail: trail["result"] is not None, "closed")

    async def _until(self, order_id: str, true: Any, what: str) -> Any:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            trail = await self.trail(order_id)
            if true(trail):
                return trail
            late = asyncio.get_running_loop().time() > deadline
            assert not late, f"order {order_id} is not {what}: {trail['step']} {trail['held_reason']}"


async def start_site(folder: Path, children: Children) -> Site:
    """Start everything the way the documentation says: simulators, `o2c register`, `o2c worker`."""
    server = await start_server(children, folder)
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
async def standing_site(folder: Path) -> AsyncIterator[Site]:
    """A site that stands until the block is left."""
    async with Children(folder) as children:
        started = await start_site(folder, children)
        async with started.amazon, started.m3:
            yield started


def hours_ago(hours: int) -> str:
    """That moment, as commands take it."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
