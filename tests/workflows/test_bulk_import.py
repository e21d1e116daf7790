"""Bulk imports on a real server: each line once, whatever happens, and a word about each."""

from pathlib import Path

from tests.support.imports import SELLER, import_file, lines_file
from tests.support.orders import order
from tests.support.world import World


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
        assert await description.memo_value("import", "") != ""
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
