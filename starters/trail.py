"""The whole trail of one order: workflow, state or result, history, what is under way, actions."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError

from canonical.held import Hold
from canonical.order_contracts import OrderResult, OrderView
from starters.actions import count_actions
from starters.held_orders import repair_command
from starters.history import TrailEntry, failure_sentence, hold_of_failure, last_hold, trail_of
from starters.links import workflow_link
from starters.lookup import Found, find_order, result_of, workers_seen
from starters.waiting import held_reason
from workflows import search_attributes as sa

_ANSWER_SECONDS: Final = 8.0


class Pending(BaseModel):
    """A call under way, or waiting for its next attempt."""

    name: str
    state: str
    attempt: int
    next_attempt: datetime | None = None
    sentence: str = ""
    """What the last attempt failed of."""


class OrderTrail(BaseModel):
    """Everything about one order that is no personal data."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    seller_id: str
    workflow_id: str
    run_id: str
    status: str
    started: datetime
    closed: datetime | None
    step: str
    held_reason: str
    held_since: datetime | None
    repair: str
    """The command that repairs a held order; empty otherwise."""
    view: OrderView | None
    """The order's own answer; None where no worker answers."""
    no_view: str
    """Why there is no view of an open order; empty otherwise."""
    result: OrderResult | None
    trail: list[TrailEntry]
    pending: list[Pending]
    actions: dict[str, int]
    link: str


async def read_trail(client: Client, web_ui: str, sellers: Sequence[str], order_id: str) -> OrderTrail:
    """Gather the trail; the order's own answer needs a worker, the rest only the server. Raises Refused."""
    found = await find_order(client, sellers, order_id)
    description = found.description
    handle = client.get_workflow_handle(description.id, run_id=description.run_id)
    history = await handle.fetch_history()
    view, no_view = await _ask(client, found)
    attributes = description.typed_search_attributes
    reason, step = held_reason(found) if found.is_open else "", attributes.get(sa.STEP) or ""
    skus = tuple(attributes.get(sa.UNMAPPED_SKUS) or ())
    hold: Hold | None = await last_hold(client, history) if reason else None
    if hold is not None and hold.reason != reason:
        hold = None
    raw = description.raw_description
    return OrderTrail(
        order_id=order_id,
        seller_id=found.seller_id,
        workflow_id=description.id,
        run_id=description.run_id,
        status=description.status.name.lower() if description.status else "unknown",
        started=description.start_time,
        closed=description.close_time,
        step=view.step.value if view else step,
        held_reason=reason,
        held_since=attributes.get(sa.HELD_SINCE) if reason else None,
        repair=repair_command(order_id, reason, step, skus, hold) if reason else "",
        view=view,
        no_view=no_view,
        result=await result_of(client, found),
        trail=await trail_of(client, history),
        pending=[await _pending(client, one) for one in raw.pending_activities],
        actions=count_actions(history).by_kind,
        link=workflow_link(web_ui, client.namespace, description.id, description.run_id),
    )


async def _ask(client: Client, found: Found) -> tuple[OrderView | None, str]:
    """The order's own view; a query works on a closed order as well, as long as a worker answers."""
    handle = client.get_workflow_handle(found.description.id, run_id=found.description.run_id)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await handle.query("state", result_type=OrderView), ""
    except (TimeoutError, RPCError):
        return None, f"The order did not answer: {await workers_seen(client)}."
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        return None, f"The order could not answer: {error}."


async def _pending(client: Client, info: PendingActivityInfo) -> Pending:
    name = PendingActivityState.Name(info.state).removeprefix("PENDING_ACTIVITY_STATE_").lower()
    failed = info.HasField("last_failure")
    hold = await hold_of_failure(client, info.last_failure) if failed else None
    sentence = hold.sentence if hold else failure_sentence(info.last_failure) if failed else ""
    waits = info.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and info.attempt > 1
    return Pending(
        name=info.activity_type.name,
        state=name,
        attempt=info.attempt,
        next_attempt=info.scheduled_time.ToDatetime(tzinfo=UTC) if waits else None,
        sentence=sentence,
    )
