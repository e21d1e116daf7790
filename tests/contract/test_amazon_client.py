"""Our requests against Amazon's published models, and Amazon's published examples through our reader."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator, FormatChecker

from activities.amazon.client import (
    FACTS_DATA,
    ORDER_DATA,
    PACKAGE_DATA,
    AmazonClient,
    Period,
    ShipmentConfirmation,
)
from activities.amazon.failures import AmazonError
from activities.amazon.lwa import Credentials, TokenCache
from activities.amazon.operations import ORDER_OPERATIONS
from canonical.amazon_orders import read_order

NOW = datetime.now(UTC)
MODELS = ("orders_2026-01-01.json", "ordersV0.json", "sellers.json")
ORDER_ID = "028-1234567-8901234"
MARKETPLACES = ("A1PA6795UKMFR9", "A1F83G8C2ARO7P")


def model(shared: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "spapi" / "models" / name).read_text())
    return loaded


def operations(shared: Path) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """path, method, operation, model."""
    for name in MODELS:
        swagger = model(shared, name)
        for path, methods in swagger["paths"].items():
            for method, operation in methods.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    yield path, method.upper(), operation, swagger


class Recorder:
    """Answers as Amazon would and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/o2/token":
            return httpx.Response(200, json={"access_token": "Atza|t", "expires_in": 3600})
        self.asked.append(request)
        if request.url.path.endswith("/shipmentConfirmation"):
            return httpx.Response(204)
        if request.url.path == "/sellers/v1/marketplaceParticipations":
            return httpx.Response(200, json={"payload": []})
        if request.url.path.endswith(f"/{ORDER_ID}"):
            return httpx.Response(200, json={"order": {"orderId": ORDER_ID}})
        return httpx.Response(200, json={"orders": []})


def client_over(transport: httpx.MockTransport) -> AmazonClient:
    http = httpx.AsyncClient(transport=transport)
    return AmazonClient(
        seller_id="A2SELLER",
        endpoint="https://sellingpartnerapi-eu.amazon.com",
        tokens=TokenCache(Credentials("id", "secret", "Atzr|r"), http),
        http=http,
        marketplace_ids=MARKETPLACES,
        now=lambda: NOW,
    )


def confirmation(**more: str) -> ShipmentConfirmation:
    return ShipmentConfirmation(
        marketplace_id=MARKETPLACES[0],
        reference="101",
        carrier_code=more.get("code", "DHL"),
        carrier_name=more.get("name", ""),
        method=more.get("method", ""),
        tracking_number="JD0001",
        shipped_at=datetime.fromisoformat("2026-11-20T10:00:00+09:00"),
        items={"79039765272157": 2},
    )


async def everything_we_say() -> list[httpx.Request]:
    recorder = Recorder()
    client = client_over(httpx.MockTransport(recorder))
    after, before = NOW - timedelta(days=2), NOW - timedelta(days=1)
    await client.search_orders(Period(after))
    await client.search_orders(Period(after, before), token="next/+=token")
    await client.search_orders(Period(after, before, by_creation=True), included_data=FACTS_DATA)
    await client.search_orders(Period(after, NOW, by_creation=True), page_size=1)
    await client.get_order(ORDER_ID, ORDER_DATA)
    await client.get_order(ORDER_ID, PACKAGE_DATA)
    await client.confirm_shipment(ORDER_ID, confirmation())
    await client.confirm_shipment(ORDER_ID, confirmation(code="Other", name="Bote", method="Standard"))
    await client.marketplaces()
    return recorder.asked


def described(shared: Path, request: httpx.Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """The operation of Amazon's models that the request calls, and its model."""
    for path, method, operation, swagger in operations(shared):
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        if method == request.method and re.fullmatch(pattern, request.url.path):
            return operation, swagger
    pytest.fail(f"No model describes {request.method} {request.url.path}.")


def check_query(operation: Mapping[str, Any], request: httpx.Request) -> None:
    known = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
    for name, text in request.url.params.multi_items():
        assert name in known, name
        parameter = known[name]
        if parameter["type"] == "array":
            values = text.split(",")
            assert len(values) <= parameter.get("maxItems", len(values))
            assert set(values) <= set(parameter["items"].get("enum", values))
        elif parameter["type"] == "integer":
            assert 1 <= int(text) <= 100
        elif parameter.get("format") == "date-time":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)


