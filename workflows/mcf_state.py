"""What the workflow of an M3 delivery that Amazon fulfils remembers, and its calls to the outside."""

from dataclasses import dataclass, field

from canonical import mcf_contracts as mcf
from canonical.fixes import MarkStepDone
from canonical.fulfillment import (
    COMMENT_LENGTH,
    FulfillmentLine,
    FulfillmentRequest,
    FulfillmentSnapshot,
    ParcelStatus,
)
from canonical.ids import fulfillment_order_id, mcf_package_number
from canonical.order import Address
from workflows import policies
from workflows.calls import Calls
from workflows.held_state import HeldState


@dataclass
class McfState(HeldState):
    """Everything under way for one delivery: `order_id` is M3's order and delivery number."""

    start: mcf.McfOrderInput
    delivery: mcf.McfDelivery | None = None
    attempt: int = 1
    """Which fulfilment order it is: Amazon takes an id once."""
    handed_over: bool = False
    """Whether Amazon may have the fulfilment order."""
    skus: dict[str, str] = field(default_factory=dict)
    """SellerSKUs that a person chose, by ITNO."""
    address: Address | None = None
    snapshot: FulfillmentSnapshot | None = None
    news: bool = False
    """Amazon has told of something that the last look did not show."""
    cancel_asked: bool = False
    reported: mcf.McfReported | None = None
    parcels: dict[str, ParcelStatus] = field(default_factory=dict)
    looks: int = 0

    @classmethod
    def from_input(cls, start: mcf.McfOrderInput) -> "McfState":
        return cls(start, seller_id=start.seller_id, order_id=f"{start.orno}-{start.dlix}")

    @property
    def fulfillment_order_id(self) -> str:
        return fulfillment_order_id(self.start.orno, self.start.dlix, self.attempt)

    @property
    def facts(self) -> mcf.McfDelivery:
        """M3's delivery; only after it was read."""
        if self.delivery is None:
            raise RuntimeError(f"Delivery {self.order_id} is used before it was read from M3.")
        return self.delivery

    @property
    def shipped(self) -> dict[str, int]:
        return self.snapshot.shipped if self.snapshot else {}

    @property
    def settled(self) -> bool:
        """Whether Amazon ships nothing more of it."""
        return self.snapshot is not None and self.snapshot.settled

    @property
    def tracking_numbers(self) -> tuple[str, ...]:
        parcels = self.snapshot.parcels if self.snapshot else ()
        return tuple(parcel.tracking_number for parcel in parcels if parcel.tracking_number)

    def take_news(self, news: mcf.FulfillmentChanged) -> None:
        """A notification is a hint; what the last look has shown already is none."""
        if news.fulfillment_order_id != self.fulfillment_order_id:
            return
        known = self.snapshot
        if known is None or not _same(news.status, known.status):
            self.news = True
            return
        shipments = {shipment.shipment_id: shipment.status for shipment in known.shipments}
        shown = not news.shipment_id or _same(news.shipment_status, shipments.get(news.shipment_id, ""))
        self.news = self.news or not shown

    def view(self) -> mcf.McfView:
        """The delivery without personal data, for the query `state`."""
        return mcf.McfView(
            orno=self.start.orno,
            dlix=self.start.dlix,
            seller_id=self.seller_id,
            step=self.step,
            fulfillment_order_id=self.fulfillment_order_id if self.handed_over else "",
            status=self.snapshot.status.value if self.snapshot else "",
            shipped=self.shipped,
            tracking_numbers=self.tracking_numbers,
            reported=self.reported is not None,
            delivered=tuple(
                number for number, status in self.parcels.items() if status is ParcelStatus.DELIVERED
            ),
            looks=self.looks,
            held_reason=self.hold.reason if self.hold else "",
            held_sentence=self.hold.sentence if self.hold else "",
            repairs=tuple(self.repairs),
            remarks=tuple(self.remarks),
        )

    def result(self, outcome: str, sentence: str) -> mcf.McfResult:
        """How it ended."""
        return mcf.McfResult(
            orno=self.start.orno,
            dlix=self.start.dlix,
            outcome=outcome,
            sentence=sentence,
            fulfillment_order_id=self.fulfillment_order_id if self.handed_over else "",
            shipped=self.shipped,
            tracking_numbers=self.tracking_numbers,
            repairs=tuple(self.repairs),
        )


