"""One look at what Amazon tells of refunds and returns, and at what own warehouses received.

It only turns pages and files over to activities, which tell every case before they return: a look that ends half
way has lost nothing, and looks may overlap, since facts count once. By the clock a look reads refunds and asks Amazon
for its reports; it begins behind the end of the last one that completed. Told of refunds by notifications, it gathers
them for a few minutes and reads refunds alone.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.import_contracts import ReportWanted
from canonical.report_alerts import RETURNS_LOOK, not_told
from canonical.return_contracts import (
    NUDGE_RETURN_CASES,
    REFUND_POSTED,
    RETURNS_FEED,
    TELL_REFUNDS_PAGE,
    TELL_RETURN_REPORT,
    NudgeRequest,
    RefundPosted,
    ReturnsFeedInput,
    ReturnsFeedResult,
    TellRefundsPageRequest,
    TellReturnReportRequest,
    ToldCases,
)
from workflows.alarms import tell_people
from workflows.policies import AMAZON_LIST_TRANSACTIONS, HEARTBEAT, TELLING, seller_priority
from workflows.reports import ask_and_wait, why

_WINDOW: Final = timedelta(days=179)
"""Amazon leaves a window of more than 180 days empty."""
_REPORT_WINDOW: Final = timedelta(days=30)
"""What Amazon puts into one report at most, of the types that say so."""
_SETTLED: Final = timedelta(minutes=5)
"""Amazon refuses an end that is younger than two minutes."""
_BEFORE_POSTED: Final = timedelta(minutes=10)
"""How far a look begins before the first refund that was notified."""
_BEHIND: Final = 4


@workflow.defn(name=RETURNS_FEED)
class ReturnsFeed:
    """See the module."""

    @workflow.init
    def __init__(self, start: ReturnsFeedInput) -> None:
        self._posted = start.posted

    @workflow.signal(name=REFUND_POSTED)
    def refund_posted(self, news: RefundPosted) -> None:
        """Amazon notified a refund: it is read with all others that are notified meanwhile."""
        self._posted = news.posted if self._posted is None else min(self._posted, news.posted)

    @workflow.run
    async def run(self, start: ReturnsFeedInput) -> ReturnsFeedResult:
        if start.wait is not None:
            workflow.set_current_details("Gathering refunds that Amazon notifies.")
            await workflow.sleep(start.wait)
        posted, self._posted = self._posted, None
        until = start.posted_before or workflow.now()
        after = self._beginning(start, until, posted)
        refunds, unread = await self._refunded(start, after, until)
        nudged = await self._nudge(start.seller_id) if start.nudge else 0
        reports: dict[str, ToldCases] = {}
        for report in start.reports:
            told = await self._report(start.seller_id, report)
            reports[report.report_type] = reports.get(report.report_type, ToldCases()).plus(told)
        since = max(after, until - _REPORT_WINDOW)
        asked = await asyncio.gather(*(self._asked(start, kind, since) for kind in start.ask))
        reports |= {kind: told for kind, told, _ in asked}
        if start.wait is not None and self._posted is not None and unread is None:
            # notified while the others were read
            workflow.continue_as_new(start.model_copy(update={"posted": self._posted}))
        absent = {kind: " ".join(told.remarks) for kind, told, came in asked if not came}
        complete = not absent
        if absent or unread is not None:
            begin, reason = (since, "") if unread is None else (after, why(unread))
            message = not_told(RETURNS_LOOK, start.seller_id, absent, begin, refunds=reason)
            await tell_people(message, "Tell people what is missing")
        workflow.set_current_details(_said(start.seller_id, after, until, refunds, reports))
        if unread is not None:
            raise unread
        return ReturnsFeedResult(
            refunds=refunds,
            reports=reports,
            nudged=nudged,
            until=until if complete else after + start.look_back,  # the next look begins where this one did
        )

    @staticmethod
    def _beginning(start: ReturnsFeedInput, until: datetime, posted: datetime | None) -> datetime:
        if start.posted_after is not None:
            return start.posted_after
        if posted is not None:
            return max(min(posted, until) - _BEFORE_POSTED, until - start.look_back)
        last: ReturnsFeedResult | None = workflow.get_last_completion_result(ReturnsFeedResult)
        done = last.until if last is not None and last.until is not None else until
        return min(done, until) - start.look_back

    async def _refunded(
        self, start: ReturnsFeedInput, after: datetime, until: datetime
    ) -> tuple[ToldCases, ActivityError | None]:
        """What became of the refunds, and why they could not all be read: that holds up no report, and fails the look
        at its end."""
        if not start.refunds:
            return ToldCases(), None
        try:
            return await self._refunds(start.seller_id, after=after, until=until), None
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return ToldCases(remarks=(why(error),)), error

    async def _refunds(self, seller_id: str, *, after: datetime, until: datetime) -> ToldCases:
        total = ToldCases()
        while after < until:
            before = min(after + _WINDOW, until)
            total = total.plus(await self._window(seller_id, after=after, before=before))
            after = before
        return total

    async def _window(self, seller_id: str, *, after: datetime, before: datetime) -> ToldCases:
        end = before if before <= workflow.now() - _SETTLED else None
        request = TellRefundsPageRequest(seller_id=seller_id, posted_after=after, posted_before=end)
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

    async def _asked(
        self, start: ReturnsFeedInput, report_type: str, since: datetime
    ) -> tuple[str, ToldCases, bool]:
        """Type, what became of a report that Amazon is asked for, and whether all of it is told. One report that
        does not come must not hold up the others."""
        made_at = workflow.now()
        wanted = ReportWanted(report_type=report_type, marketplace_ids=start.marketplace_ids, since=since)
        try:
            ended = await ask_and_wait(start.seller_id, wanted)
            if ended.file is None:
                nothing = ended.status == "CANCELLED"
                remarks = () if nothing else (ended.sentence,)
                return report_type, ToldCases(remarks=remarks), nothing
            request = TellReturnReportRequest(
                seller_id=start.seller_id, report_type=report_type, file=ended.file, made_at=made_at
            )
            return report_type, await self._report(start.seller_id, request), True
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return report_type, ToldCases(remarks=(why(error),)), False

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


def _said(
    seller_id: str, after: datetime, until: datetime, refunds: ToldCases, reports: dict[str, ToldCases]
) -> str:
    lines = [
        f"Seller **{seller_id}**: what Amazon tells of {after:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC."
    ]
    for name, told in (("Refunds", refunds), *reports.items()):
        lines.append(
            f"{name}: {told.facts} facts; {told.started} cases begun, {told.told} told, {told.known} knew it."
        )
        lines += [f"- {remark}" for remark in told.remarks]
    return "\n\n".join(lines)
