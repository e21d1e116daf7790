"""The audit: Amazon's orders of a period against M3 and the workflows; started is only what is asked for."""

from datetime import timedelta

from temporalio import workflow

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.audit import added, compare, unfollowed
from canonical.audit_contracts import (
    AUDIT,
    AUDIT_AMAZON_PAGE,
    AUDIT_M3_ORDERS,
    AUDIT_WORKFLOWS,
    AmazonFacts,
    AuditAmazonPageRequest,
    AuditAmazonPageResult,
    AuditInput,
    AuditM3Request,
    AuditM3Result,
    AuditReport,
    AuditWorkflowsRequest,
    AuditWorkflowsResult,
    M3Facts,
    WorkflowFacts,
)
from canonical.schedule_contracts import START_ORDERS, StartOrdersRequest, StartOrdersResult
from workflows.case_audit import audit_cases_of
from workflows.policies import AMAZON_SEARCH, HEARTBEAT, M3_CALL, seller_priority

_START_TIMEOUT = timedelta(minutes=2)


@workflow.defn(name=AUDIT)
class Audit:
    """Lost, doubled and differing orders of a period, page by page."""

    @workflow.run
    async def run(self, start: AuditInput) -> AuditReport:
        """Compare the period; with `start_missing` start what no workflow follows."""
        return await audit_period(start)


async def audit_period(start: AuditInput) -> AuditReport:
    """The audit of a period, as part of a workflow."""
    report = AuditReport(orders=0, lost=0, doubled=0, differing=0, held=0, under_way=0)
    for seller_id in start.seller_ids:
        token = ""
        while True:
            request = AuditAmazonPageRequest(
                seller_id=seller_id,
                created_after=start.created_after,
                created_before=start.created_before,
                token=token,
            )
            page = await _amazon(request)
            report = added(report, await _compared(page.orders, start))
            workflow.set_current_details(f"{report.orders} orders compared.")
            token = page.next_token
            if not token:
                break
        if start.refund_tolerance is not None:
            cases = await audit_cases_of(
                seller_id, start.created_after, start.created_before, start.refund_tolerance
            )
            report = added(report, cases)
    return report


async def _amazon(request: AuditAmazonPageRequest) -> AuditAmazonPageResult:
    page: AuditAmazonPageResult = await workflow.execute_activity(
        AUDIT_AMAZON_PAGE,
        request,
        result_type=AuditAmazonPageResult,
        task_queue=AMAZON_SEARCH.queue,
        start_to_close_timeout=AMAZON_SEARCH.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=AMAZON_SEARCH.retry,
        priority=seller_priority(request.seller_id, 4),
        summary="Read a page of Amazon's orders",
    )
    return page


async def _compared(orders: tuple[AmazonFacts, ...], start: AuditInput) -> AuditReport:
    if not orders:
        return compare(orders, {}, {})
    seller_id = orders[0].seller_id
    ids = tuple(order.order_id for order in orders)
    m3, flows = await _in_m3(ids), await _workflows(seller_id, ids)
    report = compare(orders, m3, flows, start.tolerances)
    missing = unfollowed(orders, m3, flows)
    started = await _start(seller_id, missing) if start.start_missing and missing else 0
    return report.model_copy(update={"missing": len(missing), "started": started})


async def _in_m3(ids: tuple[str, ...]) -> dict[str, M3Facts]:
    found = await workflow.execute_activity(
        AUDIT_M3_ORDERS,
        AuditM3Request(order_ids=ids),
        result_type=AuditM3Result,
        task_queue=M3_CALL.queue,
        start_to_close_timeout=M3_CALL.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=M3_CALL.retry,
        summary=f"Read {len(ids)} orders in M3",
    )
    return {facts.order_id: facts for facts in found.orders}


async def _workflows(seller_id: str, ids: tuple[str, ...]) -> dict[str, WorkflowFacts]:
    found = await workflow.execute_activity(
        AUDIT_WORKFLOWS,
        AuditWorkflowsRequest(seller_id=seller_id, order_ids=ids),
        result_type=AuditWorkflowsResult,
        task_queue=ORDERS_QUEUE,
        start_to_close_timeout=M3_CALL.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=M3_CALL.retry,
        summary=f"Read {len(ids)} workflows",
    )
    return {facts.order_id: facts for facts in found.orders}


async def _start(seller_id: str, ids: tuple[str, ...]) -> int:
    done = await workflow.execute_activity(
        START_ORDERS,
        StartOrdersRequest(seller_id=seller_id, order_ids=ids),
        result_type=StartOrdersResult,
        task_queue=ORDERS_QUEUE,
        start_to_close_timeout=_START_TIMEOUT,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=M3_CALL.retry,
        summary=f"Start {len(ids)} orders that nobody follows",
    )
    return len(done.started)
