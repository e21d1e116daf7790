"""Orders that something goes wrong with, and orders that must not suffer by it."""

import asyncio

from tests.support.orders import ANOTHER, ORDINARY, order, sku_with
from tests.support.stories.ending import Ends
from tests.support.stories.story import Tale, story

_GOOD = Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 25.80", "booked")
_ONE = Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 12.90", "booked")


@story(
    "a poison order beside good ones",
    Ends("SHIPPED 1/1", "nothing", "held unmapped_sku"),
    *(_GOOD,) * 3,
    peers="frappe: aborts with 0 orders; Odoo: blocks the others",
)
async def _poison(tale: Tale) -> None:
    bad = tale.order()
    await bad.ordered(sku_with("unmapped_sku"), status="SHIPPED")
    good = [tale.order() for _ in range(3)]
    for told in good:
        await told.ordered((ORDINARY, 2), status="SHIPPED")
    for told in good:
        await told.closed()
    await bad.held("unmapped_sku")


@story(
    "an unknown SKU is mapped by a person",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 10.00", "booked"),
    peers="frappe: the whole run fails",
)
async def _mapped(tale: Tale) -> None:
    told = tale.order()
    await told.ordered("STORY-UNKNOWN-1", status="SHIPPED")
    await told.held("unmapped_sku")
    await told.repaired("map_sku", sku="STORY-UNKNOWN-1", itno="100000-TEA")
    await told.closed()


@story(
    "the same order by three ways in at once",
    _ONE,
    peers="frappe's hourly run and its button: duplicates",
)
async def _three_ways(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, status="SHIPPED", told=False)
    await asyncio.gather(told.told(noted=True), told.notified(), told.told_by_id())
    await told.closed()


@story(
    "M3 makes the order and its answer is lost",
    _ONE,
    peers="a second order",
)
async def _lost_order(tale: Tale) -> None:
    told = tale.order()
    body = order(ORDINARY, status="SHIPPED")
    told.order_id = str(body["orderId"])
    what = "makes the temporary order, the answer is lost (504)"
    await told.fault(tale.world.m3, "OIS100MI.AddBatchHead", "status_504", what)
    await told.placed(body)
    await told.closed()


@story("M3 takes the goods report and its answer is lost", _ONE, peers="the goods are issued twice")
async def _lost_report(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY)
    await told.waits()
    what = "takes the goods report, the answer is lost (504)"
    orno = (await told.view()).orno
    await told.fault(tale.world.m3, "MHS850MI.AddCOPick", "status_504", what, RIDN=orno)
    await told.amazon_ships()
    await told.closed()


@story(
    "the invoice waits for approval",
    Ends("SHIPPED 1/1", "66 1/1, 1 delivery", "held invoice_missing"),
)
async def _no_invoice(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(sku_with("invoice_missing"), status="SHIPPED")
    await told.held("invoice_missing")


@story(
    "the invoice is approved, the order goes on",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 79.00", "booked"),
)
async def _approved(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(sku_with("invoice_missing"), status="SHIPPED")
    await told.held("invoice_missing")
    await told.healed("invoice_missing", "the delivery is approved in OIS155")
    await told.repaired("retry")
    await told.closed()


@story(
    "the voucher says another amount until it is corrected",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 64.50", "booked"),
)
async def _voucher(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(sku_with("ledger_mismatch"), status="SHIPPED")
    await told.held("ledger_mismatch")
    await told.healed("ledger_mismatch", "the voucher is corrected")
    await told.repaired("retry")
    await told.closed()


@story(
    "M3's total differs, a person accepts it",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 37.40", "booked"),
    peers="ledoent books the rest to income",
)
async def _total(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(sku_with("total_differs"), status="SHIPPED")
    await told.held("total_differs")
    await told.repaired("accept_difference")
    await told.closed()


@story(
    "credit stop, released in M3",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 149.00", "booked"),
)
async def _credit_stop(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(sku_with("credit_stop"), status="SHIPPED")
    await told.held("credit_stop")
    await told.healed("credit_stop", "the credit department releases the order")
    await told.repaired("retry")
    await told.closed()


@story(
    "a blocked item, another one is sent instead",
    Ends("SHIPPED 1/1 1/1", "77 1/1 77 1/1, 1 delivery, 1 invoice 115.80", "booked"),
)
async def _blocked(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(sku_with("item_blocked"), ANOTHER, status="SHIPPED")
    await told.held("item_blocked")
    await told.repaired("map_sku", sku=sku_with("item_blocked"), itno="100255-POT")
    await told.closed()
