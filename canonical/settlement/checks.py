"""The proofs of a settlement, made before anything is posted. One that differs stops it; nothing is plugged."""

from collections.abc import Iterator
from decimal import Decimal

from canonical.settlement.accounts import CARRIED_FORWARD, CLEARING, AccountPlan
from canonical.settlement.models import (
    ZERO,
    Booking,
    Check,
    CheckName,
    CheckStatus,
    Settlement,
    Voucher,
)
from canonical.settlement.vouchers import vouchers_of


def book(settlement: Settlement, plan: AccountPlan, previous: Settlement | None = None) -> Booking:
    """The settlement's vouchers and checks. `previous` is the settlement before it, where that is known."""
    vouchers = vouchers_of(settlement, plan)
    checks = (
        _total(settlement),
        _known(settlement),
        *(_of_vouchers(settlement, vouchers) if vouchers else ()),
        _withheld(settlement),
        _reserve(settlement, previous),
        _period(settlement, previous),
    )
    return Booking(
        settlement=settlement,
        vouchers=vouchers,
        checks=checks,
        previous_id=previous.header.settlement_id if previous else "",
    )


def _compared(name: CheckName, expected: Decimal, found: Decimal, holds: str, fails: str) -> Check:
    same = expected == found
    return Check(
        name=name,
        status=CheckStatus.OK if same else CheckStatus.DIFFERS,
        sentence=holds if same else fails,
        expected=expected,
        found=found,
    )


def _total(settlement: Settlement) -> Check:
    header, found = settlement.header, settlement.sum_of_rows
    return _compared(
        CheckName.TOTAL,
        header.total,
        found,
        f"The rows add up to the declared total, {header.total} {header.currency}.",
        f"The rows add up to {found} {header.currency}; row {header.row} declares {header.total}. The file lacks "
        f"{settlement.difference} {header.currency}.",
    )


def _known(settlement: Settlement) -> Check:
    first = settlement.unknown[0] if settlement.unknown else None
    return Check(
        name=CheckName.KNOWN,
        status=CheckStatus.DIFFERS if first else CheckStatus.OK,
        sentence=f"Row {first.row}: {first} lacks its {first.missing}."
        if first
        else "Every amount is known.",
    )


def _of_vouchers(settlement: Settlement, vouchers: tuple[Voucher, ...]) -> Iterator[Check]:
    debit = sum((voucher.debit for voucher in vouchers), ZERO)
    credit = sum((voucher.credit for voucher in vouchers), ZERO)
    odd = next((voucher for voucher in vouchers if not voucher.balances), None)
    yield Check(
        name=CheckName.BALANCED,
        status=CheckStatus.DIFFERS if odd else CheckStatus.OK,
        sentence=(
            f"Voucher {odd.number} of {odd.month} has debits of {odd.debit} and credits of {odd.credit}."
            if odd
            else "Every voucher balances."
        ),
        expected=debit,
        found=credit,
    )
    total, currency = settlement.header.total, settlement.header.currency
    deposit = max(total, total - total)
    cleared = _balance(vouchers, CLEARING)
    yield _compared(
        CheckName.CLEARING,
        deposit,
        cleared,
        f"The deposit of {deposit} {currency} brings the clearing account to zero.",
        f"The clearing account is left with {cleared} {currency}, the deposit is {deposit}.",
    )
    carried = _balance(vouchers, CARRIED_FORWARD)
    yield _compared(
        CheckName.CARRIED_FORWARD,
        ZERO,
        carried,
        "What is carried forward is brought back.",
        f"{carried} {currency} stay carried forward.",
    )


def _balance(vouchers: tuple[Voucher, ...], category: str) -> Decimal:
    lines = (line for voucher in vouchers for line in voucher.lines if line.category == category)
    return sum((line.debit - line.credit for line in lines), ZERO)


def _withheld(settlement: Settlement) -> Check:
    tax = settlement.withheld
    said = f"Tax withheld by Amazon nets to zero in {tax.orders} orders."
    if not tax.orders:
        said = "No tax is withheld by Amazon."
    if tax.odd:
        rows = ", ".join(str(row) for row in tax.odd_rows)
        said = f"In {tax.odd} of {tax.orders} orders the tax withheld by Amazon is not the tax collected; rows {rows}."
    return Check(
        name=CheckName.WITHHELD,
        status=CheckStatus.NOTE if tax.odd else CheckStatus.OK,
        sentence=said,
        expected=ZERO,
        found=tax.net,
    )


def _reserve(settlement: Settlement, previous: Settlement | None) -> Check:
    brought = settlement.reserve.previous
    if previous is None:
        said = f"{brought} {settlement.header.currency} of reserve come from the settlement before."
        if not brought:
            said = "No reserve comes from the settlement before."
        return Check(
            name=CheckName.RESERVE,
            status=CheckStatus.OPEN if brought else CheckStatus.OK,
            sentence=said,
            found=brought,
        )
    kept = -previous.reserve.current
    return Check(
        name=CheckName.RESERVE,
        status=CheckStatus.OK if kept == brought else CheckStatus.NOTE,
        sentence=f"Settlement {previous.header.settlement_id} kept back {kept}, this one brings in {brought}.",
        expected=kept,
        found=brought,
    )


def _period(settlement: Settlement, previous: Settlement | None) -> Check:
    first, last = f"{settlement.opens_on:%Y-%m}", f"{settlement.closes_on:%Y-%m}"
    outside = [share for share in settlement.shares if not first <= share.month <= last]
    if outside:
        row = min(share.row for share in outside)
        count = sum(share.count for share in outside)
        said = (
            f"{count} rows, the first is row {row}, are dated in months the settlement does not have; "
            "they are booked in its nearest."
        )
        return Check(name=CheckName.PERIOD, status=CheckStatus.NOTE, sentence=said)
    if previous is not None and previous.header.end != settlement.header.start:
        said = (
            f"It begins {settlement.header.start:%Y-%m-%d %H:%M}, settlement {previous.header.settlement_id} ends "
            f"{previous.header.end:%Y-%m-%d %H:%M}."
        )
        return Check(name=CheckName.PERIOD, status=CheckStatus.NOTE, sentence=said)
    said = f"{settlement.opens_on} to {settlement.closes_on}."
    return Check(name=CheckName.PERIOD, status=CheckStatus.OK, sentence=said)
