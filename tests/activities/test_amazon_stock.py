"""Quantities on their way to the pretended Amazon: patched, sent by feed once, and what Amazon refuses of them."""

import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError

from activities.amazon.client import AmazonClient
from activities.amazon.feed_documents import upload
from activities.amazon.feeds import Feeds
from activities.amazon.outcomes import PATIENCE, QUOTA, UNAVAILABLE
from activities.amazon.report_documents import DocumentExpired, DocumentIncomplete
from activities.amazon.sent_feeds import SentFeeds
from activities.amazon.stock_activities import NOT_ARCHIVED, StockActivities
from activities.archive import Archive
from canonical.activity_contracts import HELD
from canonical.held import HeldReason
from canonical.stock.sending import (
    FeedContent,
    FeedLook,
    FeedMessage,
    FeedRefusal,
    FeedResult,
    FeedResultRequest,
    ListingRequest,
    ListingSeen,
    LookAtFeedRequest,
    PatchRequest,
    PatchResult,
    SubmitFeedRequest,
    SubmitFeedResult,
    unpack_refusals,
)
from simulators import catalogue
from tests.activities.amazon_world import DE, EU, Amazon, amazon, attempt, hold_of

GB, FR = EU.marketplaces[1:]
SKU = "TEA-GREEN-250"
KEY = "stock/feeds/r7-1.json.gz"


@dataclass
class Desk:
    """Our activities, the Amazon they speak to, and the archive between them."""

    world: Amazon
    archive: Archive
    stock: StockActivities

    async def control(self, path: str, body: Mapping[str, object]) -> None:
        answer = await self.world.http.post(f"{self.world.url}/_control/stock{path}", json=body)
        assert answer.is_success, answer.text

    async def look(self, path: str) -> Any:
        return (await self.world.http.get(f"{self.world.url}/_control/stock{path}")).json()

    async def quantities(self, marketplace: catalogue.Marketplace = DE) -> dict[str, int]:
        found: dict[str, int] = await self.look(
            f"/quantities?seller={EU.seller_id}&marketplace={marketplace.marketplace_id}"
        )
        return found

    async def list_them(self, *skus: str, quantity: int = 1, **more: object) -> None:
        listings = [{"seller": EU.seller_id, "sku": sku, "quantity": quantity, **more} for sku in skus]
        await self.control("/listings", {"listings": listings})

    async def patch(self, quantity: int, sku: str = SKU, at: int = 1) -> PatchResult:
        request = PatchRequest(
            seller_id=EU.seller_id, marketplace_id=DE.marketplace_id, sku=sku, quantity=quantity
        )
        return await attempt(at).run(self.stock.patch_quantity, request)

    async def read(self, sku: str = SKU, at: int = 1, marketplace: str = DE.marketplace_id) -> ListingSeen:
        request = ListingRequest(seller_id=EU.seller_id, marketplace_id=marketplace, sku=sku)
        return await attempt(at).run(self.stock.read_listing, request)

    async def keep(self, quantities: Mapping[str, int], key: str = KEY, marketplace: str = "") -> None:
        messages = tuple(
            FeedMessage(message_id=number, sku=sku, quantity=quantity)
            for number, (sku, quantity) in enumerate(quantities.items(), start=1)
        )
        content = FeedContent(
            seller_id=EU.seller_id,
            marketplace_id=marketplace or DE.marketplace_id,
            messages=messages,
        )
        await self.archive.keep(key, content.packed())

    async def submit(self, key: str = KEY, at: int = 1) -> SubmitFeedResult:
        request = SubmitFeedRequest(seller_id=EU.seller_id, key=key, since=datetime.now(UTC))
        return await attempt(at).run(self.stock.submit_feed, request)

    async def stands(self, feed_id: str, at: int = 1) -> FeedLook:
        request = LookAtFeedRequest(seller_id=EU.seller_id, feed_id=feed_id)
        return await attempt(at).run(self.stock.look_at_feed, request)

    async def result(self, feed_id: str, look: FeedLook, key: str = KEY, at: int = 1) -> FeedResult:
        request = FeedResultRequest(
            seller_id=EU.seller_id,
            feed_id=feed_id,
            document_id=look.document_id,
            key=key,
            status=look.status,
        )
        return await attempt(at).run(self.stock.read_feed_result, request)

    async def through(self) -> FeedResult:
        """The archived feed on its whole way."""
        [feed_id] = (await self.submit()).feed_ids
        look = await self.stands(feed_id)
        assert look.ended
        return await self.result(feed_id, look)

    async def made(self) -> list[dict[str, Any]]:
        """The feeds that Amazon has, newest first."""
        found: list[dict[str, Any]] = await self.look("/feeds")
        return found


