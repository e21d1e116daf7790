"""M3's documents on Temporal: which orders they are about, whether they are news, and their workflow.

Looking costs no Temporal action: who a document is about is read from the orders' workflows, what is remembered
of it from the result of its last run. Only what is new for an order of ours starts or signals anything.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.fixes import Retry
from canonical.held import FixName, HeldReason
from canonical.ids import order_of_workflow, order_workflow_id
from canonical.m3_document_contracts import (
    DOCUMENT_CHANGED,
    M3_DOCUMENT,
    DocumentMemory,
    DocumentNews,
    Hint,
    M3DocumentInput,
    M3DocumentResult,
    OrderHint,
    Verdict,
)
from canonical.order import Channel
from canonical.order_contracts import ORDER_TO_CASH, GoodsLeft
from worker.intake import GOODS_LEFT
from worker.known_workflows import described, result_of_run, signalled
from workflows import search_attributes as sa

BY_ION: Final = "ION"
"""Who repairs, on an order that a document lets go on."""
_ATTEMPTS: Final = 5
_ORNO: Final = 10
"""Characters of an M3 order number."""


class Standing(StrEnum):
    """How an order stands to a document about it."""

    CONCERNED = "concerned"
    INDIFFERENT = "indifferent"
    """Under way, and the document changes nothing for it."""
    CLOSED = "closed"
    """Has ended, and the document changes nothing for it."""
    UNKNOWN = "unknown"
    """No workflow of ours."""


class Unsettled(Exception):  # noqa: N818 - the sender is told to come again
    """The document's workflow ended and began again under our hands too often; the message is to be sent again."""


class DocumentsOnTemporal:
    """The workflows of M3's documents, and the orders' as far as documents concern them."""

    def __init__(self, client: Client, seller_ids: Sequence[str]) -> None:
        self._client = client
        self._sellers = tuple(seller_ids)

    # --- whom a document concerns ---------------------------------------------------------------

    async def concerned(
        self, hint: Hint, amazon_order_ids: Sequence[str], sales_orders: Sequence[str]
    ) -> tuple[list[OrderHint], Standing]:
        """The orders that `hint` may mean something for, and how the most concerned of all named stands.

        An order is found by its Amazon order id; where the document names none, by M3's order number, which
        visibility knows some moments after the booking.
        """
        named = [(seller, order) for order in amazon_order_ids for seller in self._sellers]
        if not named:
            named = await self._by_sales_order(sales_orders)
        found: list[OrderHint] = []
        standings = [Standing.UNKNOWN]
        for seller, order_id in named:
            standing = await self._standing(seller, order_id, hint)
            standings.append(standing)
            if standing is Standing.CONCERNED:
                found.append(OrderHint(seller_id=seller, order_id=order_id))
        return found, min(standings, key=list(Standing).index)

    async def _by_sales_order(self, sales_orders: Sequence[str]) -> list[tuple[str, str]]:
        numbers = [f'"{orno}"' for orno in sales_orders if orno.isalnum() and len(orno) <= _ORNO]
        if not numbers:
            return []
        query = f'WorkflowType="{ORDER_TO_CASH}" AND {sa.M3_ORDER.name} IN ({", ".join(numbers[:100])})'
        known = [
            order_of_workflow(found.id) async for found in self._client.list_workflows(query, limit=1000)
        ]
        return [each for each in known if each is not None]

    async def _standing(self, seller_id: str, order_id: str, hint: Hint) -> Standing:
        description = await described(self._client, order_workflow_id(seller_id, order_id))
        if description is None:
            return Standing.UNKNOWN
        attributes = description.typed_search_attributes
        if description.status is not WorkflowExecutionStatus.RUNNING:
            # Its parcels may be on their way with the labels that M3 has just corrected.
            ended = description.status is WorkflowExecutionStatus.COMPLETED
            own = attributes.get(sa.CHANNEL) == Channel.MFN
            return Standing.CONCERNED if ended and own and hint is Hint.GOODS_LEFT else Standing.CLOSED
        if hint is Hint.GOODS_LEFT:
            # What Amazon ships, M3 was told by ourselves: its delivery is our own echo.
            concerned = attributes.get(sa.CHANNEL) != Channel.FBA
        else:
            concerned = attributes.get(sa.HELD_REASON) == HeldReason.INVOICE_MISSING
        return Standing.CONCERNED if concerned else Standing.INDIFFERENT

    # --- the document's own workflow ------------------------------------------------------------

    async def take(self, workflow_id: str, news: DocumentNews) -> Verdict:
        """Start the document's workflow, or tell the one at work; what was taken before does neither.

        When this returns, the news is Temporal's. While the workflow runs, it judges itself, and the answer is
        NEW; what it then finds to be a duplicate it drops. Raises `Unsettled`, and RPCError.
        """
        for _ in range(_ATTEMPTS):
            description = await described(self._client, workflow_id)
            if description is not None and description.status is WorkflowExecutionStatus.RUNNING:
                if await signalled(self._client, workflow_id, DOCUMENT_CHANGED, news):
                    return Verdict.NEW
                continue
            memory = await self._memory(description)
            verdict = memory.verdict(news)
            if verdict is not Verdict.NEW:
                return verdict
            if await self._started(workflow_id, news, memory):
                return Verdict.NEW
        raise Unsettled

    async def _started(self, workflow_id: str, news: DocumentNews, memory: DocumentMemory) -> bool:
        try:
            await self._client.start_workflow(
                M3_DOCUMENT,
                M3DocumentInput(news=news, memory=memory),
                id=workflow_id,
                task_queue=ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=f"{news.name} {news.document_id}"[:200],
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _memory(self, description: WorkflowExecutionDescription | None) -> DocumentMemory:
        """What the last run remembered; nothing where there was none, or a person ended it."""
        if description is None or description.status is not WorkflowExecutionStatus.COMPLETED:
            return DocumentMemory()
        return (await result_of_run(self._client, description, M3DocumentResult)).memory

    # --- what the activity tells the orders -----------------------------------------------------

    async def tell_goods_left(self, order: OrderHint, goods: GoodsLeft) -> bool:
        """Send `goods_left`; False where the workflow has ended meanwhile."""
        workflow_id = order_workflow_id(order.seller_id, order.order_id)
        return await signalled(self._client, workflow_id, GOODS_LEFT, goods)

    async def retry_if_held(self, order: OrderHint, reason: HeldReason, why: str) -> bool:
        """Send `retry` for `reason`, which an order held for another reason refuses."""
        workflow_id = order_workflow_id(order.seller_id, order.order_id)
        description = await described(self._client, workflow_id)
        if description is None or description.typed_search_attributes.get(sa.HELD_REASON) != reason:
            return False
        return await signalled(
            self._client, workflow_id, FixName.RETRY.value, Retry(by=BY_ION, why=why, reason=reason)
        )
