"""The feed desk: takes feeds, processes them one after the other, keeps their results.

Facts: the model feeds_2021-06-30 (statuses; a feed may wait for another in progress; what can be cancelled); a result
is gzip whatever its Content-Type says (recorded traffic). Inferred: that the changes of a feed count from the moment it
is processed, not from when it was sent, and that a feed without its document is FATAL.
"""

from __future__ import annotations

import gzip
import hashlib
import heapq
import uuid
from collections.abc import Callable

from simulators import catalogue
from simulators.amazon.reports.requests import KEPT_MS
from simulators.amazon.reports.shelf import Document, Shelf
from simulators.amazon.settings import Settings
from simulators.amazon.stock import feed_messages
from simulators.amazon.stock.desk import StockDesk
from simulators.amazon.stock.feed_records import Feed, FeedShelf, Upload
from simulators.amazon.stock.rules import FeedRule
from simulators.amazon.store import Store

JSON_LISTINGS_FEED = "JSON_LISTINGS_FEED"
Heard = Callable[[Feed], None]


class FeedDesk:
    """All feeds of one simulator run. `settle` before looking at one: it may be processed by now."""

    def __init__(self, store: Store, settings: Settings, stock: StockDesk, results: Shelf) -> None:
        self.shelf = FeedShelf(store.db)
        self.rules: list[FeedRule] = []
        self.listeners: list[Heard] = []
        """Told of every feed that has ended."""
        self._stock, self._results, self._settings = stock, results, settings
        self._feeds = {(one.seller_id, one.feed_id): one for one in self.shelf.feeds()}
        self._agenda: list[tuple[int, str, str]] = []
        for feed in self._feeds.values():
            self._await(feed)

    def announce(self, seller_id: str, content_type: str, now_ms: int) -> Upload:
        """A document that the seller is going to upload."""
        name = uuid.uuid4()
        upload = Upload(
            document_id=f"amzn1.tortuga.4.{_region(seller_id)}.{name}.T{name.hex[:13].upper()}",
            seller_id=seller_id,
            region=_region(seller_id),
            key=f"{name}.amzn1.tortuga",
            content_type=content_type,
            created_ms=now_ms,
        )
        self.shelf.announce(upload)
        return upload

    def take(
        self, seller_id: str, feed_type: str, marketplaces: list[str], document_id: str, now_ms: int
    ) -> Feed:
        """Take a feed; it waits for those before it."""
        half_ms = round(self._settings.feed_latency * self._settings.pace * 500)
        waiting = [one.ready_ms for one in self.of(seller_id) if not one.ended]
        starts_ms = max([now_ms + half_ms, *waiting])
        number = sum(1 for known, _ in self._feeds if known == seller_id) + 1
        digest = hashlib.blake2b(f"feed {seller_id}".encode(), digest_size=4).digest()
        feed = Feed(
            seller_id=seller_id,
            feed_id=f"{int.from_bytes(digest, 'big') % 900 + 100}{number:06d}020",
            feed_type=feed_type,
            marketplaces=marketplaces,
            document_id=document_id,
            created_ms=now_ms,
            starts_ms=starts_ms,
            ready_ms=starts_ms + half_ms,
        )
        if self.rules:
            rule = self.rules.pop(0)
            feed.outcome, feed.reason = rule.outcome, rule.reason
            if rule.times > 1:
                self.rules.insert(0, rule.model_copy(update={"times": rule.times - 1}))
        self._keep(feed)
        return feed

    def find(self, seller_id: str, feed_id: str, now_ms: int) -> Feed | None:
        """A feed of this seller, while it is kept."""
        feed = self._feeds.get((seller_id, feed_id))
        return feed if feed is not None and feed.created_ms > now_ms - KEPT_MS else None

    def of(self, seller_id: str | None = None) -> list[Feed]:
        """A seller's feeds, or everybody's, newest first."""
        found = [one for one in self._feeds.values() if seller_id in (None, one.seller_id)]
        return sorted(found, key=lambda one: (one.created_ms, one.feed_id), reverse=True)

    def cancel(self, feed: Feed, now_ms: int) -> bool:
        """Cancel a feed not yet begun; False if it has been."""
        if feed.status != "IN_QUEUE":
            return False
        feed.status, feed.ready_ms, feed.begun = "CANCELLED", now_ms, False
        self._end(feed)
        return True

    def settle(self, now_ms: int) -> None:
        """Let every feed come as far as it is by now."""
        while self._agenda and self._agenda[0][0] <= now_ms:
            _, seller_id, feed_id = heapq.heappop(self._agenda)
            feed = self._feeds[seller_id, feed_id]
            if feed.status == "IN_QUEUE":
                feed.status = "IN_PROGRESS"
                self._keep(feed)
            elif feed.status == "IN_PROGRESS":
                self._process(feed)
                self._end(feed)

    def _process(self, feed: Feed) -> None:
        """Do what the feed says, at the moment it is due."""
        if feed.outcome is not None:
            feed.status = feed.outcome
            if feed.reason is not None:
                self._file(feed, feed.reason.encode())
            return
        known = self.shelf.upload(document_id=feed.document_id)
        body = known[1] if known is not None else None
        if body is None:
            feed.status = "FATAL"
            return
        reading = feed_messages.read(
            body, feed.seller_id, lambda sku: self._stock.refused(feed.seller_id, sku)
        )
        feed.status = "FATAL" if reading.fatal else "DONE"
        feed.summary = reading.summary()
        changes = [(feed.seller_id, sku, feed.marketplaces, wanted) for sku, wanted in reading.accepted]
        self._stock.accept(changes, feed.ready_ms, feed.feed_id)
        for sku, issue in reading.withheld:
            self._stock.withhold(feed.seller_id, sku, feed.marketplaces, issue, feed.ready_ms)
        self._file(feed, reading.report(feed.seller_id, feed.feed_id))

    def _file(self, feed: Feed, text: bytes) -> None:
        digest = hashlib.blake2b(f"result {feed.seller_id} {feed.feed_id}".encode(), digest_size=16).digest()
        name = uuid.UUID(bytes=digest)
        region = _region(feed.seller_id)
        document = Document(
            document_id=f"amzn1.tortuga.4.{region}.{name}.T{digest.hex()[:13].upper()}R",
            seller_id=feed.seller_id,
            report_type=feed.feed_type,
            region=region,
            key=f"{digest.hex()}.result",
            created_ms=feed.ready_ms,
            content_type="application/json",
            said_gzip=True,
        )
        self._results.put(document, gzip.compress(text, mtime=0))
        feed.result_id = document.document_id

    def _end(self, feed: Feed) -> None:
        self._keep(feed)
        for listener in self.listeners:
            listener(feed)

    def _keep(self, feed: Feed) -> None:
        self._feeds[feed.seller_id, feed.feed_id] = feed
        self.shelf.keep(feed)
        self._await(feed)

    def _await(self, feed: Feed) -> None:
        if not feed.ended:
            due_ms = feed.starts_ms if feed.status == "IN_QUEUE" else feed.ready_ms
            heapq.heappush(self._agenda, (due_ms, feed.seller_id, feed.feed_id))


def _region(seller_id: str) -> str:
    return next((one.region for one in catalogue.ACCOUNTS if one.seller_id == seller_id), "eu")
