"""One repair for many orders: what a query finds, what would be sent, and what each order answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from canonical.fixes import Fix, MapSku
from canonical.held import FixName, HeldReason, Hold
from canonical.late_contracts import AFTER_CLOSE
from canonical.order_contracts import ORDER_TO_CASH
from canonical.package_contracts import PACKAGE_CORRECTION
from canonical.settlement_contracts import SETTLEMENT
from canonical.steps import Step
from canonical.stock.fba_contracts import FBA_CORRECTION
from starters.console import Refused
from starters.held_kinds import kind_of
from starters.held_orders import since_of
from starters.links import HELD_REPAIRABLE
from starters.repairs import Answer, AnswerKind, ask
from workflows import search_attributes as sa
from workflows.repairs import BadRepair, check_fix

RATE: Final = 20.0
"""Repairs sent in a second, if nothing else is said: each of them makes M3 work."""
_POSITION: Final = re.compile(r" at position \d+")
"""Temporal counts in the whole query it makes of what was typed: a position that nobody can find."""
_AT_ONCE: Final = 20
_SILENT: Final = _AT_ONCE
"""After so many unanswered ones in a row nobody is there, and the rest is not sent."""


class Planned(BaseModel):
    """One held order that the query found."""

    order_id: str
    workflow_id: str
    reason: str
    step: str
    since: datetime
    refusal: str = ""
    """Why the repair does not fit and is not sent; empty where it would be."""


class Outcome(StrEnum):
    """What became of the repair of one order."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """By the order, or before it was sent."""
    CLOSED = "closed"
    NO_ANSWER = "no_answer"
    NOT_SENT = "not_sent"


class Fixed(BaseModel):
    """What became of one order's repair."""

    order_id: str
    workflow_id: str
    reason: str
    outcome: Outcome
    sentence: str


async def plan(client: Client, query: str, name: FixName, fix: Fix, seller: str | None) -> list[Planned]:
    """The running held orders that the query finds, held longest first; raises Refused for a bad query."""
    if not query.strip():
        raise Refused("--where needs a query; every held order is found by 'HeldReason IS NOT NULL'.", 2)
    whose = f' AND Seller="{seller}"' if seller else ""
    try:
        found = [one async for one in client.list_workflows(f"{HELD_REPAIRABLE}{whose} AND ({query})")]
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        words = _POSITION.sub("", error.message).rstrip(".")
        raise Refused(
            f"Temporal cannot read the query {query!r}: {words}. "
            'One looks like HeldReason="m3_unavailable" or UnmappedSkus="BLUE-MUG-2".',
            2,
        ) from None
    return [_planned(one, name, fix) for one in sorted(found, key=since_of) if _is_held_order(one, seller)]


def _is_held_order(execution: WorkflowExecution, seller: str | None) -> bool:
    """Whether it is what we asked for, however the query's brackets were set."""
    attributes = execution.typed_search_attributes
    return (
        execution.workflow_type
        in (ORDER_TO_CASH, AFTER_CLOSE, PACKAGE_CORRECTION, SETTLEMENT, FBA_CORRECTION)
        and execution.status is WorkflowExecutionStatus.RUNNING
        and bool(attributes.get(sa.HELD_REASON))
        and seller in (None, attributes.get(sa.SELLER))
    )


def _planned(execution: WorkflowExecution, name: FixName, fix: Fix) -> Planned:
    attributes = execution.typed_search_attributes
    order_id = kind_of(execution.workflow_type).subject(execution.id)
    reason, step = attributes.get(sa.HELD_REASON) or "", attributes.get(sa.STEP) or ""
    skus = tuple(attributes.get(sa.UNMAPPED_SKUS) or ())
    return Planned(
        order_id=order_id,
        workflow_id=execution.id,
        reason=reason,
        step=step,
        since=since_of(execution),
        refusal=_refusal(order_id, reason, step, skus, name, fix),
    )


def _refusal(order_id: str, reason: str, step: str, skus: tuple[str, ...], name: FixName, fix: Fix) -> str:
    """Why the repair does not fit, as far as the search attributes tell; the order itself looks again."""
    try:
        hold = Hold(reason=HeldReason(reason), sentence="", skus=skus)
        at = Step(step)
    except ValueError:
        return (
            f"Order {order_id} is held for {reason} at step {step}, which this version of o2c does not know."
        )
    meant = skus or ((fix.sku,) if isinstance(fix, MapSku) else ())
    try:
        check_fix(fix, name, order_id=order_id, hold=hold, step=at, skus=meant)
    except BadRepair as error:
        return str(error)
    return ""


async def carry_out(
    client: Client,
    planned: Sequence[Planned],
    name: FixName,
    fix: Fix,
    *,
    rate: float = RATE,
    told: Callable[[], None] = lambda: None,
) -> list[Fixed]:
    """Send the repair to each order that it fits, at most `rate` a second; `told` is called as each is done.

    Each is bound to the reason it was planned for: an order that moved on meanwhile refuses it. The query says which
    orders are meant: a mapping goes to no other.
    """
    meant: dict[str, object] = {"alone": True} if isinstance(fix, MapSku) else {}

    async def send(one: Planned) -> Answer:
        repair = fix.model_copy(update={**meant, "reason": one.reason})
        return await ask(client, one.workflow_id, one.order_id, name, repair)

    return await Sender(send, rate, told).all(planned)


class Sender:
    """Sends one by one in time, several under way at once, and stops when nobody answers."""

    def __init__(
        self, send: Callable[[Planned], Awaitable[Answer]], rate: float, told: Callable[[], None]
    ) -> None:
        self._send = send
        self._gap = 1.0 / rate
        self._told = told
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._silent = 0

    async def all(self, planned: Sequence[Planned]) -> list[Fixed]:
        """What became of each, in the order they were given."""
        sent: list[asyncio.Task[Fixed]] = []
        clock = asyncio.get_running_loop()
        due = clock.time()
        for one in planned:
            await self._gate.acquire()
            if not one.refusal and self._silent < _SILENT:
                await asyncio.sleep(due - clock.time())
                due = max(due, clock.time()) + self._gap
            sent.append(asyncio.create_task(self._one(one)))
        return list(await asyncio.gather(*sent))

    async def _one(self, one: Planned) -> Fixed:
        try:
            outcome, sentence = await self._outcome(one)
        finally:
            self._gate.release()
            self._told()
        return Fixed(
            order_id=one.order_id,
            workflow_id=one.workflow_id,
            reason=one.reason,
            outcome=outcome,
            sentence=sentence,
        )

    async def _outcome(self, one: Planned) -> tuple[Outcome, str]:
        if one.refusal:
            return Outcome.REFUSED, one.refusal
        if self._silent >= _SILENT:
            return (
                Outcome.NOT_SENT,
                f"Order {one.order_id} was sent nothing, since the others did not answer.",
            )
        try:
            answer = await self._send(one)
        except RPCError as error:
            sentence = f"Order {one.order_id}: Temporal answered {error.status.name}: {error.message}."
            answer = Answer(AnswerKind.NO_ANSWER, sentence)
        self._silent = self._silent + 1 if answer.kind is AnswerKind.NO_ANSWER else 0
        return Outcome(answer.kind.value), answer.sentence
