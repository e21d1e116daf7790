"""`o2c import`: many orders at once, from a file or from a period at Amazon."""

from pathlib import Path
from typing import Annotated, Final

import typer
from temporalio.client import Client

from canonical.activity_contracts import IMPORT_PERIOD, ImportPeriodInput, SweepAmazonPageResult
from canonical.ids import import_workflow_id
from canonical.order_reports import RefusedRow
from starters.bulk import Imported, read_only, start_all
from starters.console import Refused, complain, counted, hint, say, say_json
from starters.options import AsJson, Config, Seller, Since, Until
from starters.order_files import OrderFile, check_marketplace
from starters.passes import begin, finish
from starters.session import run_connected, seller_of, settings_of
from starters.times import check_period, read_optional_time, read_time, shown

_SHOWN: Final = 100
"""Refusals printed one by one; a file that is wrong throughout needs no more."""


def import_orders(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="JSON lines of Orders API payloads, or an order report."),
    ] = None,
    *,
    seller: Seller = None,
    marketplace: Annotated[
        str | None, typer.Option("--marketplace", "-m", help="Marketplace id of rows that name none.")
    ] = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the file, start nothing.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Start many orders. They come from FILE, or with --since from Amazon. Exit 1 if a line was refused;
    all other lines are imported."""
    if (file is None) == (since is None):
        raise Refused(
            "Give either a FILE or --since: o2c import orders.jsonl, o2c import --since 2026-11-20T00:00Z.", 2
        )
    if file is not None:
        _import_file(file, seller, marketplace, config, dry_run=dry_run, as_json=as_json)
        return
    if dry_run:
        raise Refused("--dry-run reads a FILE; what --since finds is only known to Amazon.", 2)
    _import_period(since or "", until, seller, config, as_json=as_json)


def _import_file(
    path: Path,
    seller: str | None,
    marketplace: str | None,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    settings = settings_of(config)
    seller_id = seller_of(settings, seller)
    account = settings.sellers[seller_id]
    orders = OrderFile(path, seller_id, account, check_marketplace(marketplace, seller_id, account))
    orders.check()
    if dry_run:
        done = read_only(orders.read())
    else:

        async def work(client: Client) -> Imported:
            return await start_all(client, orders.read())

        done = run_connected(settings, work)
    if as_json:
        say_json({"file": str(path), "dry_run": dry_run, **done.model_dump(mode="json")})
    else:
        _say_file(path, done, dry_run=dry_run)
    if done.refused:
        raise typer.Exit(1)


def _say_file(path: Path, done: Imported, *, dry_run: bool) -> None:
    for row in done.duplicates[:_SHOWN]:
        hint(_located(row))
    for row in done.refused[:_SHOWN]:
        complain(_located(row))
    more = len(done.refused) - _SHOWN
    if more > 0:
        complain(f"{more} more lines were refused; --json lists them all.")
    doings = (
        "nothing was started (dry run)"
        if dry_run
        else f"{done.started} started, {done.signalled} already under way, {done.late} closed already"
    )
    say(
        f"{path}: {counted(done.orders, 'order')} read, {doings}; "
        f"{counted(len(done.duplicates), 'duplicate')}, {len(done.refused)} refused."
    )


def _located(row: RefusedRow) -> str:
    return f"Line {row.line_number}: {row.sentence}" if row.line_number else row.sentence


def _import_period(
    since: str, until: str | None, seller: str | None, config: Path | None, *, as_json: bool
) -> None:
    begins, ends = read_time(since, "--since"), read_optional_time(until, "--until")
    check_period(begins, ends)

    settings = settings_of(config)
    seller_id = seller_of(settings, seller)

    async def work(client: Client) -> SweepAmazonPageResult:
        asking = ImportPeriodInput(seller_id=seller_id, created_after=begins, created_before=ends)
        workflow_id = import_workflow_id(seller_id, begins, ends)
        begun = await begin(
            client, IMPORT_PERIOD, asking, workflow_id, f"Orders created since {shown(begins)}"
        )
        if not as_json:
            hint(f"{workflow_id} reads Amazon's orders; it goes on if this command is stopped.")
        return await finish(client, begun, SweepAmazonPageResult)

    result = run_connected(settings, work)
    if as_json:
        say_json(result)
    else:
        say(
            f"{counted(result.orders, 'order')} read, {result.started} started, {result.signalled} already "
            f"under way, {result.late} closed already, {result.skipped} skipped."
        )
        for remark in result.remarks:
            say(f"  {remark}")
    if result.remarks:  # skipped without a remark are multi-channel orders, which are no sales
        raise typer.Exit(1)
