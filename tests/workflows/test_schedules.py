"""The schedules on a real server: the mark moves only after the last page, and never by a sweep that failed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import ScheduleUpdate, ScheduleUpdateInput, WorkflowExecutionStatus, WorkflowHandle

from canonical.deferred_contracts import deferred_look_id
from canonical.finance_contracts import finance_look_id
from canonical.ids import (
    amazon_sweep_id,
    correction_sweep_id,
    deadlines_id,
    delivery_sweep_id,
    fba_feed_id,
    mcf_sweep_id,
    order_workflow_id,
    reconciliation_id,
    returns_schedule_id,
)
from canonical.return_contracts import ReturnsFeedResult
from canonical.return_reports import FBA_RETURNS, MFN_RETURNS, REIMBURSEMENTS
from canonical.schedule_contracts import AmazonSweepResult, ReconciliationResult
from canonical.settlement_ids import settlement_feed_id
from tests.support.holding import workshop
from tests.support.mcf import mcf_shop
from tests.support.orders import ORDINARY, order
from tests.support.returns import sold
from tests.support.world import World, eventually
from worker import schedules
from worker.archiving import open_archive
from worker.marks import mark_of

EU, NA = "A2EUSELLER0001", "A2NASELLER0001"
SWEEP = amazon_sweep_id(EU)


@pytest_asyncio.fixture
async def scheduled(world: World) -> AsyncIterator[World]:
    """The configuration's schedules, paused, so that only the test makes them run."""
    await schedules.apply(world.client, world.settings)
    for name in await schedules.chosen(world.client, world.settings, []):
        await schedules.pause(world.client, name, "test")
    yield world
    for name in await schedules.chosen(world.client, world.settings, []):
        await schedules.delete(world.client, name)
    await world.amazon.delete("/_control/faults")


async def runs_of(world: World, schedule_id: str) -> list[tuple[str, str]]:
    """Workflow and run ids that the schedule has started, the newest last."""
    described = await world.client.get_schedule_handle(schedule_id).describe()
    return [
        (one.action.workflow_id, one.action.first_execution_run_id) for one in described.info.recent_actions
    ]  # type: ignore[union-attr]


async def triggered(world: World, schedule_id: str) -> WorkflowHandle[object, object]:
    """Let the schedule run now; the run."""
    before = await runs_of(world, schedule_id)
    await schedules.trigger(world.client, schedule_id)
    after = await eventually(lambda: runs_of(world, schedule_id), lambda now: now[-1:] != before[-1:])
    return world.client.get_workflow_handle(after[-1][0], run_id=after[-1][1])


async def swept(world: World) -> AmazonSweepResult:
    run = await triggered(world, SWEEP)
    return await world.client.get_workflow_handle(
        run.id, run_id=run.run_id, result_type=AmazonSweepResult
    ).result()


async def test_the_schedules_are_those_of_the_configuration(scheduled: World) -> None:
    rows = await schedules.listed(scheduled.client, scheduled.settings)
    sellers = scheduled.settings.sellers
    wanted = {
        delivery_sweep_id(), mcf_sweep_id(), reconciliation_id(), correction_sweep_id(), deadlines_id(),
        *map(amazon_sweep_id, sellers), *map(returns_schedule_id, sellers), *map(fba_feed_id, sellers),
        *map(settlement_feed_id, sellers), *map(deferred_look_id, sellers),
        *map(finance_look_id, sellers),
    }  # fmt: skip
    assert {row.id for row in rows} == wanted
    assert all(row.paused and row.note == "test" and row.next_run is None for row in rows)
    assert {row.what for row in rows} == {
        "every 10 min",
        "every 5 min",
        "every 30 min",
        "every 240 min",
        "daily at 03:00 UTC",
        "daily at 05:00 UTC",
        "daily at 06:00 UTC",
    }
    await schedules.resume(scheduled.client, SWEEP, "go on")
    [row] = [one for one in await schedules.listed(scheduled.client, scheduled.settings) if one.id == SWEEP]
    assert not row.paused
    assert row.next_run is not None


