"""Settlements and charges, and the tables in which they outlive the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

from pydantic import BaseModel

from simulators.amazon.settlements.charges import Charge
from simulators.amazon.settlements.layout import Style
from simulators.amazon.settlements.money import Line

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settlements (settlement_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settlement_charges (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


class Settlement(BaseModel):
    """One settlement of one seller in one group of marketplaces with one currency.

    group: a marketplace id, or a currency where all its marketplaces are settled together. number: which one of its
    group, from 0. reserve: what is held back to the next one (zero or above). transactions: what the Finances API
    calls the money in it. reports: the reports that told of it.
    """

    settlement_id: str
    event_group: str
    seller_id: str
    group: str
    marketplaces: tuple[str, ...]
    currency: str
    number: int
    style: Style
    start_ms: int
    end_ms: int
    deposit_ms: int
    total: Decimal
    reserve: Decimal
    lines: tuple[Line, ...]
    transactions: tuple[str, ...]
    reports: tuple[str, ...] = ()


class Drawer:
    """The tables of settlements and charges."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._db.executescript(_SCHEMA)

    def settlements(self) -> Iterator[Settlement]:
        """Every settlement ever issued."""
        for (body,) in self._db.execute("SELECT body FROM settlements").fetchall():
            yield Settlement.model_validate_json(body)

    def charges(self) -> Iterator[Charge]:
        """Every charge, in the order of their numbers."""
        for (body,) in self._db.execute("SELECT body FROM settlement_charges ORDER BY number").fetchall():
            yield Charge.model_validate_json(body)

    def keep(self, settlement: Settlement) -> None:
        """Write a settlement down."""
        row = (settlement.settlement_id, settlement.model_dump_json())
        self._db.execute("INSERT OR REPLACE INTO settlements VALUES (?,?)", row)

    def keep_charge(self, charge: Charge) -> None:
        """Write a charge down."""
        body = charge.model_dump_json(exclude={"kind"})
        self._db.execute("INSERT INTO settlement_charges VALUES (?,?)", (charge.number, body))
