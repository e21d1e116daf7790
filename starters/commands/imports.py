"""`o2c import`: many orders at once, from a file, from a period at Amazon, or from one of its reports."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from temporalio.client import Client

from canonical.ids import import_workflow_id, report_import_workflow_id
from canonical.import_contracts import ImportInput, ImportPeriod, ReportWanted
from starters.console import Refused, complain, counted, hint, say, say_json
from starters.imports import SHOWN, Imported, follow_import, read_only, start_import, writing
from starters.options import AsJson, Config, Seller, Since, Until
from starters.order_files import OrderFile, check_marketplace
from starters.session import run_connected, seller_of, settings_of
from starters.times import check_period, read_optional_time, read_time
from worker.archiving import ArchiveError, hand_in, import_folder, open_archive
from worker.settings import ConfigurationError, Settings

REPORTS: Final = {
    "all-orders": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL",
    "all-orders-by-update": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
    "actionable-orders": "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING",
}
"""Amazon's reports of orders, under names that can be typed."""
_LONGEST: Final = timedelta(days=30)
_WITHOUT_PERIOD: Final = frozenset({"GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"})


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
    report: Annotated[
        str | None,
        typer.Option("--report", help=f"Ask Amazon for this report: {', '.join(REPORTS)}."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the file, start nothing.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results", help="Write what became of each line here; CSV where the name ends in .csv."
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end. The import goes on either way.")
    ] = True,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Start many orders, behind live ones. They come from FILE, from a period at Amazon (--since), or from a
    report (--report). It goes on when this command is stopped; the same command joins it again. Exit 1 if a line
    was refused; all other lines are imported."""
    _check_source(file, since, until, report, dry_run=dry_run)
    settings = settings_of(config)
    seller_id = seller_of(settings, seller)
    rows_of = check_marketplace(marketplace, seller_id, settings.sellers[seller_id])
    if file is not None:
        orders = OrderFile(file, seller_id, settings.sellers[seller_id], rows_of)
        orders.check()
        if dry_run:
            with writing(results) as write:
                done = read_only(orders.read(), write or (lambda _: None))
            _say(str(file), done, as_json=as_json, dry_run=True)
            return
        workflow_id, asking = _file(settings, orders)
        source = str(file)
    elif report is not None:
        workflow_id, asking = _report(settings, seller_id, marketplace, rows_of, _kind(report), since, until)
        source = asking.report.report_type if asking.report else ""
    else:
        workflow_id, asking = _period(settings, seller_id, since or "", until)
        source = f"Orders created since {since}"
    _run(settings, workflow_id, asking, source, results, wait=wait, as_json=as_json)


def _check_source(
    file: Path | None, since: str | None, until: str | None, report: str | None, *, dry_run: bool
) -> None:
    if file is not None and (since or until or report):
        raise Refused("Give either a FILE, or --since, or --report; a FILE has its own period.", 2)
    if file is None and since is None and report is None:
        raise Refused(
            "Give either a FILE or --since: o2c import orders.jsonl, o2c import --since 2026-11-20T00:00Z, or ask "
            "for a report: o2c import --report actionable-orders.",
            2,
        )
    if dry_run and file is None:
        raise Refused("--dry-run reads a FILE; what --since finds is only known to Amazon.", 2)
    if until and since is None:
        raise Refused("--until needs --since.", 2)


def _file(settings: Settings, orders: OrderFile) -> tuple[str, ImportInput]:
    try:
        archive = open_archive(settings.archive)
        given = hand_in(archive, orders.path, orders.seller_id, orders.marketplace_id)
    except ConfigurationError as error:
        raise Refused(str(error), 2) from None
    except ArchiveError as error:
        raise Refused(str(error)) from None
    return given.workflow_id, ImportInput(
        seller_id=orders.seller_id,
        folder=given.folder,
        file=given.file,
        marketplace_id=orders.marketplace_id,
        chunks_at_once=settings.imports.chunks_at_once,
    )


def _period(settings: Settings, seller_id: str, since: str, until: str | None) -> tuple[str, ImportInput]:
    begins, ends = read_time(since, "--since"), read_optional_time(until, "--until")
    check_period(begins, ends)
    workflow_id = import_workflow_id(seller_id, begins, ends)
    return workflow_id, ImportInput(
        seller_id=seller_id,
        folder=import_folder(workflow_id),
        period=ImportPeriod(created_after=begins, created_before=ends),
        chunks_at_once=settings.imports.chunks_at_once,
    )


def _kind(report: str) -> str:
    kind = REPORTS.get(report.lower(), report.upper())
    if kind not in REPORTS.values():
        raise Refused(f"{report} is no report of orders; there are {', '.join(REPORTS)}.", 2)
    return kind


def _report(
    settings: Settings,
    seller_id: str,
    marketplace: str | None,
    rows_of: str,
    kind: str,
    since: str | None,
    until: str | None,
) -> tuple[str, ImportInput]:
    begins, ends = read_optional_time(since, "--since"), read_optional_time(until, "--until")
    if begins is None and kind not in _WITHOUT_PERIOD:
        raise Refused(f"{kind} needs a period: --since 2026-11-20T00:00Z.", 2)
    if begins is not None:
        check_period(begins, ends)
        if (ends or datetime.now(UTC)) - begins > _LONGEST:
            raise Refused(
                f"Amazon makes this report for {_LONGEST.days} days at most; import a longer period in parts, or "
                "without --report.",
                2,
            )
    marketplaces = (marketplace,) if marketplace else settings.sellers[seller_id].marketplaces
    workflow_id = report_import_workflow_id(seller_id, kind, begins, ends)
    return workflow_id, ImportInput(
        seller_id=seller_id,
        folder=import_folder(workflow_id),
        report=ReportWanted(report_type=kind, marketplace_ids=marketplaces, since=begins, until=ends),
        marketplace_id=rows_of,
        chunks_at_once=settings.imports.chunks_at_once,
    )


def _run(
    settings: Settings,
    workflow_id: str,
    asking: ImportInput,
    source: str,
    results: Path | None,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    async def work(client: Client) -> Imported | None:
        begun = await start_import(client, workflow_id, asking, f"Import of {Path(source).name}")
        if not wait:
            return None
        if not as_json:
            hint(f"{workflow_id} goes on if this command is stopped.")
        with writing(results) as write:
            return await follow_import(client, begun, open_archive(settings.archive), write)

    done = run_connected(settings, work)
    if done is not None:
        _say(source, done, as_json=as_json)
    elif as_json:
        say_json({"workflow_id": workflow_id, "source": source})
    else:
        say(f"{workflow_id} is under way; the same command without --no-wait follows it.")


def _say(source: str, done: Imported, *, as_json: bool, dry_run: bool = False) -> None:
    if as_json:
        say_json(
            {
                "source": source,
                "dry_run": dry_run,
                "workflow_id": done.workflow_id,
                **done.counts.model_dump(),
                "results": done.results,
                "remarks": done.remarks,
                "notes": done.notes,
                "refusals": done.refusals,
            }
        )
    else:
        _say_lines(source, done, dry_run=dry_run)
    if not done.clean:
        raise typer.Exit(1)


def _say_lines(source: str, done: Imported, *, dry_run: bool) -> None:
    for line in done.refusals:
        told = hint if line.outcome == "duplicate" else complain
        told(f"Line {line.lines[0]}: {line.sentence}" if line.lines else line.sentence)
    counts = done.counts
    if counts.refused + counts.duplicates > SHOWN:
        more = counts.refused + counts.duplicates - len(done.refusals)
        complain(f"{more} more lines were not taken; --results FILE lists them all.")
    doings = (
        "nothing was started (dry run)"
        if dry_run
        else f"{counts.started} started, {counts.signalled} already under way, {counts.late} closed already"
    )
    skipped = f", {counts.skipped} skipped" if counts.skipped else ""
    say(
        f"{source}: {counted(counts.orders, 'order')} read, {doings}{skipped}; "
        f"{counted(counts.duplicates, 'duplicate')}, {counts.refused} refused."
    )
    for sentence in (*done.notes, *done.remarks):
        say(f"  {sentence}")
