"""Waiting for an order to end, or to be held: what a person at the command line waits for."""

import asyncio
from typing import NamedTuple

from temporalio.client import Client

from canonical.held import HeldReason
from canonical.held_reasons import HELD_REASONS
from starters.lookup import Found, ending_of, find_order
from workflows import search_attributes as sa

_LOOK_AGAIN_SECONDS = 1.0


class End(NamedTuple):
    """How the waiting ended."""

    kind: str
    """closed or held."""
    sentence: str


async def wait_for_end(client: Client, seller_id: str, order_id: str) -> End:
    """Wait until the order is closed or held; for ever where it waits for its shipment."""
    while True:
        found = await find_order(client, [seller_id], order_id)
        if not found.is_open:
            return End("closed", await ending_of(client, found))
        reason = held_reason(found)
        if reason:
            return End("held", f"Order {order_id} is held: {title_of(reason)} ({reason}). See 'o2c held'.")
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def held_reason(found: Found) -> str:
    """The reason code an open order is held for; empty where it goes its way."""
    return found.description.typed_search_attributes.get(sa.HELD_REASON) or ""


def title_of(reason: str) -> str:
    """The reason in the operator's words; the code itself where this version does not know it."""
    try:
        return HELD_REASONS[HeldReason(reason)].title
    except ValueError:
        return reason
