"""`o2c held`: the orders that wait for a person, and what repairs each."""

from typing import Annotated

import typer
from temporalio.client import Client

from canonical.held import HELD_REASONS, HeldReason
from starters.console import Refused, counted, say, say_json
from starters.held_orders import HeldOrder, held_orders
from starters.options import AsJson, Config
from starters.session import run_connected, settings_of
from starters.times import shown


def held(
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Only this reason code.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many orders.")] = 1000,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List held orders. Each with the command that repairs it."""
    wanted = _reason(reason)

    settings = settings_of(config)

    async def work(client: Client) -> list[HeldOrder]:
        return await held_orders(client, settings.web_ui, reason=wanted, limit=limit)

    orders = run_connected(settings, work)
    if as_json:
        say_json(orders)
        return
    if not orders:
        say("No order is held." if wanted is None else f"No order is held for {wanted}.")
        return
    for code in dict.fromkeys(order.reason for order in orders):
        _say_group(code, [order for order in orders if order.reason == code])
    limited = f" (the first {limit}; --limit shows more)" if len(orders) == limit else ""
    say(f"{counted(len(orders), 'order')} held{limited}.", "bold")


def _reason(text: str | None) -> HeldReason | None:
    if text is None:
        return None
    try:
        return HeldReason(text.strip().lower().replace("-", "_"))
    except ValueError:
        raise Refused(f"{text!r} is no reason; reasons are {', '.join(HeldReason)}.", 2) from None


def _say_group(code: str, orders: list[HeldOrder]) -> None:
    say(f"{orders[0].title} ({code}): {counted(len(orders), 'order')}", "bold")
    if code in HELD_REASONS:
        say(HELD_REASONS[HeldReason(code)].what_to_do)
    for order in orders:
        facts = [
            f"since {shown(order.since)}",
            f"step {order.step}",
            order.m3_order and f"M3 order {order.m3_order}",
            order.skus and f"SKU {', '.join(order.skus)}",
        ]
        say(f"  {order.order_id}  " + ", ".join(fact for fact in facts if fact))
        say(f"    {order.command}", "cyan")
        say(f"    {order.link}", "dim")
    say("")
