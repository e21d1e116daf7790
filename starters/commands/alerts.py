"""`o2c alerts`: whether people were told, and whether they can be."""

from typing import Annotated

import typer
from temporalio.client import Client

from canonical.alert_contracts import AlertsView, Delivery
from starters.alert_report import AlertsKnown, ask_alerts
from starters.console import counted, say, say_json, table
from starters.options import AsJson, Config
from starters.session import run, run_connected, settings_of
from starters.times import shown
from worker.settings import Settings


def alerts(
    *,
    test: Annotated[
        bool, typer.Option("--test", help="Send a test alert to every target; say which took it.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what people were told. Open reasons, alerts not delivered with their error, the last digest."""
    settings = settings_of(config)
    if test:
        _try(settings, as_json=as_json)
        return

    async def work(client: Client) -> AlertsKnown:
        return await ask_alerts(client, settings)

    known = run_connected(settings, work)
    if as_json:
        say_json(known)
    elif known.view is None:
        say(known.sentence)
    else:
        _say(known.view)
        say(known.link, "dim")


def _try(settings: Settings, *, as_json: bool) -> None:
    from worker.alert_trial import try_targets  # noqa: PLC0415 - loads apprise and the HTTP clients

    tried = run(try_targets(settings.alerts))
    failed = sum(not one.delivered for one in tried)
    if as_json:
        say_json({"ok": bool(tried) and not failed, "targets": tried})
    else:
        for one in tried:
            say(
                f"{'ok   ' if one.delivered else 'FAILED'}  {one.sentence}",
                "green" if one.delivered else "red",
            )
        say(_summed_up(len(tried), failed))
    if failed or not tried:
        raise typer.Exit(1)


def _summed_up(tried: int, failed: int) -> str:
    if not tried:
        return "No target is configured: nobody would be told. Name one in [alerts.targets]."
    if failed:
        return f"{failed} of {counted(tried, 'target')} did not take the test alert."
    return f"{counted(tried, 'target')} took the test alert; see that it is there."


def _say(view: AlertsView) -> None:
    say(f"Targets: {', '.join(view.rules.targets) or 'none; nobody is told'}.")
    if view.groups:
        rows = (
            [
                group.reason,
                shown(group.opened),
                str(group.heard),
                shown(group.heard_at),
                str(group.stage or ""),
                shown(group.due),
            ]
            for group in view.groups
        )
        table(("reason", "first told", "orders told of", "last", "stage", "looks again"), rows)
    else:
        say("No reason is open: nothing became held within the last window.")
    for one in view.undelivered:
        _say_undelivered(one, "Not delivered yet" if one.tries else "On its way")
    for one in view.lost:
        _say_undelivered(one, "Given up")
    last = view.last_digest
    if last is not None:
        sent = "sent" if last.sent else "nothing was held, nothing sent"
        say(f"Last digest {shown(last.at)}: {counted(last.held, 'order')} held, {sent}.")
    say(f"Next digest {shown(view.next_digest)}." if view.next_digest else "No digest is due.")
    say(f"{view.delivered} delivered, {len(view.undelivered)} not yet, {view.given_up} given up.", "bold")


def _say_undelivered(one: Delivery, what: str) -> None:
    again = f", next try {shown(one.due)}" if one.due and what != "Given up" else ""
    failed = f" {one.error} Tried {counted(one.tries, 'time')}{again}." if one.tries else ""
    say(
        f"{what}: to {one.target}, from {shown(one.created)}: {one.message.title}.{failed}",
        "red" if failed else "",
    )
