"""The v0 reads of the pretended Amazon: what importers in the field ask, answered as Amazon's model says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators import catalogue
from simulators.amazon import orders_v0
from simulators.amazon.quotas import PLANS
from tests.contract.amazon_simulator_client import EU, LONG_AGO, NA, Caller, mfn_order, simulator
from tests.contract.test_amazon_simulator_answers import assert_valid

MODELS = Path(__file__).resolve().parents[3] / "shared" / "spapi" / "models"
needs_models = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)
ORDERS_V0 = "/orders/v0/orders"
GERMANY = "A1PA6795UKMFR9"
HOUR = 3600.0


@cache
def model() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((MODELS / "ordersV0.json").read_text())
    return loaded


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, visibility_delay=0) as caller:
        yield caller


async def get_orders(
    caller: Caller, seller: catalogue.Seller = EU, /, **params: str | list[str]
) -> httpx.Response:
    params.setdefault("MarketplaceIds", ",".join(market.marketplace_id for market in seller.marketplaces))
    return await caller.http.get(ORDERS_V0, params=params, headers=await caller.headers(seller))


async def get(caller: Caller, path: str, seller: catalogue.Seller = EU) -> httpx.Response:
    return await caller.http.get(f"{ORDERS_V0}/{path}", headers=await caller.headers(seller))


async def payload(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["payload"]
    return found


@needs_models
async def test_every_answer_at_every_age_fits_the_model(caller: Caller) -> None:
    await caller.place(120, trouble_share=0.2)
    statuses: set[str] = set()
    for _ in range(4):
        for seller in (EU, NA):
            response = await get_orders(caller, seller, LastUpdatedAfter=LONG_AGO)
            assert_valid(response.json(), "GetOrdersResponse", "ordersV0.json")
            for order in (await payload(response))["Orders"]:
                statuses.add(order["OrderStatus"])
        await caller.advance(20)
    for seller in (EU, NA):
        for order in (await payload(await get_orders(caller, seller, CreatedAfter=LONG_AGO)))["Orders"][:40]:
            one = await get(caller, order["AmazonOrderId"], seller)
            assert_valid(one.json(), "GetOrderResponse", "ordersV0.json")
            assert (await payload(one)) == order
            items = await get(caller, f"{order['AmazonOrderId']}/orderItems", seller)
            assert_valid(items.json(), "GetOrderItemsResponse", "ordersV0.json")
    assert {"Pending", "Unshipped", "PartiallyShipped", "Shipped", "Canceled"} <= statuses


@needs_models
async def test_refusals_fit_the_model(caller: Caller) -> None:
    refused = await get_orders(caller)
    assert refused.status_code == 400
    assert_valid(refused.json(), "GetOrdersResponse", "ordersV0.json")
    absent = await get(caller, "304-9999999-9999999/orderItems")
    assert absent.status_code == 404
    assert_valid(absent.json(), "GetOrderItemsResponse", "ordersV0.json")


@needs_models
def test_quotas_are_those_of_the_model() -> None:
    operations = {path: name for path, _, name, _ in orders_v0.OPERATIONS}
    for path, name in operations.items():
        text = model()["paths"][path.replace("{order_id}", "{orderId}")]["get"]["description"]
        rate, burst = text.split("| ---- | ---- |")[1].split("|")[1:3]
        assert (PLANS[name].rate, PLANS[name].burst) == (float(rate), int(burst)), name


async def test_both_versions_tell_the_same_order(caller: Caller) -> None:
    planted = await caller.plant(mfn_order())
    order = await payload(await get(caller, planted["orderId"]))
    assert order["OrderStatus"] == "Unshipped"
    assert order["FulfillmentChannel"] == "MFN"
    assert order["OrderTotal"] == {"CurrencyCode": "EUR", "Amount": "47.20"}
    assert (order["NumberOfItemsShipped"], order["NumberOfItemsUnshipped"]) == (0, 4)
    items = (await payload(await get(caller, f"{planted['orderId']}/orderItems")))["OrderItems"]
    assert [(item["SellerSKU"], item["QuantityOrdered"]) for item in items] == [
        ("TEA-GREEN-250", 3),
        ("BIS-OAT-250", 1),
    ]
    # the amount of the line, not of one piece: what importers get wrong
    assert [item["ItemPrice"]["Amount"] for item in items] == ["38.70", "8.50"]


async def test_buyers_are_not_named_without_a_restricted_token(caller: Caller) -> None:
    await caller.plant(mfn_order())
    response = await get_orders(caller, CreatedAfter=LONG_AGO)
    assert "Käthe" not in response.text
    (order,) = (await payload(response))["Orders"]
    assert "BuyerInfo" not in order
    assert order["ShippingAddress"] == {
        "City": "Köln",
        "StateOrRegion": "Nordrhein-Westfalen",
        "PostalCode": "50667",
        "CountryCode": "DE",
    }


async def test_a_pending_order_has_no_amounts(caller: Caller) -> None:
    pending = {"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"}
    planted = await caller.plant(mfn_order(fulfillment=pending))
    assert "OrderTotal" not in await payload(await get(caller, planted["orderId"]))
    items = await payload(await get(caller, f"{planted['orderId']}/orderItems"))
    assert all("ItemPrice" not in item for item in items["OrderItems"])


async def test_pages_show_each_order_once_with_or_without_the_dates(caller: Caller) -> None:
    expected = set(await caller.place(60, seed=3))
    for keep_dates in (True, False):  # airbyte's source sends the token alone
        seen: list[str] = []
        more: dict[str, str | list[str]] = {"CreatedAfter": LONG_AGO}
        while True:
            page = await payload(await get_orders(caller, MaxResultsPerPage="7", **more))
            seen += [order["AmazonOrderId"] for order in page["Orders"]]
            if "NextToken" not in page:
                break
            more = {"NextToken": page["NextToken"], **({"CreatedAfter": LONG_AGO} if keep_dates else {})}
        ours = {order_id for order_id in expected if caller.world.find(EU.seller_id, order_id)}
        in_marketplaces = {
            order_id
            for order_id in ours
            if caller.world.index.by_id[order_id].body["salesChannel"]["marketplaceId"]
            in {market.marketplace_id for market in EU.marketplaces}
        }
        assert len(seen) == len(set(seen)) > 21
        assert set(seen) == in_marketplaces


async def test_filters(caller: Caller) -> None:
    await caller.plant(mfn_order("304-0000001-0000001"))
    await caller.plant(
        mfn_order(
            "304-0000001-0000002",
            fulfillment={"fulfillmentStatus": "SHIPPED", "fulfilledBy": "AMAZON"},
        )
    )

    async def found(**params: str) -> list[str]:
        page = await payload(await get_orders(caller, CreatedAfter=LONG_AGO, **params))
        return [order["AmazonOrderId"][-1] for order in page["Orders"]]

    assert await found() == ["1", "2"]
    assert await found(OrderStatuses="Shipped,Canceled") == ["2"]
    assert await found(FulfillmentChannels="MFN") == ["1"]
    assert await found(OrderStatuses="InvoiceUnconfirmed") == []
    assert await found(MarketplaceIds="A1F83G8C2ARO7P") == []
    by_ids = await payload(await get_orders(caller, AmazonOrderIds="304-0000001-0000002,304-0000009-0000009"))
    assert [order["AmazonOrderId"] for order in by_ids["Orders"]] == ["304-0000001-0000002"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"CreatedAfter": LONG_AGO, "LastUpdatedAfter": LONG_AGO},
        {"CreatedAfter": LONG_AGO, "LastUpdatedBefore": "2021-01-01T00:00:00Z"},
        {"CreatedAfter": "2026-01-01T09:00:00+09:00"},
        {"CreatedAfter": LONG_AGO, "MarketplaceIds": ""},
        {"CreatedAfter": LONG_AGO, "MaxResultsPerPage": "101"},
        {"CreatedAfter": LONG_AGO, "OrderStatuses": "SHIPPED"},
        {"CreatedAfter": LONG_AGO, "BuyerEmail": "a@b.invalid"},
        {"CreatedAfter": LONG_AGO, "CreatedBefore": "2019-01-01T00:00:00Z"},
        {"NextToken": "bm90IG91cnM="},
        {"AmazonOrderIds": "304-1"},
    ],
)
async def test_what_amazon_refuses(caller: Caller, params: dict[str, str]) -> None:
    assert (await get_orders(caller, **params)).status_code == 400


async def test_a_moment_of_the_last_two_minutes_is_refused(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        planted = await caller.plant(mfn_order())
        just_now = planted["createdTime"]
        response = await get_orders(caller, CreatedAfter=LONG_AGO, CreatedBefore=just_now)
        assert response.status_code == 400
        assert "2 minutes" in response.text
        page = await payload(await get_orders(caller, CreatedAfter=LONG_AGO))
        assert page["Orders"] == []
        assert page["CreatedBefore"] < just_now
        await caller.advance(121)
        assert (await payload(await get_orders(caller, CreatedAfter=LONG_AGO)))["Orders"]


async def test_the_orders_of_others_stay_theirs(caller: Caller) -> None:
    planted = await caller.plant(mfn_order())
    assert (await get(caller, planted["orderId"], NA)).status_code == 404
    assert (await get_orders(caller, NA, CreatedAfter=LONG_AGO, MarketplaceIds=GERMANY)).status_code == 403


async def test_each_operation_has_its_own_bucket_and_every_answer_is_counted(tmp_path: Path) -> None:
    async with simulator(tmp_path, visibility_delay=0) as caller:
        planted = await caller.plant(mfn_order())
        statuses = [(await get(caller, f"{planted['orderId']}/orderItems")).status_code for _ in range(31)]
        assert statuses == [200] * 30 + [429]
        assert (await get(caller, planted["orderId"])).status_code == 200
        assert (await caller.get(planted["orderId"])).status_code == 200
        assert await caller.control("requests") == {
            "getOrder 200": 1,
            "getOrderItems 200": 30,
            "getOrderItems 429": 1,
            "getOrderV0 200": 1,
            "token 200": 1,
        }
        await caller.advance(2.1)
        assert (await get(caller, f"{planted['orderId']}/orderItems")).status_code == 200
