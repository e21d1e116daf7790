"""What Amazon holds back of the sellers' money: asked for now, or as it was told last."""

from collections.abc import Sequence
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from canonical.deferred_contracts import DEFERRED_LOOK, DeferredInput, deferred_look_id
from canonical.settlement.deferred import Deferred
from starters.passes import begin, finish

_NEWEST: Final = 5
"""Visibility lists the newest first."""


async def ask(client: Client, sellers: Sequence[str]) -> list[Deferred]:
    """Ask Amazon now, one seller behind the other: they share no quota, but a person waits for all of them."""
    summary = "What Amazon holds back"
    begun = [
        await begin(client, DEFERRED_LOOK, DeferredInput(seller_id=seller), deferred_look_id(seller), summary)
        for seller in sellers
    ]
    return [await finish(client, one, Deferred) for one in begun]


async def known(client: Client, seller_id: str) -> Deferred | None:
    """As the last look told it, by the clock or by hand; None where nobody looked or Temporal has forgotten it."""
    by_hand = await _result(client, deferred_look_id(seller_id), None)
    query = (
        f'WorkflowType="{DEFERRED_LOOK}" AND ExecutionStatus="Completed" '
        f'AND WorkflowId STARTS_WITH "{deferred_look_id(seller_id)}"'
    )
    told = [
        await _result(client, one.id, one.run_id) async for one in client.list_workflows(query, limit=_NEWEST)
    ]
    looks = [one for one in (by_hand, *told) if one is not None and one.seller_id == seller_id]
    return max(looks, key=lambda one: one.as_of, default=None)


async def _result(client: Client, workflow_id: str, run_id: str | None) -> Deferred | None:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id, result_type=Deferred)
    try:
        if (await handle.describe()).status is not WorkflowExecutionStatus.COMPLETED:
            return None
        found: Deferred = await handle.result()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return found
