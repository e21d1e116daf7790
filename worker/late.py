"""News of an order whose workflow has ended: what M3 does not have becomes a workflow of its own."""

from enum import StrEnum
from typing import Final, NamedTuple

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import after_close_workflow_id, order_workflow_id
from canonical.late_contracts import (
    AFTER_CLOSE,
    REFUND_TOLD,
    AfterCloseInput,
    AfterCloseResult,
    ClosedOrder,
    RefundTold,
)
from canonical.late_events import closed_order, late_events
from canonical.order import Order
from canonical.order_contracts import AmazonChanged, OrderResult, OrderToCashInput
from worker.known_workflows import described, result_of_run, signalled
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_ATTEMPTS: Final = 3
"""The workflow of the late news may end between two looks at it; a third time is no coincidence."""


class LateKept(StrEnum):
    """What became of the news."""

    CARRIED = "carried"
    """A workflow carries it: started, or told."""
    NOTHING_NEW = "nothing_new"
    STILL_OPEN = "still_open"
    """The order's own workflow runs; the news is for it."""
    UNFOLLOWED = "unfollowed"
    """The order's workflow was terminated or failed: nobody carries the order, the audit says what is missing."""


class LateOutcome(NamedTuple):
    """What became of the news, and a sentence where a person should know."""

    kept: LateKept
    remark: str = ""


async def tell_closed(
    client: Client,
    seller_id: str,
    order_id: str,
    order: Order | None = None,
    refund: RefundTold | None = None,
    *,
    cases: bool = False,
) -> LateOutcome:
    """Carry what is new about a closed order.

    order: what Amazon says now. Without it (a notification tells no more than the id) the workflow that is started
    reads the order itself, which is one getOrder call. refund: a refund that Amazon paid. cases: return cases follow
    refunds, and nobody is held twice for one. Raises RPCError where Temporal could not be asked; may be repeated.
    """
    ended = await _ending(client, seller_id, order_id)
    if isinstance(ended, LateOutcome):
        return ended
    if cases and refund is not None and order is None:
        return LateOutcome(LateKept.NOTHING_NEW)
    refunds = (refund,) if refund else ()
    if order is not None and not late_events(ended, order, refunds, cases=cases):
        return LateOutcome(LateKept.NOTHING_NEW)
    for _ in range(_ATTEMPTS):
        known = await _settled_before(client, seller_id, order_id)
        if known is None:
            if await _signal(client, seller_id, order_id, order, refund):
                return LateOutcome(LateKept.CARRIED)
            continue
        closed = ended if known == _NONE else known
        if order is not None and not late_events(closed, order, refunds, cases=cases):
            return LateOutcome(LateKept.NOTHING_NEW)
        start = AfterCloseInput(
            seller_id=seller_id,
            order_id=order_id,
            closed=closed,
            order=order,
            refunds=refunds,
            cases=cases,
        )
        if await _start(client, start):
            return LateOutcome(LateKept.CARRIED)
    raise RuntimeError(f"The late news of order {order_id} ends and begins again at every look.")


async def tell_shipped(
    client: Client, seller_id: str, order_id: str, pieces: int, *, cases: bool = False
) -> LateOutcome:
    """Carry that Amazon's report of its shipments has more pieces of a closed order than M3 was told of.

    STILL_OPEN where earlier late news is under way: to be told again after it. Raises RPCError; may be repeated.
    """
    ended = await _ending(client, seller_id, order_id)
    if isinstance(ended, LateOutcome):
        return ended
    known = await _settled_before(client, seller_id, order_id)
    if known is None:
        return LateOutcome(LateKept.STILL_OPEN)
    closed = ended if known == _NONE else known
    if pieces <= closed.shipped:
        return LateOutcome(LateKept.NOTHING_NEW)
    start = AfterCloseInput(
        seller_id=seller_id, order_id=order_id, closed=closed, cases=cases, shipped_pieces=pieces
    )
    carried = await _start(client, start)
    return LateOutcome(LateKept.CARRIED if carried else LateKept.STILL_OPEN)


async def _ending(client: Client, seller_id: str, order_id: str) -> ClosedOrder | LateOutcome:
    """How the order's own workflow ended."""
    run = await described(client, order_workflow_id(seller_id, order_id))
    if run is None:
        return LateOutcome(LateKept.UNFOLLOWED, f"Order {order_id} has no workflow that ended.")
    if run.status is WorkflowExecutionStatus.RUNNING:
        return LateOutcome(LateKept.STILL_OPEN)
    if run.status is not WorkflowExecutionStatus.COMPLETED:
        how = run.status.name.lower() if run.status else "closed"
        return LateOutcome(
            LateKept.UNFOLLOWED,
            f"Amazon has news of order {order_id}, but its workflow was {how}: nobody follows it. 'o2c audit' says "
            "what M3 has of it.",
        )
    return closed_order(await result_of_run(client, run, OrderResult))


_NONE: Final = ClosedOrder(outcome="")
"""There was no late news before, or its workflow did not end by itself."""


async def _settled_before(client: Client, seller_id: str, order_id: str) -> ClosedOrder | None:
    """What the last late news left M3 with; None while its workflow runs."""
    run = await described(client, after_close_workflow_id(seller_id, order_id))
    if run is not None and run.status is WorkflowExecutionStatus.RUNNING:
        return None
    if run is None or run.status is not WorkflowExecutionStatus.COMPLETED:
        return _NONE
    return (await result_of_run(client, run, AfterCloseResult)).known


async def _signal(
    client: Client, seller_id: str, order_id: str, order: Order | None, refund: RefundTold | None
) -> bool:
    """Tell the workflow that carries earlier late news; False where it has just ended."""
    workflow_id = after_close_workflow_id(seller_id, order_id)
    if refund is not None and not await signalled(client, workflow_id, REFUND_TOLD, refund):
        return False
    return order is None or await signalled(client, workflow_id, "amazon_changed", AmazonChanged(order=order))


async def _start(client: Client, start: AfterCloseInput) -> bool:
    """Start the workflow; False where another one was started a moment ago."""
    plain = OrderToCashInput(seller_id=start.seller_id, order_id=start.order_id, order=start.order)
    attributes = list(sa.at_start(plain))
    if start.closed.orno:
        attributes.append(SearchAttributePair(sa.M3_ORDER, start.closed.orno))
    try:
        await client.start_workflow(
            AFTER_CLOSE,
            start,
            id=after_close_workflow_id(start.seller_id, start.order_id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=TypedSearchAttributes(attributes),
            static_summary=f"Order {start.order_id}, after it was closed",
            priority=seller_priority(start.seller_id),
        )
    except WorkflowAlreadyStartedError:
        return False
    return True
