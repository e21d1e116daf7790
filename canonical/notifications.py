"""Amazon's notifications (SQS messages) read: whose they are, what they are about, where they go.

Amazon writes the envelope in two cases: ``NotificationType`` in most, ``notificationType`` in those of reports,
feeds and Data Kiosk. Names are therefore compared without their case, at every level.
Source: the schemas of Amazon's notification types (OrderChangeNotification.json and its siblings).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

M = TypeVar("M", bound=BaseModel)

ORDER_CHANGE: Final = "ORDER_CHANGE"
FBA_OUTBOUND_SHIPMENT_STATUS: Final = "FBA_OUTBOUND_SHIPMENT_STATUS"
REPORT_PROCESSING_FINISHED: Final = "REPORT_PROCESSING_FINISHED"
FEED_PROCESSING_FINISHED: Final = "FEED_PROCESSING_FINISHED"
FULFILLMENT_ORDER_STATUS: Final = "FULFILLMENT_ORDER_STATUS"
TRANSACTION_UPDATE: Final = "TRANSACTION_UPDATE"
FBA_INVENTORY_AVAILABILITY_CHANGES: Final = "FBA_INVENTORY_AVAILABILITY_CHANGES"
LISTINGS_ITEM_MFN_QUANTITY_CHANGE: Final = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"

PAYLOAD_VERSIONS: Final[dict[str, str]] = {
    ORDER_CHANGE: "1.0",
    FBA_OUTBOUND_SHIPMENT_STATUS: "1.0",
    FULFILLMENT_ORDER_STATUS: "1.0",
    REPORT_PROCESSING_FINISHED: "2020-09-04",
    FEED_PROCESSING_FINISHED: "2020-09-04",
    TRANSACTION_UPDATE: "1.0",
    FBA_INVENTORY_AVAILABILITY_CHANGES: "1.0",
    LISTINGS_ITEM_MFN_QUANTITY_CHANGE: "1.0",
}
"""Every type that has a route here, with the payload version it is subscribed in."""

KEPT_FOR_LATER: Final = frozenset(
    {
        FEED_PROCESSING_FINISHED,
        FBA_INVENTORY_AVAILABILITY_CHANGES,
        LISTINGS_ITEM_MFN_QUANTITY_CHANGE,
    }
)
"""Types that are kept in the archive where nothing acts on them: the stock keeper, where stock is configured, on feeds
and quantities; on FBA stock nothing yet. Of TRANSACTION_UPDATE, what is no refund is kept too."""

FOR_STOCK: Final = frozenset({LISTINGS_ITEM_MFN_QUANTITY_CHANGE})
"""Types that are asked for only where stock is configured: one comes with each sale."""

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
    FULFILLMENT = "fulfillment"
    """A fulfilment order: of M3's delivery that Amazon ships."""
    REFUND = "refund"
    QUANTITY = "quantity"
    """What Amazon shows of an MFN offer: for the stock keeper."""
    FEED = "feed"
    """A feed that has ended: for the stock keeper."""
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


class Wire(BaseModel):
    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=False,
        alias_generator=lambda name: name.replace("_", ""),
    )


class _Metadata(Wire):
    notification_id: str = Field(min_length=1, max_length=256)
    publish_time: AwareDatetime | None = None


class _Envelope(Wire):
    notification_type: str = Field(min_length=1, max_length=128)
    event_time: AwareDatetime | None = None
    payload: dict[str, object]
    notification_metadata: _Metadata


def read_notification(body: str) -> Notification:
    """The message as a notification; raises UnreadableNotification."""
    try:
        parsed = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise UnreadableNotification("The message is no JSON.") from None
    if not isinstance(parsed, dict):
        raise UnreadableNotification(f"The message is a JSON {type(parsed).__name__}, not an object.")
    envelope = read_as(_Envelope, _in_lower_case(parsed), "message")
    payload = envelope.payload
    return Notification(
        id=envelope.notification_metadata.notification_id,
        kind=envelope.notification_type,
        seller_id=_seller(payload),
        at=envelope.event_time or envelope.notification_metadata.publish_time,
        payload=payload,
    )


def inner(notification: Notification) -> object:
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


def read_as(kind: type[M], value: object, what: str) -> M:
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
