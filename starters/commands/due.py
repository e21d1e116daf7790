"""`o2c due`: own shipments whose latest ship date is near or over, and that Amazon has not been told of."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from temporalio.client import Client

from canonical.deadlines import DueOrders, left
from starters.console import say, say_json
from starters.options import AsJson, Config
from starters.session import run_connected, settings_of
from starters.times import shown
from worker.deadlines import due_orders


def due(
    hours: Annotated[
        float | None,
        typer.Option(
            "--hours", min=0, help="Due within so many hours.", show_default="schedules.deadline_hours"
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many are looked at.")] = 1000,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List own shipments that are due, the most urgent first. Exit status 1 if one is late."""
    settings = settings_of(config)
    ahead = timedelta(hours=settings.schedules.deadline_hours if hours is None else hours)
    now = datetime.now(UTC)

    async def work(client: Client) -> DueOrders:
        return await due_orders(client, now + ahead, limit)

    found = run_connected(settings, work)
    late = sum(order.late(now) for order in found.orders)
    if as_json:
        say_json(found)
    elif not found.orders:
        say(f"No own shipment is due before {shown(now + ahead)}.")
    else:
        for order in found.orders:
            held = f", held for {order.held_reason}" if order.held_reason else ""
            m3 = f"M3 order {order.m3_order}" if order.m3_order else "not in M3"
            style = "bold red" if order.late(now) else "yellow"
            say(f"{order.order_id}  {left(order, now)}", style)
            say(f"  ship by {shown(order.ship_by)}, step {order.step}{held}, {m3}, seller {order.seller_id}")
        say(f"{late} late, {len(found.orders) - late} due before {shown(now + ahead)}.", "bold")
    if late:
        raise typer.Exit(1)
