"""An import of a hundred thousand lines: memory that does not grow with it, and five kills that change nothing.

The orders are pending ones, which wait in their workflows without M3: what is measured is the import. Peak memory
is the kernel's own figure (VmHWM) of the command and of the workers, the highest of all that were killed. Another,
smaller import of shipped orders goes through M3 and is audited.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from starters.demo.server import start_server
from starters.processes import Child, Children
from tests.support.configuration import QUOTA_FACTOR, SECRETS, write_configuration
from tests.support.imports import SELLER
from tests.support.orders import ORDINARY, order
from tests.support.world import eventually
from worker.connection import DATA_CONVERTER

pytestmark = pytest.mark.long

LINES: Final = int(os.environ.get("IMPORT_LINES", "100000"))
SMALL: Final = 1_000
KILLS: Final = 5
BOOKED: Final = 300
"""Orders that go through M3."""
ALLOWED_MIB: Final = 150
REPORT: Final = Path("test-output/import.json")
_PATIENCE_SECONDS: Final = 7200.0
_LIMITS: Final = """
[imports]
backlog = 800
chunks_at_once = 4
"""
"""Nobody's live orders are here to be overtaken: let it run."""
_CACHED: Final = "[worker]\ncached_orders = 1000\n"
"""As many orders as the small import has: a worker's memory grows with the orders it keeps, not with an import's.
More than the backlog, so that no order is read again before its first stretch is over."""


@dataclass
class Shop:
    """A service whose worker is killed, and the shell beside it."""

    folder: Path
    children: Children
    environment: dict[str, str]
    client: Client
    amazon: httpx.AsyncClient
    worker: Child | None = None
    peaks: list[float] = field(default_factory=list)
    """MiB of every worker that has ended."""

    async def work(self) -> None:
        """Start a worker."""
        self.worker = await self.children.start(
            "worker", [sys.executable, "-m", "starters", "worker"], self.environment
        )

    async def kill(self) -> None:
        """End the worker without a word."""
        assert self.worker is not None
        self.peaks.append(peak_mib(self.worker.process.pid))
        self.worker.process.kill()
        await self.worker.process.wait()

    async def o2c(self, *words: str) -> tuple[int, Any, float]:
        """Status, JSON and peak memory of a command."""
        out = self.folder / "command.json"
        with out.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "starters", *words, "--json",
                stdin=asyncio.subprocess.DEVNULL, stdout=stream, env=self.environment,
            )  # fmt: skip
        peak, ended = 0.0, asyncio.create_task(process.wait())
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not ended.done():
                with suppress(OSError, StopIteration):
                    peak = max(peak, peak_mib(process.pid))
                await asyncio.wait({ended}, timeout=0.2)
        return process.returncode or 0, json.loads(out.read_text()), peak

    async def started(self) -> int:
        """Order workflows there are."""
        return (await self.client.count_workflows('WorkflowType="OrderToCash"')).count


