"""Goods out, invoice, ledger: each told to M3 or read from it once, and held in words where M3 is stuck."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError

from activities.m3.activities import M3Activities
from canonical import activity_contracts as act
from canonical.audit_contracts import AuditM3Request
from canonical.held import HeldReason
from canonical.order import Delivery, Invoice, Order
from tests.activities.m3_bench import (
    BLACK,
    GREEN,
    Bench,
    WorkerDied,
    amazon_order,
    bench,
    booking,
    ref,
)


@pytest_asyncio.fixture(scope="module")
async def m3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with bench(tmp_path_factory.mktemp("m3")) as stage:
        yield stage


async def booked(m3: Bench, order: Order) -> act.SalesOrderResult:
    result, _ = await m3.until_done(m3.m3.create_sales_order, booking(order, accept_difference=True))
    return result


def shipping(
    order: Order, sales_order: act.SalesOrderResult, shipment: int = 1, **quantities: int
) -> act.ReportGoodsIssueRequest:
    items = {line.order_item_id: line.quantity for line in order.lines}
    return act.ReportGoodsIssueRequest(
        ref=ref(order), sales_order=sales_order, shipment=shipment, items=quantities or items
    )


async def shipped(m3: Bench, order: Order) -> tuple[act.SalesOrderResult, Delivery]:
    sales_order = await booked(m3, order)
    delivery, _ = await m3.until_done(m3.m3.report_goods_issue, shipping(order, sales_order))
    return sales_order, delivery


async def invoiced(m3: Bench, order: Order) -> Invoice:
    sales_order, delivery = await shipped(m3, order)
    request = act.InvoiceDeliveryRequest(ref=ref(order), orno=sales_order.orno, delivery=delivery)
    invoice, _ = await m3.until_done(m3.m3.invoice_delivery, request)
    return invoice


async def picked(m3: Bench, order: Order) -> dict[str, Decimal]:
    """What M3 has sent out, by item."""
    there = await m3.order(order)
    gone: dict[str, Decimal] = {}
    for delivery in there["deliveries"]:
        for line in delivery["lines"]:  # type: ignore[attr-defined]
            gone[line["itno"]] = gone.get(line["itno"], Decimal(0)) + Decimal(line["picked"] or "0")
    return gone


async def test_a_shipment_is_reported_once(m3: Bench) -> None:
    order = amazon_order((GREEN, 2), (BLACK, 1))
    sales_order, delivery = await shipped(m3, order)
    assert delivery.items == {line.order_item_id: line.quantity for line in order.lines}
    assert delivery.whlo == "AFE"
    again = await m3.run(m3.m3.report_goods_issue, shipping(order, sales_order))
    assert again.dlix == delivery.dlix
    assert await picked(m3, order) == {"100000-TEA": 2, "100017-TEA": 1}
    assert len((await m3.order(order))["deliveries"]) == 1


@pytest.mark.parametrize(
    ("action", "when"),
    [
        ("drop", "before"),
        ("drop", "after"),
        ("status_504", "after"),
        ("empty_200", "after"),
        ("status_500", "before"),
        ("nok:XUP0001", "before"),
    ],
)
async def test_a_disturbed_report_sends_the_goods_out_once(m3: Bench, action: str, when: str) -> None:
    order = amazon_order((GREEN, 2), (BLACK, 1))
    sales_order = await booked(m3, order)
    await m3.fault("MHS850MI.AddCOPick", action, when)
    delivery, _ = await m3.until_done(m3.m3.report_goods_issue, shipping(order, sales_order))
    assert await m3.fired() == 1
    await m3.control.delete("/_control/faults")
    assert sum(delivery.items.values()) == 3
    assert await picked(m3, order) == {"100000-TEA": 2, "100017-TEA": 1}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 8))
async def test_a_worker_that_dies_sends_the_goods_out_once(tmp_path: Path, call: int, when: str) -> None:
    async with bench(tmp_path) as m3:
        order = amazon_order((GREEN, 2), (BLACK, 1))
        sales_order = await booked(m3, order)
        m3.wire.dies_at = (len(m3.wire.calls) + call, when)
        with pytest.raises(WorkerDied):
            await m3.run(m3.m3.report_goods_issue, shipping(order, sales_order))
        m3.wire.dies_at = None
        delivery, _ = await m3.until_done(m3.m3.report_goods_issue, shipping(order, sales_order))
        assert sum(delivery.items.values()) == 3
        assert await picked(m3, order) == {"100000-TEA": 2, "100017-TEA": 1}


async def test_lines_that_leave_apart_are_told_apart(m3: Bench) -> None:
    """M3 stopped between two lines and closed the picking list: the first line left alone."""
    order = amazon_order((GREEN, 2), (BLACK, 1))
    sales_order = await booked(m3, order)
    first, second = order.lines
    await m3.post("terminate", operation="MHS850MI.AddCOPick", match={"RIDL": "2", "CUOR": order.order_id})
    with pytest.raises(ApplicationError) as stopped:
        await m3.run(m3.m3.report_goods_issue, shipping(order, sales_order))
    assert stopped.value.type == "m3_unavailable"
    await m3.post("advance", seconds=5)
    one = await m3.run(m3.m3.report_goods_issue, shipping(order, sales_order))
    assert one.items == {first.order_item_id: 2}
    rest = shipping(order, sales_order, 2, **{second.order_item_id: 1})
    rest = rest.model_copy(update={"known_deliveries": (one.dlix,)})
    other, _ = await m3.until_done(m3.m3.report_goods_issue, rest)
    assert other.dlix != one.dlix
    assert other.items == {second.order_item_id: 1}
    assert await picked(m3, order) == {"100000-TEA": 2, "100017-TEA": 1}


async def test_a_part_shipment_leaves_the_rest_for_the_next(m3: Bench) -> None:
    order = amazon_order((GREEN, 5))
    sales_order = await booked(m3, order)
    item = order.lines[0].order_item_id
    one, _ = await m3.until_done(m3.m3.report_goods_issue, shipping(order, sales_order, 1, **{item: 2}))
    assert one.items == {item: 2}
    rest = shipping(order, sales_order, 2, **{item: 3})
    rest = rest.model_copy(update={"known_deliveries": (one.dlix,)})
    two, _ = await m3.until_done(m3.m3.report_goods_issue, rest)
    assert (two.items, two.dlix == one.dlix) == ({item: 3}, False)
    assert await picked(m3, order) == {"100000-TEA": 5}


async def test_what_is_not_allocated_cannot_be_reported_yet(m3: Bench) -> None:
    order = amazon_order(("TEA-FIRST-50", 1))
    sales_order = await booked(m3, order)
    context = m3.m3.context
    hasty = M3Activities(context.client, context.profiles, context.options)
    hasty.context = replace(context, sleep=no_pause)
    with pytest.raises(ApplicationError) as waiting:
        await m3.run(hasty.report_goods_issue, shipping(order, sales_order))
    assert waiting.value.type == "m3_not_yet"
    assert not waiting.value.non_retryable
    assert waiting.value.next_retry_delay is not None
    with pytest.raises(ApplicationError) as used_up:
        await m3.run(hasty.report_goods_issue, shipping(order, sales_order), waited=timedelta(minutes=2))
    assert used_up.value.non_retryable
    await m3.post("heal", kind="shipment_not_reportable", cuor=order.order_id)
    delivery, _ = await m3.until_done(m3.m3.report_goods_issue, shipping(order, sales_order))
    assert sum(delivery.items.values()) == 1


async def no_pause(_: float) -> None:
    """The activity's own waits, without waiting."""


