"""Amazon's own stock as activities: pages in a row and in time, adjustments taken in once, corrections M3 keeps."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.inventory import PASSES
from activities.archive import Archive
from activities.fba_stock import FbaStockActivities
from activities.m3.fba_stock import M3FbaStockActivities
from activities.m3.steps.book_stock_corrections import FbaStockOptions
from canonical.held import HeldReason
from canonical.import_contracts import FileWanted
from canonical.stock import fba_contracts as act
from canonical.stock.corrections import CorrectionRules, FbaAdjustment
from simulators import assortment, catalogue
from tests.activities.amazon_world import DE, EU, Amazon, amazon, attempt
from tests.activities.m3_bench import Bench, WorkerDied, bench
from tests.unit.test_fba_ledger import FIRST, Line, file

SELLER = EU.seller_id
TEA, COFFEE = assortment.ORDINARY_ITEMS[:2]
RULES = CorrectionRules(whlo="AFE", most_pieces=20)


# --- what a marketplace shows -----------------------------------------------------------------------


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[Amazon]:
    """Amazon with its documented rates, and four pages of goods."""
    async with amazon(tmp_path) as running:
        pools = [
            {"seller": SELLER, "sku": f"BULK-{n:04d}", "marketplace": DE.marketplace_id, "fulfillable": n}
            for n in range(180)
        ]
        answer = await running.http.post(f"{running.url}/_control/stock/fba", json={"pools": pools})
        answer.raise_for_status()
        yield running


def activities(world: Amazon, folder: Path) -> FbaStockActivities:
    return FbaStockActivities({SELLER: world.client()}, Archive(str(folder / "archive")))


async def test_all_pages_are_read_in_a_row_and_amazon_refuses_no_call(world: Amazon, tmp_path: Path) -> None:
    stock = activities(world, tmp_path)
    fr = next(one.marketplace_id for one in EU.marketplaces if one.country == "FR")
    asked = [
        act.ReadStockRequest(seller_id=SELLER, marketplace_id=each, folder="looks/1")
        for each in (DE.marketplace_id, fr)
    ]
    both = await asyncio.gather(*(attempt(1).run(stock.read_fba_stock, one) for one in asked))
    assert [(one.skus >= 180, one.passes, one.remarks) for one in both] == [(True, 1, ())] * 2
    statuses = await world.calls("getInventorySummaries")
    assert len(statuses) >= 8
    assert set(statuses) == {200}, "two readers of one seller take turns"


async def test_a_429_is_waited_out_within_the_life_of_the_token(world: Amazon) -> None:
    await world.fault("status_429", "getInventorySummaries", times=2)
    shown = await world.client().inventory.summaries(SELLER, DE.marketplace_id)
    assert (len(shown.views) >= 180, shown.passes) == (True, 1)
    assert (await world.calls("getInventorySummaries")).count(429) == 2


async def test_a_429_without_end_is_tried_again_later(world: Amazon) -> None:
    await world.fault("status_429", "getInventorySummaries", times=50)
    with pytest.raises(AmazonError) as caught:
        await world.client().inventory.summaries(SELLER, DE.marketplace_id)
    assert caught.value.failure is Failure.QUOTA


@pytest.mark.parametrize("stale", [1, PASSES])
async def test_a_stale_token_begins_again_and_not_for_ever(
    world: Amazon, stale: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    calls, refused = client._transport.call, 0

    async def call(operation: object, *, query: dict[str, str], **more: object) -> dict[str, object]:
        nonlocal refused
        if "nextToken" in query and refused < stale:
            refused += 1
            await world.http.post(f"{world.url}/_control/advance", json={"seconds": 31})
        return await calls(operation, query=query, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(client._transport, "call", call)
    if stale < PASSES:
        shown = await client.inventory.summaries(SELLER, DE.marketplace_id)
        skus = [view.sku for view in shown.views]
        assert shown.passes == stale + 1
        assert len(set(skus)) == len(skus) >= 180, "nothing of the pass before is kept"
    else:
        with pytest.raises(AmazonError) as caught:
            await client.inventory.summaries(SELLER, DE.marketplace_id)
        assert caught.value.failure is Failure.REFUSED


async def test_another_seller_is_not_asked_for(world: Amazon, tmp_path: Path) -> None:
    request = act.ReadStockRequest(seller_id="NOBODY", marketplace_id=DE.marketplace_id, folder="looks/1")
    with pytest.raises(ApplicationError) as caught:
        await attempt(1).run(activities(world, tmp_path).read_fba_stock, request)
    assert caught.value.non_retryable


# --- the ledger, taken in once -------------------------------------------------------------------


class Desk:
    """The ledger's reader on an archive of its own."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive(str(folder / "archive"))
        self.stock = FbaStockActivities({}, self.archive)

    async def read(self, lines: Iterable[Line], begin: date | None = None) -> act.LedgerRead:
        await self.archive.keep("reports/1.txt", file(list(lines)))
        request = act.ReadLedgerRequest(seller_id=SELLER, file=FileWanted(key="reports/1.txt"), begin=begin)
        return await attempt(1).run(self.stock.read_fba_ledger, request)

    async def taken(self, read: act.LedgerRead) -> None:
        request = act.NoteTakenRequest(seller_id=SELLER, subject=read.subject, key=read.key)
        await attempt(1).run(self.stock.note_fba_taken, request)


