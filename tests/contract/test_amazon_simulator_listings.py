"""Listings Items at the Amazon simulator: what a listing shows, another quantity for it, and what sales do to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.contract.amazon_simulator_client import mfn_order, simulator
from tests.contract.report_client import error
from tests.contract.stock_client import DE, FR, GB, SKU, StockCaller, patch_of
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid
from tests.contract.test_amazon_simulator_messages import told
from tests.contract.test_amazon_simulator_notifications import make_destination, subscribe

MODEL = "listingsItems_2021-08-01.json"
models_here = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[StockCaller]:
    async with simulator(tmp_path, quota_factor=1e6, notify_duplicates=0, notify_delay=0) as caller:
        stock = StockCaller(caller)
        listings = [{"seller": stock.seller.seller_id, "sku": SKU, "quantity": 40}]
        await stock.control("/listings", {"listings": listings})
        yield stock


async def test_an_accepted_quantity_is_queued_and_live_after_the_delay(stock: StockCaller) -> None:
    answer = await stock.push(7)
    assert (answer["status"], answer["sku"], answer["issues"]) == ("ACCEPTED", SKU, [])
    assert answer["submissionId"]
    assert await stock.shown() == {"fulfillmentChannelCode": "DEFAULT", "quantity": 40}
    await stock.caller.advance(31)
    assert await stock.shown() == {"fulfillmentChannelCode": "DEFAULT", "quantity": 7}
    assert (await stock.shown(market=FR))["quantity"] == 40


async def test_the_later_of_two_changes_stays_unless_amazon_is_told_to_mix_them(stock: StockCaller) -> None:
    for quantity in range(20):
        await stock.push(quantity)
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] == 19
    await stock.control("/manners", {"unordered": True})
    for quantity in range(20):
        await stock.push(quantity)
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] != 19


async def test_one_quantity_for_all_marketplaces_where_amazon_shares_it(stock: StockCaller) -> None:
    await stock.control("/manners", {"shared": True, "delay": 0})
    await stock.push(3)
    assert [(await stock.shown(market=market))["quantity"] for market in (DE, FR, GB)] == [3, 3, 3]


async def test_attributes_show_what_was_sent_and_availability_what_is_for_sale(stock: StockCaller) -> None:
    await stock.control("/manners", {"delay": 0})
    await stock.push(10)
    await stock.caller.plant(mfn_order())
    body = (await stock.listing()).json()
    assert body["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 7}]
    assert body["attributes"]["fulfillment_availability"] == [
        {"fulfillment_channel_code": "DEFAULT", "quantity": 10, "marketplace_id": DE}
    ]


@pytest.mark.parametrize(
    ("patch", "code", "attribute"),
    [
        (patch_of(-1), "90244", "fulfillment_availability"),
        (patch_of(1.5), "90244", "fulfillment_availability"),
        (
            {"op": "replace", "path": "/attributes/fulfillment_availability", "value": [{"quantity": 1}]},
            "99022",
            "fulfillment_availability",
        ),
        (
            {"op": "replace", "path": "/attributes/fulfillmentAvailability", "value": [{"quantity": 1}]},
            "90000900",
            "fulfillmentAvailability",
        ),
    ],
)
async def test_a_wrong_value_is_invalid_and_changes_nothing(
    stock: StockCaller, patch: dict[str, Any], code: str, attribute: str
) -> None:
    answer = (await stock.patch(SKU, patch)).json()
    assert answer["status"] == "INVALID"
    (issue,) = answer["issues"]
    assert (issue["code"], issue["severity"], issue["attributeNames"]) == (code, "ERROR", [attribute])
    assert issue["message"]
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] == 40


async def test_a_broken_request_is_refused(stock: StockCaller) -> None:
    without = await stock.patch(SKU, {"op": "replace", "path": "/attributes/fulfillment_availability"})
    assert error(without) == (400, "InvalidInput", "Value is missing for patch at index of 0.")
    unparsed = "Request has missing or invalid parameters and cannot be parsed."
    assert error(await stock.patch(SKU)) == (400, "InvalidInput", unparsed)
    assert error(await stock.patch(SKU, patch_of(1), market=""))[:2] == (400, "InvalidInput")
    assert error(await stock.patch(SKU, patch_of(1), market="ATVPDKIKX0DER"))[:2] == (400, "InvalidInput")
    path = f"/listings/2021-08-01/items/A2NASELLER0001/{SKU}"
    other = await stock.call("GET", path, params={"marketplaceIds": DE})
    assert error(other)[:2] == (403, "Unauthorized")


async def test_a_preview_changes_nothing(stock: StockCaller) -> None:
    await stock.control("/manners", {"delay": 0})
    preview = {"mode": "VALIDATION_PREVIEW", "includedData": "identifiers,issues"}
    answer = (await stock.patch(SKU, patch_of(5), market=DE, **preview)).json()
    assert answer["status"] == "VALID"
    assert [entry["marketplaceId"] for entry in answer["identifiers"]] == [DE]
    assert (await stock.patch(SKU, patch_of(-5), market=DE, **preview)).json()["status"] == "INVALID"
    assert (await stock.shown())["quantity"] == 40


async def test_an_unknown_sku_is_accepted_and_cannot_be_bought(stock: StockCaller) -> None:
    missing = await stock.listing("NOBODY-1")
    assert error(missing) == (404, "NOT_FOUND", f"SKU 'NOBODY-1' not found in marketplace {DE}")
    assert (await stock.push(5, "NOBODY-1"))["status"] == "ACCEPTED"
    assert (await stock.listing("NOBODY-1")).status_code == 404
    await stock.caller.advance(31)
    body = (await stock.listing("NOBODY-1")).json()
    assert body["summaries"][0]["status"] == []
    assert [issue["code"] for issue in body["issues"]] == ["90220"]
    assert body["offers"] == []


async def test_the_default_channel_turns_an_fba_offer_where_amazon_does_that(stock: StockCaller) -> None:
    pool = {"seller": stock.seller.seller_id, "sku": SKU, "marketplace": DE, "fulfillable": 12}
    await stock.control("/fba", {"pools": [pool]})
    assert await stock.shown() == {"fulfillmentChannelCode": "AMAZON_EU"}
    assert (await stock.shown(market=GB))["fulfillmentChannelCode"] == "DEFAULT"
    await stock.control("/manners", {"flips": False, "delay": 0})
    await stock.push(4)
    assert await stock.shown() == {"fulfillmentChannelCode": "AMAZON_EU"}
    await stock.control("/manners", {"flips": True})
    await stock.push(4)
    assert await stock.shown() == {"fulfillmentChannelCode": "DEFAULT", "quantity": 4}
    assert (await stock.control(""))["counts"]["turned"] == 1


async def test_a_sku_is_refused_on_request_at_once_or_later(stock: StockCaller) -> None:
    await stock.control("/refuse", {"sku": SKU, "times": 1})
    answer = await stock.push(5)
    assert answer["status"] == "INVALID"
    assert answer["issues"][0]["code"] == "8541"
    await stock.control("/refuse", {"sku": SKU, "late": True, "times": 1})
    assert (await stock.push(6))["status"] == "ACCEPTED"
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] == 40
    assert [issue["code"] for issue in (await stock.listing()).json()["issues"]] == ["8541"]
    assert (await stock.push(7))["status"] == "ACCEPTED"
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] == 7


async def test_sales_lower_what_is_shown_and_unpaid_cancellations_raise_it_again(stock: StockCaller) -> None:
    async def quantity() -> int:
        return int((await stock.shown())["quantity"])

    pending = {"fulfillment": {"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"}}
    await stock.caller.plant(mfn_order("304-0000001-0000001", **pending))
    assert await quantity() == 37
    await stock.caller.event("304-0000001-0000001", type="cancel", actor="BUYER")
    assert await quantity() == 40
    await stock.caller.plant(mfn_order("304-0000001-0000002"))
    assert await quantity() == 37
    await stock.caller.event("304-0000001-0000002", type="change_quantity", items={"10000000000001": 5})
    assert await quantity() == 35
    await stock.caller.event("304-0000001-0000002", type="cancel", actor="MERCHANT")
    assert await quantity() == 35
    assert (await stock.control(""))["oversold"] == []


async def test_pieces_sold_beyond_what_is_shown_are_noted(stock: StockCaller) -> None:
    await stock.control("/manners", {"delay": 0})
    await stock.push(2)
    await stock.caller.plant(mfn_order())
    assert (await stock.shown())["quantity"] == 0
    (short,) = (await stock.control(""))["oversold"]
    assert (short["orderId"], short["sku"], short["units"]) == ("304-0000001-0000001", SKU, 1)


async def test_a_restart_keeps_changes_under_way_and_takes_no_order_twice(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        stock = StockCaller(caller)
        await stock.caller.plant(mfn_order())
        before = (await stock.shown())["quantity"]
        await stock.push(9, market=FR)
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        stock = StockCaller(caller)
        await caller.event("304-0000001-0000001", type="ship")
        assert (await stock.shown())["quantity"] == before
        assert (await stock.control(""))["underWay"] == 1
        await caller.advance(31)
        assert (await stock.shown(market=FR))["quantity"] == 9


async def test_patches_have_five_a_second_and_a_burst_of_five(tmp_path: Path) -> None:
    async with simulator(tmp_path, clock_rate=1e-6) as caller:
        stock = StockCaller(caller)
        answers = [await stock.patch(SKU, patch_of(number)) for number in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        await caller.advance(1)
        answers = [await stock.patch(SKU, patch_of(number)) for number in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]


@models_here
async def test_a_live_quantity_is_told_when_it_differs(stock: StockCaller) -> None:
    destination = (await make_destination(stock.caller)).json()["payload"]["destinationId"]
    kind = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"
    answer = await subscribe(stock.caller, destination, kind, stock.seller)
    assert answer.status_code == 200, answer.text
    await stock.push(7)
    assert await told(stock.caller, subject=SKU) == []
    await stock.caller.advance(31)
    await stock.push(7)
    await stock.caller.advance(31)
    (message,) = await told(stock.caller, subject=SKU)
    assert message["Payload"] == {
        "SellerId": stock.seller.seller_id,
        "FulfillmentChannelCode": "DEFAULT",
        "Sku": SKU,
        "Quantity": 7,
    }
    schema = json.loads((MODELS.parent / "notifications" / "ListingsItemMfnQuantityChange.json").read_text())
    jsonschema.validate(message, schema)
    await stock.caller.plant(mfn_order())
    assert [one["Payload"]["Quantity"] for one in await told(stock.caller, subject=SKU)] == [7, 4]


@models_here
async def test_every_answer_fits_the_model(stock: StockCaller) -> None:
    await stock.control("/manners", {"delay": 0})
    pool = {"seller": stock.seller.seller_id, "sku": "TEA-MINT-50", "marketplace": DE, "fulfillable": 12}
    await stock.control("/fba", {"pools": [pool]})
    await stock.control("/refuse", {"sku": "TEA-EARL-100", "late": True})
    for sku in (SKU, "TEA-MINT-50", "TEA-EARL-100", "NOBODY-1"):
        assert_valid(await stock.push(3, sku), "ListingsItemSubmissionResponse", MODEL)
        everything = "summaries,attributes,issues,offers,fulfillmentAvailability,productTypes,procurement"
        for market in (DE, f"{DE},{FR}"):
            answer = await stock.listing(sku, market, everything)
            assert answer.status_code == 200
            assert_valid(answer.json(), "Item", MODEL)
    assert_valid((await stock.patch(SKU, patch_of(-1))).json(), "ListingsItemSubmissionResponse", MODEL)
    assert_valid((await stock.listing("NOBODY-2")).json(), "ErrorList", MODEL)


async def test_only_what_is_asked_for_is_shown(stock: StockCaller) -> None:
    path = f"/listings/2021-08-01/items/{stock.seller.seller_id}/{SKU}"
    assert set((await stock.call("GET", path, params={"marketplaceIds": DE})).json()) == {"sku", "summaries"}
    assert set((await stock.listing(data="issues")).json()) == {"sku", "issues"}
    assert (await stock.listing(data="everything")).status_code == 400
