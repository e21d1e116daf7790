"""Up to when Amazon's changes of a seller were read, as the sweeps left it."""

from datetime import datetime
from typing import Final

from temporalio.client import Client

from canonical.schedule_contracts import AMAZON_SWEEP, AmazonSweepResult
from canonical.sweep_contracts import SWEEP, SweepResult
from worker.known_workflows import result_of_run
from workflows import search_attributes as sa

_LOOKED_AT: Final = 20
_NEWEST: Final = 3
"""Visibility lists the newest first, and a mark never goes back."""


async def mark_of(client: Client, seller_id: str) -> datetime | None:
    """The seller's high-water mark; None where no sweep that is still kept completed.

    The later one of the scheduled sweeps' and of those by hand: either has read everything up to it. Raises
    RPCError where Temporal could not be asked.
    """
    marks = [await scheduled_mark(client, seller_id), await _by_hand(client, seller_id)]
    return max((mark for mark in marks if mark is not None), default=None)


async def scheduled_mark(client: Client, seller_id: str) -> datetime | None:
    """The mark that the seller's scheduled sweeps have reached."""
    query = (
        f'WorkflowType="{AMAZON_SWEEP}" AND {sa.SELLER.name}="{seller_id}" AND ExecutionStatus="Completed"'
    )
    found = client.list_workflows(query, limit=_NEWEST)
    return max(
        [(await result_of_run(client, one, AmazonSweepResult)).mark async for one in found], default=None
    )


async def _by_hand(client: Client, seller_id: str) -> datetime | None:
    query = f'WorkflowType="{SWEEP}" AND ExecutionStatus="Completed"'
    closed = [found async for found in client.list_workflows(query, limit=_LOOKED_AT)]
    for found in sorted(closed, key=lambda one: one.close_time or one.start_time, reverse=True):
        page = (await result_of_run(client, found, SweepResult)).amazon.get(seller_id)
        if page is not None and page.horizon is not None:
            return page.horizon
    return None