def check_body(operation: Mapping[str, Any], swagger: Mapping[str, Any], request: httpx.Request) -> None:
    wanted = [each for each in operation["parameters"] if each["in"] == "body"]
    if not wanted:
        assert not request.content
        return
    assert request.headers["content-type"] == "application/json"
    schema = {**wanted[0]["schema"], "definitions": swagger["definitions"]}
    body = json.loads(request.content)
    Draft4Validator(schema, format_checker=FormatChecker()).validate(body)
    known = swagger["definitions"]["PackageDetail"]["properties"]
    assert set(body["packageDetail"]) <= set(known)
    assert re.fullmatch(r"[1-9]\d*", body["packageDetail"]["packageReferenceId"])
    assert body["packageDetail"]["shipDate"] == "2026-11-20T01:00:00Z"


async def test_every_request_fits_amazons_models(shared: Path) -> None:
    requests = await everything_we_say()
    called = set()
    for request in requests:
        operation, swagger = described(shared, request)
        called.add(operation["operationId"])
        check_query(operation, request)
        check_body(operation, swagger, request)
    assert called == {operation.name for operation in ORDER_OPERATIONS}


async def test_a_search_names_one_kind_of_period_and_no_end_younger_than_two_minutes() -> None:
    for request in await everything_we_say():
        if not request.url.path.endswith("/orders"):
            continue
        query = request.url.params
        assert ("createdAfter" in query) != ("lastUpdatedAfter" in query)
        assert not ("createdAfter" in query and "lastUpdatedBefore" in query)
        for name in ("createdBefore", "lastUpdatedBefore"):
            if name in query:
                assert datetime.fromisoformat(query[name]) <= NOW - timedelta(minutes=2, seconds=5)


async def test_every_request_is_signed_and_says_who_asks() -> None:
    for request in await everything_we_say():
        assert request.headers["x-amz-access-token"] == "Atza|t"
        assert re.fullmatch(r"\d{8}T\d{6}Z", request.headers["x-amz-date"])
        assert request.headers["user-agent"] == "amazon-m3-o2c/0.1 (Language=Python/3.11)"


def sandbox_orders(shared: Path) -> list[dict[str, Any]]:
    """The orders in the examples of Orders 2026-01-01."""
    found: list[dict[str, Any]] = []
    for methods in model(shared, "orders_2026-01-01.json")["paths"].values():
        for example in methods["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]:
            response = example["response"]
            found += response["orders"] if "orders" in response else [response["order"]]
    return found


async def test_amazons_examples_are_read(shared: Path) -> None:
    examples = sandbox_orders(shared)
    assert len(examples) >= 6
    for example in examples:

        def answer(request: httpx.Request, example: dict[str, Any] = example) -> httpx.Response:
            if request.url.path == "/auth/o2/token":
                return httpx.Response(200, json={"access_token": "Atza|t", "expires_in": 3600})
            return httpx.Response(200, json={"order": example})

        payload = await client_over(httpx.MockTransport(answer)).get_order(example["orderId"])
        order = read_order(payload, "A2SELLER")
        assert order.order_id == example["orderId"]
        assert len(order.lines) == len(example["orderItems"])
        total = example["proceeds"]["grandTotal"]
        assert order.grand_total is not None
        assert str(order.grand_total) == f"{total['amount']} {total['currencyCode']}"


async def test_recorded_answers_become_what_they_are(shared: Path) -> None:
    """Traffic recorded by others: a 403 without a request id from Amazon's edge, a 404, a 204."""
    folder = shared / "spapi" / "samples" / "http"
    outcomes = {}
    for name in ("API-client_error", "Errors-NotFound-not_found", "OrdersV0-confirm_shipment"):
        recorded = json.loads((folder / f"{name}.json").read_text())["interactions"][-1]["response"]

        def answer(request: httpx.Request, recorded: dict[str, Any] = recorded) -> httpx.Response:
            if request.url.path == "/auth/o2/token":
                return httpx.Response(200, json={"access_token": "Atza|t", "expires_in": 3600})
            kept = {
                key: value
                for key, value in recorded["headers"].items()
                if key.lower().startswith("x-") or key.lower() == "content-type"
            }
            return httpx.Response(recorded["status"], headers=kept, text=recorded["body"]["text"])

        client = client_over(httpx.MockTransport(answer))
        try:
            await client.confirm_shipment(ORDER_ID, confirmation())
            outcomes[name] = "done"
        except AmazonError as error:
            outcomes[name] = str(error)
    assert outcomes == {
        "API-client_error": "Amazon answered 403 Unauthorized to confirmShipment: Access to requested "
        "resource is denied.",
        "Errors-NotFound-not_found": "Amazon answered 404 NotFound to confirmShipment: One or more of the "
        "provided ReportRequestIds could not be found (request id dc880af3-4263-4b91-9294-138c838ff571).",
        "OrdersV0-confirm_shipment": "done",
    }
