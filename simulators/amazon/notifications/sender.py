"""Carries due notifications to SQS over HTTP, as Amazon's own account does."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from simulators.amazon.notifications.dispatch import Notifications
from simulators.amazon.notifications.outbox import Parcel

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

AMAZON_ACCOUNT = "437568002678"
"""Whom the queue's policy must allow sqs:SendMessage (Amazon's guide to the SQS workflow)."""
BATCH = 10
AT_ONCE = 400
IDLE_SECONDS = 0.05
RETRY_SECONDS = 1.0
POLICY_SECONDS = 2.0


class Sender:
    """Sends what is due. A queue that is not there, or does not let Amazon in, swallows its messages: Amazon
    tells nobody either. An SQS that does not answer is tried again."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, str], SQSClient] = {}
        self._urls: dict[tuple[str, str], tuple[str, float]] = {}

    async def run(self, now_ms: Callable[[], int]) -> None:
        """Send until cancelled."""
        try:
            while True:
                try:
                    sent = await self.flush(now_ms())
                except (BotoCoreError, OSError, TimeoutError) as error:
                    self._notifications.problem = f"The SQS does not answer: {error}"
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if not sent:
                    await asyncio.sleep(IDLE_SECONDS)
        finally:
            await self.close()

    async def flush(self, now_ms: int) -> int:
        """Send some of what is due; returns how many copies left the outbox."""
        parcels = self._notifications.outbox.due(now_ms, AT_ONCE)
        by_arn: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            by_arn.setdefault(parcel.arn, []).append(parcel)
        left = 0
        for arn, waiting in by_arn.items():
            for batch in _batches(waiting):
                left += await self._deliver(arn, batch)
        return left

    async def close(self) -> None:
        """Let go of the connections."""
        await self._stack.aclose()
        self._clients.clear()
        self._urls.clear()

    async def _deliver(self, arn: str, batch: list[Parcel]) -> int:
        numbers = [parcel.number for parcel in batch]
        outbox = self._notifications.outbox
        try:
            client = await self._client(arn)
            url = await self._queue_url(client, arn)
            answer = await client.send_message_batch(
                QueueUrl=url,
                Entries=[{"Id": str(parcel.number), "MessageBody": parcel.body} for parcel in batch],
            )
        except (ClientError, PermissionError) as error:
            self._notifications.problem = f"The queue {arn} takes no message: {error}"
            outbox.done(numbers, "refused")
            return len(numbers)
        refused = {int(entry["Id"]) for entry in answer.get("Failed", []) if entry["SenderFault"]}
        self._notifications.problem = ""
        sent = [int(entry["Id"]) for entry in answer.get("Successful", [])]
        outbox.done(sent, "sent")
        outbox.done(list(refused), "refused")
        return len(sent) + len(refused)

    async def _client(self, arn: str) -> SQSClient:
        endpoint, region = self._notifications.outbox.plan.endpoint, arn.split(":")[3]
        known = self._clients.get((endpoint, region))
        if known is None:
            # Without any credentials AWS would be asked for this machine's role; a local SQS wants none.
            anybody = {} if os.environ.get("AWS_ACCESS_KEY_ID") else {"key": "simulator"}
            known = await self._stack.enter_async_context(
                get_session().create_client(
                    "sqs",
                    region_name=region,
                    endpoint_url=endpoint,
                    aws_access_key_id=anybody.get("key"),
                    aws_secret_access_key=anybody.get("key"),
                    config=AioConfig(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=10),
                )
            )
            self._clients[endpoint, region] = known
        return known

    async def _queue_url(self, client: SQSClient, arn: str) -> str:
        """The queue's address, once it is sure that Amazon may send there; PermissionError otherwise."""
        endpoint = self._notifications.outbox.plan.endpoint
        url, until = self._urls.get((endpoint, arn), ("", 0.0))
        if time.monotonic() < until:
            return url
        *_, account, name = arn.split(":")
        url = (await client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account))["QueueUrl"]
        told = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        if not may_send(told.get("Attributes", {}).get("Policy", "")):
            message = f"its policy does not allow {AMAZON_ACCOUNT} to send"
            raise PermissionError(message)
        self._urls[endpoint, arn] = (url, time.monotonic() + POLICY_SECONDS)
        return url


def may_send(policy: str) -> bool:
    """Whether a queue's policy lets Amazon's account send messages."""
    statements = _listed(json.loads(policy).get("Statement", [])) if policy else []
    return any(_allows(statement) for statement in statements)


def _allows(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    who = ["*"] if principal == "*" else [str(name) for name in _listed(principal.get("AWS", []))]
    actions = {str(action).lower() for action in _listed(statement.get("Action", []))}
    return (
        statement.get("Effect") == "Allow"
        and any(name in ("*", AMAZON_ACCOUNT, f"arn:aws:iam::{AMAZON_ACCOUNT}:root") for name in who)
        and bool(actions & {"*", "sqs:*", "sqs:sendmessage"})
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _batches(parcels: list[Parcel]) -> Iterator[list[Parcel]]:
    for begin in range(0, len(parcels), BATCH):
        yield parcels[begin : begin + BATCH]
