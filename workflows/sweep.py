"""Passes over what changed: short workflows that start new orders and signal those under way.

They only turn pages. Each page's orders are started or signalled by the activity before its result comes
back, so that a pass that ends half way has lost nothing and the next one may safely overlap.
"""

from datetime import timedelta

from temporalio import workflow

from canonical.activity_contracts import (
    IMPORT_PERIOD,
    M3_QUEUE,
    SWEEP,
    SWEEP_AMAZON_PAGE,
    SWEEP_M3_DELIVERIES,
    ImportPeriodInput,
    SweepAmazonPageRequest,
    SweepAmazonPageResult,
    SweepInput,
    SweepM3Request,
    SweepM3Result,
    SweepMcfResult,
    SweepResult,
)
from canonical.mcf_contracts import SWEEP_MCF_DELIVERIES, SweepMcfRequest
from workflows.policies import AMAZON_SEARCH, HEARTBEAT, M3_CALL, seller_priority

_MAX_REMARKS = 50
_LOOK_BACK = timedelta(days=1)
"""How far a sweep looks back that was not told where to begin."""
BULK_PRIORITY = 5
"""Imports of the past stand behind live orders."""


@workflow.defn(name=SWEEP)
class Sweep:
    """One pass over Amazon (by last update) and over M3's deliveries."""

    @workflow.run
    async def run(self, start: SweepInput) -> SweepResult:
        amazon: dict[str, SweepAmazonPageResult] = {}
        if start.amazon:
            for seller_id in start.seller_ids:
                workflow.set_current_details(f"Reading what changed at Amazon for seller {seller_id}.")
                first = SweepAmazonPageRequest(
                    seller_id=seller_id,
                    updated_after=start.updated_after or workflow.now() - _LOOK_BACK,
                    updated_before=start.updated_before,
                )
                amazon[seller_id] = await _turn_pages(first)
        m3 = SweepM3Result()
        if start.m3:
            workflow.set_current_details("Reading M3's deliveries of orders that await shipment.")
            m3 = await workflow.execute_activity(
                SWEEP_M3_DELIVERIES,
                SweepM3Request(),
                result_type=SweepM3Result,
                task_queue=M3_QUEUE,
                start_to_close_timeout=M3_CALL.timeout,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=M3_CALL.retry,
                summary="Find M3 deliveries that left",
            )
        mcf = SweepMcfResult()
        if start.mcf:
            workflow.set_current_details("Looking for M3's deliveries that Amazon is to fulfil.")
            mcf = await workflow.execute_activity(
                SWEEP_MCF_DELIVERIES,
                SweepMcfRequest(),
                result_type=SweepMcfResult,
                task_queue=M3_QUEUE,
                start_to_close_timeout=M3_CALL.timeout,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=M3_CALL.retry,
                summary="Find M3 deliveries for Amazon to fulfil",
            )
        return SweepResult(amazon=amazon, m3=m3, mcf=mcf)


@workflow.defn(name=IMPORT_PERIOD)
class ImportPeriod:
    """Every order created in a period, with less priority than live orders."""

    @workflow.run
    async def run(self, start: ImportPeriodInput) -> SweepAmazonPageResult:
        first = SweepAmazonPageRequest(
            seller_id=start.seller_id,
            created_after=start.created_after,
            created_before=start.created_before,
            priority=BULK_PRIORITY,
        )
        return await _turn_pages(first)


async def _turn_pages(request: SweepAmazonPageRequest) -> SweepAmazonPageResult:
    total = SweepAmazonPageResult()
    while True:
        page = await workflow.execute_activity(
            SWEEP_AMAZON_PAGE,
            request,
            result_type=SweepAmazonPageResult,
            task_queue=AMAZON_SEARCH.queue,
            start_to_close_timeout=AMAZON_SEARCH.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=AMAZON_SEARCH.retry,
            priority=seller_priority(request.seller_id, request.priority),
            summary=f"Page after {total.orders} orders",
        )
        total = _added(total, page)
        workflow.set_current_details(f"{total.orders} orders read, {total.started} started so far.")
        if not page.next_token:
            return total
        request = request.model_copy(update={"token": page.next_token})


def _added(total: SweepAmazonPageResult, page: SweepAmazonPageResult) -> SweepAmazonPageResult:
    return SweepAmazonPageResult(
        orders=total.orders + page.orders,
        started=total.started + page.started,
        signalled=total.signalled + page.signalled,
        late=total.late + page.late,
        skipped=total.skipped + page.skipped,
        remarks=(*total.remarks, *page.remarks)[:_MAX_REMARKS],
        horizon=total.horizon or page.horizon,
    )