@contextlib.asynccontextmanager
async def open_desk(folder: Path, **settings: object) -> AsyncIterator[Desk]:
    async with amazon(folder / "amazon", **{"quota_factor": 1e6, **settings}) as world:
        archive = Archive(str(folder / "archive"))
        yield Desk(world, archive, activities_of(world, world.client(), archive))


def activities_of(world: Amazon, client: AmazonClient, archive: Archive) -> StockActivities:
    return StockActivities({EU.seller_id: client}, SentFeeds(archive), world.http)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


# --- single listings ----------------------------------------------------------------------------


async def test_a_quantity_is_patched_in_one_marketplace_and_read_back(desk: Desk) -> None:
    before = await desk.read(marketplace=FR.marketplace_id)
    result = await desk.patch(7)
    assert result.accepted
    assert result.submission_id
    asked = datetime.now(UTC)
    shown = await desk.read()
    assert (shown.exists, shown.channel, shown.quantity, shown.issues) == (True, "MFN", 7, ())
    assert shown.asked_at >= asked
    assert (await desk.read(marketplace=FR.marketplace_id)).quantity == before.quantity != 7
    assert await desk.world.calls("patchListingsItem") == [200]


async def test_a_patch_leaves_the_handling_time_as_it_is(desk: Desk) -> None:
    client = desk.world.client()
    path = f"{desk.world.url}/listings/2021-08-01/items/{EU.seller_id}/{SKU}"
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": 3, "lead_time_to_ship_max_days": 5}]
    patch = {"op": "replace", "path": "/attributes/fulfillment_availability", "value": value}
    headers = {"x-amz-access-token": await client.tokens.token()}
    params = {"marketplaceIds": DE.marketplace_id, "includedData": "attributes"}
    body = {"productType": "PRODUCT", "patches": [patch]}
    query = {"marketplaceIds": DE.marketplace_id}
    (await desk.world.http.patch(path, params=query, json=body, headers=headers)).raise_for_status()
    assert (await desk.patch(4)).accepted
    shown = (await desk.world.http.get(path, params=params, headers=headers)).json()["attributes"]
    [availability] = shown["fulfillment_availability"]
    assert (availability["quantity"], availability["lead_time_to_ship_max_days"]) == (4, 5)


async def test_a_lost_answer_of_a_patch_is_patched_again_and_nothing_is_doubled(desk: Desk) -> None:
    await desk.world.fault("drop", "patchListingsItem", when="after")
    with pytest.raises(ApplicationError) as lost:
        await desk.patch(7)
    assert (lost.value.type, lost.value.non_retryable) == (UNAVAILABLE, False)
    assert (await desk.patch(7, at=2)).accepted
    assert (await desk.quantities())[SKU] == 7


async def test_an_issue_of_amazon_s_refuses_a_patch_at_once(desk: Desk) -> None:
    await desk.control("/refuse", {"sku": SKU})
    before = (await desk.quantities())[SKU]
    result = await desk.patch(7)
    assert (result.accepted, result.code) == (False, "8541")
    assert "different from what is already in the catalogue" in result.message
    assert (await desk.quantities())[SKU] == before


async def test_what_is_accepted_and_never_live_shows_its_issue_where_it_is_read(desk: Desk) -> None:
    await desk.control("/refuse", {"sku": SKU, "late": True})
    before = (await desk.quantities())[SKU]
    assert (await desk.patch(7)).accepted
    shown = await desk.read()
    assert shown.quantity == before
    [issue] = shown.issues
    assert issue.startswith("8541: The SKU data provided")


