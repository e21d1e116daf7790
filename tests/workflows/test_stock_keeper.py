"""The stock keeper between both simulators: what M3 has is what Amazon shows, whatever happens on the way."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from canonical.stock import keeper_contracts as act
from canonical.stock.keeper_state import RETRY_OFFER
from simulators import assortment
from tests.support.orders import new_order_id, order
from tests.support.stock_keeping import DE, EU, FR, Goods, KeeperShop, restless_shop
from tests.support.world import eventually

MFN = "MERCHANT"


@pytest_asyncio.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeeperShop]:
    async with restless_shop(tmp_path_factory.mktemp("keeper")) as service:
        yield service


async def test_a_change_in_m3_arrives_at_amazon(shop: KeeperShop) -> None:
    tea = await shop.one(7, DE, FR)
    await shop.tell_listings()
    await shop.shows(tea, 7, DE, FR)
    await shop.count(tea, 4)
    await shop.shows(tea, 4, DE, FR)
    view = await shop.quiet()
    assert (view.totals.offers, view.totals.refused) == (2, 0)


async def test_an_order_lowers_what_the_others_show_before_and_after_m3_has_it(shop: KeeperShop) -> None:
    tea = await shop.one(9, DE, FR)
    await shop.tell_listings()
    await shop.shows(tea, 9, DE, FR)
    number = new_order_id()
    await shop.place(order((tea.sku, 2), channel=MFN, order_id=number))
    assert await shop.shown(tea) == 7
    await shop.tell_sold(number, tea, 2, pending=True)
    await shop.shows(tea, 7, FR)
    await shop.start(number)
    await shop.until(shop.handle(number), lambda view: view.orno != "")
    await shop.tell_sold(number, tea, 2)

    async def lines() -> int:
        pool = await shop.pool(tea)
        return len([line for line in pool.lines if line.in_m3_since is None]) if pool else -1

    await eventually(lines, lambda waiting: waiting == 0)
    await shop.quiet()
    assert [await shop.shown(tea, market) for market in (DE, FR)] == [7, 7]


async def test_what_is_cancelled_is_offered_again(shop: KeeperShop) -> None:
    tea = await shop.one(5)
    await shop.tell_listings()
    await shop.shows(tea, 5)
    number = new_order_id()
    await shop.tell_sold(number, tea, 3, pending=True)
    await shop.tell_sold(number, tea, 0, cancelled=True)
    await shop.quiet()
    assert await shop.shown(tea) == 5


async def test_an_order_that_comes_before_its_listing_counts_when_it_is_there(shop: KeeperShop) -> None:
    tea = await shop.one(6)
    await shop.tell_sold(new_order_id(), tea, 2, pending=True)
    view = await eventually(shop.state, lambda view: view.totals.strangers == 1)
    await shop.tell_listings()
    await shop.shows(tea, 4)
    view = await shop.state()
    assert view.totals.strangers == 0


async def test_what_amazon_refuses_is_told_and_tried_again_when_a_person_says(shop: KeeperShop) -> None:
    tea = await shop.one(3)
    await shop.put(shop.amazon, "/_control/stock/refuse", {"sku": tea.sku})
    await shop.tell_listings()
    view = await eventually(shop.state, lambda view: view.totals.refused == 1)
    (refused,) = view.totals.refusals
    assert (refused.sku, refused.code, refused.quantity) == (tea.sku, "8541", 3)
    await shop.count(tea, 2)
    assert await shop.shown(tea) == 0
    assert (await shop.amazon.delete("/_control/stock/refuse")).status_code == 204
    await shop.keeper.signal(RETRY_OFFER, act.RetryOffers(sku=tea.sku))
    await shop.shows(tea, 2)
    assert (await shop.quiet()).totals.refused == 0


async def test_of_what_m3_cannot_sell_nothing_is_offered_and_people_are_told(shop: KeeperShop) -> None:
    blocked = next(item for item in assortment.ITEMS if item.trouble == "item_blocked")
    negative = await shop.one(-4, DE, shows=5)
    unknown = Goods("SKU-UNKNOWN-ITEM", "NO-SUCH-ITEM")
    for sku, itno in ((blocked.sku, blocked.itno), (unknown.sku, unknown.itno)):
        shop.listed[DE][sku] = shop.listed[DE][negative.sku].model_copy(update={"sku": sku, "itno": itno})
    listings = [
        {"seller": EU.seller_id, "sku": sku, "quantity": 5, "marketplaces": [DE]}
        for sku in (blocked.sku, unknown.sku)
    ]
    await shop.put(shop.amazon, "/_control/stock/listings", {"listings": listings})
    await shop.tell_listings()
    for goods in (negative, unknown, Goods(blocked.sku, blocked.itno)):
        await shop.shows(goods, 0)
    said = " ".join((await shop.quiet()).totals.notes)
    assert "M3 shows a stock of -4" in said
    assert f"item {blocked.itno} in warehouse MAI has status 80" in said
    assert "M3 has no item NO-SUCH-ITEM" in said
