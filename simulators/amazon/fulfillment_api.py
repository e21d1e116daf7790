"""Fulfillment Outbound 2020-07-01: create, get, list and cancel fulfilment orders, track packages.

Bodies by the model fulfillmentOutbound_2020-07-01.json; the refusal of an unknown SKU as quoted in
amzn/selling-partner-api-models issue 2979, what `+` and blanks in an id do in issues 5374 and 1845. Texts of other
refusals are inferred.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError
from starlette.requests import Request

from simulators import assortment, catalogue
from simulators.amazon.auth import Caller
from simulators.amazon.clock import to_ms
from simulators.amazon.fulfillment_orders import Desk
from simulators.amazon.fulfillment_records import EventError, Item, Order, Package, Shipment
from simulators.amazon.wire import JsonObject, denied, invalid, not_found
from simulators.amazon.world import World

Answer = tuple[int, JsonObject | None]
Operation = Callable[[World, Caller, Request, bytes, int], Answer]
_PAGE = 50
_JAPAN = "A1VC38T7YXB528"


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Address(_Model):
    """Model Address; city is demanded apart."""

    name: Annotated[StrictStr, Field(min_length=1)]
    addressLine1: Annotated[StrictStr, Field(min_length=1)]  # noqa: N815
    addressLine2: StrictStr | None = None  # noqa: N815
    addressLine3: StrictStr | None = None  # noqa: N815
    city: StrictStr | None = None
    districtOrCounty: StrictStr | None = None  # noqa: N815
    stateOrRegion: StrictStr | None = None  # noqa: N815
    postalCode: Annotated[StrictStr, Field(min_length=1)]  # noqa: N815
    countryCode: Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}$")]  # noqa: N815
    phone: StrictStr | None = None


class OrderItem(_Model):
    """Model CreateFulfillmentOrderItem."""

    sellerSku: Annotated[StrictStr, Field(max_length=50)]  # noqa: N815
    sellerFulfillmentOrderItemId: Annotated[StrictStr, Field(max_length=50)]  # noqa: N815
    quantity: StrictInt


class NewOrder(_Model):
    """Model CreateFulfillmentOrderRequest."""

    marketplaceId: StrictStr | None = None  # noqa: N815
    sellerFulfillmentOrderId: Annotated[StrictStr, Field(min_length=1, max_length=40)]  # noqa: N815
    displayableOrderId: Annotated[StrictStr, Field(min_length=1, max_length=40)]  # noqa: N815
    displayableOrderDate: StrictStr  # noqa: N815
    displayableOrderComment: Annotated[StrictStr, Field(min_length=1, max_length=750)]  # noqa: N815
    shippingSpeedCategory: Literal["Standard", "Expedited", "Priority", "ScheduledDelivery"]  # noqa: N815
    destinationAddress: Address  # noqa: N815
    fulfillmentAction: Literal["Ship", "Hold"] = "Ship"  # noqa: N815
    fulfillmentPolicy: Literal["FillOrKill", "FillAll", "FillAllAvailable"] = "FillOrKill"  # noqa: N815
    items: Annotated[list[OrderItem], Field(min_length=1, max_length=100)]


def operations(desk: Desk) -> dict[tuple[str, str], tuple[str, Operation]]:
    """By method and path: the operation's name and what answers it."""
    base = "/fba/outbound/2020-07-01"
    one = f"{base}/fulfillmentOrders/{{order_id}}"

    def create(_: World, caller: Caller, __: Request, body: bytes, now_ms: int) -> Answer:
        take_in(desk, caller.seller_id, read(body), now_ms)
        return 200, {}

    def get(_: World, caller: Caller, request: Request, __: bytes, now_ms: int) -> Answer:
        return 200, {"payload": whole(desk, found(desk, caller, request, now_ms))}

    def listed(_: World, caller: Caller, request: Request, __: bytes, now_ms: int) -> Answer:
        desk.settle(now_ms)
        return 200, {"payload": page(desk, caller.seller_id, request)}

    def cancel(_: World, caller: Caller, request: Request, __: bytes, now_ms: int) -> Answer:
        try:
            desk.cancel(found(desk, caller, request, now_ms), now_ms)
        except EventError as error:
            raise invalid(str(error)) from None
        return 200, {}

    def track(_: World, caller: Caller, request: Request, __: bytes, now_ms: int) -> Answer:
        desk.settle(now_ms)
        text = request.query_params.get("packageNumber", "")
        known = desk.package(caller.seller_id, int(text)) if text.isdecimal() else None
        if known is None:
            raise not_found(f"Package {text} was not found.")
        return 200, {"payload": tracking(desk, *known)}

    return {
        ("POST", f"{base}/fulfillmentOrders"): ("createFulfillmentOrder", create),
        ("GET", f"{base}/fulfillmentOrders"): ("listAllFulfillmentOrders", listed),
        ("GET", one): ("getFulfillmentOrder", get),
        ("PUT", f"{one}/cancel"): ("cancelFulfillmentOrder", cancel),
        ("GET", f"{base}/tracking"): ("getPackageTrackingDetails", track),
    }


