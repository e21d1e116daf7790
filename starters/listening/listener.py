"""The listener: long polls, bounded work in flight; what it has in its hands is in `hands`.

Any number of listeners may share a queue. One that is killed loses nothing: what it had in its hands becomes
visible again, and whatever it had told already is recognised by the workflow.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from temporalio.service import RPCError

from canonical.notifications import FBA_OUTBOUND_SHIPMENT_STATUS
from starters.listening.desk import Desk, Sorted
from starters.listening.hands import Hands
from starters.listening.sqs import BATCH, Message, QueueTrouble, SqsQueue
from starters.listening.tally import Listened, Outcome, Tally
from worker.archiving import ArchiveError
from worker.notification_settings import NotificationSettings

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_GIVE_UP_AFTER: Final = 5
"""Times a message is handed out before an error of our own about it makes it a dead letter."""
_SAY_EVERY: Final = 60.0
_log = structlog.get_logger(__name__)
_AWAY = (RPCError, QueueTrouble, ArchiveError)
"""Temporal, SQS or the archive does not take it now: the same call is tried again."""


@dataclass
class _Waiting:
    """Notices of one order that wait for a fuller one."""

    parcel: list[Sorted] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)


class Listener:
    """Takes messages from `queue` and hands them to `desk`."""

    def __init__(
        self, queue: SqsQueue, desk: Desk, options: NotificationSettings, graceful_seconds: float
    ) -> None:
        self._queue = queue
        self._desk = desk
        self._options = options
        self._graceful = graceful_seconds
        self._hands = Hands(queue, options.visibility_seconds)
        self._polls = 0
        self._gathering: dict[tuple[str, str], _Waiting] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._tally = Tally()

    async def run(self, stop: asyncio.Event, *, until_empty: bool = False) -> Listened:
        """Listen until `stop`, or until the queue shows no message any more; raises QueueTrouble where a person
        has to act before anything can be received."""
        number = 1 if until_empty else self._options.receivers
        receivers = [asyncio.create_task(self._receive(until_empty)) for _ in range(number)]
        keepers = [asyncio.create_task(work()) for work in (self._hands.keep, self._hands.delete, self._say)]
        stopper = asyncio.create_task(stop.wait())
        try:
            # A keeper ends only by an error of ours: then the listener ends too, and whoever watches it starts it anew.
            done, _ = await asyncio.wait({stopper, *receivers, *keepers}, return_when=asyncio.FIRST_COMPLETED)
            await self._drain(receivers)
            for one in done:
                if one is not stopper:
                    one.result()
        finally:
            await self._end([*receivers, *keepers, stopper, *self._work])
            await self._hands.give_back()
        return self._tally.sum()

    # --- taking ---------------------------------------------------------------------------------

    async def _receive(self, until_empty: bool) -> None:
        pause = _FIRST_PAUSE
        while True:
            async with self._hands.changed:
                await self._hands.changed.wait_for(lambda: self._stopping.is_set() or self._has_room())
                if self._stopping.is_set():
                    return
                self._polls += 1
            try:
                messages = await self._queue.receive(
                    wait_seconds=1 if until_empty else self._options.poll_seconds,
                    visibility_seconds=self._options.visibility_seconds,
                )
            except QueueTrouble as trouble:
                if trouble.hopeless:
                    raise
                _log.warning("queue_not_readable", error=str(trouble))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            finally:
                self._polls -= 1
            pause = _FIRST_PAUSE
            if until_empty and not messages and not self._hands:
                return
            self._take(messages)

    def _has_room(self) -> bool:
        """Whether what another poll may bring can be worked on; polls under way may bring as much."""
        return len(self._hands) + (self._polls + 1) * BATCH <= self._options.in_flight

    def _take(self, messages: Iterable[Message]) -> None:
        parcels: dict[tuple[str, str], list[Sorted]] = {}
        for message in self._hands.take(messages):
            one = self._desk.sort(message)
            if one.order is None:
                self._launch(self._do([one], lambda one=one: self._desk.settle(one)))  # type: ignore[misc]
            else:
                parcels.setdefault(one.order, []).append(one)
        for order, parcel in parcels.items():
            waiting = self._gathering.get(order)
            if waiting is not None:
                waiting.parcel += parcel
                if not _says_little(parcel):
                    waiting.go.set()
            elif _says_little(parcel) and self._options.gather_seconds > 0 and not self._stopping.is_set():
                self._gathering[order] = _Waiting(parcel)
                self._launch(self._gather(order))
            else:
                self._launch(self._tell(parcel))

    async def _gather(self, order: tuple[str, str]) -> None:
        """Wait a little for the notification that says more about the same order."""
        waiting = self._gathering[order]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waiting.go.wait(), self._options.gather_seconds)
        del self._gathering[order]
        await self._tell(waiting.parcel)

    async def _tell(self, parcel: Sequence[Sorted]) -> None:
        await self._do(parcel, lambda: self._desk.tell_order(parcel))

    # --- doing ----------------------------------------------------------------------------------

    def _launch(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _do(self, parcel: Sequence[Sorted], call: Callable[[], Awaitable[Outcome]]) -> None:
        """Carry the messages where they belong, however often it takes; then they are done."""
        try:
            outcome = await self._patiently(call)
        except _AWAY:
            return  # told to stop meanwhile: they go back to the queue
        except Exception as error:
            _log.exception("notification_not_handled", type=parcel[0].kind, error=type(error).__name__)
            for one in parcel:
                await self._leave(one, error)
            return
        for one in parcel:
            self._finish(one, outcome)

    async def _patiently(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await call()
            except _AWAY as error:
                if self._stopping.is_set():
                    raise
                _log.warning("notification_waits", error=_said(error), pause_seconds=pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _leave(self, one: Sorted, error: Exception) -> None:
        """An error of our own: the message comes again; after some times it is a dead letter."""
        if one.message.received < _GIVE_UP_AFTER:
            self._tally.add(Outcome.LEFT, one.kind)
            await self._hands.leave(one.message)
            return
        times = one.message.received
        reason = f"Handling it failed {times} times with an error of the service: {type(error).__name__}."
        with contextlib.suppress(*_AWAY):
            self._finish(one, await self._desk.bury(one, reason))

    def _finish(self, one: Sorted, outcome: Outcome) -> None:
        self._tally.add(outcome, one.kind)
        self._hands.done(one.message)

    # --- beside ---------------------------------------------------------------------------------

    async def _say(self) -> None:
        said = 0
        while True:
            await asyncio.sleep(_SAY_EVERY)
            told = self._tally.sum()
            if told.messages != said:
                said = told.messages
                _log.info("notifications", in_hand=len(self._hands), **told.model_dump(mode="json"))

    # --- ending ---------------------------------------------------------------------------------

    async def _drain(self, receivers: Sequence[asyncio.Task[None]]) -> None:
        """Finish what is in hand, for as long as the configuration allows. Polls under way are left to end: what
        SQS hands to one that nobody waits for any more would stay hidden for a while."""
        self._stopping.set()
        async with self._hands.changed:
            self._hands.changed.notify_all()
        for waiting in self._gathering.values():
            waiting.go.set()
        deadline = asyncio.get_running_loop().time() + self._graceful
        for tasks in (set(receivers), self._work):
            if tasks:
                left = max(deadline - asyncio.get_running_loop().time(), 0)
                await asyncio.wait(set(tasks), timeout=left)

    @staticmethod
    async def _end(tasks: Sequence[asyncio.Task[object]] | Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _says_little(parcel: Sequence[Sorted]) -> bool:
    """Whether all of it only says that something about a shipment changed."""
    return all(one.kind == FBA_OUTBOUND_SHIPMENT_STATUS for one in parcel)


def _said(error: Exception) -> str:
    return (
        f"Temporal answered {error.status.name}: {error.message}"
        if isinstance(error, RPCError)
        else str(error)
    )
