"""`o2c returns`: what goes back and is not settled; with --look a look at Amazon, with --report a report file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import returns_feed_workflow_id
from canonical.return_contracts import (
    RETURNS_FEED,
    ReturnsFeedInput,
    ReturnsFeedResult,
    TellReturnReportRequest,
    ToldCases,
)
from canonical.return_reports import REPORT_TYPES
from starters.console import Refused, counted, say, say_json
from starters.options import AsJson, Config, Seller, Since
from starters.return_cases import OpenCase, open_cases
from starters.session import run_connected, seller_of, settings_of
from starters.times import read_time, shown
from worker.archiving import ArchiveError, hand_in_report, open_archive
from worker.return_settings import ReturnSettings
from worker.settings import ConfigurationError, Settings


def returns(
    *,
    older_than: Annotated[
        int, typer.Option("--older-than", min=0, metavar="DAYS", help="Only cases of this age.")
    ] = 0,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only cases that are flagged: something is missing.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 1000,
    look: Annotated[
        bool, typer.Option("--look", help="Read Amazon's refunds now, and let waiting cases look in M3.")
    ] = False,
    report: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="TYPE=FILE", help=f"Take in a report: {', '.join(REPORT_TYPES)}."),
    ] = None,
    seller: Seller = None,
    since: Since = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List return cases that are not settled: refunds, returns, replacements, reimbursements, oldest first."""
    settings = settings_of(config)
    if look or report:
        if settings.returns is None:
            raise Refused(
                "The configuration has no section [returns]; docs/fulfilment.md says what it does.", 2
            )
        wanted = _wanted(
            settings, settings.returns, seller_of(settings, seller), report or [], since, look=look
        )
        result = run_connected(settings, lambda client: _fed(client, wanted))
        if as_json:
            say_json(result)
        else:
            _say_fed(result)
        return

    async def work(client: Client) -> list[OpenCase]:
        return await open_cases(
            client, settings.web_ui, older_than_days=older_than, overdue=overdue, limit=limit
        )

    found = run_connected(settings, work)
    if as_json:
        say_json(found)
    elif not found:
        say("No return case is open." if not overdue else "No return case is overdue.")
    else:
        _say(found)


def _wanted(
    settings: Settings,
    returns: ReturnSettings,
    seller_id: str,
    reports: list[str],
    since: str | None,
    *,
    look: bool,
) -> ReturnsFeedInput:
    now = datetime.now(UTC)
    after = read_time(since, "--since") if since else now - timedelta(days=returns.look_back_days)
    return ReturnsFeedInput(
        seller_id=seller_id,
        posted_after=after,
        refunds=look,
        nudge=look,
        reports=tuple(_report(settings, seller_id, text) for text in reports),
    )


def _report(settings: Settings, seller_id: str, text: str) -> TellReturnReportRequest:
    report_type, equals, file = text.partition("=")
    if not equals or report_type not in REPORT_TYPES:
        raise Refused(f"{text!r} is no TYPE=FILE; types are {', '.join(REPORT_TYPES)}.", 2)
    path = Path(file)
    if not path.is_file():
        raise Refused(f"There is no file {file}.", 2)
    try:
        kept = hand_in_report(open_archive(settings.archive), path, seller_id, report_type)
    except ConfigurationError as error:
        raise Refused(str(error), 2) from None
    except (ArchiveError, OSError) as error:
        raise Refused(str(error)) from None
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return TellReturnReportRequest(seller_id=seller_id, report_type=report_type, file=kept, made_at=made)


async def _fed(client: Client, wanted: ReturnsFeedInput) -> ReturnsFeedResult:
    result: ReturnsFeedResult = await client.execute_workflow(
        RETURNS_FEED,
        wanted,
        id=returns_feed_workflow_id(wanted.seller_id),
        task_queue=ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        result_type=ReturnsFeedResult,
    )
    return result


def _say_fed(result: ReturnsFeedResult) -> None:
    for name, told in (("Refunds", result.refunds), *result.reports.items()):
        say(f"{name}: {_told(told)}.")
        for remark in told.remarks:
            say(f"  {remark}")
    say(f"{counted(result.nudged, 'case')} that wait for goods look in M3.")


def _told(told: ToldCases) -> str:
    return (
        f"{counted(told.facts, 'fact')}; {told.started} cases begun, {told.told} told, {told.known} knew it; "
        f"{told.refused} belong to no case"
    )


def _say(found: list[OpenCase]) -> None:
    for case in found:
        state = case.held_reason or case.step
        say(f"{case.order_id}/{case.sku}  {case.age_days} days, {state}", "bold")
        if case.states:
            say(f"  {', '.join(case.states)}")
        if case.missing:
            due = f" (overdue from {shown(case.due)})" if case.due else ""
            say(f"  missing: {', '.join(case.missing)}{due}")
        if case.held_reason:
            say(f"  {case.sentence}")
        say(f"  {case.link}", "dim")
    say(f"{counted(len(found), 'return case')} open.", "bold")
