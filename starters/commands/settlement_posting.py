"""`o2c settlement list`, `post` and `show`: settlements on their way into the ledger."""

from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from canonical.settlement.models import CheckStatus
from canonical.settlement_contracts import FeedResult, Matched, SettlementView, TakenIn
from canonical.settlement_ids import settlement_subject
from starters import settlements as known
from starters.console import Refused, counted, say, say_json, table
from starters.options import AsJson, Config, Seller
from starters.session import run_connected, seller_of, sellers_of, settings_of
from starters.times import shown
from worker.archiving import ArchiveError

_MARKS = {
    CheckStatus.OK: "ok",
    CheckStatus.DIFFERS: "DIFFERS",
    CheckStatus.NOTE: "note",
    CheckStatus.OPEN: "open",
}


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
        return FeedResult(seller_id=seller_id, listed=len(taken), taken=tuple(taken))

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
    if result.failed:
        raise typer.Exit(1)


def show(
    settlement_id: Annotated[str, typer.Argument(metavar="ID", help="Settlement id, such as 23874396421.")],
    *,
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show a settlement: its checks, vouchers and orders, and where it stands. Exit 0 only if it is booked."""
    settings = settings_of(config)
    subject = settlement_id.strip()
    if settlement_subject(subject) is None:
        raise Refused(f"{settlement_id!r} is no settlement id; one looks like 23874396421.", 2)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> SettlementView:
        return await known.settlement(client, sellers, subject)

    found = run_connected(settings, work)
    if as_json:
        say_json(found)
    else:
        _show(found)
    if found.outcome != "booked":
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


def _show(view: SettlementView) -> None:
    state = view.outcome or (f"held for {view.held_reason}" if view.held_reason else view.step.value)
    say(f"Settlement {view.subject} of seller {view.seller_id}: {state}", "bold")
    say(view.held_sentence or view.sentence)
    if view.booking is not None:
        header = view.booking.settlement.header
        say(f"{header.start:%Y-%m-%d} to {header.end:%Y-%m-%d}, {header.total} {header.currency}.")
        table(("check", "", ""), [(each.name, _MARKS[each.status], each.sentence) for each in view.checks])
    for matched in view.matches:
        say(_matches(matched))
    if view.posted:
        headings = ("voucher", "year", "by", "batch", "date", "debit", "credit", "clearing")
        rows = [
            (
                each.vono,
                each.year,
                "hand" if each.by_hand else each.kind.value,
                each.key,
                f"{each.accounting_date}",
                str(each.debit),
                str(each.credit),
                str(each.clearing),
            )
            for each in view.posted
        ]
        table(headings, rows)
    for remark in view.remarks:
        say(f"  {remark}", "dim")


def _matches(matched: Matched) -> str:
    told = ", ".join(f"{count} {status.value}" for status, count in matched.orders.items())
    odd = "".join(f"\n  {one.order_id}: {one.sentence}" for one in matched.listed)
    return f"Orders: {told}.{odd}"
