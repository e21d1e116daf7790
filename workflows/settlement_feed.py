"""One look for a seller's settlement reports: listed to the last page, downloaded once each, archived, started.

Amazon makes settlement reports unasked and lists them for 90 days. Every look goes over all of them; what was taken
in before is left out, so that a look that failed half way costs nothing but another one.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical.settlement_reports import (
    LIST_SETTLEMENT_REPORTS,
    LISTED_FOR_DAYS,
    SETTLEMENT_FEED,
    TAKE_IN_SETTLEMENT,
    FeedInput,
    FeedResult,
    ListedReports,
    ListReportsRequest,
    ReportOrigin,
    TakeInRequest,
    TakenIn,
)
from workflows.policies import AMAZON_GET_REPORT_DOCUMENT, AMAZON_GET_REPORTS, HEARTBEAT, seller_priority

_BEHIND = 4
_EDGE = timedelta(minutes=5)
"""Amazon refuses a period that begins a moment more than 90 days ago."""


@workflow.defn(name=SETTLEMENT_FEED)
class SettlementFeed:
    """See the module."""

    @workflow.run
    async def run(self, start: FeedInput) -> FeedResult:
        result = FeedResult(seller_id=start.seller_id)
        reports, result = await self._listed(start, result)
        # The oldest first: a settlement is compared with the one before it.
        for origin in sorted(reports, key=_end):
            result = await self._taken(origin, result)
        workflow.set_current_details(_said(result))
        return result

    async def _listed(self, start: FeedInput, result: FeedResult) -> tuple[list[ReportOrigin], FeedResult]:
        now = workflow.now()
        request = ListReportsRequest(
            seller_id=start.seller_id,
            report_types=start.report_types,
            since=now - timedelta(days=min(start.days, LISTED_FOR_DAYS)) + _EDGE,
        )
        found: dict[str, ReportOrigin] = {}
        while True:
            page: ListedReports = await workflow.execute_activity(
                LIST_SETTLEMENT_REPORTS,
                request,
                result_type=ListedReports,
                task_queue=AMAZON_GET_REPORTS.queue,
                start_to_close_timeout=AMAZON_GET_REPORTS.timeout,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=AMAZON_GET_REPORTS.retry,
                priority=seller_priority(start.seller_id, _BEHIND),
                summary=f"Page after {result.listed} reports",
            )
            found |= {origin.report_id: origin for origin in page.reports}
            listed, known = result.listed + len(page.reports) + page.known, result.known + page.known
            result = result.model_copy(update={"listed": listed, "known": known})
            if not page.next_token:
                return list(found.values()), result
            request = request.model_copy(update={"token": page.next_token})

    async def _taken(self, origin: ReportOrigin, result: FeedResult) -> FeedResult:
        """One report; one that does not come must not hold up the others."""
        try:
            taken: TakenIn = await workflow.execute_activity(
                TAKE_IN_SETTLEMENT,
                TakeInRequest(origin=origin),
                result_type=TakenIn,
                task_queue=AMAZON_GET_REPORT_DOCUMENT.queue,
                start_to_close_timeout=AMAZON_GET_REPORT_DOCUMENT.timeout,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=AMAZON_GET_REPORT_DOCUMENT.retry,
                priority=seller_priority(origin.seller_id, _BEHIND),
                summary=f"Take in report {origin.report_id}",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            said = error.cause.message if isinstance(error.cause, ApplicationError) else str(error)
            failed = TakenIn(report_id=origin.report_id, sentence=said)
            return result.model_copy(update={"failed": (*result.failed, failed)})
        return result.model_copy(update={"taken": (*result.taken, taken)})


def _end(origin: ReportOrigin) -> tuple[str, str]:
    return (origin.until.isoformat() if origin.until else "", origin.report_id)


def _said(result: FeedResult) -> str:
    started = sum(one.started for one in result.taken)
    lines = [
        f"Seller **{result.seller_id}**: {result.listed} settlement reports listed, {result.known} known, "
        f"{started} settlements started.",
        *(f"- {one.sentence}" for one in (*result.taken, *result.failed) if one.sentence),
    ]
    return "\n\n".join(lines)
