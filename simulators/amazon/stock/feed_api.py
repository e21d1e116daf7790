"""Feeds 2021-06-30: createFeedDocument, the upload to its URL, createFeed, getFeed, getFeeds, cancelFeed,
getFeedDocument.

Bodies by the model feeds_2021-06-30.json. Facts: the URL is good for five minutes and takes the content type alone for
which it was made (Amazon's guide; S3's rule for signed headers); the XML and flat-file inventory feeds are removed
(since 2025-07-31). Inferred: the words of the refusals, and what getFeeds puts into its token.
"""

from __future__ import annotations

import base64
import hashlib
import json

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.amazon.auth import Caller
from simulators.amazon.clock import iso, to_ms
from simulators.amazon.query import listed
from simulators.amazon.reports.requests import KEPT_MS, STATUSES
from simulators.amazon.reports.storage import PREFIX, Signer, StorageError, stored
from simulators.amazon.stock.feed_records import Feed
from simulators.amazon.stock.feeds import JSON_LISTINGS_FEED
from simulators.amazon.wire import JsonObject, invalid, not_found
from simulators.amazon.world import LogEntry, World
from simulators.faults import FaultPlan

Answer = tuple[int, JsonObject | None]
UPLOAD = "uploadFeedDocument"
"""How the fault plan and the request log call an upload; Amazon has no name for it."""
MOST_BYTES = 100_000_000


class _NewDocument(BaseModel):
    """Model CreateFeedDocumentSpecification."""

    model_config = ConfigDict(extra="ignore")

    contentType: StrictStr = Field(min_length=1)  # noqa: N815


class _NewFeed(BaseModel):
    """Model CreateFeedSpecification."""

    model_config = ConfigDict(extra="ignore")

    feedType: StrictStr  # noqa: N815
    marketplaceIds: list[StrictStr] = Field(min_length=1, max_length=25)  # noqa: N815
    inputFeedDocumentId: StrictStr  # noqa: N815
    feedOptions: dict[StrictStr, StrictStr] | None = None  # noqa: N815


def create_feed_document(world: World, caller: Caller, request: Request, body: bytes, now_ms: int) -> Answer:
    """createFeedDocument."""
    try:
        wanted = _NewDocument.model_validate_json(body)
    except ValidationError:
        raise invalid("Invalid input", "Missing or invalid: contentType.") from None
    upload = world.feeds.announce(caller.seller_id, wanted.contentType, now_ms)
    url = Signer(world.settings.seed).url(str(request.base_url), upload.path, now_ms, decoded_by_client=False)
    return 201, {"feedDocumentId": upload.document_id, "url": url}


def create_feed(world: World, caller: Caller, _: Request, body: bytes, now_ms: int) -> Answer:
    """createFeed."""
    try:
        wanted = _NewFeed.model_validate_json(body)
    except ValidationError as error:
        names = sorted({".".join(str(part) for part in entry["loc"]) or "body" for entry in error.errors()})
        raise invalid("Invalid input", f"Missing or invalid: {', '.join(names)}.") from None
    if wanted.feedType != JSON_LISTINGS_FEED:
        raise invalid(f"Invalid Feed Type {wanted.feedType}")
    strange = sorted(set(wanted.marketplaceIds) - world.marketplaces(caller.seller_id))
    if strange:
        raise invalid(f"Invalid marketplace {strange[0]}", "The seller does not sell there.")
    known = world.feeds.shelf.upload(document_id=wanted.inputFeedDocumentId)
    if known is None or known[0].seller_id != caller.seller_id:
        raise invalid(f"Invalid inputFeedDocumentId {wanted.inputFeedDocumentId}")
    marketplaces = list(dict.fromkeys(wanted.marketplaceIds))
    feed = world.feeds.take(
        caller.seller_id, wanted.feedType, marketplaces, wanted.inputFeedDocumentId, now_ms
    )
    return 202, {"feedId": feed.feed_id}


