"""The tables in which stock outlives the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from simulators.amazon.stock.records import Change, Entry, Listing, Pool, Record

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stock_listings (
    seller_id TEXT NOT NULL, sku TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seller_id, sku)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock_pools (
    seller_id TEXT NOT NULL, name TEXT NOT NULL, sku TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (seller_id, name, sku)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock_changes (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stock_ledger (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
_AnyRecord = TypeVar("_AnyRecord", bound=Record)


class StockShelf:
    """Listings, pools, changes under way and the ledger, in the world's sqlite file."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._db.executescript(_SCHEMA)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything written inside is there at once, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def listings(self) -> list[Listing]:
        """Every listing ever kept."""
        return self._read("SELECT body FROM stock_listings", Listing)

    def pools(self) -> list[Pool]:
        """Every pool ever kept."""
        return self._read("SELECT body FROM stock_pools", Pool)

    def changes(self) -> list[Change]:
        """The changes that are not live yet."""
        return self._read("SELECT body FROM stock_changes ORDER BY number", Change)

    def ledger(self) -> list[Entry]:
        """The ledger, oldest first."""
        return self._read("SELECT body FROM stock_ledger ORDER BY number", Entry)

    def keep_listings(self, listings: Iterable[Listing]) -> None:
        """Write listings down as they are."""
        rows = [(one.seller_id, one.sku, one.model_dump_json()) for one in listings]
        self._db.executemany("INSERT OR REPLACE INTO stock_listings VALUES (?,?,?)", rows)

    def keep_pools(self, pools: Iterable[Pool]) -> None:
        """Write pools down as they are."""
        rows = [(one.seller_id, one.name, one.sku, one.model_dump_json()) for one in pools]
        self._db.executemany("INSERT OR REPLACE INTO stock_pools VALUES (?,?,?,?)", rows)

    def keep_changes(self, changes: Iterable[Change]) -> None:
        """Write changes down that are to be live later."""
        rows = [(one.number, one.model_dump_json()) for one in changes]
        self._db.executemany("INSERT OR REPLACE INTO stock_changes VALUES (?,?)", rows)

    def drop_changes(self, changes: Iterable[Change]) -> None:
        """Forget changes that are live."""
        self._db.executemany("DELETE FROM stock_changes WHERE number = ?", [(one.number,) for one in changes])

    def keep_entries(self, entries: Iterable[Entry]) -> None:
        """Write lines of the ledger down."""
        rows = [(one.number, one.model_dump_json()) for one in entries]
        self._db.executemany("INSERT OR REPLACE INTO stock_ledger VALUES (?,?)", rows)

    def _read(self, query: str, kind: type[_AnyRecord]) -> list[_AnyRecord]:
        return [kind.model_validate_json(body) for (body,) in self._db.execute(query).fetchall()]
