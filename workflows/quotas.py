"""Keeping Amazon's quotas: one workflow, whose one activity runs on one worker at a time.

So Temporal elects the keeper: when its worker dies, the heartbeat stops and another worker goes on from its last
words. What other processes meet (a 429, another rate, calls beside the queue) they signal here; the keeper asks.
"""

from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy

from canonical.quota_contracts import (
    BOOK,
    KEEP_QUEUES,
    KEEP_QUOTAS,
    QUOTAS_QUEUE,
    TOLD,
    KeeperState,
    KeepQuotasInput,
    QuotaBook,
    QuotaNews,
)

_HEARTBEAT: Final = timedelta(seconds=10)
"""How long a dead keeper goes unnoticed; a raised pace is safe for 15 seconds (canonical.quota_level)."""
_LONGEST: Final = timedelta(hours=2)
_LONG_HISTORY: Final = 1000
_RETRY: Final = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0)


@workflow.defn(name=KEEP_QUOTAS)
class KeepQuotas:
    """Started by every worker; the first one wins."""

    @workflow.init
    def __init__(self, start: KeepQuotasInput) -> None:
        self._book = start.book
        self._state = start.state

    @workflow.run
    async def run(self, start: KeepQuotasInput) -> None:
        """Live for ever, in runs of a bounded history."""
        while True:
            self._show()
            self._state = await workflow.execute_activity(
                KEEP_QUEUES,
                self._state,
                result_type=KeeperState,
                task_queue=QUOTAS_QUEUE,
                start_to_close_timeout=_LONGEST,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRY,
                summary="Set the paces of Amazon's queues",
            )
            info = workflow.info()
            if info.is_continue_as_new_suggested() or info.get_current_history_length() > _LONG_HISTORY:
                workflow.continue_as_new(KeepQuotasInput(book=self._book, state=self._state))

    @workflow.signal(name=TOLD, description="What a process met when it called Amazon; sent by workers.")
    def told(self, *arguments: object) -> None:
        """Never fails: what is no news is left out."""
        try:
            news = QuotaNews.model_validate(arguments[0] if arguments else None)
        except ValidationError:
            workflow.logger.warning("quota signal ignored")
            return
        self._book = self._book.with_news(news)
        self._show()

    @workflow.query(name=BOOK, description="429s, other rates and calls beside the queues, as told so far.")
    def book(self) -> QuotaBook:
        return self._book

    def _show(self) -> None:
        book = self._book
        lines = [
            "Keeps the paces of Amazon's task queues. What is sure of each bucket is the heartbeat of the pending",
            "activity below; `o2c quotas` shows it.",
        ]
        if not book.throttled:
            lines += ["", "Amazon has refused no call for its quota (429)."]
        else:
            lines += ["", "| operation and seller | answers 429 | last |", "| --- | --- | --- |"]
            lines += [
                f"| {key} | {calls} | {book.last_throttled[key]:%Y-%m-%d %H:%M:%S} |"
                for key, calls in sorted(book.throttled.items())
            ]
        lines += [
            f"- Amazon named {told.rate:g} calls a second for {key} at {told.at:%Y-%m-%d %H:%M}."
            for key, told in sorted(book.rates.items())
        ]
        workflow.set_current_details("\n".join(lines))
