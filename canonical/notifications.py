"""Amazon's notifications (SQS messages) read: whose they are, what they are about, where they go.

Amazon writes the envelope in two cases: ``NotificationType`` in most, ``notificationType`` in those of reports,
feeds and Data Kiosk. Names are therefore compared without their case, at every level.
Source: the schemas of Amazon's notification types (OrderChangeNotification.json and its siblings).
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from canonical.ids import is_amazon_order_id
from canonical.notification_contracts import OrderNotice
from canonical.order import OrderStatus

M = TypeVar("M", bound=BaseModel)

ORDER_CHANGE: Final = "ORDER_CHANGE"
FBA_OUTBOUND_SHIPMENT_STATUS: Final = "FBA_OUTBOUND_SHIPMENT_STATUS"
REPORT_PROCESSING_FINISHED: Final = "REPORT_PROCESSING_FINISHED"
FEED_PROCESSING_FINISHED: Final = "FEED_PROCESSING_FINISHED"
FULFILLMENT_ORDER_STATUS: Final = "FULFILLMENT_ORDER_STATUS"
TRANSACTION_UPDATE: Final = "TRANSACTION_UPDATE"
FBA_INVENTORY_AVAILABILITY_CHANGES: Final = "FBA_INVENTORY_AVAILABILITY_CHANGES"

PAYLOAD_VERSIONS: Final[dict[str, str]] = {
    ORDER_CHANGE: "1.0",
    FBA_OUTBOUND_SHIPMENT_STATUS: "1.0",
    FULFILLMENT_ORDER_STATUS: "1.0",
    REPORT_PROCESSING_FINISHED: "2020-09-04",
    FEED_PROCESSING_FINISHED: "2020-09-04",
    TRANSACTION_UPDATE: "1.0",
    FBA_INVENTORY_AVAILABILITY_CHANGES: "1.0",
}
"""Every type that has a route here, with the payload version it is subscribed in."""

KEPT_FOR_LATER: Final = frozenset(
    {
        FULFILLMENT_ORDER_STATUS,
        FEED_PROCESSING_FINISHED,
        TRANSACTION_UPDATE,
        FBA_INVENTORY_AVAILABILITY_CHANGES,
    }
)
"""Types that nothing in this service acts on yet; they are kept in the archive until something does."""

_STATUSES: Final = {
    "Pending": OrderStatus.PENDING,
    "PendingAvailability": OrderStatus.PENDING_AVAILABILITY,
    "Unshipped": OrderStatus.UNSHIPPED,
    "PartiallyShipped": OrderStatus.PARTIALLY_SHIPPED,
    "Shipped": OrderStatus.SHIPPED,
    "Canceled": OrderStatus.CANCELLED,
    "Unfulfillable": OrderStatus.UNFULFILLABLE,
}
"""OrderStatus of ORDER_CHANGE (Orders v0's words); InvoiceUnconfirmed (Brazil) has no equal."""

_MULTI_CHANNEL_ID: Final = re.compile(r"S\d{2}-\d{7}-\d{7}")
"""Order ids of multi-channel fulfilment, which is no sale at Amazon."""
_NAMED: Final = 60
_DEEPEST: Final = 50


class UnreadableNotification(ValueError):  # noqa: N818 - read as what it is
    """A message is no notification this service can read. The text names the field, never its content."""


class Destiny(StrEnum):
    """Where a notification goes."""

    ORDER = "order"
    PENDING = "pending"
    """An order that Amazon has not released: there is nothing to do before the next notification."""
    NO_SALE = "no_sale"
    """A multi-channel order: M3 sold the goods already."""
    REPORT = "report"
    LATER = "later"
    UNKNOWN = "unknown"
    """A type without a route."""
    FOREIGN = "foreign"
    """Of a seller that is not configured."""


@dataclass(frozen=True)
class Notification:
    """One message as far as every type has it."""

    id: str
    kind: str
    seller_id: str
    """Empty where the type names none (a vendor's report)."""
    at: datetime | None
    payload: Mapping[str, object]
    """Names in lower case."""


@dataclass(frozen=True)
class OrderNews:
    """What a notification says of an order."""

    seller_id: str
    order_id: str
    notice: OrderNotice
    destiny: Destiny


@dataclass(frozen=True)
class ReportNews:
    """A report that Amazon has finished, in whatever way."""

    seller_id: str
    report_id: str
    report_type: str
    status: str
    document_id: str


class _Wire(BaseModel):
    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=False,
        alias_generator=lambda name: name.replace("_", ""),
    )


class _Metadata(_Wire):
    notification_id: str = Field(min_length=1, max_length=256)
    publish_time: AwareDatetime | None = None


class _Envelope(_Wire):
    notification_type: str = Field(min_length=1, max_length=128)
    event_time: AwareDatetime | None = None
    payload: dict[str, object]
    notification_metadata: _Metadata


class _Trigger(_Wire):
    time_of_order_change: AwareDatetime | None = None


class _Item(_Wire):
    order_item_id: str = Field(min_length=1)
    quantity: int = Field(ge=0)
    quantity_shipped: int | None = Field(default=None, ge=0)


class _Summary(_Wire):
    order_status: str
    order_items: tuple[_Item, ...] = ()


