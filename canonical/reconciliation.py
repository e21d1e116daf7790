"""The daily reconciliation: which days it compares, and what people are told of it."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY
from canonical.audit_contracts import AuditReport, CaseCounts
from canonical.schedule_contracts import ReconciliationInput, ReconciliationResult

LONGEST_CATCH_UP: Final = timedelta(days=31)
"""Days that were left out, because nothing ran, are compared as well, up to this."""
_NAMED: Final = 8


def days_to_compare(
    start: ReconciliationInput, now: datetime, last: ReconciliationResult | None
) -> tuple[datetime, datetime]:
    """From and until: whole days in the time zone up to its last midnight, and those since the last comparison."""
    zone = ZoneInfo(start.time_zone)
    today = now.astimezone(zone).date()
    until = datetime.combine(today, time(), zone)
    since = datetime.combine(today - timedelta(days=start.days), time(), zone)
    if last is not None:
        since = min(since, max(last.until, until - LONGEST_CATCH_UP))
    return since.astimezone(now.tzinfo), until.astimezone(now.tzinfo)


def needs_telling(report: AuditReport) -> bool:
    """Whether a person has to know: something is lost, doubled, different, or nobody followed it."""
    return bool(
        report.lost or report.doubled or report.differing or report.missing or differing_cases(report)
    )


def differing_cases(report: AuditReport) -> int:
    """Findings about refunds and return cases."""
    return report.cases.differing if report.cases is not None else 0


def counts(report: AuditReport) -> str:
    """The counts in one sentence."""
    missing = (
        f"; {report.missing} had no workflow, {report.started} of them were started" if report.missing else ""
    )
    return (
        f"{report.orders} orders compared: {report.lost} lost, {report.doubled} doubled, {report.differing} "
        f"differing, {report.held} held, {report.under_way} under way{missing}.{_cases(report.cases)}"
    )


def _cases(cases: CaseCounts | None) -> str:
    if cases is None:
        return ""
    return (
        f" {cases.refunds} refunds compared with return cases, of which {cases.open} are open, {cases.held} held and "
        f"{cases.closed} closed in the period: {cases.differing} findings."
    )


def period(since: datetime, until: datetime) -> str:
    """The period for a person."""
    return f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"


def told(result: ReconciliationResult) -> AlertMessage:
    """What people are sent where something is not as it should be."""
    report = result.report
    wrong, cases = report.lost + report.doubled + report.differing, differing_cases(report)
    command = f"o2c audit --since {result.since:%Y-%m-%dT%H:%MZ} --until {result.until:%Y-%m-%dT%H:%MZ}"
    lines = [f"Amazon's orders created {period(result.since, result.until)}: {counts(report)}"]
    lines += [f"{finding.kind}: {finding.sentence}" for finding in report.findings[:_NAMED]]
    if len(report.findings) > _NAMED or wrong + cases > len(report.findings):
        lines.append("and more.")
    body = "\n".join(lines)
    end = f"\nAll of it, as it is now: {command}"
    if len(body) + len(end) > LONGEST_BODY:
        body = f"{body[: LONGEST_BODY - len(end) - 1]}…"
    return AlertMessage(
        title=f"Reconciliation: {_title(report, wrong, cases)}", body=body + end, severity=Severity.WARNING
    )


def _title(report: AuditReport, wrong: int, cases: int) -> str:
    if wrong:
        return f"{wrong} {'order is' if wrong == 1 else 'orders are'} not in M3 as at Amazon"
    if report.missing:
        return f"{report.missing} {'order' if report.missing == 1 else 'orders'} had no workflow"
    return f"{cases} {'finding' if cases == 1 else 'findings'} about refunds and return cases"


def shown(result: ReconciliationResult) -> str:
    """The same as Markdown, for the Web UI."""
    lines = [f"## {period(result.since, result.until)}", counts(result.report)]
    findings = "\n".join(f"- **{one.kind}**: {one.sentence}" for one in result.report.findings)
    return "\n\n".join([*lines, findings] if findings else lines)
