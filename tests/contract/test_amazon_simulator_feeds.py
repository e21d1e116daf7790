"""Feeds at the Amazon simulator: the document, its upload, the processing, the result."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from tests.contract.amazon_simulator_client import NA, simulator
from tests.contract.report_client import error
from tests.contract.stock_client import (
    DE,
    DOCUMENTS,
    FEEDS,
    FR,
    GB,
    JSON_TYPE,
    SKU,
    StockCaller,
    feed_of,
    message_of,
    patch_of,
)
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid
from tests.contract.test_amazon_simulator_messages import told
from tests.contract.test_amazon_simulator_notifications import make_destination, subscribe

MODEL = "feeds_2021-06-30.json"
models_here = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[StockCaller]:
    async with simulator(tmp_path, quota_factor=1e6, notify_duplicates=0, notify_delay=0) as caller:
        yield StockCaller(caller)


def assert_report(report: object) -> None:
    """The processing report fits Amazon's schema, where that is at hand."""
    path = MODELS.parent / "feeds" / "listings-feed-processing-report-schema-v2.json"
    if path.is_file():
        jsonschema.validate(report, json.loads(path.read_text()))


async def finished(stock: StockCaller, body: bytes, *markets: str) -> tuple[Any, Any]:
    """A feed that has been processed, and its report."""
    feed_id = await stock.feed(body, *markets)
    await stock.caller.advance(31)
    feed = await stock.look(feed_id)
    report = await stock.result(feed)
    assert report["header"]["feedId"] == feed_id
    assert_report(report)
    return feed, report


async def test_a_feed_goes_its_way_and_its_quantities_are_live_after_it(stock: StockCaller) -> None:
    await stock.control("/listings", {"listings": [listed("A-1", 1), listed("A-2", 1)]})
    feed_id = await stock.feed(feed_of([message_of(1, "A-1", 11), message_of(2, "A-2", 12)]), DE, FR)
    assert (await stock.look(feed_id))["processingStatus"] == "IN_QUEUE"
    await stock.caller.advance(16)
    assert (await stock.look(feed_id))["processingStatus"] == "IN_PROGRESS"
    await stock.caller.advance(15)
    feed = await stock.look(feed_id)
    assert feed["processingStatus"] == "DONE"
    assert feed["feedType"] == "JSON_LISTINGS_FEED"
    assert feed["marketplaceIds"] == [DE, FR]
    assert (await stock.result(feed))["summary"] == {
        "errors": 0,
        "warnings": 0,
        "messagesProcessed": 2,
        "messagesAccepted": 2,
        "messagesInvalid": 0,
    }
    assert (await stock.shown("A-1"))["quantity"] == 1
    await stock.caller.advance(31)
    assert [(await stock.shown("A-1", market))["quantity"] for market in (DE, FR, GB)] == [11, 11, 1]
    assert (await stock.shown("A-2"))["quantity"] == 12


def listed(sku: str, quantity: int) -> dict[str, object]:
    return {"seller": "A2EUSELLER0001", "sku": sku, "quantity": quantity}


async def test_a_feed_counts_from_when_it_is_processed(stock: StockCaller) -> None:
    """A patch sent after a feed is overwritten by the feed, if that is processed later."""
    feed_id = await stock.feed(feed_of([message_of(1, SKU, 5)]))
    await stock.push(9)
    await stock.caller.advance(30.5)
    assert (await stock.shown())["quantity"] == 9
    await stock.caller.advance(60)
    assert (await stock.look(feed_id))["processingStatus"] == "DONE"
    assert (await stock.shown())["quantity"] == 5


async def test_one_feed_waits_for_the_other(stock: StockCaller) -> None:
    first = await stock.feed(feed_of([message_of(1, SKU, 5)]))
    second = await stock.feed(feed_of([message_of(1, SKU, 6)]))
    await stock.caller.advance(31)
    assert (await stock.look(first))["processingStatus"] == "DONE"
    assert (await stock.look(second))["processingStatus"] == "IN_PROGRESS"
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] == 6


async def test_refused_messages_are_told_by_their_number_and_the_others_are_done(stock: StockCaller) -> None:
    skus = [f"B-{number:03d}" for number in range(200)]
    await stock.control("/listings", {"listings": [listed(sku, 1) for sku in skus]})
    await stock.control("/refuse", {"share": 0.5})
    messages = [message_of(number, sku, 50) for number, sku in enumerate(skus, start=1)]
    feed, report = await finished(stock, feed_of(messages))
    assert feed["processingStatus"] == "DONE"
    refused = {issue["messageId"]: issue for issue in report["issues"]}
    assert 60 < len(refused) < 140
    assert report["summary"]["messagesInvalid"] == len(refused)
    assert report["summary"]["messagesAccepted"] == 200 - len(refused)
    assert all(issue["sku"] == skus[number - 1] for number, issue in refused.items())
    await stock.caller.advance(31)
    quantities = await stock.control(f"/quantities?seller={stock.seller.seller_id}&marketplace={DE}")
    for number, sku in enumerate(skus, start=1):
        assert quantities[sku] == (1 if number in refused else 50)


