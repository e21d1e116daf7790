"""FBA inventory at the Amazon simulator: summaries by page, pools, adjustments and their ledger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simulators.amazon.clock import iso
from tests.contract.amazon_simulator_client import NA, mfn_order, simulator
from tests.contract.report_client import ReportCaller, error
from tests.contract.stock_client import DE, FR, GB, SKU, SUMMARIES, StockCaller
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid
from tests.contract.test_amazon_simulator_messages import told
from tests.contract.test_amazon_simulator_notifications import make_destination, subscribe

MODEL = "fbaInventory.json"
LEDGER = "GET_LEDGER_DETAIL_VIEW_DATA"
models_here = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[StockCaller]:
    async with simulator(tmp_path, quota_factor=1e6, notify_duplicates=0, notify_delay=0) as caller:
        yield StockCaller(caller)


async def fill(stock: StockCaller, *skus: str, **figures: object) -> None:
    about = {"seller": stock.seller.seller_id, "marketplace": DE, "fulfillable": 20}
    await stock.control("/fba", {"pools": [{**about, "sku": sku, **figures} for sku in skus or (SKU,)]})


async def adjust(stock: StockCaller, reason: str, quantity: int, **more: object) -> Any:
    about = {"seller": stock.seller.seller_id, "sku": SKU, "marketplace": DE}
    return await stock.control("/adjust", {**about, "reason": reason, "quantity": quantity, **more})


def fba_order(order_id: str = "304-0000001-0000009", status: str = "UNSHIPPED") -> dict[str, Any]:
    return mfn_order(order_id, fulfillment={"fulfillmentStatus": status, "fulfilledBy": "AMAZON"})


async def fulfillable(stock: StockCaller) -> tuple[int, int]:
    """What can be sold, and what customers have reserved."""
    details = (await stock.pool())["inventoryDetails"]
    return details["fulfillableQuantity"], details["reservedQuantity"]["pendingCustomerOrderQuantity"]


async def test_one_pool_stands_under_every_marketplace_of_the_continent(stock: StockCaller) -> None:
    await fill(stock)
    assert (await stock.pool(market=DE))["totalQuantity"] == 20
    assert (await stock.pool(market=FR))["totalQuantity"] == 20
    assert (await stock.pool(market=FR))["fnSku"] == (await stock.pool(market=DE))["fnSku"]
    assert (await stock.summaries(GB)).json()["payload"]["inventorySummaries"] == []
    answer = await StockCaller(stock.caller, NA).summaries("ATVPDKIKX0DER")
    assert answer.json()["payload"]["inventorySummaries"] == []


async def test_the_details_come_on_request_and_add_up(stock: StockCaller) -> None:
    figures = {
        "inbound_working": 1,
        "inbound_shipped": 2,
        "inbound_receiving": 3,
        "reserved_orders": 4,
        "reserved_transfer": 5,
        "reserved_processing": 6,
        "researching": 7,
        "unfulfillable": {"DEFECTIVE": 8, "EXPIRED": 9},
    }
    await fill(stock, **figures)
    found = await stock.pool()
    details = found["inventoryDetails"]
    assert found["totalQuantity"] == 20 + sum(range(1, 10))
    assert details["reservedQuantity"]["totalReservedQuantity"] == 15
    assert details["unfulfillableQuantity"]["totalUnfulfillableQuantity"] == 17
    assert details["researchingQuantity"]["totalResearchingQuantity"] == 7
    plain = (await stock.summaries(details="false")).json()["payload"]["inventorySummaries"][0]
    assert "inventoryDetails" not in plain
    assert plain["totalQuantity"] == found["totalQuantity"]


async def test_a_page_token_lives_for_thirty_seconds_and_for_its_own_request(stock: StockCaller) -> None:
    skus = [f"D-{number:03d}" for number in range(120)]
    await fill(stock, *skus)
    seen: list[str] = []
    token = ""
    while True:
        page = (await stock.summaries(**({"nextToken": token} if token else {}))).json()
        seen += [entry["sellerSku"] for entry in page["payload"]["inventorySummaries"]]
        token = page.get("pagination", {}).get("nextToken", "")
        if not token:
            break
        await stock.caller.advance(29)
    assert seen == skus
    token = (await stock.summaries()).json()["pagination"]["nextToken"]
    assert error(await stock.summaries(FR, nextToken=token))[:2] == (400, "InvalidInput")
    assert error(await stock.summaries(nextToken="rubbish"))[:2] == (400, "InvalidInput")
    await stock.caller.advance(31)
    assert error(await stock.summaries(nextToken=token))[:2] == (400, "InvalidInput")


async def test_what_has_changed_since_a_moment_inbound_apart(stock: StockCaller) -> None:
    async def changed(since: str) -> list[str]:
        found = (await stock.summaries(startDateTime=since)).json()["payload"]["inventorySummaries"]
        return [entry["sellerSku"] for entry in found]

    await fill(stock, SKU, "TEA-MINT-50")
    await stock.caller.advance(100)
    since = iso(stock.caller.world.clock.now_ms())
    assert await changed(since) == []
    await stock.caller.advance(1)
    await adjust(stock, "lost", 2)
    assert await changed(since) == [SKU]
    assert error(await stock.summaries(startDateTime="2020-01-01T00:00:00Z"))[0] == 400
    assert error(await stock.summaries(startDateTime="yesterday"))[0] == 400


async def test_requests_that_amazon_refuses(stock: StockCaller) -> None:
    assert error(await stock.summaries(marketplaceIds=f"{DE},{FR}"))[0] == 400
    assert error(await stock.summaries(granularityId=FR))[0] == 400
    assert error(await stock.summaries(granularityType="Country"))[0] == 400
    assert error(await stock.summaries(sellerSkus=",".join(f"E-{n}" for n in range(51))))[0] == 400
    assert error(await stock.summaries("ATVPDKIKX0DER"))[0] == 403
    assert error(await stock.call("GET", SUMMARIES))[0] == 400


async def test_an_order_reserves_ships_and_gives_back(stock: StockCaller) -> None:
    await fill(stock)
    await stock.caller.plant(fba_order("304-0000001-0000009", "PENDING"))
    assert await fulfillable(stock) == (17, 3)
    await stock.caller.event("304-0000001-0000009", type="cancel", actor="BUYER")
    assert await fulfillable(stock) == (20, 0)
    await stock.caller.plant(fba_order("304-0000001-0000010"))
    await stock.caller.event("304-0000001-0000010", type="ship", items={"10000000000001": 2})
    assert await fulfillable(stock) == (17, 1)
    await stock.caller.event("304-0000001-0000010", type="ship")
    assert await fulfillable(stock) == (17, 0)
    lines = (await stock.control("/fba"))["ledger"]
    assert [(line["event"], line["quantity"]) for line in lines] == [("Shipments", -2), ("Shipments", -1)]


async def test_adjustments_move_pieces_and_stand_in_the_ledger_with_their_code(stock: StockCaller) -> None:
    await fill(stock)
    await adjust(stock, "lost", 3)
    await adjust(stock, "found", 1)
    await adjust(stock, "damaged", 4)
    await adjust(stock, "disposed", 2, disposition="WAREHOUSE_DAMAGED")
    await adjust(stock, "received", 10)
    details = (await stock.pool())["inventoryDetails"]
    assert details["fulfillableQuantity"] == 20 - 3 + 1 - 4 + 10
    assert details["unfulfillableQuantity"]["warehouseDamagedQuantity"] == 2
    reports = ReportCaller(stock.caller)
    rows = await reports.rows(LEDGER, DE)
    told = [
        (row["Event Type"], row["Quantity"], row["Disposition"], row["Reason"], row["MSKU"]) for row in rows
    ]
    assert sorted(told) == sorted(
        [
            ("Adjustments", "-3", "SELLABLE", "M", SKU),
            ("Adjustments", "1", "SELLABLE", "F", SKU),
            ("Adjustments", "-4", "SELLABLE", "E", SKU),
            ("Adjustments", "4", "WAREHOUSE_DAMAGED", "P", SKU),
            ("Adjustments", "-2", "WAREHOUSE_DAMAGED", "D", SKU),
            ("Receipts", "10", "SELLABLE", "", SKU),
        ]
    )
    assert len({row["Reference ID"] for row in rows}) == len(rows)
    receipts = await reports.rows(LEDGER, FR, reportOptions={"eventType": "Receipts"})
    assert [row["Quantity"] for row in receipts] == ["10"]
    assert (await reports.finished(LEDGER, GB))["processingStatus"] == "CANCELLED"


async def test_no_more_can_be_lost_than_there_is(stock: StockCaller) -> None:
    await fill(stock)
    body = {"seller": stock.seller.seller_id, "sku": SKU, "marketplace": DE, "reason": "lost", "quantity": 21}
    answer = await stock.caller.http.post("/_control/stock/adjust", json=body)
    assert answer.status_code == 409
    assert await fulfillable(stock) == (20, 0)
    assert (await stock.control("/fba"))["ledger"] == []
    unknown = await stock.caller.http.post("/_control/stock/adjust", json={**body, "sku": "NOBODY-1"})
    assert unknown.status_code == 404


async def test_pools_and_ledger_survive_a_restart(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        stock = StockCaller(caller)
        await fill(stock)
        await caller.plant(fba_order())
        await adjust(stock, "lost", 5)
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        stock = StockCaller(caller)
        assert await fulfillable(stock) == (12, 3)
        await caller.event("304-0000001-0000009", type="ship", items={"10000000000001": 3})
        assert await fulfillable(stock) == (12, 0)
        assert [line["event"] for line in (await stock.control("/fba"))["ledger"]] == [
            "Adjustments",
            "Shipments",
        ]


async def test_summaries_have_two_a_second_and_a_burst_of_two(tmp_path: Path) -> None:
    async with simulator(tmp_path, clock_rate=1e-6) as caller:
        stock = StockCaller(caller)
        assert [(await stock.summaries()).status_code for _ in range(3)] == [200, 200, 429]
        await caller.advance(1)
        assert [(await stock.summaries()).status_code for _ in range(3)] == [200, 200, 429]


@models_here
async def test_answers_fit_the_model_and_changes_are_told(stock: StockCaller) -> None:
    destination = (await make_destination(stock.caller)).json()["payload"]["destinationId"]
    kind = "FBA_INVENTORY_AVAILABILITY_CHANGES"
    assert (await subscribe(stock.caller, destination, kind, stock.seller)).status_code == 200
    await fill(stock, *(f"F-{number:02d}" for number in range(60)), SKU)
    for details in ("true", "false"):
        assert_valid((await stock.summaries(details=details)).json(), "GetInventorySummariesResponse", MODEL)
    await adjust(stock, "lost", 5)
    await stock.caller.plant(fba_order())
    messages = await told(stock.caller, subject=SKU)
    name = "FBAInventoryAvailabilityChangeNotification.json"
    schema = json.loads((MODELS.parent / "notifications" / name).read_text())
    for message in messages:
        jsonschema.validate(message, schema)
    shown = [
        {entry["MarketplaceId"]: entry["FulfillmentInventory"]["Fulfillable"] for entry in entries}
        for entries in (message["Payload"]["FulfillmentInventoryByMarketplace"] for message in messages)
    ]
    assert [figures[DE] for figures in shown] == [15, 12]
    assert all(figures[DE] == figures[FR] and GB not in figures for figures in shown)
