"""Messages that could not be read: shown with their reason, and sent through the queue again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from canonical.notifications import UnreadableNotification, read_notification
from starters.listening.sqs import Message, SqsQueue
from starters.listening.tally import DeadLetter

_HIDDEN_SECONDS: Final = 60
_BY_SQS: Final = "SQS moved it here after it was handed out too often."


async def show(dead: SqsQueue, limit: int) -> list[DeadLetter]:
    """The dead letters, at most `limit`; they stay where they are."""
    held = [message async for message in _messages(dead, limit)]
    await dead.hide(held, 0)
    return [_letter(message) for message in held]


async def replay(dead: SqsQueue, queue: SqsQueue, limit: int) -> list[DeadLetter]:
    """Send dead letters through the queue again, at most `limit`; what is still unreadable comes back here.

    A message is first sent and then deleted: after a crash it is in both queues, and is recognised.
    """
    replayed = []
    began = datetime.now(UTC)
    async for message in _messages(dead, limit):
        if message.sent > began:  # sent again a moment ago, and unreadable still
            await dead.hide([message], 0)
            break
        await queue.send(message.body)
        await dead.delete([message])
        replayed.append(_letter(message))
    return replayed


async def _messages(dead: SqsQueue, limit: int) -> AsyncIterator[Message]:
    seen: set[str] = set()
    while len(seen) < limit:
        found = await dead.receive(wait_seconds=1, visibility_seconds=_HIDDEN_SECONDS)
        new = [message for message in found if message.id not in seen][: limit - len(seen)]
        await dead.hide([message for message in found if message not in new], 0)
        if not new:
            return
        seen.update(message.id for message in new)
        for message in new:
            yield message


def _letter(message: Message) -> DeadLetter:
    kind = message.attributes.get("type", "")
    if not kind:
        try:
            kind = read_notification(message.body).kind
        except UnreadableNotification:
            kind = ""
    return DeadLetter(
        message_id=message.attributes.get("message_id", message.id),
        since=message.sent,
        reason=message.attributes.get("reason", _BY_SQS),
        type=kind,
        size=len(message.body.encode()),
    )
