"""Fulfillment Outbound 2026-07-04 behind the same port: creating may be accepted (202) and done later, its statuses
are fewer, and a parcel's status stands in the order.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.fulfillment import address_body, misread, moment, objects, parcel_status
from activities.amazon.operations import Operation
from activities.amazon.transport import Transport
from canonical.fulfillment import (
    FulfillmentParcel,
    FulfillmentPolicy,
    FulfillmentRequest,
    FulfillmentShipment,
    FulfillmentSnapshot,
    FulfillmentStatus,
    ParcelStatus,
    ShipmentStatus,
)

_MODEL: Final = "fulfillmentOutbound_2026-07-04.json"
_ORDERS: Final = "/fulfillment/outbound/2026-07-04/orders"
CREATE_ORDER: Final = Operation("createOrder", "POST", _ORDERS, 2.0, 30, _MODEL)
GET_ORDER: Final = Operation("getOrder (outbound)", "GET", f"{_ORDERS}/{{outboundOrderId}}", 2.0, 30, _MODEL)
CANCEL_ORDER: Final = Operation(
    "cancelOrder", "PUT", f"{_ORDERS}/{{outboundOrderId}}/cancel", 2.0, 30, _MODEL
)

_STATUS: Final = {
    "PROCESSING": FulfillmentStatus.PROCESSING,
    "COMPLETE": FulfillmentStatus.COMPLETE,
    "COMPLETE_PARTIAL": FulfillmentStatus.COMPLETE_PARTIALLED,
    "CANCELLED": FulfillmentStatus.CANCELLED,
    "UNFULFILLABLE": FulfillmentStatus.UNFULFILLABLE,
    "INVALID": FulfillmentStatus.INVALID,
}
_SHIPMENT: Final = {
    "PROCESSING": ShipmentStatus.PENDING,
    "SHIPPED": ShipmentStatus.SHIPPED,
    "CANCELLED": ShipmentStatus.CANCELLED_BY_FULFILLER,
}
_POLICY: Final = {
    FulfillmentPolicy.FILL_OR_KILL: "FILL_OR_KILL",
    FulfillmentPolicy.FILL_ALL: "FILL_ALL",
    FulfillmentPolicy.FILL_ALL_AVAILABLE: "FILL_ALL_AVAILABLE",
}


class FulfillmentOutbound2026:
    """The port on Fulfillment Outbound 2026-07-04 (2 calls/s, burst 30 for each operation)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, request: FulfillmentRequest) -> None:
        """createOrder: 200 with the order, or 202 where Amazon makes it later; a look tells both apart."""
        slip = {
            "orderId": request.displayable_id,
            "orderTime": f"{request.ordered_at:%Y-%m-%dT%H:%M:%SZ}",
            "orderText": request.comment,
        }
        body: dict[str, object] = {
            "orderId": request.order_id,
            "destination": {"deliveryAddress": address_body(request.address)},
            "lineItems": [
                {
                    "lineItemId": line.item_id,
                    "product": {"productIdentifier": {"amazonSku": line.sku}},
                    "amount": {"unit": "EACHES", "value": str(line.quantity)},
                }
                for line in request.lines
            ],
            "fulfillmentConfiguration": {
                "serviceLevel": {"serviceTiers": [request.speed.value.upper()]},
                "action": "SHIP",
                "policy": _POLICY[request.policy],
                "services": {"packaging": {"packingSlip": {"templateAttributes": slip}}},
            },
        }
        await self._transport.call(CREATE_ORDER, order_id=request.order_id, body=body)

    async def get(self, order_id: str) -> FulfillmentSnapshot | None:
        """getOrder with its shipments."""
        order = await self._order(order_id)
        return None if order is None else _snapshot(order)

    async def cancel(self, order_id: str) -> None:
        """cancelOrder: 202, Amazon tries."""
        await self._transport.call(CANCEL_ORDER, order_id=order_id, names={"outboundOrderId": order_id})

    async def parcels(self, order_id: str, numbers: Sequence[str]) -> dict[str, tuple[ParcelStatus, str]]:
        """The parcels' statuses stand in the order."""
        order = await self._order(order_id) or {}
        packages = [
            package
            for shipment in objects(order.get("shipments"))
            for package in objects(shipment.get("packages"))
        ]
        words = {
            str(package.get("packageId")): str(package.get("status") or "UNKNOWN") for package in packages
        }
        return {number: parcel_status(words.get(number, "UNKNOWN")) for number in numbers}

    async def _order(self, order_id: str) -> Mapping[str, object] | None:
        try:
            answer = await self._transport.call(
                GET_ORDER, order_id=order_id, names={"outboundOrderId": order_id}
            )
        except AmazonError as error:
            if error.failure in (Failure.NOT_FOUND, Failure.REFUSED):
                return None
            raise
        order = answer.get("order")
        if not isinstance(order, dict):
            raise misread(GET_ORDER, "order")
        return order


def _snapshot(order: Mapping[str, object]) -> FulfillmentSnapshot:
    """FulfillmentOrder. Without a status it is accepted and not made yet."""
    word = order.get("status")
    status = FulfillmentStatus.NEW if word is None else _STATUS.get(str(word))
    if status is None:
        raise misread(GET_ORDER, "status")
    lines = objects(order.get("lineItems"))
    return FulfillmentSnapshot(
        order_id=str(order.get("orderId") or ""),
        status=status,
        updated=moment(order.get("statusUpdateTime")),
        quantities=_counted(lines, "amount"),
        cancelled=_counted(lines, "cancelledAmount"),
        unfulfillable=_counted(lines, "unfulfillableAmount"),
        shipments=tuple(_shipment(one) for one in objects(order.get("shipments"))),
    )


def _shipment(entry: Mapping[str, object]) -> FulfillmentShipment:
    status = _SHIPMENT.get(str(entry.get("status")))
    if status is None:
        raise misread(GET_ORDER, "shipments.status")
    return FulfillmentShipment(
        shipment_id=str(entry.get("amazonShipmentId") or ""),
        status=status,
        items=_counted(objects(entry.get("items")), "amount"),
        parcels=tuple(_parcel(one) for one in objects(entry.get("packages"))),
        shipped_at=moment(entry.get("shipTime")),
        arrives=moment(entry.get("deliveryTime")),
    )


def _parcel(entry: Mapping[str, object]) -> FulfillmentParcel:
    tracking = entry.get("tracking")
    told = tracking if isinstance(tracking, dict) else {}
    carrier, amazon = told.get("carrier"), told.get("amazon")
    by_carrier = carrier if isinstance(carrier, dict) else {}
    by_amazon = amazon if isinstance(amazon, dict) else {}
    return FulfillmentParcel(
        number=str(entry.get("packageId") or ""),
        carrier=str(by_carrier.get("carrierCode") or ""),
        tracking_number=str(by_carrier.get("trackingNumber") or by_amazon.get("trackingNumber") or ""),
        arrives=moment(entry.get("deliveryTime")),
    )


def _counted(entries: list[dict[str, object]], key: str) -> dict[str, int]:
    """Whole pieces by line item; an amount is a decimal number in a text, such as "1.0"."""
    total: dict[str, int] = {}
    for entry in entries:
        amount, item = entry.get(key), entry.get("lineItemId")
        if amount is None and key != "amount":
            continue
        try:
            value = Decimal(str(amount.get("value"))) if isinstance(amount, dict) else None
        except InvalidOperation:
            value = None
        if value is None or value != int(value) or not isinstance(item, str):
            raise misread(GET_ORDER, key)
        total[item] = total.get(item, 0) + int(value)
    return {item: quantity for item, quantity in total.items() if quantity}
