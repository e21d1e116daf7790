"""A service that keeps what Amazon shows of M3's stock, and what a test asks of it."""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Replayer

from activities import listings_snapshot
from activities.stock_shelf import StockShelf
from canonical.ids import stock_workflow_id
from canonical.stock.book import PoolState
from canonical.stock.book_parts import part_of
from canonical.stock.keeper_state import STATE, StockView
from canonical.stock.listing_contracts import listings_look_workflow_id
from canonical.stock.listings import Listing, ListingsHead
from canonical.stock.news import LISTED, LOOK, SOLD, ListingsRead, LookNow, SoldLine, SoldLines
from canonical.stock.open_orders import open_orders_id
from simulators import catalogue
from tests.conftest import DYNAMIC_CONFIG, temporal_binary
from tests.support.configuration import QUOTA_FACTOR, settings_for
from tests.support.processes import simulator
from tests.support.world import World, eventually
from worker.archiving import open_archive
from worker.connection import DATA_CONVERTER, sandbox_runner
from worker.main import hosted
from worker.outside import outside
from worker.registration import register
from worker.settings import Settings
from worker.stock_hosting import start_keeper
from workflows.search_attributes import ALL
from workflows.stock import Stock

EU = catalogue.SELLERS[0]
DE, GB, FR = (market.marketplace_id for market in EU.marketplaces)
STOCK = """
[stock]
every_seconds = 1
confirm_minutes = 0.005
patches = 20
listings_at = "never"
open_orders_at = "never"
"""
_numbers = itertools.count(1)

Keeper = WorkflowHandle[object, None]


@dataclass
class Goods:
    """Something the seller has: an item in M3 under a SKU at Amazon."""

    sku: str
    itno: str


@dataclass
class KeeperShop(World):
    """Both sides and the keeper between them."""

    listed: dict[str, dict[str, Listing]] = field(default_factory=dict)
    """By marketplace and SKU: what Amazon's report is to say."""

    @property
    def keeper(self) -> Keeper:
        return self.client.get_workflow_handle(stock_workflow_id())

    @property
    def shelf(self) -> StockShelf:
        return StockShelf(open_archive(self.settings.archive))

    async def state(self) -> StockView:
        view: StockView = await self.keeper.query(STATE, result_type=StockView)
        return view

    async def pool(self, goods: Goods, whlo: str = "MAI") -> PoolState | None:
        """What the book has of a pool."""
        key = (whlo, goods.itno)
        view = await self.state()
        return self.shelf.pools(self.shelf.index(view.book), part_of(key)).get(key)

    # --- what is there --------------------------------------------------------------------------

    async def put(self, side: httpx.AsyncClient, path: str, body: Mapping[str, object]) -> None:
        answer = await side.post(path, json=dict(body))
        assert answer.status_code < 300, answer.text

    async def goods(
        self, on_hand: int, *markets: str, number: int = 1, shows: int = 0, by: str = "MERCHANT"
    ) -> list[Goods]:
        """New things: in M3's warehouse, and listed at Amazon, where they show `shows`."""
        made = [Goods(f"SKU-{n}", f"ITEM-{n}") for n in itertools.islice(_numbers, number)]
        items = [
            {"itno": one.itno, "itds": "Tea", "sku": one.sku, "onhand": {"MAI": str(on_hand)}} for one in made
        ]
        await self.put(self.m3, "/_control/items", {"items": items})
        names = list(markets or (DE,))
        listings = [
            {"seller": EU.seller_id, "sku": one.sku, "quantity": shows, "marketplaces": names, "by": by}
            for one in made
        ]
        await self.put(self.amazon, "/_control/stock/listings", {"listings": listings})
        for one in made:
            for market in names:
                channel = "MFN" if by == "MERCHANT" else "FBA"
                row = Listing(sku=one.sku, channel=channel, quantity=shows, itno=one.itno, by="alias")
                self.listed.setdefault(market, {})[one.sku] = row
        return made

    async def one(self, on_hand: int, *markets: str, shows: int = 0, by: str = "MERCHANT") -> Goods:
        """One such thing."""
        return (await self.goods(on_hand, *markets, shows=shows, by=by))[0]

    async def count(self, goods: Goods, on_hand: int) -> None:
        """The warehouse in M3 has so many."""
        await self.put(self.m3, "/_control/counts", {"whlo": "MAI", "onhand": {goods.itno: str(on_hand)}})

    # --- what the keeper is told ----------------------------------------------------------------

    async def tell_listings(self, *markets: str) -> None:
        """Amazon's listings as they are by now, in the archive and told."""
        archive = open_archive(self.settings.archive)
        for market in markets or tuple(self.listed):
            at = datetime.now(UTC)
            head = ListingsHead(seller_id=EU.seller_id, marketplace_id=market, report_id="1", taken_at=at)
            key = listings_snapshot.write(archive, head, self.listed[market].values())
            read = ListingsRead(seller_id=EU.seller_id, marketplace_id=market, key=key, taken_at=at)
            await self.keeper.signal(LISTED, read)
            for sku, row in self.listed[market].items():  # what it shows then, the next report does not say
                self.listed[market][sku] = row.model_copy(update={"quantity": None})

    async def tell_sold(
        self, order_id: str, goods: Goods, quantity: int, market: str = DE, **facts: object
    ) -> None:
        """A sweep has read this order."""
        now = datetime.now(UTC)
        line = SoldLine.model_validate(
            {
                "order_id": order_id,
                "order_item_id": "1",
                "marketplace_id": market,
                "sku": goods.sku,
                "quantity": quantity,
                "purchased_at": now,
                "updated_at": now,
                **facts,
            }
        )
        await self.keeper.signal(SOLD, SoldLines(seller_id=EU.seller_id, lines=(line,)))

    async def look(self, **facts: object) -> None:
        """A person asks for a look."""
        await self.keeper.signal(LOOK, LookNow.model_validate(facts))

    # --- what comes of it -----------------------------------------------------------------------

    async def shown(self, goods: Goods, market: str = DE) -> int | None:
        """What buyers see at Amazon."""
        answer = await self.amazon.get(
            "/_control/stock/listings", params={"seller": EU.seller_id, "sku": goods.sku}
        )
        (listing,) = answer.json()["listings"]
        quantity: int | None = listing["offers"][market]["quantity"]
        return quantity

    async def shows(self, goods: Goods, quantity: int, *markets: str) -> None:
        """As soon as Amazon shows so many."""
        for market in markets or (DE,):
            await eventually(lambda market=market: self.shown(goods, market), lambda seen: seen == quantity)  # type: ignore[misc]

    async def quiet(self) -> StockView:
        """As soon as nothing is on its way and everything is planned."""
        return await eventually(
            self.state,
            lambda view: (
                not view.busy and not view.totals.on_their_way and not view.patches and not view.feeds
            ),
        )

    async def faults(self, **order: object) -> None:
        """Let Amazon fail so."""
        await self.put(self.amazon, "/_control/faults", order)


