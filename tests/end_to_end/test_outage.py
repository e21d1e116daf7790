"""A thousand orders meet an M3 that is down: who is told what, and one command that repairs them all.

The outage is M3's gateway answering 503 to every call, token server included, and each order is held because its
own calls used up their patience with it. Only that patience is shortened here, from twenty attempts in seven minutes
to one, since a thousand orders would otherwise make a hundred thousand calls; what the whole patience does is shown
for one order in `test_repairs`. The hours of the outage pass on the clock of the alerts, which is put forward.
Once repaired the orders are booked in M3 and wait for Amazon to ship: the shortest way on which M3 takes each in.
"""

import asyncio
import json
import logging
import re
import shlex
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

import activities.m3.client
from canonical.held import HeldReason
from canonical.order_contracts import OrderResult
from starters.actions import count_actions
from tests.support.alert_shop import AlertShop, alerting, receiving
from tests.support.holding import Said, Workshop, workshop
from tests.support.orders import order
from tests.support.receiver import Receiver
from tests.support.world import eventually
from workflows import policies

pytestmark = pytest.mark.long


ORDERS = 1000
REPORT = Path("test-output/outage.md")
TITLE = "M3 did not answer"
HELD = f'HeldReason="{HeldReason.M3_UNAVAILABLE}" AND ExecutionStatus="Running"'
BOOKED = 'WorkflowType="OrderToCash" AND Step="awaiting_shipment" AND ExecutionStatus="Running"'
_AT_ONCE = 25
_PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def here() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


@pytest_asyncio.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory, here: Receiver) -> AsyncIterator[AlertShop]:
    """The service with alerts, and orders that lose patience with M3 quickly."""
    hasty = policies.M3_CALL._replace(retry=policies._retry(1, timedelta(seconds=1)))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # a thousand tracebacks take a minute to write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "M3_CALL", hasty)
        patch.setattr(activities.m3.client, "_PAUSES", ())
        async with (
            workshop(tmp_path_factory.mktemp("outage")) as shop,
            alerting(shop, here, window=60) as desk,
        ):
            yield desk
    logging.getLogger("temporalio").setLevel(logging.NOTSET)
    structlog.reset_defaults()


async def test_a_thousand_orders_held_by_an_outage_are_told_escalated_repaired_and_audited(
    desk: AlertShop, here: Receiver
) -> None:
    shop, clock = desk.shop, Clock()
    await _placed(shop)
    clock.lap("orders placed at Amazon")

    await shop.fault(shop.m3, "*", "html_503")
    started = await shop.sweep("A2EUSELLER0001", m3=False)
    assert started.amazon["A2EUSELLER0001"].started == ORDERS
    [first] = await desk.until_titles("operations", 1)
    assert first.startswith(f"Held: {TITLE} (order ")
    await _until(shop, HELD, ORDERS)
    await eventually(desk.known, lambda view: view.groups[0].heard == ORDERS)
    clock.lap("held by the outage")
    assert here.titles("operations") == [first], "An outage is one alert, however many orders it holds."

    for hours, titles in (
        (0.26, {"operations": ["15 min"], "lead": []}),
        (0.75, {"operations": ["15 min", "1 h"], "lead": ["1 h"]}),
        (3.0, {"operations": ["15 min", "1 h"], "lead": ["1 h", "4 h"]}),
        (2.0, {"operations": ["15 min", "1 h"], "lead": ["1 h", "4 h"]}),
    ):
        await desk.pass_time(timedelta(hours=hours))
        for name, lasted in titles.items():
            expected = [f"Still held after {one}: {TITLE} ({ORDERS:,} orders)" for one in lasted]
            said = await desk.until_titles(name, len(expected) + (name == "operations"))
            assert said[name == "operations" :] == expected
    clock.lap("six hours of outage on the alerts' clock")

    await shop.m3.delete("/_control/faults")
    repaired = await _repair_all(shop, here.bodies("lead")[-1])
    assert repaired.status == 0, repaired.out[-2000:] + repaired.err[-2000:]
    clock.lap("every order has taken the repair")
    await _until(shop, BOOKED, ORDERS)
    clock.lap("every order is booked")
    assert (await shop.client.count_workflows("HeldReason IS NOT NULL")).count == 0

    await desk.pass_time(timedelta(minutes=20))
    for name, number in (("operations", 4), ("lead", 3)):
        said = await desk.until_titles(name, number)
        assert said[number - 1 :] == [f"Over: {TITLE}"]
    assert f"up to {ORDERS:,} orders were held" in here.bodies("operations")[-1]
    view = await eventually(desk.known, lambda known: not known.undelivered)
    assert (view.groups, view.delivered, view.given_up) == ((), 7, 0)

    audited = await shop.o2c(
        "audit", "--since", f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%MZ}", "--json"
    )
    assert audited.status == 0, audited.out
    report = json.loads(audited.out)
    counts = {name: report[name] for name in ("orders", "lost", "doubled", "differing", "held", "under_way")}
    assert counts == {
        "orders": ORDERS,
        "lost": 0,
        "doubled": 0,
        "differing": 0,
        "held": 0,
        "under_way": ORDERS,
    }
    clock.lap("audited")
    assert await _repaired_once(shop)
    actions = count_actions(await desk.handle.fetch_history())
    clock.write(here, f"Temporal actions of the alerts themselves: {actions.by_kind}")


