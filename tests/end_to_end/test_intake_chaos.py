"""Five thousand orders whose notifications arrive twice, in random order and not always, at a listener that is
killed ten times. What nobody was told of the sweep finds; in the end each order is booked once, to the cent.

Amazon, M3, SQS (moto), Temporal, the worker and the listener are processes of their own. Each order is placed
unshipped and shipped by Amazon a little later: two changes of which a notification tells, each sent twice.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from canonical.order_contracts import ORDER_TO_CASH
from canonical.steps import Step
from tests.bench.stage import Stage, stage
from tests.support.configuration import QUOTA_FACTOR
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.processes import python_process, worker_process
from tests.support.sqs import Queue, aws_environment, make_queue, sqs_server, waiting
from tests.support.world import eventually

pytestmark = pytest.mark.long

ORDERS = 5000
KILLS = 10
LOST_SHARE = 0.05
SELLER = "A2EUSELLER0001"
PER_SECOND = 8.0
"""Orders placed a second: somewhat more than two cores carry through M3 meanwhile."""
SHIPS_AFTER = (40.0, 120.0)
"""Seconds until Amazon ships an order: later than its first notification, which would tell that, too."""
NOTIFY_DELAY = 20.0
PATIENCE = 3600.0
REPORT = Path("test-output/intake-chaos.md")
_RUN = "from starters.cli import main; main()"
_VISIBLE_AGAIN = 10


@dataclass
class Shop:
    """The stage with a queue between Amazon and the service."""

    here: Stage
    sqs: str
    queue: Queue
    dead: Queue


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Shop]:
    with aws_environment():
        async with sqs_server(folder) as endpoint:
            queue = await make_queue(endpoint, "chaos", visibility_seconds=_VISIBLE_AGAIN)
            dead = await make_queue(endpoint, "chaos-dead", for_amazon=False)
            configuration = (
                f'\n[notifications]\nqueue_url = "{queue.url}"\ndead_letter_url = "{dead.url}"\n'
                f'endpoint = "{endpoint}"\nvisibility_seconds = {_VISIBLE_AGAIN}\n'
            )
            options = (
                "--pace", "1", "--visibility-delay", "1", "--quota-factor", str(QUOTA_FACTOR),
                "--sqs-endpoint", endpoint, "--notify-loss", str(LOST_SHARE), "--notify-duplicates", "1",
                "--notify-delay", str(NOTIFY_DELAY),
            )  # fmt: skip
            async with stage(folder, amazon_options=options, configuration=configuration) as here:
                yield Shop(here, endpoint, queue, dead)


async def o2c(shop: Shop, *arguments: str) -> tuple[int, str]:
    """The command's exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, *arguments, "--config", str(shop.here.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode() or err.decode()


async def buyers(shop: Shop) -> dict[str, int]:
    """Place every order and let Amazon ship it, in the time it takes; order ids in their order."""
    random, placed, shipping = Random(4), {}, []
    begin = time.monotonic()
    for number in range(ORDERS):
        await asyncio.sleep(max(0.0, begin + number / PER_SECOND - time.monotonic()))
        body = order(ORDINARY, ANOTHER)
        answer = await shop.here.amazon.post("/_control/order", json={"order": body, "seller": SELLER})
        assert answer.status_code < 300, answer.text
        placed[str(body["orderId"])] = number
        shipping.append(asyncio.create_task(_ships(shop, str(body["orderId"]), random.uniform(*SHIPS_AFTER))))
    await asyncio.gather(*shipping)
    return placed


async def _ships(shop: Shop, order_id: str, after: float) -> None:
    await asyncio.sleep(after)
    answer = await shop.here.amazon.post(
        f"/_control/orders/{order_id}/events", json={"type": "ship", "actor": "AMAZON"}
    )
    assert answer.status_code < 300, answer.text


async def listeners(shop: Shop, until_empty: asyncio.Event) -> int:
    """Keep a listener at work; kill it `KILLS` times in the middle of it. Ends when told; the kills done."""
    killed, random = 0, Random(11)
    log, config = shop.here.folder / "listener.log", str(shop.here.config)
    span = ORDERS / PER_SECOND / (KILLS + 1)
    while True:
        arguments = ("-c", _RUN, "listen", "--config", config)
        async with python_process(log, "listener_started", *arguments) as process:
            if killed == KILLS:
                await until_empty.wait()
                return killed
            await asyncio.sleep(random.uniform(0.5, 1.2) * span)
            process.kill()
            await process.wait()
            killed += 1


