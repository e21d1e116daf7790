"""What Amazon says of its orders, as the stock keeper counts it: the lines that the seller ships himself, Pending ones
too. Orders that Amazon fulfils (FBA) and multi-channel ones take nothing from the seller's own warehouse.

Amazon executes a cancellation by lowering the ordered quantity (`canonical.cancellations`): what it tells as ordered
is without what is cancelled. A line that cannot be counted is said and leaves the others alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, Field

from canonical.ids import is_amazon_order_id
from canonical.notifications import ORDER_CHANGE, Notification, UnreadableNotification, Wire, inner, read_as
from canonical.order import Channel, Order, OrderStatus
from canonical.stock.news import SoldLine, SoldLines

LINES_A_SIGNAL: Final = 500
"""Most lines in one signal to the keeper: some 130 KB, where Temporal takes 2 MB."""
LONG_AGO: Final = timedelta(days=30)
"""Where Amazon does not say when the buyer bought. Nothing is then believed to have been taken off what Amazon shows
since, so that at worst a quantity is sent which Amazon shows already."""

_NOT_RELEASED: Final = frozenset({"Pending", "PendingAvailability"})
_CANCELLED: Final = "Canceled"


@dataclass(frozen=True)
class SoldNews:
    """Lines of one order, and what could not be read of it."""

    lines: tuple[SoldLine, ...] = ()
    remarks: tuple[str, ...] = ()
    """Sentences that name the order and its item, never what stood there."""


class _Trigger(Wire):
    time_of_order_change: AwareDatetime | None = None


class _Summary(Wire):
    marketplace_id: str = Field(min_length=1)
    order_status: str
    fulfillment_type: str
    purchase_date: AwareDatetime | None = None
    order_items: tuple[object, ...] = ()


class _OrderChange(Wire):
    amazon_order_id: str
    order_change_trigger: _Trigger = _Trigger()
    summary: _Summary


class _Item(Wire):
    order_item_id: str = Field(min_length=1)
    seller_sku: str = Field(min_length=1)
    quantity: int = Field(ge=0)


def sold_in_order(order: Order) -> SoldNews:
    """The lines of an order as the Orders API tells it, as of its last update."""
    if order.channel is not Channel.MFN or order.is_multi_channel:
        return SoldNews()
    lines: list[SoldLine] = []
    remarks: list[str] = []
    for line in order.lines:
        where = f"Order {order.order_id}, item {line.order_item_id}"
        if not line.seller_sku:
            remarks.append(f"{where}: Amazon names no SKU, so that no stock can be kept back for it.")
        elif line.quantity < 0:
            remarks.append(
                f"{where}: Amazon says less than no pieces, so that no stock can be kept back for it."
            )
        else:
            lines.append(
                SoldLine(
                    order_id=order.order_id,
                    order_item_id=line.order_item_id,
                    marketplace_id=order.marketplace_id,
                    sku=line.seller_sku,
                    quantity=line.quantity,
                    purchased_at=order.created,
                    updated_at=order.last_updated,
                    pending=not order.is_released,
                    cancelled=order.status is OrderStatus.CANCELLED or line.quantity == 0,
                )
            )
    return SoldNews(tuple(lines), tuple(remarks))


def sold_in_notification(notification: Notification) -> SoldNews:
    """The lines that ORDER_CHANGE tells, as of the change it tells; nothing of any other type."""
    if notification.kind != ORDER_CHANGE:
        return SoldNews()
    try:
        change = read_as(_OrderChange, inner(notification), notification.kind)
    except UnreadableNotification as error:
        return SoldNews(remarks=(str(error),))
    summary, order_id = change.summary, change.amazon_order_id
    if summary.fulfillment_type != Channel.MFN or not is_amazon_order_id(order_id):
        return SoldNews()
    at = change.order_change_trigger.time_of_order_change or notification.at
    if at is None:
        return SoldNews(remarks=(f"The {notification.kind} of order {order_id} has no time.",))
    lines: list[SoldLine] = []
    remarks: list[str] = []
    for place, told in enumerate(summary.order_items, start=1):
        try:
            item = read_as(_Item, told, f"{notification.kind} of order {order_id}, item {place},")
        except UnreadableNotification as error:
            remarks.append(str(error))
        else:
            lines.append(_line(order_id, item, summary, at))
    return SoldNews(tuple(lines), tuple(remarks))


def _line(order_id: str, item: _Item, summary: _Summary, at: datetime) -> SoldLine:
    return SoldLine(
        order_id=order_id,
        order_item_id=item.order_item_id,
        marketplace_id=summary.marketplace_id,
        sku=item.seller_sku,
        quantity=item.quantity,
        purchased_at=summary.purchase_date or at - LONG_AGO,
        updated_at=at,
        pending=summary.order_status in _NOT_RELEASED,
        cancelled=summary.order_status == _CANCELLED or item.quantity == 0,
    )


def newest(lines: Iterable[SoldLine]) -> tuple[SoldLine, ...]:
    """Each line once, as it was told last; of two tellings of one moment the one with more pieces, so that in doubt
    too much is kept back."""
    found: dict[tuple[str, str], SoldLine] = {}
    for line in lines:
        name = line.order_id, line.order_item_id
        known = found.get(name)
        if known is None or (line.updated_at, line.quantity) > (known.updated_at, known.quantity):
            found[name] = line
    return tuple(found.values())


def in_signals(seller_id: str, lines: Iterable[SoldLine], most: int = LINES_A_SIGNAL) -> Iterator[SoldLines]:
    """The lines, in as few signals as they fit into."""
    told = newest(lines)
    for begin in range(0, len(told), most):
        yield SoldLines(seller_id=seller_id, lines=told[begin : begin + most])