def read(body: bytes) -> NewOrder:
    """The request body; ApiError 400 naming the first fields that are missing or wrong."""
    try:
        return NewOrder.model_validate_json(body)
    except ValidationError as error:
        named = [".".join(str(part) for part in entry["loc"]) or "body" for entry in error.errors()]
        raise invalid(f"The request has missing or invalid parameters: {', '.join(named[:5])}.") from None


def take_in(desk: Desk, seller_id: str, wanted: NewOrder, now_ms: int) -> Order:
    """Make the order; ApiError 400 for what Amazon sees at once. The rest it sees when it validates."""
    sold = {m.marketplace_id for s in catalogue.ACCOUNTS if s.seller_id == seller_id for m in s.sold_in}
    if wanted.marketplaceId is not None and wanted.marketplaceId not in sold:
        raise invalid(f"Value {wanted.marketplaceId} for parameter MarketplaceId is invalid.")
    if (seller_id, wanted.sellerFulfillmentOrderId) in desk.orders:
        name = wanted.sellerFulfillmentOrderId
        raise invalid(f"A fulfillment order with the SellerFulfillmentOrderId {name} already exists.")
    if not wanted.destinationAddress.city and wanted.destinationAddress.countryCode != "JP":
        raise invalid("Value for parameter DestinationAddress.City is invalid. Reason: MissingValue.")
    if wanted.shippingSpeedCategory == "ScheduledDelivery" and wanted.marketplaceId != _JAPAN:
        raise invalid("ScheduledDelivery is available in the JP marketplace only.")
    try:
        to_ms(wanted.displayableOrderDate)
    except ValueError:
        raise invalid("Value for parameter DisplayableOrderDate is invalid.") from None
    _check_items(wanted.items)
    order = Order(
        seller_id=seller_id,
        order_id=wanted.sellerFulfillmentOrderId,
        asked=wanted.model_dump(mode="json", exclude_none=True),
        policy=wanted.fulfillmentPolicy,
        items=[
            Item(item_id=item.sellerFulfillmentOrderItemId, sku=item.sellerSku, quantity=item.quantity)
            for item in wanted.items
        ],
        received_ms=now_ms,
        updated_ms=now_ms,
    )
    desk.keep(order, now_ms)
    return order


def _check_items(items: list[OrderItem]) -> None:
    ids = [item.sellerFulfillmentOrderItemId for item in items]
    if len(set(ids)) < len(ids):
        raise invalid("The SellerFulfillmentOrderItemIds of an order must differ.")
    if not any(item.quantity for item in items):
        raise invalid("Value AllQuantityZero for parameter  is invalid.")
    if any(item.quantity < 0 for item in items) or sum(item.quantity for item in items) > 250:
        raise invalid("The quantity of the items is invalid; an order has at most 250 units.")
    for item in items:
        if item.sellerSku not in assortment.ITEM_BY_SKU:
            raise invalid(f"the SellerSKU for Item Id: {item.sellerFulfillmentOrderItemId} is invalid.")


