"""`o2c settlement list` and `post`: settlements on their way into the ledger."""

from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from canonical.settlement_reports import FeedResult, TakenIn
from starters import settlements as known
from starters.console import Refused, counted, say, say_json, table
from starters.options import AsJson, Config, Seller
from starters.session import run_connected, seller_of, settings_of
from starters.times import shown
from worker.archiving import ArchiveError


def list_settlements(
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not closed.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List settlements, the latest first: where each stands, and why it is held."""
    settings = settings_of(config)
    wanted = seller_of(settings, seller) if seller else None

    async def work(client: Client) -> list[known.ListedSettlement]:
        return await known.settlements(
            client, settings.web_ui, seller_id=wanted, only_open=only_open, limit=limit
        )

    found = run_connected(settings, work)
    if as_json:
        say_json(found)
    elif not found:
        say("There is no settlement yet; 'o2c settlement post' looks for reports at Amazon.")
    else:
        headings = ("settlement", "seller", "marketplace", "state", "held for", "since", "closed")
        table(headings, [_row(one) for one in found])


def post(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Reports to post; without any, Amazon is asked for them."),
    ] = None,
    *,
    charset: Annotated[str, typer.Option("--charset", help="Of the files.", show_default="found out")] = "",
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Archive settlement reports and start their settlements, each once: files, or all that Amazon lists. They go on by
    themselves; 'o2c settlement show' tells how they stand. Exit 1 if a report was not taken in."""
    settings = settings_of(config)
    if not settings.settlement.plan.configured:
        raise Refused("The configuration has no settlement.accounts: nothing can be posted.", 2)
    seller_id = seller_of(settings, seller)

    async def work(client: Client) -> FeedResult:
        if not files:
            return await known.look(client, settings, seller_id)
        taken = [await known.hand_in(client, settings, seller_id, file, charset) for file in files]
        return FeedResult(
            seller_id=seller_id,
            listed=len(taken),
            taken=tuple(one for one in taken if not one.refused),
            failed=tuple(one for one in taken if one.refused),
        )

    try:
        result = run_connected(settings, work)
    except ArchiveError as error:
        raise Refused(str(error)) from None
    if as_json:
        say_json(result)
    else:
        for one in (*result.taken, *result.failed):
            say(_told(one))
        say(f"{counted(result.listed, 'report')}, {result.known} known already.")
        if result.advice:
            say(result.advice)
    if result.failed or result.advice:
        raise typer.Exit(1)


def _row(one: known.ListedSettlement) -> tuple[str, ...]:
    state = one.step if one.status == "running" else one.status
    return (
        one.settlement_id,
        one.seller_id,
        one.marketplace,
        state,
        one.held_reason,
        shown(one.started),
        shown(one.closed),
    )


def _told(taken: TakenIn) -> str:
    if taken.sentence:
        return taken.sentence
    name = f"settlement {taken.settlement_id}" if taken.settlement_id else "a report that cannot be read"
    return f"Report {taken.report_id}: {name} was started."
