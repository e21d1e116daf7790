"""The keeper's arithmetic against exact models of the server's limiter and of Amazon's bucket."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.quota_level import Paces, Plan, dispatched_at_most, full, later, pace_for
from canonical.quota_track import Seen, Track

GET_ORDER = Plan(0.5, 30)
SEARCH_ORDERS = Plan(0.0056, 20)
CONFIRM_SHIPMENT = Plan(2.0, 10)
GET_REPORT = Plan(2.0, 15)
INVENTORY = Plan(2.0, 2)
STEP = 0.05


@dataclass
class Limiter:
    """The server's: GCRA with a second of credit (service/matching/matcher_data.go, simpleLimiter)."""

    pace: float
    ready: float = 0.0

    def set(self, pace: float, now: float) -> None:
        self.pace = pace
        self.ready = min(self.ready, now + 1 / pace + 1)

    def take(self, now: float) -> bool:
        if self.ready > now:
            return False
        self.ready = max(now, self.ready + 1) - 1 + 1 / self.pace
        return True


@dataclass
class Bucket:
    """Amazon's."""

    plan: Plan
    level: float
    refused: int = 0
    taken: int = 0
    at: float = 0.0
    lowest: float = 1e9

    def call(self, now: float) -> None:
        self.level = min(self.plan.burst, self.level + (now - self.at) * self.plan.rate)
        self.at = now
        if self.level < 1:
            self.refused += 1
            return
        self.level -= 1
        self.taken += 1
        self.lowest = min(self.lowest, self.level)


@dataclass
class Counter:
    """The server's count: seven buckets of five seconds (service/matching/task_tracker.go)."""

    start: float
    moments: list[float] = field(default_factory=list)

    def rate(self, now: float) -> float:
        into = (now - self.start) % 5
        window = min(into + 30, now - self.start)
        if window <= 0:
            return 0.0
        return sum(moment >= now - window for moment in self.moments[-4000:]) / window


@dataclass
class Run:
    """A queue, its limiter, Amazon's bucket and a keeper, step by step."""

    plan: Plan
    seed: int = 0
    jitter: float = 0.0
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.limiter = Limiter(self.plan.pace)
        self.bucket = Bucket(self.plan, self.plan.burst, at=self.now)
        self.counter = Counter(self.now - self.random.uniform(0, 5))
        self.track = Track.untouched(self.plan, self.plan.pace, self.now)
        self.backlog = 0.0
        self.due = self.now
        self.told = (self.now, 0.0)
        self.arriving: list[float] = []
        self.dispatched = 0

    def go(self, seconds: float, load: float = 1e9, *, leaderless: bool = False) -> None:
        """`load` calls a second come into the queue; without a leader the pace stays as it is."""
        end = self.now + seconds
        while self.now < end:
            self.backlog = min(self.backlog + load * STEP, 10_000.0)
            while self.backlog >= 1 and self.limiter.take(self.now):
                self.backlog -= 1
                self.counter.moments.append(self.now)
                self.dispatched += 1
                self.arriving.append(self.now + self.random.uniform(0, self.jitter))
            for moment in sorted(self.arriving):
                if moment <= self.now:
                    self.bucket.call(self.now)
                    self.arriving.remove(moment)
            if self.now >= self.due and not leaderless:
                self.tick()
            self.now += STEP

    def tick(self) -> None:
        if self.now - self.told[0] > 5:
            self.told = (self.now, self.counter.rate(self.now))
        wanted = self.track.look(self.now, Seen(pace=self.limiter.pace, dispatch_rate=self.told[1]))
        # A call on its way counts as made; what flows in meanwhile is lost to a full bucket.
        on_its_way = self.plan.rate * self.jitter + 1e-6
        assert self.track.known.level <= self.level + on_its_way, (self.now, self.track.known, self.level)
        if wanted != self.limiter.pace:
            self.track.changed(self.now, self.now, wanted)
            self.limiter.set(wanted, self.now)
        self.due = self.now + self.random.uniform(1.8, 2.4)

    @property
    def level(self) -> float:
        return min(self.plan.burst, self.bucket.level + (self.now - self.bucket.at) * self.plan.rate)

    def dies(self, load: float) -> None:
        """The leader dies; another takes over from what the last heartbeat said."""
        said, pace = self.track.known, self.limiter.pace
        self.go(8, load)
        pace = max(pace, self.limiter.pace)
        self.go(self.random.uniform(1, 12), load, leaderless=True)
        self.track = Track.resumed(self.plan, pace, said)


PLANS = [GET_ORDER, SEARCH_ORDERS, CONFIRM_SHIPMENT, GET_REPORT]


