"""Amazon's own client library (amzn-sp-api), unmodified, against the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from spapi import ApiException, SPAPIClient, SPAPIConfig
from spapi.api.orders_v0.orders_v0_api import OrdersV0Api
from spapi.api.orders_v2026_01_01.get_order_api import GetOrderApi
from spapi.api.orders_v2026_01_01.search_orders_api import SearchOrdersApi
from spapi.api.sellers_v1.sellers_api import SellersApi

from simulators import catalogue, serving
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from tests.contract.amazon_simulator_client import mfn_order


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    app = build_app(Settings(data=tmp_path, visibility_delay=0))
    async with serving.serve(app) as url:
        world = app.state.world
        for number in range(1, 6):
            await _plant(url, mfn_order(f"304-0000001-000000{number}"))
        assert len(world.index.by_id) == 5
        yield url


async def _plant(url: str, order: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/_control/order", json={"order": order})).status_code == 201


def client(url: str) -> Any:
    config = SPAPIConfig(
        client_id=catalogue.LWA_CLIENT_ID,
        client_secret=catalogue.LWA_CLIENT_SECRET,
        refresh_token=catalogue.SELLERS[0].refresh_token,
        region="EU",
    )
    return SPAPIClient(config, oauth_endpoint=f"{url}/auth/o2/token", endpoint=url).api_client


async def test_search_get_confirm(url: str) -> None:
    await asyncio.to_thread(_search_get_confirm, url)


def _search_get_confirm(url: str) -> None:
    api = client(url)
    search = SearchOrdersApi(api)
    window = {
        "last_updated_after": "2020-01-01T00:00:00Z",
        "marketplace_ids": ["A1PA6795UKMFR9", "A1F83G8C2ARO7P"],
        "fulfillment_statuses": ["UNSHIPPED", "PARTIALLY_SHIPPED"],
        "included_data": ["BUYER", "RECIPIENT", "PROCEEDS", "FULFILLMENT"],
        "max_results_per_page": 3,
    }
    first = search.search_orders(**window)
    second = search.search_orders(**window, pagination_token=first.pagination.next_token)
    ids = [order.order_id for order in [*first.orders, *second.orders]]
    assert ids == [f"304-0000001-000000{number}" for number in range(1, 6)]
    assert second.pagination is None
    assert second.last_updated_before == first.last_updated_before

    got = GetOrderApi(api).get_order(ids[0], included_data=["RECIPIENT", "PROCEEDS", "FULFILLMENT"]).order
    assert got.proceeds.grand_total.amount == "47.20"
    assert got.recipient.delivery_address.city == "Köln"
    assert got.order_items[0].fulfillment.quantity_unfulfilled == 3

    body = {
        "marketplaceId": got.sales_channel.marketplace_id,
        "packageDetail": {
            "packageReferenceId": "1",
            "carrierCode": "DPD",
            "trackingNumber": "01234567890",
            "shipDate": got.created_time,
            "orderItems": [
                {"orderItemId": item.order_item_id, "quantity": item.quantity_ordered}
                for item in got.order_items
            ],
        },
    }
    assert OrdersV0Api(api).confirm_shipment(ids[0], body) is None
    after = GetOrderApi(api).get_order(ids[0], included_data=["FULFILLMENT", "PACKAGES"]).order
    assert after.fulfillment.fulfillment_status == "SHIPPED"
    assert after.packages[0].tracking_number == "01234567890"

    markets = SellersApi(api).get_marketplace_participations().payload
    sold_in = {market.country for market in catalogue.SELLERS[0].sold_in}
    assert {entry.marketplace.country_code for entry in markets} == sold_in


async def test_an_unknown_order_raises(url: str) -> None:
    def get() -> None:
        GetOrderApi(client(url)).get_order("304-9999999-9999999")

    with pytest.raises(ApiException) as refused:
        await asyncio.to_thread(get)
    assert refused.value.status == 404
    assert "NotFound" in str(refused.value.body)


async def test_a_moment_with_an_offset_raises(url: str) -> None:
    def search() -> None:
        SearchOrdersApi(client(url)).search_orders(last_updated_after="2026-01-01T09:00:00+09:00")

    with pytest.raises(ApiException) as refused:
        await asyncio.to_thread(search)
    assert refused.value.status == 400
