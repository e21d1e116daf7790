"""What one order costs in Temporal actions, counted from its history on a real server, and printed."""

import asyncio
import io
from collections.abc import Callable, Mapping
from functools import partial

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle, WorkflowHistory

from canonical.order_contracts import OrderResult, OrderToCashInput, OrderView
from starters.actions import ActionCount, count_actions
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.world import PATIENCE, World
from worker.intake import start_or_signal

SELLER = "A2EUSELLER0001"
BUDGET = 10
"""Actions of an order with one shipment."""
BUDGET_IMPORTED = 8
"""Of one that Amazon had shipped before this service heard of it."""

Handle = WorkflowHandle[object, OrderResult]


async def counted(handle: Handle) -> ActionCount:
    """The count of an order that was booked; retries would blur it, and none is expected here."""
    result = await asyncio.wait_for(handle.result(), PATIENCE.total_seconds())
    assert result.outcome == "booked"
    count = count_actions(await handle.fetch_history())
    assert "retries" not in count.by_kind
    return count


async def imported(world: World) -> Handle:
    order_id = await world.place(order(ORDINARY, (ANOTHER, 2), status="SHIPPED"))
    return await world.start(order_id)


async def by_amazon(world: World, *parts: int) -> Handle:
    """Amazon ships these quantities one after the other; each is news as a sweep brings it."""
    order_id = await world.place(order((ORDINARY, sum(parts))))
    handle = await world.start(order_id)
    body = await world.at_amazon(order_id)
    item = body["orderItems"][0]["orderItemId"]  # type: ignore[index]
    for number, part in enumerate(parts):
        await world.until(handle, partial(waits_after, number))
        await world.event(order_id, "ship", items={item: part}, actor="AMAZON")
        await world.start(order_id)
    return handle


def waits_after(shipments: int, view: OrderView) -> bool:
    return view.step == "awaiting_shipment" and len(view.vouchers) == shipments


async def by_merchant(world: World) -> Handle:
    order_id = await world.place(order(ORDINARY, channel="MERCHANT"))
    handle = await world.start(order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.m3_ships(order_id)
    return handle


async def by_number(world: World) -> Handle:
    """Started as a person does who has nothing but the number: the workflow reads the order itself."""
    order_id = await world.place(order(ORDINARY, status="SHIPPED"))
    await start_or_signal(world.client, OrderToCashInput(seller_id=SELLER, order_id=order_id))
    return world.handle(order_id)


async def test_actions_of_an_order(world: World, show: Callable[[str], None]) -> None:
    counts = {
        "FBA, imported when it had shipped": await counted(await imported(world)),
        "FBA, one shipment": await counted(await by_amazon(world, 1)),
        "FBA, two shipments": await counted(await by_amazon(world, 1, 2)),
        "MFN, one shipment": await counted(await by_merchant(world)),
        "FBA, shipped, started by its number": await counted(await by_number(world)),
    }
    Console(file=(written := io.StringIO()), width=120).print(_table(counts))
    show(written.getvalue())
    assert counts["FBA, imported when it had shipped"].total <= BUDGET_IMPORTED
    assert counts["FBA, one shipment"].total <= BUDGET
    assert counts["MFN, one shipment"].total <= BUDGET
    fetched = counts["FBA, shipped, started by its number"].by_kind["activities"]
    assert fetched == counts["FBA, imported when it had shipped"].by_kind["activities"] + 1


def _table(counts: Mapping[str, ActionCount]) -> Table:
    table = Table("order", "actions", "of which", title="Temporal actions of one order")
    for name, count in counts.items():
        table.add_row(name, str(count.total), ", ".join(f"{n} {kind}" for kind, n in count.by_kind.items()))
    return table


def test_every_attempt_of_an_activity_is_an_action() -> None:
    history = WorkflowHistory("order", [_started(), _scheduled(), _attempt(3)])
    assert count_actions(history).by_kind == {"start": 1, "activities": 1, "retries": 2}


def test_the_signal_of_a_signal_with_start_is_no_second_action() -> None:
    signal = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    with_start = WorkflowHistory("order", [_started(), HistoryEvent(event_id=2, event_type=signal)])
    later = WorkflowHistory("order", [_started(), HistoryEvent(event_id=5, event_type=signal)])
    assert (count_actions(with_start).total, count_actions(later).total) == (1, 2)


def _started() -> HistoryEvent:
    return HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)


def _scheduled() -> HistoryEvent:
    return HistoryEvent(event_id=3, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)


def _attempt(number: int) -> HistoryEvent:
    event = HistoryEvent(event_id=4, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    event.activity_task_started_event_attributes.attempt = number
    return event
