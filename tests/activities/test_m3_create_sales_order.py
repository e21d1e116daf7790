"""Booking an order in M3: once, whatever is lost, dropped, refused or overtaken on the way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError

from canonical.activity_contracts import SalesOrderResult
from canonical.order import Address, Channel, Order
from tests.activities.m3_bench import (
    BLACK,
    GREEN,
    US,
    Bench,
    WorkerDied,
    amazon_order,
    bench,
    booking,
)

WRITES = (
    "OIS100MI.AddBatchHead",
    "OIS100MI.AddBatchAddress",
    "OIS100MI.AddBatchLine",
    "OIS100MI.AddBatchHeadChg",
    "OIS100MI.Confirm",
)
CALLS = 9
"""Calls of an undisturbed booking; the tests below go one beyond."""


@pytest_asyncio.fixture(scope="module")
async def m3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with bench(tmp_path_factory.mktemp("m3")) as stage:
        yield stage


def mixed(channel: Channel = Channel.MFN) -> Order:
    return amazon_order((GREEN, 2), (BLACK, 1), channel=channel, discount="1.50")


async def assert_one_order(m3: Bench, order: Order, result: SalesOrderResult) -> None:
    """M3 has the order once, complete, with the right value, and nothing left in OIS275."""
    there = await m3.order(order)
    [only] = there["orders"]
    assert only["orno"] == result.orno
    assert [(line["itno"], Decimal(str(line["orqt"]))) for line in only["lines"]] == [  # type: ignore[attr-defined]
        (line.itno, Decimal(line.quantity)) for line in result.lines
    ]
    charges = sorted((c["crid"], Decimal(c["amount"])) for c in only["charges"])  # type: ignore[attr-defined]
    assert charges == [("AMZPRM", Decimal("-1.50")), ("AMZSHP", Decimal("4.99"))]
    assert result.total == order.grand_total == result.expected
    assert [batch["orno"] for batch in there["temporary"] if batch["stat"] != "90"] == []


async def test_an_order_is_booked_with_address_lines_and_charges(m3: Bench) -> None:
    order = mixed()
    result = await m3.run(m3.m3.create_sales_order, booking(order))
    await assert_one_order(m3, order, result)
    assert {line.order_item_id for line in result.lines} == {line.order_item_id for line in order.lines}
    [there] = (await m3.order(order))["orders"]
    assert there["addresses"]["1"]["CUNM"] == "Erika Musterfrau"  # type: ignore[index]
    assert there["ortp"] == "AZM"
    assert {line["whlo"] for line in there["lines"]} == {"MAI"}  # type: ignore[attr-defined]


async def test_net_prices_where_m3_adds_no_vat(m3: Bench) -> None:
    seattle = Address(
        name="Pat Example",
        lines=("12 Orchard Road",),
        city="Seattle",
        state="WA",
        postal_code="98101",
        country="US",
    )
    order = amazon_order((GREEN, 3), channel=Channel.MFN, marketplace_id=US, ship_to=seattle)
    result = await m3.run(m3.m3.create_sales_order, booking(order, cuno="AMZUS"))
    assert result.total == order.grand_total


async def test_booking_again_finds_the_order(m3: Bench) -> None:
    order = mixed()
    first = await m3.run(m3.m3.create_sales_order, booking(order))
    calls = len(m3.wire.calls)
    again = await m3.run(m3.m3.create_sales_order, booking(order))
    assert again == first
    assert len(m3.wire.calls) - calls <= 4
    await assert_one_order(m3, order, again)


async def test_a_buyers_words_travel_in_no_url(m3: Bench) -> None:
    await m3.run(m3.m3.create_sales_order, booking(mixed()))
    urls = " ".join(m3.wire.calls)
    assert "Musterfrau" not in urls
    assert "Lindenstr" not in urls


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize(
    ("action", "when"),
    [
        ("drop", "before"),
        ("drop", "after"),
        ("status_504", "after"),
        ("empty_200", "after"),
        ("html_503", "after"),
        ("status_500", "before"),
        ("status_429", "before"),
        ("nok:XUP0001", "before"),
    ],
)
async def test_a_disturbed_write_leaves_one_order(m3: Bench, operation: str, action: str, when: str) -> None:
    order = mixed()
    await m3.fault(operation, action, when)
    result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order))
    assert await m3.fired() >= 1
    await m3.control.delete("/_control/faults")
    await assert_one_order(m3, order, result)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS + 2))
async def test_a_worker_that_dies_at_any_call_leaves_one_order(tmp_path: Path, call: int, when: str) -> None:
    async with bench(tmp_path) as m3:
        order = mixed()
        m3.wire.dies_at = (call, when)
        died = False
        try:
            await m3.run(m3.m3.create_sales_order, booking(order))
        except WorkerDied:
            died = True
        m3.wire.dies_at = None
        assert died or call > CALLS, "an undisturbed booking takes fewer calls: shorten the range"
        result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order))
        await assert_one_order(m3, order, result)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS + 1))
async def test_an_attempt_overtaken_at_any_call_leaves_one_order(
    tmp_path: Path, call: int, when: str
) -> None:
    """The first attempt stands still, Temporal starts a second one, then the first goes on."""
    async with bench(tmp_path) as m3:
        order = mixed()
        stop = m3.wire.stop(call, when)
        slow = asyncio.create_task(m3.run(m3.m3.create_sales_order, booking(order)))
        await asyncio.wait_for(stop.reached.wait(), 10)
        other = m3.other
        result, _ = await other.until_done(other.m3.create_sales_order, booking(order))
        stop.over.set()
        [zombie] = await asyncio.gather(slow, return_exceptions=True)
        assert isinstance(zombie, ApplicationError) or zombie == result
        assert not isinstance(zombie, ApplicationError) or not zombie.non_retryable, zombie
        await assert_one_order(m3, order, result)


async def test_many_attempts_at_once_make_one_order(m3: Bench) -> None:
    order = mixed()
    attempts = await asyncio.gather(
        *(m3.run(m3.m3.create_sales_order, booking(order)) for _ in range(5)), return_exceptions=True
    )
    held = [each for each in attempts if isinstance(each, ApplicationError) and each.non_retryable]
    assert held == []
    result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order))
    await assert_one_order(m3, order, result)


@pytest.mark.parametrize("lookup", ["export", "by_customer"])
async def test_every_way_of_looking_finds_what_a_dead_worker_left(tmp_path: Path, lookup: str) -> None:
    async with bench(tmp_path, options={"cuor_lookup": lookup}) as m3:
        order = mixed()
        m3.wire.dies_at = (len(m3.wire.calls) + 4, "after")
        with pytest.raises(WorkerDied):
            await m3.run(m3.m3.create_sales_order, booking(order))
        m3.wire.dies_at = None
        result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order))
        await assert_one_order(m3, order, result)
        again = await m3.run(m3.m3.create_sales_order, booking(order))
        assert again == result


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_on_premises(tmp_path: Path, api: str) -> None:
    async with bench(tmp_path, api=api, profile="onprem") as m3:
        order = mixed()
        await m3.fault("OIS100MI.Confirm", "drop", "after")
        result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order))
        await assert_one_order(m3, order, result)


async def test_a_head_left_beside_the_order_is_deleted(m3: Bench) -> None:
    order = mixed()
    first = await m3.run(m3.m3.create_sales_order, booking(order))
    fields = {"CUNO": "AMZDE", "ORTP": "AZM", "CUOR": order.order_id}
    await m3.m3.context.client.execute("OIS100MI", "AddBatchHead", fields)
    again = await m3.run(m3.m3.create_sales_order, booking(order))
    assert again == first
    await assert_one_order(m3, order, again)


async def test_an_order_m3_is_still_making_is_waited_for_and_not_built_again(tmp_path: Path) -> None:
    async with bench(tmp_path, pace=20, options={"busy_wait": 0}) as m3:
        order = mixed()
        for _ in range(3):
            with pytest.raises(ApplicationError) as waiting:
                await m3.run(m3.m3.create_sales_order, booking(order))
            assert waiting.value.type == "m3_not_yet"
            assert waiting.value.next_retry_delay == timedelta(seconds=3)
            assert len((await m3.order(order))["temporary"]) == 1
        await m3.post("advance", seconds=21)
        result = await m3.run(m3.m3.create_sales_order, booking(order))
        await assert_one_order(m3, order, result)


async def test_an_attempt_whose_rival_is_just_being_confirmed_gives_way(tmp_path: Path) -> None:
    """B looks before A's head exists, A looks before B's does, A confirms: B must see it and stop."""
    async with bench(tmp_path, pace=20, options={"busy_wait": 0}) as m3:
        order, other = mixed(), m3.other
        b_adds, b_fills = other.wire.stop(2, "before"), other.wire.stop(3, "before")
        a_confirms = m3.wire.stop(7, "before")
        second = asyncio.create_task(other.run(other.m3.create_sales_order, booking(order)))
        await asyncio.wait_for(b_adds.reached.wait(), 10)
        first = asyncio.create_task(m3.run(m3.m3.create_sales_order, booking(order)))
        await asyncio.wait_for(a_confirms.reached.wait(), 10)
        b_adds.over.set()
        await asyncio.wait_for(b_fills.reached.wait(), 10)
        a_confirms.over.set()
        with pytest.raises(ApplicationError, match="still making"):
            await first
        b_fills.over.set()
        with pytest.raises(ApplicationError, match="gives way"):
            await second
        assert len((await m3.order(order))["temporary"]) == 1
        await m3.post("advance", seconds=21)
        result = await m3.run(m3.m3.create_sales_order, booking(order))
        await assert_one_order(m3, order, result)
