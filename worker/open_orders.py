"""The look at open orders with which a keeper of stock begins."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import stock_workflow_id
from canonical.stock.open_orders import OPEN_ORDERS_LOOK, OpenOrdersInput, open_orders_id
from worker.known_workflows import described
from worker.settings import Settings
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_KEEPER_FIRST: Final = timedelta(seconds=10)


async def look_for_new_keeper(client: Client, settings: Settings, wait: timedelta = _KEEPER_FIRST) -> bool:
    """Where no keeper runs, have every seller's open orders read in a moment, when one does; whether it was so.

    It is asked for before the keeper is started: a process that dies in between does it again, and no keeper is
    without. A look that is under way began without a keeper, so it begins again. Raises RPCError.
    """
    keeper = await described(client, stock_workflow_id())
    if settings.stock is None or (keeper is not None and keeper.status is WorkflowExecutionStatus.RUNNING):
        return False
    for seller_id in settings.sellers:
        await client.start_workflow(
            OPEN_ORDERS_LOOK,
            OpenOrdersInput(seller_id=seller_id, days=settings.stock.open_orders_days),
            id=open_orders_id(seller_id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            search_attributes=TypedSearchAttributes([SearchAttributePair(sa.SELLER, seller_id)]),
            static_summary=f"Open orders, seller {seller_id}",
            priority=seller_priority(seller_id, 4),
            start_delay=wait,
        )
    return True
