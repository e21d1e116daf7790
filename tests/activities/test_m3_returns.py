"""A customer return in M3 is there once, whatever befalls the worker, the wire or a rival on the way."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.m3.returns import M3ReturnActivities
from canonical import activity_contracts as act
from canonical.case_audit import AuditCreditsRequest, CreditsOfOrder
from canonical.held import HeldReason
from canonical.order import Channel, Order
from canonical.return_contracts import (
    CreditReturnRequest,
    FindSoldLineRequest,
    SoldLine,
    TakeReturnRequest,
    VerifyCreditRequest,
)
from canonical.return_models import CaseItem, CaseOrder, Credit, Movement
from tests.activities.m3_bench import GREEN, Bench, WorkerDied, amazon_order, bench, booking, ref

CALLS = 11
"""Requests one return takes, as measured by the first test."""
ROUTES = ("lists", "export")


def activities(m3: Bench) -> M3ReturnActivities:
    return M3ReturnActivities(m3.m3.context)


async def delivered(m3: Bench, quantity: int = 3) -> tuple[Order, SoldLine]:
    """An order whose goods have left and are invoiced."""
    order = amazon_order((GREEN, quantity), channel=Channel.FBA, shipping="0")
    booked = await m3.run(m3.m3.create_sales_order, booking(order))
    request = act.ReportGoodsIssueRequest(
        ref=ref(order), sales_order=booked, shipment=1, items={order.lines[0].order_item_id: quantity}
    )
    await m3.until_done(m3.m3.report_goods_issue, request)
    await m3.post("advance", seconds=60)
    item = CaseItem(
        order_item_id=order.lines[0].order_item_id, quantity=quantity, shipped=quantity, paid=Decimal(1)
    )
    case = CaseOrder(channel=Channel.FBA, marketplace_id=order.marketplace_id, currency="EUR", items=(item,))
    line = await m3.run(
        activities(m3).find_sold_line, FindSoldLineRequest(ref=ref(order), sku=GREEN, order=case)
    )
    m3.wire.calls.clear()
    return order, line


def taking(order: Order, line: SoldLine, **changes: object) -> TakeReturnRequest:
    facts = {
        "ref": ref(order),
        "sku": GREEN,
        "line": line,
        "number": 1,
        "pieces": 2,
        "disposition": "SELLABLE",
        "amount": Decimal("9.99"),
        "currency": "EUR",
        "received": True,
    }
    return TakeReturnRequest.model_validate(facts | changes)


async def assert_one(m3: Bench, order: Order, move: Movement, *, heads: int = 1, spare: int = 0) -> None:
    """Two pieces came back once and are credited once; what a dead attempt left behind moves nothing."""
    await m3.post("advance", seconds=60)
    found = await m3.order(order)
    lines = [line for each in found["returns"] for line in each["lines"]]  # type: ignore[attr-defined]
    assert [line["returned"] for line in lines if line["returned"] != "0"] == ["2"]
    assert len(lines) <= 1 + spare
    assert len(found["returns"]) <= heads
    assert [each["gross"] for each in found["invoices"] if each["dlix"] == 0] == ["-9.99"]
    assert (move.pieces, move.received) == (2, 2)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_return_is_entered_received_and_credited_by_every_way_of_finding_it(
    tmp_path: Path, route: str
) -> None:
    async with bench(tmp_path, options={"cuor_lookup": route}) as m3:
        order, line = await delivered(m3)
        move = await m3.run(activities(m3).take_return, taking(order, line))
        assert len(m3.wire.calls) <= CALLS
        again = await m3.run(activities(m3).take_return, taking(order, line))
        assert again == move
        await assert_one(m3, order, move)
        found = await m3.run(
            activities(m3).credit_return, CreditReturnRequest(ref=ref(order), line=line, movement=move)
        )
        assert ([credit.amount for credit in found.credits], found.pieces) == ([Decimal("9.99")], 2)


async def test_without_a_way_to_find_it_again_no_return_is_entered(tmp_path: Path) -> None:
    async with bench(tmp_path, options={"cuor_lookup": "by_customer"}) as m3:
        order, line = await delivered(m3)
        hold = await m3.held(activities(m3).take_return, taking(order, line))
        assert hold.reason is HeldReason.NOT_CONFIGURED
        assert (await m3.order(order))["returns"] == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS))
async def test_a_worker_that_dies_at_any_call_leaves_one_return(tmp_path: Path, call: int, when: str) -> None:
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        m3.wire.dies_at = (call, when)
        with pytest.raises(WorkerDied):
            await m3.run(activities(m3).take_return, taking(order, line))
        m3.wire.dies_at = None
        move, _ = await m3.until_done(activities(m3).take_return, taking(order, line))
        await assert_one(m3, order, move)


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS))
async def test_an_attempt_overtaken_at_any_call_moves_nothing_twice(
    tmp_path: Path, call: int, when: str
) -> None:
    """The first attempt stands still, Temporal starts a second one, then the first goes on."""
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        stop = m3.wire.stop(call, when)
        slow = asyncio.create_task(m3.run(activities(m3).take_return, taking(order, line)))
        await asyncio.wait_for(stop.reached.wait(), 10)
        other = m3.other
        move, _ = await other.until_done(activities(other).take_return, taking(order, line))
        stop.over.set()
        [late] = await asyncio.gather(slow, return_exceptions=True)
        assert isinstance(late, ApplicationError) or late == move
        await assert_one(m3, order, move, heads=2, spare=1)


async def test_two_returns_of_one_line_have_keys_of_their_own_and_no_more_comes_back_than_left(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        first = await m3.run(activities(m3).take_return, taking(order, line))
        second = await m3.run(
            activities(m3).take_return,
            taking(order, line, number=2, pieces=1, amount=Decimal("5.00"), known=(first.repn,)),
        )
        assert first.repn != second.repn
        hold = await m3.held(activities(m3).take_return, taking(order, line, number=3, pieces=1))
        assert (hold.reason, hold.code) == (HeldReason.RETURN_REFUSED, "CPF9898")
        await m3.post("advance", seconds=60)
        requests = [
            CreditReturnRequest(ref=ref(order), line=line, movement=one, others=(other,))
            for one, other in ((second, first), (first, second))
        ]
        found = [await m3.run(activities(m3).credit_return, request) for request in requests]
        assert [[credit.amount for credit in each.credits] for each in found] == [
            [Decimal("5.00")],
            [Decimal("9.99")],
        ]


@pytest.mark.parametrize("looks", ["at each credit", "when both are made"])
@pytest.mark.parametrize("amount", [Decimal("9.98"), None])
async def test_goods_that_come_in_two_parts_are_credited_with_the_sum_of_both_credits(
    tmp_path: Path, looks: str, amount: Decimal | None
) -> None:
    """The own warehouse receives one piece after the other, and M3 credits each."""
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        move = await m3.run(activities(m3).take_return, taking(order, line, received=False, amount=amount))
        for received in (1, 2):
            await m3.post("receive", cuor=order.order_id)
            await m3.post("advance", seconds=60)
            if received == 2 or looks == "at each credit":
                move = move.model_copy(update={"received": received})
                request = CreditReturnRequest(ref=ref(order), line=line, movement=move, known=move.credits)
                found = await m3.run(activities(m3).credit_return, request)
                assert found.pieces == received
                move = move.with_credits(found.credits, found.pieces)
        made = [each for each in (await m3.order(order))["invoices"] if each["dlix"] == 0]
        assert len(made) == 2
        assert sorted(credit.ivno for credit in move.credits) == sorted(str(each["ivno"]) for each in made)
        assert -move.credited_amount == sum(Decimal(str(each["gross"])) for each in made)
        assert amount in (None, move.credited_amount)


async def test_of_two_returns_each_finds_the_credits_of_its_own_parts(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        request = taking(order, line, received=False, amount=Decimal("9.98"))
        first = await m3.run(activities(m3).take_return, request)
        for _ in range(2):
            await m3.post("receive", cuor=order.order_id)
        second = await m3.run(
            activities(m3).take_return,
            taking(order, line, number=2, pieces=1, amount=Decimal("5.00"), known=(first.repn,)),
        )
        await m3.post("advance", seconds=60)
        first = first.model_copy(update={"received": 2})
        requests = [
            CreditReturnRequest(ref=ref(order), line=line, movement=one, others=(other,))
            for one, other in ((first, second), (second, first))
        ]
        found = [await m3.run(activities(m3).credit_return, request) for request in requests]
        assert [[credit.amount for credit in each.credits] for each in found] == [
            [Decimal("4.99"), Decimal("4.99")],
            [Decimal("5.00")],
        ]


async def test_a_credit_that_is_none_or_stands_for_another_is_not_believed(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        sale = (await m3.order(order))["invoices"][0]
        for number, word in ((str(sale["ivno"]), "is no credit"), ("1", "no invoice"), ("x", "no number")):
            request = VerifyCreditRequest(ref=ref(order), line=line, number=number, year=str(sale["yea4"]))
            assert word in (await m3.held(activities(m3).verify_credit, request)).sentence
        known = (Credit(ivno="1", year="2026", amount=Decimal(1)),)
        request = VerifyCreditRequest(ref=ref(order), line=line, number="1", year="2026", known=known)
        assert "another credit" in (await m3.held(activities(m3).verify_credit, request)).sentence


async def test_the_audit_finds_credits_that_m3_does_not_have_so(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        order, line = await delivered(m3)
        move = await m3.run(activities(m3).take_return, taking(order, line))
        await m3.post("advance", seconds=60)
        request = CreditReturnRequest(ref=ref(order), line=line, movement=move)
        [made] = (await m3.run(activities(m3).credit_return, request)).credits
        other = made.model_copy(update={"amount": made.amount + 1})

        async def missing(*credits_: Credit) -> tuple[tuple[str, str], ...]:
            orders = (CreditsOfOrder(orno=line.orno, credits=credits_),)
            found = await m3.run(activities(m3).audit_credits, AuditCreditsRequest(orders=orders))
            return found.missing

        assert await missing(made) == ()
        assert await missing(made, Credit(ivno="1", year="2026", amount=Decimal(1))) == (("1", "2026"),)
        assert await missing(other) == ((made.ivno, made.year),)
