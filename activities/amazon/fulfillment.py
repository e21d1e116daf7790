"""Fulfilment orders (MCF) at Amazon: the port that activities call, and Fulfillment Outbound 2020-07-01 behind it.

The port says nothing that only one version of the API knows: creating may be answered with the order, with nothing
(2020-07-01), or with "accepted" (202 of 2026-07-04), so it answers nothing, and what became of it is looked at.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import (
    CANCEL_FULFILLMENT_ORDER,
    CREATE_FULFILLMENT_ORDER,
    GET_FULFILLMENT_ORDER,
    GET_PACKAGE_TRACKING_DETAILS,
    Operation,
)
from activities.amazon.transport import Transport
from canonical.fulfillment import (
    FulfillmentParcel,
    FulfillmentRequest,
    FulfillmentShipment,
    FulfillmentSnapshot,
    FulfillmentStatus,
    ParcelStatus,
    ShipmentStatus,
)
from canonical.order import Address

_ID: Final = "sellerFulfillmentOrderId"
_LOST: Final = frozenset({"UNDELIVERABLE", "RETURNING", "RETURNED", "RETURN_RECEIVED_IN_FC"})
"""CurrentStatus of a parcel that its recipient will not get."""


class FulfillmentPort(Protocol):
    """What a fulfilment order needs of Amazon. Every method raises `AmazonError`."""

    async def create(self, request: FulfillmentRequest) -> None:
        """Hand the order over. Where this returns, Amazon has it or will have it shortly."""

    async def get(self, order_id: str) -> FulfillmentSnapshot | None:
        """The order as it stands; None where Amazon does not know it (yet)."""

    async def cancel(self, order_id: str) -> None:
        """Ask for cancellation. Where this returns, Amazon tries; whether it could, a look tells."""

    async def parcels(self, order_id: str, numbers: Sequence[str]) -> dict[str, tuple[ParcelStatus, str]]:
        """Where each parcel is, and Amazon's own word for it."""


class FulfillmentOutbound:
    """Fulfillment Outbound 2020-07-01 (2 calls/s, burst 30 for each operation)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, request: FulfillmentRequest) -> None:
        """createFulfillmentOrder. The seller's id is the idempotency key: Amazon takes it once."""
        body: dict[str, object] = {
            "marketplaceId": request.marketplace_id,
            _ID: request.order_id,
            "displayableOrderId": request.displayable_id,
            "displayableOrderDate": f"{request.ordered_at:%Y-%m-%dT%H:%M:%SZ}",
            "displayableOrderComment": request.comment,
            "shippingSpeedCategory": request.speed.value,
            "fulfillmentAction": "Ship",
            "fulfillmentPolicy": request.policy.value,
            "destinationAddress": address_body(request.address),
            "items": [
                {
                    "sellerSku": line.sku,
                    "sellerFulfillmentOrderItemId": line.item_id,
                    "quantity": line.quantity,
                }
                for line in request.lines
            ],
        }
        answer = await self._transport.call(CREATE_FULFILLMENT_ORDER, order_id=request.order_id, body=body)
        _refuse_errors(CREATE_FULFILLMENT_ORDER, answer)

    async def get(self, order_id: str) -> FulfillmentSnapshot | None:
        """getFulfillmentOrder. An id that Amazon does not know is answered 404, or 400 with no words to rely on."""
        try:
            answer = await self._transport.call(
                GET_FULFILLMENT_ORDER, order_id=order_id, names={_ID: order_id}
            )
        except AmazonError as error:
            if error.failure in (Failure.NOT_FOUND, Failure.REFUSED):
                return None
            raise
        payload = answer.get("payload")
        if not isinstance(payload, dict):
            raise misread(GET_FULFILLMENT_ORDER, "payload")
        return read_snapshot(payload, GET_FULFILLMENT_ORDER)

    async def cancel(self, order_id: str) -> None:
        """cancelFulfillmentOrder: taken up to Planning, refused with 400 from Processing on."""
        answer = await self._transport.call(
            CANCEL_FULFILLMENT_ORDER, order_id=order_id, names={_ID: order_id}
        )
        _refuse_errors(CANCEL_FULFILLMENT_ORDER, answer)

    async def parcels(self, order_id: str, numbers: Sequence[str]) -> dict[str, tuple[ParcelStatus, str]]:
        """getPackageTrackingDetails, parcel by parcel. One that is not tracked (yet) is under way."""
        return {number: await self._parcel(number) for number in numbers}

    async def _parcel(self, number: str) -> tuple[ParcelStatus, str]:
        try:
            answer = await self._transport.call(GET_PACKAGE_TRACKING_DETAILS, query={"packageNumber": number})
        except AmazonError as error:
            if error.failure in (Failure.NOT_FOUND, Failure.REFUSED):
                return ParcelStatus.UNDER_WAY, "not tracked"
            raise
        payload = answer.get("payload")
        if not isinstance(payload, dict):
            raise misread(GET_PACKAGE_TRACKING_DETAILS, "payload")
        return parcel_status(str(payload.get("currentStatus") or "UNKNOWN"))


