"""Destinations and subscriptions, and the rules Amazon has for them.

Shapes by the model notifications.json; the refusals as quoted in public trackers
(amzn/selling-partner-api-docs issues 1800, 3448, 3355; amzn/selling-partner-api-models issue 4135;
jlevers/selling-partner-api issue 885; abuzuhri/Amazon-SP-API-CSharp issue 621).
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from simulators.amazon.notifications.kinds import APPLICATION, KINDS, ORDER_CHANGE
from simulators.amazon.store import Store
from simulators.amazon.wire import ApiError, JsonObject

ARN = re.compile(r"arn:aws:sqs:[^:\s]+:[^:\s]+:[^:\s]+")
OrderChangeType = Literal["BuyerRequestedChange", "DeliveryTipChange", "OrderStatusChange"]
UNPARSED = "Request has missing or invalid parameters and cannot be parsed."
_NOTE = "notifications"


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Sqs(_Body):
    """Model SqsResource."""

    arn: StrictStr = Field(max_length=1000)


class Resource(_Body):
    """Model DestinationResourceSpecification, of which this world knows SQS alone."""

    sqs: Sqs | None = None
    eventBridge: dict[str, Any] | None = None  # noqa: N815


class NewDestination(_Body):
    """Model CreateDestinationRequest."""

    name: StrictStr = Field(min_length=1, max_length=256)
    resourceSpecification: Resource  # noqa: N815


class EventFilter(_Body):
    """Model EventFilter."""

    eventFilterType: StrictStr  # noqa: N815
    marketplaceIds: list[StrictStr] | None = None  # noqa: N815
    orderChangeTypes: list[OrderChangeType] | None = None  # noqa: N815
    aggregationSettings: dict[str, Any] | None = None  # noqa: N815


class Directive(_Body):
    """Model ProcessingDirective."""

    eventFilter: EventFilter | None = None  # noqa: N815
    filterExpression: StrictStr | None = None  # noqa: N815


class NewSubscription(_Body):
    """Model CreateSubscriptionRequest."""

    payloadVersion: StrictStr  # noqa: N815
    destinationId: StrictStr  # noqa: N815
    processingDirective: Directive | None = None  # noqa: N815


@dataclass(frozen=True)
class Destination:
    """One queue that messages can be sent to."""

    destination_id: str
    name: str
    arn: str

    def shown(self) -> JsonObject:
        """As Amazon answers it: the resources it does not use are there, and null."""
        resource = {"sqs": {"arn": self.arn}, "eventBridge": None, "privateSqs": None, "webhook": None}
        return {"resource": resource, "destinationId": self.destination_id, "name": self.name}


@dataclass(frozen=True)
class Subscription:
    """One seller's wish to be told of one type. since_ms: nothing that happened before is told."""

    subscription_id: str
    seller_id: str
    kind: str
    version: str
    destination_id: str
    since_ms: int
    directive: JsonObject | None = None

    def shown(self) -> JsonObject:
        """Model Subscription."""
        told: JsonObject = {
            "subscriptionId": self.subscription_id,
            "payloadVersion": self.version,
            "destinationId": self.destination_id,
        }
        return {**told, "processingDirective": self.directive} if self.directive else told

    def wants(self, change_type: str | None) -> bool:
        """Whether the filter lets this type of order change through."""
        wanted = ((self.directive or {}).get("eventFilter") or {}).get("orderChangeTypes")
        return not wanted or change_type in wanted


