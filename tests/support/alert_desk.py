"""The rules of alerting played through without Temporal: a clock, orders that are held, targets that may be down.

Visibility is played too, with its delay: a look answers what was true `lag` ago.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from canonical import alert_outbox as outbox
from canonical import alerts
from canonical.alert_contracts import (
    AlertMessage,
    AlertRules,
    AlertsState,
    HeldNotice,
    HeldNow,
    ReadHeld,
    ReasonSeen,
    Stage,
)

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
RULES = AlertRules(
    targets=("operations",),
    window=WINDOW,
    stages=(
        Stage(after=timedelta(minutes=15), targets=("operations",)),
        Stage(after=timedelta(hours=1), targets=("operations", "lead")),
        Stage(after=timedelta(hours=4), targets=("lead",)),
    ),
    digest_targets=("operations",),
    web_ui="http://127.0.0.1:8233",
)


@dataclass(frozen=True)
class Posted:
    """A message as it was put on its way."""

    at: datetime
    target: str
    message: AlertMessage


@dataclass
class Held:
    """One order's time of being held."""

    reason: str
    since: datetime
    until: datetime | None = None


@dataclass
class Desk:
    """Plays the part of the workflow: acts when something was said or is due."""

    rules: AlertRules = RULES
    lag: timedelta = timedelta(0)
    daily: timedelta | None = None
    """How long after a look the next digest is due; none is no digest."""
    now: datetime = START
    state: AlertsState = field(default_factory=AlertsState)
    holds: dict[str, list[Held]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    posted: list[Posted] = field(default_factory=list)
    arrived: list[Posted] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        rules = self.rules.model_copy(update={"next_digest": self.daily and self.now + self.daily})
        self.state = alerts.configured(AlertsState(), rules, self.now)

    def hold(self, order: str, reason: str, *, told: bool = True) -> None:
        """The order becomes held (again)."""
        self.release(order, told=True)
        self.holds.setdefault(order, []).append(Held(reason, self.now))
        if told:
            self._become(alerts.heard(self.state, notice(order, reason, self.now), self.now))
        self._act()

    def release(self, order: str, *, told: bool = True) -> None:
        """The order goes on; untold where it was terminated, or its word was lost."""
        last = self.held(order)
        if last is None:
            return
        last.until = self.now
        if told:
            self._become(alerts.released(self.state, last.reason, self.now))
        self._act()

    def held(self, order: str) -> Held | None:
        """The order's hold that has not ended."""
        last = self.holds.get(order, [])[-1:]
        return last[0] if last and last[0].until is None else None

    def held_for(self, reason: str, at: datetime) -> list[str]:
        """The orders that were held for `reason` at a moment."""
        return [
            order
            for order, holds in self.holds.items()
            if any(
                one.reason == reason and one.since <= at and (one.until is None or one.until > at)
                for one in holds
            )
        ]

    def held_for_any(self) -> list[str]:
        """The orders that are held now."""
        return [order for order in self.holds if self.held(order)]

    def wait(self, span: timedelta) -> None:
        """Let time pass; whatever is due meanwhile is done when it is due."""
        end = self.now + span
        kept = AlertsState.model_validate_json(self.state.model_dump_json())
        assert kept == self.state, "A new run would begin with another state."
        for _ in range(10_000):
            self._act()
            due = alerts.next_due(self.state)
            if due is None or due > end:
                self.now = end
                return
            self.now = max(due, self.now)
        raise AssertionError(f"It never comes to rest: {self.state}")

    def _act(self) -> None:
        for _ in range(100):
            self._become(alerts.quietened(self.state, self.now))
            question = alerts.question(self.state, self.now)
            due = outbox.due_deliveries(self.state, self.now)
            if question is None and not due:
                return
            if question is not None:
                self.looks += 1
                self._become(alerts.asked(self.state, self.now))
                self._become(alerts.looked(self.state, self._see(question), self.now))
            for delivery in due:
                self._become(outbox.sending(self.state, delivery.id))
                if delivery.target in self.down:
                    error = f"The alert target {delivery.target} answered HTTP 503."
                    self._become(outbox.not_sent(self.state, delivery.id, error, self.now))
                else:
                    self.arrived.append(Posted(self.now, delivery.target, delivery.message))
                    self._become(outbox.sent(self.state, delivery.id))
        raise AssertionError(f"It never comes to rest: {self.state}")

    def _see(self, question: ReadHeld) -> HeldNow:
        at = self.now - self.lag
        reasons = {one.reason for holds in self.holds.values() for one in holds}
        seen = {}
        for reason in reasons:
            orders = self.held_for(reason, at)
            if orders:
                oldest = min(one.since for order in orders for one in self.holds[order])
                seen[reason] = ReasonSeen(
                    total=len(orders),
                    oldest=oldest,
                    first=tuple(orders[:3]),
                    still=tuple(order for order in orders if order in question.named),
                )
        return HeldNow(reasons=seen, next_digest=self.daily and question.now + self.daily)

    def _become(self, state: AlertsState) -> None:
        new = [one for one in state.outbox if one.id >= self.state.next_id]
        self.posted += [Posted(one.created, one.target, one.message) for one in new]
        self.state = state


def notice(order: str, reason: str, since: datetime) -> HeldNotice:
    """What an order tells; its workflow id is its order id here."""
    return HeldNotice(
        workflow_id=order,
        run_id="run",
        order_id=order,
        seller_id="A2EUSELLER0001",
        reason=reason,
        sentence=f"Amazon order {order}: something is wrong with it.",
        step="sales_order",
        since=since,
        command=f"o2c fix {order} retry",
    )