async def test_an_error_of_amazon_s_is_believed_at_the_third_time(desk: Desk) -> None:
    request = PatchRequest(seller_id=EU.seller_id, marketplace_id="ATVPDKIKX0DER", sku=SKU, quantity=1)
    with pytest.raises(ApplicationError) as first:
        await attempt(PATIENCE - 1).run(desk.stock.patch_quantity, request)
    assert first.value.type == UNAVAILABLE
    result = await attempt(PATIENCE).run(desk.stock.patch_quantity, request)
    assert (result.accepted, result.code) == (False, "InvalidInput")
    assert "Invalid marketplaceIds" in result.message
    assert result.request_id
    shown = await desk.read(at=PATIENCE, marketplace="ATVPDKIKX0DER")
    assert not shown.exists
    assert "Invalid marketplaceIds" in shown.refusal


async def test_a_listing_of_amazon_s_fulfilment_is_told_as_such(desk: Desk) -> None:
    await desk.list_them("FBA-1", by="AMAZON", asin="B0FBA00001")
    shown = await desk.read("FBA-1")
    assert (shown.channel, shown.quantity) == ("FBA", None)


@pytest.mark.parametrize(
    ("data", "channel"),
    [
        ({"fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 3}]}, "MFN"),
        (
            {
                "fulfillmentAvailability": [
                    {"fulfillmentChannelCode": "DEFAULT", "quantity": 3},
                    {"fulfillmentChannelCode": "AMAZON_EU"},
                ]
            },
            "FBA",
        ),
        ({"fulfillmentAvailability": [], "summaries": [{"fnSku": "X000ABC"}]}, "FBA"),
        ({"summaries": [{"asin": "B000000001"}]}, None),
        ({}, None),
    ],
    ids=["merchant", "both", "only an FNSKU", "neither", "nothing"],
)
async def test_any_sign_of_amazon_s_fulfilment_counts(data: dict[str, object], channel: str | None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        token = {"access_token": "t", "expires_in": 3600}
        return httpx.Response(200, json=token if "token" in request.url.path else {"sku": SKU, **data})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Amazon("http://amazon.invalid", http).client()
        wanted = ListingRequest(seller_id=EU.seller_id, marketplace_id=DE.marketplace_id, sku=SKU)
        assert (await client.listings.shown(wanted, datetime.now(UTC))).channel == channel


async def test_a_sku_that_amazon_does_not_know_does_not_exist(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as early:
        await desk.read("NO-SUCH")
    assert early.value.type == UNAVAILABLE
    shown = await desk.read("NO-SUCH", at=PATIENCE)
    assert (shown.exists, shown.channel, shown.refusal) == (False, None, "")


async def test_a_sku_of_any_letters_comes_whole_to_amazon(desk: Desk) -> None:
    strange = "A B+C%2F ü#?&"
    await desk.list_them(strange)
    assert (await desk.patch(9, strange)).accepted
    assert (await desk.read(strange)).quantity == 9


async def test_quota_and_missing_role_are_told_apart(desk: Desk) -> None:
    await desk.world.fault("status_429", "patchListingsItem")
    with pytest.raises(ApplicationError) as throttled:
        await desk.patch(7)
    assert throttled.value.type == QUOTA
    assert throttled.value.next_retry_delay is not None
    await desk.world.fault("forbidden_no_body", "patchListingsItem", times=10)
    with pytest.raises(ApplicationError) as early:
        await desk.patch(7)
    assert early.value.type == UNAVAILABLE
    with pytest.raises(ApplicationError) as denied:
        await desk.patch(7, at=PATIENCE)
    assert denied.value.type == HELD
    hold = hold_of(denied)
    assert hold.reason is HeldReason.AMAZON_NOT_AUTHORISED
    assert "the role Product Listing" in hold.sentence


# --- a feed -------------------------------------------------------------------------------------


async def test_a_feed_goes_its_way_and_each_message_is_live(desk: Desk) -> None:
    wanted = {f"F-{number}": number for number in range(1, 41)}
    await desk.list_them(*wanted)
    await desk.keep(wanted)
    result = await desk.through()
    assert result == FeedResult(accepted=40, refused=0)
    assert wanted.items() <= (await desk.quantities()).items()
    shown = await desk.quantities(GB)
    assert {shown[sku] for sku in wanted} == {1}


async def test_half_of_the_messages_refused_is_told_by_number(desk: Desk) -> None:
    wanted = {f"H-{number:03d}": 50 for number in range(200)}
    await desk.list_them(*wanted)
    await desk.keep(wanted)
    await desk.control("/refuse", {"share": 0.5})
    result = await desk.through()
    assert 60 < result.refused < 140
    assert result.accepted + result.refused == 200
    refusals = unpack_refusals(desk.archive.read(result.refusals_key))
    assert len(refusals) == result.refused
    names = list(wanted)
    refused = {names[one.message_id - 1] for one in refusals}
    assert {one.code for one in refusals} == {"8541"}
    shown = await desk.quantities()
    assert {sku for sku in wanted if shown[sku] == 1} == refused
    assert {shown[sku] for sku in wanted.keys() - refused} == {50}


@pytest.mark.parametrize("action", ["drop", "status_500", "empty_200", "html_503"])
async def test_a_feed_whose_number_was_lost_is_adopted_and_not_sent_again(desk: Desk, action: str) -> None:
    await desk.keep({SKU: 5})
    await desk.world.fault(action, "createFeed", when="after")
    with pytest.raises(ApplicationError) as lost:
        await desk.submit()
    assert lost.value.type == UNAVAILABLE
    assert lost.value.next_retry_delay is not None
    [feed] = await desk.made()
    again = await desk.submit(at=2)
    assert again.feed_ids == (feed["feed_id"],)
    assert len(await desk.made()) == 1
    assert await desk.world.calls("getFeeds") == [200]


async def test_a_feed_that_never_came_to_amazon_is_sent_when_it_is_tried_again(desk: Desk) -> None:
    await desk.keep({SKU: 5})
    await desk.world.fault("drop", "createFeed")
    with pytest.raises(ApplicationError):
        await desk.submit()
    assert await desk.made() == []
    assert len((await desk.submit(at=2)).feed_ids) == len(await desk.made()) == 1


async def test_a_worker_that_dies_between_any_two_steps_leaves_one_feed(desk: Desk) -> None:
    """It dies before and after each thing it does outside; then another worker does the same with a first attempt, as
    after a workflow was reset."""
    steps = 0
    for number in range(100):
        key = f"stock/feeds/crash-{number}.json.gz"
        await desk.keep({SKU: 5}, key)
        before = len(await desk.made())
        mortal = _Mortal(number)
        dying = StockActivities(
            {EU.seller_id: desk.world.client()}, mortal.files(desk.archive), desk.world.http
        )
        mortal.watch(dying)
        request = SubmitFeedRequest(seller_id=EU.seller_id, key=key, since=datetime.now(UTC))
        try:
            await attempt(1).run(dying.submit_feed, request)
        except _Death:
            steps += 1
        again = await desk.submit(key)
        assert len(await desk.made()) == before + 1, f"died at step {number}"
        assert again.feed_ids == ((await desk.made())[0]["feed_id"],), f"died at step {number}"
        if mortal.survived:
            break
    assert steps >= 8


class _Death(BaseException):
    """Of the worker: nothing of it runs any more."""


class _Mortal:
    """Counts what the worker does outside, and dies before or after one of it."""

    def __init__(self, step: int) -> None:
        self._left = step
        self.survived = True

    def _mark(self) -> None:
        if self._left == 0:
            self.survived = False
            raise _Death
        self._left -= 1

    def around(self, call: Any) -> Any:
        async def marked(*args: Any, **named: Any) -> Any:
            self._mark()
            done = await call(*args, **named)
            self._mark()
            return done

        return marked

    def files(self, archive: Archive) -> SentFeeds:
        files = SentFeeds(archive)
        for name in ("begin", "note"):
            setattr(files, name, self.around(getattr(files, name)))
        return files

    def watch(self, activities: StockActivities) -> None:
        feeds = activities._clients[EU.seller_id].feeds
        for name in ("new_document", "create"):
            setattr(feeds, name, self.around(getattr(feeds, name)))


async def test_the_feeds_of_other_keys_and_marketplaces_are_not_adopted(desk: Desk) -> None:
    await desk.keep({SKU: 5}, "stock/feeds/other")
    await desk.keep({SKU: 5}, "stock/feeds/french", FR.marketplace_id)
    await desk.submit("stock/feeds/other")
    await desk.world.fault("drop", "createFeed", when="after")
    with pytest.raises(ApplicationError):
        await desk.submit("stock/feeds/french")
    await desk.keep({SKU: 5})
    await desk.world.fault("drop", "createFeed")
    with pytest.raises(ApplicationError):
        await desk.submit()
    [mine] = (await desk.submit(at=2)).feed_ids
    assert len(await desk.made()) == 3
    assert mine == (await desk.made())[0]["feed_id"]


async def test_a_feed_that_was_handed_in_is_not_handed_in_again(desk: Desk) -> None:
    await desk.keep({SKU: 5})
    first = await desk.submit()
    assert await desk.submit() == first
    assert len(await desk.made()) == 1
    assert await desk.world.calls("getFeeds") == []


async def test_createfeed_s_quota_leaves_no_doubt_behind(desk: Desk) -> None:
    await desk.keep({SKU: 5})
    await desk.world.fault("status_429", "createFeed")
    with pytest.raises(ApplicationError) as throttled:
        await desk.submit()
    assert throttled.value.type == QUOTA
    assert throttled.value.next_retry_delay is not None
    assert len((await desk.submit(at=2)).feed_ids) == 1
    assert await desk.world.calls("getFeeds") == []


async def test_a_feed_that_amazon_refuses_as_a_whole_is_a_result(desk: Desk) -> None:
    await desk.keep({SKU: 5}, marketplace="ATVPDKIKX0DER")
    with pytest.raises(ApplicationError):
        await desk.submit()
    refused = await desk.submit(at=PATIENCE)
    assert (refused.feed_ids, refused.code) == ((), "InvalidInput")
    assert "ATVPDKIKX0DER" in refused.message


async def test_a_feed_that_is_not_archived_is_not_tried_again(desk: Desk) -> None:
    desk.archive.write("stock/feeds/garbled", b"\x1f\x8bnothing")
    for key in ("stock/feeds/none", "stock/feeds/garbled"):
        with pytest.raises(ApplicationError) as gone:
            await desk.submit(key)
        assert (gone.value.type, gone.value.non_retryable) == (NOT_ARCHIVED, True)


# --- the upload ---------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["status_500", "drop", "html_503", "status_429"])
async def test_an_upload_that_fails_is_done_at_another_place(desk: Desk, action: str) -> None:
    await desk.keep({SKU: 5})
    await desk.world.fault(action, "uploadFeedDocument", times=2)
    assert (await desk.through()).accepted == 1
    assert len(await desk.world.calls("createFeedDocument")) == 3
    assert len(await desk.world.calls("createFeed")) == 1


async def test_an_upload_that_goes_on_failing_is_tried_later_and_never_told_with_its_address(
    desk: Desk,
) -> None:
    await desk.keep({SKU: 5})
    await desk.world.fault("forbidden_no_body", "uploadFeedDocument", times=3)
    with capture_logs() as logs, pytest.raises(ApplicationError) as failed:
        await desk.submit()
    assert failed.value.type == UNAVAILABLE
    assert "could not be uploaded" in str(failed.value)
    told = f"{failed.value} {logs}"
    assert "X-Amz" not in told
    assert "/storage" not in told
    assert await desk.made() == []


async def test_the_store_s_own_words_are_told_by_their_code_alone(desk: Desk) -> None:
    place = await desk.world.client().feeds.new_document("application/json")
    with pytest.raises(DocumentExpired, match="403 SignatureDoesNotMatch"):
        await upload(desk.world.http, place.url, b"{}", "text/plain")
    with pytest.raises(DocumentIncomplete, match="ConnectError"):
        await upload(desk.world.http, "http://127.0.0.1:1/x?X-Amz-Signature=secret", b"{}", "text/plain")


# --- the end of a feed --------------------------------------------------------------------------


async def test_a_feed_is_looked_at_while_it_is_under_way(tmp_path: Path) -> None:
    async with open_desk(tmp_path, pace=1) as desk:
        await desk.keep({SKU: 5})
        [feed_id] = (await desk.submit()).feed_ids
        look = await desk.stands(feed_id)
        assert (look.ended, look.status, look.document_id) == (False, "IN_QUEUE", "")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"outcome": "FATAL"}, "ended as FATAL."),
        ({"outcome": "FATAL", "reason": "The feed could not be read."}, "Amazon says: The feed could not be"),
        ({"outcome": "CANCELLED"}, "ended as CANCELLED."),
    ],
    ids=["fatal", "fatal with a reason", "cancelled"],
)
async def test_a_feed_that_amazon_gives_up_tells_nothing_of_any_message(
    desk: Desk, rule: dict[str, object], words: str
) -> None:
    await desk.keep({SKU: 5})
    await desk.control("/feeds", rule)
    result = await desk.through()
    assert (result.accepted, result.refused) == (0, 0)
    assert words in result.unreadable


