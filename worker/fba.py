"""Amazon's own shipments on Temporal: who is told of them, and who knows them already."""

from collections import OrderedDict
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.fba_intake import Shown
from canonical.fba_contracts import AMAZON_SHIPPED, AmazonShipped, OrderShipped
from canonical.ids import order_workflow_id
from canonical.order_contracts import OrderResult
from worker.late import LateKept, tell_shipped

_REMEMBERED: Final = 100_000
"""Orders of which this process remembers the shipments it told last: some 20 MiB."""


class ShipmentsOnTemporal:
    """Reports overlap: what this process told before costs nothing."""

    def __init__(self, client: Client, *, cases: bool = False) -> None:
        self._client, self._cases = client, cases
        self._told: OrderedDict[str, frozenset[str]] = OrderedDict()

    async def tell(self, seller_id: str, order: OrderShipped) -> Shown:
        """Tell the running order; a closed one with fewer pieces is carried apart. Raises RPCError."""
        workflow_id = order_workflow_id(seller_id, order.order_id)
        ids = frozenset(shipment.shipment_id for shipment in order.shipments)
        if ids <= self._told.get(workflow_id, frozenset()):
            return Shown.KNOWN
        shown = await self._tell(workflow_id, seller_id, order)
        if shown is not Shown.UNKNOWN:
            self._told[workflow_id] = ids | self._told.get(workflow_id, frozenset())
            self._told.move_to_end(workflow_id)
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        return shown

    async def _tell(self, workflow_id: str, seller_id: str, order: OrderShipped) -> Shown:
        handle: WorkflowHandle[object, OrderResult] = self._client.get_workflow_handle(
            workflow_id, result_type=OrderResult
        )
        try:
            description = await handle.describe()
            if description.status is WorkflowExecutionStatus.RUNNING:
                await handle.signal(AMAZON_SHIPPED, AmazonShipped(shipments=order.shipments))
                return Shown.TOLD
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return Shown.UNKNOWN  # or it has just ended: the next look compares
        if description.status is not WorkflowExecutionStatus.COMPLETED:
            return Shown.UNKNOWN
        result = await handle.result()
        pieces = sum(item.quantity for shipment in order.shipments for item in shipment.items)
        if pieces <= sum(result.shipped.values()) + result.surplus:
            return Shown.KNOWN
        late = await tell_shipped(self._client, seller_id, order.order_id, pieces, cases=self._cases)
        if late.kept is LateKept.STILL_OPEN:
            return Shown.UNKNOWN  # compared again at the next look
        return Shown.AFTER_CLOSE if late.kept is LateKept.CARRIED else Shown.KNOWN
