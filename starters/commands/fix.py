"""`o2c fix`: repair a held order, or many."""

from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from canonical.held import FixName
from canonical.ids import is_amazon_order_id, mcf_subject
from canonical.settlement_ids import settlement_subject
from canonical.stock.fba_ids import fba_correction_of_text
from starters.bulk_fix import RATE
from starters.commands.fix_many import Many, fix_many
from starters.completion import actions
from starters.console import Refused, say, say_json
from starters.lookup import check_subject, find_subject
from starters.options import AsJson, Config, Seller
from starters.repairs import read_action, read_argument, send_fix, signed
from starters.session import run_connected, sellers_of, settings_of


def fix(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[ORDER_ID] ACTION [KEY=VALUE... | JSON]",
            help="Amazon order id (3-7-7), M3's ORNO-DLIX of what Amazon fulfils, a settlement's id, or that of stock "
            "corrections; left out with --where; "
            f"one of {', '.join(FixName)}; what the repair "
            "needs: sku=BLUE-MUG-2 itno=10023, address.city=Bonn, 'address.lines=Street 1|Rear building', "
            "or one JSON object.",
            autocompletion=actions,
        ),
    ],
    *,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="QUERY",
            help="Repair every held order that this visibility query finds: 'HeldReason=\"m3_unavailable\"'.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --where: list what would be sent, send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --where: do not ask.")] = False,
    rate: Annotated[
        float, typer.Option("--rate", min=0.01, max=1000, help="With --where: at most so many a second.")
    ] = RATE,
    by: Annotated[
        str,
        typer.Option("--by", help="Who repairs; kept on the order.", show_default="$O2C_BY or login name"),
    ] = "",
    why: Annotated[str, typer.Option("--why", help="Why; kept on the order.")] = "",
    seller: Seller = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Repair a held order, or with --where many. Prints each order's answer; exit 1 unless all accepted it."""
    if where is not None:
        many = Many(where, dry_run=dry_run, yes=yes, rate=rate, as_json=as_json)
        _fix_many(words, many, by, why, seller, config)
        return
    if dry_run or yes:
        raise Refused("--dry-run and --yes belong to --where; a single order is repaired at once.", 2)
    checked = check_subject(words[0])
    if len(words) == 1:
        raise Refused(f"Which repair of order {checked}? One of {', '.join(FixName)}.", 2)
    name = read_action(words[1])
    repair = read_argument(name, words[2:], by=signed(by), why=why)

    settings = settings_of(config)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> str:
        return await send_fix(client, await find_subject(client, sellers, checked), name, repair)

    answer = run_connected(settings, work)
    if as_json:
        say_json({"order_id": checked, "fix": name.value, "accepted": True, "sentence": answer})
    else:
        say(answer)


def _fix_many(
    words: list[str], many: Many, by: str, why: str, seller: str | None, config: Path | None
) -> None:
    first = words[0].strip()
    if (
        is_amazon_order_id(first)
        or mcf_subject(first)
        or settlement_subject(first)
        or fba_correction_of_text(first)
    ):
        raise Refused("Give either an order id or --where, not both.", 2)
    name = read_action(words[0])
    fix_many(name, read_argument(name, words[1:], by=signed(by), why=why), many, seller, config)
