"""Quotas and queues as Prometheus metrics, by the SDK's own exporter (worker.metrics_address)."""

from temporalio.common import MetricMeter

from worker.quota.limits import Rates


class QuotaGauges:
    """What the keeper sees, for whoever watches.

    A gauge keeps its last value when the keeper moves to another process: only those of the process whose
    `o2c_quota_keeper` is 1 are true. Times are in seconds, rates in calls per second.
    """

    def __init__(self, meter: MetricMeter) -> None:
        self._keeper = meter.create_gauge("o2c_quota_keeper", "1 where this process keeps the quotas")
        self._backlog = meter.create_gauge("o2c_queue_backlog", "Tasks that wait in the queue")
        self._oldest = meter.create_gauge_float(
            "o2c_queue_oldest_seconds", "How long the first of them waits"
        )
        self._dispatched = meter.create_gauge_float("o2c_queue_dispatch_rate", "Tasks let out per second")
        self._pace = meter.create_gauge_float(
            "o2c_queue_pace", "Limit per seller as it is set, tasks per second; of M3, of the whole queue"
        )
        self._paused = meter.create_gauge("o2c_queue_paused", "1 where somebody has paused the queue")
        self._level = meter.create_gauge_float("o2c_quota_level", "Calls that are surely in Amazon's bucket")
        self._granted = meter.create_gauge_float("o2c_quota_granted", "Calls per second that Amazon grants")
        self._throttled = meter.create_counter("o2c_amazon_throttled", "Answers 429")

    def keeper(self, *, at_work: bool) -> None:
        """Whether this process keeps the quotas."""
        self._keeper.set(int(at_work))

    def queue(self, seen: Rates) -> None:
        """One queue as the server describes it."""
        names = {"queue": seen.queue}
        self._backlog.set(seen.backlog, names)
        self._oldest.set(seen.oldest.total_seconds(), names)
        self._dispatched.set(seen.dispatch_rate, names)
        self._paused.set(int(seen.paused), names)
        pace = seen.whole if seen.per_fairness_key is None else seen.per_fairness_key
        if pace is not None:
            self._pace.set(pace, names)

    def bucket(self, operation: str, seller_id: str, level: float, granted: float) -> None:
        """One seller's bucket."""
        names = {"operation": operation, "seller": seller_id}
        self._level.set(level, names)
        self._granted.set(granted, names)

    def throttled(self, operation: str, seller_id: str) -> None:
        """Amazon answered 429 to this process."""
        self._throttled.add(1, {"operation": operation, "seller": seller_id})
