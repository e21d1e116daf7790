"""One order as the pretended Amazon keeps it: the whole truth, of which an answer shows a part."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Literal

from simulators.amazon.clock import iso
from simulators.amazon.wire import JsonObject

EventType = Literal["release", "ship", "cancel", "request_cancel", "change_quantity", "reship", "drop"]


@dataclass
class Event:
    """Something that will happen to an order.

    items: order item id -> units (ship, change_quantity) or the items meant (cancel, request_cancel);
    empty means all that is left. actor: BUYER, MERCHANT or AMAZON, for a cancellation.
    """

    due_ms: int
    type: EventType
    items: dict[str, int] = field(default_factory=dict)
    actor: str = "BUYER"


@dataclass
class Shipment:
    """One shipment by Amazon. items: order item id -> units."""

    shipment_id: str
    shipped_ms: int
    items: dict[str, int]


@dataclass
class OrderRecord:
    """An order with everything Amazon knows, and what is still going to happen to it."""

    seller_id: str
    body: JsonObject
    """The order in the shape of Amazon's 2026-01-01 model, complete."""
    created_ms: int
    updated_ms: int
    planted: str | None = None
    """Why this order is expected to be held, if trouble was planted."""
    priced: bool = True
    """False for an order cancelled before its payment was authorised: its prices are never told."""
    events: list[Event] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    """What Amazon has sent out of its own centres (FBA, MCF); the Orders API never tells it."""

    @property
    def order_id(self) -> str:
        """Amazon's 3-7-7 order id."""
        return str(self.body["orderId"])

    @property
    def status(self) -> str:
        """fulfillmentStatus."""
        return str(self.body["fulfillment"]["fulfillmentStatus"])

    @property
    def by_amazon(self) -> bool:
        """Fulfilled by Amazon (FBA or MCF)."""
        return bool(self.body["fulfillment"].get("fulfilledBy") == "AMAZON")

    @property
    def items(self) -> list[JsonObject]:
        """The order items."""
        items: list[JsonObject] = self.body["orderItems"]
        return items

    @property
    def packages(self) -> list[JsonObject]:
        """The packages confirmed so far (MFN only)."""
        packages: list[JsonObject] = self.body.setdefault("packages", [])
        return packages

    def send_out(self, items: dict[str, int], at_ms: int) -> None:
        """Note a shipment by Amazon of these units."""
        digest = hashlib.blake2b(f"{self.order_id}/{len(self.shipments)}".encode(), digest_size=6).digest()
        name = base64.b32encode(digest).decode().rstrip("=")[:8]
        self.shipments.append(Shipment(f"D{name}", at_ms, items))

    def touch(self, at_ms: int) -> None:
        """Note that the order changed."""
        self.updated_ms = max(self.updated_ms, at_ms)
        self.body["lastUpdatedTime"] = iso(self.updated_ms)

    def settle_status(self) -> None:
        """Work out the status from what has been shipped and what is left to ship."""
        shipped = sum(fulfilled(item) for item in self.items)
        left = sum(unfulfilled(item) for item in self.items)
        if shipped and left:
            status = "PARTIALLY_SHIPPED"
        elif shipped:
            status = "SHIPPED"
        else:
            status = "UNSHIPPED" if left else "CANCELLED"
        self.body["fulfillment"]["fulfillmentStatus"] = status


def fulfilled(item: JsonObject) -> int:
    """Units shipped of one order item."""
    return int(item.get("fulfillment", {}).get("quantityFulfilled", 0))


def unfulfilled(item: JsonObject) -> int:
    """Units still to ship of one order item."""
    return int(item.get("fulfillment", {}).get("quantityUnfulfilled", 0))


def set_quantities(item: JsonObject, shipped: int, left: int) -> None:
    """Write the shipped and the remaining units of one order item."""
    item.setdefault("fulfillment", {}).update(quantityFulfilled=shipped, quantityUnfulfilled=left)
