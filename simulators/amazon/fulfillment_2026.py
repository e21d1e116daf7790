"""Fulfillment Outbound 2026-07-04 over the same orders: createOrder (200 or 202), getOrder, cancelOrder (202).

By the model fulfillmentOutbound_2026-07-04.json: fewer statuses, amounts as decimal texts, package status inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError
from starlette.requests import Request

from simulators.amazon.auth import Caller
from simulators.amazon.fulfillment_api import Address, Answer, NewOrder, Operation, found, stamp, take_in
from simulators.amazon.fulfillment_orders import Desk
from simulators.amazon.fulfillment_records import EventError, Order, Package, Shipment
from simulators.amazon.wire import JsonObject, invalid
from simulators.amazon.world import World

STATUSES = {
    "New": "PROCESSING", "Received": "PROCESSING", "Planning": "PROCESSING", "Processing": "PROCESSING",
    "Complete": "COMPLETE", "CompletePartialled": "COMPLETE_PARTIAL", "Cancelled": "CANCELLED",
    "Unfulfillable": "UNFULFILLABLE", "Invalid": "INVALID",
}  # fmt: skip
SHIPMENTS = {
    "PENDING": "PROCESSING", "SHIPPED": "SHIPPED",
    "CANCELLED_BY_FULFILLER": "CANCELLED", "CANCELLED_BY_SELLER": "CANCELLED",
}  # fmt: skip
POLICIES: dict[str, Literal["FillOrKill", "FillAll", "FillAllAvailable"]] = {
    "FILL_OR_KILL": "FillOrKill", "FILL_ALL": "FillAll", "FILL_ALL_AVAILABLE": "FillAllAvailable",
}  # fmt: skip
SPEEDS: dict[str, Literal["Standard", "Expedited", "Priority", "ScheduledDelivery"]] = {
    "STANDARD": "Standard", "EXPEDITED": "Expedited", "PRIORITY": "Priority", "SCHEDULED": "ScheduledDelivery",
}  # fmt: skip
ACCEPTED_MS = 500
"""How long an accepted order (202) cannot be seen, times the pace."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Amount(_Model):
    """Model Amount."""

    unit: StrictStr = "EACHES"
    value: Decimal


class Identifier(_Model):
    """Model ProductIdentifier."""

    amazonSku: StrictStr  # noqa: N815


class Product(_Model):
    """Model OrderProduct."""

    productIdentifier: Identifier  # noqa: N815


class Line(_Model):
    """Model CreateOrderLineItem."""

    lineItemId: StrictStr  # noqa: N815
    product: Product
    amount: Amount


class Destination(_Model):
    """Model OrderDestination."""

    deliveryAddress: Address  # noqa: N815


class ServiceLevel(_Model):
    """Model ServiceLevel."""

    serviceTiers: list[Literal["STANDARD", "EXPEDITED", "PRIORITY", "SCHEDULED"]] = ["STANDARD"]  # noqa: N815


class Configuration(_Model):
    """Model OrderFulfillmentConfiguration."""

    serviceLevel: ServiceLevel = ServiceLevel()  # noqa: N815
    action: Literal["SHIP", "HOLD"] = "SHIP"
    policy: Literal["FILL_OR_KILL", "FILL_ALL", "FILL_ALL_AVAILABLE"] = "FILL_OR_KILL"


class NewOrder2026(_Model):
    """Model CreateOrderRequest."""

    orderId: Annotated[StrictStr, Field(min_length=1, max_length=40)]  # noqa: N815
    destination: Destination
    lineItems: Annotated[list[Line], Field(min_length=1, max_length=100)]  # noqa: N815
    fulfillmentConfiguration: Configuration = Configuration()  # noqa: N815


def operations(desk: Desk) -> dict[tuple[str, str], tuple[str, Operation]]:
    """By method and path: the operation's name and what answers it."""
    base = "/fulfillment/outbound/2026-07-04/orders"

    def create(_: World, caller: Caller, __: Request, body: bytes, now_ms: int) -> Answer:
        order = take_in(desk, caller.seller_id, _read(body, now_ms), now_ms)
        if not desk.asynchronous:
            return 200, {"order": _whole(desk, order)}
        order.visible_ms = now_ms + round(ACCEPTED_MS * desk.pace)
        desk.keep(order, now_ms)
        return 202, {"orderId": order.order_id, "status": "PROCESSING"}

    def get(_: World, caller: Caller, request: Request, __: bytes, now_ms: int) -> Answer:
        return 200, {"order": _whole(desk, found(desk, caller, request, now_ms))}

    def cancel(_: World, caller: Caller, request: Request, __: bytes, now_ms: int) -> Answer:
        order = found(desk, caller, request, now_ms)
        try:
            desk.cancel(order, now_ms)
        except EventError as error:
            if order.ended:
                raise invalid(str(error)) from None
        return 202, {}  # accepted is not cancelled: an order that is being picked goes its way

    return {
        ("POST", base): ("createOrder", create),
        ("GET", f"{base}/{{order_id}}"): ("getOutboundOrder", get),
        ("PUT", f"{base}/{{order_id}}/cancel"): ("cancelOrder", cancel),
    }


