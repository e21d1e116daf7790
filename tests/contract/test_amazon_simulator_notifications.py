"""Notifications v1: destinations and subscriptions as Amazon's model has them, refusals as Amazon words them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from simulators import catalogue
from tests.contract.amazon_simulator_client import EU, NA, ORDERS, Caller, simulator

ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"
BASE = "/notifications/v1"
SCOPE = "sellingpartnerapi::notifications"
FILTER = {
    "eventFilter": {
        "eventFilterType": "ORDER_CHANGE",
        "orderChangeTypes": ["OrderStatusChange", "BuyerRequestedChange"],
    }
}


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, pace=0) as caller:
        yield caller


@pytest.fixture(scope="session")
def model(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "spapi" / "models" / "notifications.json").read_text())
    return loaded


async def grantless(caller: Caller, scope: str = SCOPE) -> dict[str, str]:
    answer = await caller.login(grant_type="client_credentials", refresh_token="", scope=scope)
    caller.tokens.pop(EU.seller_id, None)
    return {"x-amz-access-token": answer.json()["access_token"]}


async def make_destination(caller: Caller, arn: str = ARN, name: str = "orders") -> httpx.Response:
    body = {"name": name, "resourceSpecification": {"sqs": {"arn": arn}}}
    return await caller.http.post(f"{BASE}/destinations", json=body, headers=await grantless(caller))


async def subscribe(
    caller: Caller,
    destination: str,
    kind: str = "ORDER_CHANGE",
    seller: catalogue.Seller = EU,
    **changes: object,
) -> httpx.Response:
    body: dict[str, object] = {"payloadVersion": "1.0", "destinationId": destination}
    if kind == "ORDER_CHANGE":
        body["processingDirective"] = FILTER
    body.update(changes)
    body = {name: value for name, value in body.items() if value is not None}
    url = f"{BASE}/subscriptions/{kind}"
    return await caller.http.post(url, json=body, headers=await caller.headers(seller))


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    first = response.json()["errors"][0]
    return response.status_code, first["code"], first["details"]


def without_nulls(tree: Any) -> Any:
    """The wire has nulls where the model has nothing (jlevers/selling-partner-api issue 885)."""
    if isinstance(tree, dict):
        return {key: without_nulls(value) for key, value in tree.items() if value is not None}
    return [without_nulls(value) for value in tree] if isinstance(tree, list) else tree


@cache
def strict(text: str) -> dict[str, Any]:
    definitions: dict[str, Any] = json.loads(text)
    for name, definition in definitions.items():
        if definition.get("type") == "object" and "properties" in definition and not name.endswith("Filter"):
            definition.setdefault("additionalProperties", False)
        for prop in definition.get("properties", {}).values():
            if "$ref" in prop:  # Swagger 2 ignores what stands beside a $ref
                for key in [key for key in prop if key != "$ref"]:
                    del prop[key]
    return definitions


def assert_fits(response: httpx.Response, definition: str, model: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = response.json()
    definitions = strict(json.dumps(model["definitions"]))
    schema = {"$ref": f"#/definitions/{definition}", "definitions": definitions}
    jsonschema.Draft4Validator(schema).validate(without_nulls(tree))
    return tree


async def test_every_answer_fits_the_model(caller: Caller, model: dict[str, Any]) -> None:
    grant = await grantless(caller)
    made = assert_fits(await make_destination(caller), "CreateDestinationResponse", model)["payload"]
    one = f"{BASE}/destinations/{made['destinationId']}"
    assert_fits(await caller.http.get(one, headers=grant), "GetDestinationResponse", model)
    listed = assert_fits(
        await caller.http.get(f"{BASE}/destinations", headers=grant), "GetDestinationsResponse", model
    )
    assert listed["payload"] == [made]
    assert made["resource"]["sqs"] == {"arn": ARN}
    assert made["resource"]["eventBridge"] is None
    subscribed = assert_fits(
        await subscribe(caller, made["destinationId"]), "CreateSubscriptionResponse", model
    )
    payload = subscribed["payload"]
    assert payload["processingDirective"] == FILTER
    own = await caller.headers()
    kind = f"{BASE}/subscriptions/ORDER_CHANGE"
    found = assert_fits(await caller.http.get(kind, headers=own), "GetSubscriptionResponse", model)
    assert found["payload"] == payload
    params = {"notificationTypes": "ORDER_CHANGE"}
    several = assert_fits(
        await caller.http.get(f"{BASE}/subscriptions", params=params, headers=own),
        "GetSubscriptionsResponse",
        model,
    )
    assert several["payload"] == {"subscriptions": [payload]}
    by_id = f"{kind}/{payload['subscriptionId']}"
    assert_fits(await caller.http.get(by_id, headers=grant), "GetSubscriptionByIdResponse", model)
    test = {
        "destinationId": made["destinationId"],
        "testNotification": {"payloadVersion": "1.0", "testScenario": "ORDER_CHANGE"},
    }
    answer = await caller.http.post(f"{kind}/testNotification", json=test, headers=grant)
    assert_fits(answer, "SendTestNotificationResponse", model)
    gone = await caller.http.delete(by_id, headers=grant)
    assert_fits(gone, "DeleteSubscriptionByIdResponse", model)
    gone = await caller.http.delete(one, headers=grant)
    assert_fits(gone, "DeleteDestinationResponse", model)
    for response in (await caller.http.get(one, headers=grant), await caller.http.get(kind, headers=own)):
        assert response.status_code == 404
        assert_fits(response, "GetDestinationResponse", model)


async def test_rates_are_those_of_the_model(caller: Caller, model: dict[str, Any]) -> None:
    quotas = (await caller.control("state"))["quotas"]
    operations = [
        operation["operationId"]
        for path in model["paths"].values()
        for verb, operation in path.items()
        if verb in ("get", "post", "delete")
    ]
    assert len(operations) == 10
    for name in operations:
        assert (float(quotas[name]["rate"]) / 1e6, quotas[name]["burst"]) == (1.0, 5), name


async def test_the_sixth_request_of_a_second_is_one_too_many(tmp_path: Path) -> None:
    async with simulator(tmp_path, clock_rate=1e-6) as caller:
        grant = await grantless(caller)
        statuses = [
            (await caller.http.get(f"{BASE}/destinations", headers=grant)).status_code for _ in range(6)
        ]
    assert statuses == [200] * 5 + [429]


async def test_grantless_operations_and_the_others_take_different_tokens(caller: Caller) -> None:
    grant, own = await grantless(caller), await caller.headers()
    other = await grantless(caller, "sellingpartnerapi::migration")
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    subscription = (await subscribe(caller, destination)).json()["payload"]["subscriptionId"]
    kind = f"{BASE}/subscriptions/ORDER_CHANGE"
    only_grantless = (
        ("GET", f"{BASE}/destinations"),
        ("POST", f"{BASE}/destinations"),
        ("GET", f"{BASE}/destinations/{destination}"),
        ("DELETE", f"{BASE}/destinations/{destination}"),
        ("GET", f"{kind}/{subscription}"),
        ("DELETE", f"{kind}/{subscription}"),
        ("POST", f"{kind}/testNotification"),
    )
    only_sellers = (("GET", kind), ("POST", kind), ("GET", f"{BASE}/subscriptions"), ("GET", ORDERS))
    for wrong, operations in ((own, only_grantless), (other, only_grantless), (grant, only_sellers)):
        for verb, path in operations:
            body: dict[str, Any] = {"json": {}} if verb == "POST" else {}
            response = await caller.http.request(verb, path, headers=wrong, **body)
            assert refusal(response)[:2] == (403, "Unauthorized"), (verb, path)


async def test_what_exists_already_is_a_conflict(caller: Caller) -> None:
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    again = await make_destination(caller, name="another name, the same queue")
    status, code, details = refusal(again)
    assert (status, code) == (409, "Conflict")
    assert details.startswith(f"A destination with arn {ARN} already exists for the application amzn1.sp.")
    assert "x-amzn-ratelimit-limit" not in again.headers
    assert (await subscribe(caller, destination)).status_code == 200
    assert refusal(await subscribe(caller, destination)) == (
        409,
        "StateConflict",
        "Subscription already exist for notification type ORDER_CHANGE",
    )
    # another seller, another type and another payload version are no conflict
    assert (await subscribe(caller, destination, seller=NA)).status_code == 200
    assert (await subscribe(caller, destination, "REPORT_PROCESSING_FINISHED")).status_code == 200
    dated = await subscribe(caller, destination, "REPORT_PROCESSING_FINISHED", payloadVersion="2020-09-04")
    assert dated.status_code == 200
    latest = await caller.http.get(
        f"{BASE}/subscriptions/REPORT_PROCESSING_FINISHED", headers=await caller.headers()
    )
    assert latest.json() == dated.json()


async def test_a_destination_with_subscriptions_cannot_be_deleted(caller: Caller) -> None:
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    await subscribe(caller, destination)
    response = await caller.http.delete(f"{BASE}/destinations/{destination}", headers=await grantless(caller))
    assert refusal(response) == (403, "Unauthorized", "Destination has subscriptions")


@pytest.mark.parametrize(
    ("kind", "changes", "details"),
    [
        ("ORDER_CHANGE", {"processingDirective": None}, "Processing Directive eventFilter must not be empty"),
        ("ORDER_CHANGE", {"processingDirective": {}}, "Processing Directive eventFilter must not be empty"),
        (
            "ORDER_CHANGE",
            {
                "processingDirective": {
                    "eventFilter": {"marketplaceIds": ["ATVPDKIKX0DER"], "eventFilterType": "ORDER_CHANGE"}
                }
            },
            'EventFilter Payload {"eventFilterType":"ORDER_CHANGE","marketplaceIds":["ATVPDKIKX0DER"]} '
            "failed to validate for notification type ORDER_CHANGE",
        ),
        (
            "ORDER_CHANGE",
            {"processingDirective": {**FILTER, "filterExpression": "a == b"}},
            "eventFilter and filterExpression are mutually exclusive",
        ),
        ("ORDER_CHANGE", {"payloadVersion": "2.0"}, "Payload version 2.0 is not supported for ORDER_CHANGE"),
        ("ORDER_CHANGE", {"destinationId": None}, "Missing or invalid: destinationId"),
        ("ORDER_STATUS_CHANGE", {}, "Invalid notification type ORDER_STATUS_CHANGE"),
        (
            "TRANSACTION_UPDATE",
            {"processingDirective": FILTER},
            'EventFilter Payload {"eventFilterType":"ORDER_CHANGE",',
        ),
        ("TRANSACTION_UPDATE", {"destinationId": "elsewhere"}, "No destination with id elsewhere"),
    ],
)
async def test_subscriptions_are_refused(
    caller: Caller, kind: str, changes: dict[str, Any], details: str
) -> None:
    destination = (await make_destination(caller)).json()["payload"]["destinationId"]
    response = await subscribe(caller, destination, kind, **changes)
    status, code, said = refusal(response)
    assert (status, code) == (400, "InvalidInput")
    assert said.startswith(details)


@pytest.mark.parametrize("arn", ["orders", "arn:aws:sns:eu-west-1:123456789012:orders", f"{ARN}.fifo"])
async def test_destinations_are_standard_queues(caller: Caller, arn: str) -> None:
    assert refusal(await make_destination(caller, arn))[:2] == (400, "InvalidInput")


async def test_subscriptions_survive_a_restart(tmp_path: Path) -> None:
    async with simulator(tmp_path, pace=0) as caller:
        destination = (await make_destination(caller)).json()["payload"]
        subscription = (await subscribe(caller, destination["destinationId"])).json()["payload"]
    async with simulator(tmp_path, pace=0) as caller:
        state = await caller.control("notifications")
    assert state["destinations"] == [destination]
    assert [s["subscriptionId"] for s in state["subscriptions"]] == [subscription["subscriptionId"]]
