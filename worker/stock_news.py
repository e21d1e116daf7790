"""Telling the stock keeper: what Amazon sold, which quantities it shows, which feeds have ended.

A keeper that does not run is no error. When it starts, it asks Amazon itself for the open orders, the listings and
its feeds.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from temporalio.client import Client

from activities.open_orders import TellSold
from canonical.ids import stock_workflow_id
from canonical.stock.news import (
    FEED_FINISHED,
    MOVED,
    SOLD,
    FeedFinished,
    QuantitiesMoved,
    QuantityMoved,
    SoldLine,
    SoldLines,
)
from canonical.stock.order_news import in_signals
from worker.known_workflows import signalled
from worker.settings import Settings

MOVES_A_SIGNAL: Final = 1000
"""Most quantities in one signal: some 150 KB, where Temporal takes 2 MB."""
_REMEMBERED: Final = 100_000
"""Lines of which this process remembers how it told them, some 30 MiB at most: sweeps overlap and show an order
again and again, and each signal is an event in the keeper's history."""


class StockOnTemporal:
    """The stock keeper as activities and listeners see it. All methods raise RPCError where Temporal could not be
    asked, and answer whether a keeper runs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: OrderedDict[tuple[str, str, str], SoldLine] = OrderedDict()

    async def tell_sold(self, sold: SoldLines, *, again: bool = False) -> bool:
        """Tell of the lines, at most 500 in one signal; what is no news to this process is left out, unless `again`."""
        heard = True
        for signal in in_signals(sold.seller_id, self._news(sold, again=again)):
            if not await signalled(self._client, stock_workflow_id(), SOLD, signal):
                heard = False
                break
            self._remember(signal)
        return heard

    async def tell_moved(self, moves: Sequence[QuantityMoved]) -> bool:
        """Tell which quantities Amazon shows now."""
        for begin in range(0, len(moves), MOVES_A_SIGNAL):
            signal = QuantitiesMoved(moves=tuple(moves[begin : begin + MOVES_A_SIGNAL]))
            if not await signalled(self._client, stock_workflow_id(), MOVED, signal):
                return False
        return True

    async def tell_feed(self, feed: FeedFinished) -> bool:
        """Tell that a feed has ended, in whatever way."""
        return await signalled(self._client, stock_workflow_id(), FEED_FINISHED, feed)

    def _news(self, sold: SoldLines, *, again: bool) -> Iterable[SoldLine]:
        if again:
            return sold.lines
        return [line for line in sold.lines if self._is_news(sold.seller_id, line)]

    def _is_news(self, seller_id: str, line: SoldLine) -> bool:
        """As the keeper takes it: what Amazon told before, or tells in the same words, changes nothing."""
        known = self._told.get((seller_id, line.order_id, line.order_item_id))
        return (
            known is None
            or line.updated_at > known.updated_at
            or (line.updated_at == known.updated_at and line != known)
        )

    def _remember(self, sold: SoldLines) -> None:
        for line in sold.lines:
            name = sold.seller_id, line.order_id, line.order_item_id
            self._told[name] = line
            self._told.move_to_end(name)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)


def telling_stock(client: Client, settings: Settings) -> TellSold | None:
    """What tells the keeper of sales; None where stock is not configured."""
    return StockOnTemporal(client).tell_sold if settings.stock is not None else None
