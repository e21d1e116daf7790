"""What the audit and the reconciliation need of the workflows: how they stand, and starting those that miss."""

import asyncio
from typing import Final

from temporalio import activity
from temporalio.client import Client

from activities.errors import heartbeating
from canonical.audit_contracts import AUDIT_WORKFLOWS, AuditWorkflowsRequest, AuditWorkflowsResult
from canonical.order_contracts import OrderToCashInput
from canonical.schedule_contracts import START_ORDERS, StartOrdersRequest, StartOrdersResult
from canonical.starting import StartKind
from worker.intake import start_or_signal
from worker.visibility import OrdersOnTemporal

_AT_ONCE: Final = 20


class ReconcilingActivities:
    """The audit's look at the workflows, and the start of what it misses."""

    def __init__(self, client: Client, orders: OrdersOnTemporal) -> None:
        self._client = client
        self._orders = orders

    @activity.defn(name=AUDIT_WORKFLOWS)
    async def audit_workflows(self, request: AuditWorkflowsRequest) -> AuditWorkflowsResult:
        """How the workflow of each order stands."""
        return await self._orders.facts(request)

    @activity.defn(name=START_ORDERS)
    async def start_orders(self, request: StartOrdersRequest) -> StartOrdersResult:
        """Start orders by their id. Repeated after a crash it starts those that the crash left out, and counts
        the others with them."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(order_id: str) -> bool:
            start = OrderToCashInput(seller_id=request.seller_id, order_id=order_id)
            async with gate:
                outcome = await start_or_signal(self._client, start, priority=request.priority)
            again = activity.info().attempt > 1 and outcome.kind is StartKind.SIGNALLED
            return outcome.kind is StartKind.STARTED or again

        async with heartbeating():
            began = await asyncio.gather(*(one(order_id) for order_id in request.order_ids))
        ids = (order_id for order_id, new in zip(request.order_ids, began, strict=True) if new)
        return StartOrdersResult(started=tuple(ids))
