"""ARS040MI: customer payments in batches. PBID is the caller's and unique; nothing comes back but the control's word.

A batch is entered, controlled, and updated by ARS040 itself: no transaction updates it, and none tells whether it was.
Inferred: the values of the status, what the control finds, that M3 takes no more than is open of an invoice, that a
line without currency is in the invoice's, and where the money is booked: to the account of the line (AIT1) or of the
bank account (BAAN) or of the payment type (BOPE), in this order. Fields for discounts, adjustments and cheques are
refused here: this site has not set them up.
"""

from __future__ import annotations

from decimal import Decimal

from simulators import catalogue
from simulators.m3.chart import (
    BANK_ACCOUNTS,
    CHARGE_TYPES,
    PAYMENT_TYPES,
    check_accounts,
    check_day,
    check_decimals,
    updates_run,
)
from simulators.m3.errors import GENERIC, NOT_AUTHORIZED, RECORD_EXISTS, RECORD_MISSING, NotOk
from simulators.m3.ledger_records import PaymentBatch, PaymentCharge, PaymentLine
from simulators.m3.receivables import Receivable, receivable
from simulators.m3.records import ZERO
from simulators.m3.registry import Call, Row, mi
from simulators.m3.site_tables import RATES_TO_LOCAL
from simulators.m3.world import World

ENTERED, WRONG, CONTROLLED, STOPPED, UPDATED = "10", "15", "20", "85", "90"
_NOT_SET_UP = ("NBCM", "NBAM", "ADAM", "ACDA", "CDDT", "CKNO", "CKST", "VTCD", "VTAM", "BVTM", "ORAT", "VONO")


def _refuse_what_is_not_set_up(call: Call) -> None:
    for name in _NOT_SET_UP:
        if call.text(name).strip("0.") != "":
            raise NotOk(GENERIC, name, f"Field {name} is not in use for payment type and division")
    if call.text("DIVI", catalogue.DIVI) != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")


def _batch(world: World, call: Call) -> PaymentBatch:
    batch = world.payment_batches.get(str(call.integer("PBID")))
    if batch is None:
        raise NotOk(RECORD_MISSING, "PBID")
    return batch


def _changeable(world: World, call: Call) -> PaymentBatch:
    _refuse_what_is_not_set_up(call)
    batch = _batch(world, call)
    if batch.stat not in (ENTERED, WRONG):
        raise NotOk(
            GENERIC, "PBID", f"Batch payment {batch.pbid} has status {batch.stat}, change not allowed"
        )
    return batch


def keep(world: World, batch: PaymentBatch, stat: str, error: str = "") -> None:
    """Note how far the batch is."""
    batch.stat, batch.error = stat, error
    world.payment_batches.put(str(batch.pbid), batch)


@mi("ARS040MI", "AddBatchHead")
def add_head(world: World, call: Call) -> list[Row]:
    """Opens a batch under the caller's number; the same number again is refused, for ever."""
    _refuse_what_is_not_set_up(call)
    pbid = call.integer("PBID")
    if pbid <= 0:
        raise NotOk(GENERIC, "PBID", "Payment batch number must be entered")
    if str(pbid) in world.payment_batches:
        raise NotOk(RECORD_EXISTS, "PBID")
    if call.text("BOPE") not in PAYMENT_TYPES:
        raise NotOk(GENERIC, "BOPE", f"Payment type {call.text('BOPE')} does not exist")
    if call.text("BAAN") and call.text("BAAN") not in BANK_ACCOUNTS:
        raise NotOk(GENERIC, "BAAN", f"Bank account identity {call.text('BAAN')} does not exist")
    acdt = call.text("ACDT") or world.clock.day()
    batch = PaymentBatch(pbid=pbid, bope=call.text("BOPE"), baan=call.text("BAAN"), acdt=acdt)
    keep(world, batch, ENTERED)
    return [{"PBID": str(pbid)}]


@mi("ARS040MI", "AddBatchLine")
def add_line(world: World, call: Call) -> list[Row]:
    """Adds a payment of one invoice, under the caller's line number. Whether the invoice exists, the control tells."""
    batch = _changeable(world, call)
    trno = call.integer("TRNO")
    if str(trno) in batch.lines:
        raise NotOk(RECORD_EXISTS, "TRNO")
    if call.text("CUNO") not in world.customers:
        raise NotOk("WCU0203", "CUNO")
    batch.lines[str(trno)] = PaymentLine(
        trno=trno,
        cuno=call.text("CUNO"),
        pyno=call.text("PYNO"),
        cino=call.text("CINO"),
        inyr=call.integer("INYR"),
        pyam=call.number("PYAM") or ZERO,
        cucd=call.text("CUCD"),
        ait=[call.text(f"AIT{position}") for position in range(1, 8)],
    )
    keep(world, batch, ENTERED)
    return []