async def test_a_feed_that_is_none_is_told_with_amazon_s_reason(desk: Desk) -> None:
    await desk.keep({})
    result = await desk.through()
    assert "4002001 Item 'Feed' cannot be parsed." in result.unreadable


async def test_a_feed_that_amazon_has_is_not_given_up_for_want_of_the_role(desk: Desk) -> None:
    """It may come after a newer quantity: what Amazon has or may have is asked for until it answers."""
    await desk.keep({SKU: 5})
    await desk.world.fault("drop", "createFeed", when="after")
    with pytest.raises(ApplicationError):
        await desk.submit()
    for operation in ("getFeeds", "getFeed", "getFeedDocument"):
        await desk.world.fault("forbidden_no_body", operation, times=2)
    with pytest.raises(ApplicationError) as in_doubt:
        await desk.submit(at=30)
    [feed_id] = (await desk.submit(at=31)).feed_ids
    with pytest.raises(ApplicationError) as standing:
        await desk.stands(feed_id, at=30)
    look = await desk.stands(feed_id, at=31)
    with pytest.raises(ApplicationError) as ended:
        await desk.result(feed_id, look, at=30)
    for refused in (in_doubt, standing, ended):
        assert (refused.value.type, refused.value.non_retryable) == (UNAVAILABLE, False)
        assert "the role Product Listing" in str(refused.value)
    assert (await desk.result(feed_id, look, at=31)).accepted == 1
    assert len(await desk.made()) == 1


