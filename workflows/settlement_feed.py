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
    SETTLEMENT_V1,
    TAKE_IN_SETTLEMENT,
    FeedInput,
    FeedResult,
    ListedReports,
    ListReportsRequest,
    ReportOrigin,
    TakeInRequest,
    TakenIn,
)
from workflows import settlement_texts as texts
from workflows.alarms import tell_people
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
        if not result.listed and SETTLEMENT_V1 not in start.report_types:
            _, old = await self._listed(start.model_copy(update={"report_types": (SETTLEMENT_V1,)}), result)
            result = result.model_copy(update={"advice": texts.only_old(old.listed)})
        # The oldest first: a settlement is compared with the one before it.
        for origin in sorted(reports, key=_end):
            result = await self._taken(origin, result)
        workflow.set_current_details(_said(result))
        await _tell_refused(result)
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
        if taken.refused:
            return result.model_copy(update={"failed": (*result.failed, taken)})
        return result.model_copy(update={"taken": (*result.taken, taken)})


async def _tell_refused(result: FeedResult) -> None:
    """People are told once, not by the next look of the same schedule: of a settlement that another seller has, and
    that no report which Amazon lists is looked for."""
    last: FeedResult | None = workflow.get_last_completion_result(FeedResult)
    known = {one.report_id for one in last.failed} if last is not None else set()
    fresh = [one for one in result.failed if one.refused and one.report_id not in known]
    if fresh:
        await tell_people(texts.of_another(result.seller_id, fresh), "Tell people of refused settlements")
    if result.advice and not (last is not None and last.advice):
        await tell_people(texts.not_looked_for(result), "Tell people of settlements that are not looked for")


def _end(origin: ReportOrigin) -> tuple[str, bool, str]:
    """Of one settlement's reports the older flat file comes last."""
    until = origin.until.isoformat() if origin.until else ""
    return until, origin.report_type == SETTLEMENT_V1, origin.report_id


def _said(result: FeedResult) -> str:
    started = sum(one.started for one in result.taken)
    lines = [
        f"Seller **{result.seller_id}**: {result.listed} settlement reports listed, {result.known} known, "
        f"{started} settlements started.",
        *([result.advice] if result.advice else []),
        *(f"- {one.sentence}" for one in (*result.taken, *result.failed) if one.sentence),
    ]
    return "\n\n".join(lines)
