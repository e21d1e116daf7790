"""The sqlite file behind the world: written before anything is answered, read once at start."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from simulators.amazon.record import Event, OrderRecord, Shipment

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, seller_id TEXT NOT NULL, created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL, planted TEXT, priced INTEGER NOT NULL, body TEXT NOT NULL,
    events TEXT NOT NULL, shipments TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Store:
    """Orders and notes in one sqlite file (WAL: a killed process loses nothing it has committed)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "amazon.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(orders)")}
        if "shipments" not in columns:  # a world made before Amazon's own shipments were kept
            self._db.execute("ALTER TABLE orders ADD COLUMN shipments TEXT NOT NULL DEFAULT '[]'")

    @property
    def db(self) -> sqlite3.Connection:
        """The open file, for parts of the world that keep tables of their own in it."""
        return self._db

    def save(self, records: Iterable[OrderRecord], notes: dict[str, str] | None = None) -> None:
        """Write orders and notes in one transaction."""
        rows = [_row(record) for record in records]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?,?,?,?)", rows)
            self._db.executemany("INSERT OR REPLACE INTO notes VALUES (?,?)", list((notes or {}).items()))
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def load(self) -> Iterator[OrderRecord]:
        """Every order ever saved."""
        for row in self._db.execute(
            "SELECT seller_id, body, created_ms, updated_ms, planted, priced, events, shipments FROM orders"
        ):
            seller_id, body, created_ms, updated_ms, planted, priced, events, shipments = row
            yield OrderRecord(
                seller_id=seller_id,
                body=json.loads(body),
                created_ms=created_ms,
                updated_ms=updated_ms,
                planted=planted,
                priced=bool(priced),
                events=[Event(**event) for event in json.loads(events)],
                shipments=[Shipment(**shipment) for shipment in json.loads(shipments)],
            )

    def remember(self, key: str, value: str) -> None:
        """Keep a note."""
        self.save((), {key: value})

    def recall(self, key: str) -> str | None:
        """A note kept earlier."""
        row = self._db.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _row(record: OrderRecord) -> tuple[object, ...]:
    return (
        record.order_id,
        record.seller_id,
        record.created_ms,
        record.updated_ms,
        record.planted,
        int(record.priced),
        json.dumps(record.body, ensure_ascii=False, separators=(",", ":")),
        json.dumps([asdict(event) for event in record.events], separators=(",", ":")),
        json.dumps([asdict(shipment) for shipment in record.shipments], separators=(",", ":")),
    )
