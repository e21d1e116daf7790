"""What Amazon does to its stock, through real Temporal and both simulators: in M3 once, or asked for."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from canonical.held_reasons import HELD_REASONS, STOCK_REASONS
from canonical.stock.fba_contracts import FbaCorrectionView, LedgerRead
from simulators import assortment
from tests.support import fba_stock as stock
from tests.support.fba_stock import ITEMS, Handle, held, in_m3, look, subject_of, view
from tests.support.holding import Workshop, workshop
from tests.support.orders import ANOTHER, ORDINARY
from tests.support.world import PATIENCE, eventually, updated
from tests.support.write_run import faults_of

THIRD = next(sku for sku in ITEMS if sku not in (ORDINARY, ANOTHER))


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path_factory.mktemp("fba-stock")) as running:
        yield running


@pytest_asyncio.fixture(autouse=True)
async def ordinary(shop: Workshop) -> None:
    """Every test begins with the same configuration, no faults, and with M3's stock as Amazon's."""
    await shop.configure(stock.with_fba_stock)
    await shop.m3.delete("/_control/faults")
    await shop.amazon.delete("/_control/faults")
    await shop.amazon.delete("/_control/reports/rules")
    for sku in (ORDINARY, ANOTHER, THIRD):
        await stock.put(shop, sku, 100)
        await stock.put(shop, sku, 10, market=stock.GB)
        await stock.count(shop, sku, 110)


async def ended(handle: Handle) -> FbaCorrectionView:
    try:
        return await asyncio.wait_for(handle.result(), PATIENCE.total_seconds())
    except TimeoutError:
        raise AssertionError(f"The corrections do not end: {await view(handle)}") from None


async def equal(shop: Workshop, *skus: str) -> None:
    for sku in skus:
        assert await in_m3(shop, sku) == await stock.at_amazon(shop, sku), sku


async def messages(shop: Workshop) -> int:
    """Corrections that M3 has got since it runs."""
    entries: list[dict[str, Any]] = (await shop.m3.get("/_control/log", params={"limit": 100_000})).json()
    return sum(entry["operation"] == "MMS850MI.AddAdjust" for entry in entries)


async def test_m3_has_what_amazon_has_after_whatever_happened(shop: Workshop) -> None:
    await stock.happens(shop, ORDINARY, "lost", 3)
    await stock.happens(shop, ORDINARY, "found", 2)
    await stock.happens(shop, ORDINARY, "damaged", 4)
    await stock.happens(shop, ANOTHER, "disposed", 5)
    await stock.happens(shop, ANOTHER, "lost", 1, market=stock.GB)
    await stock.happens(shop, ANOTHER, "returned", 1, disposition="DEFECTIVE")
    seen = await look(shop)
    assert seen.read.adjustments == 6, seen
    result = await ended(stock.handle_of(shop, seen))
    assert (result.outcome, result.booked, result.pieces, result.plans[0].without) == ("booked", 5, 15, 1)
    assert await in_m3(shop, ORDINARY) == 105
    await equal(shop, ORDINARY, ANOTHER)
    before = await messages(shop)
    again = await look(shop)
    assert (again.read.adjustments, again.read.known, again.workflow_id) == (0, 6, "")
    assert await messages(shop) == before
    seen = await stock.stock_look(shop)
    mine = [row for row in seen.rows if row.itno in (ITEMS[ORDINARY], ITEMS[ANOTHER])]
    assert mine == [], mine


async def test_a_large_correction_waits_for_approval_and_is_booked_once(shop: Workshop) -> None:
    await stock.happens(shop, ORDINARY, "lost", 30)
    await stock.happens(shop, ANOTHER, "lost", 2)
    handle = stock.handle_of(shop, await look(shop))
    waiting = await held(handle, "stock_correction_to_approve")
    assert f"-30 of item {ITEMS[ORDINARY]} in warehouse AFE (lost)" in waiting.held_sentence
    assert await in_m3(shop, ORDINARY) == 110
    assert await in_m3(shop, ANOTHER) == 108, "what is small does not wait for what is large"
    assert (await look(shop)).workflow_id == "", "nobody is asked twice"
    compared = await stock.stock_look(shop)
    [row] = [row for row in compared.rows if row.itno == ITEMS[ORDINARY]]
    assert (row.difference, row.under_way, row.beyond) == (-30, -30, 0)
    listed = await shop.o2c("held", "--reason", "stock_correction_to_approve")
    assert f"o2c fix {subject_of(handle)} accept_difference" in listed.out
    said = await shop.o2c(
        "fix", subject_of(handle), "accept_difference", "--by", "warehouse", "--why", "counted"
    )
    assert said.status == 0, said.err
    result = await ended(handle)
    assert (result.outcome, result.booked, result.pieces) == ("booked", 2, 32)
    assert [(one.fix, one.by) for one in result.repairs] == [("accept_difference", "warehouse")]
    late = await shop.o2c("fix", subject_of(handle), "accept_difference")
    assert late.status == 1
    assert "closed" in late.err
    await equal(shop, ORDINARY, ANOTHER)


async def test_what_is_not_approved_is_left_out_with_its_reason(shop: Workshop) -> None:
    await stock.happens(shop, ORDINARY, "lost", 25)
    handle = stock.handle_of(shop, await look(shop))
    await held(handle, "stock_correction_to_approve")
    said = await shop.o2c("fix", subject_of(handle), "cancel", "--by", "ann", "--why", "Amazon found them")
    assert said.status == 0, said.err
    result = await ended(handle)
    assert (result.booked, result.left_out[0].count, result.left_out[0].why) == (0, 1, "Amazon found them")
    assert "Amazon found them" in result.sentence
    assert await in_m3(shop, ORDINARY) == 110
    assert (await look(shop)).workflow_id == ""


async def test_a_run_with_too_many_pieces_waits_as_a_whole(shop: Workshop) -> None:
    for _ in range(5):
        await stock.happens(shop, ORDINARY, "lost", 15)
    handle = stock.handle_of(shop, await look(shop))
    waiting = await held(handle, "stock_correction_to_approve")
    assert "The run changes 75 pieces, more than 60." in waiting.held_sentence
    assert (waiting.booked, await in_m3(shop, ORDINARY)) == (0, 110)
    await asyncio.gather(
        *(handle.signal("accept_difference", {"by": name}) for name in ("ann", "bob")),
        updated(handle, "accept_difference", {"by": "eve"}),
        return_exceptions=True,
    )
    result = await ended(handle)
    assert (result.pieces, result.booked, len(result.repairs)) == (75, 5, 1)
    await equal(shop, ORDINARY)


async def test_an_unknown_reason_and_an_unknown_sku_are_asked_for(shop: Workshop) -> None:
    unmapped = next(sku for sku, why in assortment.TROUBLE.items() if why == "unmapped_sku")
    await stock.put(shop, unmapped, 10)
    await stock.happens(shop, unmapped, "lost", 1)
    await stock.happens(shop, ORDINARY, "donated", 2)
    await stock.happens(shop, ORDINARY, "lost", 1)
    handle = stock.handle_of(shop, await look(shop))
    waiting = await held(handle, "stock_adjustment_unknown")
    assert unmapped in waiting.held_sentence
    assert "Amazon's reason G is not known" in waiting.held_sentence
    assert (waiting.booked, await in_m3(shop, ORDINARY)) == (1, 109)
    compared = await stock.stock_look(shop)
    assert f"{stock.EU}/{unmapped}" in compared.unmapped
    await updated(handle, "retry")
    again = await eventually(lambda: view(handle), lambda now: len(now.plans) == 2 and bool(now.held_reason))
    assert again.plans[1].doubts == 2
    known = stock.SECTION + '\n[fba_stock.reasons]\nG = "disposed"\n'
    await shop.configure(lambda text: stock.with_fba_stock(text, known))
    await updated(handle, "retry")
    after = await eventually(lambda: view(handle), lambda now: len(now.plans) == 3 and bool(now.held_reason))
    assert (after.booked, after.plans[2].doubts) == (2, 1)
    await equal(shop, ORDINARY)
    await updated(handle, "accept_difference", {"by": "ann", "why": "not our goods"})
    result = await ended(handle)
    assert (result.outcome, result.left_out[0].what, result.left_out[0].by) == ("booked", "unknown", "ann")


async def test_what_m3_refuses_keeps_nothing_back_and_is_sent_again(shop: Workshop) -> None:
    await stock.count(shop, ORDINARY, 1)
    await stock.happens(shop, ORDINARY, "lost", 3)
    await stock.happens(shop, ANOTHER, "lost", 2)
    handle = stock.handle_of(shop, await look(shop))
    waiting = await held(handle, "stock_correction_refused")
    assert f"-3 of item {ITEMS[ORDINARY]}" in waiting.held_sentence
    assert (waiting.booked, await in_m3(shop, ANOTHER)) == (1, 108)
    compared = await stock.stock_look(shop)
    [row] = [row for row in compared.rows if row.itno == ITEMS[ORDINARY]]
    assert row.under_way == -3
    await stock.count(shop, ORDINARY, 110)
    await updated(handle, "retry")
    result = await ended(handle)
    assert (result.booked, result.refused) == (2, ())
    await equal(shop, ORDINARY, ANOTHER)


async def test_a_lost_reply_books_nothing_twice(shop: Workshop) -> None:
    fault = {"operation": "MMS850MI.AddAdjust", "action": "drop", "when": "after", "times": 3}
    assert (await shop.m3.post("/_control/faults", json=fault)).status_code == 201
    await stock.happens(shop, ORDINARY, "lost", 3)
    await stock.happens(shop, ORDINARY, "lost", 3)
    await stock.happens(shop, ANOTHER, "found", 4)
    result = await ended(stock.handle_of(shop, await look(shop)))
    assert (result.outcome, result.booked) == ("booked", 3)
    await equal(shop, ORDINARY, ANOTHER)
    assert await in_m3(shop, ORDINARY) == 104


async def test_a_cancelled_report_says_that_nothing_happened(shop: Workshop) -> None:
    rule = {"report_type": "GET_LEDGER_DETAIL_VIEW_DATA", "outcome": "CANCELLED"}
    assert (await shop.amazon.post("/_control/reports/rules", json=rule)).is_success
    seen = await look(shop, look_back=timedelta(days=40))
    assert (seen.read, seen.workflow_id) == (LedgerRead(), "")
    assert "no new data" in seen.sentence
    await stock.happens(shop, THIRD, "lost", 1)
    rule = {"report_type": "GET_LEDGER_DETAIL_VIEW_DATA", "outcome": "FATAL"}
    assert (await shop.amazon.post("/_control/reports/rules", json=rule)).is_success
    assert (await look(shop)).workflow_id == ""
    result = await ended(stock.handle_of(shop, await look(shop)))
    assert result.booked == 1, "the next look makes up for it"


async def test_stock_that_four_marketplaces_show_counts_once(shop: Workshop) -> None:
    await stock.happens(shop, THIRD, "found", 7)
    seen = await stock.stock_look(shop)
    [row] = [row for row in seen.rows if row.itno == ITEMS[THIRD]]
    assert (row.amazon, row.m3, row.beyond, row.skus) == (117, 110, 7, (f"{stock.EU}/{THIRD}",))
    shown = await shop.o2c("inventory", "fba")
    assert shown.status == 1, shown.err
    assert ITEMS[THIRD] in shown.out
    said = await shop.o2c("inventory", "adjustments", "--seller", stock.EU)
    assert said.status == 0, said.err
    assert "1 new adjustment" in said.out
    await eventually(lambda: in_m3(shop, THIRD), lambda pieces: pieces == 117)


async def test_a_page_token_that_is_stale_begins_the_marketplace_again(shop: Workshop) -> None:
    pools = [
        {
            "seller": stock.EU,
            "sku": f"BULK-{n:04d}",
            "marketplace": stock.DE,
            "fulfillable": 0,
            "listed": False,
        }
        for n in range(120)
    ]
    assert (await shop.amazon.post("/_control/stock/fba", json={"pools": pools})).status_code == 201
    name = "stale page"
    fault = {"id": name, "operation": "getInventorySummaries", "action": "hang", "skip": 1}
    assert (await shop.amazon.post("/_control/faults", json=fault)).status_code == 201
    looking = asyncio.create_task(stock.stock_look(shop))
    await eventually(lambda: faults_of(shop), lambda now: bool(now[name]["waiting"]))
    await shop.amazon.post("/_control/advance", json={"seconds": 31})
    await stock.happens(shop, "BULK-0000", "found", 3)
    await shop.amazon.post("/_control/release", json={"id": name})
    seen = await asyncio.wait_for(looking, PATIENCE.total_seconds())
    assert seen.skus >= 123
    assert f"{stock.EU}/BULK-0000" in seen.unmapped, "what was read before the token was lost is read again"


TOLD = {
    "stock_correction_to_approve": test_a_large_correction_waits_for_approval_and_is_booked_once,
    "stock_adjustment_unknown": test_an_unknown_reason_and_an_unknown_sku_are_asked_for,
    "stock_correction_refused": test_what_m3_refuses_keeps_nothing_back_and_is_sent_again,
}


@pytest.mark.parametrize("reason", sorted(STOCK_REASONS))
def test_every_reason_has_a_story(reason: str) -> None:
    assert f'"{reason}"' in inspect.getsource(TOLD[reason])
    assert HELD_REASONS[reason].fixes  # type: ignore[index]