@mi("ARS040MI", "AddBatchCharge")
def add_charge(world: World, call: Call) -> list[Row]:
    """Adds a charge that was taken off the money. There is no key: a second one like it is a second one."""
    batch = _changeable(world, call)
    if call.text("CHRI") not in CHARGE_TYPES:
        raise NotOk(GENERIC, "CHRI", f"Charge type {call.text('CHRI')} does not exist")
    amount = call.number("CHAM") or ZERO
    batch.charges.append(PaymentCharge(chri=call.text("CHRI"), amount=amount, cucd=call.text("CUCD")))
    keep(world, batch, ENTERED)
    return []


@mi("ARS040MI", "ControlBatch")
def control(world: World, call: Call) -> list[Row]:
    """Controls the batch. What is right will be updated in a moment; the first thing wrong is the answer."""
    batch = _batch(world, call)
    if call.text("DIVI", catalogue.DIVI) != catalogue.DIVI:
        raise NotOk(NOT_AUTHORIZED, "DIVI")
    if batch.stat not in (ENTERED, WRONG, STOPPED):
        text = f"Batch payment {batch.pbid} has status {batch.stat}, already controlled"
        raise NotOk(GENERIC, "PBID", text)
    try:
        check(world, batch)
    except NotOk as refusal:
        keep(world, batch, WRONG, refusal.text)
        raise
    keep(world, batch, CONTROLLED)
    if updates_run(world):
        world.agenda.later("ar_update", 0.5, 1.5, pbid=str(batch.pbid))
    return []


def check(world: World, batch: PaymentBatch) -> list[tuple[PaymentLine, Receivable]]:
    """The lines with what they pay. NotOk for one that M3 would not post."""
    if not batch.lines:
        raise NotOk(GENERIC, "PBID", f"Batch payment {batch.pbid} has no lines")
    check_day(world, batch.acdt, f"Batch payment {batch.pbid}")
    left: dict[str, Decimal] = {}
    found = []
    for line in sorted(batch.lines.values(), key=lambda each: each.trno):
        item = _item(world, batch, line)
        open_amount = left.get(item.key, item.left)
        _check_amount(line, open_amount)
        left[item.key] = open_amount - line.pyam
        found.append((line, item))
    for charge in batch.charges:
        if charge.cucd and charge.cucd not in RATES_TO_LOCAL:
            raise NotOk(GENERIC, "CUCD", f"Charge: currency {charge.cucd} does not exist")
    return found


def _item(world: World, batch: PaymentBatch, line: PaymentLine) -> Receivable:
    where = f"Line {line.trno}"
    item = receivable(world, line.cuno, line.cino, line.inyr)
    if item is None:
        text = f"{where}: invoice {line.cino} of {line.inyr} does not exist for customer {line.cuno}"
        raise NotOk(RECORD_MISSING, "CINO", text)
    if line.pyno not in ("", item.invoice.cuno):
        raise NotOk("XIM0002", "PYNO", f"{where}: {line.pyno} is not the payer of invoice {line.cino}")
    cucd = line.cucd or item.invoice.cucd
    if cucd != item.invoice.cucd:
        raise NotOk(GENERIC, "CUCD", f"{where}: invoice {line.cino} is in {item.invoice.cucd}, not in {cucd}")
    if line.ait[0]:
        check_accounts(world, line.ait, where)
    elif batch.baan and BANK_ACCOUNTS[batch.baan].currency != cucd:
        text = f"{where}: bank account identity {batch.baan} is not in {cucd}"
        raise NotOk(GENERIC, "CUCD", text)
    check_decimals(line.pyam, cucd, "PYAM", where)
    return item


def _check_amount(line: PaymentLine, left: Decimal) -> None:
    where = f"Line {line.trno}"
    if not line.pyam:
        raise NotOk(GENERIC, "PYAM", f"{where}: payment amount must be entered")
    if not left:
        raise NotOk(GENERIC, "CINO", f"{where}: invoice {line.cino} is already paid")
    if line.pyam * left < 0 or abs(line.pyam) > abs(left):
        text = (
            f"{where}: payment amount {line.pyam:f} exceeds the open amount {left:f} of invoice {line.cino}"
        )
        raise NotOk(GENERIC, "PYAM", text)