def peak_mib(pid: int) -> float:
    """The highest resident memory of a process so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("import")
    async with Children(folder) as children:
        server = await start_server(children, folder, preferred=0, ui_preferred=0)
        words = [
            "--json",
            "--pace",
            "0",
            "--quota-factor",
            str(QUOTA_FACTOR),
            "--data",
            str(folder / "outside"),
        ]
        simulators = await children.start(
            "simulators", [sys.executable, "-m", "starters", "simulators", *words]
        )
        addresses = await _told(simulators.log)
        config = write_configuration(
            folder / "o2c.toml",
            temporal=server.address,
            amazon=addresses["amazon"]["url"],
            ionapi=Path(addresses["m3"]["ionapi"]),
            extra_marketplace=_LIMITS,
        )
        config.write_text(config.read_text("utf-8").replace("[worker]\n", _CACHED), "utf-8")
        environment = {**os.environ, **SECRETS, "O2C_CONFIG": str(config), "NO_COLOR": "1"}
        client = await Client.connect(server.address, data_converter=DATA_CONVERTER)
        amazon = httpx.AsyncClient(base_url=addresses["amazon"]["url"], timeout=60)
        shop = Shop(folder, children, environment, client, amazon)
        registered = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "starters", "register", env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        assert await registered.wait() == 0
        async with amazon:
            yield shop


async def _told(log: Path) -> Any:
    while True:
        with suppress(ValueError):
            return json.loads(log.read_text())
        await asyncio.sleep(0.05)


def pending_file(path: Path, first: int, count: int) -> Path:
    """A file of so many orders that were placed and not paid."""
    template = json.dumps(order((ORDINARY, 2), status="PENDING", order_id="ORDER-ID"))
    with path.open("w", encoding="utf-8") as stream:
        for number in range(first, first + count):
            stream.write(template.replace("ORDER-ID", f"303-{number:07d}-7770000") + "\n")
    return path


async def test_a_hundred_thousand_lines_survive_five_kills_in_flat_memory(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    await shop.work()
    small = pending_file(shop.folder / "small.jsonl", 1, SMALL)
    status, done, small_command = await shop.o2c("import", str(small), "--seller", SELLER)
    assert (status, done["started"]) == (0, SMALL)
    await shop.kill()
    small_worker = shop.peaks.pop()

    await shop.work()
    large = pending_file(shop.folder / "large.jsonl", SMALL + 1, LINES)
    began = time.monotonic()
    results = shop.folder / "results.jsonl"
    command = asyncio.create_task(
        shop.o2c("import", str(large), "--seller", SELLER, "--results", str(results))
    )
    dice = random.Random(7)
    moments = sorted(dice.uniform(0.02, 0.9) for _ in range(KILLS))
    for share in moments:
        while await shop.started() < SMALL + share * LINES:
            assert not command.done(), command.result()
            await asyncio.sleep(2)  # the server counts them one by one
        await shop.kill()
        await shop.work()
    status, done, command_peak = await command
    seconds = time.monotonic() - began
    await shop.kill()
    assert (status, done["orders"], done["refused"], done["duplicates"]) == (0, LINES, 0, 0)
    assert done["started"] == LINES, "each order was started by this import, and counted once"
    with results.open(encoding="utf-8") as stream:
        told = Counter((line["lines"][0], line["outcome"]) for line in map(json.loads, stream))
    assert told == Counter((number, "started") for number in range(1, LINES + 1))
    assert await shop.started() == SMALL + LINES
    figures = {
        "lines": LINES,
        "kills": KILLS,
        "seconds": round(seconds),
        "command_mib": {"1000 lines": round(small_command), "all lines": round(command_peak)},
        "worker_mib": {"1000 lines": round(small_worker), "all lines": [round(peak) for peak in shop.peaks]},
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    with capsys.disabled():
        print(f"\n{json.dumps(figures, indent=2)}")
    assert command_peak < small_command + ALLOWED_MIB
    assert max(shop.peaks) < small_worker + ALLOWED_MIB


async def test_shipped_orders_are_once_in_m3_after_an_import_with_kills(shop: Shop) -> None:
    orders = [order(ORDINARY, status="SHIPPED") for _ in range(BOOKED)]
    for each in orders:
        placed = await shop.amazon.post("/_control/order", json={"order": each, "seller": SELLER})
        assert placed.status_code == 201, placed.text
    file = shop.folder / "shipped.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in orders))
    await shop.work()
    command = asyncio.create_task(shop.o2c("import", str(file), "--seller", SELLER))
    before = await shop.started()
    for share in (0.1, 0.4, 0.8):
        at_least = before + share * BOOKED
        await eventually(shop.started, lambda number, least=at_least: number >= least, 300)  # type: ignore[misc]
        await shop.kill()
        await shop.work()
    status, done, _ = await command
    assert (status, done["started"], done["refused"]) == (0, BOOKED, 0)
    query = 'WorkflowType="OrderToCash" AND ExecutionStatus="Completed"'
    await eventually(lambda: shop.client.count_workflows(query), lambda found: found.count >= BOOKED, 600)
    status, audit, _ = await shop.o2c(
        "audit", "--since", f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%MZ}"
    )
    counts = {name: audit[name] for name in ("lost", "doubled", "differing", "held")}
    assert (status, counts) == (0, dict.fromkeys(counts, 0)), audit["findings"]
    assert audit["orders"] >= BOOKED
