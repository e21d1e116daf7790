"""Bulk imports on a real server: each line once, whatever happens, and a word about each."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities import imports
from activities.import_chunks import read_results, write_chunk
from activities.imports import BACKLOG, ImportActivities
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.amazon_orders import read_order
from canonical.ids import report_workflow_id
from canonical.import_contracts import (
    PROGRESS,
    REPORT,
    REPORT_FINISHED,
    ChunkRequest,
    FileWanted,
    ImportEntry,
    ImportInput,
    ImportLine,
    ImportPeriod,
    ImportProgress,
    ImportState,
    ReportFinished,
    ReportInput,
    ReportResult,
    ReportWanted,
)
from canonical.order_contracts import OrderToCashInput
from starters.console import Refused
from starters.imports import Imported, follow_import, start_import
from starters.passes import cause_of
from tests.activities.amazon_world import attempt
from tests.support.imports import SELLER, import_file, lines_file
from tests.support.orders import ORDINARY, order
from tests.support.world import World
from worker.archiving import open_archive
from worker.importing import ImportsOnTemporal
from worker.intake import start_or_signal
from worker.quota.limits import set_m3_rate
from workflows import search_attributes as sa

ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
BY_UPDATE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
DE = "A1PA6795UKMFR9"


async def test_each_line_becomes_an_order_or_a_word(world: World, tmp_path: Path) -> None:
    new = [order(status="PENDING") for _ in range(3)]
    known = await world.place(order(status="PENDING"))
    await world.start(known)
    body = await world.at_amazon(known)
    foreign, mcf = order(marketplace="US"), order(status="PENDING")
    mcf["salesChannel"] = {**mcf["salesChannel"], "channelName": "NON_AMAZON"}  # type: ignore[dict-item]
    page = {"orders": [new[1], new[2]]}
    file = lines_file(tmp_path / "o.jsonl", [new[0], '{"orderId": ', new[0], foreign, "", page, body, mcf])
    done, lines = await import_file(world, file)
    counts = done.counts
    assert (counts.orders, counts.started, counts.signalled, counts.late) == (5, 3, 1, 0)
    assert (counts.skipped, counts.duplicates, counts.refused) == (1, 1, 2)
    assert [(line.lines, line.outcome) for line in lines] == [
        ((1,), "started"),
        ((2,), "refused"),
        ((3,), "duplicate"),
        ((4,), "refused"),
        ((6,), "started"),
        ((6,), "started"),
        ((7,), "under_way"),
        ((8,), "skipped"),
    ]
    assert "Amazon.com" in lines[3].sentence
    again, _ = await import_file(world, file)
    assert again.workflow_id == done.workflow_id
    assert (again.counts.started, again.counts.signalled) == (0, 4)
    for each in new:
        description = await world.handle(str(each["orderId"])).describe()
        assert description.typed_search_attributes.get(sa.IMPORT)
        priority = description.raw_description.workflow_execution_info.priority
        assert (priority.priority_key, priority.fairness_key) == (5, f"{SELLER}/A1PA6795UKMFR9")


async def test_a_long_import_goes_on_in_new_runs(world: World, tmp_path: Path) -> None:
    orders = [order(status="PENDING") for _ in range(210)]
    file = lines_file(tmp_path / "o.jsonl", orders)
    done, lines = await import_file(world, file, chunks_in_run=1)
    assert done.counts.started == 210
    assert [line.order_id for line in lines] == [each["orderId"] for each in orders]
    runs = [run async for run in world.client.list_workflows(f'WorkflowId="{done.workflow_id}"')]
    assert sum(run.status.name == "CONTINUED_AS_NEW" for run in runs if run.status) >= 1


async def test_an_import_pauses_while_much_waits_for_m3_and_counts_right_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk comes back after its pause, and what it had started before still counts as started."""
    monkeypatch.setattr(imports, "_LOOKS", 3)
    archive = open_archive(world.settings.archive)

    def process() -> ImportActivities:
        """What a worker that was started anew has."""
        orders = ImportsOnTemporal(world.client)
        return ImportActivities(
            archive,
            {},
            {},
            start=orders.start,
            waiting=orders.waiting,
            most_waiting=12,
            keep=timedelta(days=1),
        )

    ids = [await world.place(order(ORDINARY, status="SHIPPED")) for _ in range(21)]
    entries = [
        ImportEntry(order_id=each, order=read_order(await world.at_amazon(each), SELLER)) for each in ids
    ]
    await asyncio.to_thread(write_chunk, archive, "imports/paused", 1, entries)
    request = ChunkRequest(
        seller_id=SELLER,
        folder="imports/paused",
        number=1,
        results="imports/paused/results",
        import_id="paused",
    )
    await set_m3_rate(world.client, 0, "a test")
    try:
        with pytest.raises(ApplicationError, match="The import pauses") as raised:
            await attempt(1).run(process().start_chunk, request)
        assert (raised.value.type, raised.value.non_retryable) == (BACKLOG, False)
    finally:
        await set_m3_rate(world.client, None, "a test")
    monkeypatch.undo()
    done = await attempt(2).run(process().start_chunk, request)
    assert (done.counts.started, done.counts.done) == (21, 21)
    for each in (ids[0], ids[-1]):
        assert (await world.result(world.handle(each))).outcome == "booked"
        assert len((await world.in_m3(each))["orders"]) == 1
    lines = list(read_results(archive, request.results))
    assert [(line.order_id, line.outcome) for line in lines] == [(each, "started") for each in ids]


