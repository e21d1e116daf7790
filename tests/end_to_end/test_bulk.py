"""Many held orders repaired by one command, and everything a new operator gets wrong: each answered in a sentence."""

import asyncio
import csv
import io
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.api.batch.v1 import BatchOperationSignal
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import StartBatchOperationRequest
from temporalio.service import RPCError, RPCStatusCode

from canonical.fixes import Retry
from canonical.held import FixName, HeldReason
from canonical.ids import audit_workflow_id
from canonical.order_contracts import OrderResult
from starters.bulk_fix import Outcome, carry_out, plan
from starters.passes import Pass, _watch
from tests.support.holding import OrderHandle, Said, Workshop, sku_of, workshop
from tests.support.orders import ORDINARY, order
from tests.support.world import eventually

MANY: Final = 40
ITEM: Final = "100000-TEA"


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("bulk")) as built:
        yield built


async def held(shop: Workshop, sku: str, count: int, reason: str = "unmapped_sku") -> list[OrderHandle]:
    """So many orders held for this SKU, and visible as such."""

    async def one() -> OrderHandle:
        return await shop.start(await shop.place(order(sku, status="SHIPPED")))

    handles = list(await asyncio.gather(*(one() for _ in range(count))))
    await asyncio.gather(*(shop.until_held(handle, reason) for handle in handles))
    ids = ",".join(f'"{handle.id}"' for handle in handles)
    query = f'WorkflowId IN ({ids}) AND HeldReason="{reason}"'

    async def seen() -> int:
        return (await shop.client.count_workflows(query)).count

    await eventually(seen, lambda number: number == count)
    return handles


async def lengths(handles: list[OrderHandle]) -> list[int]:
    """Length of each history, without the alert about the hold, which is told in its own time: what changes
    nothing adds nothing."""
    return [len([event for event in await _events(handle) if not _is_task(event)]) for handle in handles]


async def _events(handle: OrderHandle) -> list[HistoryEvent]:
    return list((await handle.fetch_history()).events)


def _is_task(event: HistoryEvent) -> bool:
    return EventType.Name(event.event_type).startswith(
        ("EVENT_TYPE_WORKFLOW_TASK", "EVENT_TYPE_ACTIVITY_TASK")
    )


async def closed(handles: list[OrderHandle]) -> list[OrderResult]:
    """How each ended."""
    async with asyncio.timeout(60):
        return list(await asyncio.gather(*(handle.result() for handle in handles)))


async def booked_once(shop: Workshop, results: list[OrderResult]) -> None:
    """M3 has each order once, with one invoice."""
    for result in results:
        found = await shop.in_m3(result.order_id)
        assert result.outcome == "booked"
        assert [entry["orno"] for entry in found["orders"]] == [result.orno]
        assert len(found["invoices"]) == 1


def where(sku: str) -> str:
    return f'UnmappedSkus="{sku}"'


def sentences(said: Said) -> str:
    """What a command that refused says: a sentence on standard error, nothing on standard output."""
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.strip().endswith("."), said.err
    return said.err