class _OrderChange(_Wire):
    seller_id: str = Field(min_length=1)
    amazon_order_id: str
    order_change_trigger: _Trigger
    summary: _Summary


class _FbaShipment(_Wire):
    seller_id: str = Field(min_length=1)
    amazon_order_id: str


class _Report(_Wire):
    seller_id: str | None = None
    report_id: str = Field(min_length=1)
    report_type: str
    processing_status: str
    report_document_id: str | None = None


def read_notification(body: str) -> Notification:
    """The message as a notification; raises UnreadableNotification."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableNotification("The message is no JSON.") from None
    if not isinstance(parsed, dict):
        raise UnreadableNotification(f"The message is a JSON {type(parsed).__name__}, not an object.")
    envelope = _read(_Envelope, _in_lower_case(parsed), "message")
    payload = envelope.payload
    return Notification(
        id=envelope.notification_metadata.notification_id,
        kind=envelope.notification_type,
        seller_id=_seller(payload),
        at=envelope.event_time or envelope.notification_metadata.publish_time,
        payload=payload,
    )


def destiny(notification: Notification, sellers: Collection[str]) -> Destiny:
    """Where the notification goes by its type and seller; of an order, more is decided by what it says."""
    if notification.kind not in PAYLOAD_VERSIONS:
        return Destiny.UNKNOWN
    if notification.seller_id and notification.seller_id not in sellers:
        return Destiny.FOREIGN
    if notification.kind in KEPT_FOR_LATER:
        return Destiny.LATER
    return Destiny.REPORT if notification.kind == REPORT_PROCESSING_FINISHED else Destiny.ORDER


def read_order_news(notification: Notification) -> OrderNews:
    """What ORDER_CHANGE or FBA_OUTBOUND_SHIPMENT_STATUS says; raises UnreadableNotification."""
    if notification.kind == ORDER_CHANGE:
        change = _read(_OrderChange, _inner(notification), notification.kind)
        items, at = change.summary.order_items, change.order_change_trigger.time_of_order_change
        status = _STATUSES.get(change.summary.order_status)
        ordered = {item.order_item_id: item.quantity for item in items}
        shipped = {
            item.order_item_id: item.quantity_shipped for item in items if item.quantity_shipped is not None
        }
        seller_id, order_id = change.seller_id, change.amazon_order_id
    else:
        shipment = _read(_FbaShipment, _inner(notification), notification.kind)
        seller_id, order_id = shipment.seller_id, shipment.amazon_order_id
        at, status, ordered, shipped = None, None, {}, {}
    at = at or notification.at
    if at is None:
        raise UnreadableNotification(f"The {notification.kind} has no time: field EventTime is missing.")
    where = Destiny.ORDER
    if _MULTI_CHANNEL_ID.fullmatch(order_id):
        where = Destiny.NO_SALE
    elif not is_amazon_order_id(order_id):
        raise UnreadableNotification(
            f"The {notification.kind} has no Amazon order id: field AmazonOrderId is not of the form 3-7-7."
        )
    elif status in (OrderStatus.PENDING, OrderStatus.PENDING_AVAILABILITY):
        where = Destiny.PENDING
    notice = OrderNotice(id=notification.id, at=at, status=status, ordered=ordered, shipped=shipped)
    return OrderNews(seller_id, order_id, notice, where)


def read_report_news(notification: Notification) -> ReportNews:
    """What REPORT_PROCESSING_FINISHED says; raises UnreadableNotification."""
    report = _read(_Report, _inner(notification), notification.kind)
    return ReportNews(
        seller_id=report.seller_id or "",
        report_id=report.report_id,
        report_type=report.report_type,
        status=report.processing_status,
        document_id=report.report_document_id or "",
    )


def _inner(notification: Notification) -> object:
    """The payload's own object: ``OrderChangeNotification`` of ORDER_CHANGE, and so on."""
    name = notification.kind.replace("_", "").casefold() + "notification"
    return notification.payload.get(name)


def _seller(payload: Mapping[str, object]) -> str:
    """The seller, wherever the type has it: beside, or one or two levels down."""
    for level in _levels(payload, 3):
        for name in ("sellerid", "sellingpartnerid"):
            found = level.get(name)
            if isinstance(found, str) and found:
                return found
    return ""


def _levels(value: Mapping[str, object], depth: int) -> Iterator[Mapping[str, object]]:
    yield value
    if depth > 1:
        for inner in value.values():
            if isinstance(inner, dict):
                yield from _levels(inner, depth - 1)


def _in_lower_case(value: object, depth: int = 0) -> object:
    if depth > _DEEPEST:
        raise UnreadableNotification("The message is nested too deeply.")
    if isinstance(value, dict):
        return {str(name).casefold(): _in_lower_case(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_in_lower_case(inner, depth + 1) for inner in value]
    return value


def _read(kind: type[M], value: object, what: str) -> M:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part)[:_NAMED] for part in first["loc"]) or "payload"
        trouble = (
            "is missing" if first["type"] == "missing" else first["msg"].replace("Input should", "should")
        )
        raise UnreadableNotification(
            f"The {what[:_NAMED]} cannot be read: field {field} {trouble}."
        ) from None
