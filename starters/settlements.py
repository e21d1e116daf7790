"""Settlements as Temporal knows them: listed, looked up, handed in."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.settlement.models import UnreadableSettlement
from canonical.settlement.text import NoFlatFile, refuse_xml
from canonical.settlement_contracts import SETTLEMENT, SettlementResult, SettlementView
from canonical.settlement_ids import (
    settlement_feed_workflow_id,
    settlement_of_workflow,
    settlement_workflow_id,
    unread_settlement_subject,
)
from canonical.settlement_reports import SETTLEMENT_FEED, FeedInput, FeedResult, ReportOrigin, TakenIn
from starters.console import Refused
from starters.links import workflow_link
from starters.settlement_preview import file_source
from worker.archiving import open_archive
from worker.settings import Settings
from worker.settlements import SettlementsOnTemporal, settlement_files
from workflows import search_attributes as sa


class ListedSettlement(BaseModel):
    """One settlement as visibility knows it."""

    seller_id: str
    settlement_id: str
    status: str
    """running, completed, or how else its workflow stands."""
    step: str = ""
    held_reason: str = ""
    marketplace: str = ""
    started: datetime
    closed: datetime | None = None
    link: str = ""


async def settlements(
    client: Client, web_ui: str, *, seller_id: str | None = None, only_open: bool = False, limit: int = 100
) -> list[ListedSettlement]:
    """Settlements, the latest first."""
    query = f'WorkflowType="{SETTLEMENT}"'
    if seller_id:
        query += f' AND {sa.SELLER.name}="{seller_id}"'
    if only_open:
        query += ' AND ExecutionStatus="Running"'
    found = [execution async for execution in client.list_workflows(query, limit=limit)]
    return sorted((_listed(client, one, web_ui) for one in found), key=lambda one: one.started, reverse=True)


def _listed(client: Client, execution: WorkflowExecution, web_ui: str) -> ListedSettlement:
    attributes = execution.typed_search_attributes
    seller_id, subject = settlement_of_workflow(execution.id) or ("", execution.id)
    return ListedSettlement(
        seller_id=seller_id,
        settlement_id=subject,
        status=execution.status.name.lower() if execution.status else "",
        step=attributes.get(sa.STEP) or "",
        held_reason=attributes.get(sa.HELD_REASON) or "",
        marketplace=attributes.get(sa.MARKETPLACE) or "",
        started=execution.start_time,
        closed=execution.close_time,
        link=workflow_link(web_ui, client.namespace, execution.id, execution.run_id),
    )


async def settlement(client: Client, sellers: Sequence[str], subject: str) -> SettlementView:
    """The settlement as it stands, or as it ended. Raises Refused where there is none."""
    for seller_id in sellers:
        handle = client.get_workflow_handle(
            settlement_workflow_id(seller_id, subject), result_type=SettlementResult
        )
        try:
            described = await handle.describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                continue
            raise
        if described.status is WorkflowExecutionStatus.COMPLETED:
            ended: SettlementResult = await handle.result()
            return ended
        view: SettlementView = await handle.query("state", result_type=SettlementView)
        return view
    raise Refused(
        f"Temporal has no settlement {subject} of seller {', '.join(sellers)}: no report of it was taken in, or its "
        "history is past retention."
    )


async def look(client: Client, settings: Settings, seller_id: str) -> FeedResult:
    """Look for the seller's settlement reports now."""
    result: FeedResult = await client.execute_workflow(
        SETTLEMENT_FEED,
        FeedInput(seller_id=seller_id, report_types=settings.settlement.posting.reports),
        id=settlement_feed_workflow_id(seller_id),
        task_queue=ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        result_type=FeedResult,
    )
    return result


async def hand_in(
    client: Client, settings: Settings, seller_id: str, file: Path, charset: str = ""
) -> TakenIn:
    """Archive a report's file and start its settlement. The same file again is the same report. Raises Refused for a
    file that never is one: XML."""
    try:
        refuse_xml(file_source(file))
    except NoFlatFile as error:
        raise Refused(f"{file}: {error}", 2) from None
    except UnreadableSettlement:
        pass  # what is damaged is archived and held, as a report of Amazon's is
    files = settlement_files(settings, open_archive(settings.archive))
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    origin = ReportOrigin(seller_id=seller_id, report_id=f"handed-in-{digest[:20]}")
    report = files.keep(origin, file, charset, datetime.now(UTC))
    try:
        subject = files.header(report).settlement_id
    except UnreadableSettlement:
        subject = unread_settlement_subject(origin.report_id)
    return await SettlementsOnTemporal(client, files).start(subject, report)
