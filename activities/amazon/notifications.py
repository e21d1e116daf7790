"""Subscribing to notifications: the queue as Amazon's destination, and one subscription for each type.

Source: notifications.json (Notifications API v1). Operations on destinations, and those that name a subscription
by its id, are grantless: they take a token of the application, not of the seller. Each has 1 call/s and a
burst of 5; here they wait for it, since only a person asks for them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import (
    CREATE_DESTINATION,
    CREATE_SUBSCRIPTION,
    DELETE_SUBSCRIPTION_BY_ID,
    GET_DESTINATIONS,
    GET_SUBSCRIPTION,
    Operation,
)
from activities.amazon.transport import Transport

_CONFLICT: Final = 409
_ATTEMPTS: Final = 8
_PAUSE_SECONDS: Final = 2.0
_DIRECTIVES: Final[Mapping[str, Mapping[str, object]]] = {
    "ORDER_CHANGE": {"processingDirective": {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}}
}
"""What Amazon wants beside the destination: without a filter it refuses ORDER_CHANGE, with one the others
(jlevers/selling-partner-api issue 885)."""


@dataclass(frozen=True)
class Destination:
    """A queue that Amazon may send to."""

    id: str
    name: str
    arn: str
    """Empty where it is no SQS queue."""


@dataclass(frozen=True)
class Subscription:
    """One notification type of one seller."""

    id: str
    version: str
    destination_id: str


class Subscribed(StrEnum):
    """How a subscription stands after it was looked at."""

    PRESENT = "present"
    CREATED = "created"
    MOVED = "moved"
    """It went to another destination and goes to this queue now."""
    ELSEWHERE = "elsewhere"
    """It goes to another destination, and was left there."""
    MISSING = "missing"
    REMOVED = "removed"
    REFUSED = "refused"
    """Amazon does not allow it; the sentence says why."""


class NameTaken(Exception):  # noqa: N818 - said as a sentence to a person
    """Amazon keeps the destination's name for another queue."""


class NotificationsClient:
    """Notifications API of one seller (`seller`) and its application (`application`, grantless).

    Every method raises `AmazonError` and nothing else of the network.
    """

    def __init__(
        self,
        seller: Transport,
        application: Transport,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seller = seller
        self._application = application
        self._sleep = sleep

    async def destination(self, arn: str) -> Destination | None:
        """The destination of this queue; None where Amazon knows none."""
        answer = await self._call(self._application, GET_DESTINATIONS)
        payload = answer.get("payload")
        known = map(_destination, payload) if isinstance(payload, list) else ()
        return next((one for one in known if one.arn == arn), None)

    async def ensure_destination(self, name: str, arn: str) -> tuple[Destination, bool]:
        """The destination of this queue, and whether it was created now; raises NameTaken."""
        found = await self.destination(arn)
        if found is not None:
            return found, False
        body = {"name": name, "resourceSpecification": {"sqs": {"arn": arn}}}
        try:
            answer = await self._call(self._application, CREATE_DESTINATION, body=body)
        except AmazonError as error:
            if error.status != _CONFLICT:
                raise
            found = await self.destination(arn)  # created by another process a moment ago
            if found is None:
                raise NameTaken(
                    f"Amazon keeps the destination {name} for another queue: {error.sentence} Name another one in "
                    "notifications.destination."
                ) from None
            return found, False
        return _destination(_payload(answer, CREATE_DESTINATION)), True

    async def subscription(self, kind: str, version: str) -> Subscription | None:
        """The seller's subscription to this type; None where there is none."""
        try:
            answer = await self._call(
                self._seller,
                GET_SUBSCRIPTION,
                names={"notificationType": kind},
                query={"payloadVersion": version},
            )
        except AmazonError as error:
            if error.failure is Failure.NOT_FOUND:
                return None
            raise
        return _subscription(_payload(answer, GET_SUBSCRIPTION))

    async def ensure_subscription(
        self, kind: str, version: str, destination_id: str, *, move: bool = False
    ) -> tuple[Subscription, Subscribed]:
        """See that the type goes to the destination. One that goes elsewhere is left there, unless `move`."""
        found = await self.subscription(kind, version)
        done = Subscribed.CREATED
        if found is not None:
            if found.destination_id == destination_id:
                return found, Subscribed.PRESENT
            if not move:
                return found, Subscribed.ELSEWHERE
            await self.delete_subscription(kind, found.id)
            done = Subscribed.MOVED
        try:
            answer = await self._call(
                self._seller,
                CREATE_SUBSCRIPTION,
                names={"notificationType": kind},
                body={
                    "payloadVersion": version,
                    "destinationId": destination_id,
                    **_DIRECTIVES.get(kind, {}),
                },
            )
        except AmazonError as error:
            found = await self.subscription(kind, version) if error.status == _CONFLICT else None
            if found is None:
                raise
            same = found.destination_id == destination_id
            return found, Subscribed.PRESENT if same else Subscribed.ELSEWHERE
        return _subscription(_payload(answer, CREATE_SUBSCRIPTION)), done

    async def delete_subscription(self, kind: str, subscription_id: str) -> None:
        """Amazon sends no more of it; one that is gone already is no error."""
        try:
            await self._call(
                self._application,
                DELETE_SUBSCRIPTION_BY_ID,
                names={"notificationType": kind, "subscriptionId": subscription_id},
            )
        except AmazonError as error:
            if error.failure is not Failure.NOT_FOUND:
                raise

    async def _call(
        self,
        transport: Transport,
        operation: Operation,
        *,
        names: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> dict[str, object]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await transport.call(operation, names=names, query=query, body=body)
            except AmazonError as error:
                again = error.failure in (Failure.QUOTA, Failure.UNAVAILABLE)
                if not again or attempt == _ATTEMPTS:
                    raise
                pause = error.retry_after.total_seconds() if error.retry_after else _PAUSE_SECONDS
            await self._sleep(pause)
        raise AssertionError("unreachable")


def _destination(told: object) -> Destination:
    facts = told if isinstance(told, dict) else {}
    resource = facts.get("resource") or {}
    sqs = resource.get("sqs") or {}
    return Destination(
        id=str(facts.get("destinationId") or ""),
        name=str(facts.get("name") or ""),
        arn=str(sqs.get("arn") or ""),
    )


def _subscription(told: Mapping[str, object]) -> Subscription:
    return Subscription(
        id=str(told.get("subscriptionId") or ""),
        version=str(told.get("payloadVersion") or ""),
        destination_id=str(told.get("destinationId") or ""),
    )


def _payload(answer: Mapping[str, object], operation: Operation) -> Mapping[str, object]:
    payload = answer.get("payload")
    if not isinstance(payload, dict):
        raise AmazonError(
            Failure.UNAVAILABLE, operation.name, status=200, message="the answer has no usable 'payload'"
        )
    return payload
