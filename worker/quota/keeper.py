"""The keeper of Amazon's quotas: how fast each queue may go, decided every two seconds, on one worker at a time.

It knows each bucket's lower bound (canonical.quota_level), opens a queue beyond the documented rate for as long as
the bound allows, and then sets the documented rate. Its knowledge travels in the heartbeat: when its worker dies,
another goes on from there within some twelve seconds, for which a raised pace is safe.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from temporalio import activity
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError

from canonical.activity_contracts import M3_QUEUE, ORDERS_QUEUE
from canonical.ids import quotas_workflow_id
from canonical.quota_contracts import BOOK, KEEP_QUEUES, KEEP_QUOTAS, KeeperState, KeepQuotasInput, QuotaBook
from worker.quota.gauges import QuotaGauges
from worker.quota.limits import AMAZON_QUEUES, documented, read_queue, set_pace
from worker.quota.queue import KeptQueue

TICK: Final = 2.0
_BOOK_EVERY: Final = 5
"""Ticks between two questions for what other processes have met."""
_BOOK_PATIENCE: Final = timedelta(seconds=15)
_SHIFT: Final = timedelta(hours=1)
"""After that the state goes into the workflow, and the next shift begins."""
_STARTING: Final = 2.0
"""Seconds within which a process that starts has all its workers."""

_log = structlog.get_logger(__name__)


class QuotaKeeper:
    """Hosted by every worker process; `keep_queues` runs in one of them.

    factors: quota_factor by seller. tick: seconds between two looks.
    """

    def __init__(
        self, client: Client, factors: Mapping[str, float], gauges: QuotaGauges, *, tick: float = TICK
    ) -> None:
        self._client = client
        self._factors = dict(factors)
        self._gauges = gauges
        self._tick = tick

    async def start(self) -> None:
        """Start the workflow where it does not run."""
        await self._client.start_workflow(
            KEEP_QUOTAS,
            KeepQuotasInput(),
            id=quotas_workflow_id(),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="Quotas: keeps the paces of Amazon's queues",
        )

    @activity.defn(name=KEEP_QUEUES)
    async def keep_queues(self, state: KeeperState | None) -> KeeperState:
        """Look after all queues for a shift; returns what the next shift goes on from."""
        info = activity.info()
        if info.heartbeat_details:
            state = KeeperState.model_validate(info.heartbeat_details[0])
        idle = (info.started_time - info.current_attempt_scheduled_time).total_seconds() - _STARTING
        shift = _Shift(self._client, self._factors, self._gauges, state, idle)
        leaving = asyncio.create_task(activity.wait_for_worker_shutdown())
        end = time.monotonic() + _SHIFT.total_seconds()
        self._gauges.keeper(at_work=True)
        try:
            while time.monotonic() < end:
                await shift.look()
                activity.heartbeat(shift.state())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(leaving), self._tick)
                if leaving.done():
                    raise ApplicationError(
                        "This worker stops; another one keeps the quotas.",
                        type="leaving",
                        category=ApplicationErrorCategory.BENIGN,
                    )
            return shift.state()
        finally:
            leaving.cancel()
            await shift.end()
            self._gauges.keeper(at_work=False)


class _Shift:
    """One keeper at work."""

    def __init__(
        self,
        client: Client,
        factors: Mapping[str, float],
        gauges: QuotaGauges,
        state: KeeperState | None,
        idle: float,
    ) -> None:
        self._client = client
        self._gauges = gauges
        self._state = state or KeeperState()
        self._first = state is None
        self._ticks = 0
        self._queues = {
            queue: KeptQueue(documented(operation, factors), self._state.queues.get(queue), idle)
            for queue, operation in AMAZON_QUEUES.items()
        }
        self._reading: asyncio.Task[QuotaBook | None] | None = None

    async def look(self) -> None:
        """One look at everything; what the server refuses is tried again at the next."""
        if self._reading is not None and self._reading.done():
            self._take_in(self._reading.result())
            self._reading = None
        if self._ticks % _BOOK_EVERY == 0 and self._reading is None:
            self._reading = asyncio.create_task(self._read_book())
        self._ticks += 1
        await asyncio.gather(*(self._keep(queue, kept) for queue, kept in self._queues.items()), self._m3())

    def state(self) -> KeeperState:
        """What the next keeper goes on from."""
        return KeeperState(
            queues={
                queue: state for queue, kept in self._queues.items() if (state := kept.state()) is not None
            },
            throttled=self._state.throttled,
            beside=self._state.beside,
        )

    async def end(self) -> None:
        """Leave nothing behind."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read_book(self) -> QuotaBook | None:
        """What others have met. No look waits for it: after a death the workflow may answer seconds later."""
        handle = self._client.get_workflow_handle(quotas_workflow_id())
        try:
            book: QuotaBook = await handle.query(BOOK, result_type=QuotaBook, rpc_timeout=_BOOK_PATIENCE)
        except (RPCError, WorkflowQueryFailedError) as error:
            _log.info("quota_book_not_read", error=type(error).__name__)
            return None
        return book

    def _take_in(self, book: QuotaBook | None) -> None:
        if book is None:
            return
        now = datetime.now(UTC)
        known = self._state
        if not self._first:
            for kept in self._queues.values():
                kept.hear(book, known.throttled, known.beside)
        for kept in self._queues.values():
            kept.hear_rates(book.rates, now)
        self._first = False
        self._state = known.model_copy(update={"throttled": book.throttled, "beside": book.beside})

    async def _keep(self, queue: str, kept: KeptQueue) -> None:
        try:
            seen = await read_queue(self._client, queue)
            change = kept.look(time.time(), seen)
            if change is not None:
                called = time.time()
                await set_pace(self._client, queue, change.pace, change.reason, change.weights)
                kept.changed(called, time.time(), change.pace)
        except RPCError as error:
            kept.lost_sight()
            _log.warning("quota_not_kept", queue=queue, error=error.status.name)
            return
        self._gauges.queue(seen)
        for seller_id, level in kept.levels().items():
            self._gauges.bucket(kept.operation.name, seller_id, level, kept.granted(seller_id))

    async def _m3(self) -> None:
        with contextlib.suppress(RPCError):
            self._gauges.queue(await read_queue(self._client, M3_QUEUE))
