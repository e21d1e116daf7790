"""What Amazon remembers of a fulfilment order (MCF), by the model fulfillmentOutbound_2020-07-01.json."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

OrderStatus = Literal[
    "New", "Received", "Planning", "Processing", "Complete", "CompletePartialled", "Cancelled", "Unfulfillable",
    "Invalid",
]  # fmt: skip
ShipmentStatus = Literal["PENDING", "SHIPPED", "CANCELLED_BY_FULFILLER", "CANCELLED_BY_SELLER"]
ENDED = frozenset({"Complete", "CompletePartialled", "Cancelled", "Unfulfillable", "Invalid"})
CANCELLABLE = frozenset({"New", "Received", "Planning"})
"""The model names Received and Planning and refuses Processing; New is inferred."""


class Item(BaseModel):
    """FulfillmentOrderItem."""

    item_id: str
    sku: str
    quantity: int
    cancelled: int = 0
    unfulfillable: int = 0


class Package(BaseModel):
    """FulfillmentShipmentPackage with where it is (PackageTrackingDetails)."""

    number: int
    carrier: str
    tracking: str
    status: str = "IN_TRANSIT"


class Shipment(BaseModel):
    """FulfillmentShipment; `packed` tells which package holds how much of which item, once it has left."""

    shipment_id: str
    centre: str
    status: ShipmentStatus = "PENDING"
    items: dict[str, int]
    packages: list[Package] = Field(default_factory=list)
    packed: list[tuple[str, int, int]] = Field(default_factory=list)
    """Item id, quantity, package number."""
    shipped_ms: int = 0


class Order(BaseModel):
    """A fulfilment order: what was asked for, and how far it is."""

    seller_id: str
    order_id: str
    asked: dict[str, object]
    """The body it was created with (2020-07-01), or its like."""
    policy: str
    items: list[Item]
    status: OrderStatus = "New"
    shipments: list[Shipment] = Field(default_factory=list)
    received_ms: int
    updated_ms: int
    visible_ms: int = 0
    """Before it getOrder does not show an order that 2026-07-04 has accepted only (202)."""

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def item(self, item_id: str) -> Item:
        """The item; EventError if there is none."""
        for item in self.items:
            if item.item_id == item_id:
                return item
        raise EventError(f"Fulfilment order {self.order_id} has no item {item_id}.")

    def assigned(self, item_id: str) -> int:
        """Pieces in shipments that are pending or have left."""
        return sum(
            shipment.items.get(item_id, 0)
            for shipment in self.shipments
            if shipment.status in ("PENDING", "SHIPPED")
        )

    def open(self, item: Item) -> int:
        """Pieces nobody has decided about yet."""
        return item.quantity - item.cancelled - item.unfulfillable - self.assigned(item.item_id)

    def shipped(self) -> int:
        """Pieces that have left."""
        return sum(sum(s.items.values()) for s in self.shipments if s.status == "SHIPPED")


class EventError(ValueError):
    """The event makes no sense for the order as it is."""
