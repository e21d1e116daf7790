"""The words of alerting: what an order tells, what people are sent, and what the alerts workflow remembers.

No personal data: everything here is built from a hold, which has none. No secret either: a target is known by
its name; its address stays with the activity that sends.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

ALERTS_QUEUE: Final = "o2c-alerts"
"""Telling people; apart from every other queue, so that a slow mail server delays no order."""

ALERTS: Final = "Alerts"
"""Workflow type of the one workflow that decides who is told what, and when."""

TELL_ALERTS: Final = "tell_alerts"
READ_HELD: Final = "read_held"
SEND_ALERT: Final = "send_alert"

NOT_DELIVERED: Final = "not_delivered"
"""ApplicationError type: the target did not take the message; its text is a sentence without a secret."""
UNKNOWN_TARGET: Final = "unknown_target"
"""ApplicationError type, not retried: the configuration knows no target of this name any more."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class HeldNotice(_Contract):
    """A workflow is held: all that a person has to be told."""

    workflow_id: str
    run_id: str
    order_id: str
    seller_id: str
    reason: str
    sentence: str
    step: str
    since: datetime
    command: str
    """The command line of the first repair that fits."""
    skus: tuple[str, ...] = ()
    noun: str = "order"
    """What a person calls it."""


class TellAlerts(_Contract):
    """What the alerts are told; exactly one is set."""

    held: HeldNotice | None = None
    released: str = ""
    """The reason for which the order is no longer held."""
    report: "AlertMessage | None" = None
    """A message about no held order, such as the daily reconciliation's: sent as it is, once."""


class Stage(_Contract):
    """A step of escalation: `targets` are told when an outage has lasted for `after`."""

    after: timedelta
    targets: tuple[str, ...]


class AlertRules(_Contract):
    """The configuration as the alerts workflow needs it."""

    targets: tuple[str, ...] = ()
    """Who is told of first occurrences and of gathered ones; nobody where there is no target."""
    window: timedelta = timedelta(minutes=15)
    """Repeats of a reason within it are gathered into one message."""
    stages: tuple[Stage, ...] = ()
    digest_targets: tuple[str, ...] = ()
    next_digest: datetime | None = None
    web_ui: str = ""
    namespace: str = "default"


class Severity(StrEnum):
    """How a message looks where the target knows colours; the names are apprise's."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class AlertMessage(_Contract):
    """What is sent, the same to every target."""

    title: str
    body: str
    severity: Severity


class SendAlert(_Contract):
    """One message for one target."""

    target: str
    message: AlertMessage


class Delivery(_Contract):
    """A message on its way to one target."""

    id: int
    target: str
    message: AlertMessage
    created: datetime
    tries: int = 0
    """Failed rounds so far; a round is a few attempts."""
    due: datetime | None
    """When it is tried next; None while it is being tried."""
    error: str = ""


class Group(_Contract):
    """What is known of one reason since it was first told."""

    reason: str
    opened: datetime
    heard: int = 1
    """How often an order told of it."""
    heard_at: datetime
    due: datetime
    """When to look next."""
    told_at: datetime
    """When the last message was made."""
    unsaid: int = 0
    """Orders that told of it since then."""
    pending: tuple[str, ...] = ()
    """Workflow ids of the first few hundred of them."""
    asking: int = 0
    """How many of them the look under way asks for; none where the reason is not due."""
    notices: tuple[HeldNotice, ...] = ()
    """The first few of them, whom the next message names."""
    stage: int = 0
    """Stages of escalation reached; only outages have any."""
    most: int = 0
    """The most orders held at once that a look has seen."""


class Digest(_Contract):
    """The daily summary as it was decided."""

    at: datetime
    held: int
    sent: bool


class AlertsState(_Contract):
    """Everything the alerts workflow remembers; bounded, however many orders are held."""

    rules: AlertRules = AlertRules()
    groups: dict[str, Group] = {}
    outbox: tuple[Delivery, ...] = ()
    lost: tuple[Delivery, ...] = ()
    """The last ones that were given up."""
    delivered: int = 0
    given_up: int = 0
    next_id: int = 1
    nudge: datetime | None = None
    """When to look because an order was released."""
    released_at: datetime | None = None
    digest_due: datetime | None = None
    last_digest: Digest | None = None
    asked: datetime | None = None
    """When the look that is under way was asked for."""


class ReadHeld(_Contract):
    """A question to visibility: what is held now?"""

    now: datetime
    """The workflow's time, from which the next digest is reckoned."""
    named: tuple[str, ...] = ()
    """Workflow ids of which the caller wants to know whether they are still held."""


class ReasonSeen(_Contract):
    """What visibility says of one reason."""

    total: int = 0
    oldest: datetime | None = None
    first: tuple[str, ...] = ()
    """Orders (or workflow ids) held longest."""
    still: tuple[str, ...] = ()
    """Those of `ReadHeld.named` that are held for this reason."""


class HeldNow(_Contract):
    """The answer: every held workflow, counted by reason."""

    reasons: dict[str, ReasonSeen] = {}
    complete: bool = True
    """False where more were held than were read."""
    next_digest: datetime | None = None


class AlertsView(_Contract):
    """Answer of the query `known`."""

    rules: AlertRules
    groups: tuple[Group, ...] = ()
    undelivered: tuple[Delivery, ...] = ()
    """On the way, or waiting for another try."""
    lost: tuple[Delivery, ...] = ()
    delivered: int = 0
    given_up: int = 0
    next_digest: datetime | None = None
    last_digest: Digest | None = None
