"""Which notifications there are, and how the envelope of each is spelled.

Facts: the schemas in amzn/selling-partner-api-models (schemas/notifications). PascalCase is the rule; the
report, feed, Data Kiosk and tracking types are camelCase and carry a date as their version.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.amazon.clock import iso
from simulators.amazon.wire import JsonObject

APPLICATION = "amzn1.sp.solution.5f0c2a1e-7d34-4b8a-9a53-1c2f6d7e8b90"
"""The seller's application, as Amazon names it in messages and refusals."""

ORDER_CHANGE = "ORDER_CHANGE"
FBA_OUTBOUND_SHIPMENT_STATUS = "FBA_OUTBOUND_SHIPMENT_STATUS"
FULFILLMENT_ORDER_STATUS = "FULFILLMENT_ORDER_STATUS"
FBA_INVENTORY_AVAILABILITY_CHANGES = "FBA_INVENTORY_AVAILABILITY_CHANGES"
TRANSACTION_UPDATE = "TRANSACTION_UPDATE"
REPORT_PROCESSING_FINISHED = "REPORT_PROCESSING_FINISHED"
FEED_PROCESSING_FINISHED = "FEED_PROCESSING_FINISHED"
LISTINGS_ITEM_MFN_QUANTITY_CHANGE = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"

_DATED = "2020-09-04"


@dataclass(frozen=True)
class Kind:
    """One notification type. versions: payload versions that can be subscribed, the latest last."""

    versions: tuple[str, ...] = ("1.0",)
    camel: bool = False
    version: str = "1.0"
    """notificationVersion and payloadVersion of its messages."""
    filtered: bool = False
    """Whether createSubscription insists on an eventFilter."""


KINDS: dict[str, Kind] = {
    ORDER_CHANGE: Kind(filtered=True),
    FBA_OUTBOUND_SHIPMENT_STATUS: Kind(),
    FULFILLMENT_ORDER_STATUS: Kind(),
    FBA_INVENTORY_AVAILABILITY_CHANGES: Kind(),
    TRANSACTION_UPDATE: Kind(),
    REPORT_PROCESSING_FINISHED: Kind(("1.0", _DATED), camel=True, version=_DATED),
    FEED_PROCESSING_FINISHED: Kind(("1.0", _DATED), camel=True, version=_DATED),
    LISTINGS_ITEM_MFN_QUANTITY_CHANGE: Kind(),
}
"""What can be subscribed here: the SQS types of which this world has anything to say.

Inferred: that report and feed subscriptions take both versions; callers in public trackers use 1.0
(amzn/selling-partner-api-docs issues 1564, 3448) while the schema says 2020-09-04.
"""


@dataclass(frozen=True)
class Stamp:
    """What an envelope says besides its payload. Moments in milliseconds of the simulator's clock."""

    notification_id: str
    subscription_id: str
    event_ms: int
    publish_ms: int


def envelope(name: str, payload: JsonObject, stamp: Stamp, *, camel: bool | None = None) -> JsonObject:
    """The message around a payload; `camel` overrides how this type is spelled."""
    kind = KINDS.get(name, Kind())
    metadata = {
        "ApplicationId": APPLICATION,
        "SubscriptionId": stamp.subscription_id,
        "PublishTime": iso(stamp.publish_ms),
        "NotificationId": stamp.notification_id,
    }
    message: JsonObject = {
        "NotificationVersion": kind.version,
        "NotificationType": name,
        "PayloadVersion": kind.version,
        "EventTime": iso(stamp.event_ms),
        "Payload": payload,
        "NotificationMetadata": metadata,
    }
    if kind.camel if camel is None else camel:
        message["NotificationMetadata"] = _lowered(metadata)
        return _lowered(message)
    return message


def _lowered(tree: JsonObject) -> JsonObject:
    """The same with a small first letter in each key of this level."""
    return {key[0].lower() + key[1:]: value for key, value in tree.items()}
