"""`o2c settlement`: Amazon's settlements, from the file to the ledger."""

import os
from pathlib import Path
from typing import Annotated

import typer

from canonical.settlement.accounts import OWN
from canonical.settlement.categories import CATEGORIES
from canonical.settlement.proof import sheet_of_booking
from starters.console import say_json, table
from starters.options import AsJson, Config
from starters.session import seller_of, settings_of
from starters.settlement_page.file import write_page
from starters.settlement_preview import Preview, expected_of, read_map
from worker.settings import CONFIG_VARIABLE, DEFAULT_FILE, Settings
from worker.settlement_settings import SettlementSettings

app = typer.Typer(
    name="settlement",
    help="Amazon's settlements, explained to the cent.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.command(epilog="\b\nExample:\n  o2c settlement preview 25719799032.txt --json")
def preview(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A settlement report (flat file V2 or V1).")],
    *,
    additions: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Additions: TOML with the keys of [settlement], or CSV with transaction_type, amount_type, "
            "amount_description, category.",
        ),
    ] = None,
    charset: Annotated[
        str | None, typer.Option("--charset", help="Of the file.", show_default="found out")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write its proof sheet as one HTML page besides."),
    ] = None,
    seller: Annotated[
        str | None,
        typer.Option(
            "--seller", "-s", help="Refuse the file unless it is this seller's.", show_default="not looked at"
        ),
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Read a settlement file and show its vouchers; nothing is posted. Exit 2 if the file cannot be read or is
    ambiguous, 3 if it has unknown combinations, 4 if totals differ. No configuration is needed."""
    settings = _configured(config, needed=seller is not None)
    rules = settings.settlement if settings else SettlementSettings()
    if additions is not None:
        rules = rules.with_additions(read_map(additions))
    seller_id = seller_of(settings, seller) if settings and seller else None
    found = Preview(file, rules, expected_of(settings, seller_id), charset)
    if as_json:
        found.write_json()
    else:
        found.say()
    if html is not None:
        write_page(sheet_of_booking(found.booking), html)
    if found.status:
        found.complain()
        raise typer.Exit(found.status)


@app.command(epilog="\b\nExample:\n  o2c settlement categories")
def categories(*, as_json: AsJson = False, config: Config = None) -> None:
    """List the categories an amount may have, their groups, and the accounts that are configured."""
    settings = _configured(config, needed=False)
    plan = (settings.settlement if settings else SettlementSettings()).plan
    rows = [(one.name, one.group, one.text) for one in CATEGORIES.values()]
    rows += [(name, "", text) for name, text in OWN.items()]
    told = [(*row, account.account if (account := plan.find(row[0], "", "")) else "") for row in rows]
    if as_json:
        names = ("category", "group", "text", "account")
        say_json([dict(zip(names, row, strict=True)) for row in told])
    else:
        table(("category", "group", "text", "account"), told)


def _configured(config: Path | None, *, needed: bool) -> Settings | None:
    """The configuration; None where nobody named one and there is none in its usual place."""
    if not needed and config is None and CONFIG_VARIABLE not in os.environ and not DEFAULT_FILE.exists():
        return None
    return settings_of(config)
