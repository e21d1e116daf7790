"""Cancelled lines of an M3 order that goes on, by M3's state."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from canonical import activity_contracts as act
from canonical.cancellation_contracts import TakeLinesBackRequest
from canonical.held import HeldReason
from canonical.order import Channel, Order
from tests.activities.m3_bench import BLACK, GREEN, Bench, WorkerDied, amazon_order, bench, ref
from tests.activities.test_m3_cancel_and_verify import booked, picking, status_within


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[Bench]:
    """At an unhurried pace: an order stays unallocated until the clock is put forward."""
    async with bench(tmp_path, pace=20, options={"busy_wait": 0}) as stage:
        await stage.post("staff", at_work=False)
        yield stage


def less(order: Order, **quantities: int) -> Order:
    """The order with fewer pieces: a line by its letter, amounts in proportion, shipping kept on the first."""
    names = {"a": 0, "b": 1}
    lines = list(order.lines)
    for name, quantity in quantities.items():
        line = lines[names[name]]
        assert line.amounts is not None
        goods = line.amounts.item * quantity / line.quantity
        extra = line.amounts.shipping if quantity else Decimal(0)
        amounts = line.amounts.model_copy(
            update={"item": goods, "shipping": extra, "total": goods + extra + line.amounts.discount}
        )
        lines[names[name]] = line.model_copy(
            update={"quantity": quantity, "amounts": amounts if quantity else None}
        )
    return order.model_copy(update={"lines": tuple(lines)})


def taking(order: Order, made: act.SalesOrderResult) -> TakeLinesBackRequest:
    return TakeLinesBackRequest(ref=ref(order), order=order, sales_order=made)


async def lines_of(m3: Bench, order: Order) -> list[tuple[int, int, str]]:
    """Line, quantity and status as M3 has them."""
    [found] = (await m3.order(order))["orders"]
    return [(line["ponr"], int(Decimal(line["orqt"])), line["status"]) for line in found["lines"]]  # type: ignore[attr-defined]


async def test_one_line_is_deleted_another_lowered_and_again_nothing_is_left_to_do(m3: Bench) -> None:
    order = amazon_order((GREEN, 3), (BLACK, 2), channel=Channel.MFN)
    made = await booked(m3, order)
    now = less(order, a=1, b=0)
    done = await m3.run(m3.m3.take_lines_back, taking(now, made))
    assert await lines_of(m3, order) == [(1, 1, "22")]
    assert [(line.ponr, line.quantity) for line in done.sales_order.lines] == [("1", 1)]
    assert done.sales_order.total == done.sales_order.expected
    again = await m3.run(m3.m3.take_lines_back, taking(now, made))
    assert again.sales_order == done.sales_order
    assert "done already" in again.sentence


async def test_an_allocated_line_is_lowered_and_its_stock_free_again(m3: Bench) -> None:
    order = amazon_order((GREEN, 3), channel=Channel.MFN)
    made = await booked(m3, order)
    assert await status_within(m3, order, 40) == "33"
    await m3.run(m3.m3.take_lines_back, taking(less(order, a=2), made))
    assert [line[:2] for line in await lines_of(m3, order)] == [(1, 2)]


async def test_a_line_on_a_picking_list_is_for_a_person_and_nothing_is_touched(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 2), channel=Channel.MFN)
    made = await picking(m3, order)
    hold = await m3.held(m3.m3.take_lines_back, taking(less(order, b=0), made))
    assert (hold.reason, hold.code) == (HeldReason.CANCELLED_TOO_LATE, "44")
    assert "is being picked" in hold.sentence
    assert await lines_of(m3, order) == [(1, 1, "44"), (2, 2, "44")]


async def test_what_has_left_is_for_a_person(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 2), channel=Channel.MFN)
    made = await booked(m3, order)
    await m3.post("ship", orno=made.orno)
    hold = await m3.held(m3.m3.take_lines_back, taking(less(order, b=1), made))
    assert hold.reason is HeldReason.CANCELLED_TOO_LATE
    assert "has left" in hold.sentence
    by_hand = taking(less(order, b=1), made).model_copy(update={"by_hand": True, "accept_difference": True})
    done = await m3.run(m3.m3.take_lines_back, by_hand)
    assert done.left == {order.lines[1].order_item_id: 1}
    assert [(line.ponr, line.quantity) for line in done.sales_order.lines] == [("1", 1), ("2", 2)]
    assert await m3.run(m3.m3.take_lines_back, by_hand) == done


async def test_a_warehouse_that_is_quicker_than_the_deletion_is_told_as_that(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 2), channel=Channel.MFN)
    made = await booked(m3, order)
    request = taking(less(order, b=0), made)
    m3.wire.dies_at = (len(m3.wire.calls) + 1, "after")  # it has seen that nothing is being picked
    with pytest.raises(WorkerDied):
        await m3.run(m3.m3.take_lines_back, request)
    m3.wire.dies_at = None
    await m3.post("advance", seconds=60)
    hold = await m3.held(m3.m3.take_lines_back, request)
    assert hold.reason is HeldReason.CANCELLED_TOO_LATE


async def test_a_total_that_is_not_amazons_is_held_until_it_is_accepted(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 2), channel=Channel.MFN)
    made = await booked(m3, order)
    now = less(order, b=0)
    first = now.lines[0]
    assert first.amounts is not None
    dearer = first.amounts.model_copy(
        update={"item": first.amounts.item + 1, "total": first.amounts.total + 1}
    )
    now = now.model_copy(update={"lines": (first.model_copy(update={"amounts": dearer}), now.lines[1])})
    hold = await m3.held(m3.m3.take_lines_back, taking(now, made))
    assert hold.reason is HeldReason.TOTAL_DIFFERS
    accepted = taking(now, made).model_copy(update={"accept_difference": True})
    assert (await m3.run(m3.m3.take_lines_back, accepted)).sales_order.total != made.total


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["ChgLineBatchEnt", "DelLine", "UpdConnCOCharge"])
async def test_a_disturbed_call_is_finished(m3: Bench, operation: str, when: str) -> None:
    order = amazon_order((GREEN, 2), (BLACK, 2), channel=Channel.MFN, shipping="4.00")
    made = await booked(m3, order)
    now = less(order, a=1, b=0)
    first = now.lines[0]
    assert first.amounts is not None
    cheaper = first.amounts.model_copy(
        update={"shipping": Decimal("2.00"), "total": first.amounts.item + Decimal("2.00")}
    )
    now = now.model_copy(update={"lines": (first.model_copy(update={"amounts": cheaper}), now.lines[1])})
    await m3.fault(f"OIS100MI.{operation}", "status_504" if when == "after" else "drop", when)
    done, _ = await m3.until_done(m3.m3.take_lines_back, taking(now, made))
    assert await m3.fired() == 1
    assert [line[:2] for line in await lines_of(m3, order)] == [(1, 1)]
    assert done.sales_order.total == done.sales_order.expected
