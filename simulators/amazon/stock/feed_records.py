"""Feeds and the documents they are made of, and the tables in which they outlive the process."""

from __future__ import annotations

import json
import sqlite3

from pydantic import Field

from simulators.amazon.clock import iso
from simulators.amazon.stock.records import Record
from simulators.amazon.wire import JsonObject

_SCHEMA = """
CREATE TABLE IF NOT EXISTS feeds (
    seller_id TEXT NOT NULL, feed_id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seller_id, feed_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feed_documents (
    document_id TEXT PRIMARY KEY, storage_key TEXT NOT NULL UNIQUE, facts TEXT NOT NULL, body BLOB
);
"""
_ENDED = frozenset({"CANCELLED", "DONE", "FATAL"})


class Upload(Record):
    """A document that the seller uploads. content_type: with which alone its URL takes it."""

    document_id: str
    seller_id: str
    region: str
    key: str
    content_type: str
    created_ms: int

    @property
    def path(self) -> str:
        """Where it lies in the document store."""
        return f"/s3/tortuga-prod-{self.region}/{self.key}"


class Feed(Record):
    """One feed. starts_ms, ready_ms: when its processing begins and ends."""

    seller_id: str
    feed_id: str
    feed_type: str
    marketplaces: list[str]
    document_id: str
    created_ms: int
    starts_ms: int
    ready_ms: int
    status: str = "IN_QUEUE"
    begun: bool = True
    result_id: str | None = None
    summary: dict[str, int] = Field(default_factory=dict)
    """What the result says of the messages, for the control room."""
    outcome: str | None = None
    """How it is to end, where somebody ordered that; reason: the text of its document then."""
    reason: str | None = None

    @property
    def ended(self) -> bool:
        """Cancelled, done or failed."""
        return self.status in _ENDED

    def model(self) -> JsonObject:
        """Amazon's Feed."""
        tree: JsonObject = {
            "feedId": self.feed_id,
            "feedType": self.feed_type,
            "marketplaceIds": self.marketplaces,
            "createdTime": iso(self.created_ms),
            "processingStatus": self.status,
        }
        if self.status != "IN_QUEUE" and self.begun:
            tree["processingStartTime"] = iso(self.starts_ms)
        if self.ended:
            tree["processingEndTime"] = iso(self.ready_ms)
        if self.result_id is not None:
            tree["resultFeedDocumentId"] = self.result_id
        return tree


class FeedShelf:
    """The tables of feeds and of what was uploaded for them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._db.executescript(_SCHEMA)

    def feeds(self) -> list[Feed]:
        """Every feed ever kept."""
        rows = self._db.execute("SELECT body FROM feeds").fetchall()
        return [Feed.model_validate_json(body) for (body,) in rows]

    def keep(self, feed: Feed) -> None:
        """Write a feed down as it is now."""
        row = (feed.seller_id, feed.feed_id, feed.model_dump_json())
        self._db.execute("INSERT OR REPLACE INTO feeds VALUES (?,?,?)", row)

    def announce(self, upload: Upload) -> None:
        """A document to come."""
        facts = json.dumps(upload.model_dump())
        row = (upload.document_id, upload.key, facts)
        self._db.execute("INSERT INTO feed_documents (document_id, storage_key, facts) VALUES (?,?,?)", row)

    def upload(self, *, document_id: str = "", key: str = "") -> tuple[Upload, bytes | None] | None:
        """A document by its id or by where it lies, with its bytes if it has been uploaded."""
        row = self._db.execute(
            "SELECT facts, body FROM feed_documents WHERE document_id = ? OR storage_key = ?",
            (document_id, key),
        ).fetchone()
        return None if row is None else (Upload.model_validate_json(row[0]), row[1])

    def fill(self, key: str, body: bytes) -> None:
        """The document has been uploaded."""
        self._db.execute("UPDATE feed_documents SET body = ? WHERE storage_key = ?", (body, key))
