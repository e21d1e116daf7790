"""Return cases on a real Temporal server between both simulators: what goes back, and what M3 has of it."""

import asyncio
import gzip
import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from canonical.return_reports import FBA_RETURNS, MFN_RETURNS
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.returns import EU, Sold, fed, sold
from tests.support.world import World, eventually


async def repaired(item: Sold, name: str, **argument: object) -> str:
    """The repair's answer. A case that is to end with a repair, just when something else reaches it, is not ready for
    a moment; who repairs is then asked to repeat it."""
    while True:
        try:
            answer: str = await item.case.execute_update(
                name, {**argument, "by": "operations"}, result_type=str
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
        else:
            return answer


async def o2c(world: World, *words: str) -> str:
    """What the real command prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starters", *words, "--config", str(world.config_file),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def hand_made_credit(world: World, item: Sold, quantity: int = 1) -> str:
    """People in M3 take goods back on a return of their own and M3 credits it; the credit's number."""
    body = {"cuor": item.order_id, "quantity": str(quantity), "by_hand": True}
    (await world.m3.post("/_control/receive", json=body)).raise_for_status()
    found = await eventually(item.in_m3, lambda found: any(each["dlix"] == 0 for each in found["invoices"]))
    return str([each["ivno"] for each in found["invoices"] if each["dlix"] == 0][-1])


async def test_refunded_goods_that_came_back_are_returned_and_credited_once(
    world: World, tmp_path: Path
) -> None:
    """The refund with shipping and less a promotion; goods in two conditions; the same files again and again."""
    item = await sold(world, 3, shipping="4.90", discount="2.00")
    await item.happens("refund", units=3)
    await item.happens("return", units=2)
    await item.happens("return", units=1, disposition="CUSTOMER_DAMAGED")
    await fed(world, tmp_path)
    result = await item.settled()
    assert result.outcome == "settled"
    found = await item.in_m3()
    assert [each["yref"] for each in found["returns"]] == [f"{item.order_id}/1/{n}" for n in (1, 2)]
    lines = [line for each in found["returns"] for line in each["lines"]]
    assert sorted((line["returned"], line["credited"]) for line in lines) == [("1", "1"), ("2", "2")]
    [sale, *credited] = found["invoices"]
    assert sum(Decimal(each["gross"]) for each in credited) == -Decimal(sale["gross"])
    assert len(found["vouchers"]) == 3
    told = result.memory.facts.model_dump_json()
    assert "aunt" not in told, "What the buyer wrote is nobody's to read."

    again = await fed(world, tmp_path)
    assert (again.refunds.started, again.refunds.told) == (0, 0)
    assert not any(each.started or each.told for each in again.reports.values())
    assert len((await item.in_m3())["returns"]) == 2


async def test_money_is_counted_once_though_deferred_released_and_told_late(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1)
    await item.happens("refund", deferred=True)
    await fed(world, tmp_path)
    waiting = await item.until_waiting()
    [state] = waiting.states
    await item.happens("release", number=1)
    await item.happens("return")
    await fed(world, tmp_path)
    result = await item.settled()
    assert len(result.memory.facts.refunds) == 1
    assert result.memory.booked.credited == Decimal(state.split()[1]) > 0


async def test_goods_that_come_before_their_refund_wait_for_it(world: World, tmp_path: Path) -> None:
    """The report is taken in by the command."""
    item = await sold(world, 1)
    await item.happens("return")
    answer = await world.amazon.get(f"/_control/aftersale/{FBA_RETURNS}", params={"seller": EU})
    file = tmp_path / "returns.txt"
    file.write_bytes(gzip.compress(answer.content))
    out = await o2c(world, "returns", "--seller", EU, "--report", f"{FBA_RETURNS}={file}", "--json")
    assert json.loads(out)["reports"][FBA_RETURNS]["started"] >= 1
    view = await item.until_waiting()
    assert view.missing == ("the refund of 1 piece that came back",)
    assert (await item.in_m3())["returns"] == []
    await item.happens("refund")
    await fed(world, tmp_path)
    assert (await item.settled()).outcome == "settled"


@pytest.mark.parametrize("when", ["status_504", pytest.param("drop", marks=pytest.mark.long)])
async def test_a_lost_reply_makes_nothing_twice(world: World, tmp_path: Path, when: str) -> None:
    operations = ("OIS390MI.AddHead", "OIS390MI.AddLine", "MHS850MI.AddCOReturn")
    items = await asyncio.gather(*(sold(world, 1) for _ in operations))
    for operation, item in zip(operations, items, strict=True):
        fault = {"operation": operation, "match": {"CUOR": item.order_id}, "when": "after", "action": when}
        (await world.m3.post("/_control/faults", json=fault)).raise_for_status()
        await item.happens("refund")
        await item.happens("return")
    await fed(world, tmp_path)
    await asyncio.gather(*(item.settled() for item in items))
    faults = (await world.m3.get("/_control/faults")).json()["faults"]
    mine = {item.order_id for item in items}
    assert [fault["fired"] for fault in faults if fault.get("match", {}).get("CUOR") in mine] == [1, 1, 1]
    for item in items:
        found = await item.in_m3()
        assert len(found["returns"]) == 1
        assert len(found["returns"][0]["lines"]) == 1
        assert found["returns"][0]["lines"][0]["returned"] == "1"
        assert len(await item.credits()) == 1
    await world.m3.delete("/_control/faults")


async def test_a_refund_without_goods_is_flagged_at_its_age_and_goes_on_when_they_come(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1)
    await item.happens("refund")
    await fed(world, tmp_path)
    waiting = await item.until_waiting()
    assert waiting.due is not None
    assert waiting.due - waiting.since == timedelta(days=45)  # type: ignore[operator]
    await world.env.fast_forward(item.case, timedelta(days=46))
    held = await item.until_held("return_overdue")
    assert f"{item.order_id}/{item.sku}" in held.held_sentence
    flagged = json.loads(await o2c(world, "returns", "--overdue", "--json"))
    [mine] = [each for each in flagged if each["order_id"] == item.order_id]
    assert (mine["sku"], mine["held_reason"]) == (item.sku, "return_overdue")
    assert mine["missing"] == ["1 piece returned or reimbursed"]
    await item.happens("return")
    await fed(world, tmp_path)
    assert (await item.settled()).outcome == "settled"


async def test_what_never_comes_is_accepted_and_its_refund_credited_by_hand(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1)
    await item.happens("refund", days_ago=60)
    await fed(world, tmp_path)
    await item.until_held("return_overdue")
    with pytest.raises(Exception, match="failed"):
        await repaired(item, "mark_step_done", step="crediting", number="1")
    await repaired(item, "accept_difference", why="lost for good")
    await item.until_held("credit_differs")
    sale = str((await item.in_m3())["invoices"][0]["ivno"])
    await repaired(item, "mark_step_done", step="crediting", number=sale)
    refused = await eventually(item.view, lambda view: bool(view.remarks) and bool(view.held_reason))
    assert "is no credit" in refused.remarks[-1]
    credit = await hand_made_credit(world, item)
    await repaired(item, "mark_step_done", step="crediting", number=credit)
    result = await item.settled()
    assert [each.fix for each in result.repairs] == ["accept_difference", "mark_step_done", "mark_step_done"]
    assert [each.ivno for each in result.memory.booked.by_hand] == [credit]


async def test_a_reimbursement_settles_the_goods_and_its_reversal_opens_the_case_again(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1)
    await item.happens("refund", days_ago=60)
    await item.happens("reimburse", days_ago=5)
    await fed(world, tmp_path)
    await item.until_held("credit_differs")
    await item.case.signal("accept_difference", {"by": "operations", "why": "credited in the settlement"})
    first = await item.settled()
    assert any("reimbursed" in part for part in first.sentence.split(","))
    await item.happens("reimburse", units=1, amount="-10.00")
    await fed(world, tmp_path)
    held = await item.until_held("return_overdue")
    assert held.missing == ("1 piece returned or reimbursed",)
    assert held.facts.refunds == first.memory.facts.refunds
    await repaired(item, "cancel")
    assert (await item.settled()).outcome == "given_up"


async def test_goods_on_their_way_to_the_own_warehouse_are_announced_received_and_credited(
    world: World, tmp_path: Path
) -> None:
    body = order(ORDINARY, channel="MERCHANT")
    order_id = await world.place(body)
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    (await world.m3.post("/_control/ship", json={"cuor": order_id})).raise_for_status()
    await world.m3_ships(order_id)
    await world.result(handle)
    item = Sold(world, order_id, ORDINARY, str(body["orderItems"][0]["orderItemId"]))  # type: ignore[index]
    await item.happens("announce")
    await fed(world, tmp_path, MFN_RETURNS, refunds=False)
    await item.until_waiting()
    [announced] = (await item.in_m3())["returns"]
    assert (announced["whlo"], announced["lines"][0]["returned"]) == ("MAI", "0")
    await item.happens("refund")
    (await world.m3.post("/_control/receive", json={"cuor": order_id})).raise_for_status()
    told = await fed(world, tmp_path, MFN_RETURNS, nudge=True)
    assert told.nudged >= 1
    result = await item.settled()
    assert [each.source for each in result.memory.facts.returned.values()] == ["m3"]
    assert len((await item.in_m3())["returns"]) == 1
    assert len(await item.credits()) == 1


async def test_goods_that_come_in_two_parts_are_credited_with_the_sum_of_m3_s_two_credits(
    world: World, tmp_path: Path
) -> None:
    body = order((ORDINARY, 2), channel="MERCHANT", status="SHIPPED")
    order_id = await world.place(body)
    await world.result(await world.start(order_id))
    item = Sold(world, order_id, ORDINARY, str(body["orderItems"][0]["orderItemId"]))  # type: ignore[index]
    await item.happens("announce", units=2)
    await item.happens("refund", units=2)
    await fed(world, tmp_path, MFN_RETURNS)
    await item.until_waiting()
    for part in (1, 2):
        (await world.m3.post("/_control/receive", json={"cuor": order_id})).raise_for_status()
        await fed(world, tmp_path, MFN_RETURNS, refunds=False, nudge=True)
        if part == 1:
            half = await eventually(item.view, lambda view: bool(view.booked.credits))
            assert [move.credited for move in half.booked.movements] == [1]
    result = await item.settled()
    assert result.outcome == "settled"
    assert len(await item.credits()) == len(result.memory.booked.credits) == 2
    assert -sum(map(Decimal, await item.credits())) == result.memory.booked.credited
    assert result.memory.booked.credited == sum(
        each.creditable for each in result.memory.facts.refunds.values()
    )


async def test_a_return_that_people_have_entered_is_taken_as_the_case_s_own(
    world: World, tmp_path: Path
) -> None:
    body = order((ORDINARY, 2), channel="MERCHANT", status="SHIPPED")
    order_id = await world.place(body)
    await world.result(await world.start(order_id))
    item = Sold(world, order_id, ORDINARY, str(body["orderItems"][0]["orderItemId"]))  # type: ignore[index]
    (await world.m3.post("/_control/credits", json={"made": False})).raise_for_status()
    try:
        received = {"cuor": order_id, "quantity": "2", "by_hand": True}
        (await world.m3.post("/_control/receive", json=received)).raise_for_status()
        await item.happens("announce", units=2)
        await item.happens("refund", units=2)
        await fed(world, tmp_path, MFN_RETURNS)
        view = await eventually(item.view, lambda view: view.step == "crediting")
    finally:
        (await world.m3.post("/_control/credits", json={"made": True})).raise_for_status()
    [adopted] = view.booked.movements
    assert (await item.settled()).outcome == "settled"
    assert [(each["yref"], str(each["repn"])) for each in (await item.in_m3())["returns"]] == [
        ("", adopted.repn)
    ]


async def test_a_replacement_is_free_and_what_it_replaces_comes_back_without_a_credit(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1)
    association = [{"orderId": item.order_id, "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    body = order(ORDINARY, status="SHIPPED", associatedOrders=association)
    for line in body["orderItems"]:  # type: ignore[attr-defined]
        line.pop("proceeds")
    body.pop("proceeds")
    again = await world.place(body)
    await world.sweep(m3=False)
    replacement = await world.result(world.handle(again))
    assert replacement.outcome == "booked"
    assert replacement.total is not None
    assert replacement.total.amount == 0
    view = await item.until_waiting()
    assert view.states == ("replaced 1",)
    await item.happens("return")
    await fed(world, tmp_path, FBA_RETURNS)
    result = await item.settled()
    assert result.outcome == "settled"
    [back] = (await item.in_m3())["returns"]
    assert (back["ortp"], float(back["lines"][0]["sapr"]), back["lines"][0]["returned"]) == ("AZR", 0.0, "1")
    assert await item.credits() == []


async def test_what_m3_refuses_or_amazon_garbles_is_held_with_its_reason_and_repaired(
    world: World, tmp_path: Path
) -> None:
    refused, odd = await asyncio.gather(sold(world, 1), sold(world, 1))
    fault = {
        "operation": "OIS390MI.AddLine",
        "match": {"CUOR": refused.order_id},
        "action": "nok:WRE0103",
        "times": 1,
    }
    (await world.m3.post("/_control/faults", json=fault)).raise_for_status()
    for item in (refused, odd):
        await item.happens("refund")
        await item.happens("return", units=2 if item is odd else 1)
    await fed(world, tmp_path)
    held = await refused.until_held("return_refused")
    assert "WRE0103" in held.held_sentence
    assert "came back" in (await odd.until_held("return_odd")).held_sentence
    out = await o2c(world, "held", "--json")
    listed: dict[str, dict[str, Any]] = {each["order_id"]: each for each in json.loads(out)}
    entry = listed[f"{refused.order_id}/{refused.sku}"]
    assert (entry["kind"], entry["reason"]) == ("return case", "return_refused")
    assert entry["command"] == f"o2c fix {refused.order_id}/{refused.sku} retry"
    await o2c(world, *entry["command"].split()[1:], "--by", "operations")
    assert (await refused.settled()).outcome == "settled"
    assert len((await refused.in_m3())["returns"]) == 1
    await repaired(odd, "cancel")
    assert (await odd.settled()).outcome == "given_up"


@pytest.mark.long
async def test_a_credit_that_m3_does_not_make_holds_the_case_and_comes_with_a_retry(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1, ANOTHER)
    (await world.m3.post("/_control/credits", json={"made": False})).raise_for_status()
    try:
        await item.happens("refund")
        await item.happens("return")
        await fed(world, tmp_path)
        await eventually(item.view, lambda view: view.step == "crediting")
        await world.env.fast_forward(item.case, timedelta(days=4))
        held = await item.until_held("credit_missing")
        assert "has credited 0 of 1" in held.held_sentence
    finally:
        (await world.m3.post("/_control/credits", json={"made": True})).raise_for_status()
    await repaired(item, "retry")
    assert (await item.settled()).outcome == "settled"


async def test_no_signal_stops_a_case_and_no_repair_is_taken_that_does_not_fit(
    world: World, tmp_path: Path
) -> None:
    item = await sold(world, 1)
    await item.happens("refund")
    await fed(world, tmp_path)
    await item.until_waiting()
    for name, arguments in (
        ("case_told", []),
        ("case_told", [{"facts": 7}]),
        ("retry", [1, 2]),
        ("no_such_thing", ["x"]),
        ("look_again", [{"surplus": True}]),
        ("cancel", []),
    ):
        await item.case.signal(name, args=arguments)
    view = await eventually(item.view, lambda view: len(view.remarks) >= 5)
    assert (view.step, view.held_reason) == ("awaiting_return", "")
    assert any("no_such_thing" in remark for remark in view.remarks)
    assert datetime.now(UTC) < (view.due or datetime.now(UTC))
    await item.case.cancel()
    assert (await item.settled()).outcome == "given_up"
