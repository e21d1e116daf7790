"""The pretended Amazon as a whole: orders, clock, tokens, quotas, and the passing of time."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from simulators import catalogue
from simulators.amazon.auth import Tokens
from simulators.amazon.clock import Clock
from simulators.amazon.generator import Circumstances, make_order, seller_for
from simulators.amazon.index import OrderIndex
from simulators.amazon.lifecycle import apply_due
from simulators.amazon.notifications.dispatch import Notifications
from simulators.amazon.pages import PageTokens
from simulators.amazon.quotas import Quotas
from simulators.amazon.record import OrderRecord
from simulators.amazon.reports.desk import ReportDesk
from simulators.amazon.reports.shelf import Report
from simulators.amazon.settings import Settings
from simulators.amazon.settlements.desk import SettlementDesk
from simulators.amazon.stock import ledger, listings_file
from simulators.amazon.stock.desk import StockDesk
from simulators.amazon.stock.feed_records import Feed
from simulators.amazon.stock.feeds import FeedDesk
from simulators.amazon.stock.payload import inventory
from simulators.amazon.stock.pools import Pools
from simulators.amazon.stock.records import Listing, Pool, pool_of
from simulators.amazon.stock.sales import Sales
from simulators.amazon.store import Store

LOG_LENGTH = 2000


@dataclass(frozen=True)
class LogEntry:
    """One answered request; no tokens, no bodies."""

    at: str
    operation: str
    seller_id: str
    order_id: str
    status: int
    request_id: str


class World:
    """Everything one simulator run holds. `settle` before looking at it: time may have passed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.data)
        self.clock = Clock(self.store, settings.clock_rate)
        self.tokens = Tokens(settings.seed, settings.token_lifetime)
        self.quotas = Quotas(settings.quota_factor)
        self.pages = PageTokens(settings.seed)
        self.index = OrderIndex()
        self.notifications = Notifications(settings, self.store)
        self.reports = ReportDesk(self.store, settings)
        self.reports.listeners.append(self._tell_report)
        self.settlements = SettlementDesk(self.store, settings, self.reports, self.clock.now_ms())
        self.stock = StockDesk(self.store, settings)
        self.stock.listeners.append(self._tell_quantity)
        self.pools = Pools(self.stock.shelf)
        self.sales = Sales(self.stock, self.pools)
        self.sales.listeners.append(self.tell_pool)
        self.notifications.other_books = self._has_pool
        self.reports.sources[ledger.LEDGER] = lambda frame, options: ledger.rows(
            self.stock, self.pools, frame, options
        )
        self.reports.sources[listings_file.LISTINGS] = lambda frame, _: listings_file.rows(
            self.stock, self.fulfillable, frame
        )
        self.feeds = FeedDesk(self.store, settings, self.stock, self.reports.shelf)
        self.feeds.listeners.append(self._tell_feed)
        self.log: deque[LogEntry] = deque(maxlen=LOG_LENGTH)
        self.answered: Counter[tuple[str, int]] = Counter()
        """Requests by operation and status since the start; the log keeps the latest alone."""
        self.pii_refused = set(settings.pii_refused)
        self._agenda: list[tuple[int, str]] = []
        self._newest: dict[str, str] = {}
        for record in self.store.load():
            self._take_in(record)
            self.notifications.remember(record)
            self.sales.remember(record)
        kept = self.store.recall("stream")
        started, done = (int(part) for part in kept.split()) if kept else (self.clock.now_ms(), 0)
        self._stream_start_ms = started
        self._stream_done = done
        self.store.remember("stream", f"{started} {done}")

    @property
    def blind_ms(self) -> int:
        """How old a change must be for searchOrders to show it."""
        return round(self.settings.blind_seconds * 1000)

    def settle(self) -> int:
        """Let everything happen that is due, and return the present moment (milliseconds)."""
        now_ms = self.clock.now_ms()
        self._stream(now_ms)
        changed: dict[str, OrderRecord] = {}
        while self._agenda and self._agenda[0][0] <= now_ms:
            _, order_id = heapq.heappop(self._agenda)
            record = self.index.by_id[order_id]
            if apply_due(record, now_ms):
                changed[order_id] = record
        if changed:
            self.commit(changed.values())
        self.reports.settle(now_ms, self.index.by_id.values())
        self.settlements.settle(now_ms, self.index.by_id.values())
        self.feeds.settle(now_ms)
        self.stock.settle(now_ms)
        return now_ms

    def commit(self, records: Iterable[OrderRecord], notes: dict[str, str] | None = None) -> None:
        """Write orders down and put them where searches find them."""
        kept = list(records)
        self.store.save(kept, notes)
        for record in kept:
            self._take_in(record)
        self.sales.orders_changed(kept)
        self.notifications.orders_changed(kept, self.clock.now_ms())

    def marketplaces(self, seller_id: str) -> set[str]:
        """The marketplaces this seller may ask about."""
        own = {market.marketplace_id for market in sold_in(seller_id)}
        return own | self.index.marketplaces.get(seller_id, set())

    def find(self, seller_id: str, order_id: str) -> OrderRecord | None:
        """An order of this seller."""
        record = self.index.by_id.get(order_id)
        return record if record is not None and record.seller_id == seller_id else None

    def create(
        self, count: int, seed: int | None = None, trouble_share: float = 0.0, spread_s: float = 0.0
    ) -> list[OrderRecord]:
        """Let buyers place `count` orders, now or spread evenly over the last `spread_s` seconds."""
        now_ms = self.clock.now_ms()
        step_ms = spread_s * 1000 / count if count else 0.0
        moments = [now_ms - round(spread_s * 1000 - step_ms * number) for number in range(count)]
        records = self._place(moments, self.settings.seed if seed is None else seed, trouble_share)
        self.settle()
        return records

    def _place(self, moments: list[int], seed: int, trouble_share: float) -> list[OrderRecord]:
        note = f"placed/{seed}"
        number = int(self.store.recall(note) or 0)
        records: list[OrderRecord] = []
        for moment_ms in moments:
            seller_id = seller_for(seed, number).seller_id
            circumstances = Circumstances(
                moment_ms, self.settings.pace, trouble_share, self._newest.get(seller_id)
            )
            record = make_order(seed, number, circumstances)
            number += 1
            if record.order_id in self.index.by_id:  # another seed has drawn the same number
                continue
            records.append(record)
            if record.planted is None:
                self._newest[seller_id] = record.order_id
        self.commit(records, {note: str(number)})
        return records

    def _stream(self, now_ms: int) -> None:
        settings = self.settings
        due = settings.orders
        if settings.per_second > 0:
            elapsed_s = (now_ms - self._stream_start_ms) / 1000
            due = min(due, int(elapsed_s * settings.per_second) + 1)
        if due <= self._stream_done:
            return
        moments = [
            self._stream_start_ms + int(number * 1000 / settings.per_second)
            if settings.per_second
            else now_ms
            for number in range(self._stream_done, due)
        ]
        self._stream_done = due
        self._place(moments, settings.seed, settings.trouble_share)
        self.store.remember("stream", f"{self._stream_start_ms} {due}")

    def _tell_report(self, report: Report) -> None:
        self.notifications.report_finished(
            report.seller_id,
            report.report_id,
            report.wanted.report_type,
            report.status,
            report.document_id,
            at_ms=report.ready_ms,
            now_ms=self.clock.now_ms(),
        )

    def fulfillable(self, listing: Listing, marketplace_id: str) -> int:
        """The pieces of an FBA listing that this marketplace can sell."""
        pool = self.pools.find(listing.seller_id, pool_of(marketplace_id), listing.sku)
        return 0 if pool is None else pool.fulfillable

    def tell_pool(self, pool: Pool, at_ms: int) -> None:
        """Tell whoever wants to know that Amazon has another quantity of a SKU."""
        listing = self.stock.find(pool.seller_id, pool.sku)
        names = [m.marketplace_id for m in sold_in(pool.seller_id) if pool_of(m.marketplace_id) == pool.name]
        self.notifications.inventory_changed(inventory(pool, listing, names), at_ms, self.clock.now_ms())

    def _has_pool(self, seller_id: str, sku: str, marketplace_id: str) -> bool:
        return self.pools.find(seller_id, pool_of(marketplace_id), sku) is not None

    def _tell_quantity(self, listing: Listing, quantity: int, at_ms: int) -> None:
        self.notifications.quantity_changed(
            listing.seller_id, listing.sku, quantity, at_ms, self.clock.now_ms()
        )

    def _tell_feed(self, feed: Feed) -> None:
        self.notifications.feed_finished(
            feed.seller_id,
            feed.feed_id,
            feed.feed_type,
            feed.status,
            feed.result_id,
            at_ms=feed.ready_ms,
            now_ms=self.clock.now_ms(),
        )

    def _take_in(self, record: OrderRecord) -> None:
        self.index.put(record)
        if record.events:
            next_ms = min(event.due_ms for event in record.events)
            heapq.heappush(self._agenda, (next_ms, record.order_id))


def sold_in(seller_id: str) -> tuple[catalogue.Marketplace, ...]:
    """Where this seller sells."""
    return next(s.sold_in for s in catalogue.ACCOUNTS if s.seller_id == seller_id)
