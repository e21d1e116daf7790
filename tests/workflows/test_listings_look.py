"""A look at a seller's listings, through real Temporal and both simulators: read, mapped, kept, told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import listings_snapshot as snapshots
from activities.archive import Archive
from activities.listings_look import ListingsLookActivities
from activities.m3.context import M3Context
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import stock_workflow_id
from canonical.listings_report import LISTINGS_REPORT
from canonical.profile import ItemRule
from canonical.stock.listing_contracts import (
    LISTINGS_LOOK,
    SKUS_IN_PART,
    ListingsLookInput,
    ListingsLookResult,
    MapListingsRequest,
    MappedSkus,
    MarketplaceListings,
    listings_key,
    listings_look_workflow_id,
)
from canonical.stock.listings import Listing, ListingsHead
from canonical.stock.news import LISTED, ListingsRead
from tests.support.world import World, eventually
from worker.archiving import open_archive
from worker.listings import ListingsAfterMapping, look_after_mapping
from worker.outside import outside
from worker.sku_settings import SkuSettings

EU = "A2EUSELLER0001"
DE, GB, FR = "A1PA6795UKMFR9", "A1F83G8C2ARO7P", "A13V1IB3VIYZZH"
HEADER = (
    "seller-sku",
    "item-name",
    "quantity",
    "product-id-type",
    "product-id",
    "asin1",
    "fulfillment-channel",
    "status",
)
_numbers = count(1)


async def look(world: World, *marketplaces: str, ask: bool = True) -> ListingsLookResult:
    """One look of the schedule's."""
    result: ListingsLookResult = await world.client.execute_workflow(
        LISTINGS_LOOK,
        ListingsLookInput(seller_id=EU, marketplace_ids=marketplaces or (DE,), ask=ask),
        id=f"test-listings-{next(_numbers)}",
        task_queue=ORDERS_QUEUE,
        result_type=ListingsLookResult,
    )
    return result


async def put(http: object, path: str, body: object) -> None:
    answer = await http.post(path, json=body)  # type: ignore[attr-defined]
    assert answer.status_code < 300, answer.text


@pytest.fixture(autouse=True)
def nothing_read_before(world: World) -> None:
    """Whatever other tests of this process have put into the archive, some of it dated later."""
    open_archive(world.settings.archive).remove("listings")


async def listed(world: World, *skus: str, **facts: object) -> None:
    listings = [{"seller": EU, "sku": sku, "quantity": 7, **facts} for sku in skus]
    await put(world.amazon, "/_control/stock/listings", {"listings": listings})


async def in_m3(world: World, itno: str, *aliases: str, e0pa: str = "") -> None:
    names = [{"popn": name, "e0pa": e0pa} for name in aliases]
    await put(world.m3, "/_control/items", {"items": [{"itno": itno, "itds": itno, "aliases": names}]})


async def rule(world: World, **facts: object) -> None:
    await put(
        world.amazon, "/_control/reports/rules", {"report_type": LISTINGS_REPORT, "seller": EU, **facts}
    )


def kept(world: World, one: MarketplaceListings) -> dict[str, Listing]:
    """What is in the archive of it, by SKU."""
    snapshot = snapshots.read(open_archive(world.settings.archive), one.key)
    assert (snapshot.head.seller_id, snapshot.head.marketplace_id) == (EU, one.marketplace_id)
    assert snapshot.head.taken_at == one.taken_at
    return {listing.sku: listing for listing in snapshot.listings}


async def asked(world: World) -> int:
    """How many reports Amazon was asked for."""
    log = (await world.amazon.get("/_control/log", params={"limit": 2000})).json()
    entries = log["log"] if isinstance(log, dict) else log
    return sum(entry["operation"] == "createReport" for entry in entries)