def stock_settings(settings: Settings, **changes: object) -> Settings:
    """The settings with other stock settings."""
    assert settings.stock is not None
    data = {**settings.stock.model_dump(), **changes}
    return settings.model_copy(update={"stock": type(settings.stock).model_validate(data)})


async def no_looks(shop: KeeperShop) -> None:
    """The looks with which a keeper begins are not wanted here: what is listed, a test says itself."""
    for seller_id in shop.settings.sellers:
        for workflow_id in (listings_look_workflow_id(seller_id), open_orders_id(seller_id)):
            with suppress(RPCError):
                await shop.client.get_workflow_handle(workflow_id).terminate()


@asynccontextmanager
async def keeper_world(
    folder: Path, extra: str = "", amazon: Sequence[str] = ()
) -> AsyncIterator[KeeperShop]:
    """Temporal, Amazon and M3 of their own; no worker."""
    words = [word for setting in DYNAMIC_CONFIG for word in ("--dynamic-config-value", setting)]
    async with AsyncExitStack() as stack:
        env = await stack.enter_async_context(
            await WorkflowEnvironment.start_time_skipping_v2(
                ts_config=TimeSkippingConfig(enabled=False),
                dev_server_existing_path=temporal_binary(),
                dev_server_extra_args=words,
                dev_server_log_level="error",
                data_converter=DATA_CONVERTER,
                search_attributes=list(ALL),
            )
        )
        quota = ("--quota-factor", str(QUOTA_FACTOR))
        amazon_url = await stack.enter_async_context(
            simulator("amazon", folder / "amazon", *(amazon or ("--pace", "0", *quota)))
        )
        m3_url = await stack.enter_async_context(
            simulator("m3", folder / "m3", "--pace", "0", "--rate-limit", "100000")
        )
        settings = settings_for(
            folder,
            temporal=env.client.service_client.config.target_host,
            amazon=amazon_url,
            ionapi=folder / "m3" / "simulator.ionapi",
            extra_marketplace=STOCK + extra,
        )
        await register(env.client, settings)
        yield KeeperShop(
            env,
            settings,
            folder / "o2c.toml",
            await stack.enter_async_context(httpx.AsyncClient(base_url=amazon_url, timeout=30)),
            await stack.enter_async_context(httpx.AsyncClient(base_url=m3_url, timeout=30)),
        )


@asynccontextmanager
async def restless_shop(folder: Path, extra: str = "") -> AsyncIterator[KeeperShop]:
    """The same with a worker, and so with a keeper, whose runs end all the time; each is replayed when all is done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workflows.stock.LONG_HISTORY", 120)
        async with keeper_world(folder, extra) as shop, at_work(shop):
            yield shop
            await _replay(shop)


async def _replay(shop: KeeperShop) -> None:
    """Every run of the keeper decides the same again."""
    replayer = Replayer(workflows=[Stock], workflow_runner=sandbox_runner(), data_converter=DATA_CONVERTER)
    async for run in shop.client.list_workflows(f"WorkflowId='{shop.keeper.id}'"):
        handle = shop.client.get_workflow_handle(run.id, run_id=run.run_id)
        await replayer.replay_workflow(await handle.fetch_history())


@asynccontextmanager
async def at_work(shop: KeeperShop, settings: Settings | None = None) -> AsyncIterator[None]:
    """With a worker of this configuration."""
    wanted = settings or shop.settings
    async with outside(wanted) as systems, hosted(shop.client, wanted, systems):
        await start_keeper(shop.client, wanted)
        await no_looks(shop)
        yield
