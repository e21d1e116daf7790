"""Changes overtake each other, answers are lost, workers die: the stock keeper loses none, and the newest wins."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.configuration import QUOTA_FACTOR
from tests.support.processes import worker_process
from tests.support.stock_keeping import DE, FR, Goods, KeeperShop, at_work, keeper_world, no_looks
from tests.support.world import eventually

SLOW = ("--pace", "0.03", "--quota-factor", str(QUOTA_FACTOR))
"""A change is live after half a second to one and a half."""


@pytest_asyncio.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeeperShop]:
    async with keeper_world(tmp_path_factory.mktemp("keeper-crash"), amazon=SLOW) as shop:
        await shop.put(shop.amazon, "/_control/stock/manners", {"unordered": True})
        yield shop


async def settled(shop: KeeperShop) -> None:
    """As soon as no accepted change is left that is not live."""

    async def under_way() -> int:
        return int((await shop.amazon.get("/_control/stock")).json()["underWay"])

    await shop.quiet()
    await eventually(under_way, lambda left: left == 0)


async def test_of_changes_that_overtake_each_other_the_newest_stays(place: KeeperShop) -> None:
    async with at_work(place):
        tea = await place.one(20)
        await place.tell_listings()
        for count in (19, 4, 12, 3, 9):
            await place.count(tea, count)
            await place.look()
            await asyncio.sleep(0.3)  # a push may be on its way, or not
        await place.shows(tea, 9)
        await settled(place)
        assert await place.shown(tea) == 9


async def test_a_worker_that_ends_while_amazon_answers_loses_nothing(place: KeeperShop) -> None:
    tea = await place.one(5)
    async with at_work(place):
        await place.faults(operation="patchListingsItem", when="after", action="hang")
        await place.tell_listings()
        await eventually(place.state, lambda view: view.patches == 1)
        await place.count(tea, 2)
    await place.amazon.delete("/_control/faults")
    async with at_work(place):
        await place.shows(tea, 2)
        await settled(place)
        assert await place.shown(tea) == 2


async def test_a_feed_whose_answer_is_lost_is_handed_in_once(place: KeeperShop) -> None:
    async with at_work(place):
        many = await place.goods(6, number=30)
        await place.faults(operation="createFeed", when="after", action="drop")
        await place.tell_listings()
        for goods in many:
            await place.shows(goods, 6)
        await settled(place)
    feeds = (await place.amazon.get("/_control/stock/feeds")).json()
    assert len(feeds) == 1


@pytest.mark.long
async def test_workers_killed_at_any_moment_lose_no_change(place: KeeperShop, tmp_path: Path) -> None:
    chance = random.Random(7)
    many = await place.goods(50, DE, FR, number=60)
    newest: dict[str, int] = {}

    async def change(share: float) -> None:
        changed = [goods for goods in many if chance.random() < share]
        await asyncio.gather(*(one(goods) for goods in changed))

    async def one(goods: Goods) -> None:
        newest[goods.sku] = chance.randrange(40)
        await place.count(goods, newest[goods.sku])

    for kill in range(5):
        async with worker_process(place.config_file, tmp_path / "worker.log") as process:
            await no_looks(place)
            if not kill:
                await place.tell_listings()
            await change(0.8 if kill % 2 else 0.1)
            await place.look()
            await asyncio.sleep(chance.random() * 2.5)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        await change(0.3)
    async with worker_process(place.config_file, tmp_path / "worker.log"):
        await no_looks(place)
        for goods in many:
            for market in (DE, FR):
                wanted = newest.get(goods.sku, 50)
                await eventually(
                    lambda goods=goods, market=market: place.shown(goods, market),  # type: ignore[misc]
                    lambda seen, wanted=wanted: seen == wanted,  # type: ignore[misc]
                    patience_seconds=240,
                )
        await settled(place)
        for goods in many:
            assert {await place.shown(goods, DE), await place.shown(goods, FR)} == {newest.get(goods.sku, 50)}