@pytest.mark.parametrize("plan", PLANS)
def test_lasting_load_uses_the_burst_and_is_never_refused(plan: Plan) -> None:
    run = Run(plan)
    seconds = 900.0
    run.go(seconds)
    assert run.bucket.refused == 0
    most = plan.rate * seconds + plan.burst
    assert run.bucket.taken >= most - plan.reserve - 4
    assert run.limiter.pace == pytest.approx(plan.rate)


def test_a_burst_smaller_than_the_credit_of_the_limiter_is_not_overdrawn() -> None:
    run = Run(INVENTORY)
    for _ in range(5):
        run.go(60)
        run.go(30, load=0)
    assert run.bucket.refused == 0
    assert run.bucket.taken >= 300  # one a second of two


@pytest.mark.parametrize("plan", PLANS)
def test_a_quiet_spell_gives_the_burst_back(plan: Plan) -> None:
    run = Run(plan)
    run.go(300)
    before = run.bucket.taken
    run.go(plan.burst / plan.rate, load=0)
    run.backlog = 0
    run.go(60)
    assert run.bucket.refused == 0
    assert run.bucket.taken - before >= plan.rate * 60 + plan.burst / 2 - plan.reserve


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("plan", PLANS)
def test_no_load_and_no_death_of_a_leader_is_answered_429(plan: Plan, seed: int) -> None:
    run = Run(plan, seed=seed, jitter=run_jitter(seed))
    for _ in range(12):
        load = run.random.choice([0, 0.3, 0.7, 0.9, 1.1, 3, 1e9]) * plan.rate
        if run.random.random() < 0.3:
            run.dies(load)
        run.go(run.random.uniform(1, 90), load)
        if run.random.random() < 0.3:
            run.backlog = 0
    assert run.bucket.refused == 0


def run_jitter(seed: int) -> float:
    return (0.0, 0.5, 1.0)[seed % 3]


def test_after_a_429_the_bucket_fills_again_under_load() -> None:
    run = Run(GET_ORDER)
    run.go(120)
    run.bucket.level = 0.0
    run.track.refused(run.now, run.limiter.pace)
    run.go(4)
    assert run.limiter.pace < GET_ORDER.rate
    run.go(300)
    refused = run.bucket.refused
    run.go(300)
    assert run.bucket.refused == refused
    assert run.limiter.pace == pytest.approx(GET_ORDER.rate)
    assert run.level >= GET_ORDER.reserve


def test_calls_beside_the_queue_are_taken_off() -> None:
    run = Run(GET_ORDER)
    run.go(60, load=0)
    run.tick()
    before = run.track.known
    run.track.called_beside(5, run.limiter.pace)
    assert run.track.known.level == before.level - 5
    for _ in range(5):
        run.bucket.call(run.now)
    run.go(200)
    assert run.bucket.refused == 0


def test_a_time_without_workers_counts_as_quiet() -> None:
    run = Run(GET_ORDER)
    run.go(120)
    said, pace = run.track.known, run.limiter.pace
    run.now += 600
    run.track = Track.resumed(GET_ORDER, pace, said)
    run.track.quiet(run.now, 590, pace)
    assert run.track.known.level == pytest.approx(30)
    run.due = run.now
    run.go(120)
    assert run.bucket.refused == 0


def test_a_count_is_never_less_than_what_was_called() -> None:
    assert [dispatched_at_most(calls / window) for calls, window in ((0, 30), (1, 30), (1, 34.9), (6, 30))] == [
        0, 1, 1, 7,
    ]  # fmt: skip


@given(st.floats(0.01, 20), st.floats(-20, 30), st.floats(0.01, 20))
def test_a_pace_is_never_below_nine_tenths_and_never_empties_the_bucket_within_half_the_window(
    rate: float, spare: float, current: float
) -> None:
    plan = Plan(rate, 30)
    pace = pace_for(plan, spare, current)
    assert pace >= 0.9 * plan.pace
    if pace > plan.rate:
        assert (pace - plan.rate) * 15 <= spare - plan.reserve + 1e-6


def test_paces_are_cut_where_they_change() -> None:
    paces = Paces([(0.0, 1.0), (10.0, 2.0), (20.0, 0.5)])
    assert paces.between(5, 25) == [(5, 1.0), (10, 2.0), (5, 0.5)]
    paces.forget(12)
    assert paces.marks == [(10.0, 2.0), (20.0, 0.5)]
    known = later(full(GET_ORDER, 1.0, 0.0), GET_ORDER, Paces([(0.0, 1.0)]), 10.0)
    assert known.level == pytest.approx(23)
    assert known.spare == pytest.approx(24)
