"""One queue of one seller over time: what was seen of it, what is sure, and the pace that follows."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from canonical.quota_level import (
    COUNTED_SECONDS,
    STALE_SECONDS,
    Known,
    Paces,
    Plan,
    dispatched_at_most,
    empty,
    full,
    later,
    pace_for,
)

_KEPT: Final = COUNTED_SECONDS + STALE_SECONDS


class Seen(NamedTuple):
    """What the server says of a queue."""

    pace: float
    """Limit of this seller's key, calls per second."""
    dispatch_rate: float
    """Calls of all sellers that left the queue, per second, over the last half minute."""


@dataclass
class Track:
    """The lower bounds of one bucket, from look to look."""

    plan: Plan
    paces: Paces
    known: Known
    """As of the last look."""
    _past: list[Known] = field(default_factory=list)
    """What was sure at moments of the last half minute; each may be the begin of what the server counted."""

    _last: tuple[float, float] = (0.0, 0.0)
    """When was looked last, and what the dispatch rate was then."""

    @classmethod
    def untouched(cls, plan: Plan, pace: float, at: float) -> Self:
        """Of a bucket that is taken as full."""
        return cls.resumed(plan, pace, full(plan, pace, at))

    @classmethod
    def resumed(cls, plan: Plan, pace: float, known: Known) -> Self:
        """Going on from what was sure at an earlier moment, at a pace not higher than `pace` since."""
        return cls(plan, Paces([(known.at, pace)]), known, [known])

    def look(self, now: float, seen: Seen) -> float:
        """Take in what the server says now; returns the pace this seller's key should have."""
        self.paces.set(now, seen.pace)
        settled = now - STALE_SECONDS
        last_look, last_rate = self._last
        if seen.dispatch_rate != last_rate:
            # The server keeps its count for a while; this one was made after the last look.
            settled = max(settled, last_look)
        self._last = now, seen.dispatch_rate
        counted = dispatched_at_most(seen.dispatch_rate)
        begins = [past for past in self._past if now - COUNTED_SECONDS <= past.at <= settled]
        if self._past[-1].at < settled:
            best = later(self._past[-1], self.plan, self.paces, settled)
            for begin in begins:
                found = later(begin, self.plan, self.paces, settled, counted)
                best = Known(settled, max(best.level, found.level), max(best.spare, found.spare))
            self._past.append(best)
        self.known = later(self._past[-1], self.plan, self.paces, now)
        self._forget(now)
        return pace_for(self.plan, self.known.spare, seen.pace)

    def changed(self, called: float, answered: float, pace: float) -> None:
        """The pace was set by a call to the server from `called` to `answered`."""
        before = self.paces.at(called)
        self.paces.set(called, max(before, pace))
        self.paces.set(answered, pace)

    def refused(self, now: float, pace: float) -> None:
        """Amazon answered 429: the bucket is empty, and what was counted before says no more."""
        self._begin_anew(empty(pace, now), pace)

    def quiet(self, now: float, seconds: float, pace: float) -> None:
        """Nothing left the queue in the last `seconds`: it was paused, or no worker ran."""
        begin = later(self.known, self.plan, self.paces, max(now - seconds, self.known.at))
        self._begin_anew(later(begin, self.plan, self.paces, now, 0), pace)

    def called_beside(self, calls: int, pace: float) -> None:
        """So many calls were made lately that did not come out of the queue."""
        known = Known(self.known.at, self.known.level - calls, self.known.spare - calls)
        self._begin_anew(known, pace)

    def granted(self, plan: Plan) -> None:
        """Amazon grants another rate from now on."""
        self.plan = plan

    def uncounted(self, now: float, pace: float) -> None:
        """The server may have forgotten its count, as after its restart: only what follows is counted again."""
        self._begin_anew(later(self.known, self.plan, self.paces, now), pace)

    def _begin_anew(self, known: Known, pace: float) -> None:
        self.known, self._past = known, [known]
        self.paces = Paces([(known.at, pace)])

    def _forget(self, now: float) -> None:
        begin = now - _KEPT
        while len(self._past) > 1 and self._past[0].at < begin:
            del self._past[0]
        self.paces.forget(self._past[0].at)
