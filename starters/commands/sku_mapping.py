"""`o2c sku list`, `suggest` and `map`: SKUs without item, what they may be, and one that is mapped."""

from typing import Annotated

import typer
from pydantic import ValidationError
from temporalio.client import Client

from canonical.sku.contracts import MapSkuInput, MapSkuResult
from starters import skus
from starters.console import Refused, counted, say, say_json, table
from starters.options import AsJson, Config, Seller
from starters.passes import Pass, finish
from starters.repairs import signed
from starters.session import run_connected, seller_of, sellers_of, settings_of
from starters.times import shown
from worker.archiving import ArchiveError, open_archive
from worker.sku_release import start_mapping

_TITLE = 60


def list_skus(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 200,
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List SKUs that no M3 item is known for, those with most held orders first: of held orders as they are now, and of
    Amazon's listings as they were last read."""
    settings = settings_of(config)
    sellers = {one: settings.sellers[one] for one in sellers_of(settings, seller)}
    archive = open_archive(settings.archive)
    try:
        rows = run_connected(settings, lambda client: skus.open_rows(client, archive, sellers))
    except ArchiveError as error:
        raise Refused(str(error)) from None
    if as_json:
        say_json(rows[:limit])
    elif not rows:
        say("Every SKU has its item, as far as orders and listings tell.")
    else:
        headings = ("SKU", "seller", "marketplace", "held orders", "title")
        table(headings, [_row(one) for one in rows[:limit]])
        say(f"{counted(len(rows), 'SKU')} without item; 'o2c sku suggest' says which it may be.")


def suggest(
    sku: Annotated[str, typer.Argument(metavar="[SKU]", help="One SKU; without it the first ones.")] = "",
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Look now; else what the last look found is shown.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many SKUs.")] = 20,
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show which M3 item a SKU may be: ranked, with reasons, the effect, and the command that maps it. Exit 1 if nobody
    has looked yet, or the SKU was not among those without item."""
    settings = settings_of(config)
    sellers = sellers_of(settings, seller)
    archive = open_archive(settings.archive)
    wanted = sku.strip()

    async def work(client: Client) -> list[skus.ShownLook]:
        if now:
            await skus.look(client, sellers)
        looks = [await skus.suggestions(client, archive, one, wanted, limit=limit) for one in sellers]
        return [one for one in looks if one is not None]

    try:
        looks = run_connected(settings, work)
    except ArchiveError as error:
        raise Refused(str(error)) from None
    if not looks:
        raise Refused("Nobody has looked at SKUs yet; 'o2c sku suggest --now' looks.")
    if wanted and not any(look.skus for look in looks):
        raise Refused(
            f"SKU {wanted} was not among those without item at {shown(max(look.taken for look in looks))}; "
            "'--now' looks again."
        )
    if as_json:
        say_json(looks)
    else:
        for look in looks:
            _say_look(look)


def map_sku(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="SellerSKU, such as BLUE-MUG-2.")],
    itno: Annotated[str, typer.Argument(metavar="ITNO", help="M3's item number, such as 10023.")],
    *,
    marketplace: Annotated[
        list[str] | None,
        typer.Option(
            "--marketplace",
            help="Only there: id, or name such as Amazon.de; may be given several times.",
            show_default="all of the seller's",
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who maps.", show_default="$O2C_BY or you")] = "",
    why: Annotated[str, typer.Option("--why", help="Kept on the orders.")] = "",
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Map a SKU of a seller to an M3 item: M3 gets the alias, and every order held for the SKU goes on. Exit 1 if it
    was not mapped, or an order was not released; run twice, it does nothing twice."""
    settings = settings_of(config)
    seller_id = seller_of(settings, seller)
    places = skus.marketplaces_of(marketplace or (), seller_id, settings.sellers[seller_id])
    try:
        wanted = MapSkuInput(
            seller_id=seller_id, sku=sku, itno=itno, marketplace_ids=places, by=signed(by), why=why
        )
    except ValidationError as error:
        wrong = ", ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_input=False))
        raise Refused(f"This cannot be mapped ({wrong}).", 2) from None

    async def work(client: Client) -> MapSkuResult:
        handle = await start_mapping(client, wanted)
        return await finish(client, Pass(handle.id, handle.result_run_id or ""), MapSkuResult)

    result = run_connected(settings, work)
    if as_json:
        say_json(result)
    else:
        _say_result(result)
    if result.outcome == "refused" or result.left_count:
        raise typer.Exit(1)


def _row(one: skus.OpenRow) -> tuple[str, ...]:
    title = one.title if len(one.title) <= _TITLE else f"{one.title[: _TITLE - 1]}…"
    return (one.sku, one.seller_id, ", ".join(one.marketplaces), f"{one.held_orders:>5}", title)


def _say_look(look: skus.ShownLook) -> None:
    say(f"Seller {look.seller_id}, as of {shown(look.taken)}.", "bold")
    if not look.skus:
        say("No SKU without item.")
    for one in look.skus:
        places = ", ".join(one.marketplaces) or "no marketplace"
        say(f"\n{one.sku} ({places}): {one.title or 'no title'}", "bold")
        for place, item in enumerate(one.suggestions, start=1):
            reasons = "; ".join(item.reasons)
            say(
                f"  {place}. {item.itno}  {item.name}  score {item.score:.2f}, {item.confidence:.1%} sure: {reasons}"
            )
        for note in one.notes:
            say(f"  {note}", "yellow")
        if one.suggestions:
            say(f"  {one.suggestions[0].command}    # {one.effect}")
        else:
            say(
                f"  No item is like it; mapping it {one.effect}."
                if one.held_orders
                else "  No item is like it."
            )
    for note in look.notes:
        say(note, "yellow")


def _say_result(result: MapSkuResult) -> None:
    say(result.sentence, "red" if result.outcome == "refused" else "")
    if result.written:
        say(f"Alias written in M3 (MMS025): {', '.join(result.written)}.")
    if result.known:
        say(f"Alias known in M3: {', '.join(result.known)}.")
    for note in result.notes:
        say(note, "yellow")
    if result.waiting_count:
        say(f"{result.waiting_count} of them wait for other SKUs still: {', '.join(result.waiting[:10])}.")
    for one in result.left:
        say(f"Not released: {one.sentence}", "red")
    if result.left_count > len(result.left):
        say(f"And {result.left_count - len(result.left)} more.", "red")
