"""SKUs into items, buyers into customers: aliases written once, refusals in words, nothing written twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from canonical import activity_contracts as act
from canonical.customers import buyer_number
from canonical.fixes import MapSku
from canonical.held import HeldReason
from canonical.order import Channel, Order
from canonical.profile import ItemRule
from simulators import assortment
from tests.activities.m3_bench import (
    BLACK,
    BUYER,
    GREEN,
    PER_BUYER,
    UNMAPPED,
    Bench,
    WorkerDied,
    amazon_order,
    bench,
    profile,
    ref,
)

JASMINE = assortment.ITEM_BY_SKU[UNMAPPED]


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as stage:
        yield stage


@pytest_asyncio.fixture
async def per_buyer(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, profiles=(profile(customer=PER_BUYER),)) as stage:
        yield stage


def resolving(order: Order, *chosen: MapSku) -> act.ResolveItemsRequest:
    return act.ResolveItemsRequest(
        ref=ref(order),
        skus=tuple(line.seller_sku for line in order.lines),
        titles={line.seller_sku: line.title for line in order.lines},
        chosen=chosen,
    )


async def aliases(m3: Bench, itno: str) -> list[str]:
    rows = await m3.m3.context.client.execute("MMS025MI", "LstAlias", {"ITNO": itno, "ALWT": "2"})
    return [row["POPN"] for row in rows]


async def test_known_skus_are_resolved_in_two_calls(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 2))
    before = len(m3.wire.calls)
    result = await m3.run(m3.m3.resolve_items, resolving(order))
    assert result.items == {GREEN: "100000-TEA", BLACK: "100017-TEA"}
    assert len(m3.wire.calls) - before == 2


async def test_an_unknown_sku_is_held_with_the_right_item_first(m3: Bench) -> None:
    hold = await m3.held(m3.m3.resolve_items, resolving(amazon_order((GREEN, 1), (UNMAPPED, 1))))
    assert hold.reason is HeldReason.UNMAPPED_SKU
    assert hold.skus == (UNMAPPED,)
    assert hold.candidates[UNMAPPED][0].itno == JASMINE.itno
    assert UNMAPPED in hold.sentence


async def test_a_persons_mapping_is_written_to_m3_for_every_later_order(m3: Bench) -> None:
    order = amazon_order((UNMAPPED, 1))
    chosen = MapSku(sku=UNMAPPED, itno=JASMINE.itno)
    assert (await m3.run(m3.m3.resolve_items, resolving(order, chosen))).items == {UNMAPPED: JASMINE.itno}
    assert (await m3.run(m3.m3.resolve_items, resolving(amazon_order((UNMAPPED, 1))))).items == {
        UNMAPPED: JASMINE.itno
    }
    assert await aliases(m3, JASMINE.itno) == [UNMAPPED]


async def test_a_persons_mapping_replaces_another_items_alias(m3: Bench) -> None:
    order = amazon_order((GREEN, 1))
    chosen = MapSku(sku=GREEN, itno="100017-TEA")
    assert (await m3.run(m3.m3.resolve_items, resolving(order, chosen))).items == {GREEN: "100017-TEA"}
    assert await aliases(m3, "100000-TEA") == []
    assert await aliases(m3, "100017-TEA") == [BLACK, GREEN]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 6))
async def test_a_worker_that_dies_leaves_one_alias(tmp_path: Path, call: int, when: str) -> None:
    async with bench(tmp_path) as m3:
        request = resolving(amazon_order((GREEN, 1)), MapSku(sku=GREEN, itno="100017-TEA"))
        m3.wire.dies_at = (call, when)
        with pytest.raises(WorkerDied):
            await m3.run(m3.m3.resolve_items, request)
        m3.wire.dies_at = None
        assert (await m3.run(m3.m3.resolve_items, request)).items == {GREEN: "100017-TEA"}
        assert sorted([*await aliases(m3, "100000-TEA"), *await aliases(m3, "100017-TEA")]) == [BLACK, GREEN]


@pytest.mark.parametrize("operation", ["MMS025MI.AddAlias", "MMS025MI.DltAlias"])
@pytest.mark.parametrize(("action", "when"), [("drop", "after"), ("drop", "before"), ("status_504", "after")])
async def test_a_disturbed_alias_is_written_once(m3: Bench, operation: str, action: str, when: str) -> None:
    request = resolving(amazon_order((GREEN, 1)), MapSku(sku=GREEN, itno="100017-TEA"))
    await m3.fault(operation, action, when)
    result, failed = await m3.until_done(m3.m3.resolve_items, request)
    assert (result.items, failed) == ({GREEN: "100017-TEA"}, 1)
    assert await aliases(m3, "100017-TEA") == [BLACK, GREEN]


async def test_an_item_chosen_that_does_not_exist(m3: Bench) -> None:
    request = resolving(amazon_order((UNMAPPED, 1)), MapSku(sku=UNMAPPED, itno="NO-SUCH"))
    hold = await m3.held(m3.m3.resolve_items, request)
    assert hold.reason is HeldReason.UNMAPPED_SKU
    assert "NO-SUCH" in hold.sentence


async def test_a_blocked_item_is_held(m3: Bench) -> None:
    hold = await m3.held(m3.m3.resolve_items, resolving(amazon_order(("POT-COPPER-1", 1))))
    assert hold.reason is HeldReason.ITEM_BLOCKED
    assert "status 80" in hold.sentence
    assert hold.skus == ("POT-COPPER-1",)


async def test_a_sku_too_long_for_an_alias_is_mapped_for_the_order_alone(m3: Bench) -> None:
    sku = "A-SELLER-SKU-OF-MORE-THAN-THIRTY-CHARS"
    order = amazon_order((sku, 1))
    assert (await m3.held(m3.m3.resolve_items, resolving(order))).reason is HeldReason.UNMAPPED_SKU
    result = await m3.run(m3.m3.resolve_items, resolving(order, MapSku(sku=sku, itno="100000-TEA")))
    assert result.items == {sku: "100000-TEA"}


async def test_a_rule_of_the_configuration_maps_too(tmp_path: Path) -> None:
    rules = (ItemRule(pattern=r"X-(\d+)", itno=r"\1-TEA"),)
    async with bench(tmp_path, profiles=(profile(item_rules=rules),)) as m3:
        result = await m3.run(m3.m3.resolve_items, resolving(amazon_order(("X-100000", 1))))
        assert result.items == {"X-100000": "100000-TEA"}
        hold = await m3.held(m3.m3.resolve_items, resolving(amazon_order(("X-999999", 1))))
        assert hold.reason is HeldReason.UNMAPPED_SKU


async def test_the_generic_customer_is_checked(m3: Bench) -> None:
    result = await m3.run(m3.m3.ensure_customer, act.EnsureCustomerRequest(order=amazon_order()))
    assert (result.cuno, result.created) == ("AMZDE", False)


@pytest.mark.parametrize(("cuno", "said"), [("AMZOLD", "status 90"), ("NOBODY", "no customer NOBODY")])
async def test_a_customer_that_cannot_take_orders(m3: Bench, cuno: str, said: str) -> None:
    request = act.EnsureCustomerRequest(order=amazon_order(), cuno=cuno)
    hold = await m3.held(m3.m3.ensure_customer, request)
    assert hold.reason is HeldReason.CUSTOMER_UNUSABLE
    assert said in hold.sentence


async def test_each_buyer_gets_one_customer(per_buyer: Bench) -> None:
    m3 = per_buyer
    request = act.EnsureCustomerRequest(order=amazon_order(channel=Channel.MFN))
    first = await m3.run(m3.m3.ensure_customer, request)
    assert first.created
    again = await m3.run(
        m3.m3.ensure_customer, act.EnsureCustomerRequest(order=amazon_order(channel=Channel.MFN))
    )
    assert (again.cuno, again.created) == (first.cuno, False)
    assert "Musterfrau" not in " ".join(m3.wire.calls)


async def test_fba_tells_no_buyer(per_buyer: Bench) -> None:
    m3 = per_buyer
    result = await m3.run(m3.m3.ensure_customer, act.EnsureCustomerRequest(order=amazon_order()))
    assert result.cuno == "AMZDE"


@pytest.mark.parametrize(("action", "when"), [("drop", "after"), ("drop", "before"), ("status_504", "after")])
async def test_a_disturbed_customer_is_created_once(per_buyer: Bench, action: str, when: str) -> None:
    m3 = per_buyer
    request = act.EnsureCustomerRequest(order=amazon_order(channel=Channel.MFN))
    await m3.fault("CRS610MI.Add", action, when)
    result, failed = await m3.until_done(m3.m3.ensure_customer, request)
    assert failed == 1
    assert result.created is (when == "before")


async def test_a_customer_created_with_errors_is_the_addresss_fault(per_buyer: Bench) -> None:
    m3 = per_buyer
    abroad = BUYER.model_copy(update={"country": "KP"})
    request = act.EnsureCustomerRequest(order=amazon_order(channel=Channel.MFN, ship_to=abroad))
    for _ in range(2):
        hold = await m3.held(m3.m3.ensure_customer, request)
        assert hold.reason is HeldReason.ADDRESS_REFUSED
        assert "status 12" in hold.sentence
        assert not any(word in hold.sentence for word in ("Musterfrau", "Lindenstr", "50667"))


async def test_a_buyer_who_writes_himself_in_capitals_is_the_same(per_buyer: Bench) -> None:
    m3 = per_buyer
    first = await m3.run(
        m3.m3.ensure_customer, act.EnsureCustomerRequest(order=amazon_order(channel=Channel.MFN))
    )
    loud = amazon_order(channel=Channel.MFN, ship_to=BUYER.model_copy(update={"name": "ERIKA MUSTERFRAU"}))
    again = await m3.run(m3.m3.ensure_customer, act.EnsureCustomerRequest(order=loud))
    assert (again.cuno, again.created) == (first.cuno, False)


async def test_another_buyer_under_the_same_number_is_not_taken_for_him(per_buyer: Bench) -> None:
    m3 = per_buyer
    order = amazon_order(channel=Channel.MFN)
    number = buyer_number(order.seller_id, BUYER, "AZ")
    somebody = {"CUTM": "AMZTMPL", "CUNO": number, "CUNM": "Hans Anders", "CUA1": "Weg 1", "CSCD": "DE"}
    await m3.m3.context.client.execute("CRS610MI", "Add", somebody)
    hold = await m3.held(m3.m3.ensure_customer, act.EnsureCustomerRequest(order=order))
    assert hold.reason is HeldReason.CUSTOMER_UNUSABLE
    assert number in hold.sentence
    assert "Anders" not in hold.sentence
