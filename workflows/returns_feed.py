"""One look at what Amazon tells of refunds and returns, and at what own warehouses received.

It only turns pages and files over to activities, which tell every case before they return: a look that ends half
way has lost nothing, and looks may overlap, since facts count once.
"""

from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.return_contracts import (
    NUDGE_RETURN_CASES,
    RETURNS_FEED,
    TELL_REFUNDS_PAGE,
    TELL_RETURN_REPORT,
    NudgeRequest,
    ReturnsFeedInput,
    ReturnsFeedResult,
    TellRefundsPageRequest,
    TellReturnReportRequest,
    ToldCases,
)
from workflows.policies import AMAZON_LIST_TRANSACTIONS, HEARTBEAT, TELLING, seller_priority

_LOOK_BACK: Final = timedelta(days=7)
_WINDOW: Final = timedelta(days=179)
"""Amazon leaves a window of more than 180 days empty."""
_BEHIND: Final = 4


@workflow.defn(name=RETURNS_FEED)
class ReturnsFeed:
    """See the module."""

    @workflow.run
    async def run(self, start: ReturnsFeedInput) -> ReturnsFeedResult:
        refunds = await self._refunds(start) if start.refunds else ToldCases()
        reports: dict[str, ToldCases] = {}
        for report in start.reports:
            told = await self._report(start.seller_id, report)
            reports[report.report_type] = reports.get(report.report_type, ToldCases()).plus(told)
        nudged = await self._nudge(start.seller_id) if start.nudge else 0
        return ReturnsFeedResult(refunds=refunds, reports=reports, nudged=nudged)

    async def _refunds(self, start: ReturnsFeedInput) -> ToldCases:
        until = start.posted_before or workflow.now()
        after = start.posted_after or until - _LOOK_BACK
        total = ToldCases()
        while after < until:
            before = min(after + _WINDOW, until)
            total = total.plus(await self._window(start.seller_id, after=after, before=before))
            after = before
        return total

    async def _window(self, seller_id: str, *, after: datetime, before: datetime) -> ToldCases:
        request = TellRefundsPageRequest(seller_id=seller_id, posted_after=after, posted_before=before)
        total = ToldCases()
        while True:
            workflow.set_current_details(f"Reading refunds of seller {seller_id}: {total.facts} so far.")
            page: ToldCases = await workflow.execute_activity(
                TELL_REFUNDS_PAGE,
                request,
                result_type=ToldCases,
                task_queue=AMAZON_LIST_TRANSACTIONS.queue,
                start_to_close_timeout=AMAZON_LIST_TRANSACTIONS.timeout,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=AMAZON_LIST_TRANSACTIONS.retry,
                priority=seller_priority(seller_id, _BEHIND),
                summary=f"Page after {total.facts} refunds",
            )
            total = total.plus(page)
            if not page.next_token:
                return total
            request = request.model_copy(update={"token": page.next_token})

    async def _report(self, seller_id: str, report: TellReturnReportRequest) -> ToldCases:
        told: ToldCases = await workflow.execute_activity(
            TELL_RETURN_REPORT,
            report,
            result_type=ToldCases,
            task_queue=ORDERS_QUEUE,
            start_to_close_timeout=TELLING.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=TELLING.retry,
            priority=seller_priority(seller_id, _BEHIND),
            summary=f"Tell the cases of {report.report_type}",
        )
        return told

    async def _nudge(self, seller_id: str) -> int:
        nudged: int = await workflow.execute_activity(
            NUDGE_RETURN_CASES,
            NudgeRequest(seller_id=seller_id),
            result_type=int,
            task_queue=ORDERS_QUEUE,
            start_to_close_timeout=TELLING.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=TELLING.retry,
            summary="Let waiting cases look in M3",
        )
        return nudged
