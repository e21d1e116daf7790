"""`o2c start`: start single orders by their Amazon order id."""

import asyncio
from typing import Annotated

import typer
from pydantic import BaseModel
from temporalio.client import Client

from canonical.order_contracts import OrderToCashInput
from canonical.starting import StartKind
from starters.console import hint, say, say_json
from starters.lookup import check_order_id, ending_of, find_order
from starters.options import AsJson, Config, Seller
from starters.session import run_connected, seller_of, settings_of
from starters.waiting import wait_for_end
from worker.intake import start_or_signal


class Started(BaseModel):
    """What became of one order."""

    order_id: str
    kind: str
    """started, under_way, closed, held."""
    workflow_id: str
    sentence: str


def start(
    order_ids: Annotated[list[str], typer.Argument(metavar="ORDER_ID...", help="Amazon order ids (3-7-7).")],
    seller: Seller = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each order is closed or held.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Start orders by their id. One under way or closed is left as it is, and said so; with --wait a held
    order makes the exit status 1."""
    checked = list(dict.fromkeys(check_order_id(text) for text in order_ids))

    settings = settings_of(config)
    seller_id = seller_of(settings, seller)

    async def work(client: Client) -> list[Started]:
        started = [await _start(client, seller_id, order_id) for order_id in checked]
        if not wait:
            return started
        if not as_json:
            for one in started:
                hint(one.sentence)
        return list(await asyncio.gather(*(_waited(client, seller_id, one) for one in started)))

    outcomes = run_connected(settings, work)
    if as_json:
        say_json(outcomes)
    else:
        for outcome in outcomes:
            say(outcome.sentence)
    if any(outcome.kind == "held" for outcome in outcomes):
        raise typer.Exit(1)


async def _start(client: Client, seller_id: str, order_id: str) -> Started:
    outcome = await start_or_signal(client, OrderToCashInput(seller_id=seller_id, order_id=order_id))
    if outcome.kind == StartKind.STARTED:
        kind, sentence = "started", f"Order {order_id} was started as {outcome.workflow_id}."
    elif outcome.kind == StartKind.SIGNALLED:
        kind = "under_way"
        sentence = f"Order {order_id} is already under way as {outcome.workflow_id}; nothing was started."
    else:
        kind = "closed"
        sentence = await ending_of(client, await find_order(client, [seller_id], order_id))
    return Started(order_id=order_id, kind=kind, workflow_id=outcome.workflow_id, sentence=sentence)


async def _waited(client: Client, seller_id: str, one: Started) -> Started:
    if one.kind == "closed":
        return one
    end = await wait_for_end(client, seller_id, one.order_id)
    return one.model_copy(update={"kind": end.kind, "sentence": end.sentence})
