"""The operations of the Notifications API v1 (model notifications.json).

Grantless ones take a token of the scope sellingpartnerapi::notifications and no seller's; the others take the
seller's and no grantless one. All have 1 request per second and a burst of 5.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError
from starlette.requests import Request

from simulators.amazon.auth import Caller
from simulators.amazon.notifications.registry import (
    NewDestination,
    NewSubscription,
    check_kind,
    missing,
    unparsed,
)
from simulators.amazon.wire import JsonObject
from simulators.amazon.world import World

Answer = tuple[int, JsonObject | None]
Operation = Callable[[World, Caller, Request, bytes, int], Answer]
ModelT = TypeVar("ModelT", bound=BaseModel)

SCOPE = "sellingpartnerapi::notifications"
SMALLEST_PAGE, LARGEST_PAGE = 30, 100


class _TestNotification(BaseModel):
    model_config = ConfigDict(extra="ignore")

    payloadVersion: StrictStr  # noqa: N815
    testScenario: StrictStr = ""  # noqa: N815


class _TestRequest(BaseModel):
    """Model SendTestNotificationRequest."""

    model_config = ConfigDict(extra="ignore")

    destinationId: StrictStr  # noqa: N815
    testNotification: _TestNotification  # noqa: N815


def create_destination(world: World, _: Caller, __: Request, body: bytes, ___: int) -> Answer:
    """createDestination."""
    return _payload(world.notifications.registry.create_destination(_read(NewDestination, body)).shown())


def get_destinations(world: World, _: Caller, __: Request, ___: bytes, ____: int) -> Answer:
    """getDestinations."""
    return 200, {"payload": [known.shown() for known in world.notifications.registry.destinations.values()]}


def get_destination(world: World, _: Caller, request: Request, __: bytes, ___: int) -> Answer:
    """getDestination."""
    return _payload(world.notifications.registry.destination(request.path_params["destination"]).shown())


def delete_destination(world: World, _: Caller, request: Request, __: bytes, ___: int) -> Answer:
    """deleteDestination."""
    world.notifications.registry.delete_destination(request.path_params["destination"])
    return 200, {}


def create_subscription(world: World, caller: Caller, request: Request, body: bytes, now_ms: int) -> Answer:
    """createSubscription."""
    wanted = _read(NewSubscription, body)
    registry = world.notifications.registry
    made = registry.create_subscription(caller.seller_id, request.path_params["kind"], wanted, now_ms)
    return _payload(made.shown())


def get_subscription(world: World, caller: Caller, request: Request, _: bytes, __: int) -> Answer:
    """getSubscription: of the payload version asked for, otherwise of the latest."""
    kind, version = request.path_params["kind"], request.query_params.get("payloadVersion")
    check_kind(kind)
    known = world.notifications.registry.of(caller.seller_id, kind)
    found = [s for s in known if version is None or s.version == version]
    if not found:
        raise missing(f"No subscription for notification type {kind}")
    return _payload(found[-1].shown())


def get_subscriptions(world: World, caller: Caller, request: Request, _: bytes, __: int) -> Answer:
    """getSubscriptions: one notification type per request, pages of 30 to 100."""
    kinds = [part for value in request.query_params.getlist("notificationTypes") for part in value.split(",")]
    if len(kinds) != 1:
        raise unparsed("notificationTypes takes exactly one value")
    check_kind(kinds[0])
    size = _page_size(request.query_params.get("pageSize"))
    begin = _begin(request.query_params.get("nextToken"))
    version = request.query_params.get("payloadVersion")
    known = world.notifications.registry.of(caller.seller_id, kinds[0])
    found = [s for s in known if version is None or s.version == version]
    payload: JsonObject = {"subscriptions": [s.shown() for s in found[begin : begin + size]]}
    if begin + size < len(found):
        payload["nextToken"] = base64.urlsafe_b64encode(str(begin + size).encode()).decode()
    return _payload(payload)


def get_subscription_by_id(world: World, _: Caller, request: Request, __: bytes, ___: int) -> Answer:
    """getSubscriptionById."""
    params = request.path_params
    return _payload(world.notifications.registry.subscription(params["kind"], params["subscription"]).shown())


def delete_subscription_by_id(world: World, _: Caller, request: Request, __: bytes, ___: int) -> Answer:
    """deleteSubscriptionById."""
    params = request.path_params
    world.notifications.registry.delete_subscription(params["kind"], params["subscription"])
    return 200, {}


def send_test_notification(world: World, _: Caller, request: Request, body: bytes, now_ms: int) -> Answer:
    """sendTestNotification. Amazon answers it in the sandbox alone; this world is its own sandbox."""
    kind = request.path_params["kind"]
    check_kind(kind)
    wanted = _read(_TestRequest, body)
    if not wanted.testNotification.testScenario:
        raise unparsed("testScenario must not be empty")
    destination = world.notifications.registry.destination(wanted.destinationId)
    world.notifications.send_test(kind, destination, now_ms)
    return 200, {}


_SUBSCRIPTIONS = "/notifications/v1/subscriptions"
_DESTINATIONS = "/notifications/v1/destinations"

OPERATIONS: tuple[tuple[str, str, str, Operation, str], ...] = (
    (_DESTINATIONS, "GET", "getDestinations", get_destinations, SCOPE),
    (_DESTINATIONS, "POST", "createDestination", create_destination, SCOPE),
    (f"{_DESTINATIONS}/{{destination}}", "GET", "getDestination", get_destination, SCOPE),
    (f"{_DESTINATIONS}/{{destination}}", "DELETE", "deleteDestination", delete_destination, SCOPE),
    (_SUBSCRIPTIONS, "GET", "getSubscriptions", get_subscriptions, ""),
    (f"{_SUBSCRIPTIONS}/{{kind}}", "GET", "getSubscription", get_subscription, ""),
    (f"{_SUBSCRIPTIONS}/{{kind}}", "POST", "createSubscription", create_subscription, ""),
    (
        f"{_SUBSCRIPTIONS}/{{kind}}/testNotification",
        "POST",
        "sendTestNotification",
        send_test_notification,
        SCOPE,
    ),
    (
        f"{_SUBSCRIPTIONS}/{{kind}}/{{subscription}}",
        "GET",
        "getSubscriptionById",
        get_subscription_by_id,
        SCOPE,
    ),
    (
        f"{_SUBSCRIPTIONS}/{{kind}}/{{subscription}}",
        "DELETE",
        "deleteSubscriptionById",
        delete_subscription_by_id,
        SCOPE,
    ),
)
"""Path, method, name, what it does, and the scope of the token where it is grantless."""


def _payload(tree: JsonObject) -> Answer:
    return 200, {"payload": tree}


def _read(model: type[ModelT], body: bytes) -> ModelT:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        names = ", ".join(".".join(str(part) for part in entry["loc"]) or "body" for entry in error.errors())
        raise unparsed(f"Missing or invalid: {names}") from None


def _page_size(text: str | None) -> int:
    if text is None:
        return SMALLEST_PAGE
    if not text.isdecimal() or not SMALLEST_PAGE <= int(text) <= LARGEST_PAGE:
        raise unparsed(f"pageSize must be between {SMALLEST_PAGE} and {LARGEST_PAGE}")
    return int(text)


def _begin(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except ValueError:
        raise unparsed("nextToken is not valid") from None