async def test_what_was_taken_in_is_known_whatever_is_read_with_it(tmp_path: Path) -> None:
    desk, old = Desk(tmp_path), [Line(reference="1"), Line(reference="1"), Line(reference="2")]
    first = await desk.read(old)
    assert (first.adjustments, first.known) == (3, 0)
    again = await desk.read(reversed(old))
    assert again.subject == first.subject, (
        "the same adjustments are the same workflow until they are taken in"
    )
    await desk.taken(first)
    await desk.taken(first)
    later = await desk.read([Line(reference="3"), *old, Line(reference="1")])
    assert (later.adjustments, later.known) == (2, 3), "a third line like two that are known is new"
    await desk.taken(later)
    nothing = await desk.read(old)
    assert (nothing.adjustments, nothing.subject, nothing.key) == (0, "", "")


async def test_what_amazon_did_before_the_beginning_is_never_taken_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    lines = [Line(reference="1"), Line(reference="2", day=FIRST + timedelta(days=1))]
    read = await desk.read(lines, begin=FIRST + timedelta(days=1))
    assert (read.adjustments, read.known) == (1, 1)
    assert (await desk.read(lines)).adjustments == 2


async def test_a_file_that_is_no_ledger_is_refused_in_a_sentence(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.archive.keep("reports/1.txt", b"order-id\tsku\n")
    request = act.ReadLedgerRequest(seller_id=SELLER, file=FileWanted(key="reports/1.txt"))
    with pytest.raises(ApplicationError) as caught:
        await attempt(1).run(desk.stock.read_fba_ledger, request)
    assert caught.value.non_retryable
    assert "no column" in caught.value.message


# --- corrections in M3 ---------------------------------------------------------------------------


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as stage:
        await stage.post("staff", at_work=False)
        await stage.post("counts", whlo="AFE", onhand={TEA.itno: "10", COFFEE.itno: "10"})
        yield stage


class Shop:
    """The corrections of one look on one M3."""

    def __init__(self, stage: Bench, folder: Path, **options: object) -> None:
        self.stage = stage
        self.archive = Archive(str(folder / "archive"))
        wanted = FbaStockOptions(
            rules={SELLER: RULES},
            marketplaces={SELLER: tuple(stage.m3.context.profiles)},
            message_type=catalogue.MESSAGE_TYPE,
        )
        self.options = replace(wanted, **options)  # type: ignore[arg-type]

    def on(self, stage: Bench) -> M3FbaStockActivities:
        async def none() -> Iterable[act.Waiting]:
            return ()

        return M3FbaStockActivities(stage.m3.context, self.archive, self.options, none)

    @property
    def m3(self) -> M3FbaStockActivities:
        return self.on(self.stage)

    async def planned(self, *told: tuple[str, int, str], look: str = "1") -> act.PlannedCorrections:
        """A plan of a look's adjustments: SKU, pieces, reason."""
        adjustments = [
            FbaAdjustment(
                reference=f"{SELLER}|{look}|{number}", seller=SELLER, sku=sku, at=datetime(2026, 11, 1, tzinfo=UTC),
                quantity=quantity, reason=reason, sellable=True, area="EU",
            )
            for number, (sku, quantity, reason) in enumerate(told)
        ]  # fmt: skip
        text = json.dumps([one.model_dump(mode="json") for one in adjustments])
        await self.archive.keep("adjustments.json", text.encode())
        request = act.PlanCorrectionsRequest(
            seller_id=SELLER, subject="stock-000000000000", key="adjustments.json", number=1
        )
        return await self.stage.run(self.m3.plan_fba_corrections, request)

    def booking(self, plan: act.PlannedCorrections, **more: object) -> act.BookCorrectionsRequest:
        fields = {"seller_id": SELLER, "subject": "stock-000000000000", "plan_key": plan.key, "part": "ready"}
        return act.BookCorrectionsRequest.model_validate(fields | more)

    async def on_hand(self, itno: str) -> Decimal:
        rows = (await self.stage.control.get("/_control/balances", params={"whlo": "AFE"})).json()
        return next(Decimal(row["onhand"]) for row in rows if row["itno"] == itno)


async def test_a_worker_that_dies_between_any_two_calls_books_each_correction_once(
    m3: Bench, tmp_path: Path
) -> None:
    shop = Shop(m3, tmp_path)
    for when in ("before", "after"):
        for place in (1, 2):
            await m3.post("counts", whlo="AFE", onhand={TEA.itno: "10", COFFEE.itno: "10"})
            told = ((TEA.sku, -1, "M"), (TEA.sku, -1, "M"), (COFFEE.sku, 4, "F"))
            plan = await shop.planned(*told, look=f"{when} {place}")
            m3.wire.dies_at = (len(m3.wire.calls) + place, when)
            with pytest.raises(WorkerDied):
                await m3.run(shop.m3.book_fba_corrections, shop.booking(plan))
            late = (when, place) == ("after", 2)
            assert await shop.on_hand(COFFEE.itno) == (14 if late else 10)
            done, _ = await m3.until_done(shop.on(m3.other).book_fba_corrections, shop.booking(plan))
            again = await m3.run(shop.on(m3.other).book_fba_corrections, shop.booking(plan))
            assert (done.booked, done.refused, again.booked, again.repeated) == (3, (), 3, 3)
            assert (await shop.on_hand(TEA.itno), await shop.on_hand(COFFEE.itno)) == (8, 14)


async def test_a_lost_reply_books_each_correction_once(m3: Bench, tmp_path: Path) -> None:
    shop = Shop(m3, tmp_path)
    plan = await shop.planned((TEA.sku, -3, "M"), (COFFEE.sku, 2, "F"))
    await m3.fault("MMS850MI.AddAdjust", "drop", "after", times=6)
    done, failed = await m3.until_done(shop.m3.book_fba_corrections, shop.booking(plan))
    assert (done.booked, failed > 0 or done.repeated > 0) == (2, True)
    assert (await shop.on_hand(TEA.itno), await shop.on_hand(COFFEE.itno)) == (7, 12)


async def test_what_waits_for_a_person_is_another_part_of_the_plan(m3: Bench, tmp_path: Path) -> None:
    shop = Shop(m3, tmp_path)
    plan = await shop.planned(
        (TEA.sku, 25, "F"), (COFFEE.sku, -2, "M"), ("NOBODY", 1, "F"), (TEA.sku, 1, "3")
    )
    assert (plan.ready, plan.to_approve, plan.doubts, plan.without) == (1, 1, 1, 1)
    await m3.run(shop.m3.book_fba_corrections, shop.booking(plan))
    assert (await shop.on_hand(TEA.itno), await shop.on_hand(COFFEE.itno)) == (10, 8)
    await m3.run(shop.m3.book_fba_corrections, shop.booking(plan, part="to_approve"))
    assert await shop.on_hand(TEA.itno) == 35


async def test_what_m3_does_later_is_waited_for_and_its_errors_are_refusals(
    m3: Bench, tmp_path: Path
) -> None:
    shop = Shop(m3, tmp_path, flag="*AUT")
    plan = await shop.planned((TEA.sku, 3, "F"), (COFFEE.sku, -15, "M"))
    done, _ = await m3.until_done(shop.m3.book_fba_corrections, shop.booking(plan))
    [refused] = done.refused
    assert (done.booked, "MMS850" in refused.sentence) == (1, True)
    assert (await shop.on_hand(TEA.itno), await shop.on_hand(COFFEE.itno)) == (13, 10)
    again = await m3.run(shop.m3.book_fba_corrections, shop.booking(plan, numbers=(refused.number,)))
    assert [one.number for one in again.refused] == [refused.number], "its number is used up"


async def test_a_partner_that_is_not_set_up_refuses_each_correction(m3: Bench, tmp_path: Path) -> None:
    shop = Shop(m3, tmp_path, message_type="NONE")
    plan = await shop.planned((TEA.sku, 3, "F"))
    done = await m3.run(shop.m3.book_fba_corrections, shop.booking(plan))
    assert (done.booked, done.refused[0].code) == (0, "ED01016")


async def test_without_the_section_nothing_is_planned(m3: Bench, tmp_path: Path) -> None:
    shop = Shop(m3, tmp_path, rules={})
    await shop.archive.keep("adjustments.json", b"[]")
    request = act.PlanCorrectionsRequest(
        seller_id=SELLER, subject="stock-1", key="adjustments.json", number=1
    )
    hold = await m3.held(shop.m3.plan_fba_corrections, request)
    assert hold.reason is HeldReason.NOT_CONFIGURED
