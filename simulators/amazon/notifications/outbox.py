"""What happens to a notification on its way: late, in any order, doubled, or never there.

Chance is drawn from the seed, the type, the subject and how many of that type the subject has had: a run can
be repeated even when things happen in another order. Everything is kept in the world's sqlite file, so that
a restarted simulator sends what it owed, and a test can ask which notifications were lost.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notices (
    number INTEGER PRIMARY KEY, notification_id TEXT NOT NULL, kind TEXT NOT NULL, seller_id TEXT NOT NULL,
    subject TEXT NOT NULL, arn TEXT NOT NULL, due_ms INTEGER NOT NULL, lot REAL NOT NULL,
    state TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS notices_due ON notices (due_ms) WHERE state = 'waiting';
"""


class Plan(BaseModel):
    """How unkind the delivery is; ``POST /_control/notifications`` changes it."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str = ""
    """Address of the SQS; nothing is sent while it is empty."""
    loss: float = Field(default=0.0, ge=0, le=1)
    """Share of the notifications that never arrive."""
    duplicates: float = Field(default=0.0, ge=0, le=1)
    """Share that arrives twice, under the same NotificationId."""
    delay: float = Field(default=0.0, ge=0)
    """Each copy is late by up to this many seconds of the simulator's clock, so copies overtake each other."""
    pending: float = Field(default=0.5, ge=0, le=1)
    """Share of the new orders in Pending that are told at all; Amazon promises none."""
    held: bool = False
    """Nothing is sent until this is off again; then everything comes at once, in random order."""


@dataclass(frozen=True)
class Notice:
    """One notification to be sent. subject: the order, report or SKU it is about."""

    notification_id: str
    kind: str
    seller_id: str
    subject: str
    arn: str
    body: str


@dataclass(frozen=True)
class Parcel:
    """One copy that is due."""

    number: int
    arn: str
    body: str


class Outbox:
    """Every notification of this world and what became of it."""

    def __init__(self, db: sqlite3.Connection, seed: int, plan: Plan) -> None:
        self.plan = plan
        self._db = db
        self._seed = seed
        self._drawn: Counter[str] = Counter()
        db.executescript(_SCHEMA)

    def put(self, notice: Notice, now_ms: int, *, fated: bool = True, copies: int = 1) -> None:
        """Take a notification on. Without `fated` it is neither late nor lost nor doubled by chance."""
        if fated:
            if self.draw("loss", notice.kind, notice.subject) < self.plan.loss:
                self._insert(notice, now_ms, "lost")
                return
            copies += self.draw("copy", notice.kind, notice.subject) < self.plan.duplicates
        for _ in range(copies):
            late = self.draw("late", notice.kind, notice.subject) * self.plan.delay if fated else 0.0
            self._insert(notice, now_ms + round(late * 1000), "waiting")

    def draw(self, *what: str) -> float:
        """A number from 0 to 1, the same in every run for the same question asked as often."""
        name = "/".join(what)
        self._drawn[name] += 1
        text = f"{self._seed}/{name}/{self._drawn[name]}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64

    def due(self, now_ms: int, most: int) -> list[Parcel]:
        """Some of what has to be sent now, in random order."""
        if self.plan.held or not self.plan.endpoint:
            return []
        rows = self._db.execute(
            "SELECT number, arn, body FROM notices WHERE state = 'waiting' AND due_ms <= ? "
            "ORDER BY lot LIMIT ?",
            (now_ms, most),
        )
        return [Parcel(*row) for row in rows]

    def done(self, numbers: list[int], state: str) -> None:
        """Note what became of copies: sent, or refused by the queue."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "UPDATE notices SET state = ?, body = '' WHERE number = ?", [(state, n) for n in numbers]
        )
        self._db.execute("COMMIT")

    def clear(self) -> None:
        """Forget every message."""
        self._db.execute("DELETE FROM notices")

    def counts(self) -> dict[str, dict[str, int]]:
        """Copies by type and state: waiting, sent, refused, lost."""
        counts: dict[str, dict[str, int]] = {}
        for kind, state, count in self._db.execute("SELECT kind, state, count(*) FROM notices GROUP BY 1, 2"):
            counts.setdefault(kind, {})[state] = count
        return counts

    def listed(self, subject: str | None, state: str | None, most: int) -> list[dict[str, object]]:
        """The latest copies, for ``GET /_control/notifications/copies``."""
        rows = self._db.execute(
            "SELECT notification_id, kind, seller_id, subject, state, body FROM notices "
            "WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR state = ?2) ORDER BY number DESC LIMIT ?3",
            (subject, state, most),
        )
        names = ("notificationId", "type", "sellerId", "subject", "state", "body")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _insert(self, notice: Notice, due_ms: int, state: str) -> None:
        lot = self.draw("lot", notice.kind, notice.subject)
        self._db.execute(
            "INSERT INTO notices (notification_id, kind, seller_id, subject, arn, due_ms, lot, state, body) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            (
                notice.notification_id, notice.kind, notice.seller_id, notice.subject, notice.arn, due_ms,
                lot, state, notice.body,
            ),
        )  # fmt: skip
