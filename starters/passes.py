"""Running a pass (sweep, import, audit) as a workflow and waiting for its result."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from pydantic import BaseModel
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import ORDERS_QUEUE
from starters.console import Refused
from starters.lookup import last_poll, workers_seen
from starters.progress import watched, words
from worker.marks import mark_of

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")

OVERLAP: Final = timedelta(minutes=10)
"""How far a sweep reaches back behind the horizon of the one before: what is met twice changes nothing."""
_TRIES: Final = 30
_PASSING: Final = frozenset(
    {
        RPCStatusCode.CANCELLED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAVAILABLE,
    }
)
"""What a server says that is busy or has just been started again."""
_PATIENCE_SECONDS: Final = 15.0
_LOOK_AGAIN_SECONDS: Final = 1.0
_METADATA: Final = "__temporal_workflow_metadata"


class Pass(NamedTuple):
    """A pass that is under way."""

    workflow_id: str
    run_id: str


Watch = Callable[[Client, Pass], Coroutine[object, object, None]]
"""Shows how far a pass is, until it is cancelled."""


async def begin(client: Client, workflow: str, argument: BaseModel, workflow_id: str, summary: str) -> Pass:
    """Start the pass, or join the one of the same id that is under way."""
    handle = await client.start_workflow(
        workflow,
        argument,
        id=workflow_id,
        task_queue=ORDERS_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=summary,
    )
    return Pass(handle.id, handle.result_run_id or "")


async def finish(client: Client, begun: Pass, result: type[R], watch: Watch | None = None) -> R:
    """Wait for the pass; raises Refused where it failed, and while no worker carries it on.

    `watch` shows a person how far it is, until it is cancelled; without it the pass's own words are shown.
    """
    handle: WorkflowHandle[object, R] = client.get_workflow_handle(
        begun.workflow_id, run_id=begun.run_id or None, result_type=result
    )
    waiting = asyncio.create_task(_patiently(handle.result))
    watching = asyncio.create_task((watch or _watch_words)(client, begun)) if watched() else None
    try:
        while not (await asyncio.wait({waiting}, timeout=_PATIENCE_SECONDS))[0]:
            if await _patiently(lambda: last_poll(client)) is None:
                raise Refused(
                    f"{begun.workflow_id} is waiting: {await workers_seen(client)}. Then it goes on."
                )
        return waiting.result()
    except WorkflowFailureError as error:
        raise Refused(f"{begun.workflow_id} ended without a result: {cause_of(error)}") from None
    finally:
        waiting.cancel()
        if watching:
            watching.cancel()
            await asyncio.wait((watching,))  # so that the bar is gone before the result is printed


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again where the server was only busy or away for a moment: a pass may take hours."""
    left = _TRIES
    while True:
        began = asyncio.get_running_loop().time()
        try:
            return await ask()
        except RPCError as error:
            if asyncio.get_running_loop().time() - began > _PATIENCE_SECONDS:
                left = _TRIES  # it had waited for the result, as it should
            left -= 1
            if error.status not in _PASSING or not left:
                raise
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _watch_words(client: Client, begun: Pass) -> None:
    with words(f"{begun.workflow_id} is under way.") as show:
        await _watch(client, begun, show)


async def _watch(client: Client, begun: Pass, show: Callable[[str], None]) -> None:
    """Show what the pass itself says of how far it is; a query costs no action."""
    handle = client.get_workflow_handle(begun.workflow_id, run_id=begun.run_id or None)
    while True:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        with suppress(TimeoutError, RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                said = await handle.query(_METADATA, result_type=WorkflowMetadata)
            if said.current_details:
                show(f"{begun.workflow_id}: {said.current_details}")


def cause_of(error: BaseException) -> str:
    """The innermost message of a failure chain, which is the one that says something."""
    inner: BaseException = error
    while isinstance(inner, WorkflowFailureError | FailureError) and inner.__cause__ is not None:
        inner = inner.__cause__
    if isinstance(inner, ApplicationError | ActivityError):
        return inner.message
    return str(inner) or type(inner).__name__


async def last_horizon(client: Client, seller_ids: Sequence[str]) -> datetime | None:
    """Up to when Amazon's changes of these sellers were read, by schedule or by hand; None where of one of them
    they never were.

    With several sellers it is the earliest of theirs, so that nobody's change is passed over.
    """
    marks = await asyncio.gather(*(mark_of(client, seller) for seller in seller_ids))
    known = [mark for mark in marks if mark is not None]
    return min(known, default=None) if len(known) == len(marks) else None
