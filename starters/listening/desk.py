"""One message at a time: read, and carried to where it belongs before it is deleted from the queue."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import structlog
from temporalio.client import Client

from canonical.late_contracts import RefundTold
from canonical.notification_contracts import OrderNotice
from canonical.notification_news import (
    OrderNews,
    destiny,
    read_feed_news,
    read_fulfillment_news,
    read_order_news,
    read_quantity_news,
    read_refund_news,
    read_report_news,
)
from canonical.notifications import Destiny, Notification, UnreadableNotification, read_notification
from canonical.return_contracts import RefundPosted
from starters.listening.sqs import Message, SqsQueue
from starters.listening.stock_news import StockNews
from starters.listening.tally import Outcome
from worker.archiving import Archive
from worker.late import LateKept, tell_closed
from worker.mcf import tell_fulfillment_changed
from worker.notified import Notified, notify_order, notify_report
from worker.return_settings import ReturnSettings
from worker.returns import look_for_refund

REMEMBERED: Final = 50_000
"""Notifications that a listener recognises when Amazon sends them again, about 10 MiB at most. The workflows
recognise them too; here it saves the signal."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")

_log = structlog.get_logger(__name__)

_OF_ORDER: Final = {
    Notified.TOLD: Outcome.TOLD,
    Notified.NOT_KNOWN: Outcome.NOT_KNOWN,
    Notified.LATE: Outcome.LATE,
    Notified.AFTER_CLOSE: Outcome.AFTER_CLOSE,
}
_KEPT: Final = {
    Destiny.LATER: Outcome.LATER,
    Destiny.UNKNOWN: Outcome.UNKNOWN,
    Destiny.FOREIGN: Outcome.FOREIGN,
}
_READERS: Final[dict[Destiny, Callable[[Notification], object]]] = {
    Destiny.REPORT: read_report_news,
    Destiny.FULFILLMENT: read_fulfillment_news,
    Destiny.QUANTITY: read_quantity_news,
    Destiny.FEED: read_feed_news,
}
"""What raises where such a notification cannot be read."""
_NOTHING_TO_DO: Final = {Destiny.PENDING: Outcome.PENDING, Destiny.NO_SALE: Outcome.NO_SALE}


@dataclass(frozen=True)
class Sorted:
    """A message and what it turned out to be; `trouble` is set where it cannot be read."""

    message: Message
    notification: Notification | None = None
    news: OrderNews | None = None
    destiny: Destiny | None = None
    trouble: str = ""

    @property
    def kind(self) -> str:
        return self.notification.kind if self.notification else ""

    @property
    def order(self) -> tuple[str, str] | None:
        """Seller and order id, where an order's workflow is to be told."""
        if self.news is None or self.destiny is not Destiny.ORDER:
            return None
        return self.news.seller_id, self.news.order_id


