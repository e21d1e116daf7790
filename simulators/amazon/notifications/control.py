"""The control room of the notifications: how unkind their delivery is, and messages made to order."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import assortment, catalogue
from simulators.amazon.notifications import kinds, messages
from simulators.amazon.notifications.outbox import Plan
from simulators.amazon.record import OrderRecord, Shipment, fulfilled
from simulators.amazon.wire import JsonObject
from simulators.amazon.world import World


class Emission(BaseModel):
    """Body of ``POST /_control/notifications/emit``: one message, sent whatever anybody subscribed to.

    Exactly one of `raw`, `payload`, `order_id`, `sku`, `report_id` says what it tells.
    """

    model_config = ConfigDict(extra="forbid")

    type: str = kinds.ORDER_CHANGE
    """Also a type that Amazon does not have, together with `payload`."""
    raw: str | None = None
    """The message as it is: a text that is no JSON, or JSON that is no notification."""
    payload: dict[str, Any] | None = None
    """What stands under Payload."""
    order_id: str | None = None
    sku: str | None = None
    report_id: str | None = None
    """Of REPORT_PROCESSING_FINISHED and, as the feed's, of FEED_PROCESSING_FINISHED."""
    report_type: str = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
    document_id: str | None = None
    status: str = ""
    """Of the report, feed or shipment; DONE or Created if left out."""
    change: messages.OrderChangeType = "OrderStatusChange"
    seller: str | None = None
    """Whose message it claims to be; the order's seller, or the first one, if left out."""
    camel: bool | None = None
    """The other spelling of the envelope."""
    notification_id: str = ""
    times: int = Field(default=1, ge=1, le=1000)
    """Copies under the same NotificationId."""
    destination: str | None = None
    """A destination id; where the type is subscribed, or else every destination, if left out."""
    fated: bool = False
    """Let the message be lost, late or doubled as any other."""


class _EmissionError(ValueError):
    """The message cannot be made."""


def routes(world: World) -> list[Route]:
    """The ``/_control/notifications`` routes."""

    async def show(_: Request) -> Response:
        return JSONResponse(state(world))

    async def change(request: Request) -> Response:
        known = world.notifications.outbox.plan
        try:
            wanted = Plan.model_validate({**known.model_dump(), **(await request.json())})
        except (ValidationError, ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 422)
        world.notifications.outbox.plan = wanted
        return JSONResponse(state(world))

    async def forget(_: Request) -> Response:
        world.notifications.forget()
        return Response(status_code=204)

    async def emit(request: Request) -> Response:
        world.settle()
        try:
            wanted = Emission.model_validate_json(await request.body())
            sent = _emit(world, wanted)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"notificationId": sent}, 201)

    async def copies(request: Request) -> Response:
        params = request.query_params
        limit = params.get("limit", "")
        return JSONResponse(
            world.notifications.outbox.listed(
                params.get("subject"), params.get("state"), int(limit) if limit.isdecimal() else 1000
            )
        )

    return [
        Route("/_control/notifications", show, methods=["GET"]),
        Route("/_control/notifications", change, methods=["POST"]),
        Route("/_control/notifications", forget, methods=["DELETE"]),
        Route("/_control/notifications/emit", emit, methods=["POST"]),
        Route("/_control/notifications/copies", copies, methods=["GET"]),
    ]


def state(world: World) -> JsonObject:
    """``GET /_control/notifications``."""
    notifications = world.notifications
    return {
        "plan": notifications.outbox.plan.model_dump(),
        "destinations": [d.shown() for d in notifications.registry.destinations.values()],
        "subscriptions": [
            {"sellerId": s.seller_id, "notificationType": s.kind, **s.shown()}
            for s in notifications.registry.subscriptions.values()
        ],
        "copies": notifications.outbox.counts(),
        "problem": notifications.problem,
    }


def _emit(world: World, wanted: Emission) -> str:
    now_ms = world.clock.now_ms()
    if wanted.raw is not None:
        for arn, _ in _places(world, wanted, ""):
            world.notifications.send_raw(wanted.raw, arn, now_ms, wanted.times)
        return ""
    record = _order(world, wanted.order_id) if wanted.order_id is not None else None
    known = {account.seller_id for account in catalogue.ACCOUNTS}
    owner = wanted.seller if wanted.seller in known else catalogue.SELLERS[0].seller_id
    owner = record.seller_id if record is not None else owner
    seller_id = wanted.seller or owner
    return world.notifications.send_as(
        wanted.type,
        _payload(wanted, record, seller_id, now_ms),
        _places(world, wanted, owner),
        now_ms=now_ms,
        seller_id=seller_id,
        subject=wanted.order_id or wanted.sku or wanted.report_id or "",
        copies=wanted.times,
        notification_id=wanted.notification_id,
        camel=wanted.camel,
        fated=wanted.fated,
    )


def _order(world: World, order_id: str) -> OrderRecord:
    record = world.index.by_id.get(order_id)
    if record is None:
        message = f"Order {order_id} does not exist."
        raise _EmissionError(message)
    return record


def _places(world: World, wanted: Emission, owner: str) -> list[tuple[str, str]]:
    registry = world.notifications.registry
    if wanted.destination is not None:
        known = registry.destinations.get(wanted.destination)
        if known is None:
            message = f"Destination {wanted.destination} does not exist."
            raise _EmissionError(message)
        return [(known.arn, "")]
    places = world.notifications.places(wanted.type, owner) or [
        (known.arn, "") for known in registry.destinations.values()
    ]
    if not places:
        message = "There is no destination to send anything to."
        raise _EmissionError(message)
    return places


def _payload(wanted: Emission, record: OrderRecord | None, seller_id: str, now_ms: int) -> JsonObject:
    if wanted.payload is not None:
        return wanted.payload
    if record is not None:
        return _order_payload(wanted, record, seller_id, now_ms)
    if wanted.type == kinds.FBA_INVENTORY_AVAILABILITY_CHANGES and wanted.sku in assortment.ITEM_BY_SKU:
        item = assortment.ITEM_BY_SKU[wanted.sku]
        return messages.inventory(seller_id, item, ["A1PA6795UKMFR9"], item.stock)
    if wanted.report_id is not None:
        feed = wanted.type == kinds.FEED_PROCESSING_FINISHED
        finished = messages.feed_finished if feed else messages.report_finished
        status = wanted.status or "DONE"
        return finished(seller_id, wanted.report_id, wanted.report_type, status, wanted.document_id)
    message = f"Say what the {wanted.type} message tells: raw, payload, order_id, sku or report_id."
    raise _EmissionError(message)


def _order_payload(wanted: Emission, record: OrderRecord, seller_id: str, now_ms: int) -> JsonObject:
    units = {item["orderItemId"]: fulfilled(item) for item in record.items}
    shipment = record.shipments[-1] if record.shipments else Shipment("D0000000", now_ms, units)
    made: JsonObject | None = None
    match wanted.type:
        case kinds.ORDER_CHANGE:
            made = messages.order_change(record, wanted.change, record.updated_ms, seller_id)
        case kinds.FBA_OUTBOUND_SHIPMENT_STATUS:
            made = messages.outbound_shipment(record, shipment, wanted.status or "Created", seller_id)
        case kinds.FULFILLMENT_ORDER_STATUS:
            made = messages.fulfillment_order(record, shipment, seller_id)
        case kinds.TRANSACTION_UPDATE:
            worth = messages.worth(record, units)
            made = messages.transaction(record, "Shipment", worth, now_ms, seller_id)
    if made is None:
        message = f"{wanted.type} tells nothing of order {record.order_id}."
        raise _EmissionError(message)
    return made