def get_feed(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getFeed."""
    return 200, _feed(world, caller, request, now_ms).model()


def cancel_feed(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """cancelFeed."""
    feed = _feed(world, caller, request, now_ms)
    if not world.feeds.cancel(feed, now_ms):
        message = f"Feed {feed.feed_id} cannot be cancelled."
        raise invalid(message, f"Its processing status is {feed.status}, not IN_QUEUE.")
    return 200, None


def get_feeds(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getFeeds."""
    params = request.query_params
    if "nextToken" in params:
        if set(params) != {"nextToken"}:
            raise invalid("nextToken may not be specified together with any other parameter.")
        types, statuses, since_ms, until_ms, size, after = _read_token(world, caller, params["nextToken"])
    else:
        types, statuses = listed(params, "feedTypes"), listed(params, "processingStatuses", STATUSES)
        if not types:
            raise invalid("Either feedTypes or nextToken is required.")
        text = params.get("pageSize", "10")
        if not text.isdecimal() or not 1 <= int(text) <= 100:
            raise invalid("pageSize must be between 1 and 100.")
        since_ms = _moment(params.get("createdSince"), now_ms - KEPT_MS)
        until_ms = _moment(params.get("createdUntil"), now_ms)
        size, after = int(text), None
    found = [
        feed
        for feed in world.feeds.of(caller.seller_id)
        if feed.feed_type in types
        and (not statuses or feed.status in statuses)
        and max(since_ms, now_ms - KEPT_MS) <= feed.created_ms <= until_ms
        and (after is None or (feed.created_ms, feed.feed_id) < after)
    ]
    tree: JsonObject = {"feeds": [feed.model() for feed in found[:size]]}
    if len(found) > size:
        last = found[size - 1]
        claims = [sorted(types), sorted(statuses), since_ms, until_ms, size, [last.created_ms, last.feed_id]]
        tree["nextToken"] = _write_token(world, caller, json.dumps(claims).encode())
    return 200, tree


def get_feed_document(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getFeedDocument: of a result, or of what was uploaded."""
    name = request.path_params["feed_document_id"]
    signer = Signer(world.settings.seed)
    result = world.reports.document(caller.seller_id, name, now_ms)
    if result is not None and result.report_type == JSON_LISTINGS_FEED:
        decoded = request.query_params.get("enableContentEncodingUrlHeader") == "true"
        url = signer.url(str(request.base_url), result.path, now_ms, decoded_by_client=decoded)
        return 200, {"feedDocumentId": name, "url": url, "compressionAlgorithm": "GZIP"}
    known = world.feeds.shelf.upload(document_id=name)
    if known is None or known[0].seller_id != caller.seller_id:
        raise invalid(f"Invalid feedDocumentId {name}")
    url = signer.url(str(request.base_url), known[0].path, now_ms, decoded_by_client=False)
    return 200, {"feedDocumentId": name, "url": url}


def upload_routes(world: World, faults: FaultPlan) -> list[Route]:
    """Where the URL of createFeedDocument leads; no access token is wanted there, and none is allowed."""
    signer = Signer(world.settings.seed)

    async def upload(request: Request) -> Response:
        body = await request.body()
        key = request.path_params["key"]

        async def work() -> Response:
            try:
                signer.check(request, world.settle())
                _store(world, key, request.headers.get("content-type", ""), body)
            except StorageError as error:
                return error.response()
            return stored(body)

        response = await faults.around(request, UPLOAD, {"key": key}, work)
        status, request_id = response.status_code, response.headers.get("x-amz-request-id", "")
        world.answered[UPLOAD, status] += 1
        world.log.append(LogEntry(iso(world.clock.now_ms()), UPLOAD, "", "", status, request_id))
        return response

    return [Route(f"{PREFIX}{{bucket}}/{{key}}", upload, methods=["PUT"])]


def _store(world: World, key: str, content_type: str, body: bytes) -> None:
    known = world.feeds.shelf.upload(key=key)
    if known is None or content_type != known[0].content_type:
        message = "The request signature we calculated does not match the signature you provided. "
        raise StorageError(403, "SignatureDoesNotMatch", f"{message}Check your key and signing method.")
    if len(body) > MOST_BYTES:
        raise StorageError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
    world.feeds.shelf.fill(key, body)


def _feed(world: World, caller: Caller, request: Request, now_ms: int) -> Feed:
    feed = world.feeds.find(caller.seller_id, request.path_params["feed_id"], now_ms)
    if feed is None:
        raise not_found("The feed could not be found.")
    return feed


def _moment(text: str | None, default_ms: int) -> int:
    if text is None:
        return default_ms
    try:
        return to_ms(text)
    except ValueError:
        raise invalid("createdSince or createdUntil is not a valid date-time.") from None


Claims = tuple[frozenset[str], frozenset[str], int, int, int, tuple[int, str] | None]


def _write_token(world: World, caller: Caller, body: bytes) -> str:
    return base64.urlsafe_b64encode(_seal(world, caller, body) + body).decode()


def _read_token(world: World, caller: Caller, token: str) -> Claims:
    try:
        sealed = base64.urlsafe_b64decode(token)
    except ValueError:
        raise invalid("Invalid nextToken") from None
    if sealed[:12] != _seal(world, caller, sealed[12:]):
        raise invalid("Invalid nextToken")
    types, statuses, since_ms, until_ms, size, after = json.loads(sealed[12:])
    return frozenset(types), frozenset(statuses), since_ms, until_ms, size, (after[0], after[1])


def _seal(world: World, caller: Caller, body: bytes) -> bytes:
    key = f"feeds {world.settings.seed}".encode()
    return hashlib.blake2b(body + caller.seller_id.encode(), key=key, digest_size=12).digest()


_FEEDS = "/feeds/2021-06-30/feeds"
OPERATIONS = {
    ("POST", "/feeds/2021-06-30/documents"): ("createFeedDocument", create_feed_document),
    ("GET", "/feeds/2021-06-30/documents/{feed_document_id}"): ("getFeedDocument", get_feed_document),
    ("POST", _FEEDS): ("createFeed", create_feed),
    ("GET", _FEEDS): ("getFeeds", get_feeds),
    ("GET", f"{_FEEDS}/{{feed_id}}"): ("getFeed", get_feed),
    ("DELETE", f"{_FEEDS}/{{feed_id}}"): ("cancelFeed", cancel_feed),
}
"""By method and path: the operation's name and what answers it."""
