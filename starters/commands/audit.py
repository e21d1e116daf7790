"""`o2c audit`: Amazon against M3 over a period. Read only, unless it is to start what nobody follows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

import typer
from temporalio.client import Client

from canonical.audit_contracts import AUDIT, AuditInput, AuditReport
from canonical.ids import audit_workflow_id
from canonical.reconciliation import differing_cases
from starters.console import counted, hint, say, say_json, table
from starters.options import AsJson, Config, Seller, Since, Until
from starters.passes import begin, finish
from starters.session import run_connected, sellers_of, settings_of
from starters.times import check_period, read_optional_time, shown

DEFAULT_SPAN: Final = timedelta(days=7)


def audit(
    since: Since = None,
    until: Until = None,
    seller: Seller = None,
    start_missing: Annotated[
        bool, typer.Option("--start-missing", help="Start the orders that no workflow follows.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Compare Amazon with M3. Counts lost, doubled and differing orders of a period, and those without a workflow;
    where return cases are followed, them and the refunds they do not know.
    Without --since the last seven days, without --seller every configured seller. Exit 1 if anything is found."""
    begins = read_optional_time(since, "--since") or datetime.now(UTC) - DEFAULT_SPAN
    ends = read_optional_time(until, "--until")
    check_period(begins, ends)

    settings = settings_of(config)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> AuditReport:
        if not as_json:
            hint(f"Comparing orders created since {shown(begins)}.")
        tolerances = {key: profile.tolerance for key, profile in settings.marketplaces.items()}
        return await run_audit(
            client,
            sellers,
            begins,
            ends,
            tolerances=tolerances,
            start_missing=start_missing,
            refund_tolerance=settings.returns.tolerance if settings.returns is not None else None,
        )

    report = run_connected(settings, work)
    if as_json:
        say_json(report)
    else:
        say_report(report)
    if not is_clean(report):
        raise typer.Exit(1)


async def run_audit(
    client: Client,
    sellers: tuple[str, ...],
    begins: datetime,
    ends: datetime | None = None,
    *,
    tolerances: Mapping[str, Decimal] | None = None,
    start_missing: bool = False,
    refund_tolerance: Decimal | None = None,
) -> AuditReport:
    """Run the audit as a workflow and wait for its report. tolerances: by marketplace id. refund_tolerance: None
    where no return cases are followed."""
    asking = AuditInput(
        seller_ids=sellers,
        created_after=begins,
        created_before=ends,
        tolerances=dict(tolerances or {}),
        start_missing=start_missing,
        refund_tolerance=refund_tolerance,
    )
    workflow_id = audit_workflow_id(sellers, begins, ends, start_missing=start_missing)
    begun = await begin(client, AUDIT, asking, workflow_id, f"Orders created since {shown(begins)}")
    return await finish(client, begun, AuditReport)


def is_clean(report: AuditReport) -> bool:
    """Whether nothing is lost, doubled or differing, no refund without its case and no case without its credit; held
    orders and those under way are no findings, nor is an order without a workflow that Amazon has not released yet."""
    return report.lost + report.doubled + report.differing + differing_cases(report) == 0


def say_report(report: AuditReport) -> None:
    """The counts as a table, then each finding as a sentence."""
    figures = (
        report.orders, report.lost, report.doubled, report.differing, report.held, report.under_way
    )  # fmt: skip
    table(
        ("orders", "lost", "doubled", "differing", "held", "under way"), [[str(number) for number in figures]]
    )
    for finding in report.findings:
        say(f"{finding.kind}: {finding.sentence}", "red")
    if report.missing:
        began = f"{report.started} of them were started" if report.started else "--start-missing starts them"
        say(f"{counted(report.missing, 'order')} had no workflow; {began}.")
    if report.cases is not None:
        cases = report.cases
        say(
            f"{counted(cases.refunds, 'refund')} compared with return cases; {cases.open} cases are open, {cases.held} "
            f"held, {cases.closed} closed in the period, {cases.differing} differing."
        )
    found = report.lost + report.doubled + report.differing + differing_cases(report)
    if len(report.findings) < found:
        say(f"The first {len(report.findings)} of {found} findings are shown.")
    say("The audit is clean." if is_clean(report) else "The audit is not clean.", "bold")
