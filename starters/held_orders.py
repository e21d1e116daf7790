"""What is held, as visibility knows it: orders and every other kind, each with the command that repairs it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution

from canonical.held import HeldReason, Hold
from starters.held_kinds import HeldFacts, kind_of, repair_command
from starters.history import last_hold
from starters.links import HELD, workflow_link
from starters.waiting import title_of
from workflows import search_attributes as sa

__all__ = ["HeldOrder", "held_orders", "repair_command", "since_of"]

_READ_AT_ONCE: Final = 10
_READ_AT_MOST: Final = 200
"""Workflows whose history is read for the likeliest items; more would take long and be read by nobody."""


class HeldOrder(BaseModel):
    """One held order, or one held workflow of another kind."""

    kind: str = "order"
    order_id: str
    """Amazon's order id; for another kind what it is about."""
    workflow_id: str
    reason: str
    title: str
    step: str
    since: datetime | None
    owner: str = ""
    """Who looks after this reason, by the configuration."""
    m3_order: str
    skus: list[str]
    command: str
    """The likeliest repair as a command line, filled in as far as is known."""
    link: str


async def held_orders(
    client: Client,
    web_ui: str,
    *,
    reason: HeldReason | None = None,
    limit: int = 1000,
    owners: Mapping[str, str] | None = None,
) -> list[HeldOrder]:
    """Everything held now, what is held longest first. For unmapped SKUs the likeliest item is read from the
    order's history."""
    query = HELD if reason is None else f'{HELD} AND HeldReason="{reason}"'
    held = [execution async for execution in client.list_workflows(query, limit=limit)]
    held.sort(key=since_of)
    gate = asyncio.Semaphore(_READ_AT_ONCE)
    telling = [one.id for one in held if _reason(one) in kind_of(one.workflow_type).history_tells]
    read = frozenset(telling[:_READ_AT_MOST])

    async def row(execution: WorkflowExecution) -> HeldOrder:
        hold: Hold | None = None
        if execution.id in read:
            async with gate:
                handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
                hold = await last_hold(client, await handle.fetch_history())
        link = workflow_link(web_ui, client.namespace, execution.id, execution.run_id)
        return _row(execution, hold, (owners or {}).get(_reason(execution), ""), link)

    return list(await asyncio.gather(*(row(execution) for execution in held)))


def since_of(execution: WorkflowExecution) -> datetime:
    """Since when it is held; when it began where that is not said."""
    return execution.typed_search_attributes.get(sa.HELD_SINCE) or execution.start_time


def _reason(execution: WorkflowExecution) -> str:
    return execution.typed_search_attributes.get(sa.HELD_REASON) or ""


def _row(execution: WorkflowExecution, hold: Hold | None, owner: str, link: str) -> HeldOrder:
    attributes, kind = execution.typed_search_attributes, kind_of(execution.workflow_type)
    reason, step = _reason(execution), attributes.get(sa.STEP) or ""
    subject, skus = kind.subject(execution.id), list(attributes.get(sa.UNMAPPED_SKUS) or [])
    return HeldOrder(
        kind=kind.noun,
        order_id=subject,
        workflow_id=execution.id,
        reason=reason,
        title=title_of(reason),
        step=step,
        since=attributes.get(sa.HELD_SINCE),
        owner=owner,
        m3_order=attributes.get(sa.M3_ORDER) or "",
        skus=skus,
        command=kind.suggestion(HeldFacts(subject, reason, step, tuple(skus), hold)),
        link=link,
    )