async def test_forty_held_orders_are_shown_and_then_repaired_by_one_command(shop: Workshop) -> None:
    sku = "BULK-FORTY"
    handles = await held(shop, sku, MANY)
    command = ("fix", "--where", where(sku), "map_sku", f"sku={sku}", f"itno={ITEM}")
    before = await lengths(handles)
    shown = await shop.o2c(*command, "--dry-run")
    assert shown.status == 0, shown.err
    assert all(handle.id[-19:] in shown.out for handle in handles)
    assert f"map_sku would be sent to {MANY} orders ({MANY} unmapped_sku); nothing was sent" in shown.out
    assert "\x1b" not in shown.out + shown.err
    assert await lengths(handles) == before
    done = await shop.o2c(
        *command, "--yes", "--rate", "200", "--by", "operations", "--why", "new in the range", "--json"
    )
    assert done.status == 0, done.out + done.err
    answer = json.loads(done.out)
    assert (answer["orders"], answer["accepted"]) == (MANY, MANY)
    assert {one["order_id"] for one in answer["results"]} == {handle.id[-19:] for handle in handles}
    assert all("was accepted; unmapped_sku is being repaired" in one["sentence"] for one in answer["results"])
    assert done.err == "", "no bar where nobody watches"
    results = await closed(handles)
    await booked_once(shop, results)
    for result in results:
        (repair,) = result.repairs
        assert (repair.fix, repair.by, repair.why) == ("map_sku", "operations", "new in the range")
        assert (repair.reason, repair.what) == ("unmapped_sku", f"sku={sku} itno={ITEM}")
    trail = await shop.o2c("order", results[0].order_id)
    line = rf"Repair \S+ \S+Z: map_sku sku={sku} itno={ITEM} of unmapped_sku by operations \(new in the range\)\."
    assert re.search(line, trail.out), trail.out
    assert re.search(r"update map_sku .*accepted from \d+@", trail.out), trail.out


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("HeldReason=", "malformed SQL query: syntax error. One looks like"),
        ('Colour="red"', "Colour"),
        ('HeldReason="a" ORDER BY StartTime', "Temporal cannot read the query"),
        ("  ", "--where needs a query"),
        ("HeldReason=unmapped_sku", "Temporal cannot read the query"),
    ],
)
async def test_a_bad_query_is_answered_with_the_servers_words(shop: Workshop, query: str, says: str) -> None:
    said = await shop.o2c("fix", "--where", query, "retry", "--yes")
    assert said.status == 2
    assert says in sentences(said)


async def test_a_query_that_finds_nothing_is_no_failure(shop: Workshop) -> None:
    said = await shop.o2c("fix", "--where", where("NOBODY-HAS-THIS"), "retry", "--yes")
    assert said.status == 0
    assert "No held order is found" in said.out


async def test_a_query_cannot_reach_what_is_not_held(shop: Workshop) -> None:
    going = await shop.start(await shop.place(order(ORDINARY)))
    await shop.until(going, lambda view: view.step == "awaiting_shipment")
    (blocked,) = await held(shop, "BULK-CANCEL", 1)
    before = await lengths([going])
    wide = 'HeldReason="none") OR (ExecutionStatus="Running"'
    said = await shop.o2c("fix", "--where", wide, "cancel", "--yes", "--json")
    found = [one["order_id"] for one in json.loads(said.out)["results"]]
    assert blocked.id[-19:] in found
    assert going.id[-19:] not in found
    assert await lengths([going]) == before
    assert (await closed([blocked]))[0].outcome == "cancelled"


async def test_a_repair_that_fits_only_some_is_sent_to_those(shop: Workshop) -> None:
    sku, other = "BULK-MIXED", sku_of("total_differs")
    unmapped = await held(shop, sku, 2)
    differing = await held(shop, other, 1, HeldReason.TOTAL_DIFFERS)
    before = await lengths(unmapped)
    query = f'{where(sku)} OR HeldReason="total_differs"'
    shown = await shop.o2c("fix", "--where", query, "accept_difference", "--dry-run")
    assert shown.status == 1
    assert "accept_difference would be sent to 1 order (1 total_differs)" in shown.out
    assert "does not fit 2 orders" in shown.out
    done = await shop.o2c("fix", "--where", query, "accept_difference", "--yes")
    assert done.status == 1
    assert "3 orders: 1 accepted, 2 refused." in done.out
    assert done.out.count("does not repair unmapped_sku") == 2
    assert (await closed(differing))[0].outcome == "booked"
    assert await lengths(unmapped) == before
    for handle in unmapped:
        assert (await shop.o2c("fix", handle.id[-19:], "cancel")).status == 0
    await closed(unmapped)


