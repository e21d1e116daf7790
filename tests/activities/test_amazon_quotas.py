"""Quotas on a real Temporal server: what is set holds, seller by seller; the keeper uses the burst and no more."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.testing import WorkflowEnvironment

from activities.amazon.operations import CANCEL_REPORT, GET_ORDER
from canonical.activity_contracts import (
    AMAZON_CONFIRM_SHIPMENT_QUEUE,
    AMAZON_GET_ORDER_QUEUE,
    AMAZON_SEARCH_ORDERS_QUEUE,
    M3_QUEUE,
)
from canonical.ids import quotas_workflow_id
from canonical.quota_contracts import BOOK, TOLD, QuotaBook, QuotaNews, RateTold, Throttled
from canonical.quota_level import Plan
from tests.support.quota_world import Bucket, QuotaCalls, callers, kept
from tests.support.world import eventually
from worker.connection import DATA_CONVERTER
from worker.quota import keeper, limits
from worker.quota.gauges import QuotaGauges
from worker.quota.news import QuotaTeller

ONE_PARTITION = (
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
A, B = "A2EUSELLER", "A2NASELLER"


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    extra = [part for value in ONE_PARTITION for part in ("--dynamic-config-value", value)]
    server = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
        dev_server_extra_args=extra,
        dev_server_log_level="error",
        data_converter=DATA_CONVERTER,
    )
    async with server:
        yield server.client


async def schedule(client: Client, workflows: str, queue: str, seller_id: str, calls: int) -> None:
    """Put so many calls of a seller into a queue."""
    await client.start_workflow(
        QuotaCalls.run, args=[queue, seller_id, calls], id=str(uuid.uuid4()), task_queue=workflows
    )


async def pace_of(client: Client, queue: str = AMAZON_GET_ORDER_QUEUE) -> float:
    return (await limits.read_queue(client, queue)).per_fairness_key or 0.0


# --- what is set ------------------------------------------------------------------------------------


async def test_the_rate_holds_for_each_seller_by_itself_and_by_its_own_factor(client: Client) -> None:
    await limits.apply_amazon_quotas(client, {A: 1.0, B: 3.0})
    bucket = Bucket(1e6, 1e6)
    async with callers(client, bucket, AMAZON_CONFIRM_SHIPMENT_QUEUE) as workflows:
        await schedule(client, workflows, AMAZON_CONFIRM_SHIPMENT_QUEUE, A, 8)
        await schedule(client, workflows, AMAZON_CONFIRM_SHIPMENT_QUEUE, B, 24)

        async def called() -> int:
            return sum(len(moments) for moments in bucket.moments.values())

        await eventually(called, lambda number: number == 32)
    seconds = {seller: moments[-1] - moments[0] for seller, moments in bucket.moments.items()}
    # 2 and 6 a second, with about one second's worth let through at once.
    assert seconds[A] > (8 - 3) / 2 * 0.95
    assert seconds[B] > (24 - 7) / 6 * 0.95
    assert seconds[B] < 24 / 2 * 0.6


async def test_every_amazon_queue_has_its_operations_rate(client: Client) -> None:
    await limits.apply_amazon_quotas(client, {A: 1.0})
    rates = await limits.read_rates(client)
    expected = {
        queue: Plan(operation.rate, operation.burst).pace for queue, operation in limits.AMAZON_QUEUES.items()
    }
    assert {queue: rates[queue].per_fairness_key for queue in expected} == pytest.approx(expected)
    assert "0.0056/s" in rates[AMAZON_SEARCH_ORDERS_QUEUE].reason

    await limits.apply_amazon_quotas(client, {A: 4.0, B: 8.0})
    rate = (await limits.read_rates(client))[AMAZON_GET_ORDER_QUEUE]
    assert rate.per_fairness_key == pytest.approx(2.0)
    assert rate.weights == {A: 1.0, B: 2.0}


async def test_a_pause_of_either_side_stops_and_lifts(client: Client) -> None:
    await limits.pause_system(client, "m3", "M3 is being upgraded")
    stopped = (await limits.read_rates(client))[M3_QUEUE]
    assert (stopped.whole, stopped.paused) == (0, True)
    assert "M3 is being upgraded" in limits.paused_sentence(stopped)
    assert await limits.is_paused(client, "m3")
    assert not await limits.is_paused(client, "amazon")
    await limits.resume_system(client, "m3", None)
    assert (await limits.read_rates(client))[M3_QUEUE].whole is None
    await limits.pause_system(client, "amazon", "")
    rates = await limits.read_rates(client)
    assert all(rates[queue].paused for queue in limits.AMAZON_QUEUES)
    # Setting the quotas, as a worker or `o2c register` does, is another lever.
    await limits.apply_amazon_quotas(client, {A: 1.0})
    assert await limits.is_paused(client, "amazon")
    await limits.resume_system(client, "amazon", None)
    assert not await limits.is_paused(client, "amazon")


# --- the keeper -------------------------------------------------------------------------------------


async def test_the_keeper_uses_the_burst_and_amazon_refuses_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(GET_ORDER, rate=4.0, burst=60)
    monkeypatch.setitem(limits.AMAZON_QUEUES, AMAZON_GET_ORDER_QUEUE, quick)
    await limits.apply_amazon_quotas(client, {A: 1.0})
    bucket = Bucket(quick.rate, quick.burst)
    async with callers(client, bucket) as workflows, kept(client, {A: 1.0}):
        await eventually(lambda: pace_of(client), lambda pace: pace > 5)
        await schedule(client, workflows, AMAZON_GET_ORDER_QUEUE, A, 200)
        await asyncio.sleep(12)
        calls = len(bucket.moments[A])
        assert bucket.refused == 0
        assert calls > quick.rate * 13 + 6  # beyond the rate and the limiter's own second
        assert await pace_of(client) < 5.6  # and less and less beyond it


async def test_a_429_puts_the_queue_down_at_once_and_the_keeper_knows_the_bucket_is_empty(
    client: Client,
) -> None:
    await limits.apply_amazon_quotas(client, {A: 1.0})
    gauges = QuotaGauges(MetricMeter.noop)
    async with (
        kept(client, {A: 1.0}),
        QuotaTeller(client, {A: 1.0}, gauges, tell_after=0.1) as teller,
    ):
        await eventually(lambda: pace_of(client), lambda pace: pace > 1)
        for _ in range(20):
            teller.ear(A).throttled(GET_ORDER)
        slow = await eventually(lambda: pace_of(client), lambda pace: pace < 0.5)
        assert slow == pytest.approx(0.45)
        handle = client.get_workflow_handle(quotas_workflow_id())
        book = await eventually(
            lambda: handle.query(BOOK, result_type=QuotaBook), lambda book: bool(book.throttled)
        )
        assert book.throttled == {f"getOrder/{A}": 20}


async def test_a_smaller_rate_that_amazon_names_counts_and_a_greater_one_does_not(client: Client) -> None:
    await limits.apply_amazon_quotas(client, {A: 1.0, B: 1.0})
    now = datetime.now(UTC)

    def named(seller: str, operation: str, rate: float) -> RateTold:
        return RateTold(seller_id=seller, operation=operation, rate=rate, at=now)

    async with kept(client, {A: 1.0, B: 1.0}, tick=0.3):
        await client.get_workflow_handle(quotas_workflow_id()).signal(
            TOLD, QuotaNews(rates=(named(A, "getOrder", 0.25), named(B, "confirmShipment", 9.0)))
        )

        async def weights() -> dict[str, float]:
            return dict((await limits.read_queue(client, AMAZON_GET_ORDER_QUEUE)).weights)

        assert await eventually(weights, lambda found: found.get(B) == 2.0) == {A: 1.0, B: 2.0}
        confirm = await limits.read_queue(client, AMAZON_CONFIRM_SHIPMENT_QUEUE)
        assert confirm.weights == {A: 1.0, B: 1.0}


async def test_what_one_keeper_knows_the_next_one_goes_on_from(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await limits.apply_amazon_quotas(client, {A: 1.0})
    async with kept(client, {A: 1.0}, tick=0.3, end=False):
        await eventually(lambda: pace_of(client), lambda pace: pace > 1)
        news = QuotaNews(
            throttled=(Throttled(seller_id=A, operation="getOrder", calls=1, at=datetime.now(UTC)),)
        )
        await client.get_workflow_handle(quotas_workflow_id()).signal(TOLD, news)
        await eventually(lambda: pace_of(client), lambda pace: pace < 0.5)
    # Somebody opens the queue meanwhile; the next keeper knows better.
    await limits.set_pace(client, AMAZON_GET_ORDER_QUEUE, 1.5, "by hand")
    monkeypatch.setattr(keeper, "_STARTING", 1e9)  # as if workers had been there all the time
    async with kept(client, {A: 1.0}, tick=0.3):
        assert await eventually(lambda: pace_of(client), lambda pace: pace < 0.5) == pytest.approx(0.45)


async def test_calls_of_operations_without_a_queue_are_counted_nowhere(client: Client) -> None:
    with capture_logs() as logs:
        async with QuotaTeller(client, {A: 1.0}, QuotaGauges(MetricMeter.noop), tell_after=0) as teller:
            teller.ear(A).called(CANCEL_REPORT)
            teller.ear(A).rate_named(GET_ORDER, 0.5)
        assert logs == []  # nothing to tell; where there is, nobody is there to hear it
        async with QuotaTeller(client, {A: 1.0}, QuotaGauges(MetricMeter.noop), tell_after=0) as teller:
            teller.ear(A).called(GET_ORDER)
    assert [entry["event"] for entry in logs] == ["quota_news_not_told"]
