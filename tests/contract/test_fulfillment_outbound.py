"""Fulfilment orders (MCF): the pretended Amazon and our client, both against Amazon's published models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.fulfillment import FulfillmentOutbound, FulfillmentPort
from activities.amazon.fulfillment_2026 import FulfillmentOutbound2026
from activities.amazon.lwa import Credentials, TokenCache
from activities.amazon.operations import OUTBOUND_OPERATIONS
from activities.amazon.transport import Transport
from canonical.fulfillment import (
    FulfillmentLine,
    FulfillmentPolicy,
    FulfillmentRequest,
    FulfillmentStatus,
    ParcelStatus,
    ShippingSpeed,
)
from canonical.order import Address
from simulators import catalogue
from simulators.amazon.app import build_app
from simulators.amazon.quotas import PLANS
from simulators.amazon.settings import Settings
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid, model

pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)
OLD, NEW = "fulfillmentOutbound_2020-07-01.json", "fulfillmentOutbound_2026-07-04.json"
ANSWERED = {
    "createFulfillmentOrder", "getFulfillmentOrder", "listAllFulfillmentOrders", "cancelFulfillmentOrder",
    "getPackageTrackingDetails",
}  # fmt: skip
"""The operations of the older version that the pretended Amazon has."""
ANSWERS = {
    "createFulfillmentOrder": (OLD, "CreateFulfillmentOrderResponse"),
    "getFulfillmentOrder": (OLD, "GetFulfillmentOrderResponse"),
    "listAllFulfillmentOrders": (OLD, "ListAllFulfillmentOrdersResponse"),
    "cancelFulfillmentOrder": (OLD, "CancelFulfillmentOrderResponse"),
    "getPackageTrackingDetails": (OLD, "GetPackageTrackingDetailsResponse"),
}
ADDRESS = Address(
    name="Teehaus Nordlicht",
    lines=("Hafenstraße 7", "Hinterhaus", "2. Stock", "links"),
    city="Hamburg",
    postal_code="20457",
    country="DE",
)
SELLER = catalogue.SELLERS[0]
Event = Callable[..., Awaitable[None]]


@dataclass
class Wire:
    """Amazon in this process; every exchange is kept."""

    http: httpx.AsyncClient
    seen: list[tuple[httpx.Request, httpx.Response]] = field(default_factory=list)

    def transport(self) -> Transport:
        credentials = Credentials(catalogue.LWA_CLIENT_ID, catalogue.LWA_CLIENT_SECRET, SELLER.refresh_token)
        tokens = TokenCache(credentials, self.http, "http://amazon.invalid/auth/o2/token")
        return Transport("http://amazon.invalid", tokens, self.http)

    async def happens(self, order_id: str, *events: str | dict[str, object]) -> None:
        for event in events:
            body = {"type": event} if isinstance(event, str) else event
            answer = await self.http.post(f"/_control/fulfillment/{order_id}/events", json=body)
            assert answer.status_code == 200, answer.text

    def exchanges(self, method: str, part: str) -> list[tuple[httpx.Request, httpx.Response]]:
        return [pair for pair in self.seen if pair[0].method == method and part in pair[0].url.path]


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    app = build_app(Settings(data=tmp_path, quota_factor=1e6))
    seen: list[tuple[httpx.Request, httpx.Response]] = []

    async def keep(response: httpx.Response) -> None:
        await response.aread()
        seen.append((response.request, response))

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://amazon.invalid", event_hooks={"response": [keep]}
    ) as http:
        await http.post("/_control/fulfillment/switch", json={"automatic": False})
        yield Wire(http, seen)


def request(order_id: str = "0000000042-30000007", lines: dict[str, int] | None = None) -> FulfillmentRequest:
    wanted = lines or {"TEA-GREEN-250": 3}
    return FulfillmentRequest(
        order_id=order_id,
        marketplace_id="A1PA6795UKMFR9",
        displayable_id="PO-4711",
        ordered_at=datetime(2026, 11, 20, tzinfo=UTC),
        comment="Thank you.",
        speed=ShippingSpeed.EXPEDITED,
        policy=FulfillmentPolicy.FILL_ALL_AVAILABLE,
        address=ADDRESS,
        lines=tuple(
            FulfillmentLine(item_id=f"{place}-0", sku=sku, quantity=quantity)
            for place, (sku, quantity) in enumerate(wanted.items(), 1)
        ),
    )


def ports(wire: Wire) -> dict[str, FulfillmentPort]:
    return {
        "2020-07-01": FulfillmentOutbound(wire.transport()),
        "2026-07-04": FulfillmentOutbound2026(wire.transport()),
    }


def test_rates_and_paths_are_those_of_the_model() -> None:
    paths = model(OLD)["paths"]
    for operation in OUTBOUND_OPERATIONS:
        told = paths[operation.path][operation.method.lower()]
        assert told["operationId"] == operation.name
        assert f"| {operation.rate:g} | {operation.burst} |" in told["description"]
        if operation.name in ANSWERED:
            plan = PLANS[operation.name]
            assert (plan.rate, plan.burst) == (operation.rate, operation.burst)


@pytest.mark.parametrize("version", ["2020-07-01", "2026-07-04"])
async def test_one_story_reads_the_same_through_either_version(wire: Wire, version: str) -> None:
    port, number = ports(wire)[version], "0000000042-30000007"
    assert await port.get(number) is None
    await port.create(request(lines={"TEA-GREEN-250": 3, "CUP-STON-4": 1}))
    await wire.happens(number, "validate", "plan", {"type": "pick", "items": {"1-0": 2}})
    under_way = await port.get(number)
    assert under_way is not None
    assert under_way.status is FulfillmentStatus.PROCESSING
    assert not under_way.shipped
    assert not under_way.settled
    await wire.happens(number, {"type": "ship", "packages": 2}, {"type": "short", "items": {}})
    ended = await port.get(number)
    assert ended is not None
    assert ended.status is FulfillmentStatus.COMPLETE_PARTIALLED
    assert ended.settled
    assert ended.quantities == {"1-0": 3, "2-0": 1}
    assert ended.shipped == {"1-0": 2}
    assert ended.unfulfillable == {"1-0": 1, "2-0": 1}
    assert all(parcel.carrier == "DHL" and parcel.tracking_number for parcel in ended.parcels)
    assert len({parcel.number for parcel in ended.parcels}) == 2
    numbers = [parcel.number for parcel in ended.parcels]
    before = await port.parcels(number, numbers)
    assert {status for status, _ in before.values()} == {ParcelStatus.UNDER_WAY}
    await wire.happens(number, "deliver")
    after = await port.parcels(number, numbers)
    assert {status for status, _ in after.values()} == {ParcelStatus.DELIVERED}


async def test_what_we_send_and_what_amazon_answers_fit_the_model_of_2020(wire: Wire) -> None:
    port = ports(wire)["2020-07-01"]
    for number, events in {
        "A-1": (), "A-2": ("validate", "plan"), "A-3": ("validate", "plan", "pick"),
        "A-4": ("validate", "plan", "pick", {"type": "ship", "packages": 3}, "deliver"),
        "A-5": ("validate", "short"), "A-6": ("validate", "plan", "pick", "cancel_shipment"),
    }.items():  # fmt: skip
        await port.create(request(number))
        await wire.happens(number, *events)
        snapshot = await port.get(number)
        assert snapshot is not None
        await port.parcels(number, [parcel.number for parcel in snapshot.parcels])
    await port.cancel("A-2")
    headers = {
        "x-amz-access-token": wire.exchanges("GET", "fulfillmentOrders")[0][0].headers["x-amz-access-token"]
    }
    await wire.http.get("/fba/outbound/2020-07-01/fulfillmentOrders", headers=headers)
    for sent, _ in wire.exchanges("POST", "/fulfillmentOrders"):
        assert_valid(json.loads(sent.content), "CreateFulfillmentOrderRequest", OLD)
    checked = set()
    for sent, answer in wire.seen:
        if "/fba/outbound" in sent.url.path and answer.status_code == 200:
            name = _operation(sent)
            assert_valid(answer.json(), ANSWERS[name][1], ANSWERS[name][0])
            checked.add(name)
    assert checked == set(ANSWERS)


def _operation(sent: httpx.Request) -> str:
    path = sent.url.path
    if path.endswith("/tracking"):
        return "getPackageTrackingDetails"
    if path.endswith("/cancel"):
        return "cancelFulfillmentOrder"
    if path.endswith("/fulfillmentOrders"):
        return "createFulfillmentOrder" if sent.method == "POST" else "listAllFulfillmentOrders"
    return "getFulfillmentOrder"


@pytest.mark.parametrize("accepted", [False, True])
async def test_what_we_send_and_what_amazon_answers_fit_the_model_of_2026(wire: Wire, accepted: bool) -> None:
    port, number = ports(wire)["2026-07-04"], "0000000042-30000008"
    await wire.http.post("/_control/fulfillment/switch", json={"asynchronous": accepted})
    await port.create(request(number))
    [(sent, created)] = wire.exchanges("POST", "/2026-07-04/orders")
    assert_valid(json.loads(sent.content), "CreateOrderRequest", NEW)
    assert created.status_code == (202 if accepted else 200)
    assert_valid(created.json(), "CreateOrderAcceptedResponse" if accepted else "CreateOrderResponse", NEW)
    if accepted:
        assert await port.get(number) is None, "accepted, and not to be seen yet"
        await wire.http.post("/_control/advance", json={"seconds": 2})
    await wire.happens(number, "validate", "plan", "pick")
    await port.cancel(number)  # 202, and yet it goes its way
    await wire.happens(number, "ship")
    snapshot = await port.get(number)
    assert snapshot is not None
    assert snapshot.status is FulfillmentStatus.COMPLETE
    for _, answer in wire.exchanges("GET", "/2026-07-04/orders/"):
        if answer.status_code == 200:
            assert_valid(answer.json(), "GetOrderResponse", NEW)


async def test_amazon_takes_an_id_once(wire: Wire) -> None:
    port = ports(wire)["2020-07-01"]
    await port.create(request())
    with pytest.raises(AmazonError, match="already exists") as refused:
        await port.create(request())
    assert refused.value.failure is Failure.REFUSED


async def test_ids_with_plus_or_blank_are_taken_and_never_found_again(wire: Wire) -> None:
    port = ports(wire)["2020-07-01"]
    await port.create(request("PO+1"))
    assert await port.get("PO+1") is None
    await port.create(request("PO 1"))
    with pytest.raises(AmazonError) as denied:
        await port.get("PO 1")
    assert denied.value.failure is Failure.NOT_AUTHORISED


async def test_amazon_refuses_at_once_what_it_sees_at_once(wire: Wire) -> None:
    port = ports(wire)["2020-07-01"]
    told: dict[str, FulfillmentRequest] = {
        "the SellerSKU for Item Id: 1-0 is invalid": request(lines={"NO-SUCH": 1}),
        "AllQuantityZero": request(lines={"TEA-GREEN-250": 0}),
        "at most 250 units": request(lines={"TEA-GREEN-250": 251}),
        "destinationAddress.postalCode": request().model_copy(
            update={"address": ADDRESS.model_copy(update={"postal_code": ""})}
        ),
        "City": request().model_copy(update={"address": ADDRESS.model_copy(update={"city": ""})}),
        "displayableOrderComment": request().model_copy(update={"comment": ""}),
        "sellerFulfillmentOrderId": request("X" * 41),
    }
    for words, wanted in told.items():
        with pytest.raises(AmazonError, match=words):
            await port.create(wanted)


async def test_stock_and_policy_decide_how_an_order_ends(wire: Wire) -> None:
    port = ports(wire)["2020-07-01"]
    stock = {"seller": SELLER.seller_id, "sku": "TEA-GREEN-250", "quantity": 2}
    await wire.http.post("/_control/fulfillment/stock", json=stock)
    await port.create(request("S-1"))
    await wire.happens("S-1", "validate")
    assert (await port.get("S-1")).status is FulfillmentStatus.INVALID  # type: ignore[union-attr]
    kill = request("S-2", {"CUP-STON-4": 2}).model_copy(update={"policy": FulfillmentPolicy.FILL_OR_KILL})
    await port.create(kill)
    await wire.happens("S-2", "validate", "plan", {"type": "short", "items": {"1-0": 1}})
    assert (await port.get("S-2")).status is FulfillmentStatus.UNFULFILLABLE  # type: ignore[union-attr]


async def test_cancelling_is_taken_up_to_planning(wire: Wire) -> None:
    port = ports(wire)["2020-07-01"]
    for number, events in {"C-1": (), "C-2": ("validate",), "C-3": ("validate", "plan")}.items():
        await port.create(request(number))
        await wire.happens(number, *events)
        await port.cancel(number)
        assert (await port.get(number)).status is FulfillmentStatus.CANCELLED  # type: ignore[union-attr]
    await port.create(request("C-4"))
    await wire.happens("C-4", "validate", "plan", "pick")
    with pytest.raises(AmazonError, match="can no longer be cancelled"):
        await port.cancel("C-4")


async def test_the_burst_is_thirty_calls(tmp_path: Path) -> None:
    app = build_app(Settings(data=tmp_path))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://amazon.invalid"
    ) as http:
        port = FulfillmentOutbound(Wire(http).transport())
        for _ in range(30):
            await port.get("NONE-1")
        calls = asyncio.gather(*(port.get("NONE-1") for _ in range(30)))
        with pytest.raises(AmazonError) as refused:
            await calls
        assert refused.value.failure is Failure.QUOTA