async def test_a_partner_nobody_set_up_is_a_matter_of_configuration(tmp_path: Path) -> None:
    async with bench(tmp_path, options={"message_type": "WRONG"}) as m3:
        order = amazon_order((GREEN, 1))
        sales_order = await booked(m3, order)
        hold = await m3.held(m3.m3.report_goods_issue, shipping(order, sales_order))
        assert (hold.reason, hold.code) == (HeldReason.NOT_CONFIGURED, "ED01016")


async def test_a_refused_report_is_told_with_m3s_words(m3: Bench) -> None:
    order = amazon_order((GREEN, 1))
    sales_order = await booked(m3, order)
    stranger = sales_order.model_copy(update={"cuno": "AMZFR"})
    hold = await m3.held(m3.m3.report_goods_issue, shipping(order, stranger))
    assert hold.code == "XIM0002"


async def test_the_invoice_comes_with_amount_and_numbers(m3: Bench) -> None:
    order = amazon_order((GREEN, 2), (BLACK, 1), discount="3.00")
    invoice = await invoiced(m3, order)
    assert invoice.amount == order.grand_total
    [there] = (await m3.order(order))["invoices"]
    assert (invoice.ivno, invoice.year) == (str(there["ivno"]), str(there["yea4"]))


async def test_a_delivery_to_be_approved_is_held_and_goes_on_after_approval(m3: Bench) -> None:
    order = amazon_order(("GFT-WED-48", 1))
    sales_order, delivery = await shipped(m3, order)
    request = act.InvoiceDeliveryRequest(ref=ref(order), orno=sales_order.orno, delivery=delivery)
    hold = await m3.held(m3.m3.invoice_delivery, request)
    assert hold.reason is HeldReason.INVOICE_MISSING
    assert "OIS155" in hold.sentence
    assert hold.code == "ORST 61"
    await m3.post("heal", kind="invoice_missing", cuor=order.order_id)
    invoice, _ = await m3.until_done(m3.m3.invoice_delivery, request)
    assert invoice.amount == order.grand_total


