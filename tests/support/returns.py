"""What a test of return cases needs: things that happen after a sale, the feed that tells them, the case's view."""

import asyncio
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import return_case_workflow_id
from canonical.return_contracts import (
    RETURNS_FEED,
    CaseView,
    ReturnCaseResult,
    ReturnsFeedInput,
    ReturnsFeedResult,
    TellReturnReportRequest,
)
from canonical.return_reports import FBA_RETURNS, REIMBURSEMENTS, REPORT_TYPES
from tests.support.orders import ORDINARY, order
from tests.support.world import PATIENCE, World, eventually
from worker.archiving import hand_in_report, open_archive

EU = "A2EUSELLER0001"
Case = WorkflowHandle[object, ReturnCaseResult]
_numbers = itertools.count(1)


@dataclass
class Sold:
    """An order that is shipped and invoiced, and its first item."""

    world: World
    order_id: str
    sku: str
    item: str

    async def happens(self, kind: str, **facts: object) -> dict[str, Any]:
        """Something happens after the sale, at Amazon."""
        body = {"type": kind, "item": self.item, **facts}
        answer = await self.world.amazon.post(f"/_control/orders/{self.order_id}/aftersale", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @property
    def case(self) -> Case:
        return self.world.client.get_workflow_handle(
            return_case_workflow_id(EU, self.order_id, self.sku), result_type=ReturnCaseResult
        )

    async def view(self) -> CaseView:
        view: CaseView = await self.case.query("state", result_type=CaseView)
        return view

    async def until_held(self, reason: str) -> CaseView:
        return await eventually(self.view, lambda view: view.held_reason == reason)

    async def until_waiting(self) -> CaseView:
        return await eventually(
            self.view, lambda view: view.step == "awaiting_return" and not view.held_reason
        )

    async def settled(self) -> ReturnCaseResult:
        """How the case ended."""
        try:
            return await asyncio.wait_for(self.case.result(), PATIENCE.total_seconds())
        except TimeoutError:
            raise AssertionError(f"The case did not end: {await self.view()}") from None

    async def in_m3(self) -> dict[str, list[Any]]:
        return await self.world.in_m3(self.order_id)

    async def credits(self) -> list[str]:
        """Gross amounts of the credit invoices."""
        return [str(each["gross"]) for each in (await self.in_m3())["invoices"] if each["dlix"] == 0]


async def sold(world: World, quantity: int = 1, sku: str = ORDINARY, **more: Any) -> Sold:
    """An order that has gone all the way."""
    body = order((sku, quantity), status="SHIPPED", **more)
    order_id = await world.place(body)
    result = await world.result(await world.start(order_id))
    assert result.outcome == "booked", result.sentence
    return Sold(world, order_id, sku, str(body["orderItems"][0]["orderItemId"]))  # type: ignore[index]


async def fed(
    world: World, folder: Path, *types: str, refunds: bool = True, nudge: bool = False
) -> ReturnsFeedResult:
    """One look for the European seller, with report files as Amazon would make them now."""
    reports = []
    for report_type in types if types else (FBA_RETURNS, REIMBURSEMENTS):
        assert report_type in REPORT_TYPES
        answer = await world.amazon.get(f"/_control/aftersale/{report_type}", params={"seller": EU})
        file = folder / f"{report_type}-{next(_numbers)}.txt"
        file.write_bytes(answer.content)
        kept = hand_in_report(open_archive(world.settings.archive), file, EU, report_type)
        reports.append(
            TellReturnReportRequest(
                seller_id=EU, report_type=report_type, file=kept, made_at=datetime.now(UTC)
            )
        )
    start = ReturnsFeedInput(
        seller_id=EU,
        posted_after=datetime.now(UTC) - timedelta(days=170),
        refunds=refunds,
        reports=tuple(reports),
        nudge=nudge,
    )
    result: ReturnsFeedResult = await world.client.execute_workflow(
        RETURNS_FEED,
        start,
        id=f"test-returns-feed-{next(_numbers)}",
        task_queue=ORDERS_QUEUE,
        result_type=ReturnsFeedResult,
    )
    return result