async def test_a_feed_that_amazon_forgot_is_gone(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as early:
        await desk.stands("999")
    assert early.value.type == UNAVAILABLE
    with pytest.raises(ApplicationError):
        await desk.stands("999", at=7)
    look = await desk.stands("999", at=8)
    assert look == FeedLook(ended=True, status="GONE")
    await desk.keep({SKU: 5})
    assert "ended as GONE" in (await desk.result("999", look)).unreadable


async def test_a_result_that_amazon_no_longer_has_is_unreadable(desk: Desk) -> None:
    await desk.keep({SKU: 5})
    look = FeedLook(ended=True, status="DONE", document_id="amzn1.tortuga.nothing")
    with pytest.raises(ApplicationError):
        await desk.result("1", look, at=7)
    assert "is not to be had" in (await desk.result("1", look, at=8)).unreadable
    without = FeedLook(ended=True, status="DONE")
    assert "without a report" in (await desk.result("1", without)).unreadable


async def test_a_result_that_does_not_come_whole_is_fetched_again_and_given_up_in_the_end(desk: Desk) -> None:
    await desk.keep({SKU: 5})
    [feed_id] = (await desk.submit()).feed_ids
    look = await desk.stands(feed_id)
    await desk.world.fault("drop", "downloadReportDocument", when="after", times=2)
    with pytest.raises(ApplicationError) as cut:
        await desk.result(feed_id, look)
    assert cut.value.type == UNAVAILABLE
    assert "did not come whole" in (await desk.result(feed_id, look, at=5)).unreadable
    assert (await desk.result(feed_id, look, at=2)).accepted == 1


async def test_an_address_that_has_expired_is_asked_for_once_more(desk: Desk) -> None:
    await desk.keep({SKU: 5})
    [feed_id] = (await desk.submit()).feed_ids
    look = await desk.stands(feed_id)
    await desk.world.fault("forbidden_no_body", "downloadReportDocument")
    assert (await desk.result(feed_id, look)).accepted == 1
    assert len(await desk.world.calls("getFeedDocument")) == 2


# --- reports as they should not be --------------------------------------------------------------


@dataclass
class Store:
    """An Amazon that has one report: whatever text is given."""

    text: bytes

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})
        if request.url.path.startswith("/feeds/"):
            url = "http://store.invalid/report?X-Amz-Signature=secret"
            return httpx.Response(200, json={"feedDocumentId": "d", "url": url})
        return httpx.Response(200, stream=httpx.ByteStream(self.text))


