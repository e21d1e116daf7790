"""The words between the workflow of an M3 delivery that Amazon fulfils (MCF), its activities, and who starts it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.fulfillment import (
    FulfillmentPolicy,
    FulfillmentRequest,
    FulfillmentSnapshot,
    ParcelStatus,
    ShippingSpeed,
)
from canonical.order import Address
from canonical.order_contracts import Repair
from canonical.steps import Step

MCF_ORDER: Final = "McfOrder"
"""Workflow type: one per M3 order and delivery number."""
FULFILLMENT_CHANGED: Final = "fulfillment_changed"
"""Signal: Amazon has told of a fulfilment order (FULFILLMENT_ORDER_STATUS)."""

AMAZON_CREATE_FULFILLMENT_QUEUE: Final = "o2c-amazon-createFulfillmentOrder"
"""Creating and cancelling."""
AMAZON_GET_FULFILLMENT_QUEUE: Final = "o2c-amazon-getFulfillmentOrder"
"""Looking at orders and parcels."""

# Activities.
READ_MCF_DELIVERY: Final = "read_mcf_delivery"
REPORT_MCF_SHIPMENT: Final = "report_mcf_shipment"
SWEEP_MCF_DELIVERIES: Final = "sweep_mcf_deliveries"
CREATE_FULFILLMENT_ORDER: Final = "create_fulfillment_order"
LOOK_AT_FULFILLMENT_ORDER: Final = "look_at_fulfillment_order"
CANCEL_FULFILLMENT_ORDER: Final = "cancel_fulfillment_order"
TRACK_PARCELS: Final = "track_parcels"

ID_TAKEN: Final = "id_taken"
"""Code of a hold: Amazon has another order under the id, so a repair takes the next one."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class McfRules(_Contract):
    """How deliveries of one M3 warehouse become fulfilment orders."""

    whlo: str
    seller_id: str
    marketplace_id: str
    policy: FulfillmentPolicy
    speed: ShippingSpeed
    speeds: dict[str, ShippingSpeed] = {}
    """By M3's delivery method MODL."""
    comment: str
    follow_parcels: bool = True
    """Whether the delivery is followed until the parcels have arrived."""
    patience: timedelta = timedelta(days=14)
    """How long Amazon may take to ship, and again to deliver, before a person is asked."""


class McfOrderInput(_Contract):
    """What starts the workflow."""

    orno: str
    dlix: str
    seller_id: str
    whlo: str


class McfStart(StrEnum):
    """What became of a delivery that was to be started."""

    STARTED = "started"
    KNOWN = "known"
    """It has, or had, a workflow."""
    LATER = "later"
    """Another delivery of the same order lines is with Amazon and not reported to M3 in full: what M3 has put on
    this one may be on its way already."""


class McfDeliveryRequest(_Contract):
    """Read the delivery from M3. `skus` are SellerSKUs that a person chose, by ITNO."""

    orno: str
    dlix: str
    whlo: str
    skus: dict[str, str] = Field(default_factory=dict)


class McfLine(_Contract):
    """One line of the delivery."""

    item_id: str
    ponr: str
    posx: str
    itno: str
    sku: str
    quantity: int


class McfDelivery(_Contract):
    """An M3 delivery that Amazon is to fulfil."""

    orno: str
    dlix: str
    whlo: str
    cuno: str
    displayable_id: str
    ordered_at: datetime
    modl: str
    address: Address
    lines: tuple[McfLine, ...]
    rules: McfRules
    open: bool = True
    """False where the goods have left, or the delivery is no more: nothing is left to be fulfilled."""

    @property
    def quantities(self) -> dict[str, int]:
        """Asked for, by item id."""
        return {line.item_id: line.quantity for line in self.lines}


class CreateFulfillmentOrderRequest(_Contract):
    seller_id: str
    request: FulfillmentRequest


class FulfillmentOrderRef(_Contract):
    """Which fulfilment order a call is about."""

    seller_id: str
    order_id: str
    may_be_missing: bool = False
    """Whether Amazon may well not have it: then that is an answer, and not looked for again."""


class FulfillmentLook(_Contract):
    """What a look at Amazon found."""

    snapshot: FulfillmentSnapshot | None


class CancelledFulfillment(_Contract):
    """What Amazon said to a cancellation."""

    accepted: bool
    sentence: str = ""


class ReportMcfShipmentRequest(_Contract):
    """Amazon has shipped: tell M3 once, with the parcels."""

    delivery: McfDelivery
    shipped: dict[str, int]
    """By item id; a line that is missing, or less than ordered, is reported short."""
    parcels: tuple["McfParcel", ...] = ()
    by_hand: str = ""
    """A person says that it was reported under this delivery number: only look."""


class McfParcel(_Contract):
    """A parcel as M3 keeps it."""

    panr: str
    """Package number, see `canonical.ids`: by it a parcel written before is known."""
    tracking_number: str
    carrier: str


class McfReported(_Contract):
    """The M3 delivery whose goods have left."""

    dlix: str
    status: str
    """ORST of OIS150."""
    quantities: dict[str, int] = {}
    """Delivered, by item id, as M3 has it."""
    by_hand: bool = False
    """A person says it is as it should be."""


class TrackParcelsRequest(_Contract):
    seller_id: str
    order_id: str
    numbers: tuple[str, ...]


class TrackedParcels(_Contract):
    parcels: dict[str, ParcelStatus]
    """By number."""
    words: dict[str, str] = {}
    """Amazon's own word for each."""


class FulfillmentChanged(_Contract):
    """Signal `fulfillment_changed`: what a FULFILLMENT_ORDER_STATUS notification says. A hint; Amazon is asked."""

    fulfillment_order_id: str
    status: str = ""
    shipment_id: str = ""
    shipment_status: str = ""
    notification_id: str = ""


class SweepMcfRequest(_Contract):
    """Look in M3 for deliveries that Amazon is to fulfil."""


class McfView(_Contract):
    """Answer of the query `state`."""

    orno: str
    dlix: str
    seller_id: str
    step: Step
    fulfillment_order_id: str = ""
    status: str = ""
    shipped: dict[str, int] = {}
    tracking_numbers: tuple[str, ...] = ()
    reported: bool = False
    delivered: tuple[str, ...] = ()
    """Parcels that have arrived, by number."""
    looks: int = 0
    held_reason: str = ""
    held_sentence: str = ""
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[str, ...] = ()


class McfResult(_Contract):
    """How it ended."""

    orno: str
    dlix: str
    outcome: str
    """delivered, shipped (not followed further), partly_shipped, not_shipped (cancelled or given up),
    nothing_to_do (M3's goods had left, or the delivery is no more)."""
    sentence: str
    fulfillment_order_id: str = ""
    shipped: dict[str, int] = {}
    tracking_numbers: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()


class CreatedFulfillment(_Contract):
    """A fulfilment order that Amazon has, or (2026-07-04, 202) will have."""

    snapshot: FulfillmentSnapshot
    already_known: bool = False