async def at_rest(shop: Shop) -> int:
    """Orders that wait for a shipment nobody told them of, once all others are closed."""

    async def under_way() -> tuple[int, int, int]:
        """Running, of which waiting for a shipment, and closed within ten seconds."""
        closed = await flows(shop, "Completed")
        await asyncio.sleep(10)
        at_step = f'AND Step="{Step.AWAITING_SHIPMENT}"'
        return (
            await flows(shop, "Running"),
            await flows(shop, "Running", at_step),
            await flows(shop, "Completed") - closed,
        )

    running, *_ = await eventually(
        under_way, lambda seen: seen[0] == seen[1] and not seen[2], patience_seconds=PATIENCE
    )
    return running


async def flows(shop: Shop, status: str, more: str = "") -> int:
    query = f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="{status}" {more}'
    return (await shop.here.client.count_workflows(query)).count


async def m3_summary(shop: Shop) -> dict[str, dict[str, object]]:
    rows: list[dict[str, object]] = (await shop.here.m3.get("/_control/orders")).json()
    return {str(row["cuor"]): row for row in rows}


async def copies(shop: Shop) -> dict[str, int]:
    """Notifications' copies by what became of them, all types together."""
    told = (await shop.here.amazon.get("/_control/notifications")).json()["copies"]
    sums: dict[str, int] = {}
    for states in told.values():
        for state, number in states.items():
            sums[state] = sums.get(state, 0) + number
    return sums


async def drained(shop: Shop) -> None:
    """Wait until Amazon has sent everything and the queue is empty, also of what a dead listener held."""

    async def left() -> tuple[int, int, int]:
        return (*await waiting(shop.sqs, shop.queue), (await copies(shop)).get("waiting", 0))

    for _ in range(2):  # what was in a killed listener's hands comes back
        await eventually(left, lambda now: now == (0, 0, 0), patience_seconds=PATIENCE)


async def test_no_order_is_missed_and_none_is_booked_twice(tmp_path: Path) -> None:
    since = (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="seconds")
    async with shop(tmp_path) as here, worker_process(here.here.config, tmp_path / "worker.log"):
        status, said = await o2c(here, "subscribe")
        assert status == 0, said
        empty = asyncio.Event()
        listening = asyncio.create_task(listeners(here, empty))
        placed = await buyers(here)
        await drained(here)
        empty.set()
        killed = await listening
        untold = await at_rest(here)
        by_notification = untold + await flows(here, "Completed")

        status, said = await o2c(here, "sweep", "--since", since, "--json")
        assert status == 0, said
        swept = json.loads(said)["amazon"][SELLER]
        await eventually(lambda: flows(here, "Completed"), lambda n: n >= ORDERS, patience_seconds=PATIENCE)

        status, said = await o2c(here, "audit", "--since", since, "--json")
        audit = json.loads(said)
        booked = await m3_summary(here)
        _report(killed, by_notification, untold, swept, await copies(here), audit)

        assert status == 0, said[:2000]
        assert killed == KILLS
        assert await flows(here, "Running") == 0
        assert await waiting(here.sqs, here.dead) == (0, 0)
    # what was lost on the way was really lost, and the sweep found it
    assert by_notification < ORDERS
    assert swept["started"] == ORDERS - by_notification
    assert swept["signalled"] >= untold > 0
    assert set(booked) == set(placed)
    twice = {cuor: row for cuor, row in booked.items() if len(row["orders"]) != 1 or row["invoices"] != 1}  # type: ignore[arg-type]
    assert not twice


def _report(
    killed: int,
    by_notification: int,
    untold: int,
    swept: dict[str, object],
    copies: dict[str, int],
    audit: dict[str, object],
) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    figures = {key: value for key, value in audit.items() if isinstance(value, int | str)}
    REPORT.write_text(
        f"# {ORDERS} orders by notifications\n\nListener killed {killed} times. Copies of notifications: "
        f"{copies}. Orders begun by notification: {by_notification}, of which {untold} were not told that they had "
        f"shipped; the sweep started {swept['started']} and "
        f"told {swept['signalled']}. Audit: {figures}.\n",
        encoding="utf-8",
    )