def found(desk: Desk, caller: Caller, request: Request, now_ms: int) -> Order:
    """The order of the path. A `+` in it is read as a blank, and an id with blanks is nobody's to ask for."""
    desk.settle(now_ms)
    asked = request.path_params["order_id"]
    if " " in asked:
        raise denied()
    order = desk.orders.get((caller.seller_id, asked.replace("+", " ")))
    if order is None or now_ms < order.visible_ms:
        raise not_found(f"No fulfillment order {asked} exists for this seller.")
    return order


def page(desk: Desk, seller_id: str, request: Request) -> JsonObject:
    """ListAllFulfillmentOrdersResult: oldest update first, 50 at a time."""
    after, start = request.query_params.get("queryStartDate"), request.query_params.get("nextToken", "0")
    try:
        after_ms = to_ms(after) if after else 0
        offset = int(start)
    except ValueError:
        raise invalid("queryStartDate or nextToken is invalid.") from None
    orders = sorted((o for o in desk.of(seller_id) if o.updated_ms >= after_ms), key=lambda o: o.updated_ms)
    result: JsonObject = {"fulfillmentOrders": [head(order) for order in orders[offset : offset + _PAGE]]}
    if len(orders) > offset + _PAGE:
        result["nextToken"] = str(offset + _PAGE)
    return result


def head(order: Order) -> JsonObject:
    """FulfillmentOrder."""
    known = {key: value for key, value in order.asked.items() if key != "items"}
    return {
        "marketplaceId": "",
        **known,
        "receivedDate": stamp(order.received_ms),
        "fulfillmentOrderStatus": order.status,
        "statusUpdatedDate": stamp(order.updated_ms),
    }


def whole(desk: Desk, order: Order) -> JsonObject:
    """GetFulfillmentOrderResult."""
    return {
        "fulfillmentOrder": head(order),
        "fulfillmentOrderItems": [
            {
                "sellerSku": item.sku,
                "sellerFulfillmentOrderItemId": item.item_id,
                "quantity": item.quantity,
                "cancelledQuantity": item.cancelled,
                "unfulfillableQuantity": item.unfulfillable,
            }
            for item in order.items
        ],
        "fulfillmentShipments": [_shipment(desk, order, shipment) for shipment in order.shipments],
        "returnItems": [],
        "returnAuthorizations": [],
    }


def _shipment(desk: Desk, order: Order, shipment: Shipment) -> JsonObject:
    """FulfillmentShipment; an item in several packages stands there once for each."""
    skus = {item.item_id: item.sku for item in order.items}
    rows: list[tuple[str, int, int | None]] = [*shipment.packed] or [
        (item, quantity, None) for item, quantity in shipment.items.items()
    ]
    body: JsonObject = {
        "amazonShipmentId": shipment.shipment_id,
        "fulfillmentCenterId": shipment.centre,
        "fulfillmentShipmentStatus": shipment.status,
        "fulfillmentShipmentItem": [
            {
                "sellerSku": skus[item],
                "sellerFulfillmentOrderItemId": item,
                "quantity": quantity,
                **({} if number is None else {"packageNumber": number}),
            }
            for item, quantity, number in rows
        ],
    }
    if shipment.status in ("PENDING", "SHIPPED"):
        arrives = desk.arrives_ms(shipment, order)
        body["shippingDate"] = stamp(shipment.shipped_ms or order.received_ms + 3_600_000)
        body["estimatedArrivalDate"] = stamp(arrives)
        body["fulfillmentShipmentPackage"] = [
            {
                "packageNumber": package.number,
                "carrierCode": package.carrier,
                "trackingNumber": package.tracking,
                "estimatedArrivalDate": stamp(arrives),
            }
            for package in shipment.packages
        ]
    return body


def tracking(desk: Desk, order: Order, shipment: Shipment, known: Package) -> JsonObject:
    """PackageTrackingDetails."""
    return {
        "packageNumber": known.number,
        "trackingNumber": known.tracking,
        "carrierCode": known.carrier,
        "shipDate": stamp(shipment.shipped_ms),
        "estimatedArrivalDate": stamp(desk.arrives_ms(shipment, order)),
        "currentStatus": known.status,
        "currentStatusDescription": known.status.replace("_", " ").title(),
    }


def stamp(milliseconds: int) -> str:
    """A date-time to the second, in UTC."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
