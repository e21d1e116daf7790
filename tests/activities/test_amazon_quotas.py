"""Quotas on a real Temporal server: what is set holds, seller by seller, and follows Amazon's 429s."""

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.amazon.operations import CONFIRM_SHIPMENT, GET_ORDER, OPERATIONS, SEARCH_ORDERS
from canonical.activity_contracts import (
    AMAZON_CONFIRM_SHIPMENT_QUEUE,
    AMAZON_GET_ORDER_QUEUE,
    AMAZON_SEARCH_ORDERS_QUEUE,
    M3_QUEUE,
)
from worker import quotas

ONE_PARTITION = (
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    extra = [part for value in ONE_PARTITION for part in ("--dynamic-config-value", value)]
    server = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")), dev_server_extra_args=extra
    )
    async with server:
        yield server.client


@workflow.defn(name="CallsOfOneSeller", sandboxed=False)
class CallsOfOneSeller:
    """Schedules many calls at once under the seller's fairness key."""

    @workflow.run
    async def run(self, key: str, calls: int) -> None:
        await asyncio.gather(
            *(
                workflow.execute_activity(
                    "quota_call",
                    key,
                    task_queue=AMAZON_CONFIRM_SHIPMENT_QUEUE,
                    start_to_close_timeout=timedelta(seconds=30),
                    priority=Priority(fairness_key=key),
                )
                for _ in range(calls)
            )
        )


async def test_the_documented_rate_holds_for_each_seller_by_itself(client: Client) -> None:
    await quotas.apply_amazon_quotas(client, burst=False)
    starts: dict[str, list[float]] = {"A2EU-eu": [], "A2NA-na": []}

    @activity.defn(name="quota_call")
    async def call(key: str) -> None:
        starts[key].append(time.monotonic())

    queue, calls = f"workflows-{uuid.uuid4()}", 6
    workflows = Worker(
        client,
        task_queue=queue,
        workflows=[CallsOfOneSeller],
        workflow_runner=UnsandboxedWorkflowRunner(),
        disable_eager_activity_execution=True,
    )
    async with workflows, Worker(client, task_queue=AMAZON_CONFIRM_SHIPMENT_QUEUE, activities=[call]):
        await asyncio.gather(
            *(
                client.execute_workflow(
                    CallsOfOneSeller.run, args=[key, calls], id=f"{key}-{uuid.uuid4()}", task_queue=queue
                )
                for key in starts
            )
        )
    moments = sorted(moment for each in starts.values() for moment in each)
    for key, each in starts.items():
        assert len(each) == calls, key
        # 2 calls a second, with about one second's worth let through at once.
        spacing = 1 / CONFIRM_SHIPMENT.rate
        assert each[-1] - each[0] > (calls - 3) * spacing * 0.95, key
    assert moments[-1] - moments[0] < 2 * calls / CONFIRM_SHIPMENT.rate * 0.8  # one limit for both: 5.5 s


async def rate_becomes(client: Client, queue: str, wanted: float) -> None:
    """Wait until the server shows the rate: a reader may see what was written a moment ago only a little later."""
    async with asyncio.timeout(10):
        while (await quotas.read_rates(client))[queue].per_fairness_key != pytest.approx(wanted):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def m3_rate_becomes(client: Client, wanted: float | None) -> quotas.Rates:
    """Likewise for M3's queue as a whole."""
    async with asyncio.timeout(10):
        while (rates := (await quotas.read_rates(client))[M3_QUEUE]).whole != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return rates


async def test_every_amazon_queue_has_its_operations_rate(client: Client) -> None:
    await quotas.apply_amazon_quotas(client, burst=False)
    await rate_becomes(client, AMAZON_GET_ORDER_QUEUE, 0.5)
    await rate_becomes(client, AMAZON_SEARCH_ORDERS_QUEUE, 0.0056)
    await rate_becomes(client, AMAZON_CONFIRM_SHIPMENT_QUEUE, 2.0)
    assert "0.0056/s" in (await quotas.read_rates(client))[AMAZON_SEARCH_ORDERS_QUEUE].reason

    await quotas.apply_amazon_quotas(client, factor=4)
    await rate_becomes(client, AMAZON_GET_ORDER_QUEUE, 2.0)

    await quotas.apply_amazon_quotas(client, burst=True)
    await rate_becomes(client, AMAZON_GET_ORDER_QUEUE, 3.5)
    await rate_becomes(client, AMAZON_SEARCH_ORDERS_QUEUE, 2.0056)
    await rate_becomes(client, AMAZON_CONFIRM_SHIPMENT_QUEUE, 3.0)


async def test_the_breaker_of_m3_stops_and_lifts(client: Client) -> None:
    await quotas.set_m3_rate(client, 0, "M3 is being upgraded")
    assert (await m3_rate_becomes(client, 0)).reason == "M3 is being upgraded"
    await quotas.set_m3_rate(client, None, "")
    await m3_rate_becomes(client, None)


async def test_a_429_brings_the_queue_down_until_the_bucket_is_full_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(GET_ORDER, rate=8.0, burst=4)
    assert quick.refill == timedelta(seconds=0.5)
    monkeypatch.setitem(quotas.AMAZON_QUEUES, AMAZON_GET_ORDER_QUEUE, quick)
    async with quotas.BurstKeeper(client) as keeper:
        await rate_becomes(client, AMAZON_GET_ORDER_QUEUE, 8.4)
        for _ in range(20):
            keeper.throttled(quick)
        await rate_becomes(client, AMAZON_GET_ORDER_QUEUE, 8.0)
        await rate_becomes(client, AMAZON_GET_ORDER_QUEUE, 8.4)


async def test_a_429_of_an_operation_without_a_queue_changes_nothing(client: Client) -> None:
    (unlimited,) = set(OPERATIONS) - set(quotas.AMAZON_QUEUES.values())
    async with quotas.BurstKeeper(client) as keeper:
        before = await quotas.read_rates(client)
        keeper.throttled(unlimited)
    assert await quotas.read_rates(client) == before


def test_a_burst_is_used_up_in_ten_seconds() -> None:
    assert quotas.burst_rate(SEARCH_ORDERS) == pytest.approx(20 / 10 + 0.0056)
    assert quotas.burst_rate(GET_ORDER) == pytest.approx(30 / 10 + 0.5)
