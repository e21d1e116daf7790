"""What this service sends to Amazon about stock and products fits Amazon's published models, and so do the answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from activities.amazon.client import AmazonClient
from activities.amazon.feed_documents import upload
from activities.amazon.lwa import Credentials, TokenCache
from canonical.sku.catalog import CatalogRequest
from canonical.stock.feed_text import CONTENT_TYPE, FEED_TYPE, feed_text, read_report
from canonical.stock.sending import FeedContent, FeedMessage, ListingRequest, PatchRequest
from simulators import catalogue
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid, model

pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)
EU = catalogue.SELLERS[0]
DE = EU.marketplaces[0].marketplace_id
SKU = "TEA-GREEN-250"
LISTINGS, FEEDS, CATALOG = (
    "listingsItems_2021-08-01.json",
    "feeds_2021-06-30.json",
    "catalogItems_2022-04-01.json",
)


@dataclass
class Wire:
    """Amazon in this process; every exchange is kept."""

    http: httpx.AsyncClient
    seen: list[tuple[httpx.Request, httpx.Response]] = field(default_factory=list)

    def client(self) -> AmazonClient:
        credentials = Credentials(catalogue.LWA_CLIENT_ID, catalogue.LWA_CLIENT_SECRET, EU.refresh_token)
        tokens = TokenCache(credentials, self.http, "http://amazon.invalid/auth/o2/token")
        return AmazonClient(
            seller_id=EU.seller_id, endpoint="http://amazon.invalid", tokens=tokens, http=self.http
        )

    def last(self, name: str, operation_id: str) -> tuple[Any, Any]:
        """Body sent and answer of the last exchange; its path and its query are those of the model."""
        sent, answer = self.seen[-1]
        [(path, said)] = [
            (path, methods[sent.method.lower()])
            for path, methods in model(name)["paths"].items()
            if methods.get(sent.method.lower(), {}).get("operationId") == operation_id
        ]
        parts = zip(path.split("/"), sent.url.path.split("/"), strict=True)
        assert all(wanted == given or wanted.startswith("{") for wanted, given in parts)
        parameters = {one["name"]: one for one in said["parameters"] if one["in"] == "query"}
        given = dict(sent.url.params.multi_items())
        assert given.keys() <= parameters.keys()
        assert {name for name, one in parameters.items() if one.get("required")} <= given.keys()
        for name, text in given.items():
            _assert_parameter(parameters[name], text)
        assert str(answer.status_code) in said["responses"]
        return json.loads(sent.content) if sent.content else None, answer.json()


def _assert_parameter(parameter: dict[str, Any], text: str) -> None:
    if parameter.get("type") == "array":
        assert parameter.get("collectionFormat", "csv") == "csv"
        values = text.split(",")
        assert len(values) <= parameter.get("maxItems", len(values))
        assert set(values) <= set(parameter["items"].get("enum", values))
    else:
        assert text in parameter.get("enum", [text])
        if parameter.get("type") == "integer":
            assert parameter.get("minimum", 0) <= int(text) <= parameter.get("maximum", int(text))


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    app = build_app(Settings(data=tmp_path, quota_factor=1e6, pace=0))
    seen: list[tuple[httpx.Request, httpx.Response]] = []

    async def keep(response: httpx.Response) -> None:
        await response.aread()
        seen.append((response.request, response))

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://amazon.invalid", event_hooks={"response": [keep]}
    ) as http:
        yield Wire(http, seen)


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((MODELS.parent / "feeds" / name).read_text())
    return loaded


async def test_a_patch_fits_the_model(wire: Wire) -> None:
    wanted = PatchRequest(seller_id=EU.seller_id, marketplace_id=DE, sku=SKU, quantity=0)
    await wire.client().listings.patch_quantity(wanted)
    sent, answered = wire.last(LISTINGS, "patchListingsItem")
    assert_valid(sent, "ListingsItemPatchRequest", LISTINGS)
    assert_valid(answered, "ListingsItemSubmissionResponse", LISTINGS)
    # Nothing but the quantity of the merchant's own channel: with another channel, or with `replace`, more is changed.
    assert sent["patches"] == [
        {
            "op": "merge",
            "path": "/attributes/fulfillment_availability",
            "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 0}],
        }
    ]


async def test_a_listing_is_asked_for_by_the_model(wire: Wire) -> None:
    wanted = ListingRequest(seller_id=EU.seller_id, marketplace_id=DE, sku=SKU)
    await wire.client().listings.shown(wanted, datetime.now(UTC))
    _, answered = wire.last(LISTINGS, "getListingsItem")
    assert_valid(answered, "Item", LISTINGS)


async def test_a_feed_fits_the_models_at_each_of_its_steps(wire: Wire) -> None:
    feeds = wire.client().feeds
    place = await feeds.new_document(CONTENT_TYPE)
    sent, answered = wire.last(FEEDS, "createFeedDocument")
    assert_valid(sent, "CreateFeedDocumentSpecification", FEEDS)
    assert_valid(answered, "CreateFeedDocumentResponse", FEEDS)

    messages = (FeedMessage(message_id=1, sku=SKU, quantity=3),)
    content = FeedContent(seller_id=EU.seller_id, marketplace_id=DE, messages=messages)
    text = feed_text(content)
    await upload(wire.http, place.url, text, CONTENT_TYPE)
    put, _ = wire.seen[-1]
    assert put.headers["content-type"] == sent["contentType"]
    assert "x-amz-access-token" not in put.headers
    assert put.content == text

    feed_id = await feeds.create(FEED_TYPE, DE, place.document_id)
    sent, answered = wire.last(FEEDS, "createFeed")
    assert_valid(sent, "CreateFeedSpecification", FEEDS)
    assert_valid(answered, "CreateFeedResponse", FEEDS)

    feed = await feeds.get(feed_id)
    assert_valid(wire.last(FEEDS, "getFeed")[1], "Feed", FEEDS)
    listed = await feeds.recent(FEED_TYPE, datetime.now(UTC) - timedelta(minutes=5))
    assert_valid(wire.last(FEEDS, "getFeeds")[1], "GetFeedsResponse", FEEDS)
    assert listed == (feed,)
    await feeds.result_url(feed.document_id)
    assert_valid(wire.last(FEEDS, "getFeedDocument")[1], "FeedDocument", FEEDS)


def test_25_000_messages_fit_amazon_s_schema_of_the_feed() -> None:
    skus = [f"Ü {number}/+" for number in range(1, 25_001)]
    messages = tuple(
        FeedMessage(message_id=number, sku=sku, quantity=number) for number, sku in enumerate(skus, start=1)
    )
    content = FeedContent(seller_id=EU.seller_id, marketplace_id=DE, messages=messages)
    text = feed_text(content)
    assert len(text) < 8_000_000
    tree = json.loads(text)
    short = {**tree, "messages": [tree["messages"][0], tree["messages"][-1]]}
    wanted = schema("listings-feed-schema-v2.json")
    wanted["properties"]["messages"]["items"] = schema("listings-feed-message-schema-v2.json")
    jsonschema.Draft7Validator(wanted).validate(short)
    assert [message["sku"] for message in tree["messages"]] == skus
    assert FeedContent.unpacked(content.packed()) == content


def test_amazon_s_own_example_of_a_report_is_read() -> None:
    example = schema("listings-feed-processing-report-schema-v2.example.json")
    skus = {one["messageId"]: one["sku"] for one in example["issues"]}
    accepted = [number for number in range(1, 10) if number not in skus]
    skus |= {number: f"S-{number}" for number in accepted[: example["summary"]["messagesAccepted"]]}
    messages = tuple(FeedMessage(message_id=number, sku=sku, quantity=1) for number, sku in skus.items())
    content = FeedContent(seller_id=EU.seller_id, marketplace_id=DE, messages=messages)
    refusals = read_report(json.dumps(example).encode(), example["header"]["feedId"], content)
    assert {one.message_id for one in refusals} == {4, 5}
    assert "[batteries_required]" in refusals[0].message


async def test_products_are_asked_for_by_the_model(wire: Wire) -> None:
    asins = ("B000000000", *(f"B0{number:08d}" for number in range(19)))
    await wire.client().catalog.by_asin(
        CatalogRequest(seller_id=EU.seller_id, marketplace_id=DE, asins=asins)
    )
    _, answered = wire.last(CATALOG, "searchCatalogItems")
    assert_valid(answered, "ItemSearchResults", CATALOG)
