"""Taking orders back by M3's state, and believing a person only as far as M3 agrees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError

from canonical import activity_contracts as act
from canonical.held import HeldReason
from canonical.order import Channel, Order
from canonical.steps import Step
from tests.activities.m3_bench import (
    BLACK,
    GREEN,
    Bench,
    WorkerDied,
    amazon_order,
    bench,
    booking,
    items_of,
    ref,
)


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[Bench]:
    """At an unhurried pace: an order stays unallocated until the clock is put forward."""
    async with bench(tmp_path, pace=20, options={"busy_wait": 0}) as stage:
        await stage.post("staff", at_work=False)
        yield stage


async def booked(m3: Bench, order: Order) -> act.SalesOrderResult:
    for _ in range(6):
        try:
            return await m3.run(m3.m3.create_sales_order, booking(order))
        except ApplicationError as error:
            if error.type != "m3_not_yet":
                raise
            await m3.post("advance", seconds=5)
    pytest.fail("The order was not created.")


async def picking(m3: Bench, order: Order) -> act.SalesOrderResult:
    result = await booked(m3, order)
    await m3.post("advance", seconds=60)
    return result


async def status_within(m3: Bench, order: Order, seconds: int) -> str:
    """The status of the order's only line as soon as it is no longer 22."""
    status = "22"
    for _ in range(seconds):
        status = str((await m3.order(order))["orders"][0]["lines"][0]["status"])  # type: ignore[index]
        if status != "22":
            break
        await m3.post("advance", seconds=1)
    return status


def cancelling(order: Order, orno: str = "") -> act.CancelSalesOrderRequest:
    return act.CancelSalesOrderRequest(ref=ref(order), orno=orno)


async def live(m3: Bench, order: Order) -> list[object]:
    there = await m3.order(order)
    orders = [each["orno"] for each in there["orders"] if each["stat"] != "90"]
    return [*orders, *(each["orno"] for each in there["temporary"] if each["stat"] != "90")]


async def test_what_m3_never_had_needs_no_deletion(m3: Bench) -> None:
    result = await m3.run(m3.m3.cancel_sales_order, cancelling(amazon_order()))
    assert result.deleted == ()


@pytest.mark.parametrize("known", [True, False])
async def test_an_order_nobody_picks_yet_is_deleted(m3: Bench, known: bool) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 2), channel=Channel.MFN)
    orno = (await booked(m3, order)).orno
    result = await m3.run(m3.m3.cancel_sales_order, cancelling(order, orno if known else ""))
    assert result.deleted == (orno,)
    assert await live(m3, order) == []
    again = await m3.run(m3.m3.cancel_sales_order, cancelling(order, orno))
    assert again.deleted == (orno,)


async def test_an_allocated_order_is_deleted_and_its_stock_free_again(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), channel=Channel.MFN)
    orno = (await booked(m3, order)).orno
    assert await status_within(m3, order, 40) == "33"
    assert (await m3.run(m3.m3.cancel_sales_order, cancelling(order))).deleted == (orno,)


async def test_a_temporary_order_is_deleted(m3: Bench) -> None:
    order = amazon_order((GREEN, 1))
    fields = {"CUNO": "AMZDE", "ORTP": "AZF", "CUOR": order.order_id}
    [head] = await m3.m3.context.client.execute("OIS100MI", "AddBatchHead", fields)
    result = await m3.run(m3.m3.cancel_sales_order, cancelling(order))
    assert result.deleted == (head["ORNO"],)
    assert await live(m3, order) == []


async def test_an_order_being_made_is_waited_for(m3: Bench) -> None:
    order = amazon_order((GREEN, 1))
    with pytest.raises(ApplicationError, match="still making"):
        await m3.run(m3.m3.create_sales_order, booking(order))
    with pytest.raises(ApplicationError) as waiting:
        await m3.run(m3.m3.cancel_sales_order, cancelling(order))
    assert waiting.value.type == "m3_not_yet"
    await m3.post("advance", seconds=21)
    await m3.run(m3.m3.cancel_sales_order, cancelling(order))
    assert await live(m3, order) == []


async def test_an_order_being_picked_is_for_a_person(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), channel=Channel.MFN)
    orno = (await picking(m3, order)).orno
    hold = await m3.held(m3.m3.cancel_sales_order, cancelling(order, orno))
    assert (hold.reason, hold.code) == (HeldReason.CANCELLED_TOO_LATE, "44")
    assert "being picked" in hold.sentence
    assert await live(m3, order) == [orno]


async def test_goods_that_have_left_come_back_as_a_return(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), channel=Channel.MFN)
    orno = (await booked(m3, order)).orno
    await m3.post("ship", orno=orno)
    hold = await m3.held(m3.m3.cancel_sales_order, cancelling(order, orno))
    assert hold.reason is HeldReason.CANCELLED_TOO_LATE
    assert "goods have left" in hold.sentence
    found = await m3.run(m3.m3.verify_step, verifying(order, Step.CANCELLING, orno))
    assert found.left == {order.lines[0].order_item_id: 1}


@pytest.mark.parametrize(("action", "when"), [("drop", "after"), ("drop", "before"), ("status_504", "after")])
async def test_a_disturbed_deletion_is_finished(m3: Bench, action: str, when: str) -> None:
    order = amazon_order((GREEN, 1), channel=Channel.MFN)
    orno = (await booked(m3, order)).orno
    await m3.fault("OIS100MI.DelHead", action, when)
    result, failed = await m3.until_done(m3.m3.cancel_sales_order, cancelling(order, orno))
    assert (result.deleted, failed) == ((orno,), 1)
    assert await live(m3, order) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 6))
