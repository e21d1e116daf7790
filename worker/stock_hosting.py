"""What a worker process does for stock and SKUs: its activities by task queue, and the keeper that it starts.

Each part of it adds its activities in `stock_work`, to a queue of its own, or to one that another worker of the
process has (`StockWork.beside`): two workers of one process must not share a queue.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from activities.amazon.catalog_activities import CatalogActivities
from activities.amazon.sent_feeds import SentFeeds
from activities.amazon.stock_activities import StockActivities
from activities.archive import Archive
from activities.listings_look import ListingsLookActivities
from activities.m3.context import M3Context
from activities.m3.stock import M3StockActivities
from activities.stock_book import StockBook
from activities.stock_plan import StockPolicy
from activities.stock_shelf import StockShelf
from canonical.activity_contracts import M3_QUEUE, ORDERS_QUEUE
from canonical.ids import stock_workflow_id
from canonical.import_contracts import IMPORTS_QUEUE
from canonical.stock.fba_contracts import AMAZON_INVENTORY_QUEUE
from canonical.stock.keeper_contracts import STOCK_QUEUE
from canonical.stock.keeper_state import StockInput
from canonical.stock.news import STOCK
from worker.fba_stock import fba_stock_work
from worker.listings import listings_for_new_keeper
from worker.open_orders import look_for_new_keeper
from worker.outside import Outside
from worker.settings import Settings
from worker.stock_settings import StockSettings

Activity = Callable[..., object]
_BOOKS_AT_ONCE = 2
"""The keeper does one thing with its book at a time; another may be looked at meanwhile."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Queue:
    """Activities of one task queue, and how many of them run at once."""

    name: str
    slots: int
    activities: list[Activity]


@dataclass
class StockWork:
    """All activities of stock and SKUs."""

    queues: list[Queue] = field(default_factory=list)
    """Queues of their own."""
    beside: dict[str, list[Activity]] = field(default_factory=dict)
    """By queue: activities for workers that others have."""

    def on(self, queue: str) -> list[Activity]:
        """What the worker of this queue does besides."""
        return self.beside.get(queue, [])


def stock_work(
    client: Client, settings: Settings, systems: Outside, archive: Archive, m3: M3Context
) -> StockWork:
    """The activities. They are hosted with and without their sections in the configuration: what runs by them is
    started only where there is one."""
    work = StockWork()
    work.queues.append(Queue(STOCK_QUEUE, _BOOKS_AT_ONCE, StockBook(archive, policy_of(settings)).all))
    work.beside.setdefault(M3_QUEUE, []).extend(M3StockActivities(m3, StockShelf(archive)).all)
    stock = StockActivities(systems.amazon, SentFeeds(archive), systems.http)
    for calls in (stock.by_queue, CatalogActivities(systems.amazon).by_queue):
        for queue, activities in calls.items():
            work.queues.append(Queue(queue, settings.worker.amazon_calls, list(activities)))
    listings = ListingsLookActivities(archive, m3, timedelta(days=settings.archive.keep_days))
    work.beside.setdefault(IMPORTS_QUEUE, []).extend(listings.reading)
    work.beside.setdefault(M3_QUEUE, []).extend(listings.in_m3)
    for queue, activities in fba_stock_work(client, settings, systems, archive, m3).items():
        if queue == AMAZON_INVENTORY_QUEUE:
            work.queues.append(Queue(queue, settings.worker.amazon_calls, list(activities)))
        else:
            work.beside.setdefault(queue, []).extend(activities)
    return work


def policy_of(settings: Settings) -> StockPolicy:
    """The configuration, as far as the stock book goes by it."""
    stock = settings.stock or StockSettings()
    return StockPolicy(
        rules=stock.rules,
        warehouses={name: profile.warehouse_mfn for name, profile in settings.marketplaces.items()},
        least_rise=stock.least_rise,
        patches=stock.patches,
        pace=stock.pace,
    )


async def start_keeper(client: Client, settings: Settings) -> None:
    """Start the keeper where stock is configured and it does not run; orders do not wait for it to succeed."""
    if settings.stock is None:
        return
    try:
        if await look_for_new_keeper(client, settings):
            await listings_for_new_keeper(client, settings)
        await client.start_workflow(
            STOCK,
            StockInput(),
            id=stock_workflow_id(),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="Stock: what Amazon shows of M3's stock",
        )
    except RPCError as error:
        _log.warning("stock_keeper_not_started", error=error.status.name)
