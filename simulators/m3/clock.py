"""The simulator's own time and what is due in it.

Nothing runs in the background: M3 and its people catch up with the clock whenever somebody looks, each job at
the moment it was due. Seen from outside that is the same, and a run can be repeated.
"""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from simulators.m3.records import Job, Meta
from simulators.m3.store import Table

_OFFSET = "clock_offset"
_START = "clock_start"


class Clock:
    """Seconds since 1970, put forward on request; while a job runs, the moment at which it was due.

    A held clock does not run: time passes only by `advance`, so that a test is not in a hurry.
    """

    def __init__(self, meta: Table[Meta], *, held: bool = False) -> None:
        self._meta = meta
        self._held = self._start() if held else None
        kept = meta.get(_OFFSET)
        self._offset = float(kept.value) if kept else 0.0
        self._frozen: float | None = None

    def now(self) -> float:
        """Now, in seconds since 1970."""
        return self._frozen if self._frozen is not None else self.ahead()

    def ahead(self) -> float:
        """The outside's now, also while a job runs in the past."""
        return (time.time() if self._held is None else self._held) + self._offset

    def _start(self) -> float:
        kept = self._meta.get(_START)
        if kept is None:
            kept = Meta(value=repr(time.time()))
            self._meta.put(_START, kept)
        return float(kept.value)

    def advance(self, seconds: float) -> None:
        """Put the clock forward. ValueError for a step back."""
        if seconds < 0:
            raise ValueError(f"The clock cannot go back ({seconds} seconds).")
        self._offset += seconds
        self._meta.put(_OFFSET, Meta(value=repr(self._offset)))

    def freeze(self, moment: float | None) -> None:
        """Stand still at `moment` while a job runs; None lets time go on."""
        self._frozen = moment

    def day(self) -> str:
        """Today as M3 writes it (YYYYMMDD, UTC)."""
        return day_of(self.now())


def day_of(moment: float) -> str:
    """The day of a moment as M3 writes it (YYYYMMDD, UTC)."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%d")


def time_of(moment: float) -> str:
    """The time of day of a moment as M3 writes it (HHMMSS, UTC)."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H%M%S")


class Agenda:
    """The jobs to come. Delays are drawn from the seed and what the job is about, not from the order of
    calls."""

    def __init__(self, jobs: Table[Job], clock: Clock, seed: int, pace: float) -> None:
        self._jobs = jobs
        self._clock = clock
        self._seed = seed
        self._pace = pace
        self._heap = [(job.due, job.number) for job in jobs]
        heapq.heapify(self._heap)
        self._next = max((job.number for job in jobs), default=0) + 1

    def chance(self, *about: str) -> random.Random:
        """Random numbers that belong to this matter alone and are the same in every run of this seed."""
        return random.Random(":".join((str(self._seed), *about)))  # noqa: S311 - a simulation, no secret

    def later(self, kind: str, low: float, high: float, *, at_least: float = 0.0, **args: str) -> None:
        """Have `kind` done after `low` to `high` seconds (times the pace), not before `at_least` seconds."""
        delay = self.chance(kind, *args.values()).uniform(low, high) * self._pace
        job = Job(number=self._next, due=self._clock.now() + max(delay, at_least), kind=kind, args=args)
        self._next += 1
        self._jobs.put(str(job.number), job)
        heapq.heappush(self._heap, (job.due, job.number))

    def run_due(self, do: Callable[[Job], None]) -> None:
        """Do everything that is due by now, oldest first, also what that brings about in turn."""
        limit = self._clock.ahead()
        while self._heap and self._heap[0][0] <= limit:
            _, number = heapq.heappop(self._heap)
            job = self._jobs.get(str(number))
            if job is None:
                continue
            self._jobs.drop(str(number))
            self._clock.freeze(job.due)
            try:
                do(job)
            finally:
                self._clock.freeze(None)
