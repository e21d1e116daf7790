"""One look for what Amazon did to a seller's stock: its ledger asked for, and what is new in it handed to corrections.

Looks overlap, since Amazon tells adjustments late; what a look took in is remembered and counts once. The mark is the
result of the last look that completed. People are told of a report that does not come, and the next look reaches back
over it.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception

from canonical.fba_ledger import ADJUSTMENTS, LEDGER_DETAIL
from canonical.import_contracts import FileWanted, ReportWanted
from canonical.report_alerts import ADJUSTMENTS_LOOK, not_told
from canonical.stock import fba_contracts as act
from canonical.stock.fba_alerts import unread_lines
from canonical.stock.fba_ids import fba_correction_workflow_id
from workflows import policies
from workflows import search_attributes as sa
from workflows.alarms import tell_people
from workflows.calls import Calls
from workflows.policies import seller_priority
from workflows.reports import ask_and_wait, why

_LONGEST: Final = timedelta(days=540)
"""Amazon tells eighteen months back."""
_ZONES: Final = timedelta(days=1)
"""A day at a centre may begin a day earlier than in UTC."""
_BEHIND: Final = 4


class FbaAdjustmentsCalls(Calls):
    """Activities of one look, named by `canonical.stock.fba_contracts`."""

    async def read(self, file: FileWanted, begin: date | None) -> act.LedgerRead:
        request = act.ReadLedgerRequest(seller_id=self._seller_id, file=file, begin=begin)
        name, result = act.READ_FBA_LEDGER, act.LedgerRead
        return await self._call(name, request, result, policies.READING, "Read Amazon's ledger")

    async def note(self, read: act.LedgerRead) -> act.NoteTakenResult:
        request = act.NoteTakenRequest(seller_id=self._seller_id, subject=read.subject, key=read.key)
        name, result = act.NOTE_FBA_TAKEN, act.NoteTakenResult
        return await self._call(name, request, result, policies.READING, "Remember what was taken in")


@workflow.defn(name=act.FBA_ADJUSTMENTS)
class FbaAdjustments:
    """See the module."""

    @workflow.run
    async def run(self, start: act.FbaAdjustmentsInput) -> act.FbaAdjustmentsResult:
        now = workflow.now()
        last: act.FbaAdjustmentsResult | None = workflow.get_last_completion_result(act.FbaAdjustmentsResult)
        done = last.until if last is not None else now
        since = start.since or _day_of(max(min(done, now) - start.look_back, now - _LONGEST))
        if start.begin is not None:
            since = max(since, datetime.combine(start.begin, time(), tzinfo=UTC) - _ZONES)
        workflow.set_current_details(f"Waiting for Amazon's inventory ledger since {since:%Y-%m-%d}.")
        result = act.FbaAdjustmentsResult(seller_id=start.seller_id, until=now)
        try:
            wanted = ReportWanted(
                report_type=LEDGER_DETAIL,
                marketplace_ids=start.marketplace_ids,
                since=since,
                until=start.until,
                options={"eventType": ADJUSTMENTS},
            )
            ended = await ask_and_wait(start.seller_id, wanted)
            if ended.file is not None:
                result = await self._taken_in(start, result, ended.file)
            elif ended.status == "CANCELLED":  # Amazon's word for a report without data
                result = result.model_copy(update={"sentence": ended.sentence})
            else:
                result = await _missing(start, result, done, since, ended.sentence)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            result = await _missing(start, result, done, since, why(error))
        workflow.set_current_details(_said(result))
        return result

    async def _taken_in(
        self, start: act.FbaAdjustmentsInput, result: act.FbaAdjustmentsResult, file: FileWanted
    ) -> act.FbaAdjustmentsResult:
        """Hand what is new to a workflow of its own, and only then remember it as taken in."""
        calls = FbaAdjustmentsCalls(start.seller_id, _BEHIND)
        read = await calls.read(file, start.begin)
        result = result.model_copy(update={"read": read})
        await _tell_unread(start.seller_id, read)
        if not read.adjustments:
            return result
        workflow_id = fba_correction_workflow_id(start.seller_id, read.subject)
        try:
            await workflow.start_child_workflow(
                act.FBA_CORRECTION,
                act.FbaCorrectionInput(
                    seller_id=start.seller_id,
                    subject=read.subject,
                    key=read.key,
                    adjustments=read.adjustments,
                ),
                id=workflow_id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                search_attributes=sa.of_case(start.seller_id),
                priority=seller_priority(start.seller_id, _BEHIND),
                static_summary=f"Stock corrections, {read.adjustments} adjustments",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("fba correction known", extra={"subject": read.subject})
        await calls.note(read)
        return result.model_copy(update={"workflow_id": workflow_id})


async def _tell_unread(seller_id: str, read: act.LedgerRead) -> None:
    """People are told once of a line, not by each look that reads it again."""
    last: act.FbaAdjustmentsResult | None = workflow.get_last_completion_result(act.FbaAdjustmentsResult)
    known = {_without_line(remark) for remark in last.read.remarks} if last is not None else set()
    fresh = [remark for remark in read.remarks if _without_line(remark) not in known]
    if fresh:
        await tell_people(unread_lines(seller_id, fresh), "Tell people of lines that cannot be read")


def _without_line(remark: str) -> str:
    """The number of a line is another in each report."""
    return remark.partition(": ")[2]


async def _missing(
    start: act.FbaAdjustmentsInput,
    result: act.FbaAdjustmentsResult,
    done: datetime,
    since: datetime,
    sentence: str,
) -> act.FbaAdjustmentsResult:
    """People are told, and the next look begins where this one did."""
    message = not_told(ADJUSTMENTS_LOOK, start.seller_id, {LEDGER_DETAIL: sentence}, since)
    await tell_people(message, "Tell people which report is missing")
    return result.model_copy(update={"until": done, "sentence": sentence})


def _day_of(moment: datetime) -> datetime:
    """The beginning of its day, so that no line of a day is told without the others."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)


def _said(result: act.FbaAdjustmentsResult) -> str:
    read = result.read
    handed = f" Carried by `{result.workflow_id}`." if result.workflow_id else ""
    lines = [
        f"Seller **{result.seller_id}**: {read.adjustments} new adjustments of Amazon's stock, {read.known} known, "
        f"{read.unreadable} lines unreadable.{handed} {result.sentence}",
        *(f"- {remark}" for remark in read.remarks),
    ]
    return "\n\n".join(lines)
