"""Return cases on Temporal: started by their first fact, told the next, taken up again when they had ended.

Telling what a case knows costs nothing: this process remembers what it told, and a closed case has in its result
what it knew.
"""

import hashlib
from collections import OrderedDict
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.returns_intake import Told
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import return_case_workflow_id, returns_look_workflow_id
from canonical.order import Channel, Order
from canonical.return_contracts import (
    CASE_TOLD,
    LOOK_AGAIN,
    REFUND_POSTED,
    RETURN_CASE,
    RETURNS_FEED,
    CaseMemory,
    CaseNews,
    RefundPosted,
    ReturnCaseInput,
    ReturnCaseResult,
    ReturnsFeedInput,
)
from canonical.return_facts import CaseFacts, Replaced
from canonical.return_models import CaseRules
from canonical.steps import Step
from worker.known_workflows import described, result_of_run, signalled
from workflows import search_attributes as sa
from workflows.policies import seller_priority

_ATTEMPTS: Final = 5
_REMEMBERED: Final = 50_000
"""Cases of which this process remembers what it told last: some 10 MiB."""


class UnsettledCase(Exception):  # noqa: N818 - it is told again
    """The case ended and began again under our hands too often."""


class CasesOnTemporal:
    """The return cases as the activities and the starters see them."""

    def __init__(self, client: Client, rules: CaseRules) -> None:
        self._client, self._rules = client, rules
        self._told: OrderedDict[tuple[str, str], str] = OrderedDict()
        """By case and by which facts it was told: every source tells its own, again and again."""

    async def tell(self, news: CaseNews) -> Told:
        """Start the case, or tell the one under way. When this returns the facts are Temporal's.

        Raises RPCError, `UnsettledCase`.
        """
        workflow_id = return_case_workflow_id(news.seller_id, news.order_id, news.sku)
        which, digest = (workflow_id, _named(news.facts)), _digest(news.facts)
        if self._told.get(which) == digest:
            return Told.KNOWN
        for _ in range(_ATTEMPTS):
            description = await described(self._client, workflow_id)
            if description is not None and description.status is WorkflowExecutionStatus.RUNNING:
                if await signalled(self._client, workflow_id, CASE_TOLD, news):
                    return self._remember(which, digest, Told.TOLD)
                continue
            memory = await self._memory(description)
            if memory.facts.knows(news.facts):
                return self._remember(which, digest, Told.KNOWN)
            if await self._started(workflow_id, news, memory):
                return self._remember(which, digest, Told.STARTED)
        raise UnsettledCase(workflow_id)

    async def nudge(self, seller_id: str, limit: int) -> int:
        """Let the cases that wait for goods in an own warehouse look in M3."""
        query = (
            f'WorkflowType="{RETURN_CASE}" AND ExecutionStatus="Running" AND {sa.SELLER.name}="{seller_id}" '
            f'AND {sa.STEP.name}="{Step.AWAITING_RETURN}" AND {sa.CHANNEL.name}="{Channel.MFN}"'
        )
        nudged = 0
        async for found in self._client.list_workflows(query, limit=limit):
            try:
                await self._client.get_workflow_handle(found.id).signal(LOOK_AGAIN)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                continue
            nudged += 1
        return nudged

    def _remember(self, which: tuple[str, str], digest: str, told: Told) -> Told:
        self._told[which] = digest
        self._told.move_to_end(which)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return told

    async def _started(self, workflow_id: str, news: CaseNews, memory: CaseMemory) -> bool:
        start = ReturnCaseInput(news=news, rules=self._rules, memory=memory)
        try:
            await self._client.start_workflow(
                RETURN_CASE,
                start,
                id=workflow_id,
                task_queue=ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=sa.of_case(news.seller_id),
                static_summary=f"{news.order_id} {news.sku}: return"[:200],
                priority=seller_priority(news.seller_id, 4),
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _memory(self, description: WorkflowExecutionDescription | None) -> CaseMemory:
        if description is None or description.status is not WorkflowExecutionStatus.COMPLETED:
            return CaseMemory()
        return (await result_of_run(self._client, description, ReturnCaseResult)).memory


async def look_for_refund(client: Client, seller_id: str, news: RefundPosted, gather: timedelta) -> None:
    """Have refunds read once `gather` has passed since the first one that was notified; one look for all of them.

    One call starts the look or tells the one that waits (signal-with-start); one that is reading already looks again.
    Raises RPCError.
    """
    await client.start_workflow(
        RETURNS_FEED,
        ReturnsFeedInput(seller_id=seller_id, nudge=False, wait=gather),
        id=returns_look_workflow_id(seller_id),
        task_queue=ORDERS_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=REFUND_POSTED,
        start_signal_args=[news],
        search_attributes=TypedSearchAttributes([SearchAttributePair(sa.SELLER, seller_id)]),
        static_summary=f"Refunds that Amazon notified, seller {seller_id}",
        priority=seller_priority(seller_id, 4),
    )


def replaced_by(order: Order) -> tuple[CaseNews, ...]:
    """What a replacement order tells the cases of the order whose goods it replaces; nothing where Amazon does not
    name that order."""
    original = order.replacement_of
    if not original:
        return ()
    pieces: dict[str, int] = {}
    for line in order.lines:
        if line.quantity > 0:
            pieces[line.seller_sku] = pieces.get(line.seller_sku, 0) + line.quantity
    return tuple(
        CaseNews(
            seller_id=order.seller_id,
            order_id=original,
            sku=sku,
            facts=CaseFacts.of(
                Replaced(key=order.order_id, at=order.created, told=order.last_updated, pieces=count)
            ),
        )
        for sku, count in pieces.items()
    )


def _named(facts: CaseFacts) -> str:
    """Which facts these are, whatever they say."""
    names = sorted(f"{type(fact).__name__} {fact.key}" for fact in facts.all)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]


def _digest(facts: CaseFacts) -> str:
    return hashlib.sha256(facts.content.encode()).hexdigest()[:24]
