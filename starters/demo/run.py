"""One demonstration from an empty folder to its verdict."""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import httpx
from temporalio.client import Client

from starters.commands.audit import is_clean, run_audit
from starters.console import Refused, say
from starters.demo.configuration import QUOTA_FACTOR, SECRETS, Addresses, write_configuration
from starters.demo.counts import Counts
from starters.demo.drive import Drive, Stream
from starters.demo.progress import Progress
from starters.demo.server import Server, start_server
from starters.demo.summary import say_audit, say_counts, say_held, say_unfinished, say_verdict
from starters.demo.verdict import judge
from starters.held_orders import held_orders
from starters.links import HELD_ORDERS, list_link
from starters.processes import Children, until_stopped
from starters.session import settings_of
from starters.simulation import AmazonControl, Faults, amazon_command, m3_command
from worker.connection import connect
from worker.settings import Settings

FOLDER: Final = Path(".demo")
PACE: Final = 0.15
"""Of the simulators' delays: an order's life takes seconds, Amazon's two-minute rule 18 s."""
TROUBLE_SHARE: Final = 0.15
_ALL_HELD: Final = 100_000


class Demo(NamedTuple):
    """What is asked of the demonstration."""

    orders: int
    seed: int
    faults: Faults
    per_second: float
    keep: bool
    leave: bool
    """End with a verdict instead of staying up."""


class Parts(NamedTuple):
    """What runs."""

    server: Server
    amazon: str
    m3: str
    settings: Settings
    client: Client
    children: Children


async def run_demo(demo: Demo) -> bool:
    """Run it all; True where everything went as it should. Raises Refused where a part does not run."""
    with _folder(demo.keep):
        async with Children(FOLDER) as children:
            parts = await _start(demo, children)
            good = await _carry(demo, parts)
            if not demo.leave:
                _say_addresses(parts)
                say("Everything stays up until Ctrl-C.", "bold")
                await until_stopped()
            return good


@contextmanager
def _folder(keep: bool) -> Iterator[None]:
    """The demonstration's folder, empty unless kept, and no other demonstration in it."""
    FOLDER.mkdir(exist_ok=True)
    descriptor = os.open(FOLDER, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another demonstration runs in {FOLDER.resolve()}; end it first.") from None
        if not keep:
            _empty(FOLDER)
        yield
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for inside in folder.iterdir():
        if inside.is_dir():
            shutil.rmtree(inside)
        else:
            inside.unlink()


async def _start(demo: Demo, children: Children) -> Parts:
    from worker.registration import register  # noqa: PLC0415 - loads the HTTP clients

    say(f"Starting a Temporal server, the simulators of Amazon and M3 and a worker; logs are in {FOLDER}/.")
    server = await start_server(children, FOLDER)
    common = ("--seed", str(demo.seed), "--faults", demo.faults.value, "--pace", str(PACE))
    m3 = await children.start_announced("m3", m3_command(FOLDER / "m3", *common))
    amazon = await children.start_announced(
        "amazon", amazon_command(FOLDER / "amazon", *common, "--quota-factor", str(QUOTA_FACTOR))
    )
    ionapi = FOLDER / "m3" / "simulator.ionapi"
    config = write_configuration(FOLDER, Addresses(server.address, server.web_ui, amazon, m3, ionapi))
    settings = settings_of(config)
    client = await connect(settings)
    for sentence in await register(client, settings):
        say(f"  {sentence}")
    command = (sys.executable, "-m", "starters", "worker", "--config", str(config))
    await children.start("worker", command, SECRETS)
    say(f"  Faults: {demo.faults}. Delays of the outside world are cut to {PACE:.0%}; Amazon's request")
    say(f"  quotas are raised {QUOTA_FACTOR} times, because {demo.orders} orders come within minutes.")
    parts = Parts(server, amazon, m3, settings, client, children)
    _say_addresses(parts)
    return parts


def _say_addresses(parts: Parts) -> None:
    held = list_link(parts.settings.web_ui, parts.client.namespace, HELD_ORDERS, "Held orders")
    say(f"  Web UI       {parts.settings.web_ui}")
    say(f"  Held orders  {held}")
    say(f"  Amazon       {parts.amazon}    M3  {parts.m3}")
    say(f"  In another shell: source {FOLDER}/env; o2c held")


async def _carry(demo: Demo, parts: Parts) -> bool:
    begun = time.monotonic()
    stream = Stream(demo.orders, demo.per_second, demo.seed, TROUBLE_SHARE)
    sellers = tuple(parts.settings.sellers)
    async with httpx.AsyncClient(timeout=30) as http:
        amazon = AmazonControl(http, parts.amazon)
        drive = Drive(parts.client, http, amazon, parts.m3, sellers)
        with Progress(demo.orders) as progress:
            counts = await drive.until_ended(stream, parts.children, progress)
    return await _sum_up(parts, counts, time.monotonic() - begun, sellers)


async def _sum_up(parts: Parts, counts: Counts, seconds: float, sellers: tuple[str, ...]) -> bool:
    held = await held_orders(parts.client, parts.settings.web_ui, limit=_ALL_HELD)
    verdict = judge(counts.amazon, held)
    say("")
    say_counts(counts, seconds)
    if not counts.all_ended:
        await say_unfinished(parts.client, counts)
    say_held(held)
    say_verdict(verdict)
    first = datetime.now(UTC) - timedelta(days=1)
    report = await run_audit(parts.client, sellers, first)
    say_audit(report)
    good = counts.all_ended and verdict.as_planned and is_clean(report)
    say("The demonstration went as planned." if good else "The demonstration did not go as planned.", "bold")
    return good
