"""Fulfilment orders (MCF) as Temporal activities: make one, look at it, cancel it, ask where its parcels are."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity

from activities.amazon.client import AmazonClient
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.fulfillment import FulfillmentPort
from activities.amazon.outcomes import UNAVAILABLE, asking_amazon
from activities.errors import RetryLater
from canonical import mcf_contracts as mcf
from canonical.fulfillment import (
    MAX_LINES,
    MAX_UNITS,
    FulfillmentRequest,
    FulfillmentSnapshot,
    FulfillmentStatus,
    ParcelStatus,
)
from canonical.held import HeldReason, OrderHeld, held
from canonical.order import Address

_NOT_YET: Final = timedelta(minutes=1)
_SHORTEST: Final = 3
"""Parts of an address shorter than this are nobody's to recognise, and words of Amazon's own."""
_log = structlog.get_logger(__name__)


class FulfillmentActivities:
    """clients: by seller id."""

    def __init__(self, clients: Mapping[str, AmazonClient]) -> None:
        self._clients = clients

    @property
    def creating(self) -> list[Callable[..., Awaitable[object]]]:
        """What runs on the queue of createFulfillmentOrder."""
        return [self.create_fulfillment_order, self.cancel_fulfillment_order]

    @property
    def looking(self) -> list[Callable[..., Awaitable[object]]]:
        """What runs on the queue of getFulfillmentOrder."""
        return [self.look_at_fulfillment_order, self.track_parcels]

    @activity.defn(name=mcf.CREATE_FULFILLMENT_ORDER)
    async def create_fulfillment_order(
        self, asked: mcf.CreateFulfillmentOrderRequest
    ) -> mcf.CreatedFulfillment:
        """Make the order, unless Amazon has it: looked for first, and again where Amazon refuses.

        An answer that was lost is found by the next attempt's look. Holds: mcf_refused, amazon_not_authorised,
        not_configured.
        """
        request = asked.request
        async with asking_amazon(_subject(request.order_id)):
            port = self._port(asked.seller_id)
            known = await port.get(request.order_id)
            if known is not None:
                return _known(known, request)
            _refuse_what_amazon_would(request)
            try:
                await port.create(request)
            except AmazonError as error:
                if error.failure not in (Failure.REFUSED, Failure.NOT_FOUND):
                    raise
                known = await port.get(request.order_id)
                if known is not None:
                    return _known(known, request)
                raise _refused(error, request) from None
            return mcf.CreatedFulfillment(
                snapshot=FulfillmentSnapshot(order_id=request.order_id, status=FulfillmentStatus.NEW)
            )

    @activity.defn(name=mcf.LOOK_AT_FULFILLMENT_ORDER)
    async def look_at_fulfillment_order(self, ref: mcf.FulfillmentOrderRef) -> mcf.FulfillmentLook:
        """The order as it stands. One that is accepted and not to be seen yet is looked for again."""
        async with asking_amazon(_subject(ref.order_id)):
            snapshot = await self._port(ref.seller_id).get(ref.order_id)
            if snapshot is None and not ref.may_be_missing:
                sentence = f"Amazon has accepted fulfilment order {ref.order_id} and does not show it yet."
                raise RetryLater(sentence, kind=UNAVAILABLE, delay=_NOT_YET)
            return mcf.FulfillmentLook(snapshot=snapshot)

    @activity.defn(name=mcf.CANCEL_FULFILLMENT_ORDER)
    async def cancel_fulfillment_order(self, ref: mcf.FulfillmentOrderRef) -> mcf.CancelledFulfillment:
        """Ask Amazon to cancel. Refused is an answer too: Amazon is picking, or has ended the order."""
        async with asking_amazon(_subject(ref.order_id)):
            try:
                await self._port(ref.seller_id).cancel(ref.order_id)
            except AmazonError as error:
                if error.failure not in (Failure.REFUSED, Failure.NOT_FOUND):
                    raise
                return mcf.CancelledFulfillment(accepted=False, sentence=error.sentence)
            return mcf.CancelledFulfillment(accepted=True)

    @activity.defn(name=mcf.TRACK_PARCELS)
    async def track_parcels(self, request: mcf.TrackParcelsRequest) -> mcf.TrackedParcels:
        """Where the parcels are."""
        async with asking_amazon(_subject(request.order_id)):
            found = await self._port(request.seller_id).parcels(request.order_id, request.numbers)
            parcels: dict[str, ParcelStatus] = {number: status for number, (status, _) in found.items()}
            return mcf.TrackedParcels(
                parcels=parcels, words={number: word for number, (_, word) in found.items()}
            )

    def _port(self, seller_id: str) -> FulfillmentPort:
        client = self._clients.get(seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {seller_id} is not in the configuration.")
        return client.fulfillment


def _subject(order_id: str) -> str:
    return f"Fulfilment order {order_id}"


def _known(snapshot: FulfillmentSnapshot, request: FulfillmentRequest) -> mcf.CreatedFulfillment:
    """The order Amazon has under our id, if it is ours."""
    asked = {line.item_id: line.quantity for line in request.lines}
    if snapshot.quantities and snapshot.quantities != asked:
        raise held(
            HeldReason.MCF_REFUSED,
            f"Amazon has another order under the id {request.order_id}: it asks for {snapshot.quantities}, M3's "
            f"delivery for {asked} (pieces by order line). Retry takes a new id.",
            system="Amazon",
            code=mcf.ID_TAKEN,
        )
    _log.info("fulfillment_order_already_known", order_id=request.order_id, status=snapshot.status.value)
    return mcf.CreatedFulfillment(snapshot=snapshot, already_known=True)


def _refuse_what_amazon_would(request: FulfillmentRequest) -> None:
    address, units = request.address, sum(line.quantity for line in request.lines)
    given = {
        "name": address.name,
        "address line": "".join(address.lines),
        "postcode": address.postal_code,
        "country": address.country,
        "town": address.city or ("none in Japan" if address.country == "JP" else ""),
    }
    missing = [name for name, text in given.items() if not text.strip()]
    if missing:
        raise held(
            HeldReason.MCF_REFUSED,
            f"M3's delivery of fulfilment order {request.order_id} has no {', '.join(missing)} in its address, "
            "which Amazon needs.",
        )
    if len(request.lines) > MAX_LINES or units > MAX_UNITS:
        raise held(
            HeldReason.MCF_REFUSED,
            f"Fulfilment order {request.order_id} has {len(request.lines)} lines and {units} pieces; Amazon takes "
            f"{MAX_LINES} and {MAX_UNITS}. Split the delivery in M3.",
        )


def _refused(error: AmazonError, request: FulfillmentRequest) -> OrderHeld:
    """Amazon's refusal, without what it may quote of the recipient."""
    sentence = f"{_subject(request.order_id)}: {without_personal_data(error.sentence, request.address)}"
    return held(
        HeldReason.MCF_REFUSED,
        sentence,
        system="Amazon",
        code=error.code or str(error.status),
        request_id=error.request_id,
    )


def without_personal_data(text: str, address: Address) -> str:
    """The text with every part of the address left out; the country is nobody's secret."""
    parts = (
        address.name, address.company, *address.lines, address.city, address.district, address.postal_code,
        address.phone,
    )  # fmt: skip
    for part in sorted((part.strip() for part in parts), key=len, reverse=True):
        if len(part) >= _SHORTEST:
            text = text.replace(part, "…")
    return text
