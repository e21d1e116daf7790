"""Amazon's catalogue, asked for what the suggestions of items need."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.amazon.catalog_activities import CatalogActivities
from activities.amazon.outcomes import PATIENCE, QUOTA, UNAVAILABLE
from canonical.held import HeldReason
from canonical.sku.catalog import MOST_ASINS, CatalogItem, CatalogRequest, CatalogResult
from simulators import assortment
from tests.activities.amazon_world import DE, EU, Amazon, amazon, attempt, hold_of

KNOWN = tuple(dict.fromkeys(item.asin for item in assortment.ITEMS))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Amazon]:
    async with amazon(tmp_path, quota_factor=1e6) as running:
        yield running


async def ask(world: Amazon, *asins: str, at: int = 1, marketplace: str = DE.marketplace_id) -> CatalogResult:
    request = CatalogRequest(seller_id=EU.seller_id, marketplace_id=marketplace, asins=asins)
    return await attempt(at).run(CatalogActivities({EU.seller_id: world.client()}).read_catalog, request)


async def test_products_come_with_title_brand_and_numbers_and_unknown_ones_not_at_all(world: Amazon) -> None:
    wanted = KNOWN[: MOST_ASINS - 1]
    result = await ask(world, *wanted, "B0NOSUCH00")
    titles = {item.asin: item.title for item in assortment.ITEMS}
    assert {item.asin: item.title for item in result.items} == {asin: titles[asin] for asin in wanted}
    assert all(item.brand for item in result.items)
    assert await world.calls("searchCatalogItems") == [200]


async def test_only_the_numbers_of_trade_and_of_this_marketplace_are_taken() -> None:
    def numbers(*pairs: tuple[str, str]) -> list[dict[str, str]]:
        return [{"identifierType": kind, "identifier": number} for kind, number in pairs]

    here, there = DE.marketplace_id, EU.marketplaces[1].marketplace_id
    item = {
        "asin": "B000000001",
        "identifiers": [
            {"marketplaceId": there, "identifiers": numbers(("EAN", "5000000000001"))},
            {
                "marketplaceId": here,
                "identifiers": numbers(("EAN", "4006381333931"), ("SKU", "X"), ("UPC", "036000291452"))
                + numbers(("EAN", "4006381333931"), ("EAN", "")),
            },
        ],
        "summaries": [
            {"marketplaceId": there, "itemName": "Tea", "brand": "L"},
            {"marketplaceId": here, "itemName": " Grüner\nTee ", "brand": "Leaf"},
        ],
    }

    def answer(request: httpx.Request) -> httpx.Response:
        token = {"access_token": "t", "expires_in": 3600}
        found = {"numberOfResults": 2, "items": [item, {"asin": "B000000002"}, {}]}
        return httpx.Response(200, json=token if "token" in request.url.path else found)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        result = await ask(Amazon("http://amazon.invalid", http), "B000000001", "B000000002")
    assert result.items == (
        CatalogItem(
            asin="B000000001",
            title="Grüner Tee",
            brand="Leaf",
            eans=("4006381333931", "036000291452"),
        ),
        CatalogItem(asin="B000000002"),
    )


async def test_refusals_quota_and_a_missing_role_are_told_apart(world: Amazon) -> None:
    with pytest.raises(ApplicationError) as early:
        await ask(world, KNOWN[0], marketplace="NOWHERE")
    assert early.value.type == UNAVAILABLE
    refused = await ask(world, KNOWN[0], marketplace="NOWHERE", at=PATIENCE)
    assert refused.items == ()
    assert "Invalid marketplaceIds" in refused.refusal
    await world.fault("status_429", "searchCatalogItems")
    with pytest.raises(ApplicationError) as throttled:
        await ask(world, KNOWN[0])
    assert throttled.value.type == QUOTA
    await world.fault("forbidden_no_body", "searchCatalogItems", times=2)
    with pytest.raises(ApplicationError) as denied:
        await ask(world, KNOWN[0], at=PATIENCE)
    assert hold_of(denied).reason is HeldReason.AMAZON_NOT_AUTHORISED
    assert "the role Product Listing" in hold_of(denied).sentence


def test_no_more_than_amazon_takes_are_asked_for_at_once() -> None:
    asins = tuple(f"B{number:09d}" for number in range(MOST_ASINS + 1))
    with pytest.raises(ValidationError):
        CatalogRequest(seller_id=EU.seller_id, marketplace_id=DE.marketplace_id, asins=asins)
