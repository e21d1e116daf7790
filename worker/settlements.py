"""Settlements on Temporal: each started once, whatever reports of it come, and whichever seller hands them in."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.archive import Archive
from activities.settlement_files import SettlementFiles, SettlementRules
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.settlement_contracts import REPORT_CAME, SETTLEMENT, SettlementInput, SettlementResult
from canonical.settlement_ids import settlement_workflow_id
from canonical.settlement_reports import ArchivedReport, Claim, TakenIn
from canonical.steps import Step
from worker.settings import Settings
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_BEHIND: Final = 4
_LEFT_BEHIND: Final = timedelta(hours=1)
"""A claim that is not granted by then is of a process that ended in between."""


def settlement_files(settings: Settings, archive: Archive) -> SettlementFiles:
    """The archived settlement reports, with the configured rules."""
    wanted = settings.settlement
    return SettlementFiles(
        archive,
        SettlementRules(book=wanted.book, plan=wanted.plan, zone=wanted.zone),
        {seller_id: seller.marketplaces for seller_id, seller in settings.sellers.items()},
    )


class SettlementsOnTemporal:
    """The settlements' workflows as the activities and the starters see them."""

    def __init__(self, client: Client, files: SettlementFiles) -> None:
        self._client = client
        self._files = files

    async def start(self, subject: str, report: ArchivedReport) -> TakenIn:
        """Start the settlement; one that is under way is told of the report, one that is closed is not opened again,
        one that another seller has is refused.

        Raises RPCError, ArchiveError.
        """
        seller_id, report_id = report.origin.seller_id, report.origin.report_id
        other = await self._claimed(subject, seller_id, report_id) if subject.isdecimal() else None
        if other is not None:
            return _refused(subject, report, other)
        workflow_id = settlement_workflow_id(seller_id, subject)
        taken = TakenIn(
            report_id=report_id,
            settlement_id=subject if subject.isdecimal() else "",
            workflow_id=workflow_id,
        )
        try:
            await self._client.start_workflow(
                SETTLEMENT,
                SettlementInput(seller_id=seller_id, subject=subject, report=report),
                id=workflow_id,
                task_queue=ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(sa.SELLER, seller_id),
                        SearchAttributePair(sa.STEP, Step.RECEIVED.value),
                    ]
                ),
                static_summary=f"Settlement {subject}",
                priority=seller_priority(seller_id, _BEHIND),
            )
        except WorkflowAlreadyStartedError:
            return taken.model_copy(update={"sentence": await self._told(workflow_id, subject, report)})
        return taken.model_copy(update={"started": True})

    async def _claimed(self, settlement_id: str, seller_id: str, report_id: str) -> Claim | None:
        """The claim of the other seller who has the settlement. One that came to nothing is no claim."""
        wanted = Claim(seller_id=seller_id, report_id=report_id, at=datetime.now(UTC))
        other = await asyncio.to_thread(self._files.claim, settlement_id, wanted)
        if other is not None and await self._void(settlement_id, other):
            await asyncio.to_thread(self._files.release, settlement_id, other)
            other = await asyncio.to_thread(self._files.claim, settlement_id, wanted)
        return other

    async def _void(self, settlement_id: str, claim: Claim) -> bool:
        """Whether a person gave the other seller's settlement up before anything was posted, or it never began."""
        handle = self._client.get_workflow_handle(
            settlement_workflow_id(claim.seller_id, settlement_id), result_type=SettlementResult
        )
        try:
            described = await handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return not claim.granted and datetime.now(UTC) - claim.at > _LEFT_BEHIND
        if described.status is not WorkflowExecutionStatus.COMPLETED:
            return False
        ended: SettlementResult = await handle.result()
        return ended.outcome == "cancelled" and not ended.posted

    async def _told(self, workflow_id: str, subject: str, report: ArchivedReport) -> str:
        """What becomes of a further report of a settlement that is known."""
        handle = self._client.get_workflow_handle(workflow_id)
        described = await handle.describe()
        if described.status is WorkflowExecutionStatus.RUNNING:
            try:
                await handle.signal(REPORT_CAME, report)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            else:
                return f"Report {report.origin.report_id} is of settlement {subject}, which is under way."
        return f"Report {report.origin.report_id} is of settlement {subject}, which is closed: nothing is posted twice."


def _refused(settlement_id: str, report: ArchivedReport, other: Claim) -> TakenIn:
    seller_id, report_id = report.origin.seller_id, report.origin.report_id
    return TakenIn(
        report_id=report_id,
        settlement_id=settlement_id,
        workflow_id=settlement_workflow_id(other.seller_id, settlement_id),
        sentence=f"Report {report_id} of seller {seller_id} is refused: settlement {settlement_id} was taken in under "
        f"seller {other.seller_id} (report {other.report_id}, {other.at:%Y-%m-%d %H:%M} UTC, workflow "
        f"{settlement_workflow_id(other.seller_id, settlement_id)}). Amazon gives a number once: either one seller is "
        f"configured twice, or a report was handed in under the wrong seller. Nothing was posted for {seller_id}. "
        f"If it is this seller's: 'o2c fix {settlement_id} cancel --seller {other.seller_id}' while nothing is posted "
        "there, then hand it in again.",
        refused=True,
    )
