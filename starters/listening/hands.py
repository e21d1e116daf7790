"""The messages that a listener has in its hands: hidden from others while they are worked on, deleted when their work
is done, given back where it is not."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from starters.listening.sqs import BATCH, Message, QueueTrouble, SqsQueue

_DELETE_EVERY: Final = 0.2
"""Seconds in which finished messages are gathered to be deleted together."""
_DELETES_AT_ONCE: Final = 4
_log = structlog.get_logger(__name__)


class Hands:
    """Messages from when they are taken until SQS has deleted them: an SQS that is slow to delete is asked for less,
    or what is done would come again and again."""

    def __init__(self, queue: SqsQueue, visibility_seconds: int) -> None:
        self._queue = queue
        self._span = visibility_seconds
        self._held: dict[str, Message] = {}
        """By receipt."""
        self._until: dict[str, float] = {}
        """When each becomes visible to others, on the loop's clock."""
        self._done: dict[str, Message] = {}
        self.changed = asyncio.Condition()
        """Notified when there are fewer."""

    def __len__(self) -> int:
        return len(self._held)

    def take(self, messages: Iterable[Message]) -> Sequence[Message]:
        """Take what SQS has just handed out."""
        taken = list(messages)
        until = asyncio.get_running_loop().time() + self._span
        for message in taken:
            self._held[message.receipt] = message
            self._until[message.receipt] = until
        return taken

    def done(self, message: Message) -> None:
        """Its work is done: it is deleted soon."""
        self._done[message.receipt] = message

    async def leave(self, message: Message) -> None:
        """Its work failed: it comes again after its time."""
        with contextlib.suppress(QueueTrouble):
            await self._queue.hide([message], self._span)
        await self._put_down(message)

    async def give_back(self) -> None:
        """Delete what is done; what is not becomes visible to others at once."""
        await self._delete_done()
        try:
            await self._queue.hide(list(self._held.values()), 0)
        except QueueTrouble as trouble:
            _log.warning("messages_not_given_back", messages=len(self._held), error=str(trouble))

    async def keep(self) -> None:
        """Keep hidden what is still worked on: from half of its time on."""
        span = self._span
        while True:
            await asyncio.sleep(span / 4)
            now = asyncio.get_running_loop().time()
            ending = [
                message
                for receipt, message in self._held.items()
                if self._until.get(receipt, now + span) < now + span / 2
            ]
            try:
                await self._queue.hide(ending, span)
            except QueueTrouble as trouble:
                _log.warning("messages_not_kept_hidden", messages=len(ending), error=str(trouble))
                continue
            for message in ending:
                if message.receipt in self._until:
                    self._until[message.receipt] = now + span

    async def delete(self) -> None:
        """Delete what is done, some at a time."""
        while True:
            await asyncio.sleep(_DELETE_EVERY)
            await self._delete_done()

    async def _delete_done(self) -> None:
        done = list(self._done.values())
        batches = [done[begin : begin + BATCH] for begin in range(0, len(done), BATCH)]
        for begin in range(0, len(batches), _DELETES_AT_ONCE):
            await asyncio.gather(*map(self._delete_batch, batches[begin : begin + _DELETES_AT_ONCE]))

    async def _delete_batch(self, batch: Sequence[Message]) -> None:
        try:
            await self._queue.delete(batch)
        except QueueTrouble as trouble:  # they come again and are recognised
            _log.warning("messages_not_deleted", messages=len(batch), error=str(trouble))
        for message in batch:
            del self._done[message.receipt]
            await self._put_down(message)

    async def _put_down(self, message: Message) -> None:
        self._until.pop(message.receipt, None)
        async with self.changed:
            self._held.pop(message.receipt, None)
            self.changed.notify_all()
