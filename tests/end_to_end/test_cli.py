"""The whole service through its command line, and through Temporal's own, on a real server."""

import json
import shlex
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end_to_end.site import EU, NA, Site, hours_ago, standing_site
from tests.support.orders import ORDINARY, new_order_id, order, sku_with

HELD_QUERY = 'HeldReason="unmapped_sku" AND ExecutionStatus="Running"'


@pytest_asyncio.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    async with standing_site(folder) as standing:
        yield standing


async def test_an_order_is_started_once_and_said_so_ever_after(site: Site) -> None:
    order_id = await site.place(order(ORDINARY))
    words = ("start", order_id, "--seller", EU)
    first = await site.o2c(*words)
    assert (first.status, "was started" in first.out) == (0, True)
    again = await site.o2c(*words)
    assert (again.status, "already under way" in again.out) == (0, True)
    await site.until_step(order_id, "awaiting_shipment")
    await site.ship(order_id)
    swept = await site.o2c("sweep", "--since", hours_ago(3))
    assert swept.status == 0, swept.err
    trail = await site.until_closed(order_id)
    late = await site.o2c(*words, "--json")
    assert late.json[0]["kind"] == "closed"
    assert trail["result"]["orno"] in late.json[0]["sentence"]
    assert len((await site.in_m3(order_id))["orders"]) == 1


async def test_waiting_ends_when_the_order_is_closed_or_held(site: Site) -> None:
    good = await site.place(order(ORDINARY, status="SHIPPED"))
    closed = await site.o2c("start", good, "--seller", EU, "--wait")
    assert (closed.status, "is closed" in closed.out) == (0, True)
    bad = await site.place(order(sku_with("unmapped_sku"), status="SHIPPED"))
    held = await site.o2c("start", bad, "--seller", EU, "--wait")
    assert (held.status, "is held" in held.out) == (1, True)


async def test_an_unknown_order_is_held_and_nothing_is_lost(site: Site) -> None:
    unknown = new_order_id()
    held = await site.o2c("start", unknown, "--seller", EU, "--wait")
    assert held.status == 1
    assert unknown in held.out


async def test_what_was_never_started_is_said(site: Site) -> None:
    never = new_order_id()
    for words in (("order", never), ("fix", never, "retry")):
        done = await site.o2c(*words)
        assert (done.status, done.out) == (1, "")
        assert f"no workflow of order {never}" in done.err


async def test_an_import_takes_the_good_lines_and_refuses_the_others(site: Site) -> None:
    good = [order(ORDINARY, status="SHIPPED") for _ in range(3)]
    foreign = order(ORDINARY, marketplace="US")
    lines = [json.dumps(good[0]), '{"orderId": "028-', json.dumps(good[0]), json.dumps(foreign)]
    file = site.folder / "orders.jsonl"
    file.write_text("\n".join([*lines, json.dumps(good[1]), json.dumps(good[2])]) + "\n")
    for each in good:
        await site.place(each)
    dry = await site.o2c("import", str(file), "--seller", EU, "--dry-run")
    assert (dry.status, "nothing was started" in dry.out) == (1, True)
    done = await site.o2c("import", str(file), "--seller", EU)
    assert done.status == 1
    assert "3 orders read, 3 started" in done.out
    assert "1 duplicate, 2 refused" in done.out
    assert "Line 2: " in done.err
    assert "Line 3: " in done.err
    assert f"Line 4: Amazon order {foreign['orderId']}" in done.err
    for each in good:
        trail = await site.until_closed(str(each["orderId"]))
        assert sum(trail["actions"].values()) <= 10
    missing = await site.o2c("order", str(foreign["orderId"]))
    assert missing.status == 1
    again = await site.o2c("import", str(file), "--seller", EU, "--json")
    assert again.json["late"] == 3
    for each in good:
        assert len((await site.in_m3(str(each["orderId"])))["orders"]) == 1


async def test_a_period_is_imported_and_a_sweep_continues_where_the_last_ended(site: Site) -> None:
    order_id = await site.place(order(ORDINARY, status="SHIPPED", marketplace="US"), NA)
    imported = await site.o2c("import", "--since", hours_ago(2), "--seller", NA, "--json")
    assert imported.status == 0, imported.err
    assert imported.json["orders"] >= 1
    await site.until_closed(order_id)
    first = await site.o2c("sweep", "--since", hours_ago(2), "--json")
    horizon = min(page["horizon"] for page in first.json["amazon"].values())
    begins = datetime.fromisoformat(horizon) - timedelta(minutes=10)
    second = await site.o2c("sweep")
    assert second.status == 0, second.err
    assert f"Sweeping changes since {begins:%Y-%m-%d %H:%M:%S}Z" in second.err


async def test_held_orders_are_listed_with_the_command_that_repairs_them(site: Site) -> None:
    sku = sku_with("unmapped_sku")
    order_id = await site.place(order(sku, status="SHIPPED"))
    await site.o2c("start", order_id, "--seller", EU, "--wait")
    listed = await site.o2c("held", "--json")
    row = next(row for row in listed.json if row["order_id"] == order_id)
    assert (row["reason"], row["skus"]) == ("unmapped_sku", [sku])
    assert f"workflows/order-{EU}-{order_id}/" in row["link"]
    plain = await site.o2c("held", "--reason", "unmapped-sku")
    assert row["command"] in plain.out
    assert "\x1b" not in plain.out
    await _refusals(site, order_id, sku)
    program, *words = shlex.split(row["command"])
    assert program == "o2c"
    assert not words[-1].endswith("M3-ITEM"), "the likeliest item is filled in"
    fixed = await site.o2c(*words, "--by", "operations", "--why", "new pack size")
    assert fixed.status == 0, fixed.err
    assert "was accepted" in fixed.out
    trail = await site.until_closed(order_id)
    repair = trail["result"]["repairs"][0]
    assert (repair["fix"], repair["by"], repair["why"]) == ("map_sku", "operations", "new pack size")
    late = await site.o2c("fix", order_id, "retry")
    assert late.status == 1
    assert "is closed since" in late.err
    assert "nothing to repair" in late.err