def parcel_status(word: str) -> tuple[ParcelStatus, str]:
    """CurrentStatus (2020-07-01) or the package's status (2026-07-04), in this service's words."""
    if word == "DELIVERED":
        return ParcelStatus.DELIVERED, word
    return (ParcelStatus.LOST if word in (*_LOST, "EXPIRED") else ParcelStatus.UNDER_WAY), word


def read_snapshot(payload: Mapping[str, object], operation: Operation) -> FulfillmentSnapshot:
    """GetFulfillmentOrderResult. Raises `AmazonError` where what has to be known is not in it."""
    order = payload.get("fulfillmentOrder")
    if not isinstance(order, dict):
        raise misread(operation, "fulfillmentOrder")
    try:
        status = FulfillmentStatus(str(order.get("fulfillmentOrderStatus")))
    except ValueError:
        raise misread(operation, "fulfillmentOrderStatus") from None
    items = objects(payload.get("fulfillmentOrderItems"))
    return FulfillmentSnapshot(
        order_id=str(order.get(_ID) or ""),
        status=status,
        updated=moment(order.get("statusUpdatedDate")),
        quantities=_counted(items, "quantity", operation),
        cancelled=_counted(items, "cancelledQuantity", operation),
        unfulfillable=_counted(items, "unfulfillableQuantity", operation),
        shipments=tuple(_shipment(one, operation) for one in objects(payload.get("fulfillmentShipments"))),
    )


def _shipment(entry: Mapping[str, object], operation: Operation) -> FulfillmentShipment:
    try:
        status = ShipmentStatus(str(entry.get("fulfillmentShipmentStatus")))
    except ValueError:
        raise misread(operation, "fulfillmentShipmentStatus") from None
    return FulfillmentShipment(
        shipment_id=str(entry.get("amazonShipmentId") or ""),
        status=status,
        items=_counted(objects(entry.get("fulfillmentShipmentItem")), "quantity", operation),
        parcels=tuple(_parcel(one) for one in objects(entry.get("fulfillmentShipmentPackage"))),
        shipped_at=moment(entry.get("shippingDate")),
        arrives=moment(entry.get("estimatedArrivalDate")),
    )


def _parcel(entry: Mapping[str, object]) -> FulfillmentParcel:
    """A parcel of Amazon Logistics has Amazon's tracking number alone."""
    return FulfillmentParcel(
        number=str(entry.get("packageNumber") or ""),
        carrier=str(entry.get("carrierCode") or ""),
        tracking_number=str(
            entry.get("trackingNumber") or entry.get("amazonFulfillmentTrackingNumber") or ""
        ),
        arrives=moment(entry.get("estimatedArrivalDate")),
    )


def _counted(entries: list[dict[str, object]], key: str, operation: Operation) -> dict[str, int]:
    """Quantity by item id; an item in several packages stands there several times."""
    total: dict[str, int] = {}
    for entry in entries:
        item, quantity = entry.get("sellerFulfillmentOrderItemId"), entry.get(key)
        if not isinstance(item, str) or not isinstance(quantity, int):
            raise misread(operation, key)
        total[item] = total.get(item, 0) + quantity
    return {item: quantity for item, quantity in total.items() if quantity}


def address_body(address: Address) -> dict[str, str]:
    """Model Address, the same in both versions. What M3 has more lines of goes into the last."""
    lines = [address.company, *address.lines] if address.company else list(address.lines)
    told = {
        "name": address.name,
        "addressLine1": lines[0] if lines else "",
        "addressLine2": lines[1] if len(lines) > 1 else "",
        "addressLine3": ", ".join(lines[2:]),
        "city": address.city,
        "districtOrCounty": address.district,
        "stateOrRegion": address.state,
        "postalCode": address.postal_code,
        "countryCode": address.country,
        "phone": address.phone,
    }
    return {name: text for name, text in told.items() if text}


def objects(value: object) -> list[dict[str, object]]:
    """The JSON objects of a list; none where there is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def moment(text: object) -> datetime | None:
    """An aware ISO 8601 time, or None."""
    try:
        read = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None else None


def _refuse_errors(operation: Operation, answer: Mapping[str, object]) -> None:
    """The models of create and cancel have `errors` in their success: such a one is no success."""
    for error in objects(answer.get("errors"))[:1]:
        code, message = str(error.get("code") or ""), str(error.get("message") or "")
        raise AmazonError(Failure.REFUSED, operation.name, status=200, code=code, message=message)


def misread(operation: Operation, key: str) -> AmazonError:
    """An answer that lacks what it must have is tried again."""
    return AmazonError(
        Failure.UNAVAILABLE, operation.name, status=200, message=f"the answer has no usable '{key}'"
    )
