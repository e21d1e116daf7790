"""What has happened to an order since it was last looked at, in the terms of Amazon's notifications."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.amazon.notifications.messages import OrderChangeType
from simulators.amazon.record import OrderRecord, Shipment, fulfilled
from simulators.amazon.view import UNPAID


@dataclass(frozen=True)
class _Seen:
    status: str
    asked: frozenset[str]
    """Items whose cancellation the buyer has asked for."""
    shipped: tuple[int, ...]
    """Units shipped of each item."""
    shipments: int


@dataclass(frozen=True)
class News:
    """What is new about an order."""

    changes: tuple[OrderChangeType, ...] = ()
    unpaid: bool = False
    """A new order whose payment is not through: Amazon does not promise to tell those."""
    shipments: tuple[Shipment, ...] = ()
    shipped: dict[str, int] | None = None
    """Units that have left since, by order item id."""
    cancelled: bool = False
    """Cancelled now, after some of it had shipped."""


class Watcher:
    """Remembers how each order looked when it was last told of."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def remember(self, record: OrderRecord) -> None:
        """Take the order as it is for known."""
        self._seen[record.order_id] = _look(record)

    def news(self, record: OrderRecord) -> News:
        """What is new since the last look; an order never seen is all new."""
        before, now = self._seen.get(record.order_id), _look(record)
        self._seen[record.order_id] = now
        if before is None:
            before = _Seen("", frozenset(), tuple(0 for _ in now.shipped), 0)
        changes: list[OrderChangeType] = []
        if now.status != before.status:
            changes.append("OrderStatusChange")
        if now.asked - before.asked:
            changes.append("BuyerRequestedChange")
        left = {
            item["orderItemId"]: units - had
            for item, units, had in zip(record.items, now.shipped, before.shipped, strict=True)
            if units > had
        }
        return News(
            changes=tuple(changes),
            unpaid=not before.status and now.status in UNPAID,
            shipments=tuple(record.shipments[before.shipments :]),
            shipped=left,
            cancelled=now.status == "CANCELLED" != before.status and any(now.shipped),
        )


def _look(record: OrderRecord) -> _Seen:
    asked = {i["orderItemId"] for i in record.items if "cancellationRequest" in i.get("cancellation", {})}
    shipped = tuple(fulfilled(item) for item in record.items)
    return _Seen(record.status, frozenset(asked), shipped, len(record.shipments))