async def test_each_sku_gets_the_item_of_its_alias_and_says_who_ships_it(world: World) -> None:
    await listed(world, "LL-ONE", "LL-NOBODY", ean="4006381333931", title="Grüner Tee")
    await listed(world, "LL-WRONG-EAN", ean="4006381333932")
    await listed(world, "LL-FBA", by="AMAZON")
    await in_m3(world, "LL-100", "LL-ONE", "LL-FBA")
    result = await look(world, DE, GB)
    assert result.complete
    for one in result.marketplaces:
        found = kept(world, one)
        assert found["LL-ONE"] == Listing(
            sku="LL-ONE", title="Grüner Tee", asin="B000000000", ean="4006381333931", channel="MFN", quantity=7,
            itno="LL-100", by="alias",
        )  # fmt: skip
        assert (found["LL-NOBODY"].itno, found["LL-NOBODY"].by) == ("", "")
        assert (found["LL-FBA"].channel, found["LL-FBA"].quantity, found["LL-FBA"].itno) == (
            "FBA",
            None,
            "LL-100",
        )
        assert "check digit 2" in found["LL-WRONG-EAN"].note
        assert one.counts.listings == len(found) == one.counts.mfn + one.counts.fba
        assert one.counts.without_item == sum(not listing.itno for listing in found.values())
        newest = snapshots.newest(open_archive(world.settings.archive), EU, one.marketplace_id)
        assert newest == one.key


async def test_an_alias_of_two_items_is_a_problem_and_no_item(world: World) -> None:
    await listed(world, "LL-TWICE", quantity=3)
    await in_m3(world, "LL-201", "LL-TWICE")
    await in_m3(world, "LL-202", "LL-TWICE", e0pa="SHOP")
    (one,) = (await look(world)).marketplaces
    listing = kept(world, one)["LL-TWICE"]
    assert (listing.itno, listing.rivals) == ("", ("LL-201", "LL-202"))
    assert "alias of 2 items in M3, LL-201, LL-202" in listing.problem
    assert listing.problem in one.remarks


async def test_a_name_that_m3_cannot_keep_is_not_looked_up_and_stays(world: World) -> None:
    long = "LL-" + "X" * 37
    await listed(world, long, "LL-BLANK IN IT", "LL-ÄÖ€")
    await in_m3(world, "LL-300", "LL-BLANK IN IT")
    (one,) = (await look(world)).marketplaces
    found = kept(world, one)
    assert found[long].itno == ""
    assert found["LL-BLANK IN IT"].itno == "LL-300"
    assert "LL-ÄÖ€" in found


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"outcome": "FATAL", "reason": "Try again tomorrow."}, "Try again tomorrow"),
        ({"text": "sku\tname\nA\tB\n"}, "no column"),
        ({"text": "<html></html>"}, "no header"),
    ],
)
async def test_a_marketplace_that_fails_does_not_hold_up_the_others(
    world: World, trouble: dict[str, object], words: str
) -> None:
    await rule(world, **trouble)
    result = await look(world, DE, GB, FR)
    failed = [one for one in result.marketplaces if one.failed]
    assert len(failed) == 1, result
    assert words in failed[0].sentence
    assert failed[0].key == ""
    assert all(one.counts.listings for one in result.marketplaces if not one.failed)
    assert not result.complete


@pytest.mark.parametrize(("action", "failed"), [("nok:XAU0008", 1), ("status_504", 0), ("drop", 0)])
async def test_m3_that_refuses_fails_a_marketplace_and_m3_that_is_away_none(
    world: World, action: str, failed: int
) -> None:
    fault = {"id": action, "operation": "MMS025MI.LstItem", "when": "before", "action": action, "times": 1}
    await put(world.m3, "/_control/faults", fault)
    result = await look(world, DE, FR)
    seen = (await world.m3.get("/_control/faults")).json()
    await world.m3.delete("/_control/faults")
    assert "'fired': 1" in str(seen), seen
    sentences = [one.sentence for one in result.marketplaces if one.failed]
    assert len(sentences) == failed, result
    assert all("MMS025MI.LstItem" in sentence for sentence in sentences)


async def test_what_amazon_made_a_while_ago_counts_as_old_as_it_is(world: World) -> None:
    (first,) = (await look(world, FR)).marketplaces
    between = datetime.now(UTC)
    await rule(world, outcome="CANCELLED")
    (second,) = (await look(world, FR)).marketplaces
    assert "that one was taken" in second.sentence
    assert first.taken_at is not None
    assert second.taken_at is not None
    assert max(first.taken_at, second.taken_at) < between
    assert kept(world, second)


