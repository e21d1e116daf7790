"""Settlements on Temporal: each started once, whatever reports of it come."""

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
from canonical.settlement_contracts import REPORT_CAME, SETTLEMENT, SettlementInput
from canonical.settlement_ids import settlement_workflow_id
from canonical.settlement_reports import ArchivedReport, TakenIn
from canonical.steps import Step
from worker.settings import Settings
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_BEHIND: Final = 4


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

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, subject: str, report: ArchivedReport) -> TakenIn:
        """Start the settlement; one that is under way is told of the report, one that is closed is not opened again.

        Raises RPCError.
        """
        seller_id, report_id = report.origin.seller_id, report.origin.report_id
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