async def test_what_is_paused_stays_paused_and_what_is_surplus_goes(scheduled: World) -> None:
    await schedules.resume(scheduled.client, delivery_sweep_id(), "")
    done = {one.id: one for one in await schedules.apply(scheduled.client, scheduled.settings)}
    assert {one.done for one in done.values()} == {"updated"}
    assert done[SWEEP].paused
    assert not done[delivery_sweep_id()].paused
    fewer = scheduled.settings.model_copy(update={"sellers": {EU: scheduled.settings.sellers[EU]}})
    done = {one.id: one for one in await schedules.apply(scheduled.client, fewer)}
    assert done[amazon_sweep_id(NA)].done == done[returns_schedule_id(NA)].done == "deleted"
    assert (await schedules.apply(scheduled.client, scheduled.settings))[1].done == "created"


async def test_a_sweep_begins_where_the_last_one_ended_less_the_overlap(scheduled: World) -> None:
    first_order = await scheduled.place(order(ORDINARY, status="SHIPPED"))
    first = await swept(scheduled)
    assert first.read.started >= 1
    await scheduled.result(scheduled.handle(first_order))
    second_order = await scheduled.place(order(ORDINARY, status="SHIPPED"))
    second = await swept(scheduled)
    assert second.since == first.mark - timedelta(minutes=10)
    assert second.mark > first.mark
    assert second.read.started >= 1
    assert scheduled.handle(second_order).id == order_workflow_id(EU, second_order)
    [row] = [one for one in await schedules.listed(scheduled.client, scheduled.settings) if one.id == SWEEP]
    assert row.mark == second.mark