async def test_orders_that_moved_on_or_closed_meanwhile_say_so(shop: Workshop) -> None:
    first, second, third = await held(shop, "BULK-MEANWHILE", 3)
    query, repair = where("BULK-MEANWHILE"), Retry(by="operations")
    planned = await plan(shop.client, query, FixName.RETRY, repair, None)
    assert len(planned) == 3
    assert (await shop.o2c("fix", first.id[-19:], "cancel")).status == 0
    await closed([first])
    stale = [
        one.model_copy(update={"reason": "m3_unavailable"}) if one.workflow_id == second.id else one
        for one in planned
    ]
    fixed = {
        one.workflow_id: one for one in await carry_out(shop.client, stale, FixName.RETRY, repair, rate=100)
    }
    assert fixed[first.id].outcome is Outcome.CLOSED
    assert "was closed a moment ago" in fixed[first.id].sentence
    assert fixed[second.id].outcome is Outcome.REFUSED
    assert "is now held for unmapped_sku; the retry was meant for m3_unavailable" in fixed[second.id].sentence
    assert fixed[third.id].outcome is Outcome.ACCEPTED
    await shop.until(third, lambda view: bool(view.repairs) and view.held_reason == "unmapped_sku")
    assert (await shop.view(second)).repairs == ()
    repaired = ("map_sku", "sku=BULK-MEANWHILE", f"itno={ITEM}", "alone=true")
    for handle in (second, third):
        assert (await shop.o2c("fix", handle.id[-19:], *repaired)).status == 0
    await booked_once(shop, await closed([second, third]))


async def test_of_two_operators_at_once_each_order_takes_one(shop: Workshop) -> None:
    sku, count = "BULK-TWO", 15
    handles = await held(shop, sku, count)
    command = (
        "fix", "--where", where(sku), "map_sku", f"sku={sku}", f"itno={ITEM}", "--yes", "--rate", "500", "--json",
    )  # fmt: skip
    answers = await asyncio.gather(
        *(shop.o2c(*command, "--by", name) for name in ("operations", "night-shift"))
    )
    told: list[dict[str, Any]] = [one for said in answers for one in json.loads(said.out)["results"]]
    accepted = [one["order_id"] for one in told if one["outcome"] == "accepted"]
    assert sorted(accepted) == sorted(handle.id[-19:] for handle in handles), "each exactly once"
    for one in told:
        assert one["outcome"] in ("accepted", "refused", "closed")
        assert one["order_id"] in one["sentence"]
        assert one["sentence"].endswith(".")
    results = await closed(handles)
    await booked_once(shop, results)
    assert all(
        len(result.repairs) == 1 and result.repairs[0].by in ("operations", "night-shift")
        for result in results
    )


async def test_the_web_uis_batch_signal_repairs_and_a_wrong_one_does_no_harm(shop: Workshop) -> None:
    sku, count = "BULK-SIGNAL", 5
    handles = await held(shop, sku, count)
    await _batch(shop, where(sku), "accept_difference", {"by": "operations"})
    for handle in handles:
        view = await shop.until(handle, lambda now: bool(now.remarks))
        assert "Signal accept_difference was refused" in view.remarks[-1]
        assert (view.held_reason, view.repairs) == ("unmapped_sku", ())
    await _batch(
        shop, where(sku), "map_sku", {"sku": sku, "itno": ITEM, "by": "operations", "why": "by batch"}
    )
    results = await closed(handles)
    await booked_once(shop, results)
    assert {(one.repairs[0].by, one.repairs[0].why) for one in results} == {("operations", "by batch")}
    trail = json.loads((await shop.o2c("order", results[0].order_id, "--json")).out)
    senders = {entry["sender"] for entry in trail["trail"] if entry["name"] == "map_sku"}
    assert senders == {"operations@example.com"}


