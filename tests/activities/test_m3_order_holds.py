"""What holds an order at booking: each refusal of M3 under its reason, with M3's words and no buyer's."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from canonical.held import HeldReason
from canonical.order import Address, Channel, Order
from tests.activities.m3_bench import BLACK, GREEN, Bench, amazon_order, bench, booking


@pytest_asyncio.fixture(scope="module")
async def m3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with bench(tmp_path_factory.mktemp("m3")) as stage:
        yield stage


def mixed(channel: Channel = Channel.MFN) -> Order:
    return amazon_order((GREEN, 2), (BLACK, 1), channel=channel, discount="1.50")


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
    assert [each["orno"] for each in (await m3.order(order))["orders"]] == [result.orno]


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
