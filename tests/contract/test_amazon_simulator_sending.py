"""Notifications on their way into a real SQS: late, in any order, kept out."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from simulators.amazon.notifications.sender import Sender, may_send
from tests.contract.amazon_simulator_client import Caller, mfn_order
from tests.contract.test_amazon_simulator_messages import kind_of, listening
from tests.contract.test_amazon_simulator_notifications import make_destination, subscribe
from tests.support.processes import simulator as simulator_process
from tests.support.sqs import Queue, make_queue, take_all, waiting


async def test_the_outbox_survives_a_restart(tmp_path: Path, sqs: str) -> None:
    queue = await make_queue(sqs, "restart")
    async with listening(tmp_path) as caller:
        await to(caller, queue)
        await caller.plant(mfn_order())
    async with listening(tmp_path, sqs_endpoint=sqs) as caller:
        await send(caller)
    assert [kind_of(json.loads(body)) for body in await take_all(sqs, queue)] == ["ORDER_CHANGE"]


async def to(caller: Caller, queue: Queue) -> None:
    """Subscribe the European seller to changes of orders, in this queue."""
    destination = (await make_destination(caller, queue.arn)).json()["payload"]["destinationId"]
    assert (await subscribe(caller, destination)).status_code == 200


async def send(caller: Caller) -> int:
    """Send everything that is due."""
    sender, total = Sender(caller.world.notifications), 0
    while sent := await sender.flush(caller.world.clock.now_ms()):
        total += sent
    await sender.close()
    return total


async def test_a_queue_that_keeps_amazon_out_gets_nothing_and_nobody_is_told(
    tmp_path: Path, sqs: str
) -> None:
    """As in amzn/selling-partner-api-docs issue 2043: the subscription is fine, no message comes."""
    closed = await make_queue(sqs, "closed", for_amazon=False)
    async with listening(tmp_path, sqs_endpoint=sqs) as caller:
        await to(caller, closed)
        await caller.plant(mfn_order())
        await send(caller)
        state = await caller.control("notifications")
    assert state["copies"] == {"ORDER_CHANGE": {"refused": 1}}
    assert "437568002678" in state["problem"]
    assert await waiting(sqs, closed) == (0, 0)


ALLOWED = {"Effect": "Allow", "Principal": {"AWS": "437568002678"}, "Action": "SQS:SendMessage"}


@pytest.mark.parametrize(
    ("changes", "lets_in"),
    [
        ({}, True),
        ({"Principal": {"AWS": ["123456789012", "arn:aws:iam::437568002678:root"]}}, True),
        ({"Principal": "*", "Action": ["sqs:ReceiveMessage", "sqs:*"]}, True),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Action": ["SQS:GetQueueAttributes"]}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_a_queues_policy_is_read_as_aws_reads_it(changes: dict[str, object], lets_in: bool) -> None:
    assert may_send(json.dumps({"Statement": [{**ALLOWED, **changes}]})) is lets_in


async def test_copies_overtake_each_other(tmp_path: Path, sqs: str) -> None:
    queue = await make_queue(sqs, "order-of-arrival")
    async with listening(tmp_path, sqs_endpoint=sqs) as caller:
        await to(caller, queue)
        await caller.http.post("/_control/notifications", json={"held": True})
        ids = [f"304-0000001-{number:07d}" for number in range(40)]
        for order_id in ids:
            await caller.plant(mfn_order(order_id))
        assert await send(caller) == 0
        await caller.http.post("/_control/notifications", json={"held": False})
        assert await send(caller) == 40
    arrived = [
        json.loads(body)["Payload"]["OrderChangeNotification"]["AmazonOrderId"]
        for body in await take_all(sqs, queue)
    ]
    assert sorted(arrived) == ids
    assert arrived != ids


async def test_late_copies_wait_for_their_time(tmp_path: Path, sqs: str) -> None:
    queue = await make_queue(sqs, "late")
    async with listening(tmp_path, sqs_endpoint=sqs, pace=1, notify_delay=1000) as caller:
        await to(caller, queue)
        for number in range(20):
            await caller.plant(mfn_order(f"304-0000001-{number:07d}"))
        assert await send(caller) < 10
        await caller.advance(1000)
        await send(caller)
    assert len(await take_all(sqs, queue)) == 20


async def test_a_simulator_of_its_own_sends_by_itself(tmp_path: Path, sqs: str) -> None:
    queue = await make_queue(sqs, "by-itself")
    options = ("--pace", "0", "--sqs-endpoint", sqs, "--notify-duplicates", "0")
    async with (
        simulator_process("amazon", tmp_path, *options) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        caller = Caller(http, None)  # type: ignore[arg-type]
        await to(caller, queue)
        await caller.plant(mfn_order())
        bodies = await arriving(sqs, queue)
    assert kind_of(json.loads(bodies[0])) == "ORDER_CHANGE"


async def arriving(sqs: str, queue: Queue) -> list[str]:
    """What the queue holds, as soon as it holds anything."""
    for _ in range(200):
        bodies = await take_all(sqs, queue, wait_seconds=1)
        if bodies:
            return bodies
    raise AssertionError("nothing arrived")