async def test_each_wrong_message_has_its_issue_and_stops_no_other(stock: StockCaller) -> None:
    without_channel = {**message_of(2, SKU, 1), "patches": [{**patch_of(1), "value": [{"quantity": 1}]}]}
    attributes = {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 4}]}
    update = {"messageId": 7, "sku": "TEA-MINT-50", "operationType": "PARTIAL_UPDATE"}
    messages: list[Any] = [
        message_of(1, SKU, -3),
        without_channel,
        {"messageId": 3, "sku": SKU, "operationType": "PATCH"},
        {**message_of(4, SKU, 1), "operationType": "CHANGE"},
        {**message_of(5, SKU, 1), "merchant_suggested_asin": "B000000001"},
        message_of(5, SKU, 1),
        {"messageId": 6, "operationType": "PATCH"},
        {**update, "productType": "PRODUCT", "attributes": attributes},
        message_of(8, "TEA-EARL-100", 8),
    ]
    _, report = await finished(stock, feed_of(messages))
    codes = [(issue.get("messageId"), issue["code"]) for issue in report["issues"]]
    bad = "BAD_REQUEST"
    assert codes == [(1, "90244"), (2, "99022"), (3, bad), (4, bad), (5, bad), (5, "4002005"), (None, bad)]
    assert report["summary"]["messagesProcessed"] == 9
    assert report["summary"]["messagesAccepted"] == 2
    await stock.caller.advance(31)
    assert (await stock.shown("TEA-MINT-50"))["quantity"] == 4
    assert (await stock.shown("TEA-EARL-100"))["quantity"] == 8


@pytest.mark.parametrize(
    "body",
    [
        b"<AmazonEnvelope/>",
        feed_of([]),
        feed_of([message_of(1, SKU, 1)], version="1.0"),
        feed_of([message_of(1, SKU, 1)], seller_id=NA.seller_id),
        feed_of([message_of(number + 1, SKU, 1) for number in range(25_001)]),
    ],
    ids=["no JSON", "no message", "version", "seller", "too many"],
)
async def test_what_is_no_feed_is_fatal_and_changes_nothing(stock: StockCaller, body: bytes) -> None:
    before = (await stock.shown())["quantity"]
    feed, report = await finished(stock, body)
    assert feed["processingStatus"] == "FATAL"
    assert len(report["issues"]) == 1
    assert report["summary"]["messagesAccepted"] == 0
    await stock.caller.advance(60)
    assert (await stock.shown())["quantity"] == before


async def test_25_000_messages_are_one_feed(stock: StockCaller) -> None:
    messages = [message_of(number, f"C-{number}", number) for number in range(1, 25_001)]
    skus = [listed(f"C-{number}", 0) for number in range(1, 25_001)]
    await stock.control("/listings", {"listings": skus})
    _, report = await finished(stock, feed_of(messages))
    assert report["summary"]["messagesAccepted"] == 25_000
    await stock.caller.advance(31)
    quantities = await stock.control(f"/quantities?seller={stock.seller.seller_id}&marketplace={DE}")
    assert all(quantities[f"C-{number}"] == number for number in range(1, 25_001))


async def test_the_upload_takes_its_own_content_type_for_five_minutes(stock: StockCaller) -> None:
    async def put(kind: str, url: str) -> httpx.Response:
        return await stock.caller.http.put(url, content=b"{}", headers={"content-type": kind})

    created = await stock.call("POST", DOCUMENTS, json={"contentType": JSON_TYPE})
    url = created.json()["url"]
    wrong = await put("application/json", url)
    assert wrong.status_code == 403
    assert "SignatureDoesNotMatch" in wrong.text
    token = {"content-type": JSON_TYPE, **await stock.caller.headers()}
    assert (await stock.caller.http.put(url, content=b"{}", headers=token)).status_code == 403
    assert (await put(JSON_TYPE, url[:-3] + "000")).status_code == 403
    await stock.caller.advance(301)
    late = await put(JSON_TYPE, url)
    assert late.status_code == 403
    assert "Request has expired" in late.text


async def test_a_feed_needs_a_document_of_its_own_seller_that_was_uploaded(stock: StockCaller) -> None:
    created = await stock.call("POST", DOCUMENTS, json={"contentType": JSON_TYPE})
    empty = created.json()["feedDocumentId"]
    response = await stock.create(empty)
    assert response.status_code == 202
    await stock.caller.advance(31)
    feed = await stock.look(response.json()["feedId"])
    assert feed["processingStatus"] == "FATAL"
    assert "resultFeedDocumentId" not in feed
    assert error(await stock.create("amzn1.tortuga.nothing"))[:2] == (400, "InvalidInput")
    assert error(await StockCaller(stock.caller, NA).create(empty, "ATVPDKIKX0DER"))[0] == 400
    assert error(await stock.create(empty, "ATVPDKIKX0DER"))[0] == 400
    for removed in ("POST_INVENTORY_AVAILABILITY_DATA", "POST_FLAT_FILE_INVLOADER_DATA"):
        assert error(await stock.create(empty, kind=removed))[0] == 400
    assert error(await stock.call("POST", DOCUMENTS, json={}))[0] == 400
    assert error(await stock.call("GET", f"{FEEDS}/1"))[:2] == (404, "NotFound")


