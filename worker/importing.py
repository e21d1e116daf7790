"""What imports need to know of Temporal: start an order once, and how much is waiting."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.amazon.client import AmazonClient
from activities.archive import Archive
from activities.imports import ImportActivities, NotStartable
from canonical.activity_contracts import M3_QUEUE, ORDERS_QUEUE
from canonical.ids import order_workflow_id
from canonical.order_contracts import ORDER_TO_CASH, OrderToCashInput
from canonical.starting import StartKind
from canonical.steps import Step
from worker.intake import start_or_signal
from worker.known_workflows import described
from worker.settings import Settings
from workflows import search_attributes as sa
from workflows.policies import BULK_PRIORITY

_LOOK_EVERY: Final = 0.5
"""Seconds for which what is waiting is believed; all chunks of a process share the look."""
_REST: Final = 3.0
"""Times as long as a look took until the next one: a server with very many orders is not kept busy by counting."""
_UNSEEN: Final = 1.0
"""Seconds after which an order that was started is in the server's lists."""
_BEGINNING: Final = (
    f'WorkflowType="{ORDER_TO_CASH}" AND ExecutionStatus="Running" AND {sa.IMPORT.name} IS NOT NULL '
    f'AND {sa.STEP.name}="{Step.RECEIVED}"'
)
_LOOKED_AT: Final[Sequence[tuple[str, "TaskQueueType.ValueType"]]] = (
    (M3_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (ORDERS_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
)
_OUTCOMES: Final = {
    StartKind.STARTED: "started",
    StartKind.SIGNALLED: "under_way",
    StartKind.LATE: "closed",
    StartKind.AFTER_CLOSE: "closed",
}


def import_activities(
    client: Client, settings: Settings, amazon: Mapping[str, AmazonClient], archive: Archive
) -> ImportActivities:
    """The activities of imports as the configuration wants them."""
    orders = ImportsOnTemporal(client, cases=settings.returns is not None)
    return ImportActivities(
        archive,
        amazon,
        {seller_id: seller.marketplaces for seller_id, seller in settings.sellers.items()},
        start=orders.start,
        waiting=orders.waiting,
        most_waiting=settings.imports.backlog,
        keep=timedelta(days=settings.archive.keep_days),
    )


class ImportsOnTemporal:
    """The orders of imports, and the queues they would fill."""

    def __init__(self, client: Client, *, cases: bool = False) -> None:
        self._client = client
        self._cases = cases
        self._asked = float("-inf")
        """When the last look was begun."""
        self._next_look = float("-inf")
        self._waiting = 0
        self._looking = asyncio.Lock()
        self._started: deque[float] = deque()
        """When the last orders were started that the server's figures may not show yet."""

    async def start(self, order: OrderToCashInput, *, import_id: str, again: bool) -> tuple[str, str]:
        """Start an order behind live ones, or tell the running one; see `activities.imports.StartImported`."""
        if again and await self._was_started_by(order, import_id):
            return _OUTCOMES[StartKind.STARTED], ""
        try:
            outcome = await start_or_signal(
                self._client, order, priority=BULK_PRIORITY, import_id=import_id, cases=self._cases
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT or "search attribute" in error.message:
                raise  # the server is away, or 'o2c register' was not run: neither is the order's fault
            raise NotStartable(
                f"Amazon order {order.order_id} could not be started: Temporal answered {error.status.name}."
            ) from None
        if outcome.kind is StartKind.STARTED:
            self._started.append(time.monotonic())
        return _OUTCOMES[outcome.kind], outcome.remark

    async def waiting(self) -> int:
        """The longest of the queues that orders go through (activities for M3, decisions about orders), or the
        imported orders that were started and are neither booked nor held nor waiting yet, where these are more:
        while M3 is away its queue is empty, and the orders try again and again."""
        async with self._looking:
            now = time.monotonic()
            if now > self._next_look:
                looks = (self._beginning(), *(self._backlog(*queue) for queue in _LOOKED_AT))
                self._waiting = max(await asyncio.gather(*looks))
                self._asked = now
                self._next_look = now + max(_LOOK_EVERY, (1 + _REST) * (time.monotonic() - now))
            while self._started and self._started[0] < self._asked - _UNSEEN:
                self._started.popleft()
            return self._waiting + len(self._started)

    async def _was_started_by(self, order: OrderToCashInput, import_id: str) -> bool:
        run = await described(self._client, order_workflow_id(order.seller_id, order.order_id))
        return run is not None and run.typed_search_attributes.get(sa.IMPORT) == import_id

    async def _beginning(self) -> int:
        """Orders under way whose first stretch is not over; the search attribute Step says so."""
        return (await self._client.count_workflows(_BEGINNING)).count

    async def _backlog(self, queue: str, kind: "TaskQueueType.ValueType") -> int:
        answer = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=kind,
                report_stats=True,
            )
        )
        return answer.stats.approximate_backlog_count
