"""What Amazon holds back of the sellers' money: asked for now, or as it was told last."""

from collections.abc import Sequence

from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from canonical.deferred_contracts import DEFERRED_LOOK, DeferredInput, deferred_workflow_id
from canonical.settlement.deferred import Deferred
from starters.passes import begin, finish


async def ask(client: Client, sellers: Sequence[str]) -> list[Deferred]:
    """Ask Amazon now, one seller behind the other: they share no quota, but a person waits for all of them."""
    summary = "What Amazon holds back"
    begun = [
        await begin(
            client, DEFERRED_LOOK, DeferredInput(seller_id=seller), deferred_workflow_id(seller), summary
        )
        for seller in sellers
    ]
    return [await finish(client, one, Deferred) for one in begun]


async def known(client: Client, seller_id: str) -> Deferred | None:
    """As the last look told it; None where nobody looked, or Temporal has forgotten it."""
    handle = client.get_workflow_handle(deferred_workflow_id(seller_id), result_type=Deferred)
    try:
        described = await handle.describe()
        if described.close_time is None:
            return None
        found: Deferred = await handle.result()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    except WorkflowFailureError:
        return None
    return found
