"""`o2c settlement show`, `deferred` and `unknown`: a settlement's proof sheet, and what is in no settlement yet."""

from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from canonical.finance_contracts import FinanceLooked
from canonical.settlement.deferred import Deferred
from canonical.settlement.proof import sheet_of_view
from canonical.settlement.proof_models import Sheet, SheetHead, SheetState
from canonical.settlement_contracts import SettlementView
from canonical.settlement_ids import settlement_subject
from starters import deferred as held_back
from starters import finances, settlements
from starters.console import Refused, counted, hint, say, say_json, table
from starters.options import AsJson, Config, Seller
from starters.session import run_connected, sellers_of, settings_of
from starters.settlement_orders import write_orders
from starters.settlement_page.file import write_page
from starters.settlement_text import say_head, say_sheet
from starters.times import shown
from worker.archiving import ArchiveError, open_archive
from worker.settings import Settings
from worker.settlement_orders import archived_orders

UNKNOWN = 3
"""Exit status where kinds of amounts are unknown, as of `o2c settlement preview`."""

Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the proof sheet as one HTML page, to read or print."),
]


def show(
    settlement_id: Annotated[str, typer.Argument(metavar="ID", help="Settlement id, such as 23874396421.")],
    *,
    html: Page = None,
    orders: Annotated[
        Path | None,
        typer.Option(
            "--orders", metavar="FILE", help="Write every order that differs from M3 as CSV, however many."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="With --orders: also those that match to the cent.")
    ] = False,
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show a settlement's proof sheet: what an accountant looks at first, and where it stands. Exit 0 only if it is
    booked."""
    settings = settings_of(config)
    subject = settlement_id.strip()
    if settlement_subject(subject) is None:
        raise Refused(f"{settlement_id!r} is no settlement id; one looks like 23874396421.", 2)
    if everything and orders is None:
        raise Refused("--all says what --orders FILE writes; give both.", 2)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> tuple[SettlementView, SheetHead | Sheet]:
        view = await settlements.settlement(client, sellers, subject)
        deferred = await held_back.known(client, view.seller_id)
        return view, sheet_of_view(view, deferred, await finances.known(client, view.seller_id))

    view, sheet = run_connected(settings, work)
    if as_json:
        say_json(sheet)
    else:
        say_head(sheet)
        if isinstance(sheet, Sheet):
            say_sheet(sheet)
    if html is not None:
        if not isinstance(sheet, Sheet):
            raise Refused(f"Settlement {subject} could not be read; there is nothing to prove yet.")
        write_page(sheet, html)
    if orders is not None:
        _write_orders(settings, view, orders, everything=everything)
    if sheet.state is not SheetState.BOOKED:
        raise typer.Exit(1)


def _write_orders(settings: Settings, view: SettlementView, file: Path, *, everything: bool) -> None:
    if view.booking is None or not view.matches:
        raise Refused(f"The orders of settlement {view.subject} have not been looked up in M3 yet.")
    try:
        rows = archived_orders(open_archive(settings.archive), view, everything=everything)
        count = write_orders(rows, view.booking.settlement.header.currency, file)
    except ArchiveError as error:
        raise Refused(str(error)) from None
    what = "orders" if everything else "orders that differ"
    hint(f"{file} is written: {counted(count, 'row')} of {what}.")


def deferred(*, seller: Seller = None, as_json: AsJson = False, config: Config = None) -> None:
    """Ask Amazon what it holds back of shipped orders: by reason and day of release. It is in no settlement before;
    proof sheets show it from now on."""
    settings = settings_of(config)
    sellers = sellers_of(settings, seller)
    found = run_connected(settings, lambda client: held_back.ask(client, sellers))
    if as_json:
        say_json(found)
        return
    for one in found:
        _say_deferred(one)


def unknown(*, seller: Seller = None, as_json: AsJson = False, config: Config = None) -> None:
    """Look through Amazon's transactions for kinds of amounts that nobody has said how to book, before a settlement
    brings them. Exit 3 if there are any; nothing is held by them."""
    settings = settings_of(config)
    sellers = sellers_of(settings, seller)
    found = run_connected(settings, lambda client: finances.ask(client, sellers))
    if as_json:
        say_json(found)
    else:
        for one in found:
            _say_unknown(one)
    if any(one.kinds for one in found):
        raise typer.Exit(UNKNOWN)


def _say_unknown(found: FinanceLooked) -> None:
    kinds = counted(len({one.key for one in found.kinds}), "kind of amount", "kinds of amounts")
    read = f"{counted(found.transactions, 'transaction')} since {found.since:%Y-%m-%d}"
    say(f"Seller {found.seller_id}: {kinds} that nobody has said how to book; {read} read now.", "bold")
    if found.kinds:
        rows = [
            (
                str(one),
                f"account of {one.category}" if one.category else "category",
                one.marketplace,
                f"{one.count:>6}",
                f"{one.amount:>14} {one.currency}",
                f"{one.first} to {one.last}",
                f"{one.example} ({one.description})",
            )
            for one in found.kinds
        ]
        table(("Finances calls it", "lacks its", "marketplace", "count", "amount", "posted", "such as"), rows)
        say("What to do: docs/settlements.md, before a settlement brings it.", "dim")
    if found.unread:
        say(f"{counted(found.unread, 'transaction')} could not be read.", "red")


def _say_deferred(found: Deferred) -> None:
    count = sum(each.count for each in found.shares)
    say(f"Seller {found.seller_id}, {shown(found.as_of)}: {counted(count, 'deferred transaction')}.", "bold")
    if found.shares:
        day = found.as_of.date()
        rows = [
            (
                each.marketplace,
                each.reason or "not told",
                str(each.matures or "not told") + (" overdue" if each.matures and each.matures < day else ""),
                f"{each.count:>6}",
                f"{each.amount:>14} {each.currency}",
            )
            for each in found.shares
        ]
        table(("marketplace", "reason", "release", "count", "amount"), rows)
    if found.unread:
        say(f"{counted(found.unread, 'transaction')} could not be read and are in no sum.", "red")
