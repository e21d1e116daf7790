"""Notices of one order: each taken once, kept until the order was read after it or it told all itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from canonical.notification_contracts import OrderNotice
from canonical.order import Order
from canonical.order_notices import Judged, judge

REMEMBERED: Final = 200
"""Notifications of one order that are recognised when they come again; an order has about ten."""


@dataclass
class NoticeBook:
    """What was notified and what is still to be read for it."""

    waiting: list[OrderNotice] = field(default_factory=list)
    """Notices that came since the order was last asked for."""
    read_until: datetime | None = None
    """The newest change of which a notice told before the order was last read."""
    _seen: dict[str, None] = field(default_factory=dict)

    def take(self, notices: Iterable[OrderNotice]) -> None:
        """Keep what was not delivered before."""
        for notice in notices:
            if notice.id not in self._seen:
                self._seen[notice.id] = None
                self.waiting.append(notice)
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def judge(self, order: Order, *, booked: bool) -> Judged:
        """What the waiting notices mean to the order; those that ask for no reading wait no longer."""
        known = max(order.last_updated, self.read_until or order.last_updated)
        judged = judge(order, self.waiting, known, booked=booked)
        self.waiting = list(judged.unread)
        return judged

    def answered(self, notices: Iterable[OrderNotice]) -> None:
        """The order was read after these had come."""
        answered = {notice.id: notice for notice in notices}
        self.waiting = [notice for notice in self.waiting if notice.id not in answered]
        moments = [notice.at for notice in answered.values()]
        self.read_until = max([*moments, *([self.read_until] if self.read_until else [])], default=None)
