"""The voucher an invoice makes by itself in M3: waited for, seen to balance and to equal the invoice.

Nothing is posted here: M3's invoice posts to receivables and ledger (FAM OI20); a second posting would book
the revenue twice.
"""

from decimal import Decimal

from activities.m3.context import M3Context
from activities.m3.errors import NotYet, Pace
from activities.m3.programs.invoices import VoucherLine, invoice_heads, voucher_lines, voucher_sums
from canonical.activity_contracts import PostGeneralLedgerRequest
from canonical.held import HeldReason, OrderHeld, held
from canonical.money import Money
from canonical.order import Voucher


async def post_general_ledger(ctx: M3Context, request: PostGeneralLedgerRequest) -> Voucher:
    """The invoice's voucher.

    Raises `NotYet` while M3 has not posted it; `OrderHeld` (ledger_mismatch) where it does not balance or its
    receivable is not the invoice's amount, unless that was accepted.
    """
    vono = await ctx.patiently(lambda: _number(ctx, request), ctx.options.busy_wait)
    if not vono:
        raise NotYet(
            f"M3 has not posted invoice {request.invoice.ivno} of Amazon order {request.ref.order_id} yet.",
            pace=Pace.LATER,
        )
    division = ctx.division(request.ref)
    if not division:
        raise held(
            HeldReason.NOT_CONFIGURED,
            f"No division is configured in which voucher {vono} of Amazon order {request.ref.order_id} could "
            "be read.",
        )
    voucher = await read_voucher(ctx, vono, request.invoice.year, division)
    if voucher is None:
        raise NotYet(f"M3 names voucher {vono} but does not show it in division {division}.", pace=Pace.LATER)
    if not request.accept_difference:
        await _compare(ctx, request, voucher)
    return voucher.model_copy(update={"ivno": request.invoice.ivno})


async def read_voucher(ctx: M3Context, vono: str, year: str, division: str) -> Voucher | None:
    """A voucher with its sums in the division's currency, None where M3 has none under this number."""
    key = (vono, year, division)
    sums = (await voucher_sums(ctx.client, [key])).get(key)
    if sums is None:
        return None
    return Voucher(vono=vono, year=year, division=division, debit=sums.debit, credit=sums.credit)


def books(lines: tuple[VoucherLine, ...], amount: Money) -> bool:
    """Whether one account is debited exactly `amount`: the receivable, whichever account M3 keeps it on."""
    by_account: dict[str, Decimal] = {}
    for line in lines:
        if line.currency == amount.currency:
            by_account[line.account] = by_account.get(line.account, Decimal(0)) + line.amount
    return amount.amount in by_account.values()


async def _number(ctx: M3Context, request: PostGeneralLedgerRequest) -> str | None:
    key = (request.invoice.ivno, request.invoice.year)
    head = (await invoice_heads(ctx.client, [key], ctx.division(request.ref))).get(key)
    return head.vono or None if head else None


async def _compare(ctx: M3Context, request: PostGeneralLedgerRequest, voucher: Voucher) -> None:
    invoice = request.invoice
    if voucher.debit != voucher.credit:
        raise _mismatch(request, voucher, f"does not balance: debit {voucher.debit}, credit {voucher.credit}")
    lines = await voucher_lines(ctx.client, voucher.vono, voucher.year, voucher.division)
    if not books(lines, invoice.amount):
        debit = sum((line.amount for line in lines if line.amount > 0), Decimal(0))
        raise _mismatch(
            request, voucher, f"books {debit} {invoice.amount.currency} and the invoice is {invoice.amount}"
        )


def _mismatch(request: PostGeneralLedgerRequest, voucher: Voucher, trouble: str) -> OrderHeld:
    return held(
        HeldReason.LEDGER_MISMATCH,
        f"Voucher {voucher.vono} ({voucher.year}, division {voucher.division}) of invoice {request.invoice.ivno}, "
        f"Amazon order {request.ref.order_id}, {trouble}.",
        system="M3",
    )
