"""A workflow that may be there or not: what Temporal knows of it, telling it something, how it ended.

All raise RPCError for anything but "there is none".
"""

from typing import TypeVar

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

R = TypeVar("R", bound=BaseModel)


async def described(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    """The workflow's latest run; None where Temporal knows none."""
    try:
        return await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def signalled(client: Client, workflow_id: str, name: str, what: BaseModel) -> bool:
    """Send the signal; False where no such workflow runs."""
    try:
        await client.get_workflow_handle(workflow_id).signal(name, what)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def result_of_run(client: Client, run: WorkflowExecution, kind: type[R]) -> R:
    """What a completed run ended with; raises WorkflowFailureError where it is none."""
    handle: WorkflowHandle[object, R] = client.get_workflow_handle(
        run.id, run_id=run.run_id, result_type=kind
    )
    return await handle.result()
