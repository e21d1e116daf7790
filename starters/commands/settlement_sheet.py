"""`o2c settlement show` and `deferred`: the proof sheet of a settlement, and what is in no settlement yet."""

from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from canonical.settlement.deferred import Deferred
from canonical.settlement.proof import sheet_of_view
from canonical.settlement.proof_models import Sheet, SheetHead, SheetState
from canonical.settlement_ids import settlement_subject
from starters import deferred as held_back
from starters import settlements
from starters.console import Refused, counted, say, say_json, table
from starters.options import AsJson, Config, Seller
from starters.session import run_connected, sellers_of, settings_of
from starters.settlement_page.file import write_page
from starters.settlement_text import say_head, say_sheet
from starters.times import shown

Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the proof sheet as one HTML page, to read or print."),
]


def show(
    settlement_id: Annotated[str, typer.Argument(metavar="ID", help="Settlement id, such as 23874396421.")],
    *,
    html: Page = None,
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
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> SheetHead | Sheet:
        view = await settlements.settlement(client, sellers, subject)
        return sheet_of_view(view, await held_back.known(client, view.seller_id))

    sheet = run_connected(settings, work)
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
    if sheet.state is not SheetState.BOOKED:
        raise typer.Exit(1)


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
