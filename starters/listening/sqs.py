"""An SQS queue as a listener needs it; what AWS answers becomes a sentence."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from worker.notification_settings import NotificationSettings

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

BATCH: Final = 10
"""The most messages that SQS takes or gives in one call."""
_LONGEST_ATTRIBUTE: Final = 1000
_REFUSALS: Final = {
    "AccessDenied": "The AWS account in use may not do this; it needs sqs:ReceiveMessage, sqs:DeleteMessage, "
    "sqs:ChangeMessageVisibility, sqs:GetQueueAttributes and, for dead letters and replays, sqs:SendMessage.",
    "AWS.SimpleQueueService.NonExistentQueue": "There is no such queue in this region and account.",
    "QueueDoesNotExist": "There is no such queue in this region and account.",
}


class QueueTrouble(Exception):  # noqa: N818 - said as a sentence to a person
    """SQS does not answer, or refuses; the text says which queue and why."""

    def __init__(self, sentence: str, *, hopeless: bool = False) -> None:
        super().__init__(sentence)
        self.hopeless = hopeless
        """Whether trying again is of no use: a person has to act."""


@dataclass(frozen=True)
class Message:
    """One message in our hands: hidden from others until it is deleted or its time is up."""

    id: str
    receipt: str
    body: str
    sent: datetime
    received: int
    """How many times it was handed out, this time included."""
    attributes: dict[str, str]


@dataclass(frozen=True)
class QueueFacts:
    """What SQS says of a queue."""

    arn: str
    visible: int
    in_hands: int
    lets_amazon_send: bool


AMAZON_PRINCIPAL: Final = "437568002678"
"""AWS account in whose name SP-API sends; the queue's policy lets it in (Notifications API guide)."""


class SqsQueue:
    """One queue. Every method raises `QueueTrouble` and nothing else of AWS."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self.url = url

    async def facts(self) -> QueueFacts:
        try:
            answer = await self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        except (BotoCoreError, ClientError) as error:
            raise self._trouble(error) from None
        told = answer.get("Attributes", {})
        return QueueFacts(
            arn=told.get("QueueArn", ""),
            visible=int(told.get("ApproximateNumberOfMessages", 0)),
            in_hands=int(told.get("ApproximateNumberOfMessagesNotVisible", 0)),
            lets_amazon_send=AMAZON_PRINCIPAL in told.get("Policy", ""),
        )

    async def receive(self, *, wait_seconds: int, visibility_seconds: int) -> list[Message]:
        """Up to ten messages; an empty list when none came within `wait_seconds`."""
        try:
            answer = await self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=visibility_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            raise self._trouble(error) from None
        return [_message(one) for one in answer.get("Messages", [])]

    async def delete(self, messages: Sequence[Message]) -> None:
        """Done with them; one that SQS could not delete comes again, which is harmless."""
        for batch in _batches(messages):
            try:
                await self._client.delete_message_batch(
                    QueueUrl=self.url,
                    Entries=[{"Id": str(n), "ReceiptHandle": one.receipt} for n, one in enumerate(batch)],
                )
            except (BotoCoreError, ClientError) as error:
                raise self._trouble(error) from None

    async def hide(self, messages: Sequence[Message], seconds: int) -> None:
        """Keep them hidden for so long from now on; 0 gives them back at once."""
        for batch in _batches(messages):
            try:
                await self._client.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(n), "ReceiptHandle": one.receipt, "VisibilityTimeout": seconds}
                        for n, one in enumerate(batch)
                    ],
                )
            except (BotoCoreError, ClientError) as error:
                raise self._trouble(error) from None

    async def send(self, body: str, **attributes: str) -> None:
        """Put a message into the queue, with attributes that tell about it."""
        try:
            await self._client.send_message(
                QueueUrl=self.url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value[:_LONGEST_ATTRIBUTE]}
                    for name, value in attributes.items()
                    if value
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise self._trouble(error) from None

    def _trouble(self, error: BotoCoreError | ClientError) -> QueueTrouble:
        if isinstance(error, NoCredentialsError):
            return QueueTrouble(
                f"AWS gave no credentials for the queue {self.url}: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or run where a role is given.",
                hopeless=True,
            )
        if not isinstance(error, ClientError):
            return QueueTrouble(f"SQS does not answer for the queue {self.url} ({type(error).__name__}).")
        code = str(error.response.get("Error", {}).get("Code", ""))
        hint = _REFUSALS.get(code, "")
        said = f"SQS refused a call on the queue {self.url} ({code})."
        return QueueTrouble(f"{said} {hint}".strip(), hopeless=bool(hint))


@asynccontextmanager
async def open_queues(settings: NotificationSettings) -> AsyncIterator[tuple[SqsQueue, SqsQueue]]:
    """The queue of notifications and that of dead letters; raises QueueTrouble where none is configured."""
    if settings.queue_url is None or settings.dead_letter_url is None:
        raise QueueTrouble(
            "No queue is configured: set queue_url and dead_letter_url in [notifications].", hopeless=True
        )
    config = AioConfig(
        connect_timeout=5,
        read_timeout=settings.poll_seconds + 10,
        max_pool_connections=settings.receivers + 10,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    async with get_session().create_client(
        "sqs",
        region_name=settings.region,
        endpoint_url=str(settings.endpoint).rstrip("/") if settings.endpoint else None,
        config=config,
    ) as client:
        yield SqsQueue(client, str(settings.queue_url)), SqsQueue(client, str(settings.dead_letter_url))


def _message(told: "MessageTypeDef") -> Message:
    system = told.get("Attributes", {})
    return Message(
        id=told.get("MessageId", ""),
        receipt=told.get("ReceiptHandle", ""),
        body=told.get("Body", ""),
        sent=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
        received=int(system.get("ApproximateReceiveCount", 1)),
        attributes={
            name: value.get("StringValue", "") for name, value in told.get("MessageAttributes", {}).items()
        },
    )


def _batches(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[begin : begin + BATCH] for begin in range(0, len(messages), BATCH)]
