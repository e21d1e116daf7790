"""One Amazon queue under its keeper: the buckets of all sellers behind it, and the pace that suits them all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from activities.amazon.operations import Operation
from canonical.quota_contracts import BucketName, BucketState, QueueState, QuotaBook, RateTold
from canonical.quota_level import Known, empty, full
from canonical.quota_track import Seen, Track
from worker.quota.limits import THROTTLED, Grants, Rates

BELIEVED: Final = timedelta(hours=2)
"""How long a rate that Amazon named counts; processes repeat it every hour."""
_NOTICED: Final = 1e-6


class Change(NamedTuple):
    """What the server is to be told of a queue."""

    pace: float
    """Default limit per fairness key, calls per second."""
    reason: str
    weights: Mapping[str, float] | None


class KeptQueue:
    """A queue's limits and buckets between two looks.

    configured: what each seller has by the configuration. state: as the keeper before left it. idle: seconds before
    this keeper began in which no worker ran.
    """

    def __init__(self, configured: Grants, state: QueueState | None, idle: float) -> None:
        self._configured = configured
        self._grants = configured
        self._before = state
        self._idle = idle
        self._tracks: dict[str, Track] = {}
        self._pace = 0.0
        self._weights_set = False
        self._paused_since: datetime | None = None
        self._looked = 0.0
        self._out_of_sight = False
        self._refused: set[str] = set()
        self._beside: dict[str, int] = {}

    @property
    def operation(self) -> Operation:
        return self._configured.operation

    def granted(self, seller_id: str) -> float:
        """Calls per second."""
        return self._grants.rates[seller_id]

    def levels(self) -> dict[str, float]:
        """Calls that are surely in each seller's bucket."""
        return {seller_id: max(0.0, track.known.level) for seller_id, track in self._tracks.items()}

    def state(self) -> QueueState | None:
        """What the next keeper goes on from; None before the first look."""
        if not self._tracks:
            return self._before
        return QueueState(
            pace=self._pace,
            sellers={
                seller_id: BucketState(
                    at=track.known.at,
                    level=round(track.known.level, 3),
                    spare=round(track.known.spare, 3),
                    granted=track.plan.rate,
                )
                for seller_id, track in self._tracks.items()
            },
        )

    # --- what others have met -------------------------------------------------------------------

    def hear(self, book: QuotaBook, throttled: Mapping[str, int], beside: Mapping[str, int]) -> None:
        """429s and calls beside the queue, as far as they go beyond what was counted before."""
        for seller_id in self._configured.rates:
            key = BucketName(seller_id=seller_id, operation=self.operation.name).key
            if book.throttled.get(key, 0) > throttled.get(key, 0):
                self._refused.add(seller_id)
            calls = book.beside.get(key, 0) - beside.get(key, 0)
            if calls > 0:
                self._beside[seller_id] = self._beside.get(seller_id, 0) + calls

    def hear_rates(self, told: Mapping[str, RateTold], now: datetime) -> None:
        """Rates that Amazon named: the smaller one counts, seller by seller."""
        rates: dict[str, float] = {}
        for seller_id, rate in self._configured.rates.items():
            named = told.get(BucketName(seller_id=seller_id, operation=self.operation.name).key)
            believed = named is not None and now - named.at < BELIEVED
            rates[seller_id] = min(rate, named.rate) if named is not None and believed else rate
        if rates != self._grants.rates:
            self._grants = Grants(self.operation, rates)
            self._weights_set = False
            for seller_id, track in self._tracks.items():
                track.granted(self._grants.plan(seller_id))

    def lost_sight(self) -> None:
        """The server did not answer: it may have forgotten its counts, and what was asked of it may have happened."""
        self._out_of_sight = True

    # --- a look ---------------------------------------------------------------------------------

    def look(self, now: float, seen: Rates) -> Change | None:
        """Take in what the server says; returns what to tell it, None where all is as it should be."""
        weights = self._grants.weights
        if seen.per_fairness_key is None:
            # Anything may have left an unlimited queue, unless nothing of it was known before.
            self._begin(now, self._grants.pace, weights, fresh=self._before is None and not self._tracks)
            return self._change(self._grants.pace)
        pace = seen.per_fairness_key
        if not self._tracks:
            self._begin(now, pace, weights, fresh=self._before is None)
        self._account(now, seen, weights)
        wanted = min(
            track.look(now, Seen(pace * weights[seller_id], seen.dispatch_rate)) / weights[seller_id]
            for seller_id, track in self._tracks.items()
        )
        self._pace, self._looked = pace, now
        if abs(wanted - pace) > _NOTICED * pace or not self._weights_set:
            return self._change(wanted)
        return None

    def changed(self, called: float, answered: float, pace: float) -> None:
        """The change was made by a call from `called` to `answered`."""
        for seller_id, track in self._tracks.items():
            track.changed(called, answered, pace * self._grants.weights[seller_id])
        self._pace = pace
        self._weights_set = True

    def _change(self, pace: float) -> Change:
        kind = "with its burst" if pace > self._grants.pace else "steady"
        weights = None if self._weights_set else self._grants.weights
        return Change(pace, f"Amazon {self.operation.name}, {kind}", weights)

    def _begin(self, now: float, pace: float, weights: Mapping[str, float], *, fresh: bool) -> None:
        before = self._before
        for seller_id in self._grants.rates:
            plan, own = self._grants.plan(seller_id), pace * weights[seller_id]
            known = before.sellers.get(seller_id) if before is not None else None
            if known is not None and before is not None:
                most = max(own, before.pace * weights[seller_id])
                last = Known(min(known.at, now), known.level, known.spare)
                track = Track.resumed(plan, most, last)
                if self._idle > 0:
                    track.quiet(now, self._idle, own)
            else:
                start = full(plan, own, now) if fresh or before is not None else empty(own, now)
                track = Track.resumed(plan, own, start)
            self._tracks[seller_id] = track

    def _account(self, now: float, seen: Rates, weights: Mapping[str, float]) -> None:
        """What lies between the last look and this one, beside what the queue let out at its pace."""
        pace = seen.per_fairness_key or 0.0
        quiet = seen.paused and self._paused_since is not None and seen.whole_since == self._paused_since
        self._paused_since = seen.whole_since if seen.paused else None
        # Whoever met a 429 has put the queue down himself and said so in the reason.
        put_down = seen.reason.startswith(THROTTLED)
        for seller_id, track in self._tracks.items():
            own = pace * weights[seller_id]
            if put_down or seller_id in self._refused:
                track.refused(now, own)
                continue
            if quiet:
                track.quiet(now, now - self._looked, own)
            if self._out_of_sight:
                track.uncounted(now, own)
            if seller_id in self._beside:
                track.called_beside(self._beside[seller_id], own)
        if put_down:
            self._weights_set = False  # so that the reason is set anew, and one 429 counts once
        self._refused.clear()
        self._beside.clear()
        self._out_of_sight = False
