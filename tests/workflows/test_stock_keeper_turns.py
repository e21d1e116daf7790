"""The stock keeper: many changes at once, SKUs that are not its own, pauses, runs that end, what nobody can read."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from canonical.stock.keeper_state import PAUSE, RESUME, RETRY_OFFER, Decision
from canonical.stock.news import MOVED, QuantitiesMoved, QuantityMoved
from tests.support.stock_keeping import DE, EU, GB, KeeperShop, restless_shop
from tests.support.world import eventually


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeeperShop]:
    async with restless_shop(tmp_path_factory.mktemp("keeper")) as service:
        yield service


async def test_many_changes_go_by_feed_and_half_of_them_are_refused(shop: KeeperShop) -> None:
    many = await shop.goods(8, DE, number=60)
    await shop.put(shop.amazon, "/_control/stock/refuse", {"share": 0.5})
    before = (await shop.state()).totals.refused
    await shop.tell_listings()
    view = await eventually(shop.state, lambda view: view.totals.refused > before and not view.feeds)
    assert (await shop.amazon.delete("/_control/stock/refuse")).status_code == 204
    shown = [await shop.shown(one) for one in many]
    assert set(shown) == {0, 8}
    view = await shop.quiet()
    assert view.totals.refused == shown.count(0)
    await shop.keeper.signal(RETRY_OFFER)
    for one in many:
        await shop.shows(one, 8)
    assert (await shop.quiet()).totals.refused == 0
    feeds = (await shop.amazon.get("/_control/stock/feeds")).json()
    assert len(feeds) == 2


async def test_a_sku_that_amazon_fulfils_anywhere_is_never_touched(shop: KeeperShop) -> None:
    tea = await shop.one(6, DE, shows=1)
    row = shop.listed[DE][tea.sku]
    shop.listed.setdefault(GB, {})[tea.sku] = row.model_copy(update={"channel": "FBA"})
    await shop.tell_listings(GB, DE)
    other = await shop.one(6, DE)
    await shop.tell_listings()
    await shop.shows(other, 6)
    await shop.quiet()
    assert await shop.shown(tea) == 1


async def test_a_sku_that_amazon_takes_over_is_left_alone_from_then_on(shop: KeeperShop) -> None:
    tea = await shop.one(6, DE)
    await shop.put(shop.amazon, "/_control/stock/refuse", {"sku": tea.sku, "late": True})
    listing = {"seller": EU.seller_id, "sku": tea.sku, "marketplaces": [DE], "by": "AMAZON"}
    await shop.put(shop.amazon, "/_control/stock/listings", {"listings": [listing]})
    await shop.tell_listings()

    async def offers() -> int:
        pool = await shop.pool(tea)
        return len(pool.offers) if pool else 0

    await eventually(offers, lambda known: known == 1)
    await eventually(offers, lambda known: known == 0)
    assert (await shop.amazon.delete("/_control/stock/refuse")).status_code == 204
    await shop.count(tea, 3)
    await shop.quiet()
    assert (await shop.shown(tea)) is None


async def test_more_than_anybody_can_explain_is_put_right(shop: KeeperShop) -> None:
    tea = await shop.one(3, DE)
    await shop.tell_listings()
    await shop.shows(tea, 3)
    await shop.quiet()
    listing = {"seller": EU.seller_id, "sku": tea.sku, "marketplaces": [DE], "quantity": 30}
    await shop.put(shop.amazon, "/_control/stock/listings", {"listings": [listing]})
    move = QuantityMoved(
        seller_id=EU.seller_id,
        marketplace_id=DE,
        sku=tea.sku,
        quantity=30,
        at=datetime.now(UTC) + timedelta(seconds=1),
    )
    await shop.keeper.signal(MOVED, QuantitiesMoved(moves=(move,)))
    await shop.shows(tea, 3)


async def test_nothing_is_sent_while_it_is_paused(shop: KeeperShop) -> None:
    tea = await shop.one(5)
    await shop.tell_listings()
    await shop.shows(tea, 5)
    await shop.keeper.signal(PAUSE, Decision(why="A count of the warehouse.", by="operations"))
    await shop.count(tea, 2)
    view = await shop.state()
    assert view.paused is not None
    rounds, looks = view.round, view.looked_at
    await shop.look()
    await eventually(shop.state, lambda view: view.looked_at != looks and not view.asking_m3)
    assert (await shop.state()).round == rounds
    assert await shop.shown(tea) == 5
    await shop.keeper.signal(RESUME)
    await shop.shows(tea, 2)


async def test_a_run_that_ends_hands_everything_to_the_next(shop: KeeperShop) -> None:
    tea = await shop.one(5)
    await shop.tell_listings()
    await shop.shows(tea, 5)
    runs = {(await shop.keeper.describe()).run_id}
    for left in (4, 3, 2):
        await shop.count(tea, left)
        await shop.shows(tea, left)
        runs.add((await shop.keeper.describe()).run_id)
    assert len(runs) > 1
    assert (await shop.quiet()).totals.offers > 1


async def test_what_cannot_be_read_is_noted_and_stops_nothing(shop: KeeperShop) -> None:
    for name in ("sold", "listed", "moved", "look", "retry_offer", "feed_finished", "nonsense"):
        await shop.keeper.signal(name, "what?")
    await eventually(shop.state, lambda view: sum("was ignored" in remark for remark in view.remarks) == 7)
    tea = await shop.one(2)
    await shop.tell_listings()
    await shop.shows(tea, 2)
