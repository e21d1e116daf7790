"""Every answer of the Amazon simulator is one that Amazon's published models allow."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.contract.amazon_simulator_client import ALL_DATA, EU, NA, Caller, mfn_order, shipment, simulator

MODELS = Path(__file__).resolve().parents[3] / "shared" / "spapi" / "models"
pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)


@cache
def model(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((MODELS / name).read_text())
    return loaded


@cache
def strict_definitions(name: str) -> dict[str, Any]:
    """The model's definitions as JSON Schema in which an unknown property is an error."""
    definitions: dict[str, Any] = json.loads(json.dumps(model(name)["definitions"]))
    for definition in definitions.values():
        if definition.get("type") == "object" and "properties" in definition:
            definition.setdefault("additionalProperties", False)
        for prop in definition.get("properties", {}).values():
            if "$ref" in prop:  # Swagger 2 ignores what stands beside a $ref
                for key in [key for key in prop if key != "$ref"]:
                    del prop[key]
    return definitions


def assert_valid(tree: object, definition: str, name: str = "orders_2026-01-01.json") -> None:
    schema = {"$ref": f"#/definitions/{definition}", "definitions": strict_definitions(name)}
    checker = jsonschema.FormatChecker()
    errors = [
        f"{e.json_path}: {e.message}"
        for e in jsonschema.Draft4Validator(schema, format_checker=checker).iter_errors(tree)
    ]
    assert not errors, errors[:5]


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, visibility_delay=0) as caller:
        yield caller


async def test_every_generated_order_at_every_age_fits_the_model(caller: Caller) -> None:
    await caller.place(250, trouble_share=0.2)
    seen: set[str] = set()
    for _ in range(5):
        for seller in (EU, NA):
            token = ""
            while True:
                more = {"paginationToken": token} if token else {}
                response = await caller.search(seller, includedData=ALL_DATA, **more)
                assert response.status_code == 200, response.text
                assert_valid(response.json(), "SearchOrdersResponse")
                seen |= {o["fulfillment"]["fulfillmentStatus"] for o in response.json()["orders"]}
                token = response.json().get("pagination", {}).get("nextToken", "")
                if not token:
                    break
        await caller.advance(20)
    assert {"PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"} <= seen


async def test_get_order_fits_the_model_with_and_without_data(caller: Caller) -> None:
    for order_id in await caller.place(40, trouble_share=0.2):
        seller = next(s for s in (EU, NA) if caller.world.find(s.seller_id, order_id))
        for data in (None, "PROCEEDS,FULFILLMENT", ALL_DATA):
            response = await caller.get(order_id, data, seller)
            assert response.status_code == 200
            assert_valid(response.json(), "GetOrderResponse")


async def test_confirmed_packages_fit_the_model(caller: Caller) -> None:
    planted = await caller.plant(mfn_order())
    body = shipment({"10000000000001": 2}, ship_date=planted["createdTime"])
    assert_valid(body, "ConfirmShipmentRequest", "ordersV0.json")
    assert (await caller.confirm(planted["orderId"], body)).status_code == 204
    response = await caller.get(planted["orderId"])
    assert response.json()["order"]["packages"]
    assert_valid(response.json(), "GetOrderResponse")


async def test_refusals_fit_the_models(caller: Caller) -> None:
    planted = await caller.plant(mfn_order())
    refused = [
        (
            await caller.search(createdAfter="2026-01-01T00:00:00Z", lastUpdatedAfter="2026-01-01T00:00:00Z"),
            400,
        ),
        (await caller.get("304-9999999-9999999"), 404),
        (await caller.get("304-99"), 400),
        (await caller.http.get("/orders/2026-01-01/orders"), 403),
    ]
    for response, status in refused:
        assert response.status_code == status
        assert_valid(response.json(), "ErrorList")
    response = await caller.confirm(planted["orderId"], {})
    assert response.status_code == 400
    assert_valid(response.json(), "ConfirmShipmentErrorResponse", "ordersV0.json")


async def test_marketplace_participations_fit_the_model(caller: Caller) -> None:
    response = await caller.http.get(
        "/sellers/v1/marketplaceParticipations", headers=await caller.headers(NA)
    )
    assert_valid(response.json(), "GetMarketplaceParticipationsResponse", "sellers.json")
    ids = {entry["marketplace"]["id"] for entry in response.json()["payload"]}
    assert ids == {market.marketplace_id for market in NA.sold_in}


def sandbox_orders() -> list[tuple[dict[str, Any], list[str]]]:
    """The orders in the model's sandbox examples, each with the data that was asked for."""
    if not MODELS.is_dir():
        return []
    found = []
    for path in model("orders_2026-01-01.json")["paths"].values():
        for pair in path["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]:
            answer = pair["response"]
            data = pair["request"]["parameters"]["includedData"]["value"]
            found += [(order, data) for order in answer.get("orders", [answer.get("order")])]
    return found


@pytest.mark.parametrize(
    ("order", "data"), sandbox_orders(), ids=lambda v: v["orderId"] if isinstance(v, dict) else "data"
)
async def test_amazons_own_examples_come_back_as_they_are(
    caller: Caller, order: dict[str, Any], data: list[str]
) -> None:
    """Apart from what this Amazon withholds: the people in FBA orders."""
    await caller.plant(order, seller=EU.seller_id, keep_times=True)
    shown = await caller.order(order["orderId"], ",".join(data))
    expected = dict(order)
    if order["fulfillment"]["fulfilledBy"] == "AMAZON":
        for withheld in ("buyer", "recipient"):
            expected.pop(withheld)
            shown.pop(withheld, None)
    assert shown == expected
