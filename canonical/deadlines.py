"""Own shipments against Amazon's latest ship date: who is told what, and how often.

An order that is late costs the account's health, and only before the moment passes can anybody do something. People
are told once when it comes near and once when it has passed; in between the list is theirs to look at.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.alert_contracts import AlertMessage, Severity
from canonical.steps import Step

DEADLINES: Final = "Deadlines"
"""Workflow type: a look at own shipments that are due."""
READ_DUE: Final = "read_due"
"""Activity: own shipments that are due."""

NAMED: Final = 15
MOST_REMEMBERED: Final = 5000
FORGOTTEN_AFTER: Final = timedelta(days=30)

SHIPPED: Final = frozenset({Step.INVOICE, Step.LEDGER, Step.CANCELLING, Step.CLOSED})
"""Steps at which nothing of the order is left to be confirmed, or it is taken back."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class DueOrder(_Contract):
    """An own shipment that is due and not confirmed to Amazon."""

    workflow_id: str
    seller_id: str
    order_id: str
    ship_by: datetime
    step: str
    held_reason: str = ""
    m3_order: str = ""

    def late(self, now: datetime) -> bool:
        return self.ship_by <= now


class ReadDue(_Contract):
    """Own shipments whose latest ship date comes before `until`."""

    until: datetime
    limit: int = 1000


class DueOrders(_Contract):
    orders: tuple[DueOrder, ...] = ()
    """The most urgent first."""
    complete: bool = True


class DeadlinesInput(_Contract):
    """A look at deadlines."""

    ahead: timedelta = timedelta(hours=24)
    """How long before its latest ship date an order is at risk."""


class ToldOf(_Contract):
    """What people were told of an order's deadline."""

    ship_by: datetime
    late: bool


class DeadlinesResult(_Contract):
    """The schedule's memory."""

    told: dict[str, ToldOf] = {}
    """By workflow id."""
    at_risk: int = 0
    late: int = 0


def news(
    due: Sequence[DueOrder], told: Mapping[str, ToldOf], now: datetime
) -> tuple[tuple[DueOrder, ...], tuple[DueOrder, ...]]:
    """Orders of which people have not been told yet: those at risk, and those that have become late since. A deadline
    that Amazon moved is a new one."""
    soon: list[DueOrder] = []
    late: list[DueOrder] = []
    for order in due:
        known = told.get(order.workflow_id)
        fresh = known is None or known.ship_by != order.ship_by
        if order.late(now):
            if fresh or (known is not None and not known.late):
                late.append(order)
        elif fresh:
            soon.append(order)
    return tuple(soon), tuple(late)


def remembered(
    due: Sequence[DueOrder], told: Mapping[str, ToldOf], now: datetime, *, complete: bool
) -> dict[str, ToldOf]:
    """What people know by now. Orders that are no longer due are forgotten, unless not all could be seen."""
    kept = {} if complete else {key: one for key, one in told.items() if one.ship_by > now - FORGOTTEN_AFTER}
    kept |= {order.workflow_id: ToldOf(ship_by=order.ship_by, late=order.late(now)) for order in due}
    latest = sorted(kept.items(), key=lambda pair: pair[1].ship_by, reverse=True)
    return dict(latest[:MOST_REMEMBERED])


def message(soon: Sequence[DueOrder], late: Sequence[DueOrder], now: datetime) -> AlertMessage:
    """One message about all of them; the late ones first."""
    counts = [f"{len(late)} late" if late else "", f"{len(soon)} due soon" if soon else ""]
    title = f"Own shipments: {', '.join(part for part in counts if part)}"
    lines = [line(order, now) for order in [*late, *soon][:NAMED]]
    rest = len(late) + len(soon) - len(lines)
    if rest > 0:
        lines.append(f"... and {rest} more.")
    body = "\n".join([*lines, "", "All of them: o2c due"])
    return AlertMessage(title=title, body=body, severity=Severity.FAILURE if late else Severity.WARNING)


def line(order: DueOrder, now: datetime) -> str:
    """One order in one line."""
    held = f", held for {order.held_reason}" if order.held_reason else ""
    m3 = f", M3 order {order.m3_order}" if order.m3_order else ", not in M3"
    when = f"{order.ship_by.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{order.order_id}: ship by {when} ({left(order, now)}), step {order.step}{held}{m3}"


def left(order: DueOrder, now: datetime) -> str:
    """How much time is left, or how late it is."""
    span = abs(order.ship_by - now)
    hours, minutes = int(span.total_seconds() // 3600), int(span.total_seconds() % 3600 // 60)
    text = f"{hours // 24} d {hours % 24} h" if hours >= 48 else f"{hours} h {minutes:02d} min"
    return f"{text} late" if order.late(now) else f"{text} left"
