"""Catalog Items at the Amazon simulator: what is known of a product by its numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators import assortment
from simulators.amazon.catalog_api import DATA
from tests.contract.amazon_simulator_client import simulator
from tests.contract.report_client import error
from tests.contract.stock_client import DE, FR, SKU, StockCaller
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid

ITEMS = "/catalog/2022-04-01/items"
MODEL = "catalogItems_2022-04-01.json"
models_here = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)
ITEM = assortment.ITEM_BY_SKU[SKU]


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[StockCaller]:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        yield StockCaller(caller)


async def search(stock: StockCaller, **params: str) -> httpx.Response:
    return await stock.call("GET", ITEMS, params={"marketplaceIds": DE, **params})


async def found(stock: StockCaller, **params: str) -> Any:
    answer = await search(stock, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@models_here
async def test_every_data_set_fits_the_model(stock: StockCaller) -> None:
    everything = ",".join(sorted(DATA))
    for params in (
        {"identifiers": ITEM.asin, "identifiersType": "ASIN"},
        {"keywords": "tea", "pageSize": "20"},
        {"identifiers": "0000000000", "identifiersType": "ASIN"},
    ):
        assert_valid(await found(stock, includedData=everything, **params), "ItemSearchResults", MODEL)
    params = {"marketplaceIds": f"{DE},{FR}", "includedData": everything}
    one = await stock.call("GET", f"{ITEMS}/{ITEM.asin}", params=params)
    assert_valid(one.json(), "Item", MODEL)
    assert [entry["marketplaceId"] for entry in one.json()["summaries"]] == [DE, FR]


@pytest.mark.parametrize(
    ("kind", "number"), [("ASIN", ITEM.asin), ("EAN", ITEM.ean), ("GTIN", f"0{ITEM.ean}"), ("SKU", SKU)]
)
async def test_a_product_is_found_by_each_of_its_numbers(stock: StockCaller, kind: str, number: str) -> None:
    more = {"sellerId": stock.seller.seller_id} if kind == "SKU" else {}
    body = await found(
        stock, identifiers=number, identifiersType=kind, includedData="summaries,identifiers", **more
    )
    (item,) = body["items"]
    assert (item["asin"], item["summaries"][0]["itemName"]) == (ITEM.asin, ITEM.title)
    assert {"identifierType": "EAN", "identifier": ITEM.ean} in item["identifiers"][0]["identifiers"]


async def test_by_default_the_summary_alone_is_told(stock: StockCaller) -> None:
    (item,) = (await found(stock, identifiers=ITEM.asin, identifiersType="ASIN"))["items"]
    assert set(item) == {"asin", "summaries"}


async def test_twenty_identifiers_come_in_pages_and_what_is_not_found_is_left_out(stock: StockCaller) -> None:
    asins = [item.asin for item in assortment.ITEMS[:19]]
    params = {"identifiers": ",".join([*asins, "B0NOTHING1"]), "identifiersType": "ASIN"}
    first = await found(stock, **params)
    assert (first["numberOfResults"], len(first["items"])) == (19, 10)
    token = first["pagination"]["nextToken"]
    second = await found(stock, **params, pageToken=token)
    assert [item["asin"] for item in first["items"] + second["items"]] == asins
    assert set(second["pagination"]) == {"previousToken"}
    other = {**params, "identifiers": ",".join(asins[:12])}
    assert error(await search(stock, **other, pageToken=token))[:2] == (400, "InvalidInput")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"identifiers": "B0P939XDNA"},
        {"identifiers": "B0P939XDNA", "identifiersType": "NAME"},
        {"identifiers": "TEA-GREEN-250", "identifiersType": "SKU"},
        {"identifiers": "B0P939XDNA", "identifiersType": "ASIN", "keywords": "tea"},
        {"identifiers": ",".join(f"B0{place:08d}" for place in range(21)), "identifiersType": "ASIN"},
        {"identifiers": "B0P939XDNA", "identifiersType": "ASIN", "brandNames": "Leaf"},
        {"keywords": "tea", "pageSize": "21"},
        {"keywords": "tea", "includedData": "everything"},
        {"keywords": "tea", "marketplaceIds": f"{DE},{FR}"},
        {"keywords": "tea", "marketplaceIds": "NOWHERE"},
        {"keywords": "tea", "pageToken": "abc"},
    ],
)
async def test_a_wrong_question_is_refused(stock: StockCaller, params: dict[str, str]) -> None:
    answer = await search(stock, **params)
    assert error(answer)[:2] == (400, "InvalidInput")
    if MODELS.is_dir():
        assert_valid(answer.json(), "ErrorList", MODEL)


async def test_an_unknown_asin_is_not_found(stock: StockCaller) -> None:
    answer = await stock.call("GET", f"{ITEMS}/B0NOTHING1", params={"marketplaceIds": DE})
    assert error(answer)[:2] == (404, "NOT_FOUND")


async def test_what_is_listed_later_is_in_the_catalog_and_an_asin_is_told_once(stock: StockCaller) -> None:
    seller = stock.seller.seller_id
    listing = {"seller": seller, "asin": "B0MADEUP01", "ean": "4006381333931", "title": "Pencil, Grey"}
    await stock.control("/listings", {"listings": [{**listing, "sku": "P-1"}, {**listing, "sku": "P-2"}]})
    body = await found(stock, identifiers="4006381333931", identifiersType="EAN")
    assert [item["asin"] for item in body["items"]] == ["B0MADEUP01"]
    assert (await found(stock, keywords="grey pencil"))["numberOfResults"] == 1
