"""Reports and their documents, and the tables in which they outlive the process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from simulators.amazon.reports.frame import moment
from simulators.amazon.reports.requests import Wanted
from simulators.amazon.reports.rules import Rule
from simulators.amazon.wire import JsonObject

_SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    seller_id TEXT NOT NULL, report_id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seller_id, report_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report_documents (
    document_id TEXT PRIMARY KEY, storage_key TEXT NOT NULL UNIQUE, facts TEXT NOT NULL, body BLOB NOT NULL
);
"""
_ENDED = frozenset({"CANCELLED", "DONE", "FATAL"})


@dataclass
class Report:
    """One report. starts_ms, ready_ms: when its making begins and ends.

    twin: an identical one was under way when it was asked for. begun: its making was ever begun.
    """

    seller_id: str
    report_id: str
    wanted: Wanted
    created_ms: int
    starts_ms: int
    ready_ms: int
    rule: Rule | None = None
    twin: bool = False
    status: str = "IN_QUEUE"
    begun: bool = True
    document_id: str | None = None

    @property
    def ended(self) -> bool:
        """Cancelled, done or failed."""
        return self.status in _ENDED

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in lists."""
        return self.created_ms, self.report_id

    @property
    def rule_json(self) -> str:
        """The rule it was made by."""
        return self.rule.model_dump_json(exclude_defaults=True) if self.rule else "null"

    def model(self) -> JsonObject:
        """Amazon's Report."""
        result: JsonObject = {
            "reportType": self.wanted.report_type,
            "processingStatus": self.status,
            "marketplaceIds": list(self.wanted.marketplaces),
            "reportId": self.report_id,
            "dataStartTime": moment(self.wanted.start_ms),
            "dataEndTime": moment(self.wanted.end_ms),
            "createdTime": moment(self.created_ms),
        }
        if self.status != "IN_QUEUE" and self.begun:
            result["processingStartTime"] = moment(self.starts_ms)
        if self.ended:
            result["processingEndTime"] = moment(self.ready_ms)
        if self.document_id:
            result["reportDocumentId"] = self.document_id
        return result


@dataclass
class Document:
    """A report's document without its bytes. truncated: downloads still to be cut short."""

    document_id: str
    seller_id: str
    report_type: str
    region: str
    key: str
    created_ms: int
    content_type: str
    said_gzip: bool
    truncated: int = 0
    downloads: int = 0

    @property
    def path(self) -> str:
        """Where it lies in the document store."""
        return f"/s3/tortuga-prod-{self.region}/{self.key}"


class Shelf:
    """The tables of reports and documents."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._db.executescript(_SCHEMA)

    def keep(self, report: Report) -> None:
        """Write a report down as it is now."""
        body = asdict(report) | {"rule": json.loads(report.rule_json)}
        row = (report.seller_id, report.report_id, json.dumps(body))
        self._db.execute("INSERT OR REPLACE INTO reports VALUES (?,?,?)", row)

    def reports(self) -> Iterator[Report]:
        """Every report ever kept."""
        for (text,) in self._db.execute("SELECT body FROM reports").fetchall():
            body = json.loads(text)
            wanted = body.pop("wanted")
            wanted["marketplaces"] = tuple(wanted["marketplaces"])
            wanted["options"] = tuple((name, value) for name, value in wanted["options"])
            rule = body.pop("rule")
            yield Report(
                **body, wanted=Wanted(**wanted), rule=Rule.model_validate(rule) if rule is not None else None
            )

    def put(self, document: Document, body: bytes) -> None:
        """Store a document."""
        row = (document.document_id, document.key, json.dumps(asdict(document)), body)
        self._db.execute("INSERT OR REPLACE INTO report_documents VALUES (?,?,?,?)", row)

    def document(self, document_id: str) -> Document | None:
        """A document by its id."""
        row = self._db.execute(
            "SELECT facts FROM report_documents WHERE document_id = ?", (document_id,)
        ).fetchone()
        return None if row is None else Document(**json.loads(row[0]))

    def fetch(self, key: str) -> tuple[Document, bytes] | None:
        """A document and its bytes by where it lies; counts the download."""
        row = self._db.execute(
            "SELECT facts, body FROM report_documents WHERE storage_key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        document = Document(**json.loads(row[0]))
        document.downloads += 1
        self._db.execute(
            "UPDATE report_documents SET facts = ? WHERE storage_key = ?", (json.dumps(asdict(document)), key)
        )
        return document, bytes(row[1])
