"""The audit: Amazon's orders of a period against M3 and the workflows, read only."""

from decimal import Decimal

from temporalio import workflow

from canonical.activity_contracts import (
    AUDIT,
    AUDIT_AMAZON_PAGE,
    AUDIT_M3_ORDERS,
    AUDIT_WORKFLOWS,
    ORDERS_QUEUE,
    AmazonFacts,
    AuditAmazonPageRequest,
    AuditAmazonPageResult,
    AuditInput,
    AuditM3Request,
    AuditM3Result,
    AuditReport,
    AuditWorkflowsRequest,
    AuditWorkflowsResult,
)
from canonical.audit import added, compare
from workflows.policies import AMAZON_SEARCH, HEARTBEAT, M3_CALL, seller_priority


@workflow.defn(name=AUDIT)
class Audit:
    """Lost, doubled and differing orders of a period, page by page."""

    @workflow.run
    async def run(self, start: AuditInput) -> AuditReport:
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
                page = await self._amazon(request)
                report = added(report, await self._compared(page.orders, start.tolerances))
                workflow.set_current_details(f"{report.orders} orders compared.")
                token = page.next_token
                if not token:
                    break
        return report

    async def _amazon(self, request: AuditAmazonPageRequest) -> AuditAmazonPageResult:
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

    async def _compared(self, orders: tuple[AmazonFacts, ...], tolerances: dict[str, Decimal]) -> AuditReport:
        ids = tuple(order.order_id for order in orders)
        if not ids:
            return compare(orders, {}, {})
        m3 = await workflow.execute_activity(
            AUDIT_M3_ORDERS,
            AuditM3Request(order_ids=ids),
            result_type=AuditM3Result,
            task_queue=M3_CALL.queue,
            start_to_close_timeout=M3_CALL.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=M3_CALL.retry,
            summary=f"Read {len(ids)} orders in M3",
        )
        flows = await workflow.execute_activity(
            AUDIT_WORKFLOWS,
            AuditWorkflowsRequest(seller_id=orders[0].seller_id, order_ids=ids),
            result_type=AuditWorkflowsResult,
            task_queue=ORDERS_QUEUE,
            start_to_close_timeout=M3_CALL.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=M3_CALL.retry,
            summary=f"Read {len(ids)} workflows",
        )
        return compare(
            orders,
            {facts.order_id: facts for facts in m3.orders},
            {facts.order_id: facts for facts in flows.orders},
            tolerances,
        )
