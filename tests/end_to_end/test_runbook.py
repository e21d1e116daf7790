"""What the runbook says to do, done: M3 stopped and let go, a day done again, a wrong version deployed."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.site import EU, Site, hours_ago, standing_site
from tests.support.orders import ORDINARY, order, sku_with

ROOT = Path(__file__).resolve().parents[2]
STUCK = 'TemporalReportedProblems IN ("category=WorkflowTaskFailed")'
PATIENCE_SECONDS = 180.0
MARKED_AFTER = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=3"
"""Failures in a row after which Temporal marks a workflow: five, most of a minute, where nothing is said. After three
it also refuses updates at once."""
ROOMS = ("canonical", "workflows", "activities", "worker", "starters")


@pytest_asyncio.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("runbook")
    async with standing_site(folder, MARKED_AFTER) as standing:
        yield standing


async def swept(site: Site) -> None:
    done = await site.o2c("sweep", "--since", hours_ago(3))
    assert done.status == 0, done.err


async def until(site: Site, order_id: str, true: Callable[[Any], object]) -> Any:
    """The order's trail as soon as it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            trail = await site.trail(order_id)
            if true(trail):
                return trail


async def until_forgotten(site: Site, order_id: str) -> None:
    """Temporal deletes in the background."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if (await site.o2c("order", order_id)).status != 0:
                return


async def m3_is(site: Site, what: str) -> None:
    """As the runbook does it."""
    done = await site.o2c(what, "m3")
    assert done.status == 0, done.err


async def test_calls_wait_while_m3_is_stopped_and_no_order_is_held(site: Site) -> None:
    await m3_is(site, "pause")
    order_id = await site.place(order(ORDINARY, status="SHIPPED"))
    started = await site.o2c("start", order_id, "--seller", EU)
    assert started.status == 0, started.err
    waiting = {"resolve_items": 1, "ensure_customer": 1}
    trail = await until(
        site, order_id, lambda trail: {one["name"]: one["attempt"] for one in trail["pending"]} == waiting
    )
    assert trail["held_reason"] == ""
    await m3_is(site, "resume")
    closed = await site.until_closed(order_id)
    assert {entry["attempts"] for entry in closed["trail"] if entry["kind"] == "call"} == {1}


async def test_a_day_can_be_done_again(site: Site) -> None:
    closed, forgotten, held = [
        await site.place(order(sku, status="SHIPPED"))
        for sku in (ORDINARY, ORDINARY, sku_with("item_blocked"))
    ]
    await swept(site)
    before = {order_id: await site.until_closed(order_id) for order_id in (closed, forgotten)}
    await site.until_held(held, "item_blocked")
    deleted = await site.temporal("workflow", "delete", "--yes", "--workflow-id", f"order-{EU}-{forgotten}")
    assert deleted.status == 0, deleted.err
    await until_forgotten(site, forgotten)
    new = await site.place(order(ORDINARY, status="SHIPPED"))

    done = await site.o2c("import", "--seller", EU, "--since", hours_ago(24), "--json")

    assert done.status == 0, done.err
    assert (done.json["started"], done.json["signalled"], done.json["skipped"]) == (2, 1, 0)
    assert done.json["late"] == done.json["orders"] - 3
    again = await site.until_closed(forgotten)
    for kind in ("orno", "deliveries", "invoices", "vouchers"):
        assert again["result"][kind] == before[forgotten]["result"][kind], f"{kind} was made twice"
    await site.until_closed(new)
    assert (await site.trail(closed))["run_id"] == before[closed]["run_id"]
    assert (await site.trail(held))["held_reason"] == "item_blocked"
    audited = await site.o2c("audit", "--since", hours_ago(24), "--json")
    assert (audited.status, audited.json["findings"]) == (0, [])


def other_version(folder: Path) -> Path:
    """This version with the order's customer looked up before its items, which changes its history."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    module = folder / "workflows" / "order_booking.py"
    text = module.read_text()
    for call in (
        "(Step.ITEMS, self._resolve_items())",
        "(Step.CUSTOMER, self._calls.ensure_customer())",
    ):
        assert f"work.append({call})" in text
        text = text.replace(f"work.append({call})", f"work.insert(0, {call})")
    module.write_text(text)
    return folder


async def deploy(site: Site, version: Path) -> None:
    """Another version of the service takes the place of the one that runs."""
    site.worker.process.terminate()
    await site.worker.process.wait()
    command = [sys.executable, "-P", "-m", "starters", "worker"]
    environment = {**site.environment, "PYTHONPATH": str(version)}
    site.worker = await site.children.start("worker", command, environment)


async def until_marked_stuck(site: Site, order_id: str) -> None:
    """Temporal marks an order after some failures in a row."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed = await site.temporal("workflow", "list", "--query", STUCK)
            if order_id in listed.out:
                return
            await asyncio.sleep(1)


async def signal_map_sku(site: Site, order_id: str, sku: str, itno: str) -> None:
    """A repair that waits for the order where the order is stuck."""
    argument = json.dumps({"sku": sku, "itno": itno})
    words = ("--workflow-id", f"order-{EU}-{order_id}", "--name", "map_sku", "--input", argument)
    sent = await site.temporal("workflow", "signal", *words)
    assert sent.status == 0, sent.err


async def test_a_wrong_version_is_taken_back(site: Site, tmp_path: Path) -> None:
    wrong = other_version(tmp_path)
    before = await site.place(order("NOT-IN-M3-8", status="SHIPPED"))
    await swept(site)
    await site.until_held(before, "unmapped_sku")

    await deploy(site, wrong)
    await signal_map_sku(site, before, "NOT-IN-M3-8", "100000-TEA")
    during = await site.place(order("NOT-IN-M3-9", status="SHIPPED"))
    await swept(site)
    await site.until_held(during, "unmapped_sku")
    await until_marked_stuck(site, before)
    refused = await site.o2c("fix", before, "retry")
    assert refused.status == 1
    assert "stuck in a failing workflow task" in refused.err

    await deploy(site, ROOT)
    await site.until_closed(before)
    await signal_map_sku(site, during, "NOT-IN-M3-9", "100000-TEA")
    await until(site, during, lambda trail: any(e["name"] == "workflow task" for e in trail["trail"]))
    workflow_id = f"order-{EU}-{during}"
    shown = await site.temporal("workflow", "show", "--workflow-id", workflow_id, "--output", "json")
    events = json.loads(shown.out)["events"]
    first = next(e["eventId"] for e in events if e["eventType"].endswith("WORKFLOW_TASK_COMPLETED"))
    words = ("--workflow-id", workflow_id, "--event-id", first, "--reason", "started by the wrong version")
    reset = await site.temporal("workflow", "reset", *words)
    assert reset.status == 0, reset.err

    await until(site, during, lambda trail: trail["held_reason"] or trail["result"])
    if not (await site.trail(during))["result"]:  # the signal came again before the order was held again
        await signal_map_sku(site, during, "NOT-IN-M3-9", "100000-TEA")
    await site.until_closed(during)
    for order_id in (before, during):
        assert len((await site.in_m3(order_id))["orders"]) == 1
    audited = await site.o2c("audit", "--since", hours_ago(24), "--json")
    assert (audited.status, audited.json["findings"]) == (0, [])