def _read(body: bytes, now_ms: int) -> NewOrder:
    """The request in the words of 2020-07-01; ApiError 400 naming the fields that are missing or wrong."""
    try:
        wanted = NewOrder2026.model_validate_json(body)
    except ValidationError as error:
        named = [".".join(str(part) for part in entry["loc"]) or "body" for entry in error.errors()]
        raise invalid(f"The request has missing or invalid parameters: {', '.join(named[:5])}.") from None
    if any(line.amount.value != int(line.amount.value) for line in wanted.lineItems):
        raise invalid("The amount of a line item must be a whole number of EACHES.")
    configured = wanted.fulfillmentConfiguration
    return NewOrder.model_validate(
        {
            "sellerFulfillmentOrderId": wanted.orderId,
            "displayableOrderId": wanted.orderId,
            "displayableOrderDate": stamp(now_ms),
            "displayableOrderComment": "-",
            "shippingSpeedCategory": SPEEDS[configured.serviceLevel.serviceTiers[0]],
            "destinationAddress": wanted.destination.deliveryAddress.model_dump(exclude_none=True),
            "fulfillmentAction": configured.action.capitalize(),
            "fulfillmentPolicy": POLICIES[configured.policy],
            "items": [
                {
                    "sellerSku": line.product.productIdentifier.amazonSku,
                    "sellerFulfillmentOrderItemId": line.lineItemId,
                    "quantity": int(line.amount.value),
                }
                for line in wanted.lineItems
            ],
        }
    )


def _amount(quantity: int) -> JsonObject:
    return {"unit": "EACHES", "value": f"{quantity}.0"}


def _whole(desk: Desk, order: Order) -> JsonObject:
    """FulfillmentOrder."""
    address = order.asked.get("destinationAddress")
    return {
        "orderId": order.order_id,
        "receiveTime": stamp(order.received_ms),
        "status": STATUSES[order.status],
        "statusUpdateTime": stamp(order.updated_ms),
        "destination": {"deliveryAddress": dict(address) if isinstance(address, Mapping) else {}},
        "lineItems": [
            {
                "lineItemId": item.item_id,
                "product": {"productIdentifier": {"amazonSku": item.sku}},
                "amount": _amount(item.quantity),
                "cancelledAmount": _amount(item.cancelled),
                "unfulfillableAmount": _amount(item.unfulfillable),
            }
            for item in order.items
        ],
        "shipments": [_shipment(desk, order, shipment) for shipment in order.shipments],
    }


def _shipment(desk: Desk, order: Order, shipment: Shipment) -> JsonObject:
    skus = {item.item_id: item.sku for item in order.items}
    rows: list[tuple[str, int, int | None]] = [*shipment.packed] or [
        (item, quantity, None) for item, quantity in shipment.items.items()
    ]
    arrives = stamp(desk.arrives_ms(shipment, order))
    return {
        "amazonShipmentId": shipment.shipment_id,
        "amazonFacility": {"facilityId": shipment.centre},
        "status": SHIPMENTS[shipment.status],
        "shipTime": stamp(shipment.shipped_ms or order.received_ms + 3_600_000),
        "deliveryTime": arrives,
        "items": [
            {
                "lineItemId": item,
                "productIdentifier": {"amazonSku": skus[item]},
                "amount": _amount(quantity),
                **({} if number is None else {"packageId": str(number)}),
            }
            for item, quantity, number in rows
        ],
        "packages": [_package(package, arrives) for package in shipment.packages],
    }


def _package(package: Package, arrives: str) -> JsonObject:
    return {
        "packageId": str(package.number),
        "deliveryTime": arrives,
        "status": package.status,
        "tracking": {"carrier": {"carrierCode": package.carrier, "trackingNumber": package.tracking}},
    }