class Desk:
    """Carries messages to workflows, to the archive, or to the dead-letter queue.

    Methods raise what Temporal (RPCError), SQS (QueueTrouble) or the archive (ArchiveError) raise; the message
    is then still in the queue and may be tried again.
    """

    def __init__(
        self,
        client: Client,
        sellers: Sequence[str],
        *,
        archive: Archive,
        dead: SqsQueue,
        alarm: Callable[[str], Awaitable[None]],
        returns: ReturnSettings | None,
        stock: StockNews | None = None,
    ) -> None:
        self._client = client
        self._sellers = tuple(sellers)
        self._archive = archive
        self._dead = dead
        self._alarm = alarm
        self._returns = returns
        self._stock = stock
        self._delivered: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._strangers: set[str] = set()

    def sort(self, message: Message) -> Sorted:
        """Read the message; nothing is done yet."""
        notification = None
        try:
            notification = read_notification(message.body)
            where = destiny(notification, self._sellers, stock=self._stock is not None)
            if where in _READERS:
                _READERS[where](notification)
            if where is not Destiny.ORDER:
                return Sorted(message, notification, destiny=where)
            news = read_order_news(notification)
        except UnreadableNotification as error:
            return Sorted(message, notification, trouble=str(error))
        return Sorted(message, notification, news, news.destiny)

    async def tell_order(self, parcel: Sequence[Sorted]) -> Outcome:
        """Notices of one order, in one signal."""
        new: dict[str, OrderNotice] = {}
        news = None
        for one in parcel:
            if one.news is not None and not self._is_delivered(one):
                news = one.news
                new.setdefault(one.news.notice.id, one.news.notice)
        if news is None:
            return Outcome.REPEATED
        cases = self._returns is not None
        outcome, _ = await asyncio.gather(
            notify_order(self._client, news.seller_id, news.order_id, list(new.values()), cases=cases),
            self._tell_stock(parcel),
        )
        for one in parcel:
            self._remember(one)
        return _OF_ORDER[outcome]

    async def settle(self, one: Sorted) -> Outcome:
        """Anything but an order's notice."""
        if one.notification is None or one.destiny is None:
            return await self.bury(one, one.trouble)
        if one.destiny in _NOTHING_TO_DO:
            if self._stock is not None and not self._is_delivered(one):
                await self._tell_stock([one])
                self._remember(one)
            return _NOTHING_TO_DO[one.destiny]
        if self._is_delivered(one):
            return Outcome.REPEATED
        outcome = await self._carry(one, one.destiny, one.notification)
        self._remember(one)
        return outcome

    async def _carry(self, one: Sorted, where: Destiny, notification: Notification) -> Outcome:
        match where:
            case Destiny.REPORT:
                told = await notify_report(self._client, self._sellers, read_report_news(notification))
                return Outcome.REPORT if told else Outcome.NOT_OURS
            case Destiny.FULFILLMENT:
                told = await tell_fulfillment_changed(self._client, read_fulfillment_news(notification))
                return Outcome.DELIVERY if told else Outcome.ELSEWHERE
            case Destiny.REFUND:
                return await self._refund(one, notification)
            case Destiny.QUANTITY | Destiny.FEED if self._stock is not None:
                heard = await self._stock.tell(where, notification)
                if heard is None:
                    return await self._keep(one, Destiny.LATER, notification)
                return Outcome.STOCK if heard else Outcome.NO_KEEPER
            case _:
                return await self._keep(one, where, notification)

    async def _tell_stock(self, parcel: Sequence[Sorted]) -> None:
        """What Amazon has sold takes stock before it is released, and before M3 has the order."""
        if self._stock is not None:
            await self._stock.tell_of_orders(one.notification for one in parcel if one.notification)

    async def _refund(self, one: Sorted, notification: Notification) -> Outcome:
        """With return cases a refund is read, since it tells its case nothing of the SKU; without them it is a
        person's matter where the order is closed, and kept where it is not."""
        news = read_refund_news(notification)
        if news is not None and self._returns is not None:
            gather = timedelta(minutes=self._returns.gather_minutes)
            await look_for_refund(self._client, news.seller_id, RefundPosted(posted=news.posted), gather)
            return Outcome.REFUND
        if news is not None and news.order_id:
            refund = RefundTold(transaction_id=notification.id, amount=news.amount, posted=news.posted)
            late = await tell_closed(self._client, news.seller_id, news.order_id, refund=refund)
            if late.kept is LateKept.CARRIED:
                return Outcome.AFTER_CLOSE
        return await self._keep(one, Destiny.LATER, notification)

    async def _keep(self, one: Sorted, where: Destiny, notification: Notification) -> Outcome:
        await self._archive.keep(_key(where, notification), one.message.body.encode())
        self._note_stranger(where, notification)
        return _KEPT[where]

    async def bury(self, one: Sorted, reason: str) -> Outcome:
        """Put the message as it is into the dead-letter queue, with the reason, and tell people once."""
        await self._dead.send(one.message.body, reason=reason, type=one.kind, message_id=one.message.id)
        _log.error("notification_unreadable", reason=reason, type=one.kind, message_id=one.message.id)
        await self._alarm(reason)
        return Outcome.DEAD

    def _is_delivered(self, one: Sorted) -> bool:
        return one.notification is not None and (one.kind, one.notification.id) in self._delivered

    def _remember(self, one: Sorted) -> None:
        if one.notification is not None:
            self._delivered[one.kind, one.notification.id] = None
        while len(self._delivered) > REMEMBERED:
            self._delivered.popitem(last=False)

    def _note_stranger(self, where: Destiny, notification: Notification) -> None:
        """Say once what nobody expected; the count says how often."""
        stranger = notification.kind if where is Destiny.UNKNOWN else notification.seller_id
        if where is not Destiny.LATER and stranger not in self._strangers:
            self._strangers.add(stranger)
            _log.warning(
                "notification_kept", why=where.value, type=notification.kind, seller=notification.seller_id
            )


def _key(where: Destiny, notification: Notification) -> str:
    """Where the archive keeps it: the same notification again is the same file."""
    day = notification.at.astimezone(UTC) if notification.at else datetime.fromtimestamp(0, UTC)
    kind, name = _safe(notification.kind), _safe(notification.id)
    return f"notifications/{where}/{kind}/{day:%Y-%m-%d}/{name}.json"


def _safe(text: str) -> str:
    """The text where it can be a file's name, a digest of it otherwise."""
    return text if _PLAIN.fullmatch(text) else sha256(text.encode()).hexdigest()[:32]
