"""Starting orders: the one place where an Amazon order becomes a workflow, once."""

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import after_close_workflow_id, order_workflow_id
from canonical.marketplaces import marketplace_name
from canonical.order_contracts import ORDER_TO_CASH, AmazonChanged, GoodsLeft, OrderResult, OrderToCashInput
from canonical.starting import StartKind, StartOutcome
from worker.known_workflows import signalled
from worker.late import LateKept, tell_closed
from workflows import search_attributes
from workflows.policies import LIVE_PRIORITY, marketplace_priority

AMAZON_CHANGED = "amazon_changed"
GOODS_LEFT = "goods_left"


async def start_or_signal(
    client: Client,
    start: OrderToCashInput,
    *,
    priority: int = LIVE_PRIORITY,
    import_id: str = "",
    cases: bool = False,
) -> StartOutcome:
    """Start the order, or tell the one under way what Amazon says now; what is new about a closed one is carried apart.

    Not signal-with-start: a new order has its facts in its input, so a signal beside it would only be another
    history event. Whoever calls this repeats it after a crash, which is harmless: nothing is lost in between.
    cases: return cases follow the refunds of closed orders.
    """
    workflow_id = order_workflow_id(start.seller_id, start.order_id)
    try:
        handle = await client.start_workflow(
            ORDER_TO_CASH,
            start,
            id=workflow_id,
            task_queue=ORDERS_QUEUE,
            result_type=OrderResult,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=search_attributes.at_start(start, import_id),
            static_summary=_summary(start),
            priority=marketplace_priority(
                start.seller_id, start.order.marketplace_id if start.order else "", priority
            ),
        )
    except WorkflowAlreadyStartedError:
        return await _tell(client, workflow_id, start, cases=cases)
    return StartOutcome(StartKind.STARTED, handle.id)


async def _tell(client: Client, workflow_id: str, start: OrderToCashInput, *, cases: bool) -> StartOutcome:
    """The order exists: signal it while it runs; news of a closed one is compared with how it ended."""
    if start.order is None:
        description = await client.get_workflow_handle(workflow_id).describe()
        running = description.close_time is None
        return StartOutcome(StartKind.SIGNALLED if running else StartKind.LATE, workflow_id)
    told = await signal_if_running(client, workflow_id, AMAZON_CHANGED, AmazonChanged(order=start.order))
    if told.kind is not StartKind.LATE:
        return told
    late = await tell_closed(client, start.seller_id, start.order_id, start.order, cases=cases)
    if late.kept is LateKept.CARRIED:
        return StartOutcome(StartKind.AFTER_CLOSE, after_close_workflow_id(start.seller_id, start.order_id))
    return StartOutcome(StartKind.LATE, workflow_id, late.remark)


async def signal_if_running(
    client: Client, workflow_id: str, name: str, news: AmazonChanged | GoodsLeft
) -> StartOutcome:
    """Send news to an order under way; LATE when it is closed (or gone past retention)."""
    told = await signalled(client, workflow_id, name, news)
    return StartOutcome(StartKind.SIGNALLED if told else StartKind.LATE, workflow_id)


def _summary(start: OrderToCashInput) -> str:
    """One line for the Web UI's list: order, marketplace, channel, size, total."""
    order = start.order
    if order is None:
        return f"Amazon order {start.order_id}"
    lines, pieces = len(order.lines), sum(line.quantity for line in order.lines)
    total = f", {order.grand_total}" if order.grand_total else ""
    return (
        f"{order.order_id} {marketplace_name(order.marketplace_id)} {order.channel}, "
        f"{lines} line{'s' * (lines > 1)}, {pieces} piece{'s' * (pieces > 1)}{total}"
    )