async def _placed(shop: Workshop) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        async with gate:
            await shop.place(order())

    await asyncio.gather(*(one() for _ in range(ORDERS)))


async def _until(shop: Workshop, query: str, number: int) -> None:
    async def count() -> int:
        await asyncio.sleep(0.5)  # counting a thousand is work the server would rather not do all the time
        return (await shop.client.count_workflows(query)).count

    await eventually(count, lambda found: found >= number, _PATIENCE_SECONDS)


async def _repair_all(shop: Workshop, body: str) -> Said:
    """The command as the alert gives it, said by somebody."""
    command = re.search(r"^Repair all, once the cause is gone: o2c (.+)$", body, re.MULTILINE)
    assert command is not None, body
    words = [*shlex.split(command[1]), "--yes", "--rate", "100", "--by", "operations", "--why", "M3 is back"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starters", *words, "--config", str(shop.config_file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _PATIENCE_SECONDS)
    return Said(process.returncode or 0, out.decode(), err.decode())


async def _repaired_once(shop: Workshop) -> bool:
    """One of them, read back: it says who repaired it and why."""
    async for found in shop.client.list_workflows(BOOKED, limit=1):
        [repair] = (
            await shop.view(shop.client.get_workflow_handle(found.id, result_type=OrderResult))
        ).repairs
        assert (repair.fix, repair.by, repair.why) == ("retry", "operations", "M3 is back")
        assert repair.reason == HeldReason.M3_UNAVAILABLE
        return True
    return False


class Clock:
    """How long each part took on this machine."""

    def __init__(self) -> None:
        self._last, self._used = time.monotonic(), time.process_time()
        self._laps: list[str] = []

    def lap(self, what: str) -> None:
        now, used = time.monotonic(), time.process_time()
        self._laps.append(f"| {what} | {now - self._last:.0f} s | {used - self._used:.0f} s |")
        self._last, self._used = now, used

    def write(self, here: Receiver, more: str) -> None:
        """Keep what was told, with the times."""
        told = [f"## {one.path.split('/')[1]}: {one.title}\n\n```\n{one.body}\n```" for one in here.received]
        parts = [
            "# 1,000 orders held by an M3 outage",
            "\n".join(["| part | took | processor time of worker and test |", "|--|--|--|", *self._laps]),
            more,
        ]
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text("\n\n".join([*parts, *told]) + "\n", encoding="utf-8")
        sys.stdout.write("\n".join(self._laps) + f"\n{more}\n")
