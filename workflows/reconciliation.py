"""The daily reconciliation: Amazon's orders of a day against workflows and M3."""

from temporalio import workflow

from canonical.audit_contracts import AuditInput
from canonical.reconciliation import days_to_compare, needs_telling, period, shown, told
from canonical.schedule_contracts import RECONCILIATION, ReconciliationInput, ReconciliationResult
from workflows.alarms import tell_people
from workflows.audit import audit_period


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
                refund_tolerance=start.refund_tolerance,
            )
        )
        result = ReconciliationResult(since=since, until=until, report=report)
        workflow.set_current_details(shown(result))
        if start.tell and needs_telling(report):
            await tell_people(told(result), "Tell people what differs")
        return result
