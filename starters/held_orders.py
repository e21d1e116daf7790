"""Held orders as visibility knows them, each with the command that repairs it."""

import asyncio
from datetime import datetime
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution

from canonical.held import HELD_REASONS, FixName, HeldReason, Hold
from canonical.ids import order_of_workflow
from canonical.steps import Step
from starters.history import last_hold
from starters.links import HELD_ORDERS, workflow_link
from starters.waiting import title_of
from workflows import search_attributes as sa
from workflows.details import fix_argument, fix_command

_READ_AT_ONCE: Final = 10
_READ_AT_MOST: Final = 200
"""Orders whose history is read for the likeliest items; more would take long and be read by nobody."""


class HeldOrder(BaseModel):
    """One held order."""

    order_id: str
    workflow_id: str
    reason: str
    title: str
    step: str
    since: datetime | None
    m3_order: str
    skus: list[str]
    command: str
    """The command line that repairs it, filled in as far as is known."""
    link: str


async def held_orders(
    client: Client, web_ui: str, *, reason: HeldReason | None = None, limit: int = 1000
) -> list[HeldOrder]:
    """Orders held now, those held longest first. For unmapped SKUs the likeliest item is read from the
    order's history."""
    query = HELD_ORDERS if reason is None else f'{HELD_ORDERS} AND HeldReason="{reason}"'
    executions = [execution async for execution in client.list_workflows(query, limit=limit)]
    held = sorted(executions, key=lambda one: _since(one).timestamp() if _since(one) else 0.0)
    gate = asyncio.Semaphore(_READ_AT_ONCE)
    unmapped = [one.id for one in held if _reason(one) == HeldReason.UNMAPPED_SKU][:_READ_AT_MOST]

    async def read(execution: WorkflowExecution) -> HeldOrder:
        hold: Hold | None = None
        if execution.id in unmapped:
            async with gate:
                handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
                hold = await last_hold(client, await handle.fetch_history())
        return _row(execution, hold, web_ui, client.namespace)

    return list(await asyncio.gather(*(read(execution) for execution in held)))


def _reason(execution: WorkflowExecution) -> str:
    return execution.typed_search_attributes.get(sa.HELD_REASON) or ""


def _since(execution: WorkflowExecution) -> datetime:
    return execution.typed_search_attributes.get(sa.HELD_SINCE) or execution.start_time


def _row(execution: WorkflowExecution, hold: Hold | None, web_ui: str, namespace: str) -> HeldOrder:
    attributes = execution.typed_search_attributes
    reason, step = _reason(execution), attributes.get(sa.STEP) or ""
    known = order_of_workflow(execution.id)
    order_id = known[1] if known else execution.id
    skus = list(attributes.get(sa.UNMAPPED_SKUS) or [])
    return HeldOrder(
        order_id=order_id,
        workflow_id=execution.id,
        reason=reason,
        title=title_of(reason),
        step=step,
        since=attributes.get(sa.HELD_SINCE),
        m3_order=attributes.get(sa.M3_ORDER) or "",
        skus=skus,
        command=repair_command(order_id, reason, step, tuple(skus), hold),
        link=workflow_link(web_ui, namespace, execution.id, execution.run_id),
    )


def repair_command(
    order_id: str, reason: str, step: str, skus: tuple[str, ...] = (), hold: Hold | None = None
) -> str:
    """The first repair of the reason as a command line; `o2c order` where this version knows no repair."""
    try:
        known, at = HeldReason(reason), Step(step)
    except ValueError:
        return f"o2c order {order_id}"
    name: FixName = HELD_REASONS[known].fixes[0]
    meant = hold or Hold(reason=known, sentence="", skus=skus)
    return fix_command(order_id, name, fix_argument(name, at, meant))
