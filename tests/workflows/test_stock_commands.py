"""`o2c inventory status`, `push` and `drift`, as typed, beside a running keeper."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from canonical.ids import stock_workflow_id
from canonical.stock.keeper_state import PAUSE
from canonical.stock.news import STOCK
from starters.console import Refused
from starters.stock import keeper_state
from tests.support.holding import Said
from tests.support.stock_keeping import DE, FR, Goods, KeeperShop, at_work, keeper_world
from tests.support.world import eventually


@workflow.defn(name=STOCK, sandboxed=False)
class Failing:
    """Every workflow task of it fails, as one of wrong code does."""

    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("wrong code")


async def test_a_keeper_that_is_stuck_is_said_to_be(temporal: WorkflowEnvironment) -> None:
    queue = "test-stuck-keeper"
    async with Worker(temporal.client, task_queue=queue, workflows=[Failing]):
        handle = await temporal.client.start_workflow(STOCK, id=stock_workflow_id(), task_queue=queue)
        try:
            await eventually(
                handle.describe, lambda seen: seen.raw_description.pending_workflow_task.attempt > 1
            )
            with pytest.raises(Refused, match=r"does not answer.*the runbook says what to do"):
                await keeper_state(temporal.client)
        finally:
            await handle.terminate()


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeeperShop]:
    async with keeper_world(tmp_path_factory.mktemp("keeper-commands")) as place:
        said = await inventory(place, "status")
        assert said.status == 1
        assert "No stock keeper runs" in said.err
        async with at_work(place):
            yield place


async def inventory(shop: KeeperShop, *words: str) -> Said:
    """The real command, in a process of its own."""
    command = (sys.executable, "-m", "starters", "inventory", *words, "--config", str(shop.config_file))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Said(process.returncode or 0, out.decode(), err.decode())


def drifts(said: Said, goods: Goods) -> list[dict[str, object]]:
    """What is said to differ of one SKU."""
    return [each for each in json.loads(said.out)["drift"] if each["name"]["sku"] == goods.sku]


async def test_refused_offers_are_shown_and_sent_again(shop: KeeperShop) -> None:
    tea = await shop.one(3, DE)
    await shop.put(shop.amazon, "/_control/stock/refuse", {"sku": tea.sku})
    await shop.tell_listings()
    await eventually(shop.state, lambda view: view.totals.refused == 1)
    said = await inventory(shop, "status")
    assert said.status == 0, said.err
    assert "1 offer of 1 pool: 0 on their way, 0 waiting, 1 refused." in said.out
    assert "8541" in said.out
    view = json.loads((await inventory(shop, "status", "--json")).out)
    assert view["totals"]["refusals"][0]["sku"] == tea.sku
    assert (await shop.amazon.delete("/_control/stock/refuse")).status_code == 204
    pushed = await inventory(shop, "push", tea.sku, "--again", "--seller", "A2EUSELLER0001", "--json")
    assert pushed.status == 0, pushed.err
    assert json.loads(pushed.out)["pools"] == 1
    await shop.shows(tea, 3)


async def test_what_cannot_be_pushed_is_said_with_its_reason(shop: KeeperShop) -> None:
    unknown = await inventory(shop, "push", "NO-SUCH-SKU", "--seller", "A2EUSELLER0001")
    assert unknown.status == 2
    assert "lists no SKU NO-SUCH-SKU" in unknown.err
    assert (await inventory(shop, "push", "--full")).status == 0
    tea = await shop.one(3, FR, by="AMAZON")
    await shop.tell_listings()
    await eventually(shop.state, lambda view: not view.busy and view.totals.skus > 1)
    fba = await inventory(shop, "push", tea.sku, "--seller", "A2EUSELLER0001")
    assert fba.status == 2
    assert "Amazon fulfils SKU" in fba.err


async def test_drift_ends_with_1_where_amazon_shows_more(shop: KeeperShop) -> None:
    tea = await shop.one(3, DE)
    await shop.tell_listings()
    await shop.shows(tea, 3)
    await shop.quiet()
    fine = await inventory(shop, "drift", "--json")
    assert fine.status == 0, fine.err
    assert (json.loads(fine.out)["more"], drifts(fine, tea)) == (0, [])
    await shop.keeper.signal(PAUSE)
    shop.listed[DE][tea.sku] = shop.listed[DE][tea.sku].model_copy(update={"quantity": 30})
    await shop.tell_listings()
    await eventually(shop.state, lambda view: not view.busy and not view.news)
    said = await inventory(shop, "drift")
    assert said.status == 1, said.err
    assert "more" in said.out
    (more,) = drifts(await inventory(shop, "drift", "--json"), tea)
    assert (more["kind"], more["shows"], more["should"]) == ("more", 30, 3)
    assert "Paused" in (await inventory(shop, "status")).out


async def test_drift_now_has_the_listings_read_first(shop: KeeperShop) -> None:
    before = await shop.state()
    said = await inventory(shop, "drift", "--now", "--json")
    assert said.status in (0, 1), said.err
    told = json.loads(said.out)
    after = await shop.state()
    assert len(after.listings) > len(before.listings)
    assert told["offers"] > before.totals.offers