@pytest.mark.parametrize(
    ("action", "when"),
    [("drop", "after"), ("drop", "before"), ("status_504", "after"), ("empty_200", "after")],
)
async def test_an_invoice_is_asked_for_once(tmp_path: Path, action: str, when: str) -> None:
    async with bench(
        tmp_path, options={"trigger_invoice": True}, manual_invoice_types=frozenset({"AZF"})
    ) as m3:
        order = amazon_order((GREEN, 1))
        await m3.fault("OIS350MI.PrtInvoice", action, when)
        invoice = await invoiced(m3, order)
        assert invoice.amount == order.grand_total
        assert len((await m3.order(order))["invoices"]) == 1
        assert len([call for call in m3.wire.calls if "PrtInvoice" in call]) <= 2


async def test_an_invoice_that_nobody_makes_is_waited_for_longer_and_longer(tmp_path: Path) -> None:
    async with bench(tmp_path, options={"busy_wait": 0}, manual_invoice_types=frozenset({"AZF"})) as m3:
        order = amazon_order((GREEN, 1))
        sales_order, delivery = await shipped(m3, order)
        request = act.InvoiceDeliveryRequest(ref=ref(order), orno=sales_order.orno, delivery=delivery)
        delays = []
        for attempt in (1, 4, 20):
            m3.environment.info = replace(m3.environment.info, attempt=attempt)
            with pytest.raises(ApplicationError) as waiting:
                await m3.run(m3.m3.invoice_delivery, request)
            assert waiting.value.type == "m3_not_yet"
            assert "60 (ready for invoicing)" in waiting.value.message
            assert waiting.value.next_retry_delay is not None
            delays.append(waiting.value.next_retry_delay.total_seconds())
        assert delays == [15, 120, 3600]


async def test_the_voucher_balances_and_equals_the_invoice(m3: Bench) -> None:
    order = amazon_order((GREEN, 2), discount="3.00")
    invoice = await invoiced(m3, order)
    request = act.PostGeneralLedgerRequest(ref=ref(order), invoice=invoice)
    voucher, _ = await m3.until_done(m3.m3.post_general_ledger, request)
    assert voucher.debit == voucher.credit > 0
    assert voucher.ivno == invoice.ivno
    assert len((await m3.order(order))["vouchers"]) == 1


async def test_a_voucher_of_another_amount_is_held_and_can_be_accepted(m3: Bench) -> None:
    order = amazon_order(("CUP-GOLD-6", 1))
    invoice = await invoiced(m3, order)
    request = act.PostGeneralLedgerRequest(ref=ref(order), invoice=invoice)
    hold = await m3.held(m3.m3.post_general_ledger, request)
    assert hold.reason is HeldReason.LEDGER_MISMATCH
    assert str(invoice.amount) in hold.sentence
    accepted = request.model_copy(update={"accept_difference": True})
    voucher = await m3.run(m3.m3.post_general_ledger, accepted)
    await m3.post("heal", kind="ledger_mismatch", cuor=order.order_id)
    assert (await m3.run(m3.m3.post_general_ledger, request)).vono == voucher.vono


async def test_the_audit_reads_everything_of_many_orders(m3: Bench) -> None:
    done, open_order, absent = amazon_order((GREEN, 2)), amazon_order((BLACK, 1)), amazon_order((GREEN, 1))
    invoice = await invoiced(m3, done)
    request = act.PostGeneralLedgerRequest(ref=ref(done), invoice=invoice)
    voucher, _ = await m3.until_done(m3.m3.post_general_ledger, request)
    booked_order = await booked(m3, open_order)
    before = len(m3.wire.calls)
    asked = AuditM3Request(order_ids=(done.order_id, open_order.order_id, absent.order_id))
    facts = (await m3.run(m3.m3.audit_m3_orders, asked)).orders
    assert len(m3.wire.calls) - before <= 7
    assert [each.order_id for each in facts] == [done.order_id, open_order.order_id, absent.order_id]
    assert facts[0].total == facts[0].invoiced == invoice.amount.amount
    assert (facts[0].ordered, facts[0].delivered) == (2, 2)
    assert (facts[0].vouchers, facts[0].unbalanced_vouchers) == ((voucher.vono,), ())
    assert facts[0].duplicate_invoices == ()
    assert facts[1].orders == (booked_order.orno,)
    assert (facts[1].delivered, facts[1].invoices) == (0, ())
    assert (facts[2].orders, facts[2].total) == ((), None)
