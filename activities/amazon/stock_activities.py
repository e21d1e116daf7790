"""Quantities on their way to Amazon, as activities: patched one by one or by feed, looked at, and what came of it.

What Amazon refuses is a result: the keeper of the stock decides. Everything else is tried again, or needs a person.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.amazon.client import AmazonClient
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.feed_documents import upload
from activities.amazon.feeds import DONE, ENDED, Feeds
from activities.amazon.listings import LISTINGS_ROLE
from activities.amazon.outcomes import PATIENCE, UNAVAILABLE, asking_amazon, outcome
from activities.amazon.report_documents import DocumentExpired, DocumentIncomplete, download, unpack
from activities.amazon.sent_feeds import SentFeeds
from activities.archive import ArchiveError, NotArchived
from activities.errors import RetryLater
from canonical.held import HeldReason, held
from canonical.stock import sending as act
from canonical.stock.feed_text import (
    CONTENT_TYPE,
    FEED_TYPE,
    UnreadableReport,
    feed_text,
    read_report,
    reason_of,
)

ARCHIVE_AWAY: Final = "archive_away"
NOT_ARCHIVED: Final = "feed_not_archived"
"""ApplicationError type, not retried: the feed's content is gone, or is none."""
_CLOCKS: Final = timedelta(minutes=5)
"""How far Amazon's clock may be behind ours where feeds are looked for by their time."""
_LISTED_BY_THEN: Final = timedelta(seconds=5)
"""When a feed whose number was lost is looked for: Amazon's list may be behind."""
_UPLOADS: Final = 3
_DAMAGED: Final = 5
"""Attempts after which a result that never comes whole counts as unreadable."""
_GONE: Final = 8
"""Attempts, over two minutes and more, after which a feed or a result that Amazon does not know is given up."""
_REFUSALS: Final = (Failure.REFUSED, Failure.NOT_FOUND)
_log = structlog.get_logger(__name__)

Activity = Callable[..., object]


