"""`o2c inventory`: stock both ways, what is offered at Amazon and what Amazon keeps."""

from typing import Annotated

import typer
from temporalio.client import Client

from canonical.stock.drift import Drift, DriftKind
from canonical.stock.keeper_state import StockView
from starters.console import counted, say, say_json, table
from starters.options import AsJson, Config
from starters.session import run_connected, seller_of, settings_of
from starters.stock import Drifts, ask, keeper_state, listings_now

app = typer.Typer(
    name="inventory",
    help="Stock both ways: M3's as Amazon offers it, Amazon's own as M3 has it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
_SHOWN = 100


@app.command(epilog="\b\nExample:\n  o2c inventory status")
def status(*, as_json: AsJson = False, config: Config = None) -> None:
    """Show what the stock keeper does: offers, what is on its way, refused or noted. Exit 1 if no keeper runs."""
    view = run_connected(settings_of(config), keeper_state)
    if as_json:
        say_json(view)
    else:
        _say_state(view)


def _say_state(view: StockView) -> None:
    totals = view.totals
    if view.paused is not None:
        say(f"Paused: nothing is sent to Amazon. {view.paused.why} {view.paused.by}".rstrip(), "yellow")
    say(
        f"{counted(totals.offers, 'offer')} of {counted(totals.pools, 'pool')}: {totals.on_their_way} on their way, "
        f"{totals.waiting} waiting, {totals.refused} refused."
    )
    say(
        f"{counted(totals.orders, 'order line')} reckoned with, {totals.not_in_m3} not known to be in M3. "
        f"{totals.without_item} SKUs without an item in M3, {counted(totals.strangers, 'order line')} of unknown SKUs."
    )
    if view.last_sent is not None:
        last = view.last_sent
        say(
            f"Last sent {last.at:%Y-%m-%d %H:%M:%S} UTC: {last.patches} patches, {last.feeds} feeds with "
            f"{last.in_feeds} quantities."
        )
    looked = f"{view.looked_at:%Y-%m-%d %H:%M:%S} UTC" if view.looked_at else "never"
    full = f"{view.full_at:%Y-%m-%d %H:%M} UTC" if view.full_at else "never"
    say(f"M3 was asked at {looked}, for every balance at {full}.")
    for read in view.listings:
        say(f"Listings of {read.seller_id} in {read.marketplace_id}: {read.taken_at:%Y-%m-%d %H:%M} UTC.")
    if not view.listings:
        say("No listings are known: 'o2c inventory drift --now' reads them.", "yellow")
    for feed in view.feeds:
        where = f"{', '.join(feed.feed_ids) or 'not sent yet'} {feed.status}".rstrip()
        say(f"Feed of {feed.feed.messages} quantities in {feed.feed.marketplace_id}: {where}.")
    for seller, until in sorted(view.resting.items()):
        say(f"Seller {seller} rests until {until:%H:%M:%S} UTC.", "yellow")
    if totals.refusals:
        rows = [
            (each.sku, each.marketplace, str(each.quantity), f"{each.code} {each.message}")
            for each in totals.refusals
        ]
        table(("refused SKU", "marketplace", "quantity", "Amazon's issue"), rows)
        _say_more(totals.refused, len(rows))
    for note in totals.notes:
        say(note, "yellow")
    _say_more(totals.noted, len(totals.notes))
    for remark in view.remarks:
        say(remark, "dim")


def _say_more(number: int, shown: int) -> None:
    if number > shown:
        say(f"... and {number - shown} more.")


@app.command(epilog="\b\nExample:\n  o2c inventory push TEA-GREEN-250 --again")
def push(
    skus: Annotated[
        list[str] | None, typer.Argument(metavar="[SKU]...", help="Look at these alone.", show_default=False)
    ] = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read every balance, not only changed ones.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also send again what Amazon refused: of these SKUs, or all.")
    ] = False,
    seller: Annotated[
        str | None, typer.Option("--seller", "-s", help="Seller id.", show_default="the only one configured")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Have M3's balances read now, and what differs sent to Amazon. Exit 2 if a SKU is unknown, 1 if no keeper
    runs."""
    settings = settings_of(config)
    seller_id = seller_of(settings, seller) if skus or seller else ""
    wanted = [(seller_id, sku) for sku in dict.fromkeys(skus or [])]

    async def work(client: Client) -> tuple[int, StockView]:
        asked = await ask(client, settings, wanted, full=full, again=again)
        return asked, await keeper_state(client)

    pools, view = run_connected(settings, work)
    if as_json:
        say_json(
            {"asked": True, "full": full, "again": again, "pools": pools, "paused": view.paused is not None}
        )
        return
    what = "every balance" if full else "changed balances"
    named = f"{counted(pools, 'pool')} and " if pools else ""
    say(f"The stock keeper reads {named}{what} now.")
    if again:
        say("What Amazon refused is sent again.")
    if view.paused is not None:
        say("It is paused: nothing is sent to Amazon before the signal resume.", "yellow")


@app.command(epilog="\b\nExample:\n  o2c inventory drift --now --json")
def drift(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Have Amazon's listings read first; its report takes minutes.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Compare what Amazon shows with what it should show. Exit 1 if any offer shows more, or no listings are
    known."""
    settings = settings_of(config)

    async def work(client: Client) -> StockView:
        if now:
            await listings_now(client, settings)
        return await keeper_state(client)

    view = run_connected(settings, work)
    found = Drifts(settings, view)
    more = [each for each in found.found if each.kind is DriftKind.MORE and not each.on_its_way]
    if as_json:
        say_json(
            {
                "listings_read_at": found.taken_at,
                "offers": found.offers,
                "set_since": found.newer,
                "more": len(more),
                "drift": [
                    {**each.model_dump(mode="json"), "name": each.name._asdict()} for each in found.found
                ],
            }
        )
    else:
        _say_drift(found)
    if more or found.taken_at is None:
        raise typer.Exit(1)


def _say_drift(found: Drifts) -> None:
    if found.taken_at is None:
        say("No listings are known: 'o2c inventory drift --now' reads them.", "yellow")
        return
    say(
        f"{counted(found.offers, 'offer')}, Amazon's listings of {found.taken_at:%Y-%m-%d %H:%M} UTC or later; "
        f"{found.newer} were set since, and for them holds what Amazon confirmed. {len(found.found)} differ."
    )
    if found.found:
        table(
            ("differs", "seller", "marketplace", "SKU", "shows", "should", "why"),
            [_row(each) for each in found.found[:_SHOWN]],
        )
    _say_more(len(found.found), _SHOWN)


def _row(each: Drift) -> tuple[str, ...]:
    why = each.reason or ("on its way" if each.on_its_way else "")
    shows, should = ("" if number is None else str(number) for number in (each.shows, each.should))
    return (each.kind.value, *each.name, shows, should, why)