async def _batch(shop: Workshop, query: str, signal: str, argument: dict[str, str]) -> None:
    """What the Web UI does when a query's workflows are all selected and signalled."""
    payloads = await shop.client.data_converter.encode([argument])
    operation = BatchOperationSignal(signal=signal, identity="operations@example.com")
    operation.input.payloads.extend(payloads)
    request = StartBatchOperationRequest(
        namespace=shop.client.namespace,
        visibility_query=f'{query} AND ExecutionStatus="Running"',
        job_id=str(uuid4()),
        reason="tried as an operator would",
        signal_operation=operation,
    )

    async def taken() -> bool:
        """A namespace does one batch at a time; the one before may not be over."""
        try:
            await shop.client.workflow_service.start_batch_operation(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:
                raise
            return False
        return True

    await eventually(taken, bool)


async def test_held_lists_as_csv(shop: Workshop) -> None:
    handles = await held(shop, "BULK,CSV", 2)
    said = await shop.o2c("held", "--csv", "--reason", "unmapped_sku")
    assert said.status == 0, said.err
    rows = {row["workflow_id"]: row for row in csv.DictReader(io.StringIO(said.out))}
    for handle in handles:
        row = rows[handle.id]
        assert (row["kind"], row["order_id"], row["reason"]) == ("order", handle.id[-19:], "unmapped_sku")
        assert row["skus"] == "BULK,CSV"
        assert row["command"].startswith(f"o2c fix {handle.id[-19:]} map_sku sku='BULK,CSV' itno=")
        assert row["link"].endswith(
            f"/workflows/{handle.id}/{handle.first_execution_run_id or row['link'][-36:]}"
        )
        assert re.match(r"\d{4}-\d\d-\d\dT", row["since"])


async def test_every_saved_view_is_a_query_the_server_understands(shop: Workshop) -> None:
    await shop.start(await shop.place(order(ORDINARY)))
    (overdue,) = await _overdue(shop)
    views = {one["name"]: one for one in json.loads((await shop.o2c("views", "--json")).out)}

    async def listed(name: str) -> set[str]:
        return {one.id async for one in shop.client.list_workflows(views[name]["query"])}

    await eventually(lambda: listed("at risk"), lambda found: found == {overdue.id})
    assert overdue.id in await listed("waiting for shipment")
    assert len(await listed("waiting for shipment")) >= 2
    assert await listed("held") == await listed("held unmapped_sku")
    for name in views:
        await listed(name)


async def _overdue(shop: Workshop) -> list[OrderHandle]:
    """An own shipment whose ship-by moment is over, waiting all the same."""
    body = order(ORDINARY, channel="MERCHANT")
    window = {"earliestDateTime": "2026-11-01T00:00:00Z", "latestDateTime": "2026-11-02T00:00:00Z"}
    body["fulfillment"]["shipByWindow"] = window  # type: ignore[index]
    handle = await shop.start(await shop.place(body))
    await shop.until(handle, lambda view: view.step == "awaiting_shipment")
    return [handle]


async def test_on_a_terminal_the_plan_is_shown_and_the_question_asked(shop: Workshop) -> None:
    sku = "BULK-ASKED"
    (handle,) = await held(shop, sku, 1)
    before = await lengths([handle])
    command = ("fix", "--where", where(sku), "map_sku", f"sku={sku}", f"itno={ITEM}")
    status, out, terminal = await _typed(shop, "n\n", *command)
    assert status == 1
    assert handle.id[-19:] in out
    assert "Send map_sku to 1 order, at most 20 a second? [y/N]" in terminal
    assert "Nothing was sent." in terminal
    assert await lengths([handle]) == before
    status, out, terminal = await _typed(shop, "y\n", *command)
    assert (status, "1 order: 1 accepted." in out) == (0, True), out + terminal
    assert "Sending map_sku" in terminal
    await booked_once(shop, await closed([handle]))


async def test_a_pass_says_on_a_terminal_how_far_it_is_and_nothing_elsewhere(shop: Workshop) -> None:
    begins = datetime.now(UTC) - timedelta(days=1)
    command = ("audit", "--since", begins.isoformat(), "--json")
    _, out, terminal = await _typed(shop, "", *command)
    assert "audit-" in terminal
    assert "is under way." in terminal
    assert json.loads(out)["orders"] > 0
    elsewhere = await shop.o2c(*command)
    assert elsewhere.err == ""
    workflow_id = audit_workflow_id(tuple(shop.settings.sellers), begins, None)
    shown: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(3):
            await _watch(shop.client, Pass(workflow_id, ""), shown.append)
    assert re.fullmatch(rf"{workflow_id}: \d+ (orders|refunds of seller \w+) compared\.", shown[0])


async def _typed(shop: Workshop, answer: str, *words: str) -> tuple[int, str, str]:
    """Run the command as on a terminal: status, standard output, what the terminal showed."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starters", *words, "--config", str(shop.config_file)),
        stdin=slave,
        stdout=asyncio.subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    os.write(master, answer.encode())
    shown = asyncio.create_task(asyncio.to_thread(_read, master))
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    terminal = await shown
    os.close(master)
    return process.returncode or 0, out.decode(), terminal


def _read(master: int) -> str:
    written = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        written += chunk
    return written.decode()
