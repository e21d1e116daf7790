"""What the stock keeper remembers, and the news that it has been told and not taken in yet."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from canonical.stock import keeper_contracts as act
from canonical.stock.keeper_state import KeeperState, StockView
from canonical.stock.news import ListingsRead, QuantityMoved, SoldLines

_REMARKS: Final = 20
_SENTENCE: Final = 400
_MOVES: Final = 10_000
"""Notifications that are remembered: one that Amazon delivers twice must not confirm two marketplaces."""


@dataclass
class Inbox:
    """News, in the order in which they came."""

    listed: list[ListingsRead] = field(default_factory=list)
    sold: list[SoldLines] = field(default_factory=list)
    in_m3: list[str] = field(default_factory=list)
    balances: list[str] = field(default_factory=list)
    answers: list[act.Answer] = field(default_factory=list)
    feeds: list[act.FeedAnswer] = field(default_factory=list)
    moved: list[QuantityMoved] = field(default_factory=list)
    again: list[act.RetryOffers] = field(default_factory=list)

    def __len__(self) -> int:
        m3 = len(self.in_m3) + len(self.balances)
        amazon = len(self.answers) + len(self.feeds) + len(self.moved) + len(self.sold) + len(self.listed)
        return m3 + amazon + len(self.again)

    @property
    def told(self) -> int:
        """All but what M3 says at every look."""
        return len(self) - len(self.balances) - len(self.in_m3)

    def take(self, book: str, at: datetime) -> act.MergeRequest:
        """The oldest news, as many as one merge takes."""
        sold: list[SoldLines] = []
        room = act.NEWS_A_MERGE
        while self.sold and (not sold or room >= len(self.sold[0].lines)):
            sold.append(self.sold.pop(0))
            room -= len(sold[-1].lines)
        room = max(room, 1)
        answers, self.answers = self.answers[:room], self.answers[room:]
        room = max(room - len(answers), 1)
        moved, self.moved = self.moved[:room], self.moved[room:]
        again, self.again = self.again[:_REMARKS], self.again[_REMARKS:]
        request = act.MergeRequest(
            book=book,
            at=at,
            listed=tuple(self.listed),
            sold=tuple(sold),
            in_m3=tuple(self.in_m3),
            balances=tuple(self.balances),
            answers=tuple(answers),
            feeds=tuple(self.feeds),
            moved=tuple(moved),
            again=tuple(again),
        )
        for all_taken in (self.listed, self.in_m3, self.balances, self.feeds):
            all_taken.clear()
        return request


@dataclass
class Asked:
    """A look that is asked for."""

    now: bool = False
    full: bool = False
    pools: dict[tuple[str, str], None] = field(default_factory=dict)


class StockState:
    """The keeper's memory. What must outlive a run is in `kept`, `patches` and `feeds`."""

    def __init__(self, kept: KeeperState) -> None:
        self.kept = kept
        self.patches = dict(kept.patches)
        self.feeds = dict(kept.feeds)
        self.inbox = Inbox()
        self.asked = Asked(now=True)
        self.finished: set[str] = set()
        """Amazon's feeds of which a notification has come."""
        self._moves: dict[str, None] = {}
        self.asking_m3 = False
        self.merging = False
        self.closing = False
        """The run is about to end: nothing new is begun."""

    def note(self, at: datetime, sentence: str) -> None:
        """Something that went wrong, for people."""
        said = f"{at:%Y-%m-%d %H:%M:%S} {sentence}"[:_SENTENCE]
        self.keep(remarks=(*self.kept.remarks, said)[-_REMARKS:])

    def keep(self, **changes: object) -> None:
        """Remember something else."""
        self.kept = self.kept.model_copy(update=changes)

    def is_new(self, move: QuantityMoved) -> bool:
        """Whether this notification has not come before."""
        if not move.id:
            return True
        if move.id in self._moves:
            return False
        self._moves[move.id] = None
        if len(self._moves) > _MOVES:
            del self._moves[next(iter(self._moves))]
        return True

    def rest(self, seller: str, until: datetime) -> None:
        """Nothing is sent for this seller until then."""
        self.keep(resting={**self.kept.resting, seller: until})

    def no_feed(self, seller: str, until: datetime) -> None:
        """No feed is sent for this seller until then."""
        self.keep(feedless={**self.kept.feedless, seller: until})

    def plan_request(self, at: datetime) -> act.PlanRequest:
        """The next planning."""
        kept = self.kept
        waiting = {feed.feed.seller_id for feed in self.feeds.values() if not feed.feed_ids}
        feedless = {seller for seller, until in kept.feedless.items() if until > at}
        return act.PlanRequest(
            book=kept.book,
            round=kept.round + 1,
            at=at,
            patching=dict(Counter(patch.request.seller_id for patch in self.patches.values())),
            no_feeds=tuple(sorted(waiting | feedless)),
            nothing=tuple(sorted(seller for seller, until in kept.resting.items() if until > at)),
        )

    def full_is_due(self, at: datetime) -> bool:
        """Whether every balance is to be read."""
        kept = self.kept
        return self.asked.full or kept.full_at is None or at - kept.full_at >= kept.pace.full

    @property
    def gather(self) -> timedelta:
        """How long news are gathered before they are taken in."""
        return min(timedelta(seconds=5), max(timedelta(seconds=0.2), self.kept.pace.every / 12))

    def snapshot(self) -> KeeperState:
        """For the next run."""
        return self.kept.model_copy(update={"patches": self.patches, "feeds": self.feeds})

    def view(self) -> StockView:
        """For people."""
        kept = self.kept
        return StockView(
            book=kept.book,
            round=kept.round,
            totals=kept.totals,
            pace=kept.pace,
            looked_at=kept.looked_at,
            full_at=kept.full_at,
            planned_at=kept.planned_at,
            last_sent=kept.last_sent,
            patches=len(self.patches),
            feeds=tuple(self.feeds.values()),
            resting={**kept.feedless, **kept.resting},
            listings=tuple(kept.listings.values()),
            paused=kept.paused,
            paused_at=kept.paused_at,
            news=len(self.inbox),
            asking_m3=self.asking_m3,
            busy=bool(
                self.inbox.told or self.merging or self.asked.now or (kept.to_plan and kept.paused is None)
            ),
            remarks=kept.remarks,
        )
