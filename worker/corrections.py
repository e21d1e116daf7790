"""Package corrections on Temporal: what Amazon was told of an order, and the workflow that tells it again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowQueryFailedError
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError

from activities.intake import WaitingOrder
from canonical.activity_contracts import ORDERS_QUEUE, OrderRef
from canonical.ids import correction_workflow_id, order_of_workflow
from canonical.order import Channel, Package
from canonical.order_contracts import ORDER_TO_CASH, OrderResult, OrderView
from canonical.package_contracts import (
    PACKAGE_CORRECTION,
    PACKAGES_CORRECTED,
    PackageCorrectionInput,
    PackageCorrectionResult,
    PackagesCorrected,
    PackagesTold,
)
from canonical.packages import told_since
from worker.known_workflows import described, result_of_run
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_QUERY_SECONDS: Final = timedelta(seconds=20)
_log = structlog.get_logger(__name__)


class PackagesOnTemporal:
    """Reads cost no Temporal action; a correction costs its workflow."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def shipped(self, days: int, limit: int) -> Sequence[WaitingOrder]:
        """MFN orders under way, or closed no longer than `days` ago, the newest first."""
        since = datetime.now(UTC) - timedelta(days=days)
        query = (
            f'WorkflowType="{ORDER_TO_CASH}" AND {sa.CHANNEL.name}="{Channel.MFN}" '
            f'AND (ExecutionStatus="Running" OR CloseTime > "{since:%Y-%m-%dT%H:%M:%SZ}")'
        )
        found = []
        async for one in self._client.list_workflows(query, limit=limit):
            known = order_of_workflow(one.id)
            if known is not None:
                found.append(WaitingOrder(seller_id=known[0], order_id=known[1], workflow_id=one.id))
        return found

    async def told(self, order: WaitingOrder) -> PackagesTold | None:
        """What Amazon was told, by the order's workflow and by corrections that have ended since."""
        first = await self._by_order(order)
        return first and await self._since(first)

    async def _by_order(self, order: WaitingOrder) -> PackagesTold | None:
        handle: WorkflowHandle[object, OrderResult] = self._client.get_workflow_handle(
            order.workflow_id, result_type=OrderResult
        )
        description = await handle.describe()
        if description.status is WorkflowExecutionStatus.RUNNING:
            try:
                view = await handle.query("state", result_type=OrderView, rpc_timeout=_QUERY_SECONDS)
            except (RPCError, WorkflowQueryFailedError) as error:
                _log.warning("packages_not_told", order_id=order.order_id, error=type(error).__name__)
                return None  # the next look asks again
            return _told(order, view.marketplace_id, view.order_created, view.told)
        if description.status is not WorkflowExecutionStatus.COMPLETED:
            return None
        result = await handle.result()
        return _told(order, result.marketplace_id, result.order_created, result.told)

    async def _since(self, first: PackagesTold) -> PackagesTold:
        workflow_id = correction_workflow_id(first.ref.seller_id, first.ref.order_id)
        run = await described(self._client, workflow_id)
        if run is None or run.status is not WorkflowExecutionStatus.COMPLETED:
            return first  # one under way is told again, and takes the latest word
        later = await result_of_run(self._client, run, PackageCorrectionResult)
        return first.model_copy(update={"packages": told_since(first.packages, later.now.packages)})

    async def correct(self, told: PackagesTold, packages: Sequence[Package]) -> None:
        """Start the correction, or tell the one under way; in one call, so that it cannot end in between."""
        ref = told.ref
        attributes = [
            SearchAttributePair(sa.SELLER, ref.seller_id),
            SearchAttributePair(sa.CHANNEL, Channel.MFN.value),
        ]
        numbers = ", ".join(package.reference for package in packages)
        await self._client.start_workflow(
            PACKAGE_CORRECTION,
            PackageCorrectionInput(told=told, packages=tuple(packages)),
            id=correction_workflow_id(ref.seller_id, ref.order_id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(attributes),
            start_signal=PACKAGES_CORRECTED,
            start_signal_args=[PackagesCorrected(packages=tuple(packages))],
            static_summary=f"Order {ref.order_id}: package {numbers} corrected in M3",
            priority=seller_priority(ref.seller_id),
        )


def _told(
    order: WaitingOrder, marketplace_id: str, created: datetime | None, packages: Sequence[Package]
) -> PackagesTold | None:
    if not packages or created is None:
        return None
    ref = OrderRef(seller_id=order.seller_id, order_id=order.order_id, marketplace_id=marketplace_id)
    return PackagesTold(ref=ref, order_created=created, packages=tuple(packages))
