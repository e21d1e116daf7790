"""What the audit needs of return cases, read from the Temporal server: how many there are, and how each stands."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from activities.errors import heartbeating
from canonical.case_audit import (
    AUDIT_CASES,
    COUNT_CASES,
    AuditCasesRequest,
    AuditCasesResult,
    CaseStands,
    CountCasesRequest,
    CountCasesResult,
)
from canonical.ids import return_of_workflow
from canonical.return_cases import counted_refunds
from canonical.return_contracts import RETURN_CASE, CaseView, ReturnCaseResult
from worker.known_workflows import described, result_of_run
from workflows import search_attributes as sa

_AT_ONCE: Final = 10
_PATIENCE: Final = timedelta(seconds=10)


class CaseAudit:
    """The audit's look at return cases."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.count_cases, self.audit_cases]

    @activity.defn(name=COUNT_CASES)
    async def count_cases(self, request: CountCasesRequest) -> CountCasesResult:
        """Open and held ones as of now, and those that closed in the period, by visibility."""
        mine = f'WorkflowType="{RETURN_CASE}" AND {sa.SELLER.name}="{request.seller_id}"'
        running = f'{mine} AND ExecutionStatus="Running"'
        held = f"{running} AND {sa.HELD_REASON.name} IS NOT NULL"
        closed = (
            f'{mine} AND ExecutionStatus!="Running" AND CloseTime >= "{_text(request.closed_after)}" '
            f'AND CloseTime < "{_text(request.closed_before)}"'
        )
        async with heartbeating():
            counts = [(await self._client.count_workflows(query)).count for query in (running, held, closed)]
            found = [each.id async for each in self._client.list_workflows(closed, limit=request.limit)]
        return CountCasesResult(
            open=max(counts[0] - counts[1], 0),
            held=counts[1],
            closed=counts[2],
            closed_ids=tuple(dict.fromkeys(found)),
        )

    @activity.defn(name=AUDIT_CASES)
    async def audit_cases(self, request: AuditCasesRequest) -> AuditCasesResult:
        """How each case stands; those that Temporal does not know are left out."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(case_id: str) -> CaseStands | None:
            async with gate:
                return await self._stands(case_id)

        async with heartbeating():
            found = await asyncio.gather(*(one(case_id) for case_id in request.case_ids))
        return AuditCasesResult(cases=tuple(case for case in found if case is not None))

    async def _stands(self, case_id: str) -> CaseStands | None:
        description = await described(self._client, case_id)
        if description is None:
            return None
        _, order_id, sku = return_of_workflow(case_id) or ("", case_id, "")
        status = description.status.name if description.status else ""
        case = CaseStands(case_id=case_id, subject=f"{order_id}/{sku}", status=status)
        match description.status:
            case WorkflowExecutionStatus.RUNNING:
                return case.model_copy(update=await self._asked(case_id))
            case WorkflowExecutionStatus.COMPLETED:
                return case.model_copy(update=await self._ended(description))
        return case

    async def _asked(self, case_id: str) -> dict[str, object]:
        """What a case at work knows; nothing where it does not answer."""
        handle = self._client.get_workflow_handle(case_id)
        try:
            view: CaseView = await handle.query("state", result_type=CaseView, rpc_timeout=_PATIENCE)
        except (RPCError, WorkflowQueryFailedError):
            return {}
        return {"refunds": tuple(view.facts.refunds), "subject": f"{view.order_id}/{view.sku}"}

    async def _ended(self, run: WorkflowExecutionDescription) -> dict[str, object]:
        result = await result_of_run(self._client, run, ReturnCaseResult)
        memory = result.memory
        refunds = counted_refunds(memory.facts.refunds)
        return {
            "subject": f"{result.order_id}/{result.sku}",
            "outcome": result.outcome,
            "refunds": tuple(memory.facts.refunds),
            "refunded": sum((refund.creditable for refund in refunds), Decimal(0)),
            "credited": memory.booked.credited,
            "accepted": memory.accepted.difference,
            "currency": refunds[0].currency if refunds else "",
            "orno": result.orno,
            "credits": memory.booked.credits,
        }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