def report(feed_id: str = "77", issues: object = (), **summary: int) -> dict[str, object]:
    counts = {"errors": 0, "warnings": 0, "messagesProcessed": 2, "messagesAccepted": 2, "messagesInvalid": 0}
    header = {"sellerId": EU.seller_id, "version": "2.0", "feedId": feed_id}
    return {"header": header, "issues": issues, "summary": {**counts, **summary}}


def issue(number: object, severity: str = "ERROR", sku: str = "", code: str = "90") -> dict[str, object]:
    about: dict[str, object] = {"code": code, "severity": severity, "message": "  No\n such thing. "}
    if number is not None:
        about["messageId"] = number
    return {**about, "sku": sku} if sku else about


async def read_text(folder: Path, text: bytes) -> tuple[FeedResult, tuple[FeedRefusal, ...]]:
    archive = Archive(str(folder / "archive"))
    messages = (
        FeedMessage(message_id=1, sku="A", quantity=1),
        FeedMessage(message_id=2, sku="B", quantity=0),
    )
    content = FeedContent(seller_id=EU.seller_id, marketplace_id=DE.marketplace_id, messages=messages)
    await archive.keep(KEY, content.packed())
    async with httpx.AsyncClient(transport=httpx.MockTransport(Store(text).answer)) as http:
        world = Amazon("http://amazon.invalid", http)
        stock = activities_of(world, world.client(), archive)
        request = FeedResultRequest(seller_id=EU.seller_id, feed_id="77", document_id="d", key=KEY)
        result = await attempt(5).run(stock.read_feed_result, request)
    kept = unpack_refusals(archive.read(result.refusals_key)) if result.refusals_key else ()
    return result, kept


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_a_report_is_read_packed_or_not_and_warnings_refuse_nothing(
    tmp_path: Path, packed: bool
) -> None:
    told = report(issues=[issue(1, "WARNING"), issue(2), issue(2, code="91")], messagesInvalid=1)
    text = b"\xef\xbb\xbf" + json.dumps(told).encode()
    result, refusals = await read_text(tmp_path, gzip.compress(text) if packed else text)
    assert (result.accepted, result.refused, result.unreadable) == (1, 1, "")
    assert refusals == (FeedRefusal(message_id=2, code="90", message="No such thing."),)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (b"", "without a report"),
        (b"<html>busy</html>", "is no JSON"),
        (b"[1, 2]", "no JSON object"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (json.dumps(report())[:-9].encode(), "is no JSON"),
        (gzip.compress(json.dumps(report()).encode())[:-9], "did not come whole"),
        (json.dumps(report(feed_id="78")).encode(), "about feed 78"),
        (json.dumps({**report(), "header": None}).encode(), "about feed (none)"),
        (json.dumps({**report(), "issues": None}).encode(), "no list of issues"),
        (json.dumps({**report(), "summary": {}}).encode(), "messagesProcessed"),
        (json.dumps(report(messagesProcessed=1)).encode(), "about 1 messages, and the feed has 2"),
        (json.dumps(report(issues=[issue(None)])).encode(), "no message in particular: 90 No such thing."),
        (json.dumps(report(issues=[issue("1")])).encode(), "no message in particular"),
        (json.dumps(report(issues=[issue(3)])).encode(), "message 3"),
        (json.dumps(report(issues=[issue(1, sku="B")])).encode(), "message 1 with SKU B"),
        (json.dumps(report(issues=[issue(1)], messagesInvalid=2)).encode(), "counts 2 invalid messages"),
    ],
)
async def test_a_report_that_is_not_sure_of_each_message_is_unreadable(
    tmp_path: Path, told: bytes, words: str
) -> None:
    result, _ = await read_text(tmp_path, told)
    assert (result.accepted, result.refused, result.refusals_key) == (0, 0, "")
    assert words in result.unreadable
    assert "Signature" not in result.unreadable


async def test_feeds_that_make_no_sense_are_no_answer() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        token = {"access_token": "t", "expires_in": 3600}
        return httpx.Response(200, json=token if "token" in request.url.path else {"feeds": "none"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        feeds: Feeds = Amazon("http://amazon.invalid", http).client().feeds
        for asking in (feeds.recent("X", datetime.now(UTC)), feeds.get("1"), feeds.new_document("x")):
            with pytest.raises(Exception, match="has no usable"):
                await asking
