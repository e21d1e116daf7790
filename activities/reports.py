"""Amazon's reports as Temporal activities: ask for one, look whether it is finished, fetch its document."""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import structlog
from temporalio import activity

from activities.amazon.client import AmazonClient
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.outcomes import PATIENCE, asking_amazon
from activities.amazon.report_documents import DocumentExpired, DocumentIncomplete, download, unpack
from activities.amazon.reports import CANCELLED, DONE, ENDED, FATAL, Report
from activities.archive import Archive
from activities.errors import RetryLater
from activities.imports import archived, refused
from canonical.import_contracts import (
    AWAIT_REPORT,
    CREATE_REPORT,
    FETCH_REPORT_DOCUMENT,
    AwaitReportRequest,
    CreateReportRequest,
    CreateReportResult,
    FetchDocumentRequest,
    FetchDocumentResult,
    FileWanted,
    ReportResult,
)

NOT_FINISHED: Final = "report_not_finished"
DOCUMENT_INCOMPLETE: Final = "document_incomplete"
"""ApplicationError types of what Temporal tries again."""
DAMAGED: Final = 5
"""Attempts after which a damaged document is believed to be damaged at Amazon."""
FIRST_LOOK: Final = timedelta(seconds=15)
LONGEST_LOOK: Final = timedelta(minutes=5)
EARLIER: Final = timedelta(days=1)
"""How far back an earlier report of the same kind is looked for: Amazon makes a daily one again after hours."""
RECENT: Final = timedelta(minutes=15)
"""How far back a report is looked for that this service asked for without hearing the answer."""
EXCERPT: Final = 300
"""Characters of Amazon's reason."""

_log = structlog.get_logger(__name__)


