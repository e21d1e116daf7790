"""Return cases as visibility and the cases themselves tell them: what is open, for how long, what is missing."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from canonical.ids import return_of_workflow
from canonical.return_contracts import RETURN_CASE, CaseView
from starters.links import workflow_link
from workflows import search_attributes as sa

_AT_ONCE: Final = 10
_DAY: Final = 86_400


class OpenCase(BaseModel):
    """One case that is not settled."""

    seller_id: str
    order_id: str
    sku: str
    step: str
    held_reason: str = ""
    age_days: int = 0
    """Since the first that happened: refund, return, reimbursement or replacement."""
    states: list[str] = []
    missing: list[str] = []
    due: datetime | None = None
    sentence: str = ""
    m3_order: str = ""
    link: str = ""


async def open_cases(
    client: Client, web_ui: str, *, older_than_days: int = 0, overdue: bool = False, limit: int = 1000
) -> list[OpenCase]:
    """Cases under way, the oldest first. A case that no worker answers for is listed by what visibility knows."""
    query = f'WorkflowType="{RETURN_CASE}" AND ExecutionStatus="Running"'
    if overdue:
        query += f' AND {sa.HELD_REASON.name}="return_overdue"'
    found = [execution async for execution in client.list_workflows(query, limit=limit)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(execution: WorkflowExecution) -> OpenCase:
        async with gate:
            return await _case(client, execution, web_ui)

    cases = await asyncio.gather(*(one(execution) for execution in found))
    kept = [case for case in cases if case.age_days >= older_than_days]
    return sorted(kept, key=lambda case: (-case.age_days, case.order_id, case.sku))


async def _case(client: Client, execution: WorkflowExecution, web_ui: str) -> OpenCase:
    attributes = execution.typed_search_attributes
    seller, order_id, sku = return_of_workflow(execution.id) or ("", execution.id, "")
    case = OpenCase(
        seller_id=seller,
        order_id=order_id,
        sku=sku,
        step=attributes.get(sa.STEP) or "",
        held_reason=attributes.get(sa.HELD_REASON) or "",
        m3_order=attributes.get(sa.M3_ORDER) or "",
        age_days=_days(execution.start_time),
        link=workflow_link(web_ui, client.namespace, execution.id, execution.run_id),
    )
    try:
        async with asyncio.timeout(10):
            view: CaseView = await client.get_workflow_handle(execution.id).query(
                "state", result_type=CaseView
            )
    except (TimeoutError, RPCError):
        return case
    update = {
        "sku": view.sku,
        "step": view.step.value,
        "held_reason": view.held_reason,
        "states": list(view.states),
        "missing": list(view.missing),
        "due": view.due,
        "sentence": view.held_sentence or view.sentence,
        "age_days": _days(view.since) if view.since else case.age_days,
    }
    return case.model_copy(update=update)


def _days(since: datetime) -> int:
    return max(int((datetime.now(UTC) - since).total_seconds() // _DAY), 0)
