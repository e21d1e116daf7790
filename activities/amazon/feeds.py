"""What this service says to Amazon about feeds (Feeds 2021-06-30). Every method raises `AmazonError`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import (
    CREATE_FEED,
    CREATE_FEED_DOCUMENT,
    GET_FEED,
    GET_FEED_DOCUMENT,
    GET_FEEDS,
    Operation,
)
from activities.amazon.transport import Transport

DONE: Final = "DONE"
FATAL: Final = "FATAL"
CANCELLED: Final = "CANCELLED"
ENDED: Final = frozenset({DONE, FATAL, CANCELLED})
"""Processing statuses after which nothing changes any more (Feed.processingStatus)."""


@dataclass(frozen=True)
class Feed:
    """A feed as Amazon has it (model `Feed`)."""

    feed_id: str
    status: str
    marketplace_ids: tuple[str, ...] = ()
    document_id: str = ""
    """Of its result, once it has ended; a feed may end without."""


@dataclass(frozen=True)
class Place:
    """Where a feed's document is put, for five minutes (model `CreateFeedDocumentResponse`)."""

    document_id: str
    url: str
    """Presigned: whoever has it can write the document. Never in a log or an error text."""


class Feeds:
    """Feeds of one selling partner."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def new_document(self, content_type: str) -> Place:
        """A place for a document (0.5 calls/s, burst 15); one that stays empty is nobody's concern."""
        answer = await self._transport.call(CREATE_FEED_DOCUMENT, body={"contentType": content_type})
        return Place(
            _text(answer, "feedDocumentId", CREATE_FEED_DOCUMENT), _text(answer, "url", CREATE_FEED_DOCUMENT)
        )

    async def create(self, feed_type: str, marketplace_id: str, document_id: str) -> str:
        """Hand in an uploaded document as a feed (0.0083 calls/s, burst 15); its id. Each call makes another feed."""
        body = {
            "feedType": feed_type,
            "marketplaceIds": [marketplace_id],
            "inputFeedDocumentId": document_id,
        }
        return _text(await self._transport.call(CREATE_FEED, body=body), "feedId", CREATE_FEED)

    async def get(self, feed_id: str) -> Feed:
        """How a feed is doing (2 calls/s, burst 15)."""
        return _feed(await self._transport.call(GET_FEED, names={"feedId": feed_id}), GET_FEED)

    async def recent(self, feed_type: str, since: datetime) -> tuple[Feed, ...]:
        """Feeds of a type created since, the newest first (0.0222 calls/s, burst 10). One page of a hundred: at
        createFeed's rate that is more than three hours."""
        query = {
            "feedTypes": feed_type,
            "createdSince": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "pageSize": "100",
        }
        listed = (await self._transport.call(GET_FEEDS, query=query)).get("feeds")
        if not isinstance(listed, list):
            raise _misread(GET_FEEDS, "feeds")
        return tuple(_feed(entry, GET_FEEDS) for entry in listed if isinstance(entry, dict))

    async def result_url(self, document_id: str) -> str:
        """Where a result is, for five minutes (0.0222 calls/s, burst 10). Presigned: never in a log or an error
        text."""
        answer = await self._transport.call(GET_FEED_DOCUMENT, names={"feedDocumentId": document_id})
        return _text(answer, "url", GET_FEED_DOCUMENT)


def _feed(entry: Mapping[str, object], operation: Operation) -> Feed:
    marketplaces = entry.get("marketplaceIds")
    return Feed(
        feed_id=_text(entry, "feedId", operation),
        status=_text(entry, "processingStatus", operation),
        marketplace_ids=tuple(str(one) for one in marketplaces) if isinstance(marketplaces, list) else (),
        document_id=str(entry.get("resultFeedDocumentId") or ""),
    )


def _text(answer: Mapping[str, object], key: str, operation: Operation) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise _misread(operation, key)
    return value


def _misread(operation: Operation, key: str) -> AmazonError:
    return AmazonError(
        Failure.UNAVAILABLE, operation.name, status=200, message=f"the answer has no usable '{key}'"
    )
