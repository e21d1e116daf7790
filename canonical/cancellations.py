"""What becomes of an order that is cancelled, whole or in part, and what a buyer asks for.

Amazon executes a cancellation by lowering the ordered quantity of an item, to what has been shipped or to 0
(inferred from Orders v0 and the order reports, where a cancelled item has quantity 0). A request of the buyer
(item `cancellationRequest`, ORDER_CHANGE BuyerRequestedChange) changes nothing by itself: the seller cancels, or
ships. A request names items and no quantities.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.order import Channel, Order, OrderStatus
from canonical.shipments import changes_since

UNTOLD_DEADLINE: Final = timedelta(hours=24)
"""How long a buyer's request may wait where Amazon tells no ship-by date."""


class CancelledBy(StrEnum):
    """Whose decision it was."""

    AMAZON = "amazon"
    """The buyer or Amazon itself, at Amazon: it is done there already."""
    BUYER = "buyer"
    """The buyer asked, and an operator decided."""
    OPERATOR = "operator"


class Settled(StrEnum):
    """What was done about it in M3."""

    NOTHING = "nothing_in_m3"
    DELETED = "deleted"
    """The order is deleted."""
    LINES = "lines_taken_back"
    """Lines deleted, lowered or closed; the rest of the order goes on."""
    BY_HAND = "by_hand"
    """A person settled it in M3."""
    REFUSED = "refused"
    """The buyer's request was refused; the order goes on."""
    OVERTAKEN = "overtaken"
    """The goods left before anybody answered the buyer."""


class Cancellation(BaseModel):
    """One cancellation, or request for one, and how it ended."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    by: CancelledBy
    settled: Settled
    items: dict[str, int] = Field(default_factory=dict)
    """Pieces by order item id; empty for the whole order."""
    orno: str = ""
    sentence: str


def lowered(order: Order, limits: Mapping[str, int]) -> Order:
    """The order with at most so many pieces of these items. What is lowered has no amounts any more: only Amazon
    can say what the rest costs."""
    lines = tuple(
        line.model_copy(update={"quantity": limits[line.order_item_id], "amounts": None})
        if line.quantity > limits.get(line.order_item_id, line.quantity)
        else line
        for line in order.lines
    )
    return order.model_copy(update={"lines": lines})


def cancelled_pieces(booked: Order, now: Order) -> dict[str, int]:
    """Pieces by order item id that Amazon has cancelled since the order was booked.

    Empty where nothing was cancelled, and where anything else has changed too: that is for a person to look at.
    """
    after = {line.order_item_id: line for line in now.lines}
    pieces, kept = {}, []
    for line in booked.lines:
        told = after.get(line.order_item_id)
        quantity = told.quantity if told is not None else 0
        if quantity < line.quantity:
            pieces[line.order_item_id] = line.quantity - quantity
            if told is not None:
                kept.append(line.model_copy(update={"quantity": quantity, "amounts": told.amounts}))
        else:
            kept.append(line)
    if not pieces or changes_since(booked.model_copy(update={"lines": tuple(kept)}), now):
        return {}
    return pieces


def asked_for(order: Order, answered: Collection[str] = ()) -> dict[str, int]:
    """Pieces by order item id that the buyer wants cancelled and that can be: nothing of them has been shipped,
    and nobody has answered yet. Amazon decides itself about what it ships (FBA)."""
    if order.channel is not Channel.MFN or order.status is OrderStatus.CANCELLED:
        return {}
    return {
        line.order_item_id: line.quantity - line.quantity_fulfilled
        for line in order.lines
        if line.cancel_requested
        and line.order_item_id not in answered
        and line.quantity > line.quantity_fulfilled
    }


def is_all_of(order: Order, pieces: Mapping[str, int]) -> bool:
    """Whether nothing of the order would be left to ship."""
    return all(
        line.quantity - line.quantity_fulfilled <= pieces.get(line.order_item_id, 0) for line in order.lines
    ) and not any(line.quantity_fulfilled for line in order.lines)


def answer_until(order: Order, asked_at: datetime) -> datetime:
    """Until when a buyer's request is to be answered: by then the goods have to be shipped or cancelled, and a
    seller who does neither counts as late (Amazon: latest ship date)."""
    return order.ship_by or asked_at + UNTOLD_DEADLINE


def named_pieces(order: Order, pieces: Mapping[str, int]) -> str:
    """The items in words, without personal data."""
    skus = {line.order_item_id: line.seller_sku for line in order.lines}
    parts = [f"{quantity} of {skus.get(item) or f'order item {item}'}" for item, quantity in pieces.items()]
    return ", ".join(parts)