class Registry:
    """All destinations and subscriptions; they survive a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.destinations: dict[str, Destination] = {}
        self.subscriptions: dict[str, Subscription] = {}
        kept = json.loads(store.recall(_NOTE) or "{}")
        for entry in kept.get("destinations", []):
            self.destinations[entry["destination_id"]] = Destination(**entry)
        for entry in kept.get("subscriptions", []):
            self.subscriptions[entry["subscription_id"]] = Subscription(**entry)

    def create_destination(self, wanted: NewDestination) -> Destination:
        """A new destination; ApiError 400 or 409."""
        sqs = wanted.resourceSpecification.sqs
        if sqs is None or wanted.resourceSpecification.eventBridge is not None:
            raise unparsed("Exactly one resource is expected; this world has SQS destinations only.")
        if not ARN.fullmatch(sqs.arn):
            raise unparsed(f"{sqs.arn} is not the ARN of an SQS queue.")
        if sqs.arn.endswith(".fifo"):
            raise unparsed("FIFO queues are not supported.")
        if any(sqs.arn == known.arn for known in self.destinations.values()):
            message = "The requested resource conflict with a resource in the server."
            details = f"A destination with arn {sqs.arn} already exists for the application {APPLICATION}"
            raise ApiError(409, "Conflict", message, details)
        made = Destination(str(uuid.uuid4()), wanted.name, sqs.arn)
        self.destinations[made.destination_id] = made
        self._keep()
        return made

    def destination(self, destination_id: str) -> Destination:
        """A known destination; ApiError 404."""
        known = self.destinations.get(destination_id)
        if known is None:
            raise missing(f"No destination with id {destination_id} for applicationId {APPLICATION}")
        return known

    def delete_destination(self, destination_id: str) -> None:
        """Forget a destination; ApiError 403 while it has subscriptions."""
        self.destination(destination_id)
        if any(known.destination_id == destination_id for known in self.subscriptions.values()):
            message = "The requested action is forbidden."
            raise ApiError(403, "Unauthorized", message, "Destination has subscriptions")
        del self.destinations[destination_id]
        self._keep()

    def create_subscription(
        self, seller_id: str, kind: str, wanted: NewSubscription, now_ms: int
    ) -> Subscription:
        """A new subscription; ApiError 400 or 409."""
        check_kind(kind)
        if wanted.payloadVersion not in KINDS[kind].versions:
            raise unparsed(f"Payload version {wanted.payloadVersion} is not supported for {kind}")
        if wanted.destinationId not in self.destinations:
            raise unparsed(f"No destination with id {wanted.destinationId} for applicationId {APPLICATION}")
        _check_directive(kind, wanted.processingDirective)
        if any(known.version == wanted.payloadVersion for known in self.of(seller_id, kind)):
            message = "The resource specified conflicts with the current state."
            details = f"Subscription already exist for notification type {kind}"
            raise ApiError(409, "StateConflict", message, details)
        directive = wanted.processingDirective
        made = Subscription(
            subscription_id=str(uuid.uuid4()),
            seller_id=seller_id,
            kind=kind,
            version=wanted.payloadVersion,
            destination_id=wanted.destinationId,
            since_ms=now_ms,
            directive=None if directive is None else directive.model_dump(exclude_none=True),
        )
        self.subscriptions[made.subscription_id] = made
        self._keep()
        return made

    def of(self, seller_id: str, kind: str) -> list[Subscription]:
        """The seller's subscriptions of one type, the latest payload version last."""
        known = [s for s in self.subscriptions.values() if (s.seller_id, s.kind) == (seller_id, kind)]
        return sorted(known, key=lambda s: KINDS[kind].versions.index(s.version))

    def subscription(self, kind: str, subscription_id: str) -> Subscription:
        """A known subscription of this type, whoever the seller; ApiError 404."""
        check_kind(kind)
        known = self.subscriptions.get(subscription_id)
        if known is None or known.kind != kind:
            raise missing(f"No subscription with id {subscription_id} for notification type {kind}")
        return known

    def delete_subscription(self, kind: str, subscription_id: str) -> None:
        """Forget a subscription; ApiError 404."""
        del self.subscriptions[self.subscription(kind, subscription_id).subscription_id]
        self._keep()

    def clear(self) -> None:
        """Forget all."""
        self.destinations.clear()
        self.subscriptions.clear()
        self._keep()

    def _keep(self) -> None:
        tree = {
            "destinations": [asdict(known) for known in self.destinations.values()],
            "subscriptions": [asdict(known) for known in self.subscriptions.values()],
        }
        self._store.remember(_NOTE, json.dumps(tree))


def check_kind(kind: str) -> None:
    """ApiError 400 for a type Amazon does not know, or no longer (ORDER_STATUS_CHANGE)."""
    if kind not in KINDS:
        raise unparsed(f"Invalid notification type {kind}")


def unparsed(details: str) -> ApiError:
    """400 in the words of the Notifications API."""
    return ApiError(400, "InvalidInput", UNPARSED, details)


def missing(details: str) -> ApiError:
    """404. Inferred: the words; the model gives the status alone."""
    return ApiError(404, "NotFound", "The requested resource was not found.", details)


def _check_directive(kind: str, directive: Directive | None) -> None:
    chosen = directive.eventFilter if directive is not None else None
    if directive is not None and directive.filterExpression is not None:
        if chosen is not None:
            raise unparsed("eventFilter and filterExpression are mutually exclusive")
        raise unparsed(f"filterExpression is not supported for notification type {kind}")
    if chosen is None:
        if KINDS[kind].filtered:
            raise unparsed("Processing Directive eventFilter must not be empty")
        return
    # The other types take no directive at all; ORDER_CHANGE no marketplaces, though the model has them.
    fits = kind == ORDER_CHANGE and chosen.eventFilterType == kind
    if not fits or chosen.marketplaceIds is not None or chosen.aggregationSettings is not None:
        given = json.dumps(chosen.model_dump(exclude_none=True), separators=(",", ":"))
        raise unparsed(f"EventFilter Payload {given} failed to validate for notification type {kind}")
