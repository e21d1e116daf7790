"""Own shipments that are due, as visibility has them and, where it may lag behind, their workflows."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.client import Client, WorkflowExecution, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError

from activities.errors import heartbeating
from canonical.deadlines import READ_DUE, SHIPPED, DueOrder, DueOrders, ReadDue
from canonical.ids import order_of_workflow
from canonical.order import Channel
from canonical.order_contracts import ORDER_TO_CASH, OrderView
from workflows import search_attributes as sa

_AT_ONCE: Final = 20
_ASKED: Final = timedelta(seconds=5)


def due_query(until: datetime) -> str:
    """Running own orders whose latest ship date comes before `until`, as far as visibility tells."""
    steps = ", ".join(f'"{step}"' for step in sorted(SHIPPED))
    return (
        f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="Running" AND {sa.CHANNEL.name}="{Channel.MFN}" '
        f'AND {sa.SHIP_BY.name} < "{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" '
        f"AND ({sa.STEP.name} IS NULL OR {sa.STEP.name} NOT IN ({steps}))"
    )


async def due_orders(client: Client, until: datetime, limit: int = 1000) -> DueOrders:
    """Own shipments that are due, the most urgent first. The step that visibility has may be an earlier one, since
    writing it costs an action: the order itself is asked whether it has shipped. Raises RPCError."""
    found = [one async for one in client.list_workflows(due_query(until), limit=limit)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(execution: WorkflowExecution) -> DueOrder | None:
        async with gate:
            return await _due(client, execution)

    orders: Sequence[DueOrder | None] = await asyncio.gather(*(one(execution) for execution in found))
    urgent = sorted((order for order in orders if order is not None), key=lambda order: order.ship_by)
    return DueOrders(orders=tuple(urgent), complete=len(found) < limit)


async def _due(client: Client, execution: WorkflowExecution) -> DueOrder | None:
    known, attributes = order_of_workflow(execution.id), execution.typed_search_attributes
    ship_by = attributes.get(sa.SHIP_BY)
    if known is None or ship_by is None:
        return None
    step = attributes.get(sa.STEP) or ""
    try:
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        view: OrderView | None = await handle.query("state", result_type=OrderView, rpc_timeout=_ASKED)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
        view = None  # nobody answers: better named in vain than missed
    if view is not None and view.step in SHIPPED:
        return None
    return DueOrder(
        workflow_id=execution.id,
        seller_id=known[0],
        order_id=known[1],
        ship_by=ship_by,
        step=view.step.value if view is not None else step,
        held_reason=attributes.get(sa.HELD_REASON) or "",
        m3_order=view.orno if view is not None else attributes.get(sa.M3_ORDER) or "",
    )


class DeadlineActivities:
    """What the deadlines need of the workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=READ_DUE)
    async def read_due(self, request: ReadDue) -> DueOrders:
        """Own shipments that are due."""
        async with heartbeating():
            return await due_orders(self._client, request.until, request.limit)
