"""What notifications tell the stock keeper, many of them in one signal: a burst of orders must not be a burst of
signals, since each is an event in the keeper's history.

Whoever tells something waits until the signal that has it was taken: only then is its message deleted.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Generic, TypeVar

import structlog

from canonical.notification_news import read_feed_news, read_quantity_news
from canonical.notifications import Destiny, Notification
from canonical.stock.news import QuantityMoved, SoldLine, SoldLines
from canonical.stock.order_news import LINES_A_SIGNAL, sold_in_notification
from worker.stock_news import MOVES_A_SIGNAL, StockOnTemporal

GATHER: Final = 0.3
"""Seconds in which what is told goes together: short beside the minutes Amazon takes."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class StockNews:
    """The keeper as a listener sees it. Methods raise RPCError where Temporal could not be asked, and answer whether a
    keeper runs; none is no error."""

    def __init__(self, stock: StockOnTemporal, gather_seconds: float = GATHER) -> None:
        self._stock = stock
        self._sold = Gathered[tuple[str, SoldLine]](self._send_sold, LINES_A_SIGNAL, gather_seconds)
        self._moved = Gathered[QuantityMoved](self._send_moved, MOVES_A_SIGNAL, gather_seconds)

    async def tell_of_orders(self, notifications: Iterable[Notification]) -> None:
        """Tell of the lines that ORDER_CHANGEs have; others have none. A line that cannot be read is logged, and the
        next sweep brings it."""
        lines: list[tuple[str, SoldLine]] = []
        for each in notifications:
            news = sold_in_notification(each)
            lines += [(each.seller_id, line) for line in news.lines]
            for remark in news.remarks:
                _log.warning("stock_line_not_read", reason=remark)
        if lines:
            await self._sold.add(lines)

    async def tell(self, where: Destiny, notification: Notification) -> bool | None:
        """Tell of a quantity or of a feed; None where it is none of the keeper's: another channel, another kind of
        feed, a vendor's. Raises UnreadableNotification."""
        if where is Destiny.QUANTITY:
            moved = read_quantity_news(notification)
            return None if moved is None else await self._moved.add([moved])
        feed = read_feed_news(notification)
        return None if feed is None else await self._stock.tell_feed(feed)

    async def _send_sold(self, lines: list[tuple[str, SoldLine]]) -> bool:
        by_seller: dict[str, list[SoldLine]] = {}
        for seller_id, line in lines:
            by_seller.setdefault(seller_id, []).append(line)
        heard = [
            await self._stock.tell_sold(SoldLines(seller_id=seller_id, lines=tuple(mine)))
            for seller_id, mine in by_seller.items()
        ]
        return all(heard)

    async def _send_moved(self, moves: list[QuantityMoved]) -> bool:
        return await self._stock.tell_moved(
            tuple(dict.fromkeys(moves))
        )  # SQS hands a message out twice at times


class Gathered(Generic[T]):
    """Things told one by one and sent together: after `seconds`, or as soon as there are `most`."""

    def __init__(self, send: Callable[[list[T]], Awaitable[bool]], most: int, seconds: float) -> None:
        self._send = send
        self._most = most
        self._seconds = seconds
        self._things: list[T] = []
        self._full = asyncio.Event()
        self._sending: asyncio.Task[bool] | None = None

    async def add(self, things: list[T]) -> bool:
        """What `send` answers for these, or raises."""
        self._things += things
        if self._sending is None:
            self._full = asyncio.Event()
            self._sending = asyncio.create_task(self._later(self._full))
        if len(self._things) >= self._most:
            self._full.set()
        # Whoever gives up waiting must not take the others' signal with him.
        return await asyncio.shield(self._sending)

    async def _later(self, full: asyncio.Event) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(full.wait(), self._seconds)
        things, self._things, self._sending = self._things, [], None
        return await self._send(things)
