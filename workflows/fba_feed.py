"""One look at the shipments that Amazon made of a seller's orders: its report asked for, and every order told.

Looks overlap, and a shipment met again changes nothing. The mark is the result of the last look that completed. People
are told of a report that does not come, and the next look reaches back over it.
"""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.fba_contracts import (
    FBA_FEED,
    FULFILLED_SHIPMENTS,
    TELL_FBA_SHIPMENTS,
    FbaFeedInput,
    FbaFeedResult,
    TellFbaShipmentsRequest,
    TellFbaShipmentsResult,
)
from canonical.import_contracts import FileWanted, ReportWanted
from canonical.report_alerts import SHIPMENTS_LOOK, not_told
from workflows.alarms import tell_people
from workflows.policies import HEARTBEAT, TELLING, seller_priority
from workflows.reports import ask_and_wait, why

_LONGEST: Final = timedelta(days=30)
"""What Amazon puts into one report of this type."""
_BEHIND: Final = 4


@workflow.defn(name=FBA_FEED)
class FbaFeed:
    """See the module."""

    @workflow.run
    async def run(self, start: FbaFeedInput) -> FbaFeedResult:
        if start.file is not None:
            result = FbaFeedResult(until=workflow.now(), told=await self._tell(start, start.file))
        else:
            result = await self._asked(start)
        told = result.told
        lines = [
            f"{told.shipments} shipments of {told.orders} orders read: {told.told} orders told, {told.known} knew "
            f"them, {told.after_close} closed with less, {told.unknown} without a workflow. {result.sentence}",
            *(f"- {remark}" for remark in told.remarks),
        ]
        workflow.set_current_details("\n\n".join(lines))
        return result

    async def _asked(self, start: FbaFeedInput) -> FbaFeedResult:
        now = workflow.now()
        last: FbaFeedResult | None = workflow.get_last_completion_result(FbaFeedResult)
        done = last.until if last is not None else now
        since = max(min(done, now) - start.look_back, now - _LONGEST)
        workflow.set_current_details("Waiting for Amazon's report of its shipments.")
        wanted = ReportWanted(
            report_type=FULFILLED_SHIPMENTS, marketplace_ids=start.marketplace_ids, since=since
        )
        try:
            ended = await ask_and_wait(start.seller_id, wanted)
            if ended.file is not None:
                return FbaFeedResult(until=now, told=await self._tell(start, ended.file))
            sentence = ended.sentence
            if ended.status == "CANCELLED":  # Amazon's word for a report without data
                return FbaFeedResult(until=now, sentence=sentence)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            sentence = why(error)
        message = not_told(SHIPMENTS_LOOK, start.seller_id, {FULFILLED_SHIPMENTS: sentence}, since)
        await tell_people(message, "Tell people which report is missing")
        return FbaFeedResult(until=done, sentence=sentence)

    async def _tell(self, start: FbaFeedInput, file: FileWanted) -> TellFbaShipmentsResult:
        told: TellFbaShipmentsResult = await workflow.execute_activity(
            TELL_FBA_SHIPMENTS,
            TellFbaShipmentsRequest(seller_id=start.seller_id, file=file),
            result_type=TellFbaShipmentsResult,
            task_queue=ORDERS_QUEUE,
            start_to_close_timeout=TELLING.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=TELLING.retry,
            priority=seller_priority(start.seller_id, _BEHIND),
            summary="Tell orders what Amazon shipped",
        )
        return told
