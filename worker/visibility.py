"""What the activities need to know of the workflows themselves, read from the Temporal server."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog
from temporalio.client import Client, WorkflowExecutionStatus

from activities.intake import WaitingOrder
from activities.returns_intake import TellCase
from canonical.audit_contracts import AuditWorkflowsRequest, AuditWorkflowsResult, WorkflowFacts
from canonical.held import FixName, HeldReason
from canonical.ids import after_close_workflow_id, order_of_workflow, order_workflow_id
from canonical.order import Channel
from canonical.order_contracts import ORDER_TO_CASH, GoodsLeft, OrderResult, OrderToCashInput, Repair
from canonical.starting import StartKind, StartOutcome
from canonical.steps import Step
from worker import intake
from worker.known_workflows import described, result_of_run
from worker.returns import replaced_by
from workflows import search_attributes as sa
from workflows.policies import BULK_PRIORITY

_AT_ONCE = 20
_REMEMBERED = 100_000
"""Orders whose last update is kept in memory, about 20 MiB at most."""
_log = structlog.get_logger(__name__)


class OrdersOnTemporal:
    """The order workflows as the activities see them: start, signal, list, describe."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.tell_case: TellCase | None = None
        """Told of replacements, which concern the return case of another order."""
        self._told: OrderedDict[str, datetime] = OrderedDict()
        """Last update of each order that its workflow was told of by this process."""

    async def start_or_signal(self, order: OrderToCashInput, *, priority: int) -> StartOutcome:
        """Sweeps overlap and show the same order again and again: what its workflow was told is not news. An
        import is asked for by a person, who may have deleted the workflow meanwhile, and is done."""
        workflow_id = order_workflow_id(order.seller_id, order.order_id)
        updated = order.order.last_updated if order.order else None
        known = self._told.get(workflow_id)
        if priority < BULK_PRIORITY and updated is not None and known is not None and updated <= known:
            return StartOutcome(StartKind.SKIPPED, workflow_id)
        if self.tell_case is not None and order.order is not None:
            for news in replaced_by(order.order):
                await self.tell_case(news)
        outcome = await intake.start_or_signal(
            self._client, order, priority=priority, cases=self.tell_case is not None
        )
        if updated is not None:
            self._told[workflow_id] = updated
            self._told.move_to_end(workflow_id)
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        return outcome

    async def list_waiting(self, limit: int) -> Sequence[WaitingOrder]:
        """Running MFN orders that wait for goods to leave an own warehouse."""
        query = (
            f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="Running" '
            f'AND {sa.STEP.name}="{Step.AWAITING_SHIPMENT}" AND {sa.CHANNEL.name}="{Channel.MFN}"'
        )
        waiting = []
        async for found in self._client.list_workflows(query, limit=limit):
            known = order_of_workflow(found.id)
            if (
                known is None
            ):  # started by hand under an id of its own: it must not stop the sweep of the others
                _log.warning("order_under_foreign_id", workflow_id=found.id)
                continue
            seller, order_id = known
            waiting.append(WaitingOrder(seller_id=seller, order_id=order_id, workflow_id=found.id))
        return waiting

    async def signal_goods_left(self, order: WaitingOrder, goods: GoodsLeft) -> bool:
        outcome = await intake.signal_if_running(self._client, order.workflow_id, intake.GOODS_LEFT, goods)
        return outcome.kind is not StartKind.LATE

    async def facts(self, request: AuditWorkflowsRequest) -> AuditWorkflowsResult:
        """How each order's workflow stands; orders without one are left out."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(order_id: str) -> WorkflowFacts | None:
            async with gate:
                return await self._facts(request.seller_id, order_id)

        found = await asyncio.gather(*(one(order_id) for order_id in request.order_ids))
        late = await self._late(request)
        orders = (late.get(facts.order_id, _as_it_is)(facts) for facts in found if facts is not None)
        return AuditWorkflowsResult(orders=tuple(orders))

    async def _late(
        self, request: AuditWorkflowsRequest
    ) -> dict[str, Callable[[WorkflowFacts], WorkflowFacts]]:
        """What became of closed orders of which Amazon said more: by order id, the change of its facts."""
        ids = {
            after_close_workflow_id(request.seller_id, order_id): order_id for order_id in request.order_ids
        }
        names = ", ".join(f'"{workflow_id}"' for workflow_id in ids)
        changes: dict[str, Callable[[WorkflowFacts], WorkflowFacts]] = {}
        async for run in self._client.list_workflows(f"WorkflowId IN ({names})"):
            if run.status is WorkflowExecutionStatus.RUNNING:
                reason = run.typed_search_attributes.get(sa.HELD_REASON) or ""
                changes[ids[run.id]] = partial(_under_way, reason)
            elif run.status is WorkflowExecutionStatus.COMPLETED and ids[run.id] not in changes:
                ended = await result_of_run(self._client, run, OrderResult)
                settled = tuple(repair.reason for repair in ended.repairs)
                changes[ids[run.id]] = partial(_settled, settled)
        return changes

    async def _facts(self, seller_id: str, order_id: str) -> WorkflowFacts | None:
        description = await described(self._client, order_workflow_id(seller_id, order_id))
        if description is None:
            return None
        attributes = description.typed_search_attributes
        outcome = ""
        accepted: tuple[str, ...] = ()
        if description.status is WorkflowExecutionStatus.COMPLETED:
            result = await result_of_run(self._client, description, OrderResult)
            outcome = result.outcome
            accepted = tuple(repair.reason for repair in result.repairs if _accepts(repair))
        return WorkflowFacts(
            order_id=order_id,
            status=description.status.name if description.status else "",
            step=attributes.get(sa.STEP) or "",
            held_reason=attributes.get(sa.HELD_REASON) or "",
            outcome=outcome,
            accepted=accepted,
        )


def _accepts(repair: Repair) -> bool:
    """Whether the two sides differ by a person's word: also where goods come back that could not be cancelled."""
    too_late = repair.reason == HeldReason.CANCELLED_TOO_LATE and repair.fix == FixName.MARK_STEP_DONE
    return too_late or repair.fix == FixName.ACCEPT_DIFFERENCE


def _as_it_is(facts: WorkflowFacts) -> WorkflowFacts:
    return facts


def _under_way(reason: str, facts: WorkflowFacts) -> WorkflowFacts:
    """Somebody is at work on what Amazon said after the order was closed."""
    return facts.model_copy(update={"status": WorkflowExecutionStatus.RUNNING.name, "held_reason": reason})


def _settled(reasons: tuple[str, ...], facts: WorkflowFacts) -> WorkflowFacts:
    """A person settled it: what then differs was looked at."""
    return facts.model_copy(update={"accepted": (*facts.accepted, *reasons)})