async def test_no_listings_are_no_failure_and_change_nothing(world: World) -> None:
    seller, nowhere = "A2NASELLER0001", "A2EUQ1WTGCTBG2"
    await put(
        world.amazon,
        "/_control/reports/rules",
        {"report_type": LISTINGS_REPORT, "seller": seller, "outcome": "CANCELLED"},
    )
    result: ListingsLookResult = await world.client.execute_workflow(
        LISTINGS_LOOK,
        ListingsLookInput(seller_id=seller, marketplace_ids=(nowhere,)),
        id=f"test-listings-{next(_numbers)}",
        task_queue=ORDERS_QUEUE,
        result_type=ListingsLookResult,
    )
    (one,) = result.marketplaces
    assert (one.failed, one.key) == (False, "")
    assert "no new data" in one.sentence


async def test_after_a_mapping_the_last_listings_are_looked_up_again_without_amazon(world: World) -> None:
    await listed(world, "LL-LATER")
    (before,) = (await look(world)).marketplaces
    assert kept(world, before)["LL-LATER"].itno == ""
    requests = await asked(world)
    await in_m3(world, "LL-400", "LL-LATER")
    (after,) = (await look(world, ask=False)).marketplaces
    assert (after.key, after.taken_at) == (before.key, before.taken_at)
    assert kept(world, after)["LL-LATER"].itno == "LL-400"
    assert await asked(world) == requests


async def test_mappings_of_a_moment_are_one_look_and_one_under_way_is_followed_by_another(
    world: World,
) -> None:
    await listed(world, "LL-FIRST", "LL-SECOND", "LL-SILENT")
    (before,) = (await look(world)).marketplaces
    assert before.taken_at is not None
    await in_m3(world, "LL-450", "LL-FIRST", "LL-SILENT")
    reading = world.settings.model_copy(update={"sku": SkuSettings()})
    for settings, expected in ((world.settings, ""), (reading, listings_look_workflow_id(EU))):
        work = ListingsAfterMapping(world.client, settings)
        request = MappedSkus(seller_id=EU, skus=("LL-FIRST",))
        asked_for = await ActivityEnvironment().run(work.look_after_mapping, request)
        assert asked_for.workflow_id == expected
    await in_m3(world, "LL-451", "LL-SECOND")
    await look_after_mapping(world.client, world.settings, EU, ["LL-SECOND"])

    async def items() -> tuple[str, str]:
        found = kept(world, before)
        return found["LL-FIRST"].itno, found["LL-SECOND"].itno

    await eventually(items, lambda seen: seen == ("LL-450", "LL-451"))
    handle = world.client.get_workflow_handle(listings_look_workflow_id(EU), result_type=ListingsLookResult)
    ended = await handle.result()
    assert DE in {one.marketplace_id for one in ended.marketplaces if one.key}
    assert kept(world, before)["LL-SILENT"].itno == ""  # nobody asked for it


@workflow.defn(name="ListingsHeard")
class Heard:
    """Stands where the keeper does, and keeps what it is told."""

    def __init__(self) -> None:
        self.news: list[ListingsRead] = []

    @workflow.signal(name=LISTED)
    def listed(self, news: ListingsRead) -> None:
        self.news.append(news)

    @workflow.query
    def heard(self) -> list[ListingsRead]:
        return self.news

    @workflow.run
    async def run(self) -> None:
        await asyncio.Event().wait()


@pytest_asyncio.fixture
async def keeper(world: World) -> AsyncIterator[Client]:
    """Somebody who hears what the stock keeper is told."""
    queue = "test-listings-heard"
    runner = UnsandboxedWorkflowRunner()
    async with Worker(world.client, task_queue=queue, workflows=[Heard], workflow_runner=runner):
        handle = await world.client.start_workflow(
            Heard.run,
            id=stock_workflow_id(),
            task_queue=queue,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )
        yield world.client
        with suppress(RPCError):  # the test may have ended it
            await handle.terminate()


