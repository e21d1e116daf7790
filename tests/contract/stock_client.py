"""Asking the Amazon simulator about stock, for its contract tests."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx

from simulators import catalogue
from tests.contract.amazon_simulator_client import EU, Caller

DE, GB, FR = (market.marketplace_id for market in EU.marketplaces)
SKU = "TEA-GREEN-250"
SUMMARIES = "/fba/inventory/v1/summaries"
FEEDS = "/feeds/2021-06-30/feeds"
DOCUMENTS = "/feeds/2021-06-30/documents"
JSON_TYPE = "application/json; charset=UTF-8"


class StockCaller:
    """One seller's application minding its stock."""

    def __init__(self, caller: Caller, seller: catalogue.Seller = EU) -> None:
        self.caller = caller
        self.seller = seller

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.caller.http.request(
            method, path, headers=await self.caller.headers(self.seller), **more
        )

    async def control(self, path: str, body: object = None) -> Any:
        if body is None:
            return await self.caller.control(f"stock{path}")
        response = await self.caller.http.post(f"/_control/stock{path}", json=body)
        assert response.status_code in (200, 201), response.text
        return response.json()

    async def listing(self, sku: str = SKU, market: str = DE, data: str = "") -> httpx.Response:
        wanted = data or "summaries,attributes,issues,offers,fulfillmentAvailability"
        path = f"/listings/2021-08-01/items/{self.seller.seller_id}/{sku}"
        return await self.call("GET", path, params={"marketplaceIds": market, "includedData": wanted})

    async def shown(self, sku: str = SKU, market: str = DE) -> Any:
        response = await self.listing(sku, market)
        assert response.status_code == 200, response.text
        return response.json()["fulfillmentAvailability"][0]

    async def patch(self, sku: str, *patches: object, market: str = DE, **params: str) -> httpx.Response:
        path = f"/listings/2021-08-01/items/{self.seller.seller_id}/{sku}"
        body = {"productType": "PRODUCT", "patches": list(patches)}
        return await self.call("PATCH", path, params={"marketplaceIds": market, **params}, json=body)

    async def push(self, quantity: object, sku: str = SKU, market: str = DE) -> Any:
        response = await self.patch(sku, patch_of(quantity), market=market)
        assert response.status_code == 200, response.text
        return response.json()

    async def document(self, body: bytes, kind: str = JSON_TYPE) -> str:
        response = await self.call("POST", DOCUMENTS, json={"contentType": kind})
        assert response.status_code == 201, response.text
        created = response.json()
        put = await self.caller.http.put(created["url"], content=body, headers={"content-type": kind})
        assert put.status_code == 200, put.text
        return str(created["feedDocumentId"])

    async def create(
        self, document_id: str, *markets: str, kind: str = "JSON_LISTINGS_FEED"
    ) -> httpx.Response:
        body = {
            "feedType": kind,
            "marketplaceIds": list(markets) or [DE],
            "inputFeedDocumentId": document_id,
        }
        return await self.call("POST", FEEDS, json=body)

    async def feed(self, body: bytes, *markets: str) -> str:
        response = await self.create(await self.document(body), *markets)
        assert response.status_code == 202, response.text
        return str(response.json()["feedId"])

    async def look(self, feed_id: str) -> Any:
        response = await self.call("GET", f"{FEEDS}/{feed_id}")
        assert response.status_code == 200, response.text
        return response.json()

    async def result(self, feed: Any) -> Any:
        response = await self.call("GET", f"{DOCUMENTS}/{feed['resultFeedDocumentId']}")
        assert response.status_code == 200, response.text
        assert response.json()["compressionAlgorithm"] == "GZIP"
        downloaded = await self.caller.http.get(response.json()["url"])
        assert downloaded.status_code == 200, downloaded.text
        return json.loads(gzip.decompress(downloaded.content))

    async def summaries(self, market: str = DE, **params: str) -> httpx.Response:
        query = {"granularityType": "Marketplace", "granularityId": market, "marketplaceIds": market}
        return await self.call("GET", SUMMARIES, params={**query, "details": "true", **params})

    async def pool(self, sku: str = SKU, market: str = DE) -> Any:
        response = await self.summaries(market, sellerSkus=sku)
        assert response.status_code == 200, response.text
        (found,) = response.json()["payload"]["inventorySummaries"]
        return found


def value_of(quantity: object, channel: str = "DEFAULT") -> dict[str, object]:
    """One value of fulfillment_availability."""
    return {"fulfillment_channel_code": channel, "quantity": quantity}


def patch_of(quantity: object, op: str = "replace") -> dict[str, object]:
    """The patch that sets a quantity."""
    return {"op": op, "path": "/attributes/fulfillment_availability", "value": [value_of(quantity)]}


def message_of(number: int, sku: str, quantity: object) -> dict[str, object]:
    """A message of a JSON_LISTINGS_FEED that sets a quantity."""
    patches = [patch_of(quantity)]
    return {
        "messageId": number,
        "sku": sku,
        "operationType": "PATCH",
        "productType": "PRODUCT",
        "patches": patches,
    }


def feed_of(messages: list[Any], seller_id: str = EU.seller_id, version: str = "2.0") -> bytes:
    """A JSON_LISTINGS_FEED."""
    header = {"sellerId": seller_id, "version": version, "issueLocale": "en_US"}
    return json.dumps({"header": header, "messages": messages}).encode()
