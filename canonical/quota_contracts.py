"""The words between whoever calls Amazon, the workflow that keeps the quotas, and the keeper at work."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

QUOTAS_QUEUE: Final = "o2c-quotas"
"""The keeper alone: one activity at a time over all workers."""
KEEP_QUOTAS: Final = "KeepQuotas"
"""Workflow type."""
KEEP_QUEUES: Final = "keep_queues"
"""Activity: sets the paces of the queues for an hour, then hands on."""
TOLD: Final = "told"
"""Signal: QuotaNews."""
BOOK: Final = "book"
"""Query: QuotaBook."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class BucketName(_Contract):
    """Amazon keeps one bucket for each seller and operation."""

    seller_id: str
    operation: str

    @property
    def key(self) -> str:
        """As a key of JSON objects."""
        return f"{self.operation}/{self.seller_id}"


class Throttled(BucketName):
    """Amazon answered 429."""

    calls: int
    at: datetime


class CalledBeside(BucketName):
    """Calls that did not come out of the operation's queue one by one: repeated within an activity, or made by one
    of another queue."""

    calls: int


class RateTold(BucketName):
    """x-amzn-RateLimit-Limit, where it is not the rate that is configured."""

    rate: float
    """Calls per second."""
    at: datetime


class QuotaNews(_Contract):
    """What one process has met since it last told."""

    throttled: tuple[Throttled, ...] = ()
    beside: tuple[CalledBeside, ...] = ()
    rates: tuple[RateTold, ...] = ()


class QuotaBook(_Contract):
    """Everything told so far, by `BucketName.key`; counts only grow."""

    throttled: dict[str, int] = {}
    last_throttled: dict[str, datetime] = {}
    beside: dict[str, int] = {}
    rates: dict[str, RateTold] = {}

    def with_news(self, news: QuotaNews) -> "QuotaBook":
        """The book after `news`."""
        throttled, last = dict(self.throttled), dict(self.last_throttled)
        beside, rates = dict(self.beside), dict(self.rates)
        for refusal in news.throttled:
            throttled[refusal.key] = throttled.get(refusal.key, 0) + refusal.calls
            last[refusal.key] = refusal.at
        for calls in news.beside:
            beside[calls.key] = beside.get(calls.key, 0) + calls.calls
        for told in news.rates:
            rates[told.key] = told
        return QuotaBook(throttled=throttled, last_throttled=last, beside=beside, rates=rates)


class BucketState(_Contract):
    """What is sure of one bucket (canonical.quota_level.Known)."""

    at: float
    level: float
    spare: float
    granted: float
    """Calls per second."""


class QueueState(_Contract):
    """One queue as its keeper left it."""

    pace: float
    """Limit per fairness key, calls per second."""
    sellers: dict[str, BucketState]


class KeeperState(_Contract):
    """What the next keeper goes on from."""

    queues: dict[str, QueueState] = {}
    throttled: dict[str, int] = {}
    beside: dict[str, int] = {}
    """Counts of the book that are taken into account."""


class KeepQuotasInput(_Contract):
    """What a run of the workflow begins with."""

    book: QuotaBook = QuotaBook()
    state: KeeperState | None = None
    """None: nothing is known, and every bucket is taken as full."""
