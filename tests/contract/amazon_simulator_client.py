"""A caller of the Amazon simulator for its contract tests: in the same process, no sockets, no sleeping."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from simulators import assortment, catalogue
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from simulators.amazon.world import World

EU, NA = catalogue.SELLERS
ALL_DATA = (
    "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,"
    "FULFILLMENT_ORDERS"
)
ORDERS = "/orders/2026-01-01/orders"
LONG_AGO = "2020-01-01T00:00:00Z"


class Caller:
    """One seller's application talking to the simulator."""

    def __init__(self, http: httpx.AsyncClient, world: World) -> None:
        self.http = http
        self.world = world
        self.tokens: dict[str, str] = {}

    async def login(self, seller: catalogue.Seller = EU, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": seller.refresh_token,
            "client_id": catalogue.LWA_CLIENT_ID,
            "client_secret": catalogue.LWA_CLIENT_SECRET,
        }
        form.update(changes)
        response = await self.http.post("/auth/o2/token", data={k: v for k, v in form.items() if v})
        if response.status_code == 200:
            self.tokens[seller.seller_id] = response.json()["access_token"]
        return response

    async def headers(self, seller: catalogue.Seller = EU) -> dict[str, str]:
        if seller.seller_id not in self.tokens:
            await self.login(seller)
        return {"x-amz-access-token": self.tokens[seller.seller_id]}

    async def search(self, seller: catalogue.Seller = EU, **params: str | list[str] | int) -> httpx.Response:
        if not {"createdAfter", "lastUpdatedAfter"} & params.keys():
            params["lastUpdatedAfter"] = LONG_AGO
        return await self.http.get(ORDERS, params=params, headers=await self.headers(seller))

    async def get(
        self, order_id: str, data: str | None = ALL_DATA, seller: catalogue.Seller = EU
    ) -> httpx.Response:
        params = {"includedData": data} if data else {}
        return await self.http.get(f"{ORDERS}/{order_id}", params=params, headers=await self.headers(seller))

    async def order(self, order_id: str, data: str | None = ALL_DATA) -> dict[str, Any]:
        response = await self.get(order_id, data)
        assert response.status_code == 200, response.text
        order: dict[str, Any] = response.json()["order"]
        return order

    async def confirm(self, order_id: str, body: object, seller: catalogue.Seller = EU) -> httpx.Response:
        headers = {**await self.headers(seller), "content-type": "application/json"}
        return await self.http.post(
            f"/orders/v0/orders/{order_id}/shipmentConfirmation", content=json.dumps(body), headers=headers
        )

    async def plant(self, order: dict[str, Any], **more: object) -> dict[str, Any]:
        response = await self.http.post("/_control/order", json={"order": order, **more})
        assert response.status_code == 201, response.text
        result: dict[str, Any] = response.json()
        return result

    async def place(self, count: int, **more: object) -> list[str]:
        response = await self.http.post("/_control/orders", json={"count": count, **more})
        assert response.status_code == 201, response.text
        ids: list[str] = response.json()["created"]
        return ids

    async def advance(self, seconds: float) -> None:
        response = await self.http.post("/_control/advance", json={"seconds": seconds})
        assert response.status_code == 200, response.text

    async def event(self, order_id: str, **event: object) -> httpx.Response:
        return await self.http.post(f"/_control/orders/{order_id}/events", json=event)

    async def control(self, path: str) -> Any:
        return (await self.http.get(f"/_control/{path}")).json()


@asynccontextmanager
async def simulator(folder: Path, **settings: Any) -> AsyncIterator[Caller]:
    """The simulator over `folder`, as one caller sees it."""
    app = build_app(Settings(data=folder, **settings))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://amazon.invalid") as http:
        try:
            yield Caller(http, app.state.world)
        finally:
            app.state.world.store.close()


def mfn_order(order_id: str = "304-0000001-0000001", **changes: Any) -> dict[str, Any]:
    """A small order to be shipped by the seller: 3 of one item, 1 of another."""
    order: dict[str, Any] = {
        "orderId": order_id,
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": "A1PA6795UKMFR9",
            "marketplaceName": "Amazon.de",
        },
        "buyer": {"buyerName": "Käthe Schröder", "buyerEmail": "k1@marketplace.amazon.de"},
        "recipient": {
            "deliveryAddress": {
                "name": "Käthe Schröder",
                "addressLine1": "Am Kirchplatz 1",
                "city": "Köln",
                "stateOrRegion": "Nordrhein-Westfalen",
                "postalCode": "50667",
                "countryCode": "DE",
                "phone": "0171/1234567",
            }
        },
        "proceeds": {
            "grandTotal": {"amount": "47.20", "currencyCode": "EUR"},
            "breakdowns": [{"type": "ITEM", "subtotal": {"amount": "47.20", "currencyCode": "EUR"}}],
        },
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [
            _item("10000000000001", "TEA-GREEN-250", 3, "38.70"),
            _item("10000000000002", "BIS-OAT-250", 1, "8.50"),
        ],
    }
    order.update(changes)
    return order


def _item(item_id: str, sku: str, quantity: int, total: str) -> dict[str, Any]:
    money = {"amount": total, "currencyCode": "EUR"}
    return {
        "orderItemId": item_id,
        "quantityOrdered": quantity,
        "product": {
            "asin": assortment.ITEM_BY_SKU[sku].asin,
            "sellerSku": sku,
            "price": {"unitPrice": dict(money)},
        },
        "proceeds": {"proceedsTotal": money, "breakdowns": [{"type": "ITEM", "subtotal": dict(money)}]},
    }


def shipment(
    items: dict[str, int], reference: str = "1", ship_date: str = "", **package: Any
) -> dict[str, Any]:
    """A body of confirmShipment for an order in Germany."""
    detail: dict[str, Any] = {
        "packageReferenceId": reference,
        "carrierCode": "DHL",
        "shippingMethod": "Paket",
        "trackingNumber": "00340434161094000001",
        "shipDate": ship_date,
        "orderItems": [{"orderItemId": name, "quantity": units} for name, units in items.items()],
    }
    detail.update(package)
    return {"marketplaceId": "A1PA6795UKMFR9", "packageDetail": detail}
