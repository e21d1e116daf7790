"""How full Amazon's bucket surely is, told from outside, and how fast its queue may go.

Amazon keeps a bucket for each seller and operation: `rate` calls a second flow in, at most `burst` are in it. The
Temporal server lets calls out of the queue by a limiter of its own, GCRA with one second of credit: at pace s, a
dispatch takes 1 from the credit, s a second flow in, at most s are in it, and a dispatch needs credit of 0 or more.

Nobody sees either bucket. Two things are certain, and each gives a lower bound of Amazon's level L:

- Level less credit, `spare`, falls by at most pace less rate per second, whatever is called and when: a call takes
  1 from both. So a queue at the documented rate never draws the level down, however busy.
- The server counts what it let out: the bucket gains `rate` per second and loses that number.

The better of the two counts. Everything here is arithmetic: seconds since 1970 come in, nothing is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple, Self

CREDIT_SECONDS: Final = 1.0
"""How much of its pace the server's limiter lets through at once (its burst duration)."""
JITTER_SECONDS: Final = 2.0
"""How much later than another a call may reach Amazon after it left the queue, without drawing the level down."""
WINDOW: Final = 30.0
"""Within how many seconds what is in the bucket may be used up."""
COUNTED_SECONDS: Final = 30.0
"""The server's dispatch rate is over at least so long ..."""
COUNTED_AT_MOST: Final = 35.0
"""... and at most so long; the rate times this is not less than the number."""
STALE_SECONDS: Final = 6.0
"""How old the rate the server tells may be: it is kept for five seconds."""
SLOW: Final = 0.9
"""Share of the documented rate at which a bucket drawn to the bottom fills again."""
_RAISED: Final = 1.25
_LOWERED: Final = 0.5


class Plan(NamedTuple):
    """What Amazon grants one seller for one operation."""

    rate: float
    """Calls per second."""
    burst: float

    @property
    def pace(self) -> float:
        """The fastest steady pace: the rate, or less where the limiter's credit alone would overdraw the burst.

        Where that would be less than half, as with a simulator whose rates are raised and not its bursts, it is
        the rate all the same.
        """
        spared = self.burst - 1
        return spared if self.rate / 2 <= spared < self.rate * CREDIT_SECONDS else self.rate

    @property
    def reserve(self) -> float:
        """What stays in the bucket: for one call, and for calls that arrive later than they left the queue. No more
        than is there at rest beside the limiter's credit, or a small burst would never count as full."""
        at_rest = max(self.burst - self.pace * CREDIT_SECONDS, 0.0)
        return min(1 + self.pace * JITTER_SECONDS, self.burst / 2, at_rest)


class Known(NamedTuple):
    """What is sure at a moment."""

    at: float
    level: float
    """At least so many calls are in Amazon's bucket."""
    spare: float
    """At least by so much the level exceeds the limiter's credit; negative where the credit may be more."""


def full(plan: Plan, pace: float, at: float) -> Known:
    """A bucket nobody has touched for long."""
    return Known(at, plan.burst, plan.burst - pace * CREDIT_SECONDS)


def empty(pace: float, at: float) -> Known:
    """Amazon has just answered 429."""
    return Known(at, 0.0, -pace * CREDIT_SECONDS)


@dataclass
class Paces:
    """The paces of a queue: (from when, calls per second), in the order of time."""

    marks: list[tuple[float, float]] = field(default_factory=list)

    def set(self, at: float, pace: float) -> None:
        """From `at` on it is `pace`."""
        if not self.marks or self.marks[-1][1] != pace:
            self.marks.append((max(at, self.marks[-1][0]) if self.marks else at, pace))

    def at(self, moment: float) -> float:
        """The pace in force; before the first mark it is the first."""
        found = self.marks[0][1]
        for since, pace in self.marks:
            if since <= moment:
                found = pace
        return found

    def between(self, begin: float, end: float) -> list[tuple[float, float]]:
        """(seconds, pace) of each stretch from `begin` to `end`."""
        edges = [begin, *(since for since, _ in self.marks if begin < since < end), end]
        return [(later - earlier, self.at(earlier)) for earlier, later in pairwise(edges)]

    def forget(self, before: float) -> None:
        """Drop what was over before that moment."""
        while len(self.marks) > 1 and self.marks[1][0] <= before:
            del self.marks[0]

    def times(self, factor: float) -> Self:
        """The same, each pace times `factor`: that of a key with this weight."""
        return type(self)([(since, pace * factor) for since, pace in self.marks])


def later(known: Known, plan: Plan, paces: Paces, at: float, counted: float | None = None) -> Known:
    """What is sure at `at`. counted: at most so many calls left the queue meanwhile, where that is known."""
    stretches = paces.between(known.at, max(at, known.at))
    gained, least_from_full = 0.0, 0.0
    for seconds, pace in stretches:
        gained += (plan.rate - pace) * seconds
        # From any moment on at which the bucket was full, no more than this was gained since.
        least_from_full = min(0.0, least_from_full + (plan.rate - pace) * seconds)
    credit = paces.at(at) * CREDIT_SECONDS
    top = max(pace for _, pace in stretches) * CREDIT_SECONDS
    spare = min(known.spare + gained, plan.burst - top + least_from_full) - _changes(stretches, credit)
    level = max(0.0, spare - 1)
    if counted is not None:
        seconds = max(at - known.at, 0.0)
        level = max(level, min(plan.burst, known.level + plan.rate * seconds) - counted)
    return Known(at, level, max(spare, level - credit))


def _changes(stretches: Sequence[tuple[float, float]], credit: float) -> float:
    """How much credit the changes of pace may have given: a raise its difference, a cut less than one call."""
    paces = [pace for _, pace in stretches] + [credit / CREDIT_SECONDS]
    given = 0.0
    for before, after in pairwise(paces):
        if after > before:
            given += (after - before) * CREDIT_SECONDS
        elif after < before:
            given += 1 - after / before
    return given


def dispatched_at_most(rate: float) -> int:
    """The number behind the server's dispatch rate (calls per second over 30 to 35 seconds), at most."""
    return int(rate * COUNTED_AT_MOST + 0.01)


def pace_for(plan: Plan, spare: float, current: float) -> float:
    """The pace to set: faster than the rate for as long as the bucket surely has more than its reserve.

    A raised pace uses up what is there within `WINDOW`; because it is cut as soon as twice as much is wanted,
    half of that time may pass without anybody cutting it before the level is touched that must stay.
    Small changes are left out: each costs a message, and some of what is known.
    """
    usable = spare - plan.reserve
    if usable < -plan.reserve / 2 or (current < plan.pace and usable < 0):
        return plan.pace * SLOW
    if usable < 1 or plan.pace < plan.rate:
        return plan.pace
    wanted = usable / WINDOW
    extra = current - plan.rate
    if wanted > _RAISED * extra or wanted < _LOWERED * extra:
        return plan.rate + wanted
    return current
