"""The simulator's own clock: faster than the wall's if wanted, put forward on request, never put back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class ClockMemory(Protocol):
    """Where the clock remembers itself, so that a restarted simulator does not fall back in time."""

    def remember(self, key: str, value: str) -> None:
        """Keep a value under a key."""

    def recall(self, key: str) -> str | None:
        """The value kept under the key, if any."""


class Clock:
    """Simulated time in milliseconds since 1970, running `rate` times as fast as the wall clock."""

    _KEY = "clock"

    def __init__(self, memory: ClockMemory, rate: float = 1.0) -> None:
        self.rate = rate
        self._memory = memory
        self._wall = time.time()
        self._simulated = self._wall
        kept = memory.recall(self._KEY)
        if kept is not None:
            wall, simulated, old_rate = (float(part) for part in kept.split())
            self._simulated = max(self._wall, simulated + (self._wall - wall) * old_rate)
        self._keep()

    def now_ms(self) -> int:
        """Now, in milliseconds since 1970."""
        return int((self._simulated + (time.time() - self._wall) * self.rate) * 1000)

    def advance(self, seconds: float) -> None:
        """Put the clock forward; ValueError for a step back."""
        if seconds < 0:
            message = f"The clock cannot go back ({seconds} seconds)."
            raise ValueError(message)
        self._simulated += seconds
        self._keep()

    def _keep(self) -> None:
        self._memory.remember(self._KEY, f"{self._wall!r} {self._simulated!r} {self.rate!r}")


def iso(milliseconds: int) -> str:
    """A moment as the Orders API 2026-01-01 writes it: UTC, to the millisecond, with Z."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def to_ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 date-time with an offset or Z; ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text:
        message = f"{text!r} has no time zone."
        raise ValueError(message)
    return round(moment.timestamp() * 1000)
