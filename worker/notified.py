"""From a notification to the workflow it is about: an order's, started where there is none, or a report's."""

from collections.abc import Sequence
from enum import StrEnum

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import order_workflow_id, report_workflow_id
from canonical.import_contracts import REPORT_FINISHED, ReportFinished
from canonical.late_events import BOOKED
from canonical.notification_contracts import AMAZON_NOTIFIED, AmazonNotified, OrderNotice
from canonical.notification_news import ReportNews
from canonical.order import OrderStatus
from canonical.order_contracts import ORDER_TO_CASH, OrderResult, OrderToCashInput
from worker.known_workflows import described, result_of_run, signalled
from worker.late import LateKept, tell_closed
from workflows import search_attributes
from workflows.policies import LIVE_PRIORITY, marketplace_priority


class Notified(StrEnum):
    """What became of an order's notices."""

    TOLD = "told"
    """The order's workflow has them; where there was none, it was started with them."""
    NOT_KNOWN = "not_known"
    """Amazon cancelled an order that nobody here has begun: there is nothing to take back."""
    LATE = "late"
    """The order's workflow has ended, and they tell nothing that has to be carried at once: what is new about
    it comes with the next sweep, which has the whole order."""
    AFTER_CLOSE = "after_close"
    """Amazon cancelled an order that is booked and closed: a workflow of its own carries it."""


async def notify_order(
    client: Client, seller_id: str, order_id: str, notices: Sequence[OrderNotice], *, cases: bool = False
) -> Notified:
    """Tell the order's workflow, or start it by the order's id; it reads the order itself.

    One call does both (signal-with-start): it may be repeated, the workflow recognises each notice by its id.
    A cancelled order is not started: whatever else was notified of it, there is nothing to book. Raises RPCError
    where Temporal could not be asked. cases: return cases follow the refunds of closed orders.
    """
    news = AmazonNotified(notices=tuple(notices))
    cancelled = any(notice.status is OrderStatus.CANCELLED for notice in notices)
    if cancelled:
        return await _tell_cancelled(client, seller_id, order_id, news, cases=cases)
    try:
        await client.start_workflow(
            ORDER_TO_CASH,
            start := OrderToCashInput(seller_id=seller_id, order_id=order_id),
            id=order_workflow_id(seller_id, order_id),
            task_queue=ORDERS_QUEUE,
            result_type=OrderResult,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=AMAZON_NOTIFIED,
            start_signal_args=[news],
            search_attributes=search_attributes.at_start(start),
            static_summary=f"Amazon order {order_id}",
            priority=marketplace_priority(seller_id, "", LIVE_PRIORITY),
        )
    except WorkflowAlreadyStartedError:
        return Notified.LATE
    return Notified.TOLD


async def _tell_cancelled(
    client: Client, seller_id: str, order_id: str, news: AmazonNotified, *, cases: bool
) -> Notified:
    workflow_id = order_workflow_id(seller_id, order_id)
    if await signalled(client, workflow_id, AMAZON_NOTIFIED, news):
        return Notified.TOLD
    run = await described(client, workflow_id)
    if run is None:
        return Notified.NOT_KNOWN
    completed = run.status is WorkflowExecutionStatus.COMPLETED
    if not completed or (await result_of_run(client, run, OrderResult)).outcome != BOOKED:
        return Notified.LATE
    late = await tell_closed(client, seller_id, order_id, cases=cases)
    return Notified.AFTER_CLOSE if late.kept is LateKept.CARRIED else Notified.LATE


async def notify_report(client: Client, sellers: Sequence[str], news: ReportNews) -> bool:
    """Tell the workflow that waits for the report; False where none does: somebody else asked for it.

    sellers: where the notification names no seller, everybody who may have asked.
    """
    finished = ReportFinished(
        report_id=news.report_id, processing_status=news.status, report_document_id=news.document_id
    )
    told = False
    for seller_id in (news.seller_id,) if news.seller_id else sellers:
        workflow_id = report_workflow_id(seller_id, news.report_id)
        told = await signalled(client, workflow_id, REPORT_FINISHED, finished) or told
    return told
