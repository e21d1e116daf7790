"""SKUs for which orders are held, as visibility counts them, each with what one of the orders knows of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.service import RPCError

from activities.errors import heartbeating
from canonical.held import HeldReason
from canonical.ids import order_of_workflow
from canonical.order_contracts import OrderView
from canonical.sku import look_contracts as act
from worker.sku_release import held_for_any
from workflows import search_attributes as sa

_MOST_ORDERS: Final = 50_000
_ASKED: Final = 500
"""SKUs of which an order is asked: the others have their title from a listing, or none."""
_AT_ONCE: Final = 10
_PATIENCE: Final = timedelta(seconds=5)


@dataclass
class _Counted:
    orders: int = 0
    places: dict[str, None] = field(default_factory=dict)
    example: str = ""


async def open_skus(client: Client, seller_id: str, *, asked: int = _ASKED) -> act.OpenSkus:
    """SKUs that nobody has mapped, with the number of the seller's orders held for each. Raises RPCError."""
    counted: dict[str, _Counted] = {}
    orders = 0
    async for run in client.list_workflows(held_for_any(seller_id), limit=_MOST_ORDERS):
        attributes = run.typed_search_attributes
        if not _is_unmapped(run, seller_id):
            continue
        orders += 1
        for sku in attributes.get(sa.UNMAPPED_SKUS) or ():
            one = counted.setdefault(sku, _Counted())
            one.orders += 1
            one.places[attributes.get(sa.MARKETPLACE) or ""] = None
            one.example = run.id  # visibility lists the newest first
    first = sorted(counted, key=lambda sku: (-counted[sku].orders, sku))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def known(sku: str, *, ask: bool) -> act.OpenSku:
        one = counted[sku]
        order = order_of_workflow(one.example)
        found = act.OpenSku(
            sku=sku,
            orders=one.orders,
            marketplaces=tuple(sorted(filter(None, one.places))),
            example=order[1] if order else one.example,
        )
        if not ask:
            return found
        async with gate:
            return await _described(client, one.example, found)

    skus = await asyncio.gather(
        *(known(sku, ask=place < asked) for place, sku in enumerate(first[: act.MOST_SKUS]))
    )
    complete = orders < _MOST_ORDERS and len(first) <= act.MOST_SKUS
    return act.OpenSkus(skus=tuple(skus), complete=complete)


def _is_unmapped(run: WorkflowExecution, seller_id: str) -> bool:
    attributes = run.typed_search_attributes
    return (
        run.status is WorkflowExecutionStatus.RUNNING
        and attributes.get(sa.SELLER) == seller_id
        and attributes.get(sa.HELD_REASON) == HeldReason.UNMAPPED_SKU
    )


async def _described(client: Client, workflow_id: str, found: act.OpenSku) -> act.OpenSku:
    """With title and ASIN, where the order answers."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        view: OrderView = await handle.query("state", result_type=OrderView, rpc_timeout=_PATIENCE)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
        return found
    for line in view.unmapped:
        if line.sku == found.sku:
            return found.model_copy(update={"title": line.title, "asin": line.asin})
    return found


class OpenSkuActivities:
    """What a look at SKUs needs of the orders' workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.find_open_skus]

    @activity.defn(name=act.FIND_OPEN_SKUS)
    async def find_open_skus(self, request: act.OpenSkusRequest) -> act.OpenSkus:
        """SKUs for which orders of the seller are held."""
        async with heartbeating():
            return await open_skus(self._client, request.seller_id)
