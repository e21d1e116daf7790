"""The audit and the reconciliation know refunds and return cases, on a real server between both simulators."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.audit_contracts import AUDIT, AuditInput, AuditReport
from canonical.schedule_contracts import RECONCILIATION, ReconciliationInput, ReconciliationResult
from tests.support.orders import new_order_id
from tests.support.returns import EU, Sold, fed, sold
from tests.support.world import World, eventually

DAYS_AGO = 3
"""Long enough that Amazon must have told it."""


async def audited(world: World, **more: object) -> AuditReport:
    start = {"seller_ids": (EU,), "created_after": datetime.now(UTC) - timedelta(days=4), **more}
    report: AuditReport = await world.client.execute_workflow(
        AUDIT,
        AuditInput.model_validate(start),
        id=f"test-audit-{new_order_id()}",
        task_queue=ORDERS_QUEUE,
        result_type=AuditReport,
    )
    return report


def said(report: AuditReport, *items: Sold) -> list[str]:
    mine = {item.order_id for item in items}
    return [each.sentence for each in report.findings if each.kind == "return" and each.order_id in mine]


async def test_refunds_without_a_case_and_cases_without_a_credit_are_found(
    world: World, tmp_path: Path
) -> None:
    even, given_up, open_, untold = await asyncio.gather(*(sold(world) for _ in range(4)))
    for item in (even, given_up, open_):
        await item.happens("refund", days_ago=DAYS_AGO)
    await even.happens("return")
    await fed(world, tmp_path)
    await even.settled()
    await given_up.until_waiting()
    await given_up.case.cancel()
    assert (await given_up.settled()).outcome == "given_up"
    await open_.until_waiting()
    await untold.happens("refund", days_ago=DAYS_AGO)
    young = await sold(world)
    await young.happens("refund")

    async def look() -> AuditReport:
        return await audited(world, refund_tolerance="0")

    report = await eventually(look, lambda report: len(said(report, given_up)) == 1)  # visibility lags
    assert said(report, even, open_, young) == []
    [lost] = said(report, untold)
    assert "there is no return case for it" in lost
    [lacking] = said(report, given_up)
    assert "was given up by a person" in lacking
    assert "M3 has credited 0 EUR" in lacking
    cases = report.cases
    assert cases is not None
    assert cases.open >= 1
    assert cases.closed >= 2
    assert cases.refunds >= 4
    assert cases.differing >= 2
    assert (await audited(world)).cases is None

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starters", "audit", "--seller", EU, "--config", str(world.config_file),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert f"return: {lost}" in out.decode().replace("\n", " ")
    assert "compared with return cases" in out.decode()

    start = ReconciliationInput(seller_ids=(EU,), days=4, refund_tolerance="0", tell=False)
    night: ReconciliationResult = await world.client.execute_workflow(
        RECONCILIATION,
        start,
        id=f"test-night-{new_order_id()}",
        task_queue=ORDERS_QUEUE,
        result_type=ReconciliationResult,
    )
    assert said(night.report, untold) == [lost]
    assert said(night.report, given_up) == [], (
        "It closed after the last midnight, and is told the night after."
    )
