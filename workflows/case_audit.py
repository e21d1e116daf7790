"""The audit of return cases: a part of the audit of a period, for sellers whose cases are followed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio import workflow

from canonical.audit import MAX_FINDINGS
from canonical.audit_contracts import AuditFinding, AuditReport, CaseCounts
from canonical.case_audit import (
    AUDIT_CASES,
    AUDIT_CREDITS,
    AUDIT_REFUNDS_PAGE,
    COUNT_CASES,
    AuditCasesRequest,
    AuditCasesResult,
    AuditCreditsRequest,
    AuditCreditsResult,
    AuditRefundsPageRequest,
    AuditRefundsPageResult,
    CaseStands,
    CountCasesRequest,
    CountCasesResult,
    CreditsOfOrder,
    refund_period,
    uncredited,
    unknown_refunds,
)
from workflows.policies import (
    AMAZON_LIST_TRANSACTIONS,
    HEARTBEAT,
    M3_CALL,
    TELLING,
    CallPolicy,
    seller_priority,
)

R = TypeVar("R", bound=BaseModel)

_CHUNK: Final = 100
"""Cases that one activity looks at."""
_WINDOW: Final = timedelta(days=179)
"""Amazon leaves a window of more than 180 days empty."""
_BEHIND: Final = 4


async def audit_cases_of(
    seller_id: str, since: datetime, until: datetime | None, tolerance: Decimal
) -> AuditReport:
    """Refunds of the period against cases, and the cases that closed in it against M3."""
    refunds, unknown = await _refunds(seller_id, *refund_period(since, until, workflow.now()))
    counted = await _call(
        COUNT_CASES,
        CountCasesRequest(seller_id=seller_id, closed_after=since, closed_before=until or workflow.now()),
        CountCasesResult,
        TELLING,
        "Count return cases",
    )
    findings = [*unknown, *await _closed(counted.closed_ids, tolerance)]
    return AuditReport(
        orders=0,
        lost=0,
        doubled=0,
        differing=0,
        held=0,
        under_way=0,
        findings=tuple(findings[:MAX_FINDINGS]),
        cases=CaseCounts(
            open=counted.open,
            held=counted.held,
            closed=counted.closed,
            refunds=refunds,
            differing=len(findings),
        ),
    )


async def _refunds(seller_id: str, after: datetime, before: datetime) -> tuple[int, list[AuditFinding]]:
    """How many refunds Amazon tells, and those that no case knows."""
    seen: set[str] = set()
    findings: dict[str, AuditFinding] = {}
    begin = after
    while begin < before:
        end = min(before, begin + _WINDOW)
        token = ""
        while True:
            page = await _call(
                AUDIT_REFUNDS_PAGE,
                AuditRefundsPageRequest(
                    seller_id=seller_id, posted_after=begin, posted_before=end, token=token
                ),
                AuditRefundsPageResult,
                AMAZON_LIST_TRANSACTIONS,
                f"Page after {len(seen)} refunds",
                seller_id,
            )
            new = [refund for refund in page.refunds if refund.key not in seen]
            seen |= {refund.key for refund in new}
            cases = await _cases(tuple(dict.fromkeys(refund.case_id for refund in new)))
            known = {case.case_id: case for case in cases}
            findings |= {each.sentence: each for each in unknown_refunds(new, known)}
            workflow.set_current_details(f"{len(seen)} refunds of seller {seller_id} compared.")
            token = page.next_token
            if not token:
                break
        begin = end
    return len(seen), list(findings.values())


async def _closed(case_ids: Sequence[str], tolerance: Decimal) -> list[AuditFinding]:
    findings: list[AuditFinding] = []
    for place in range(0, len(case_ids), _CHUNK):
        cases = await _cases(case_ids[place : place + _CHUNK])
        credited = [case for case in cases if case.credits]
        missing: frozenset[tuple[str, str]] = frozenset()
        if credited:
            orders = tuple(CreditsOfOrder(orno=case.orno, credits=case.credits) for case in credited)
            found = await _call(
                AUDIT_CREDITS,
                AuditCreditsRequest(orders=orders),
                AuditCreditsResult,
                M3_CALL,
                f"Look for the credits of {len(credited)} cases in M3",
            )
            missing = frozenset(found.missing)
        findings += uncredited(cases, tolerance, missing)
    return findings


async def _cases(case_ids: Sequence[str]) -> tuple[CaseStands, ...]:
    if not case_ids:
        return ()
    found = await _call(
        AUDIT_CASES,
        AuditCasesRequest(case_ids=tuple(case_ids)),
        AuditCasesResult,
        TELLING,
        f"Read {len(case_ids)} return cases",
    )
    return found.cases


async def _call(
    name: str, request: BaseModel, result: type[R], policy: CallPolicy, summary: str, seller_id: str = ""
) -> R:
    answer: R = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        task_queue=policy.queue,
        start_to_close_timeout=policy.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=policy.retry,
        priority=seller_priority(seller_id, _BEHIND),
        summary=summary,
    )
    return answer
