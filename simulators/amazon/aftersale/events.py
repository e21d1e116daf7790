"""What happened after the sale of an order, kept beside it.

No answer about an order shows any of it: refunds are told by the Finances API and the settlement, goods that came
back by report files, and each in its own time.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.amazon.record import OrderRecord
from simulators.amazon.wire import JsonObject

if TYPE_CHECKING:  # the world has a report desk, which makes files of these events
    from simulators.amazon.world import World

KEY = "afterSale"
"""Where an order's body keeps it; no dataset of the Orders API has this name."""
Kind = Literal["refund", "release", "return", "announce", "reimburse", "defer", "mature"]


class AfterSale(BaseModel):
    """Body of ``POST /_control/orders/{id}/aftersale``, and what is kept of it.

    item: order item id, the first one if left out. units: how many. share: part of the units' price that is
    refunded. deferred: the refund is deferred until a ``release`` of the same number. late_seconds: how much later
    it is told than it happened. number: which one of its kind (from 1); given by the simulator if left out.
    reason: CHARGEBACK and A_TO_Z make a refund a chargeback or a claim.
    ``defer``: the money of the order's shipments is withheld (reason B2B; else seven days from delivery, DD7) until
    ``mature``.
    """

    model_config = ConfigDict(extra="forbid")

    type: Kind
    item: str = ""
    units: int = Field(default=1, ge=0)
    share: Decimal = Decimal(1)
    shipping: bool = True
    deferred: bool = False
    late_seconds: float = 0.0
    disposition: str = "SELLABLE"
    reason: str = "NO_LONGER_NEEDED"
    status: str = ""
    amount: Decimal | None = None
    inventory_units: int = 0
    days_ago: float = 0.0
    number: int = 0
    at_ms: int = 0
    told_ms: int = 0


def events_of(record: OrderRecord, *kinds: Kind) -> list[AfterSale]:
    """What happened after this order's sale, oldest first."""
    kept = [AfterSale.model_validate(each) for each in record.body.get(KEY, [])]
    return [each for each in kept if each.type in kinds]


def item_of(record: OrderRecord, event: AfterSale) -> JsonObject:
    """The order item the event is about."""
    for item in record.items:
        if event.item in ("", item["orderItemId"]):
            return item
    message = f"Order {record.order_id} has no item {event.item}."
    raise ValueError(message)


def number_of(*about: object) -> int:
    """A number that belongs to this matter alone and is the same in every look."""
    text = "/".join(str(part) for part in about)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")


def happen(world: World, record: OrderRecord, event: AfterSale) -> AfterSale:
    """Let it happen now (or so many days ago). ValueError for an item the order does not have, or the refund of one
    that has no price."""
    now_ms = world.settle()
    item = item_of(record, event)
    if event.type == "refund" and not item.get("proceeds"):
        message = f"Item {item['orderItemId']} of order {record.order_id} has no price to refund."
        raise ValueError(message)
    kept: list[JsonObject] = record.body.setdefault(KEY, [])
    event.item = item["orderItemId"]
    event.number = event.number or 1 + sum(1 for each in kept if each["type"] == event.type)
    event.at_ms = now_ms - round(event.days_ago * 24 * 3600 * 1000)
    event.told_ms = event.at_ms + round(event.late_seconds * 1000)
    kept.append(event.model_dump(mode="json"))
    world.commit([record])
    return event