async def test_the_keeper_is_told_of_each_marketplace(world: World, keeper: Client) -> None:
    result = await look(world, DE, FR)
    assert all(one.told for one in result.marketplaces)
    heard: Sequence[ListingsRead] = await keeper.get_workflow_handle(stock_workflow_id()).query(Heard.heard)
    assert {(news.marketplace_id, news.key, news.taken_at) for news in heard} == {
        (one.marketplace_id, one.key, one.taken_at) for one in result.marketplaces
    }


async def test_without_a_keeper_the_look_does_the_same_and_says_so(world: World, keeper: Client) -> None:
    await keeper.get_workflow_handle(stock_workflow_id()).terminate()
    (one,) = (await look(world, FR)).marketplaces
    assert (one.told, one.failed) == (False, False)
    assert kept(world, one)


async def test_many_skus_go_in_parts_and_no_payload_is_large(world: World) -> None:
    many = 2 * SKUS_IN_PART + 1
    rows = [f"LM-{number:05d}\tTea {number}\t{number}\t\t\t\tDEFAULT\tActive" for number in range(many)]
    await in_m3(world, "LM-1", "LM-00000", f"LM-{many - 1:05d}")
    await rule(world, text="\n".join(["\t".join(HEADER), *rows, ""]), packing="gzip")
    (one,) = (await look(world)).marketplaces
    found = kept(world, one)
    assert len(found) == many
    assert {sku for sku, listing in found.items() if listing.itno} == {"LM-00000", f"LM-{many - 1:05d}"}
    handle = world.client.get_workflow_handle(f"test-listings-{next(_numbers) - 1}")
    history = await handle.fetch_history()
    assert max(event.ByteSize() for event in history.events) < 20_000


async def test_a_rule_gives_the_item_where_no_alias_does_and_answers_are_asked_for_once(
    world: World, tmp_path: Path
) -> None:
    archive = Archive(str(tmp_path))
    await in_m3(world, "LR-500", "LR-ALIAS")
    listings = [Listing(sku=sku, channel="MFN") for sku in ("LR-ALIAS", "LR-A1", "OTHER")]
    snapshots.write_part(archive, "work/1.jsonl.gz", listings)
    rules = (ItemRule(pattern=r"LR-A(\d)", itno=r"ITEM\1"),)
    profiles = {
        key: profile.model_copy(update={"item_rules": rules})
        for key, profile in world.settings.marketplaces.items()
    }
    async with outside(world.settings) as systems:
        m3 = M3Context(systems.m3, profiles, systems.m3_options)
        work = ListingsLookActivities(archive, m3, timedelta(days=1))
        request = MapListingsRequest(marketplace_id=DE, part="work/1.jsonl.gz")
        first = await ActivityEnvironment().run(work.map_listings, request)
        again = request.model_copy(update={"known": (first.answers,)})
        second = await ActivityEnvironment().run(work.map_listings, again)
    expected = {"LR-ALIAS": ("LR-500", "alias"), "LR-A1": ("ITEM1", "rule"), "OTHER": ("", "")}
    for mapped in (first, second):
        found = {one.sku: (one.itno, one.by) for one in snapshots.read_part(archive, mapped.part)}
        assert found == expected
    assert snapshots.read_answers(archive, second.answers).items == {}


def test_old_listings_are_deleted_but_never_the_newest(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    begin = datetime(2026, 1, 1, 4, tzinfo=UTC)
    for day in range(5):
        head = ListingsHead(
            seller_id=EU, marketplace_id=DE, report_id=str(day), taken_at=begin + timedelta(days=day)
        )
        snapshots.write(archive, head, [Listing(sku=f"S{day}", channel="MFN")])
    snapshots.write(archive, head.model_copy(update={"marketplace_id": GB}), [])
    assert snapshots.prune(archive, EU, DE, begin + timedelta(days=3)) == 3
    assert snapshots.newest(archive, EU, DE) == listings_key(EU, DE, begin + timedelta(days=4))
    assert snapshots.prune(archive, EU, DE, datetime.now(UTC) + timedelta(days=999)) == 1
    newest = snapshots.newest(archive, EU, DE)
    assert newest is not None
    assert snapshots.read(archive, newest).listings == (Listing(sku="S4", channel="MFN"),)
    assert snapshots.newest(archive, EU, GB) is not None
    assert snapshots.newest(archive, EU, FR) is None
