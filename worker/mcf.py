"""Deliveries that Amazon fulfils, on Temporal: started once, told what Amazon notifies."""

from collections.abc import Sequence
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import mcf_workflow_id, mcf_workflow_of
from canonical.mcf_contracts import (
    FULFILLMENT_CHANGED,
    MCF_ORDER,
    FulfillmentChanged,
    McfOrderInput,
    McfStart,
)
from canonical.steps import Step
from worker.known_workflows import described, signalled
from workflows import search_attributes as sa
from workflows.policies import seller_priority

CHANNEL: Final = "MCF"
"""Search attribute Channel of such a workflow."""


class McfOnTemporal:
    """The workflows of deliveries that Amazon fulfils."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, start: McfOrderInput, before: Sequence[str] = ()) -> McfStart:
        """Start the delivery's workflow, once.

        before: other deliveries (DLIX) of the same order lines. As long as one of them is with Amazon and M3 has not
        been told all of it, M3 may have put on this delivery what Amazon has shipped or is about to: it waits.
        """
        for dlix in before:
            if await self._is_with_amazon(start.orno, dlix):
                return McfStart.LATER
        workflow_id = mcf_workflow_id(start.orno, start.dlix)
        try:
            await self._client.start_workflow(
                MCF_ORDER,
                start,
                id=workflow_id,
                task_queue=ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(sa.SELLER, start.seller_id),
                        SearchAttributePair(sa.CHANNEL, CHANNEL),
                        SearchAttributePair(sa.STEP, Step.RECEIVED.value),
                        SearchAttributePair(sa.M3_ORDER, start.orno),
                    ]
                ),
                static_summary=f"M3 delivery {start.dlix} of order {start.orno}, fulfilled by Amazon",
                priority=seller_priority(start.seller_id),
            )
        except WorkflowAlreadyStartedError:
            return McfStart.KNOWN
        return McfStart.STARTED

    async def _is_with_amazon(self, orno: str, dlix: str) -> bool:
        description = await described(self._client, mcf_workflow_id(orno, dlix))
        if description is None:
            return False
        running = description.status is WorkflowExecutionStatus.RUNNING
        return running and description.typed_search_attributes.get(sa.STEP) != Step.AWAITING_DELIVERY


async def tell_fulfillment_changed(client: Client, news: FulfillmentChanged) -> bool:
    """Tell the delivery's workflow what a FULFILLMENT_ORDER_STATUS notification says.

    False where the fulfilment order was not made here, or its workflow has ended: nothing is lost, since it ends
    only when nothing can change any more. Raises RPCError where Temporal could not be asked.
    """
    workflow_id = mcf_workflow_of(news.fulfillment_order_id)
    if workflow_id is None:
        return False
    return await signalled(client, workflow_id, FULFILLMENT_CHANGED, news)
