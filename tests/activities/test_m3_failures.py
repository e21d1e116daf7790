"""How failures leave an activity, when it says that it lives, and what its log lines may hold."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.errors import RetryLater, bounded, failures_as_temporal_knows_them, heartbeating
from activities.m3.errors import Pace
from canonical.activity_contracts import HELD
from canonical.held import HeldReason, held
from canonical.order import Address, Channel
from tests.activities.m3_bench import GREEN, amazon_order, bench, booking


def test_a_hold_is_never_retried_and_carries_its_facts() -> None:
    with pytest.raises(ApplicationError) as caught, failures_as_temporal_knows_them():
        raise held(HeldReason.CREDIT_STOP, "M3 stopped it.", code="STAT 30")
    assert (caught.value.type, caught.value.non_retryable) == (HELD, True)
    assert caught.value.details[0].code == "STAT 30"


def test_a_retry_carries_its_delay_and_whether_it_is_a_fault() -> None:
    with pytest.raises(ApplicationError) as caught, failures_as_temporal_knows_them():
        raise RetryLater("Later.", kind="m3_not_yet", delay=timedelta(seconds=7), expected=True)
    assert not caught.value.non_retryable
    assert caught.value.next_retry_delay == timedelta(seconds=7)
    assert caught.value.category is ApplicationErrorCategory.BENIGN


def test_a_value_that_does_not_validate_is_not_quoted() -> None:
    with pytest.raises(ValidationError) as original:
        Address.model_validate({"name": ["Erika Musterfrau"]})
    with pytest.raises(ApplicationError) as caught, failures_as_temporal_knows_them():
        raise original.value
    assert "Musterfrau" not in caught.value.message
    assert "name" in caught.value.message
    assert caught.value.__cause__ is None


def test_an_error_of_our_own_stays_what_it_is() -> None:
    with pytest.raises(KeyError), failures_as_temporal_knows_them():
        raise KeyError("x")


def test_texts_are_bounded() -> None:
    assert bounded("a\n b   c") == "a b c"
    assert len(bounded("x" * 5000)) == 600


def test_looks_grow_apart() -> None:
    assert [Pace.SOON.delay(n).total_seconds() for n in (1, 2, 4, 5, 99)] == [3, 6, 24, 30, 30]
    assert [Pace.LATER.delay(n).total_seconds() for n in (1, 3, 9, 99)] == [15, 60, 3600, 3600]


async def test_only_what_takes_long_says_that_it_lives() -> None:
    beats = asyncio.Semaphore(0)
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: beats.release()

    async def short() -> None:
        async with heartbeating(timedelta(seconds=30)):
            await asyncio.sleep(0)

    async def long() -> None:
        async with heartbeating(timedelta(milliseconds=1)):
            for _ in range(3):
                await asyncio.wait_for(beats.acquire(), 5)

    await environment.run(short)
    assert beats.locked()
    await environment.run(long)


async def test_log_lines_name_the_call_and_hold_no_values(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        order = amazon_order((GREEN, 1), channel=Channel.MFN)
        with capture_logs() as lines:
            await m3.run(m3.m3.create_sales_order, booking(order))
    calls = [(line["program"], line["transaction"]) for line in lines if line["event"] == "m3 call"]
    assert ("OIS100MI", "AddBatchHead") in calls
    assert ("OIS100MI", "Confirm") in calls
    for word in ("Musterfrau", "Lindenstr", "50667", "555010", "100000-TEA"):
        assert word not in str(lines)