class StockActivities:
    """clients: by seller id. `http` is for Amazon's store and stays the caller's."""

    def __init__(
        self, clients: Mapping[str, AmazonClient], files: SentFeeds, http: httpx.AsyncClient
    ) -> None:
        self._clients = clients
        self._files = files
        self._http = http

    @property
    def by_queue(self) -> Mapping[str, Sequence[Activity]]:
        """What runs on which queue."""
        return {
            act.AMAZON_PATCH_LISTING_QUEUE: [self.patch_quantity],
            act.AMAZON_GET_LISTING_QUEUE: [self.read_listing],
            act.AMAZON_CREATE_FEED_QUEUE: [self.submit_feed],
            act.AMAZON_GET_FEED_QUEUE: [self.look_at_feed],
            act.AMAZON_GET_FEED_DOCUMENT_QUEUE: [self.read_feed_result],
        }

    # --- one listing ----------------------------------------------------------------------------

    @activity.defn(name=act.PATCH_QUANTITY)
    async def patch_quantity(self, request: act.PatchRequest) -> act.PatchResult:
        """Set one quantity: one patchListingsItem call."""
        async with _asking(_of_listing(request.sku, request.marketplace_id)):
            try:
                return await self._client(request.seller_id).listings.patch_quantity(request)
            except AmazonError as error:
                if not _is_final(error):
                    raise
                return act.PatchResult(
                    accepted=False,
                    code=error.code or str(error.status),
                    message=error.message or error.sentence,
                    request_id=error.request_id,
                )

    @activity.defn(name=act.READ_LISTING)
    async def read_listing(self, request: act.ListingRequest) -> act.ListingSeen:
        """What buyers see: one getListingsItem call."""
        async with _asking(_of_listing(request.sku, request.marketplace_id)):
            client = self._client(request.seller_id)
            asked_at = client.now()
            try:
                return await client.listings.shown(request, asked_at)
            except AmazonError as error:
                if not _is_final(error):
                    raise
                refusal = error.sentence if error.failure is Failure.REFUSED else ""
                return act.ListingSeen(exists=False, asked_at=asked_at, refusal=refusal)

    # --- a feed ---------------------------------------------------------------------------------

    @activity.defn(name=act.SUBMIT_FEED)
    async def submit_feed(self, request: act.SubmitFeedRequest) -> act.SubmitFeedResult:
        """Hand a feed in, once: createFeedDocument, the upload, createFeed. Where an answer of createFeed was lost, one
        getFeeds call before."""
        subject = f"Feed {request.key} of seller {request.seller_id}"
        async with _asking(subject):
            if known := await self._files.sent(request.key):
                return act.SubmitFeedResult(feed_ids=known)
            feeds = self._client(request.seller_id).feeds
            content = await self._content(request.key)
            if await self._files.begun(request.key):
                async with _not_given_up(subject):
                    adopted = await self._adopted(feeds, request, content)
                if adopted:
                    return act.SubmitFeedResult(feed_ids=adopted)
                await self._files.give_up(request.key)
            text = await asyncio.to_thread(feed_text, content)
            document_id = await self._uploaded(feeds, text, subject)
            await self._files.begin(request.key)
            try:
                feed_id = await feeds.create(FEED_TYPE, content.marketplace_id, document_id)
            except AmazonError as error:
                return await self._not_created(request.key, error, subject)
            await self._files.note(request.key, request.seller_id, (feed_id,))
            return act.SubmitFeedResult(feed_ids=(feed_id,))

    async def _adopted(
        self, feeds: Feeds, request: act.SubmitFeedRequest, content: act.FeedContent
    ) -> tuple[str, ...]:
        """Amazon's feeds that may be this one."""
        listed = await feeds.recent(FEED_TYPE, request.since - _CLOCKS)
        found = tuple(
            [
                feed.feed_id
                for feed in listed
                if content.marketplace_id in feed.marketplace_ids
                and not await self._files.is_another_s(request.key, request.seller_id, feed.feed_id)
            ]
        )
        if found:
            await self._files.note(request.key, request.seller_id, found)
            _log.info("feed_adopted", seller_id=request.seller_id, feed_ids=found)
        return found

    async def _uploaded(self, feeds: Feeds, text: bytes, subject: str) -> str:
        """Bring the document into Amazon's store, at another place where one fails; its id."""
        said = ""
        for _ in range(_UPLOADS):
            place = await feeds.new_document(CONTENT_TYPE)
            try:
                await upload(self._http, place.url, text, CONTENT_TYPE)
            except (DocumentExpired, DocumentIncomplete) as error:
                said = str(error)
                continue
            return place.document_id
        raise RetryLater(
            f"{subject}: its document ({len(text)} bytes) could not be uploaded: {said}.", kind=UNAVAILABLE
        )

    async def _not_created(self, key: str, error: AmazonError, subject: str) -> act.SubmitFeedResult:
        if error.failure is Failure.UNAVAILABLE:  # Amazon may have it
            sentence = f"{subject}: {error.sentence}"
            raise RetryLater(sentence, kind=UNAVAILABLE, delay=_LISTED_BY_THEN) from None
        await self._files.give_up(key)
        if not _is_final(error):
            raise error
        code = error.code or str(error.status)
        return act.SubmitFeedResult(feed_ids=(), code=code, message=error.message or error.sentence)

    @activity.defn(name=act.LOOK_AT_FEED)
    async def look_at_feed(self, request: act.LookAtFeedRequest) -> act.FeedLook:
        """Where a feed stands: one getFeed call."""
        subject = f"Feed {request.feed_id} of seller {request.seller_id}"
        async with _asking(subject), _not_given_up(subject):
            try:
                feed = await self._client(request.seller_id).feeds.get(request.feed_id)
            except AmazonError as error:
                if not _is_final(error, _GONE):
                    raise
                return act.FeedLook(ended=True, status="GONE")
            return act.FeedLook(ended=feed.status in ENDED, status=feed.status, document_id=feed.document_id)

    @activity.defn(name=act.READ_FEED_RESULT)
    async def read_feed_result(self, request: act.FeedResultRequest) -> act.FeedResult:
        """What became of a feed: one getFeedDocument call and the download. Refusals go to the archive."""
        subject = f"The result of feed {request.feed_id} of seller {request.seller_id}"
        async with _asking(subject), _not_given_up(subject):
            content = await self._content(request.key)
            try:
                text = await self._result(request, subject) if request.document_id else b""
                refusals = await asyncio.to_thread(_refusals, text, request, content)
            except UnreadableReport as why:
                _log.warning("feed_result_unreadable", feed_id=request.feed_id, status=request.status)
                return act.FeedResult(accepted=0, refused=0, unreadable=str(why))
            refused = len(refusals)
            place = await self._files.keep_refusals(request.key, request.feed_id, refusals)
            return act.FeedResult(
                accepted=len(content.messages) - refused, refused=refused, refusals_key=place
            )

    async def _result(self, request: act.FeedResultRequest, subject: str) -> bytes:
        """The document, unpacked; raises UnreadableReport where Amazon has none, or never a whole one."""
        feeds = self._client(request.seller_id).feeds
        try:
            with tempfile.TemporaryDirectory() as folder:
                packed, plain = Path(folder) / "packed", Path(folder) / "plain"
                try:
                    await download(self._http, await feeds.result_url(request.document_id), packed)
                except DocumentExpired:
                    await download(self._http, await feeds.result_url(request.document_id), packed)
                await asyncio.to_thread(unpack, packed, plain)
                return await asyncio.to_thread(plain.read_bytes)
        except AmazonError as error:
            if not _is_final(error, _GONE):
                raise
            raise UnreadableReport(f"{subject} is not to be had: {error.sentence}") from None
        except (DocumentExpired, DocumentIncomplete) as error:
            said = str(error) or "its new address was no longer good either"
            sentence = f"{subject} did not come whole: {said}."
            if activity.info().attempt < _DAMAGED:
                raise RetryLater(sentence, kind=UNAVAILABLE) from None
            raise UnreadableReport(sentence) from None

    # --- what both need -------------------------------------------------------------------------

    async def _content(self, key: str) -> act.FeedContent:
        try:
            return await self._files.content(key)
        except (NotArchived, ValueError) as error:
            said = "nothing" if isinstance(error, NotArchived) else "no feed"
            sentence = f"The archive has {said} under {key}."
            raise ApplicationError(sentence, type=NOT_ARCHIVED, non_retryable=True) from None

    def _client(self, seller_id: str) -> AmazonClient:
        client = self._clients.get(seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {seller_id} is not in the configuration.")
        return client


def _refusals(
    text: bytes, request: act.FeedResultRequest, content: act.FeedContent
) -> tuple[act.FeedRefusal, ...]:
    if request.status != DONE:
        said = reason_of(text)
        words = f", and Amazon says: {said}" if said else ""
        raise UnreadableReport(f"Feed {request.feed_id} ended as {request.status}{words}.")
    if not text:
        raise UnreadableReport(f"Feed {request.feed_id} ended without a report.")
    return read_report(text, request.feed_id, content)


def _of_listing(sku: str, marketplace_id: str) -> str:
    return f"SKU {sku} in marketplace {marketplace_id}"


def _is_final(error: AmazonError, patience: int = PATIENCE) -> bool:
    """Whether Amazon's no is believed: what was right yesterday is refused in Amazon's outages."""
    return error.failure in _REFUSALS and activity.info().attempt >= patience


@contextlib.asynccontextmanager
async def _not_given_up(subject: str) -> AsyncIterator[None]:
    """Around questions about what Amazon has or may have: without an answer they are asked again, also where a person
    has to act first, for such a feed may still come after a newer quantity."""
    try:
        yield
    except AmazonError as error:
        known = outcome(error, subject, LISTINGS_ROLE)
        if isinstance(known, RetryLater):
            raise known from None
        raise RetryLater(known.hold.sentence, kind=UNAVAILABLE) from None


@contextlib.asynccontextmanager
async def _asking(subject: str) -> AsyncIterator[None]:
    async with asking_amazon(subject, LISTINGS_ROLE):
        try:
            yield
        except ArchiveError as error:
            raise RetryLater(f"{subject}: {error}", kind=ARCHIVE_AWAY) from error