async def test_a_worker_that_dies_while_deleting(m3: Bench, call: int, when: str) -> None:
    order = amazon_order((GREEN, 1), channel=Channel.MFN)
    orno = (await booked(m3, order)).orno
    m3.wire.dies_at = (len(m3.wire.calls) + call, when)
    with pytest.raises(WorkerDied):
        await m3.run(m3.m3.cancel_sales_order, cancelling(order, orno))
    m3.wire.dies_at = None
    await m3.run(m3.m3.cancel_sales_order, cancelling(order, orno))
    assert await live(m3, order) == []


async def test_an_m3_that_deletes_no_head_with_lines_is_obeyed(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), (BLACK, 1), channel=Channel.MFN)
    orno = (await booked(m3, order)).orno
    await m3.fault("OIS100MI.DelHead", "nok:OR10001")
    result = await m3.run(m3.m3.cancel_sales_order, cancelling(order, orno))
    assert result.deleted == (orno,)
    assert await live(m3, order) == []


def verifying(order: Order, step: Step, number: str, **more: object) -> act.VerifyStepRequest:
    request = act.VerifyStepRequest(
        ref=ref(order), step=step, number=number, order=order, items=items_of(order)
    )
    return request.model_copy(update=more)


async def test_an_order_entered_by_hand_is_taken_line_by_line(m3: Bench) -> None:
    order = amazon_order((GREEN, 2), (BLACK, 1), channel=Channel.MFN)
    made = await booked(m3, order)
    for items in (items_of(order), {}):
        found = await m3.run(m3.m3.verify_step, verifying(order, Step.SALES_ORDER, made.orno, items=items))
        assert found.sales_order == made


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step.SALES_ORDER, HeldReason.M3_REFUSED),
        (Step.SHIPMENT, HeldReason.SHIPMENT_NOT_REPORTABLE),
        (Step.INVOICE, HeldReason.INVOICE_MISSING),
        (Step.LEDGER, HeldReason.LEDGER_MISMATCH),
        (Step.CANCELLING, HeldReason.CANCELLED_TOO_LATE),
    ],
)
@pytest.mark.parametrize("number", ["1", "no number"])
async def test_a_number_m3_does_not_have_is_not_believed(
    m3: Bench, step: Step, reason: HeldReason, number: str
) -> None:
    order = amazon_order((GREEN, 1))
    made = await booked(m3, order)
    hold = await m3.held(m3.m3.verify_step, verifying(order, step, number, sales_order=made, year="2026"))
    assert hold.reason is reason
    assert f"for Amazon order {order.order_id}" in hold.sentence


async def test_another_orders_number_is_not_believed(m3: Bench) -> None:
    mine, other = amazon_order((GREEN, 1)), amazon_order((GREEN, 1))
    made = await booked(m3, other)
    for step in (Step.SALES_ORDER, Step.CANCELLING):
        hold = await m3.held(m3.m3.verify_step, verifying(mine, step, made.orno))
        assert f"M3 has no order {made.orno} for Amazon order {mine.order_id}." in hold.sentence


async def test_delivery_invoice_and_voucher_are_found_under_their_numbers(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        order = amazon_order((GREEN, 2))
        made = await m3.run(m3.m3.create_sales_order, booking(order))
        items = {line.order_item_id: line.quantity for line in order.lines}
        report = act.ReportGoodsIssueRequest(ref=ref(order), sales_order=made, shipment=1, items=items)
        delivery, _ = await m3.until_done(m3.m3.report_goods_issue, report)
        billing = act.InvoiceDeliveryRequest(ref=ref(order), orno=made.orno, delivery=delivery)
        invoice, _ = await m3.until_done(m3.m3.invoice_delivery, billing)
        posting = act.PostGeneralLedgerRequest(ref=ref(order), invoice=invoice)
        voucher, _ = await m3.until_done(m3.m3.post_general_ledger, posting)
        found = await m3.run(
            m3.m3.verify_step, verifying(order, Step.SHIPMENT, delivery.dlix, sales_order=made)
        )
        assert found.delivery is not None
        assert found.delivery.items == items
        found = await m3.run(
            m3.m3.verify_step, verifying(order, Step.INVOICE, invoice.ivno, sales_order=made)
        )
        assert found.invoice == invoice
        found = await m3.run(m3.m3.verify_step, verifying(order, Step.LEDGER, voucher.vono, invoice=invoice))
        assert found.voucher == voucher


async def test_a_cancellation_done_by_hand_must_show(m3: Bench) -> None:
    order = amazon_order((GREEN, 1), channel=Channel.MFN)
    made = await booked(m3, order)
    request = verifying(order, Step.CANCELLING, made.orno)
    hold = await m3.held(m3.m3.verify_step, request)
    assert "neither deleted nor delivered" in hold.sentence
    await m3.m3.context.client.execute("OIS100MI", "DelHead", {"ORNO": made.orno})
    assert await m3.run(m3.m3.verify_step, request) == act.VerifyStepResult()
    hold = await m3.held(m3.m3.verify_step, verifying(order, Step.SALES_ORDER, made.orno))
    assert "deleted" in hold.sentence
