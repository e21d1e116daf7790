"""What the stock keeper hears. Nothing that is sent here can stop it: what cannot be read is noted."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RawValue

from canonical.stock import keeper_contracts as act
from canonical.stock import news
from canonical.stock.keeper_state import PAUSE, RESUME, RETRY_OFFER, STATE, Decision, StockView
from workflows.repairs import BadRepair, read_news
from workflows.stock_state import StockState

N = TypeVar("N", bound=BaseModel)


class StockHandlers:
    """Base of the keeper: signals and the query."""

    _state: StockState

    @workflow.signal(
        name=news.SOLD, description="Sent by the sweeps and listeners: lines of Amazon's orders."
    )
    def sold(self, *arguments: object) -> None:
        told = self._read(news.SOLD, news.SoldLines, arguments)
        if told is not None and told.lines:
            self._state.inbox.sold.append(told)

    @workflow.signal(name=news.LISTED, description="Sent by the looks at listings: they are in the archive.")
    def listed(self, *arguments: object) -> None:
        told = self._read(news.LISTED, news.ListingsRead, arguments)
        if told is None:
            return
        state, place = self._state, f"{told.seller_id}/{told.marketplace_id}"
        known = state.kept.listings.get(place)
        if known is None or told.taken_at >= known.taken_at:
            state.keep(listings={**state.kept.listings, place: told})
            state.inbox.listed.append(told)

    @workflow.signal(name=news.MOVED, description="Sent by the listeners: Amazon shows other quantities.")
    def moved(self, *arguments: object) -> None:
        told = self._read(news.MOVED, news.QuantitiesMoved, arguments)
        if told is not None:
            self._state.inbox.moved += [move for move in told.moves if self._state.is_new(move)]

    @workflow.signal(name=news.FEED_FINISHED, description="Sent by the listeners: Amazon has done a feed.")
    def feed_finished(self, *arguments: object) -> None:
        told = self._read(news.FEED_FINISHED, news.FeedFinished, arguments)
        ours = {feed_id for feed in self._state.feeds.values() for feed_id in feed.feed_ids}
        if told is not None and told.feed_id in ours:
            self._state.finished.add(told.feed_id)

    @workflow.signal(
        name=news.LOOK,
        description="Look at M3's balances now. Input: none, or full=true for every balance, or pools.",
    )
    def look(self, *arguments: object) -> None:
        told = self._read(news.LOOK, news.LookNow, arguments or ({},))
        if told is not None:
            asked = self._state.asked
            asked.now = True
            asked.full |= told.full
            asked.pools |= dict.fromkeys(told.pools)

    @workflow.signal(name=PAUSE, description="Send nothing to Amazon. Input: why, by; or none.")
    def pause(self, *arguments: object) -> None:
        told = self._read(PAUSE, Decision, arguments or ({},))
        if told is not None:
            self._state.keep(paused=told, paused_at=workflow.now())

    @workflow.signal(name=RESUME, description="Send to Amazon again. Input: why, by; or none.")
    def resume(self, *arguments: object) -> None:
        told = self._read(RESUME, Decision, arguments or ({},))
        if told is not None and self._state.kept.paused is not None:
            self._state.keep(paused=None, paused_at=None)
            self._state.asked.now = True

    @workflow.signal(
        name=RETRY_OFFER,
        description="What Amazon refused may be sent again. Input: seller, marketplace, sku; left out, any.",
    )
    def retry_offer(self, *arguments: object) -> None:
        told = self._read(RETRY_OFFER, act.RetryOffers, arguments or ({},))
        if told is not None:
            self._state.inbox.again.append(told)

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Whatever else is sent: answered where people look, harmless."""
        self._state.note(workflow.now(), f"A signal {name[:80]} is not known here and was ignored.")

    @workflow.query(name=STATE, description="Pools, offers, what is on its way, refused or noted.")
    def state(self) -> StockView:
        return self._state.view()

    def _read(self, name: str, kind: type[N], arguments: tuple[object, ...]) -> N | None:
        try:
            return read_news(kind, arguments)
        except BadRepair as error:
            self._state.note(workflow.now(), f"Signal {name} was ignored: {error}")
            return None
