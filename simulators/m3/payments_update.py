"""The update of batch payments (ARS040, FAM AR40): invoices paid, and the voucher of the money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from simulators.m3.chart import BANK_ACCOUNTS, CHARGE_TYPES, EXCHANGE, PAYMENT_TYPES, RECEIVABLES
from simulators.m3.errors import NotOk
from simulators.m3.ledger import PAYMENT_ENTRY, post
from simulators.m3.ledger_records import Payment, PaymentBatch, PaymentLine, VoucherLine
from simulators.m3.money import rate_of, rounded
from simulators.m3.payments import CONTROLLED, STOPPED, UPDATED, check, keep
from simulators.m3.receivables import Receivable
from simulators.m3.records import ZERO
from simulators.m3.registry import job
from simulators.m3.world import World


@job("ar_update")
def update_due(world: World, args: Mapping[str, str]) -> None:
    """Update a controlled batch. What is no longer right stops it, and nobody outside is told."""
    batch = world.payment_batches.get(args["pbid"])
    if batch is None or batch.stat != CONTROLLED:
        return
    try:
        found = check(world, batch)
    except NotOk as refusal:
        keep(world, batch, STOPPED, refusal.text)
        return
    _update(world, batch, found)


def _update(world: World, batch: PaymentBatch, found: list[tuple[PaymentLine, Receivable]]) -> None:
    paid: list[tuple[Receivable, Decimal, Decimal]] = []
    rows: list[VoucherLine] = []
    left = {item.key: (item.left, item.left_local) for _, item in found}
    for line, item in found:
        cucd, text = item.invoice.cucd, f"Payment {batch.pbid} {line.cino}"
        open_amount, open_local = left[item.key]
        money = rounded(line.pyam * rate_of(cucd))
        local = open_local if line.pyam == open_amount else money
        left[item.key] = (open_amount - line.pyam, open_local - local)
        rows.append(_row(_account(batch, line), line.pyam, money, cucd, text, batch.acdt))
        rows.append(_row([RECEIVABLES], -line.pyam, -local, cucd, text, batch.acdt))
        if money != local:
            rows.append(_row([EXCHANGE], ZERO, local - money, cucd, text, batch.acdt))
        paid.append((item, line.pyam, local))
    rows += _charges(batch, found[0])
    voucher = post(world, PAYMENT_ENTRY, rows)
    for number, (item, amount, local) in enumerate(paid, 1):
        payment = Payment(
            invoice=item.key,
            amount=amount,
            local=local,
            acdt=batch.acdt,
            yea4=voucher.yea4,
            jrno=voucher.jrno,
            jsno=number,
            vser=voucher.vser,
            vono=voucher.vono,
            pbid=batch.pbid,
        )
        world.payments.put(f"{voucher.yea4}/{voucher.jrno}/{number}", payment)
    batch.vono, batch.yea4 = voucher.vono, voucher.yea4
    keep(world, batch, UPDATED)


def _account(batch: PaymentBatch, line: PaymentLine) -> list[str]:
    """Where the money of the line is booked."""
    if line.ait[0]:
        return line.ait
    if batch.baan:
        bank = BANK_ACCOUNTS[batch.baan]
        return [bank.account, bank.country]
    return [PAYMENT_TYPES[batch.bope]]


def _charges(batch: PaymentBatch, first: tuple[PaymentLine, Receivable]) -> list[VoucherLine]:
    """Charges are taken off the money of the first line's account."""
    line, item = first
    rows = []
    for charge in batch.charges:
        cucd = charge.cucd or item.invoice.cucd
        local, text = rounded(charge.amount * rate_of(cucd)), f"Payment {batch.pbid} charge"
        account = [CHARGE_TYPES[charge.chri]]
        rows.append(_row(account, charge.amount, local, cucd, text, batch.acdt))
        rows.append(_row(_account(batch, line), -charge.amount, -local, cucd, text, batch.acdt))
    return rows


def _row(ait: list[str], amount: Decimal, local: Decimal, cucd: str, text: str, acdt: str) -> VoucherLine:
    return VoucherLine(ait=ait, amount=amount, local=local, cucd=cucd, text=text, acdt=acdt)
