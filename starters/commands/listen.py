"""`o2c listen`: take Amazon's notifications from the queue; show and replay those that cannot be read. With --ion take
the messages of Infor ION."""

from typing import Annotated

import typer

from starters.commands.listen_ion import listen_to_ion
from starters.console import Refused, counted, say, say_json, table
from starters.listening.tally import DeadLetter, Listened, Outcome
from starters.options import AsJson, Config
from starters.session import run, settings_of
from starters.times import shown

_SAID = {
    Outcome.TOLD: "told to an order",
    Outcome.REPEATED: "repeated",
    Outcome.PENDING: "of an order not released yet",
    Outcome.NO_SALE: "of a multi-channel order",
    Outcome.NOT_KNOWN: "of a cancelled order nobody had begun",
    Outcome.LATE: "of a closed order",
    Outcome.AFTER_CLOSE: "of a closed order that Amazon cancelled or refunded",
    Outcome.REPORT: "told to a report",
    Outcome.NOT_OURS: "of a report asked for elsewhere",
    Outcome.DELIVERY: "told to a delivery that Amazon fulfils",
    Outcome.ELSEWHERE: "of a fulfilment order made elsewhere or ended",
    Outcome.REFUND: "of a refund, read within minutes",
    Outcome.LATER: "kept for later",
    Outcome.UNKNOWN: "of an unknown type, kept",
    Outcome.FOREIGN: "of a seller not configured, kept",
    Outcome.DEAD: "unreadable, in the dead-letter queue",
    Outcome.LEFT: "left in the queue after an error",
}


def listen(
    *,
    ion: Annotated[
        bool, typer.Option("--ion", help="Take M3's documents from Infor ION, not Amazon's notifications.")
    ] = False,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when the queue shows no message any more.")
    ] = False,
    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Show the messages that could not be read.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--replay", help="With --dead-letters: send them through the queue again.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="At most so many dead letters.")
    ] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Listen to Amazon's notifications. It ends at SIGTERM or Ctrl-C, after the messages in hand; any number may
    listen to the same queue. With --until-empty exit 1 if a message could not be handled. With --ion it is the
    endpoint that Infor ION sends M3's documents to; run it as a service of its own."""
    settings = settings_of(config)
    if ion:
        if until_empty or dead_letters or again:
            raise Refused("--ion goes with none of --until-empty, --dead-letters and --replay.", 2)
        run(listen_to_ion(settings))
        return
    from starters.listening import service  # noqa: PLC0415 - loads the AWS client

    if again and not dead_letters:
        raise Refused("--replay sends dead letters again: o2c listen --dead-letters --replay.", 2)
    if dead_letters:
        if until_empty:
            raise Refused("--until-empty is for listening, not for --dead-letters.", 2)
        _say_letters(
            run(service.dead_letters(settings.notifications, limit, again=again)),
            replayed=again,
            as_json=as_json,
        )
        return
    done = run(service.serve(settings, until_empty=until_empty))
    if as_json:
        say_json(done)
    else:
        _say(done)
    if until_empty and (done.outcomes.get(Outcome.DEAD) or done.outcomes.get(Outcome.LEFT)):
        raise typer.Exit(1)


def _say(done: Listened) -> None:
    say(f"{counted(done.messages, 'notification')} handled.")
    for outcome, number in done.outcomes.items():
        say(f"  {number} {_SAID[outcome]}", "red" if outcome in (Outcome.DEAD, Outcome.LEFT) else "")


def _say_letters(letters: list[DeadLetter], *, replayed: bool, as_json: bool) -> None:
    if as_json:
        say_json({"replayed": replayed, "messages": letters})
        return
    if letters:
        rows = ([shown(one.since), one.type or "?", one.reason, one.message_id] for one in letters)
        table(("since", "type", "reason", "message"), rows)
    number = counted(len(letters), "dead letter")
    said = "sent through the queue again; what is still unreadable comes back here" if replayed else "found"
    say(f"{number} {said}.", "bold")
