"""What a notice means to an order: old, told in full, or a reason to read the order again.

Reading costs one getOrder call of Amazon's quota, half a call a second, and one action. So an order is read
only where a notice may bring something that is not known and does not say it itself.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from canonical.notification_contracts import OrderNotice
from canonical.order import Channel, Order, OrderStatus
from canonical.shipments import all_shipped, fulfilled_quantities

_LEFT = (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED)


class Meaning(StrEnum):
    """What is to be done about a notice."""

    NOTHING = "nothing"
    TAKE = "take"
    """It says itself what is new: `as_told`."""
    READ = "read"


class Judged(NamedTuple):
    """The order with what notices say themselves, and those for which it has to be read again."""

    order: Order
    unread: tuple[OrderNotice, ...]


def judge(order: Order, notices: Iterable[OrderNotice], known_until: datetime, *, booked: bool) -> Judged:
    """Go through notices, whatever the order in which they came: what is told first, then what is left to read.

    known_until: the newest change that is known already, by the order's own last update or by a reading.
    """
    rest = []
    for notice in sorted(notices, key=lambda one: one.at):
        if meaning(order, notice, known_until, booked=booked) is Meaning.TAKE:
            order = as_told(order, notice)
        else:
            rest.append(notice)
    unread = (one for one in rest if meaning(order, one, known_until, booked=booked) is Meaning.READ)
    return Judged(order, tuple(unread))


def meaning(order: Order, notice: OrderNotice, known_until: datetime, *, booked: bool) -> Meaning:
    """What one notice means to the order as it is known.

    - A change that is not newer than what is known is old.
    - What the buyer asks for is read: which items it is about decides.
    - What leaves an own warehouse is told by M3 once M3 has the order: Amazon's "shipped" is then the echo of
      our own confirmation.
    - What Amazon ships itself is taken from the notice where it tells the shipped quantity of every item that
      M3 booked, and the ordered ones are still the same. Once all has left, no shipment is news.
    """
    if notice.at <= known_until:
        return Meaning.NOTHING
    about_goods = notice.status is None or notice.status in _LEFT
    if not booked or not about_goods or notice.buyer_asks:
        return Meaning.READ
    if order.channel is Channel.MFN or all_shipped(order, fulfilled_quantities(order)):
        return Meaning.NOTHING
    return Meaning.TAKE if _tells_shipment(order, notice) else Meaning.READ


def as_told(order: Order, notice: OrderNotice) -> Order:
    """The order with the shipped quantities of the notice; figures never go down. `last_updated` stays, so
    that the order as Amazon has it is still taken when a sweep brings it."""
    lines = tuple(
        line.model_copy(update={"quantity_fulfilled": max(line.quantity_fulfilled, told)})
        for line in order.lines
        for told in (notice.shipped.get(line.order_item_id, 0),)
    )
    told = order.model_copy(update={"lines": lines})
    complete = all_shipped(told, fulfilled_quantities(told))
    status = OrderStatus.SHIPPED if complete else OrderStatus.PARTIALLY_SHIPPED
    return told.model_copy(update={"status": status})


def _tells_shipment(order: Order, notice: OrderNotice) -> bool:
    known = {line.order_item_id: line.quantity for line in order.lines if line.quantity > 0}
    told = {item: quantity for item, quantity in notice.ordered.items() if quantity > 0}
    if not known or told != known or not known.keys() <= notice.shipped.keys():
        return False
    left = {item: notice.shipped[item] for item in known}
    complete = left == known
    return (
        all(left[item] <= quantity for item, quantity in known.items())
        and sum(left.values()) > 0
        and complete == (notice.status is OrderStatus.SHIPPED)
    )