async def test_a_waiting_feed_can_be_cancelled_and_feeds_end_as_ordered(stock: StockCaller) -> None:
    before = (await stock.shown())["quantity"]
    feed_id = await stock.feed(feed_of([message_of(1, SKU, 5)]))
    assert (await stock.call("DELETE", f"{FEEDS}/{feed_id}")).status_code == 200
    assert (await stock.look(feed_id))["processingStatus"] == "CANCELLED"
    assert (await stock.call("DELETE", f"{FEEDS}/{feed_id}")).status_code == 400
    await stock.control("/feeds", {"outcome": "FATAL"})
    await stock.control("/feeds", {"outcome": "CANCELLED"})
    ends = [await stock.feed(feed_of([message_of(1, SKU, 5)])) for _ in range(3)]
    await stock.caller.advance(200)
    statuses = [(await stock.look(end))["processingStatus"] for end in ends]
    assert statuses == ["FATAL", "CANCELLED", "DONE"]
    await stock.caller.advance(60)
    assert before != 5
    assert (await stock.shown())["quantity"] == 5


async def test_feeds_are_listed_in_pages(stock: StockCaller) -> None:
    made = [await stock.feed(feed_of([message_of(1, SKU, 5)])) for _ in range(5)]
    seen: list[str] = []
    params: dict[str, str] = {"feedTypes": "JSON_LISTINGS_FEED", "pageSize": "2"}
    while params:
        page = (await stock.call("GET", FEEDS, params=params)).json()
        seen += [feed["feedId"] for feed in page["feeds"]]
        params = {"nextToken": page["nextToken"]} if "nextToken" in page else {}
    assert seen == made[::-1]
    both = {"nextToken": "x", "pageSize": "1"}
    assert (await stock.call("GET", FEEDS, params=both)).status_code == 400


async def test_a_feed_survives_a_restart_in_the_middle(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        stock = StockCaller(caller)
        feed_id = await stock.feed(feed_of([message_of(1, SKU, 5)]))
        await caller.advance(16)
        assert (await stock.look(feed_id))["processingStatus"] == "IN_PROGRESS"
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        stock = StockCaller(caller)
        await caller.advance(60)
        assert (await stock.result(await stock.look(feed_id)))["summary"]["messagesAccepted"] == 1
        assert (await stock.shown())["quantity"] == 5


async def test_feeds_have_a_burst_of_fifteen(tmp_path: Path) -> None:
    async with simulator(tmp_path, clock_rate=1e-6) as caller:
        stock = StockCaller(caller)
        document_id = await stock.document(feed_of([message_of(1, SKU, 5)]))
        answers = [await stock.create(document_id) for _ in range(16)]
        assert [answer.status_code for answer in answers] == [202] * 15 + [429]
        await caller.advance(100)
        assert (await stock.create(document_id)).status_code == 429
        await caller.advance(25)
        assert (await stock.create(document_id)).status_code == 202


@models_here
async def test_every_answer_fits_the_model_and_the_end_is_told(stock: StockCaller) -> None:
    destination = (await make_destination(stock.caller)).json()["payload"]["destinationId"]
    kind = "FEED_PROCESSING_FINISHED"
    assert (await subscribe(stock.caller, destination, kind, stock.seller)).status_code == 200
    created = await stock.call("POST", DOCUMENTS, json={"contentType": JSON_TYPE})
    assert_valid(created.json(), "CreateFeedDocumentResponse", MODEL)
    document_id = await stock.document(feed_of([message_of(1, SKU, 5)]))
    response = await stock.create(document_id)
    assert_valid(response.json(), "CreateFeedResponse", MODEL)
    feed_id = response.json()["feedId"]
    for _ in range(3):
        feed = await stock.look(feed_id)
        assert_valid(feed, "Feed", MODEL)
        await stock.caller.advance(16)
    document = await stock.call("GET", f"{DOCUMENTS}/{feed['resultFeedDocumentId']}")
    assert_valid(document.json(), "FeedDocument", MODEL)
    listing = await stock.call("GET", FEEDS, params={"feedTypes": "JSON_LISTINGS_FEED"})
    assert_valid(listing.json(), "GetFeedsResponse", MODEL)
    (message,) = await told(stock.caller, subject=feed_id)
    told_of = message["payload"]["feedProcessingFinishedNotification"]
    assert (told_of["processingStatus"], told_of["feedId"]) == ("DONE", feed_id)
    assert told_of["resultFeedDocumentId"] == feed["resultFeedDocumentId"]


async def test_what_is_deleted_shows_no_pieces_any_more(stock: StockCaller) -> None:
    feed, _ = await finished(stock, feed_of([{"messageId": 1, "sku": SKU, "operationType": "DELETE"}]))
    assert feed["processingStatus"] == "DONE"
    await stock.caller.advance(31)
    assert (await stock.shown())["quantity"] == 0