class ReportActivities:
    """Reports of every configured seller. `http` downloads documents and stays the caller's."""

    def __init__(
        self, clients: Mapping[str, AmazonClient], archive: Archive, http: httpx.AsyncClient
    ) -> None:
        self._clients = clients
        self._archive = archive
        self._http = http

    @activity.defn(name=CREATE_REPORT)
    async def create_report(self, request: CreateReportRequest) -> CreateReportResult:
        """Ask for a report: one createReport call. After a lost answer, the report that was made is found again
        (one getReports call) instead of being asked for twice."""
        wanted = request.wanted
        async with _asking(f"Report {wanted.report_type} of seller {request.seller_id}"):
            client = self._client(request.seller_id)
            if activity.info().attempt > 1:
                made = await client.reports.recent(wanted, client.now() - RECENT)
                alive = [report for report in made if report.status not in (CANCELLED, FATAL)]
                if alive:
                    return CreateReportResult(report_id=alive[0].report_id)
            return CreateReportResult(report_id=await client.reports.create(wanted))

    @activity.defn(name=AWAIT_REPORT)
    async def await_report(self, request: AwaitReportRequest) -> ReportResult:
        """How the report ended; until it has, Temporal looks again: one getReport call each.

        Amazon cancels a report that has no data, and one that was asked for a short while ago: where an earlier
        one of the same period is there (one getReports call), it is the answer.
        """
        async with _asking(f"Report {request.report_id} of seller {request.seller_id}"):
            client = self._client(request.seller_id)
            report = await client.reports.get(request.report_id)
            if report.status not in ENDED:
                raise RetryLater(
                    f"Amazon's report {report.report_id} is {report.status}.",
                    kind=NOT_FINISHED,
                    delay=min(FIRST_LOOK * 2 ** min(activity.info().attempt - 1, 10), LONGEST_LOOK),
                    expected=True,
                )
            if report.status == CANCELLED:
                return await self._cancelled(client, request)
            return _ended(report)

    @activity.defn(name=FETCH_REPORT_DOCUMENT)
    async def fetch_report_document(self, request: FetchDocumentRequest) -> FetchDocumentResult:
        """Put the document into the archive, unpacked: one getReportDocument call, and another where the address
        was no longer good. A document that is cut off is fetched again, never kept."""
        subject = f"The document of report {request.report_id} of seller {request.seller_id}"
        async with _asking(subject):
            client = self._client(request.seller_id)
            with tempfile.TemporaryDirectory() as folder:
                packed, plain = Path(folder) / "packed", Path(folder) / "plain"
                try:
                    charset = await self._download(client, request, packed)
                    await asyncio.to_thread(unpack, packed, plain)
                except DocumentIncomplete as error:
                    raise _incomplete(subject, str(error)) from None
                except DocumentExpired:
                    raise _incomplete(subject, "its new address was no longer good either") from None
                key = _document_key(request)
                await asyncio.to_thread(self._archive.upload, plain, key)
                excerpt = _excerpt(plain) if request.reason else ""
            return FetchDocumentResult(file=FileWanted(key=key, charset=charset), excerpt=excerpt)

    @property
    def all(self) -> Sequence[Callable[..., object]]:
        """Each belongs to the queue of its operation."""
        return (self.create_report, self.await_report, self.fetch_report_document)

    async def _download(self, client: AmazonClient, request: FetchDocumentRequest, file: Path) -> str:
        document = await client.reports.document(request.document_id, request.report_type)
        try:
            return await download(self._http, document.url, file)
        except DocumentExpired:
            _log.info("report_document_expired", report_id=request.report_id)
        document = await client.reports.document(request.document_id, request.report_type)
        return await download(self._http, document.url, file)

    async def _cancelled(self, client: AmazonClient, request: AwaitReportRequest) -> ReportResult:
        nothing = ReportResult(
            status=CANCELLED,
            sentence=f"Amazon cancelled report {request.report_id}: there is no new data in this period.",
        )
        if request.wanted is None:
            return nothing
        for report in await client.reports.recent(request.wanted, client.now() - EARLIER, (DONE,)):
            if report.report_id != request.report_id and report.document_id:
                sentence = (
                    f"Amazon cancelled report {request.report_id}, since it had made {report.report_id} of the "
                    "same period; that one was taken."
                )
                return _ended(report).model_copy(update={"sentence": sentence})
        return nothing

    def _client(self, seller_id: str) -> AmazonClient:
        client = self._clients.get(seller_id)
        if client is None:
            raise refused(f"Seller {seller_id} is not in the configuration.")
        return client


@contextlib.asynccontextmanager
async def _asking(subject: str) -> AsyncIterator[None]:
    """Like `asking_amazon`; what Amazon refuses about a report again and again ends the import."""
    async with asking_amazon(subject), archived(beating=False):
        try:
            yield
        except AmazonError as error:
            final = error.failure in (Failure.REFUSED, Failure.NOT_FOUND)
            if final and activity.info().attempt >= PATIENCE:
                raise refused(f"{subject}: {error.sentence}") from None
            raise


def _ended(report: Report) -> ReportResult:
    sentence = "" if report.status == DONE else f"Amazon could not make report {report.report_id}."
    return ReportResult(
        status=report.status,
        document_id=report.document_id,
        sentence=sentence,
        report_id=report.report_id,
        created_at=report.created,
    )


def _incomplete(subject: str, why: str) -> Exception:
    sentence = f"{subject} did not come whole: {why}."
    if activity.info().attempt >= DAMAGED:
        return refused(f"{sentence} It was fetched {DAMAGED} times; ask for the report again.")
    return RetryLater(sentence, kind=DOCUMENT_INCOMPLETE)


def _document_key(request: FetchDocumentRequest) -> str:
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", request.document_id)
    return f"reports/{request.seller_id}/{request.report_type}/{request.report_id}-{safe}.txt"


def _excerpt(file: Path) -> str:
    with file.open("rb") as stream:
        text = stream.read(4 * EXCERPT).decode(errors="replace")
    return " ".join(text.split())[:EXCERPT]
