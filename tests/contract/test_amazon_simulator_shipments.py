"""confirmShipment of the Amazon simulator: what it believes, what it refuses, what it books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.amazon_simulator_client import NA, Caller, mfn_order, shipment, simulator

ORDER = "304-0000001-0000001"
TEA, BISCUITS = "10000000000001", "10000000000002"


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        yield caller


async def now(caller: Caller, seconds: float = 0) -> str:
    moment = datetime.fromisoformat((await caller.control("state"))["now"]) + timedelta(seconds=seconds)
    return moment.isoformat().replace("+00:00", "Z")


async def quantities(caller: Caller) -> dict[str, tuple[int, int]]:
    items = (await caller.order(ORDER))["orderItems"]
    return {
        item["orderItemId"]: (
            item["fulfillment"]["quantityFulfilled"],
            item["fulfillment"]["quantityUnfulfilled"],
        )
        for item in items
    }


async def status(caller: Caller) -> str:
    return str((await caller.order(ORDER))["fulfillment"]["fulfillmentStatus"])


async def test_two_parcels_ship_an_order_step_by_step(caller: Caller) -> None:
    planted = await caller.plant(mfn_order())
    await caller.advance(600)
    first = await caller.confirm(ORDER, shipment({TEA: 2}, "1", await now(caller)))
    assert (first.status_code, first.content) == (204, b"")
    assert await status(caller) == "PARTIALLY_SHIPPED"
    assert await quantities(caller) == {TEA: (2, 1), BISCUITS: (0, 1)}
    assert (await caller.order(ORDER))["lastUpdatedTime"] > planted["lastUpdatedTime"]
    await caller.confirm(ORDER, shipment({TEA: 1, BISCUITS: 1}, "2", await now(caller), trackingNumber="X2"))
    assert await status(caller) == "SHIPPED"
    packages = (await caller.order(ORDER))["packages"]
    assert [p["packageReferenceId"] for p in packages] == ["1", "2"]
    assert packages[1]["trackingNumber"] == "X2"
    assert packages[1]["packageItems"] == [
        {"orderItemId": TEA, "quantity": 1},
        {"orderItemId": BISCUITS, "quantity": 1},
    ]


async def test_the_same_reference_again_corrects_the_parcel(caller: Caller) -> None:
    await caller.plant(mfn_order())
    body = shipment({TEA: 3, BISCUITS: 1}, "7", await now(caller))
    assert (await caller.confirm(ORDER, body)).status_code == 204
    assert (await caller.confirm(ORDER, body)).status_code == 204, "a repeated call is an edit, not a refusal"
    assert await quantities(caller) == {TEA: (3, 0), BISCUITS: (1, 0)}
    corrected = shipment({TEA: 1}, "7", await now(caller), trackingNumber="NEW")
    assert (await caller.confirm(ORDER, corrected)).status_code == 204
    assert await quantities(caller) == {TEA: (1, 2), BISCUITS: (0, 1)}
    assert await status(caller) == "PARTIALLY_SHIPPED"
    packages = (await caller.order(ORDER))["packages"]
    assert [(p["packageReferenceId"], p["trackingNumber"]) for p in packages] == [("7", "NEW")]


async def test_a_new_reference_for_a_shipped_order_is_refused(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await caller.confirm(ORDER, shipment({TEA: 3, BISCUITS: 1}, "1", await now(caller)))
    response = await caller.confirm(ORDER, shipment({TEA: 1}, "2", await now(caller)))
    assert response.status_code == 400
    assert "order already fulfilled" in response.json()["errors"][0]["message"]
    assert "PackageToUpdateNotFound" in response.json()["errors"][0]["message"]


def without(name: str) -> Any:
    def change(body: dict[str, Any]) -> None:
        target = body if name in body else body["packageDetail"]
        del target[name]

    return change


def changed(name: str, value: object) -> Any:
    def change(body: dict[str, Any]) -> None:
        target = body if name in body else body["packageDetail"]
        target[name] = value

    return change


def first_item(**values: object) -> Any:
    def change(body: dict[str, Any]) -> None:
        body["packageDetail"]["orderItems"][0].update(values)

    return change


@pytest.mark.parametrize(
    ("change", "word"),
    [
        *((without(name), name) for name in ("marketplaceId", "packageDetail")),
        *(
            (without(name), name)
            for name in ("packageReferenceId", "carrierCode", "trackingNumber", "shipDate", "orderItems")
        ),
        (changed("packageReferenceId", 1), "invalid type [packageDetail.packageReferenceId]"),
        (changed("packageReferenceId", "A1"), "positive numeric value"),
        (changed("packageReferenceId", "0"), "positive numeric value"),
        (changed("packageReferenceId", "-1"), "positive numeric value"),
        (changed("marketplaceId", "A1F83G8C2ARO7P"), "MarketplaceId"),
        (changed("carrierCode", "DHL Freight Line 9"), "CarrierCode"),
        (changed("carrierCode", "Other"), "CarrierName"),
        (changed("trackingNumber", " "), "TrackingNumber"),
        (changed("orderItems", []), "OrderItems"),
        (changed("shipDate", "02/21/2022"), "ShipDate"),
        (changed("shipDate", "2026-11-20"), "ShipDate"),
        (changed("shipDate", "2001-01-01T00:00:00Z"), "before the purchase date"),
        (changed("shipDate", "2999-01-01T00:00:00Z"), "in the future"),
        (first_item(orderItemId="99999999999999"), "OrderItemId 99999999999999 is invalid"),
        (first_item(quantity=4), "exceeds"),
        (first_item(quantity=0), "positive"),
        (first_item(quantity="1"), "invalid type"),
    ],
)
async def test_bad_confirmations_are_refused_and_change_nothing(
    caller: Caller, change: Any, word: str
) -> None:
    await caller.plant(mfn_order())
    body = shipment({TEA: 1}, "1", await now(caller))
    change(body)
    response = await caller.confirm(ORDER, body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "InvalidInput"
    assert word in response.json()["errors"][0]["message"]
    assert await quantities(caller) == {TEA: (0, 3), BISCUITS: (0, 1)}


async def test_other_carriers_are_named(caller: Caller) -> None:
    await caller.plant(mfn_order())
    body = shipment({TEA: 1}, "1", await now(caller), carrierCode="Other", carrierName="Bike Courier")
    assert (await caller.confirm(ORDER, body)).status_code == 204
    assert (await caller.order(ORDER))["packages"][0]["carrier"] == "Bike Courier"


@pytest.mark.parametrize("state", ["PENDING", "CANCELLED"])
async def test_orders_not_to_be_shipped_are_refused(caller: Caller, state: str) -> None:
    await caller.plant(mfn_order(fulfillment={"fulfillmentStatus": state, "fulfilledBy": "MERCHANT"}))
    response = await caller.confirm(ORDER, shipment({TEA: 1}, "1", await now(caller)))
    assert response.status_code == 400


async def test_amazons_own_shipments_cannot_be_confirmed(caller: Caller) -> None:
    await caller.plant(mfn_order(fulfillment={"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "AMAZON"}))
    assert (await caller.confirm(ORDER, shipment({TEA: 1}, "1", await now(caller)))).status_code == 400


async def test_unknown_orders_are_not_found(caller: Caller) -> None:
    await caller.plant(mfn_order())
    body = shipment({TEA: 1}, "1", await now(caller))
    assert (await caller.confirm("304-0000009-0000009", body)).status_code == 404
    assert (await caller.confirm(ORDER, body, NA)).status_code == 404
    assert (await caller.confirm("304", body)).status_code == 400


async def test_a_parcel_sent_in_the_second_of_the_purchase_is_believed(caller: Caller) -> None:
    planted = await caller.plant(mfn_order())
    whole_second = planted["createdTime"][:19] + "Z"
    assert (await caller.confirm(ORDER, shipment({TEA: 1}, "1", whole_second))).status_code == 204
