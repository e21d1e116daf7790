"""Settlement reports as activities: listed, downloaded once, archived, their settlements started, read and summed.

What starts workflows lies above this room and is handed in (`StartSettlement`).
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import httpx
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.amazon.client import AmazonClient
from activities.amazon.outcomes import asking_amazon
from activities.amazon.report_documents import DocumentExpired, DocumentIncomplete, download
from activities.amazon.reports import DONE, Report
from activities.archive import ArchiveError
from activities.errors import RetryLater
from activities.m3.settlements import ARCHIVE_AWAY, settling
from activities.settlement_files import SettlementFiles
from canonical import settlement_contracts as act
from canonical import settlement_reports as rep
from canonical.held import HeldReason, held
from canonical.marketplaces import by_sales_channel
from canonical.settlement.checks import book
from canonical.settlement.models import UnreadableSettlement
from canonical.settlement_ids import unread_settlement_subject

DOCUMENT_INCOMPLETE: Final = "document_incomplete"
"""ApplicationError type of what Temporal tries again."""
DAMAGED: Final = 5
"""Attempts after which a look goes on without a document."""
NOT_CONFIGURED: Final = "seller_not_configured"
"""ApplicationError type, not retried."""


class StartSettlement(Protocol):
    """Start the settlement's workflow, or tell the one that is there of another report; refused where another seller
    has the settlement."""

    async def __call__(self, subject: str, report: rep.ArchivedReport, /) -> rep.TakenIn: ...


class SettlementActivities:
    """Settlement reports of every configured seller. `http` downloads documents and stays the caller's."""

    def __init__(
        self,
        clients: Mapping[str, AmazonClient],
        files: SettlementFiles,
        http: httpx.AsyncClient,
        start: StartSettlement,
    ) -> None:
        self._clients = clients
        self._files = files
        self._http = http
        self._start = start

    @property
    def reading(self) -> Sequence[Callable[..., object]]:
        """What reads archived files: it takes a processor for seconds, and nothing else."""
        return (self.summarise_settlement, self.start_settlement)

    # --- the feed -------------------------------------------------------------------------------

    @activity.defn(name=rep.LIST_SETTLEMENT_REPORTS)
    async def list_settlement_reports(self, request: rep.ListReportsRequest) -> rep.ListedReports:
        """One page of the seller's settlement reports: one getReports call."""
        async with _asking(f"Settlement reports of seller {request.seller_id}"):
            page, token = await self._client(request.seller_id).reports.page(
                request.report_types, request.since, request.token
            )
            taken = await asyncio.to_thread(self._files.taken, request.seller_id)
            origins = [
                _origin(request.seller_id, one) for one in page if one.status == DONE and one.document_id
            ]
            fresh = [one for one in origins if self._files.taken_name(one.report_id) not in taken]
            return rep.ListedReports(reports=tuple(fresh), known=len(origins) - len(fresh), next_token=token)

    @activity.defn(name=rep.TAKE_IN_SETTLEMENT)
    async def take_in_settlement(self, request: rep.TakeInRequest) -> rep.TakenIn:
        """Archive a report and start its settlement: one getReportDocument call, none where it is archived already."""
        origin = request.origin
        subject = f"Settlement report {origin.report_id} of seller {origin.seller_id}"
        async with _asking(subject):
            kept = await asyncio.to_thread(self._files.kept, origin.seller_id, origin.report_id)
            report = kept or await self._archived(origin, subject)
            return await self._started(report)

    @activity.defn(name=rep.START_SETTLEMENT)
    async def start_settlement(self, request: rep.StartSettlementRequest) -> rep.TakenIn:
        """Start the settlement of a report that is in the archive."""
        async with _asking(f"Settlement report {request.report.origin.report_id}"):
            return await self._started(request.report)

    async def _archived(self, origin: rep.ReportOrigin, subject: str) -> rep.ArchivedReport:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "report"
            try:
                charset = await self._downloaded(origin, file)
            except (DocumentExpired, DocumentIncomplete) as error:
                said = str(error) or "its new address was no longer good either"
                sentence = f"{subject} did not come whole: {said}."
                if activity.info().attempt >= DAMAGED:  # the next look tries again
                    raise ApplicationError(sentence, type=DOCUMENT_INCOMPLETE, non_retryable=True) from None
                raise RetryLater(sentence, kind=DOCUMENT_INCOMPLETE) from None
            return await asyncio.to_thread(self._files.keep, origin, file, charset, datetime.now(UTC))

    async def _downloaded(self, origin: rep.ReportOrigin, file: Path) -> str:
        reports = self._client(origin.seller_id).reports
        document = await reports.document(origin.document_id, origin.report_type)
        try:
            return await download(self._http, document.url, file)
        except DocumentExpired:
            document = await reports.document(origin.document_id, origin.report_type)
            return await download(self._http, document.url, file)

    async def _started(self, report: rep.ArchivedReport) -> rep.TakenIn:
        """One workflow a settlement; a report whose header cannot be read has one of its own, which is held."""
        try:
            header = await asyncio.to_thread(self._files.header, report)
            subject = header.settlement_id
        except UnreadableSettlement:
            subject = unread_settlement_subject(report.origin.report_id)
        taken = await self._start(subject, report)
        if not taken.refused:  # the next look asks again: a person may have decided whose it is
            await asyncio.to_thread(self._files.note_taken, report.origin.seller_id, taken)
        return taken

    def _client(self, seller_id: str) -> AmazonClient:
        client = self._clients.get(seller_id)
        if client is None:
            raise ApplicationError(
                f"Seller {seller_id} is not in the configuration.", type=NOT_CONFIGURED, non_retryable=True
            )
        return client

    # --- one settlement -------------------------------------------------------------------------

    @activity.defn(name=act.SUMMARISE_SETTLEMENT)
    async def summarise_settlement(self, request: act.SummariseRequest) -> act.Summarised:
        """Read the archived report, sum it, and make its vouchers and checks.

        Held as settlement_unreadable where it cannot be read. Unknown combinations and a total that differs are told
        in the checks.
        """
        async with settling(request.ref):
            return await asyncio.to_thread(self._summarised, request)

    def _summarised(self, request: act.SummariseRequest) -> act.Summarised:
        ref, files = request.ref, self._files
        with files.opened(ref, request.report) as summed:
            settlement = summed.settlement
        previous = files.previous(ref, settlement)
        if not settlement.unknown and not settlement.difference:
            files.note_sums(ref, settlement)
        home = by_sales_channel(settlement.home)
        booking = book(settlement, files.rules.plan, previous)
        if booking.postable and not files.rules.plan.configured:
            raise held(
                HeldReason.NOT_CONFIGURED,
                f"Settlement {ref.subject} can be booked, and settlement.accounts says nothing of accounts.",
            )
        return act.Summarised(booking=booking, marketplace_id=home.id if home else "")


def _origin(seller_id: str, report: Report) -> rep.ReportOrigin:
    return rep.ReportOrigin(
        seller_id=seller_id,
        report_id=report.report_id,
        report_type=report.report_type,
        document_id=report.document_id,
        marketplace_ids=report.marketplace_ids,
        since=report.since,
        until=report.until,
        created=report.created,
    )


@contextlib.asynccontextmanager
async def _asking(subject: str) -> AsyncIterator[None]:
    async with asking_amazon(subject):
        try:
            yield
        except ArchiveError as error:
            raise RetryLater(f"{subject}: {error}", kind=ARCHIVE_AWAY) from error
