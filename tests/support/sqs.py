"""A real SQS over HTTP on this machine (`tests.support.sqs_server`, a process of its own) and its queues."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiobotocore.session import get_session
from types_aiobotocore_sqs import SQSClient

from tests.support.processes import announced

REGION = "eu-west-1"
ACCOUNT = "123456789012"
AMAZON = "437568002678"
"""The AWS account in whose name SP-API sends; the queue's policy must let it in."""

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",  # moto reads neither
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""What any AWS client needs in its environment; the fixture `sqs` puts it there."""

_SESSION = get_session()  # reads AWS's models once, not for each client


@dataclass(frozen=True)
class Queue:
    """One queue: its address for a listener, its ARN for Amazon's createDestination."""

    name: str
    url: str
    arn: str


@contextmanager
def aws_environment() -> Iterator[None]:
    """CREDENTIALS in this process's environment, and so in that of its children."""
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@asynccontextmanager
async def sqs_server(folder: Path, *options: str) -> AsyncIterator[str]:
    """A fresh SQS in a process of its own; yields its endpoint URL, ends it when the block is left."""
    log = folder / "sqs.log"
    async with announced("tests.support.sqs_server", log, *options, patience_seconds=60) as url:
        yield url


@asynccontextmanager
async def sqs_client(endpoint: str) -> AsyncIterator[SQSClient]:
    """A client of the queue's owner."""
    async with _SESSION.create_client(
        "sqs",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    ) as client:
        yield client


async def make_queue(
    endpoint: str, name: str, *, for_amazon: bool = True, visibility_seconds: int = 30, **attributes: str
) -> Queue:
    """Make a queue as an installation would: with the policy that lets SP-API send, unless `for_amazon` is off."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    wanted = {"VisibilityTimeout": str(visibility_seconds), **attributes}
    if for_amazon:
        wanted["Policy"] = json.dumps(policy(arn))
    async with sqs_client(endpoint) as client:
        made = await client.create_queue(QueueName=name, Attributes=wanted)  # type: ignore[arg-type]
    return Queue(name, made["QueueUrl"], arn)


def policy(arn: str) -> dict[str, object]:
    """The policy that Amazon's guide asks for on a notification queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": AMAZON},
        "Action": ["SQS:SendMessage", "SQS:GetQueueAttributes"],
        "Resource": arn,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


async def waiting(endpoint: str, queue: Queue) -> tuple[int, int]:
    """How many messages of the queue are visible, and how many are in somebody's hands."""
    async with sqs_client(endpoint) as client:
        told = await client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
    counts = told["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


async def send(endpoint: str, queue: Queue, *bodies: str) -> None:
    """Put messages into the queue as they are."""
    async with sqs_client(endpoint) as client:
        for body in bodies:
            await client.send_message(QueueUrl=queue.url, MessageBody=body)


async def take_all(endpoint: str, queue: Queue, *, wait_seconds: int = 0) -> list[str]:
    """Take every visible message out of the queue, bodies in the order received; `wait_seconds`: long poll."""
    taken: list[str] = []
    async with sqs_client(endpoint) as client:
        while True:
            got = await client.receive_message(
                QueueUrl=queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=0 if taken else wait_seconds
            )
            messages = got.get("Messages", [])
            if not messages:
                return taken
            taken += [message["Body"] for message in messages]
            await client.delete_message_batch(
                QueueUrl=queue.url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                    for place, message in enumerate(messages)
                ],
            )
