"""A workflow that may be there or not: what Temporal knows of it, and telling it something.

Both raise RPCError for anything but "there is none".
"""

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode


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
