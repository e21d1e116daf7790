"""Starting many orders at once, with bounded concurrency and every refusal kept."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client
from temporalio.service import RPCError

from canonical.activity_contracts import OrderToCashInput
from canonical.order import Order
from canonical.order_reports import RefusalKind, RefusedRow
from worker.intake import StartKind, start_or_signal

AT_ONCE: Final = 25
"""Starts under way at once; a Temporal server takes a few hundred a second from one process."""
BULK_PRIORITY: Final = 5
"""Imports stand behind live orders."""


class Imported(BaseModel):
    """What became of a file."""

    orders: int = 0
    """Orders read from the file."""
    started: int = 0
    signalled: int = 0
    """Under way already; told what the file says."""
    late: int = 0
    """Closed already; nothing was done."""
    duplicates: list[RefusedRow] = []
    refused: list[RefusedRow] = []


def read_only(rows: Iterable[Order | RefusedRow]) -> Imported:
    """Read the whole file and start nothing."""
    done = Imported()
    for row in rows:
        if isinstance(row, Order):
            done.orders += 1
        else:
            _note(row, done)
    return done


async def start_all(
    client: Client, rows: Iterable[Order | RefusedRow], told: Callable[[], None] = lambda: None
) -> Imported:
    """Start every order; one that cannot be started is refused with a sentence and the others go on.

    `told` is called as each order is done.
    """
    done = Imported()
    gate = asyncio.Semaphore(AT_ONCE)

    async def start(order: Order) -> None:
        try:
            await _start(client, order, done)
        finally:
            gate.release()
            told()

    starts: set[asyncio.Task[None]] = set()
    try:
        for row in rows:
            if isinstance(row, Order):
                done.orders += 1
                await gate.acquire()
                task = asyncio.create_task(start(row))
                starts.add(task)
                task.add_done_callback(starts.discard)
            else:
                _note(row, done)
    finally:
        await asyncio.gather(*starts)  # what was begun is finished, also where the file ends in trouble
    return done


def _note(row: RefusedRow, done: Imported) -> None:
    (done.duplicates if row.kind is RefusalKind.DUPLICATE else done.refused).append(row)


async def _start(client: Client, order: Order, done: Imported) -> None:
    asking = OrderToCashInput(seller_id=order.seller_id, order_id=order.order_id, order=order)
    try:
        outcome = await start_or_signal(client, asking, priority=BULK_PRIORITY)
    except RPCError as error:
        sentence = (
            f"Amazon order {order.order_id} could not be started: Temporal answered {error.status.name}."
        )
        done.refused.append(RefusedRow(line_number=0, order_id=order.order_id, sentence=sentence))
        return
    match outcome.kind:
        case StartKind.STARTED:
            done.started += 1
        case StartKind.SIGNALLED:
            done.signalled += 1
        case StartKind.LATE:
            done.late += 1
