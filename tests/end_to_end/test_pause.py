"""The circuit breaker: M3's queue at rate 0. Nothing fails, everything waits, and goes on within seconds."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
import structlog
from typer.testing import CliRunner, Result

from canonical.activity_contracts import M3_QUEUE
from starters.cli import app
from tests.support.orders import ORDINARY, order
from tests.support.world import World, eventually
from worker.quota.limits import read_queue
from worker.registration import register

ORDERS = 8


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command is quiet for its whole process, and here that is the tests' own."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


async def o2c(world: World, *words: str) -> Result:
    done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--config", str(world.config_file)])
    assert done.exit_code == 0, done.stderr
    return done


async def test_a_paused_m3_fails_nothing_and_resumes_within_seconds(world: World) -> None:
    order_ids = [await world.place(order(ORDINARY, status="SHIPPED")) for _ in range(ORDERS)]
    handles = []
    try:
        said = await o2c(world, "pause", "m3", "--why", "M3 is being upgraded")
        assert "M3 is paused (1 queue)." in said.stdout
        await asyncio.sleep(1)  # what was under way ends
        handles = [await world.start(order_id) for order_id in order_ids]

        async def backlog() -> int:
            return (await read_queue(world.client, M3_QUEUE)).backlog

        await eventually(backlog, lambda waiting: waiting >= ORDERS)
        # Neither a worker that starts nor `o2c register` lifts it, and both say so.
        sentences = await register(world.client, world.settings)
        assert any("M3 is being upgraded" in sentence for sentence in sentences)
        await asyncio.sleep(3)
        for handle in handles:
            view = await world.view(handle)
            assert (view.held_reason, view.orno) == ("", "")
            found = await handle.describe()
            assert all(one.attempt <= 1 for one in found.raw_description.pending_activities)
        shown = json.loads((await o2c(world, "quotas", "--json")).stdout)
        (m3,) = [line for line in shown["lines"] if line["queue"] == M3_QUEUE]
        assert (m3["whole"], m3["backlog"] >= ORDERS) == (0, True)
        assert "M3 is being upgraded" in m3["paused"]
        assert "is paused: M3 is being upgraded" in (await o2c(world, "quotas")).stdout
    finally:
        await o2c(world, "resume", "m3")
    resumed = time.monotonic()
    results = [await world.result(handle) for handle in handles]
    assert {result.outcome for result in results} == {"booked"}
    assert not any(result.repairs for result in results)
    assert time.monotonic() - resumed < 30
    assert "was not paused" in (await o2c(world, "resume", "m3")).stderr


async def test_the_keeper_shows_what_it_knows(world: World) -> None:
    async def shown() -> dict[str, object]:
        report: dict[str, object] = json.loads((await o2c(world, "quotas", "--json")).stdout)
        return report

    report = await eventually(shown, lambda report: bool(report["keeper"]))
    (line,) = [line for line in report["lines"] if line["operation"] == "getOrder"]  # type: ignore[attr-defined]
    assert (line["documented"], line["burst"]) == (0.5, 30)
    for seller in line["sellers"]:
        assert seller["granted"] == world.settings.sellers[seller["seller_id"]].quota_factor * 0.5
        assert seller["level"] is not None
    text = (await o2c(world, "quotas")).stdout
    assert "searchOrders" in text
    assert "The quotas are kept by" in text
