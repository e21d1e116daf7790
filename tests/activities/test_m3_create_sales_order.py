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
from canonical.held import HeldReason
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
        m3.wire.stops_at = (call, when)
        slow = asyncio.create_task(m3.run(m3.m3.create_sales_order, booking(order)))
        stopping = asyncio.create_task(m3.wire.stopped.wait())
        await asyncio.wait((slow, stopping), return_when=asyncio.FIRST_COMPLETED)
        assert m3.wire.stopped.is_set(), "an undisturbed booking takes fewer calls: shorten the range"
        m3.wire.stops_at = None
        result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order))
        m3.wire.goes_on.set()
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


async def test_a_rejection_is_told_with_m3s_messages_and_rebuilt_on_retry(m3: Bench) -> None:
    order = amazon_order(("CHO-LIQ-12", 1))
    hold = await m3.held(m3.m3.create_sales_order, booking(order))
    assert hold.reason is HeldReason.ORDER_REJECTED
    assert "may not be sold from facility" in hold.sentence
    assert hold.code == "CPF9898"
    assert [batch["stat"] for batch in (await m3.order(order))["temporary"]] == ["25"]
    await m3.post("heal", kind="order_rejected", cuor=order.order_id)
    result = await m3.run(m3.m3.create_sales_order, booking(order))
    there = await m3.order(order)
    assert [each["orno"] for each in there["orders"]] == [result.orno]
    assert [batch["stat"] for batch in there["temporary"]] == ["90"]


async def test_a_transfer_that_was_interrupted_is_held(m3: Bench) -> None:
    order = mixed()
    await m3.post("trouble", kind="interrupted", cuor=order.order_id)
    hold = await m3.held(m3.m3.create_sales_order, booking(order))
    assert hold.reason is HeldReason.ORDER_REJECTED
    assert "55 (interrupted during transfer)" in hold.sentence
    result = await m3.run(m3.m3.create_sales_order, booking(order))
    await assert_one_order(m3, order, result)


async def test_a_credit_stop_stays_until_credit_releases_it(m3: Bench) -> None:
    order = amazon_order(("KET-SMART-17", 1))
    for _ in range(2):
        hold = await m3.held(m3.m3.create_sales_order, booking(order))
        assert hold.reason is HeldReason.CREDIT_STOP
    [stopped] = (await m3.order(order))["temporary"]
    assert stopped["stat"] == "30"
    await m3.post("heal", kind="credit_stop", cuor=order.order_id)
    await m3.run(m3.m3.create_sales_order, booking(order))
    there = await m3.order(order)
    assert [batch["orno"] for batch in there["temporary"]] == [stopped["orno"]]
    assert len(there["orders"]) == 1


async def test_a_credit_stop_gives_way_to_another_customer(m3: Bench) -> None:
    order = amazon_order(("KET-SMART-17", 1))
    await m3.held(m3.m3.create_sales_order, booking(order))
    await m3.post("heal", kind="order_rejected", cuor=order.order_id)  # credit stays stopped
    hold = await m3.held(m3.m3.create_sales_order, booking(order, cuno="AMZFR"))
    assert hold.reason is HeldReason.CREDIT_STOP
    [batch] = (await m3.order(order))["temporary"]
    assert batch["cuno"] == "AMZFR"


async def test_a_total_beyond_tolerance_is_held_and_can_be_accepted(m3: Bench) -> None:
    order = amazon_order(("COF-KONA-250", 1))
    hold = await m3.held(m3.m3.create_sales_order, booking(order))
    assert hold.reason is HeldReason.TOTAL_DIFFERS
    assert "+2.50 EUR" in hold.sentence
    result = await m3.run(m3.m3.create_sales_order, booking(order, accept_difference=True))
    assert result.total.amount - result.expected.amount == Decimal("2.50")
    assert len((await m3.order(order))["orders"]) == 1


async def test_two_orders_in_m3_are_for_a_person(m3: Bench) -> None:
    order = mixed()
    result = await m3.run(m3.m3.create_sales_order, booking(order))
    client = m3.m3.context.client
    [head] = await client.execute(
        "OIS100MI", "AddBatchHead", {"CUNO": "AMZDE", "ORTP": "AZF", "CUOR": order.order_id, "WHLO": "AFE"}
    )
    temporary = {"ORNO": head["ORNO"]}
    await client.execute("OIS100MI", "AddBatchLine", {**temporary, "ITNO": "100000-TEA", "ORQT": "1"})
    await client.execute("OIS100MI", "Confirm", temporary)
    hold = await m3.held(m3.m3.create_sales_order, booking(order))
    assert hold.reason is HeldReason.DUPLICATE_IN_M3
    assert result.orno in hold.sentence


async def test_other_lines_than_amazons_are_held(m3: Bench) -> None:
    order = mixed()
    await m3.run(m3.m3.create_sales_order, booking(order))
    more = order.lines[0].model_copy(update={"quantity": 5})
    changed = order.model_copy(update={"lines": (more, *order.lines[1:])})
    hold = await m3.held(m3.m3.create_sales_order, booking(changed))
    assert hold.reason is HeldReason.TOTAL_DIFFERS
    assert "quantity 2 and Amazon says 5" in hold.sentence


@pytest.mark.parametrize(
    ("sku", "cuno", "reason"),
    [("POT-COPPER-1", "AMZDE", HeldReason.ITEM_BLOCKED), (GREEN, "AMZOLD", HeldReason.CUSTOMER_UNUSABLE)],
)
async def test_a_refusal_names_its_cause_and_leaves_nothing(
    m3: Bench, sku: str, cuno: str, reason: HeldReason
) -> None:
    order = amazon_order((sku, 1))
    hold = await m3.held(m3.m3.create_sales_order, booking(order, cuno=cuno))
    assert hold.reason is reason
    assert hold.system == "M3"
    assert hold.request_id
    assert (await m3.order(order))["temporary"] == []


async def test_a_country_m3_does_not_know_is_the_addresss_fault(m3: Bench) -> None:
    abroad = Address(
        name="Jean Exemple", lines=("Rue 1",), city="Ville", postal_code="1234", country="KP", phone=""
    )
    order = amazon_order((GREEN, 1), channel=Channel.MFN, ship_to=abroad)
    hold = await m3.held(m3.m3.create_sales_order, booking(order))
    assert hold.reason is HeldReason.ADDRESS_REFUSED
    assert hold.field == "CSCD"
    assert "Exemple" not in hold.sentence
    assert (await m3.order(order))["temporary"] == []


async def test_a_marketplace_nobody_configured_is_held(m3: Bench) -> None:
    order = amazon_order((GREEN, 1)).model_copy(update={"marketplace_id": "A1AM78C64UM0Y8"})
    hold = await m3.held(m3.m3.create_sales_order, booking(order))
    assert hold.reason is HeldReason.NOT_CONFIGURED


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