async def test_every_marketplace_of_the_region_is_asked_in_one_call(scheduled: World) -> None:
    before = await _searches(scheduled)
    result = await swept(scheduled)
    assert len(result.read.next_token) == 0
    pages = max(1, -(-result.read.orders // 100))
    assert await _searches(scheduled) - before == pages


async def _searches(world: World) -> int:
    state = (await world.amazon.get("/_control/state")).json()
    return sum(count for name, count in state["requests"].items() if name.startswith("searchOrders"))


@pytest.mark.parametrize(
    ("action", "end"),
    [
        ("status_500", WorkflowExecutionStatus.TERMINATED),
        ("forbidden_no_body", WorkflowExecutionStatus.FAILED),
    ],
)
async def test_a_sweep_that_read_one_page_of_two_moves_no_mark(
    scheduled: World, action: str, end: WorkflowExecutionStatus
) -> None:
    first = await swept(scheduled)
    placed = [await scheduled.place(order(ORDINARY, status="PENDING")) for _ in range(101)]
    fault = {"operation": "searchOrders", "action": action, "times": 10_000, "skip": 1}
    assert (await scheduled.amazon.post("/_control/faults", json=fault)).status_code == 201
    broken = await triggered(scheduled, SWEEP)
    await eventually(lambda: pages_read(broken), lambda pages: pages == 1)
    if end is WorkflowExecutionStatus.TERMINATED:
        await broken.terminate("the server it ran on is gone")
    described = await eventually(
        broken.describe, lambda now: now.status is not WorkflowExecutionStatus.RUNNING
    )
    assert described.status is end
    await scheduled.amazon.delete("/_control/faults")
    again = await swept(scheduled)
    assert again.since == first.mark - timedelta(minutes=10)
    assert again.read.orders >= len(placed)
    assert again.mark > first.mark


async def pages_read(run: WorkflowHandle[object, object]) -> int:
    events = (await run.fetch_history()).events
    return sum(event.HasField("activity_task_completed_event_attributes") for event in events)


async def test_a_new_schedule_begins_where_the_deleted_one_ended(scheduled: World) -> None:
    last = await swept(scheduled)
    await eventually(lambda: mark_of(scheduled.client, EU), lambda mark: mark == last.mark)
    await schedules.delete(scheduled.client, SWEEP)
    await schedules.apply(scheduled.client, scheduled.settings)
    again = await swept(scheduled)
    assert again.since == last.mark - timedelta(minutes=10)


async def test_goods_that_left_are_told_by_the_schedule(scheduled: World) -> None:
    order_id = await scheduled.place(order(ORDINARY, channel="MERCHANT"))
    handle = await scheduled.start(order_id)
    await scheduled.until(handle, lambda view: view.step == "awaiting_shipment")

    async def look() -> bool:
        run = await triggered(scheduled, delivery_sweep_id())
        await run.result()
        return (await scheduled.view(handle)).step != "awaiting_shipment"

    await eventually(look, bool)
    assert (await scheduled.result(handle)).outcome == "booked"


async def test_deliveries_for_amazon_to_fulfil_are_found_by_the_schedule(scheduled: World) -> None:
    async with mcf_shop(scheduled) as shop:
        orno, dlix = await shop.order()
        await (await triggered(scheduled, mcf_sweep_id())).result()
        handle = shop.handle(orno, dlix)
        await shop.until_step(handle, "awaiting_shipment")
        await handle.terminate()


async def looked(world: World) -> ReturnsFeedResult:
    run = await triggered(world, returns_schedule_id(EU))
    return await world.client.get_workflow_handle(
        run.id, run_id=run.run_id, result_type=ReturnsFeedResult
    ).result()


async def test_the_daily_look_asks_for_reports_and_tells_every_case(scheduled: World) -> None:
    item, own = await sold(scheduled), await sold(scheduled, 1)
    await item.happens("refund")
    await item.happens("return")
    await own.happens("return", disposition="CARRIER_DAMAGED")
    await own.happens("reimburse")
    first = await looked(scheduled)
    assert first.refunds.facts >= 1
    assert set(first.reports) == {FBA_RETURNS, REIMBURSEMENTS, MFN_RETURNS}
    assert first.reports[FBA_RETURNS].facts
    assert first.reports[REIMBURSEMENTS].facts
    assert not any(told.remarks for told in first.reports.values())
    assert (await item.settled()).outcome == "settled"
    assert set((await own.until_waiting()).facts.reimbursed)
    archive = open_archive(scheduled.settings.archive)
    assert archive.keys(f"reports/{EU}/{FBA_RETURNS}")

    rule = {"outcome": "FATAL", "reason": "The data is not available.", "report_type": REIMBURSEMENTS}
    assert (await scheduled.amazon.post("/_control/reports/rules", json=rule)).status_code == 201
    second = await looked(scheduled)
    assert first.until is not None
    assert second.until == first.until, "What was not told is in the next look's window."
    assert "not available" in second.reports[REIMBURSEMENTS].remarks[0]
    third = await looked(scheduled)
    assert third.until is not None
    assert third.until > first.until
    assert not any(each.started or each.told for each in third.reports.values())


async def test_the_reconciliation_starts_what_is_missing_and_says_it(scheduled: World) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    body = order(ORDINARY, status="SHIPPED")
    body["createdTime"] = body["lastUpdatedTime"] = f"{yesterday:%Y-%m-%dT12:00:00Z}"
    missed = await scheduled.place(body)
    run = await triggered(scheduled, reconciliation_id())
    handle = scheduled.client.get_workflow_handle(run.id, run_id=run.run_id, result_type=ReconciliationResult)
    result = await handle.result()
    assert (result.until.hour, result.until - result.since) == (0, timedelta(days=1))
    assert result.report.lost == result.report.missing == result.report.started == 1
    assert any(missed in finding.sentence for finding in result.report.findings)
    assert (await scheduled.result(scheduled.handle(missed))).outcome == "booked"
    await scheduled.client.get_schedule_handle(reconciliation_id()).update(_unchanged)
    again = await triggered(scheduled, reconciliation_id())
    handle = scheduled.client.get_workflow_handle(
        again.id, run_id=again.run_id, result_type=ReconciliationResult
    )
    second = (await handle.result()).report
    assert (second.orders, second.lost, second.missing) == (1, 0, 0)


def _unchanged(now: ScheduleUpdateInput) -> ScheduleUpdate:
    return ScheduleUpdate(schedule=now.description.schedule)


async def test_the_doctor_says_what_does_not_run(scheduled: World) -> None:
    await swept(scheduled)
    said = await schedules.check_schedules(scheduled.client, scheduled.settings)
    assert said.ok
    assert f"{SWEEP} (test)" in said.sentence
    await schedules.resume(scheduled.client, SWEEP, "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedules, "LATE", -timedelta(hours=1))
        said = await eventually(
            lambda: schedules.check_schedules(scheduled.client, scheduled.settings), lambda said: not said.ok
        )
    assert SWEEP in said.sentence
    await schedules.delete(scheduled.client, delivery_sweep_id())
    said = await schedules.check_schedules(scheduled.client, scheduled.settings)
    assert (said.ok, "There is no o2c-deliveries" in said.sentence) == (False, True)


async def o2c(world: World, *words: str) -> tuple[int, str, str]:
    """The real command, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starters", "schedules", *words, "--config", str(world.config_file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_command_makes_lists_pauses_and_triggers(scheduled: World) -> None:
    for name in await schedules.chosen(scheduled.client, scheduled.settings, ["sweep"]):
        await schedules.delete(scheduled.client, name)
    status, out, err = await o2c(scheduled, "apply")
    assert (status, out.splitlines()[0]) == (0, f"{SWEEP}: created."), err
    assert "o2c-deliveries: updated, and stays paused." in out
    status, out, err = await o2c(scheduled, "pause", "sweep", "--why", "a rotated secret")
    assert (status, out) == (0, f"2 schedules paused: {SWEEP}, {amazon_sweep_id(NA)}.\n"), err
    status, out, err = await o2c(scheduled, "trigger", f"sweep-{EU}", "--json")
    assert (status, json.loads(out)) == (0, [{"id": SWEEP, "done": "triggered"}]), err
    await eventually(lambda: runs_of(scheduled, SWEEP), bool)
    listed, refused = await asyncio.gather(o2c(scheduled), o2c(scheduled, "pause", "sweeep"))
    status, out, err = listed
    assert status == 0, err
    assert "paused: a rotated secret" in out
    status, out, err = refused
    assert (status, out) == (1, "")
    assert "There is no schedule 'sweeep'; there are o2c-sweep-" in err


@pytest.mark.long
async def test_a_sweep_of_many_pages_goes_on_in_a_new_run_and_its_mark_is_the_first_pages(
    tmp_path: Path,
) -> None:
    """The server asks for a new run after ten events instead of four thousand."""
    async with workshop(tmp_path, "limit.historyCount.suggestContinueAsNew=10") as shop:
        await schedules.apply(shop.client, shop.settings)
        await schedules.pause(shop.client, SWEEP, "test")
        first = await swept(shop)
        placed = [await shop.place(order(ORDINARY, status="PENDING")) for _ in range(350)]
        begun = await triggered(shop, SWEEP)
        described = await eventually(
            begun.describe, lambda now: now.status is not WorkflowExecutionStatus.RUNNING
        )
        assert described.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
        assert begun.id
        chain = shop.client.get_workflow_handle(begun.id, result_type=AmazonSweepResult)
        second = await chain.result()
        assert second.read.orders == second.read.started == len(placed)
        assert second.since == first.mark - timedelta(minutes=10)
        third = await swept(shop)
        assert third.since == second.mark - timedelta(minutes=10)
        assert (third.read.started, third.read.orders) == (0, len(placed))