async def _refusals(site: Site, order_id: str, sku: str) -> None:
    """What does not fit is refused in a sentence and leaves the order as it is."""
    for words, told in (
        (("accept_difference",), "does not repair unmapped_sku"),
        (("map_sku", "sku=ANOTHER", "itno=1"), "has no SKU ANOTHER"),
        (("map_sku", f"sku={sku}"), "itno"),
    ):
        done = await site.o2c("fix", order_id, *words)
        assert (done.status != 0, done.out) == (True, "")
        assert told in done.err
    assert (await site.trail(order_id))["held_reason"] == "unmapped_sku"


async def test_the_trail_tells_the_whole_story(site: Site) -> None:
    order_id = await site.place(order((ORDINARY, 2), status="SHIPPED"))
    await site.o2c("start", order_id, "--seller", EU, "--wait")
    trail = await site.trail(order_id)
    assert trail["status"] == "completed"
    calls = [entry["name"] for entry in trail["trail"] if entry["kind"] == "call"]
    assert calls[0] == "fetch_order"
    assert calls[-2:] == ["invoice_delivery", "post_general_ledger"]
    assert all(entry["outcome"] == "done" for entry in trail["trail"] if entry["kind"] == "call")
    plain = await site.o2c("order", order_id)
    for number in (trail["result"]["orno"], *trail["result"]["invoices"], *trail["result"]["vouchers"]):
        assert number in plain.out
    assert f"{sum(trail['actions'].values())} Temporal actions" in plain.out
    print(f"\nTemporal actions of one shipment, started by its id: {trail['actions']}")


async def test_temporals_own_command_line_lists_signals_and_resets(site: Site) -> None:
    sku = "NOT-IN-M3-1"
    order_id = await site.place(order(sku, status="SHIPPED"))
    await site.o2c("start", order_id, "--seller", EU, "--wait")
    workflow_id = f"order-{EU}-{order_id}"
    listed = await site.temporal("workflow", "list", "--query", HELD_QUERY)
    assert workflow_id in listed.out
    shown = await site.temporal("workflow", "show", "--workflow-id", workflow_id, "--output", "json")
    events = json.loads(shown.out)["events"]
    first_task = next(e["eventId"] for e in events if e["eventType"].endswith("WORKFLOW_TASK_COMPLETED"))
    reset = await site.temporal(
        "workflow", "reset", "--workflow-id", workflow_id, "--event-id", first_task, "--reason", "tried"
    )
    assert reset.status == 0, reset.err
    await site.until_held(order_id, "unmapped_sku")
    by_hand = ["--name", "map_sku", "--input", json.dumps({"sku": sku, "itno": "100000-TEA"})]
    query = f'WorkflowId="{workflow_id}" AND ExecutionStatus="Running"'
    sent = await site.temporal(
        "workflow", "signal", "--query", query, *by_hand, "--reason", "batch", "--rps", "5", "--yes"
    )
    assert sent.status == 0, sent.err
    await site.until_closed(order_id)
    assert len((await site.in_m3(order_id))["orders"]) == 1


async def test_the_audit_is_clean_and_finds_what_nobody_carried_in(site: Site) -> None:
    carried = [await site.place(order(ORDINARY, status="SHIPPED")) for _ in range(5)]
    await site.o2c("sweep", "--since", hours_ago(3))
    for order_id in carried:
        await site.until_closed(order_id)
    for held in (await site.o2c("held", "--json")).json:
        assert held["reason"] != "internal_error"
    begins = hours_ago(3)
    clean = await site.o2c("audit", "--since", begins, "--json")
    assert (clean.status, clean.json["findings"]) == (0, []), clean.out
    assert clean.json["orders"] >= len(carried)
    lost = await site.place(order(ORDINARY, status="SHIPPED"))
    found = await site.o2c("audit", "--since", begins)
    assert found.status == 1
    assert lost in found.out


async def test_the_doctor_finds_nothing_wrong(site: Site) -> None:
    done = await site.o2c("doctor", "--json")
    wrong = [check for check in done.json["checks"] if not check["ok"]]
    assert (done.status, wrong) == (0, [])


async def test_without_a_worker_a_repair_is_accepted_by_nobody(site: Site, tmp_path: Path) -> None:
    order_id = await site.place(order("NOT-IN-M3-2", status="SHIPPED"))
    await site.o2c("start", order_id, "--seller", EU, "--wait")
    site.worker.process.send_signal(signal.SIGTERM)
    assert await site.worker.process.wait() == 0
    done = await site.o2c("fix", order_id, "retry")
    assert done.status == 1
    assert "accepted by nobody" in done.err
    trail = await site.trail(order_id)
    assert trail["held_reason"] == "unmapped_sku"
    assert trail["no_view"]
