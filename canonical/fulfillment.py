"""A multi-channel fulfilment order (MCF): goods that M3 sold elsewhere and Amazon ships from its own stock.

The words are those of Fulfillment Outbound 2020-07-01; what 2026-07-04 says is told in them, so that one workflow
follows both.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.order import Address

MAX_LINES: Final = 100
MAX_UNITS: Final = 250
"""Most lines and pieces of one fulfilment order (model: CreateFulfillmentOrderRequest.items)."""
SKU_LENGTH: Final = 50
COMMENT_LENGTH: Final = 750


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class FulfillmentStatus(StrEnum):
    """FulfillmentOrderStatus of 2020-07-01. The seller may cancel up to `PLANNING`."""

    NEW = "New"
    """Received and not validated yet; also what 2026-07-04 has accepted (202) and not made yet."""
    RECEIVED = "Received"
    PLANNING = "Planning"
    PROCESSING = "Processing"
    COMPLETE = "Complete"
    COMPLETE_PARTIALLED = "CompletePartialled"
    CANCELLED = "Cancelled"
    UNFULFILLABLE = "Unfulfillable"
    INVALID = "Invalid"


ENDED: Final = frozenset(
    {
        FulfillmentStatus.COMPLETE,
        FulfillmentStatus.COMPLETE_PARTIALLED,
        FulfillmentStatus.CANCELLED,
        FulfillmentStatus.UNFULFILLABLE,
        FulfillmentStatus.INVALID,
    }
)
"""Amazon ships nothing more."""


class ShipmentStatus(StrEnum):
    """fulfillmentShipmentStatus of 2020-07-01."""

    PENDING = "PENDING"
    SHIPPED = "SHIPPED"
    CANCELLED_BY_FULFILLER = "CANCELLED_BY_FULFILLER"
    CANCELLED_BY_SELLER = "CANCELLED_BY_SELLER"


class ShippingSpeed(StrEnum):
    """shippingSpeedCategory."""

    STANDARD = "Standard"
    """Amazon's ordinary way."""
    EXPEDITED = "Expedited"
    """Faster, where Amazon offers it."""
    PRIORITY = "Priority"
    """The fastest, where Amazon offers it."""


class FulfillmentPolicy(StrEnum):
    """fulfillmentPolicy: what Amazon does where not everything can be shipped."""

    FILL_OR_KILL = "FillOrKill"
    """All or nothing, as long as nothing has been picked."""
    FILL_ALL = "FillAll"
    """What there is; the order stays open for the rest, for about a day."""
    FILL_ALL_AVAILABLE = "FillAllAvailable"
    """What there is; the rest is cancelled at once."""


class ParcelStatus(StrEnum):
    """How a parcel stands, in fewer words than Amazon's (getPackageTrackingDetails, currentStatus)."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    LOST = "lost"
    """Undeliverable, or on its way back: a person has to look."""


class FulfillmentLine(_Fact):
    """What Amazon is asked to ship of one M3 order line."""

    item_id: str
    """sellerFulfillmentOrderItemId: order line and suffix, see `canonical.ids`."""
    sku: str
    quantity: int


class FulfillmentRequest(_Fact):
    """Everything a fulfilment order is made of."""

    order_id: str
    """sellerFulfillmentOrderId, Amazon's idempotency key: letters, digits and dashes."""
    marketplace_id: str
    displayable_id: str
    """What the recipient reads on the packing slip: the customer's own order number, or M3's."""
    ordered_at: datetime
    comment: str
    speed: ShippingSpeed
    policy: FulfillmentPolicy
    address: Address
    lines: tuple[FulfillmentLine, ...]


class FulfillmentParcel(_Fact):
    """A package of a shipment."""

    number: str
    """packageNumber (2020) or packageId (2026), by which its tracking is asked for."""
    carrier: str = ""
    tracking_number: str = ""
    arrives: datetime | None = None
    """Estimated; Amazon may move it."""


class FulfillmentShipment(_Fact):
    """What leaves, or left, one of Amazon's centres."""

    shipment_id: str
    status: ShipmentStatus
    items: dict[str, int]
    """Quantity by item id, over all its packages."""
    parcels: tuple[FulfillmentParcel, ...] = ()
    shipped_at: datetime | None = None
    arrives: datetime | None = None


class FulfillmentSnapshot(_Fact):
    """A fulfilment order as Amazon has it at one moment."""

    order_id: str
    status: FulfillmentStatus
    updated: datetime | None = None
    quantities: dict[str, int] = {}
    """Ordered, by item id."""
    cancelled: dict[str, int] = {}
    unfulfillable: dict[str, int] = {}
    shipments: tuple[FulfillmentShipment, ...] = ()

    @property
    def left(self) -> tuple[FulfillmentShipment, ...]:
        """Shipments that have left."""
        return tuple(one for one in self.shipments if one.status is ShipmentStatus.SHIPPED)

    @property
    def shipped(self) -> dict[str, int]:
        """Quantity that has left, by item id."""
        total: dict[str, int] = {}
        for shipment in self.left:
            for item, quantity in shipment.items.items():
                total[item] = total.get(item, 0) + quantity
        return total

    @property
    def parcels(self) -> tuple[FulfillmentParcel, ...]:
        """The packages that have left."""
        return tuple(parcel for shipment in self.left for parcel in shipment.parcels)

    @property
    def arrives(self) -> datetime | None:
        """When Amazon means to have delivered the last of them."""
        told = [
            moment
            for shipment in self.left
            for moment in (shipment.arrives, *(parcel.arrives for parcel in shipment.parcels))
            if moment is not None
        ]
        return max(told, default=None)

    @property
    def settled(self) -> bool:
        """Whether nothing more will leave: Amazon has ended the order, or all of it has left."""
        return self.status in ENDED or (bool(self.quantities) and self.shipped == self.quantities)

    def beyond(self, ordered: Mapping[str, int]) -> dict[str, int]:
        """What has left beyond what was asked for, by item id; nothing where Amazon counts right."""
        return {
            item: quantity - ordered.get(item, 0)
            for item, quantity in self.shipped.items()
            if quantity > ordered.get(item, 0)
        }
