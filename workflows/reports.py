"""One report of Amazon's: awaited, and its document put into the archive."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    WorkflowAlreadyStartedError,
)
from temporalio.exceptions import TimeoutError as NotInTime

from canonical.ids import report_workflow_id
from canonical.import_contracts import (
    AWAIT_REPORT,
    CREATE_REPORT,
    FETCH_REPORT_DOCUMENT,
    IMPORT_REFUSED,
    REPORT,
    REPORT_FINISHED,
    AwaitReportRequest,
    CreateReportRequest,
    CreateReportResult,
    FetchDocumentRequest,
    FetchDocumentResult,
    ReportFinished,
    ReportInput,
    ReportResult,
    ReportWanted,
)
from workflows.policies import (
    AMAZON_CREATE_REPORT,
    AMAZON_GET_REPORT,
    AMAZON_GET_REPORT_DOCUMENT,
    BULK_PRIORITY,
    HEARTBEAT,
    seller_priority,
)

LONGEST: Final = timedelta(hours=24)
"""How long Amazon may take; what it says of reports is minutes to a few hours."""


async def ask_and_wait(seller_id: str, wanted: ReportWanted) -> ReportResult:
    """Ask Amazon for a report, and wait for it in a workflow of its own, which notifications find by its id."""
    created: CreateReportResult = await workflow.execute_activity(
        CREATE_REPORT,
        CreateReportRequest(seller_id=seller_id, wanted=wanted),
        result_type=CreateReportResult,
        task_queue=AMAZON_CREATE_REPORT.queue,
        start_to_close_timeout=AMAZON_CREATE_REPORT.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=AMAZON_CREATE_REPORT.retry,
        priority=seller_priority(seller_id, BULK_PRIORITY),
        summary=f"Ask for {wanted.report_type}",
    )
    report_id = created.report_id
    try:
        ended: ReportResult = await workflow.execute_child_workflow(
            REPORT,
            ReportInput(
                seller_id=seller_id, report_id=report_id, report_type=wanted.report_type, wanted=wanted
            ),
            id=report_workflow_id(seller_id, report_id),
            result_type=ReportResult,
            static_summary=f"{wanted.report_type} {report_id}",
        )
    except WorkflowAlreadyStartedError:
        raise refused(
            f"Another import waits for the same report {report_id}; run this one again after it."
        ) from None
    return ended


def why(error: FailureError) -> str:
    """The sentence of whoever failed first."""
    while isinstance(error.cause, FailureError):
        error = error.cause
    return error.message


def refused(sentence: str) -> ApplicationError:
    """The import cannot go on; the sentence is for the person who asked for it."""
    return ApplicationError(sentence, type=IMPORT_REFUSED, non_retryable=True)


@workflow.defn(name=REPORT)
class AmazonReport:
    """Waits until Amazon says that the report is finished, or looks itself every few minutes."""

    @workflow.init
    def __init__(self, start: ReportInput) -> None:
        self._start = start
        self._news: ReportFinished | None = None

    @workflow.signal(name=REPORT_FINISHED)
    def report_finished(self, news: ReportFinished | None = None) -> None:
        """Amazon's notification; one without content only lets the workflow look at once."""
        if news is None or news.report_id == self._start.report_id:
            self._news = news or ReportFinished(report_id=self._start.report_id, processing_status="")

    @workflow.run
    async def run(self, start: ReportInput) -> ReportResult:
        workflow.set_current_details(f"Waiting for Amazon's report {start.report_id}.")
        ended = await self._ended()
        if ended is None:
            return ReportResult(
                status="",
                sentence=f"Amazon has not finished report {start.report_id} within "
                f"{LONGEST.total_seconds() / 3600:.0f} hours; ask for it again.",
            )
        if ended.status == "CANCELLED" or not ended.document_id:
            return ended
        workflow.set_current_details(f"Fetching the document of report {start.report_id}.")
        document = await workflow.execute_activity(
            FETCH_REPORT_DOCUMENT,
            FetchDocumentRequest(
                seller_id=start.seller_id,
                report_id=start.report_id,
                report_type=start.report_type,
                document_id=ended.document_id,
                reason=ended.status != "DONE",
            ),
            result_type=FetchDocumentResult,
            task_queue=AMAZON_GET_REPORT_DOCUMENT.queue,
            start_to_close_timeout=AMAZON_GET_REPORT_DOCUMENT.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=AMAZON_GET_REPORT_DOCUMENT.retry,
            priority=seller_priority(start.seller_id, BULK_PRIORITY),
            summary="Fetch the document",
        )
        if ended.status != "DONE":
            said = document.excerpt.rstrip(".")
            return ended.model_copy(update={"sentence": f"{ended.sentence} Amazon's reason: {said}."})
        return ended.model_copy(update={"file": document.file})

    async def _ended(self) -> ReportResult | None:
        """How the report ended; None where it did not in time."""
        looking = asyncio.create_task(self._look())
        told = asyncio.create_task(workflow.wait_condition(lambda: self._news is not None))
        try:
            await workflow.wait((looking, told), return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                return looking.result()
        finally:
            looking.cancel()
            told.cancel()
        news = self._news
        if news is not None and news.processing_status == "DONE" and news.report_document_id:
            return ReportResult(
                status="DONE", document_id=news.report_document_id, report_id=self._start.report_id
            )
        return await self._look()

    async def _look(self) -> ReportResult | None:
        """Ask Amazon until the report has ended. The activity says itself when to look again, so that waiting
        leaves no trace in the history."""
        start = self._start
        try:
            ended: ReportResult = await workflow.execute_activity(
                AWAIT_REPORT,
                AwaitReportRequest(seller_id=start.seller_id, report_id=start.report_id, wanted=start.wanted),
                result_type=ReportResult,
                task_queue=AMAZON_GET_REPORT.queue,
                start_to_close_timeout=AMAZON_GET_REPORT.timeout,
                schedule_to_close_timeout=LONGEST,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=AMAZON_GET_REPORT.retry,
                priority=seller_priority(start.seller_id, BULK_PRIORITY),
                summary="Look whether the report is finished",
            )
        except ActivityError as error:
            if isinstance(error.cause, NotInTime):
                return None
            raise
        return ended
