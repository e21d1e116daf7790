"""From the stock book to what is sent now."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from activities.stock_shelf import FEEDS, StockShelf
from canonical.stock import keeper_contracts as act
from canonical.stock.book import PoolState
from canonical.stock.book_parts import Marks, Part, marks_of_pool, part_of
from canonical.stock.models import OfferName, PoolKey
from canonical.stock.pushes import Push, PushPlan
from canonical.stock.round import FEED_MARK, Going, chosen, overdue, sent, wanted
from canonical.stock.rules import StockRules
from canonical.stock.sending import FeedContent, FeedMessage, PatchRequest

_OVERDUE_AT_MOST: Final = 600
"""Offers with a late quantity that one planning names; of some of them Amazon is being asked already."""


@dataclass(frozen=True)
class StockPolicy:
    """The configuration, as far as the book goes by it."""

    rules: StockRules
    warehouses: Mapping[str, str]
    """By marketplace: from which warehouse the seller ships himself."""
    least_rise: int
    patches: int
    pace: act.Pace

    @property
    def digest(self) -> str:
        """The same for the same rules."""
        said = f"{self.rules.model_dump_json()} {self.least_rise}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def plan_of(shelf: StockShelf, policy: StockPolicy, request: act.PlanRequest) -> act.PlanResult:
    """What is to be sent, and the book in which it is on its way. Blocks. Raises ArchiveError."""
    return _Plan(shelf, policy, request).done()


class _Plan:
    """One planning."""

    def __init__(self, shelf: StockShelf, policy: StockPolicy, request: act.PlanRequest) -> None:
        self._shelf = shelf
        self._policy = policy
        self._request = request
        self._index = shelf.index(request.book)
        self._all = self._index.rules != policy.digest
        self._late = request.at - policy.pace.confirm
        self._parts: dict[int, Part[PoolState]] = {}
        self._due: dict[PoolKey, int] = {}
        """Pushes of a pool that are not sent now."""
        self._sending: set[PoolKey] = set()
        self._overdue: list[act.Overdue] = []
        self._notes: list[str] = []
        self._noted_now = 0

    def done(self) -> act.PlanResult:
        request = self._request
        pushes = [
            push
            for number, ref in sorted(self._index.pools.items())
            if self._wanted(ref.sums)
            for push in self._look(number)
        ]
        found = chosen(
            pushes,
            patches=self._policy.patches,
            patching=request.patching,
            no_feeds=request.no_feeds,
            nothing=request.nothing,
        )
        patches, going = self._patches(found)
        feeds = self._feeds(found, going)
        self._mark(going)
        pools = dict(self._index.pools)
        for number, part in self._parts.items():
            if part.changed:
                pools[number] = self._shelf.keep_pools(part)
        index = self._index.model_copy(update={"pools": pools, "rules": self._policy.digest})
        return act.PlanResult(
            book=request.book if index == self._index else self._shelf.keep_index(index),
            totals=index.totals,
            pace=self._policy.pace,
            patches=patches,
            feeds=feeds,
            overdue=tuple(self._overdue[:_OVERDUE_AT_MOST]),
            notes=tuple(self._notes),
            noted_now=self._noted_now,
        )

    def _wanted(self, marks: Marks) -> bool:
        late = 0 < marks.oldest <= self._late.timestamp()
        return self._all or bool(marks.to_plan) or bool(marks.waiting) or late

    def _look(self, number: int) -> list[Push]:
        """What is due in one part; its pools are written as they should be shown."""
        part = self._parts[number] = self._shelf.pools(self._index, number)
        found: list[Push] = []
        for key in part.marked(self._wanted):
            pool = part.get(key)
            if pool is None:
                continue
            self._ask(pool)
            now = wanted(pool, self._policy.rules, self._request.at, self._policy.least_rise)
            self._noted_now += len(now.notes)
            self._notes += now.notes[: act.SHOWN_AT_MOST - len(self._notes)]
            found += now.pushes
            due = self._due[pool.key] = len(now.pushes) + now.later
            part.put(key, now.pool, marks_of_pool(now.pool, to_plan=False, waiting=due))
        return found

    def _ask(self, pool: PoolState) -> None:
        self._overdue += [
            act.Overdue(
                seller=state.offer.seller,
                marketplace=state.offer.marketplace_id,
                sku=state.offer.sku,
                whlo=pool.whlo,
                itno=pool.itno,
                reference=state.flight.reference,
            )
            for state in overdue(pool, self._late)
            if state.flight is not None
        ]

    def _patches(self, found: PushPlan) -> tuple[tuple[act.PlannedPatch, ...], dict[OfferName, Going]]:
        patches = tuple(
            act.PlannedPatch(
                request=PatchRequest(
                    seller_id=push.offer.seller,
                    marketplace_id=push.offer.marketplace_id,
                    sku=push.offer.sku,
                    quantity=push.quantity,
                ),
                whlo=push.offer.whlo,
                itno=push.offer.itno,
                reference=f"r{self._request.round}-{number}",
            )
            for number, push in enumerate(found.patches, 1)
        )
        going = {
            push.offer.name: Going(push.quantity, patch.reference)
            for push, patch in zip(found.patches, patches, strict=True)
        }
        self._take(found.patches)
        return patches, going

    def _feeds(self, found: PushPlan, going: dict[OfferName, Going]) -> tuple[act.PlannedFeed, ...]:
        """Feeds with their content in the archive, each under a key that no other round has."""
        feeds = []
        for place, pushes in enumerate(found.feeds, 1):
            seller, marketplace = pushes[0].offer.seller, pushes[0].offer.marketplace_id
            messages = [
                FeedMessage(message_id=number, sku=push.offer.sku, quantity=push.quantity)
                for number, push in enumerate(pushes, 1)
            ]
            packed = FeedContent(
                seller_id=seller, marketplace_id=marketplace, messages=tuple(messages)
            ).packed()
            digest = hashlib.sha256(self._request.book.encode() + packed).hexdigest()[:24]
            key = f"{FEEDS}/r{self._request.round}-{place}-{digest}.json.gz"
            self._shelf.archive.write(key, packed)
            for push, message in zip(pushes, messages, strict=True):
                going[push.offer.name] = Going(push.quantity, f"{key}{FEED_MARK}{message.message_id}")
            self._take(pushes)
            feed = act.PlannedFeed(
                seller_id=seller, marketplace_id=marketplace, key=key, messages=len(pushes)
            )
            feeds.append(feed)
        return tuple(feeds)

    def _take(self, pushes: tuple[Push, ...]) -> None:
        for push in pushes:
            self._due[push.offer.key] -= 1
            self._sending.add(push.offer.key)

    def _mark(self, going: Mapping[OfferName, Going]) -> None:
        """Write down that these are on their way."""
        for key in sorted(self._sending):
            part = self._parts[part_of(key)]
            pool = part.get(key)
            if pool is not None:
                now = sent(pool, going, self._request.at)
                part.put(key, now, marks_of_pool(now, to_plan=False, waiting=self._due[key]))
