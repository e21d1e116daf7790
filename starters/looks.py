"""What the last looks told: by the clock, or asked for by hand under the schedule's own id."""

from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

R = TypeVar("R", bound=BaseModel)

_NEWEST: Final = 5
"""Visibility lists the newest first."""


async def last_results(client: Client, workflow: str, look_id: str, result: type[R]) -> list[R]:
    """Results of the last few looks that completed; none where nobody looked or Temporal has forgotten it."""
    query = (
        f'WorkflowType="{workflow}" AND ExecutionStatus="Completed" AND WorkflowId STARTS_WITH "{look_id}"'
    )
    told = [
        await _result(client, one.id, one.run_id, result)
        async for one in client.list_workflows(query, limit=_NEWEST)
    ]
    by_hand = await _result(client, look_id, None, result)
    return [one for one in (by_hand, *told) if one is not None]


async def _result(client: Client, workflow_id: str, run_id: str | None, result: type[R]) -> R | None:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id, result_type=result)
    try:
        if (await handle.describe()).status is not WorkflowExecutionStatus.COMPLETED:
            return None
        found: R = await handle.result()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return found
