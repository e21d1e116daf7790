"""`o2c schedules`: what runs by the clock: sweeps, the daily reconciliation, the looks at returns and settlements."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from temporalio.client import Client

from starters.console import Refused, counted, hint, say, say_json, table
from starters.options import AsJson, Config
from starters.session import run_connected, settings_of
from starters.times import shown, shown_span
from worker import schedules as made
from worker.settings import Settings


class Action(StrEnum):
    """What is to be done with the schedules."""

    LIST = "list"
    APPLY = "apply"
    PAUSE = "pause"
    RESUME = "resume"
    TRIGGER = "trigger"
    DELETE = "delete"


_DONE = {
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.TRIGGER: "triggered",
    Action.DELETE: "deleted",
}


def schedules(
    action: Annotated[
        str, typer.Argument(metavar="[ACTION]", help=f"One of {', '.join(Action)}.", show_default=True)
    ] = "list",
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="sweep, returns, settlements, listings (of every seller), deliveries, mcf, reconciliation, or an id.",
            show_default="all of them",
        ),
    ] = None,
    *,
    why: Annotated[str, typer.Option("--why", help="Why it is paused or resumed; kept as its note.")] = "",
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List, make, pause, resume, trigger or delete the schedules. `apply` makes them as the configuration wants
    them; what is paused stays paused. The list tells up to when Amazon's changes have reached their orders."""
    wanted = _action(action)
    if wanted in (Action.LIST, Action.APPLY) and names:
        raise Refused(f"'o2c schedules {wanted}' takes no name; leave {names[0]!r} out.", 2)
    if wanted is Action.DELETE and not names:
        raise Refused("Which one is to be deleted? 'o2c schedules list' names them.", 2)

    settings = settings_of(config)
    if wanted is Action.LIST:
        _list(settings, as_json=as_json)
    elif wanted is Action.APPLY:
        _apply(settings, as_json=as_json)
    else:
        _change(settings, wanted, names or [], why, as_json=as_json)


def _action(text: str) -> Action:
    try:
        return Action(text.strip().lower())
    except ValueError:
        raise Refused(f"{text!r} is nothing to do with schedules; one of {', '.join(Action)}.", 2) from None


def _list(settings: Settings, *, as_json: bool) -> None:
    async def work(client: Client) -> list[made.Listed]:
        return await made.listed(client, settings)

    rows = run_connected(settings, work)
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("There is no schedule yet; 'o2c schedules apply' makes them.")
        return
    headings = ("schedule", "runs", "state", "next run", "last run", "Amazon read up to")
    table(headings, [_row(row) for row in rows])


def _row(row: made.Listed) -> tuple[str, ...]:
    state = f"paused: {row.note}" if row.paused and row.note else "paused" if row.paused else "active"
    behind = made.lag(row, datetime.now(UTC))
    mark = f"{shown(row.mark)} ({shown_span(behind)} ago)" if behind is not None else ""
    return (
        row.id,
        row.what,
        f"{state}, running" if row.running else state,
        shown(row.next_run),
        shown(row.last_run),
        mark,
    )


def _apply(settings: Settings, *, as_json: bool) -> None:
    async def work(client: Client) -> list[made.Applied]:
        return await made.apply(client, settings)

    done = run_connected(settings, work)
    if as_json:
        say_json(done)
        return
    for one in done:
        say(f"{one.id}: {one.done}{', and stays paused' if one.paused else ''}.")


def _change(settings: Settings, action: Action, names: list[str], why: str, *, as_json: bool) -> None:
    note = why or f"{_DONE[action]} by o2c"

    async def work(client: Client) -> list[str]:
        try:
            meant = await made.chosen(client, settings, names)
        except made.NoSchedule as error:
            raise Refused(str(error)) from None
        for schedule_id in meant:
            match action:
                case Action.PAUSE:
                    await made.pause(client, schedule_id, note)
                case Action.RESUME:
                    await made.resume(client, schedule_id, note)
                case Action.TRIGGER:
                    await made.trigger(client, schedule_id)
                case Action.DELETE:
                    await made.delete(client, schedule_id)
        return meant

    meant = run_connected(settings, work)
    if as_json:
        say_json([{"id": schedule_id, "done": _DONE[action]} for schedule_id in meant])
        return
    say(f"{counted(len(meant), 'schedule')} {_DONE[action]}: {', '.join(meant)}.")
    if action is Action.TRIGGER:
        hint("Each runs now, unless a run of it is under way; 'o2c schedules' shows how far it came.")