class McfCalls(Calls):
    """Activities of one delivery, named by `canonical.mcf_contracts`."""

    def __init__(self, state: McfState) -> None:
        super().__init__(state.seller_id)
        self._state = state

    async def read_delivery(self) -> mcf.McfDelivery:
        start = self._state.start
        request = mcf.McfDeliveryRequest(
            orno=start.orno, dlix=start.dlix, whlo=start.whlo, skus=self._state.skus
        )
        summary = f"Read delivery {start.dlix} from M3"
        return await self._call(mcf.READ_MCF_DELIVERY, request, mcf.McfDelivery, policies.M3_CALL, summary)

    async def create(self) -> mcf.CreatedFulfillment:
        state = self._state
        state.handed_over = True
        request = mcf.CreateFulfillmentOrderRequest(seller_id=state.seller_id, request=self._request())
        summary = f"Make fulfilment order {state.fulfillment_order_id} at Amazon"
        return await self._call(
            mcf.CREATE_FULFILLMENT_ORDER,
            request,
            mcf.CreatedFulfillment,
            policies.AMAZON_CREATE_FULFILLMENT,
            summary,
        )

    def _request(self) -> FulfillmentRequest:
        state, delivery = self._state, self._state.facts
        rules = delivery.rules
        return FulfillmentRequest(
            order_id=state.fulfillment_order_id,
            marketplace_id=rules.marketplace_id,
            displayable_id=delivery.displayable_id,
            ordered_at=delivery.ordered_at,
            comment=rules.comment[:COMMENT_LENGTH],
            speed=rules.speeds.get(delivery.modl, rules.speed),
            policy=rules.policy,
            address=state.address or delivery.address,
            lines=tuple(
                FulfillmentLine(
                    item_id=line.item_id, sku=state.skus.get(line.itno, line.sku), quantity=line.quantity
                )
                for line in delivery.lines
            ),
        )

    async def look(self, *, may_be_missing: bool = False) -> mcf.FulfillmentLook:
        state = self._state
        state.news = False
        state.looks += 1
        ref = mcf.FulfillmentOrderRef(
            seller_id=state.seller_id, order_id=state.fulfillment_order_id, may_be_missing=may_be_missing
        )
        return await self._call(
            mcf.LOOK_AT_FULFILLMENT_ORDER,
            ref,
            mcf.FulfillmentLook,
            policies.AMAZON_GET_FULFILLMENT,
            "Look how far Amazon is",
        )

    async def cancel(self) -> mcf.CancelledFulfillment:
        state = self._state
        ref = mcf.FulfillmentOrderRef(seller_id=state.seller_id, order_id=state.fulfillment_order_id)
        return await self._call(
            mcf.CANCEL_FULFILLMENT_ORDER,
            ref,
            mcf.CancelledFulfillment,
            policies.AMAZON_CREATE_FULFILLMENT,
            "Ask Amazon to cancel",
        )

    async def report(self, by_hand: str = "") -> mcf.McfReported:
        state = self._state
        parcels = state.snapshot.parcels if state.snapshot else ()
        request = mcf.ReportMcfShipmentRequest(
            delivery=state.facts,
            shipped=state.shipped,
            parcels=tuple(
                mcf.McfParcel(
                    panr=mcf_package_number(parcel.number),
                    tracking_number=parcel.tracking_number,
                    carrier=parcel.carrier,
                )
                for parcel in parcels
            ),
            by_hand=by_hand,
        )
        pieces = sum(state.shipped.values())
        summary = (
            f"Tell M3 that {pieces} pieces have left in {len(parcels)} parcel{'s' * (len(parcels) != 1)}"
        )
        return await self._call(mcf.REPORT_MCF_SHIPMENT, request, mcf.McfReported, policies.M3_CALL, summary)

    async def reported_by_hand(self, fix: MarkStepDone) -> mcf.McfReported:
        return await self.report(by_hand=fix.number)

    async def track(self, numbers: tuple[str, ...]) -> mcf.TrackedParcels:
        state = self._state
        request = mcf.TrackParcelsRequest(
            seller_id=state.seller_id, order_id=state.fulfillment_order_id, numbers=numbers
        )
        summary = f"Ask where {len(numbers)} parcel{'s' * (len(numbers) != 1)} are"
        return await self._call(
            mcf.TRACK_PARCELS, request, mcf.TrackedParcels, policies.AMAZON_GET_FULFILLMENT, summary
        )


def _same(told: str, known: str) -> bool:
    """Amazon writes the same status differently in its notifications and its answers."""
    return _plain(told) == _plain(known)


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
