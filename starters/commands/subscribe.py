"""`o2c subscribe`: have Amazon send its notifications to the queue."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from starters.console import Refused, complain, counted, say, say_json, table
from starters.options import AsJson, Config, Seller
from starters.session import run, sellers_of, settings_of

if TYPE_CHECKING:
    from worker.subscribing import SubscribedType

_GOOD = ("present", "created", "moved")
_ENDED = ("removed", "missing", "elsewhere")


def subscribe(
    *,
    seller: Seller = None,
    only_show: Annotated[bool, typer.Option("--show", help="Show how it stands, change nothing.")] = False,
    move: Annotated[
        bool, typer.Option("--move", help="Take over subscriptions that go to another destination.")
    ] = False,
    end: Annotated[
        bool, typer.Option("--remove", help="End the subscriptions that go to the queue.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Subscribe to Amazon's notifications. Creates the destination and the subscriptions that are missing; may be
    repeated. Exit 1 unless every type goes to the queue (with --remove: unless none does)."""
    if sum((only_show, move, end)) > 1:
        raise Refused("--show, --move and --remove exclude each other.", 2)
    from starters.listening.service import queue_arn  # noqa: PLC0415 - loads the AWS client
    from worker import subscribing  # noqa: PLC0415 - loads the HTTP clients

    settings = settings_of(config)
    sellers = sellers_of(settings, seller)

    async def work() -> "list[SubscribedType]":
        arn = await queue_arn(settings.notifications)
        if end:
            return await subscribing.remove(settings, sellers, arn)
        if only_show:
            return await subscribing.show(settings, sellers, arn)
        return await subscribing.subscribe(settings, sellers, arn, move=move)

    found = run(work())
    if as_json:
        say_json(found)
    else:
        _say(found)
    if any(one.state not in (_ENDED if end else _GOOD) for one in found):
        raise typer.Exit(1)


def _say(found: "list[SubscribedType]") -> None:
    rows = ([one.seller_id, one.type, one.state, one.subscription_id] for one in found)
    table(("seller", "type", "state", "subscription"), rows)
    for one in found:
        if one.sentence:
            complain(f"{one.seller_id} {one.type}: {one.sentence}")
    states = Counter(one.state.value for one in found)
    said = ", ".join(f"{number} {state}" for state, number in states.items())
    say(f"{counted(len(found), 'subscription')}: {said}.", "bold")
