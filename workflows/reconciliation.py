"""The daily reconciliation: Amazon's orders of a day against workflows and M3."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from canonical.activity_contracts import AuditInput
from canonical.alert_contracts import ALERTS_QUEUE, TELL_ALERTS, TellAlerts
from canonical.reconciliation import days_to_compare, needs_telling, period, shown, told
from canonical.schedule_contracts import RECONCILIATION, ReconciliationInput, ReconciliationResult
from workflows.audit import audit_period

_TELL: Final = timedelta(hours=1)
"""After this the result is where it stays: in the workflow, and in `o2c audit`."""


@workflow.defn(name=RECONCILIATION)
class Reconciliation:
    """Starts what is missing, reports what differs, and tells people of it."""

    @workflow.run
    async def run(self, start: ReconciliationInput) -> ReconciliationResult:
        """Compare the days since the last comparison that completed, at least `start.days`."""
        last: ReconciliationResult | None = workflow.get_last_completion_result(ReconciliationResult)
        since, until = days_to_compare(start, workflow.now(), last)
        workflow.set_current_details(f"Comparing Amazon's orders created {period(since, until)}.")
        report = await audit_period(
            AuditInput(
                seller_ids=start.seller_ids,
                created_after=since,
                created_before=until,
                tolerances=start.tolerances,
                start_missing=start.start_missing,
            )
        )
        result = ReconciliationResult(since=since, until=until, report=report)
        workflow.set_current_details(shown(result))
        if start.tell and needs_telling(report):
            await _tell(result)
        return result


async def _tell(result: ReconciliationResult) -> None:
    """A message that cannot be passed on must not make the comparison come to nothing."""
    try:
        await workflow.execute_activity(
            TELL_ALERTS,
            TellAlerts(report=told(result)),
            task_queue=ALERTS_QUEUE,
            schedule_to_close_timeout=_TELL,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary="Tell people what differs",
        )
    except ActivityError as error:
        workflow.logger.warning("reconciliation not told", extra={"error": type(error.cause).__name__})
