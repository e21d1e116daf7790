"""A settlement's vouchers read back from the ledger (GLS200MI): what they leave on clearing, and that they balance."""

from decimal import Decimal

from activities.m3.client import TruncatedListError
from activities.m3.programs.ledger import Entry, entries_of_voucher
from activities.m3.steps.settlement_context import SettlementContext, balance_of, sums_of, too_long
from canonical.held import HeldReason, held
from canonical.settlement.models import ZERO
from canonical.settlement_contracts import (
    PostedVoucher,
    SettlementRef,
    VerifiedSettlement,
    VerifySettlementRequest,
    VerifyVoucherRequest,
)


async def verify_settlement(ctx: SettlementContext, request: VerifySettlementRequest) -> VerifiedSettlement:
    """What M3 has posted of the settlement. Differences are told, not raised."""
    accounts = ctx.clearings(request.marketplaces, request.home, request.currency)
    troubles: list[str] = []
    cleared, debits, credits_ = ZERO, ZERO, ZERO
    for voucher in request.vouchers:
        rows = await _rows(ctx, request.ref, voucher.vono, voucher.year, voucher.division)
        if not rows:
            troubles.append(f"M3 does not show voucher {voucher.vono} of {voucher.year}.")
            continue
        debit, credit = sums_of(rows)
        if debit != credit:
            troubles.append(f"Voucher {voucher.vono} has debits of {debit} and credits of {credit}.")
        if not voucher.by_hand and (debit, credit) != (voucher.debit, voucher.credit):
            troubles.append(
                f"Voucher {voucher.vono} has debits of {debit} now; it was posted with {voucher.debit}."
            )
        cleared += balance_of(rows, accounts, request.currency)
        debits += debit
        credits_ += credit
    if cleared != request.expected:
        troubles.append(
            f"The vouchers leave {cleared} {request.currency} on clearing; it should be {request.expected}."
        )
    return VerifiedSettlement(clearing=cleared, debit=debits, credit=credits_, troubles=tuple(troubles))


async def verify_settlement_voucher(ctx: SettlementContext, request: VerifyVoucherRequest) -> PostedVoucher:
    """The voucher a person names. Raises `OrderHeld` (settlement_misposted) where it is not what it should be."""
    division = ctx.division(request.marketplace_id)
    year = request.year or str(request.accounting_date.year)
    if not request.vono.isdecimal():
        raise _not_it(request, f"{request.vono[:20]} is no number of a voucher")
    rows = await _rows(ctx, request.ref, request.vono, year, division)
    if not rows:
        raise _not_it(request, f"M3 has no voucher {request.vono} of {year} in division {division}")
    debit, credit = sums_of(rows)
    cleared = balance_of(
        rows, ctx.clearings(request.marketplaces, request.home, request.currency), request.currency
    )
    _refuse_another(request, debit, credit, cleared)
    return PostedVoucher(
        kind=request.kind,
        key=request.key,
        vono=request.vono,
        year=year,
        division=division,
        accounting_date=request.accounting_date,
        month=request.month,
        debit=debit,
        credit=credit,
        clearing=cleared,
        lines=len(rows),
        by_hand=True,
    )


def _refuse_another(request: VerifyVoucherRequest, debit: Decimal, credit: Decimal, cleared: Decimal) -> None:
    if debit != credit:
        raise _not_it(request, f"voucher {request.vono} has debits of {debit} and credits of {credit}")
    if cleared != request.expected:
        raise _not_it(
            request,
            f"voucher {request.vono} leaves {cleared} {request.currency} on clearing, it should be {request.expected}",
        )


async def _rows(
    ctx: SettlementContext, ref: SettlementRef, vono: str, year: str, division: str
) -> tuple[Entry, ...]:
    try:
        return await entries_of_voucher(ctx.m3.client, vono, year, division)
    except TruncatedListError as error:
        raise too_long(ref, error) from error


def _not_it(request: VerifyVoucherRequest, trouble: str) -> Exception:
    return held(HeldReason.SETTLEMENT_MISPOSTED, f"Settlement {request.ref.subject}: {trouble}.", system="M3")
