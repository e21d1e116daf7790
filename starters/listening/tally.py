"""What became of the notifications: counted, and told one by one where they could not be read."""

from collections import Counter
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel


class Outcome(StrEnum):
    """What became of one message."""

    TOLD = "told"
    """The order's workflow has it; where there was none, it was started."""
    REPEATED = "repeated"
    """This listener delivered the same notification before."""
    PENDING = "pending"
    """Amazon has not released the order: its release is notified too, and the sweep sees it."""
    NO_SALE = "no_sale"
    """A multi-channel order, which is no sale at Amazon."""
    NOT_KNOWN = "not_known"
    """Cancelled before anybody here had begun it."""
    LATE = "late"
    """The order is closed; what is new about it comes with the next sweep."""
    AFTER_CLOSE = "after_close"
    """The order is closed and was cancelled at Amazon, or refunded: a workflow of its own carries that."""
    REPORT = "report"
    """The workflow that waits for the report was told."""
    NOT_OURS = "not_ours"
    """A report that somebody else asked for."""
    DELIVERY = "delivery"
    """The workflow of M3's delivery that Amazon fulfils was told."""
    ELSEWHERE = "elsewhere"
    """A fulfilment order that was made elsewhere, or whose workflow has ended."""
    REFUND = "refund"
    """A refund: it is read within minutes, with the others that are notified until then."""
    STOCK = "stock"
    """The stock keeper was told of a quantity or a feed."""
    NO_KEEPER = "no_keeper"
    """It is the stock keeper's and none runs: when one starts, it asks Amazon."""
    LATER = "later"
    """Kept in the archive for what this service does not do yet."""
    UNKNOWN = "unknown"
    """Kept in the archive: a type without a route."""
    FOREIGN = "foreign"
    """Kept in the archive: of a seller that is not configured."""
    DEAD = "dead"
    """It cannot be read and is in the dead-letter queue."""
    LEFT = "left"
    """Handling it met an error of our own; it is still in the queue and comes again."""


class Listened(BaseModel):
    """The sum of one listener's work."""

    messages: int
    outcomes: dict[Outcome, int]
    types: dict[str, int]


class Tally:
    """Counts, by outcome and by notification type."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._types: Counter[str] = Counter()

    def add(self, outcome: Outcome, kind: str) -> None:
        self._outcomes[outcome] += 1
        self._types[kind or "unreadable"] += 1

    def sum(self) -> Listened:
        return Listened(
            messages=self._outcomes.total(),
            outcomes={outcome: self._outcomes[outcome] for outcome in Outcome if self._outcomes[outcome]},
            types=dict(sorted(self._types.items())),
        )


class DeadLetter(BaseModel):
    """One message of the dead-letter queue, without its content: that may be personal."""

    message_id: str
    since: datetime
    reason: str
    type: str
    size: int
