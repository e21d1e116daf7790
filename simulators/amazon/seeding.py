"""Orders put into the world exactly as given, and events that happen to them on request."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from simulators import catalogue
from simulators.amazon.clock import iso, to_ms
from simulators.amazon.lifecycle import apply
from simulators.amazon.record import Event, EventType, OrderRecord, set_quantities
from simulators.amazon.wire import JsonObject
from simulators.amazon.world import World


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ManyOrders(_Body):
    """Body of ``POST /_control/orders``. spread_seconds: placed over that much of the past instead of now."""

    count: int = Field(ge=1, le=200_000)
    seed: int | None = None
    trouble_share: float = Field(default=0.0, ge=0, le=1)
    spread_seconds: float = Field(default=0.0, ge=0)


class Lifecycle(_Body):
    """Coming events of a seeded order; seconds from now, multiplied by the pace.

    partial: the shipment comes in two parts, the second `second_after` seconds after the first.
    """

    release_after: float | None = None
    ship_after: float | None = None
    partial: bool = False
    second_after: float = 1.0
    request_cancel_after: float | None = None
    cancel_after: float | None = None
    cancel_by: str = "BUYER"


class ExactOrder(_Body):
    """Body of ``POST /_control/order``: an order of Amazon's 2026-01-01 model.

    seller: its id; the one who sells in the order's marketplace if left out.
    keep_times: leave lastUpdatedTime as given; otherwise the order counts as updated now.
    """

    order: dict[str, Any]
    seller: str | None = None
    lifecycle: Lifecycle = Lifecycle()
    planted: str | None = None
    keep_times: bool = False


class OneEvent(_Body):
    """Body of ``POST /_control/orders/{id}/events``; items: order item id -> units, all if left out."""

    type: EventType
    items: dict[str, int] = Field(default_factory=dict)
    actor: str = "BUYER"


class SeedError(ValueError):
    """The order cannot be put into the world."""


def plant(world: World, given: ExactOrder) -> OrderRecord:
    """Put one exact order into the world; SeedError says what it lacks."""
    body: JsonObject = copy.deepcopy(given.order)
    for key in ("orderId", "salesChannel", "orderItems"):
        if key not in body:
            raise SeedError(f"The order has no {key}.")
    for item in body["orderItems"]:
        if not {"orderItemId", "quantityOrdered", "product"} <= item.keys():
            raise SeedError(f"An item of order {body['orderId']} lacks its id, quantity or product.")
    if body["orderId"] in world.index.by_id:
        raise SeedError(f"Order {body['orderId']} exists already.")
    now_ms = world.settle()
    created = body.setdefault("createdTime", iso(now_ms))
    if not given.keep_times:
        body["lastUpdatedTime"] = iso(now_ms)
    updated = body.setdefault("lastUpdatedTime", iso(now_ms))
    _complete(body)
    record = OrderRecord(
        seller_id=given.seller or _seller_of(body),
        body=body,
        created_ms=to_ms(created),
        updated_ms=to_ms(updated),
        planted=given.planted,
        events=_events(given.lifecycle, body, now_ms, world.settings.pace),
    )
    world.commit([record])
    world.settle()
    return record


def happen(world: World, record: OrderRecord, given: OneEvent) -> None:
    """Let one event happen now; `lifecycle.EventRefusedError` if it makes no sense."""
    now_ms = world.settle()
    apply(record, Event(now_ms, given.type, given.items, given.actor))
    world.commit([record])


def _seller_of(body: JsonObject) -> str:
    try:
        return catalogue.seller_of(str(body["salesChannel"].get("marketplaceId"))).seller_id
    except KeyError:
        return catalogue.SELLERS[0].seller_id


def _complete(body: JsonObject) -> None:
    """Fill in what the world's own bookkeeping needs: a status, who ships, quantities."""
    fulfillment = body.setdefault("fulfillment", {})
    status = fulfillment.setdefault("fulfillmentStatus", "UNSHIPPED")
    fulfillment.setdefault("fulfilledBy", "MERCHANT")
    for item in body["orderItems"]:
        ordered = int(item["quantityOrdered"])
        known = item.get("fulfillment", {})
        shipped = int(known.get("quantityFulfilled", ordered if status == "SHIPPED" else 0))
        left = int(known.get("quantityUnfulfilled", 0 if status == "CANCELLED" else ordered - shipped))
        set_quantities(item, shipped, left)


def _events(plan: Lifecycle, body: JsonObject, now_ms: int, pace: float) -> list[Event]:
    def due(seconds: float) -> int:
        return now_ms + round(seconds * pace * 1000)

    events: list[Event] = []
    if plan.release_after is not None:
        events.append(Event(due(plan.release_after), "release"))
    if plan.request_cancel_after is not None:
        events.append(Event(due(plan.request_cancel_after), "request_cancel"))
    if plan.ship_after is not None:
        units = {item["orderItemId"]: int(item["quantityOrdered"]) for item in body["orderItems"]}
        halves = {name: count // 2 for name, count in units.items() if count // 2}
        first = halves or dict(list(units.items())[:1])
        events.append(Event(due(plan.ship_after), "ship", first if plan.partial else {}, "AMAZON"))
        if plan.partial:
            events.append(Event(due(plan.ship_after + plan.second_after), "ship", {}, "AMAZON"))
    if plan.cancel_after is not None:
        events.append(Event(due(plan.cancel_after), "cancel", {}, plan.cancel_by))
    return events