async def imported(world: World, name: str, **source: object) -> Imported:
    """What `o2c import` does with a period or a report."""
    asking = ImportInput(seller_id=SELLER, folder=f"imports/{name}", **source)
    begun = await start_import(world.client, name, asking, "a test's import")
    lines: list[ImportLine] = []
    done = await follow_import(world.client, begun, open_archive(world.settings.archive), lines.append)
    assert len(lines) == done.counts.orders
    return done


def lately() -> dict[str, datetime]:
    now = datetime.now(UTC)
    return {"since": now - timedelta(hours=3), "until": now - timedelta(minutes=3)}


async def test_a_period_is_read_in_pages_and_each_order_started(world: World) -> None:
    ids = [await world.place(order(status="PENDING")) for _ in range(105)]
    period = ImportPeriod(created_after=datetime.now(UTC) - timedelta(hours=3))
    done = await imported(world, "import-a-period", period=period)
    assert done.counts.done == done.counts.orders >= 105
    assert done.counts.started >= 105
    for each in (ids[0], ids[-1]):
        assert (await world.handle(each).describe()).close_time is None
    again = await imported(world, "import-a-period", period=period)
    assert again.counts.started == 0
    progress = await world.client.get_workflow_handle("import-a-period").query(
        PROGRESS, result_type=ImportProgress
    )
    assert (progress.phase, progress.counts, progress.total) == ("done", again.counts, again.counts.orders)


async def test_a_period_is_read_again_where_amazon_forgot_the_page(world: World) -> None:
    order_id = await world.place(order(status="PENDING"))
    period = ImportPeriod(created_after=datetime.now(UTC) - timedelta(hours=3))
    state = ImportState(token="of yesterday")
    done = await imported(world, "import-forgotten", period=period, state=state)
    assert done.counts.done == done.counts.orders >= 1
    assert "read again" in done.notes[0]
    assert (await world.handle(order_id).describe()).close_time is None


async def test_a_report_is_asked_for_awaited_and_imported(world: World) -> None:
    ids = [await world.place(order(ORDINARY, status="SHIPPED")) for _ in range(3)]
    wanted = ReportWanted(report_type=ALL_ORDERS, marketplace_ids=(DE,), **lately())
    done = await imported(world, "import-a-report", report=wanted)
    assert done.counts.refused == 0
    assert done.counts.done == done.counts.orders >= 3
    for each in ids:
        assert (await world.result(world.handle(each))).outcome == "booked"
        assert await priorities(world, each) == {("o2c-m3", 5, f"{SELLER}/{DE}")}


async def priorities(world: World, order_id: str) -> set[tuple[str, int, str]]:
    """Queue, priority and fairness key of all activities of an order."""
    history = await world.handle(order_id).fetch_history()
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    return {(one.task_queue.name, one.priority.priority_key, one.priority.fairness_key) for one in scheduled}


async def test_a_live_order_stands_before_imported_ones(world: World) -> None:
    order_id = await world.place(order(ORDINARY, status="SHIPPED"))
    await world.result(await world.start(order_id))
    assert await priorities(world, order_id) == {("o2c-m3", 3, f"{SELLER}/{DE}")}
    by_id = await world.place(order(ORDINARY, status="SHIPPED"))
    await start_or_signal(world.client, OrderToCashInput(seller_id=SELLER, order_id=by_id))
    await world.result(world.handle(by_id))
    assert ("o2c-amazon-getOrder", 3, SELLER) in await priorities(world, by_id)


async def test_a_report_that_fails_or_has_no_data_says_so(world: World) -> None:
    wanted = ReportWanted(report_type=ALL_ORDERS, marketplace_ids=(DE,), **lately())
    await rule(world, outcome="CANCELLED")
    nothing = ReportWanted(report_type=BY_UPDATE, marketplace_ids=(DE,), **lately())
    done = await imported(world, "import-nothing", report=nothing)
    assert done.counts.orders == 0
    assert "no new data" in done.notes[0]
    await rule(world, outcome="FATAL", reason="Date range exceeded.")
    with pytest.raises(Refused, match=r"could not make report \d+\. Amazon's reason: Date range exceeded\."):
        await imported(world, "import-a-failure", report=wanted)


async def test_a_notification_ends_the_waiting_for_a_report(world: World) -> None:
    """Amazon makes this report in an hour by its own clock; nobody looks until the notification says it is done."""
    created = await world.client.start_workflow(
        REPORT,
        ReportInput(seller_id=SELLER, report_id="unknown-yet", report_type=ALL_ORDERS),
        id=report_workflow_id(SELLER, "unknown-yet"),
        task_queue=ORDERS_QUEUE,
        result_type=ReportResult,
    )
    for news in ("nonsense", ReportFinished(report_id="another", processing_status="DONE")):
        await created.signal(REPORT_FINISHED, news)
    await created.signal(
        REPORT_FINISHED, ReportFinished(report_id="unknown-yet", processing_status="CANCELLED")
    )
    with pytest.raises(WorkflowFailureError) as raised:  # it looked at Amazon at once, who does not know it
        await asyncio.wait_for(created.result(), 60)
    assert "getReport" in cause_of(raised.value)


async def test_a_file_that_is_no_file_of_orders_is_refused_in_a_sentence(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "o.txt").write_text("name\tprice\ntea\t3\n")
    with pytest.raises(Refused, match="neither an all-orders nor an actionable-orders report"):
        await import_file(world, tmp_path / "o.txt")


async def test_workers_that_see_another_archive_are_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_MISSED", 2)
    asking = FileWanted(key="imports/elsewhere/input")
    with pytest.raises(
        Refused, match=r"has no imports/elsewhere/input\. Workers and commands must see the same"
    ):
        await imported(world, "import-elsewhere", file=asking)


async def rule(world: World, **rule: object) -> None:
    answer = await world.amazon.post("/_control/reports/rules", json=rule)
    assert answer.status_code == 201, answer.text
