"""The vouchers of a settlement. Customer payments make one of their own (ARS040); the rest is one ledger voucher
(GLS840) for each month.

A settlement that crosses the end of a month closes each earlier month against the carried forward account, and the
last month brings it back, so that the clearing account meets the deposit in one entry. The last voucher's clearing
line is what the header declares and the payments do not bring: it balances only if the rows add up to it. Where
Amazon is owed, the clearing account is emptied into the account of `balance_carried_forward`, from which the next
settlement's row `Payable to Amazon` takes it back.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from canonical.settlement.accounts import CARRIED_FORWARD, CLEARING, OWN, RECEIVABLE, Account, AccountPlan
from canonical.settlement.categories import CATEGORIES
from canonical.settlement.models import (
    ZERO,
    CustomerPayment,
    PaymentKind,
    Settlement,
    Share,
    Voucher,
    VoucherKind,
    VoucherLine,
)

_OWED: Final = "balance_carried_forward"
_TEXT: Final = 40
"""VTXT (GLS840MI.AddBatchLineFld)."""


def vouchers_of(settlement: Settlement, plan: AccountPlan) -> tuple[Voucher, ...]:
    """The settlement's vouchers; none where something is unknown or the rows are not the declared total."""
    if settlement.unknown or settlement.difference:
        return ()
    book = _Book(settlement, plan)
    payments = book.payments()
    return (*((payments,) if payments else ()), *book.ledger())


def receivable_lines(
    payments: Iterable[CustomerPayment], settlement: Settlement, plan: AccountPlan
) -> Iterator[VoucherLine]:
    """The line of each customer payment in the voucher M3 makes of them."""
    book = _Book(settlement, plan)
    for payment in payments:
        yield book.line(RECEIVABLE, payment.marketplace, -payment.amount, payment.order_id)


class _Book:
    """The lines of one settlement. An amount is positive where it is a debit."""

    def __init__(self, settlement: Settlement, plan: AccountPlan) -> None:
        self._settlement = settlement
        self._plan = plan
        self._id = settlement.header.settlement_id
        self._currency = settlement.header.currency
        self._last = f"{settlement.closes_on:%Y-%m}"
        self._first = f"{settlement.opens_on:%Y-%m}"
        self._accounts: dict[tuple[str, str], tuple[Account, dict[str, str]]] = {}

    def _account(self, name: str, marketplace: str) -> Account:
        return self._found(name, marketplace)[0]

    def _found(self, name: str, marketplace: str) -> tuple[Account, dict[str, str]]:
        """The account with its dimensions, looked up once."""
        key = name, marketplace
        if key not in self._accounts:
            found = self._plan.account(name, marketplace or self._settlement.home, self._currency)
            self._accounts[key] = found, found.dimensions
        return self._accounts[key]

    def line(self, name: str, marketplace: str, amount: Decimal, text: str = "") -> VoucherLine:
        account, dimensions = self._found(name, marketplace)
        said = text or (CATEGORIES[name].text if name in CATEGORIES else OWN[name])
        return VoucherLine(
            account=account.account,
            dimensions=dimensions,
            debit=max(amount, amount - amount),
            credit=max(-amount, amount - amount),
            text=f"{self._id} {said}"[:_TEXT],
            category=name,
            marketplace=marketplace,
        )

    def _month(self, share: Share) -> str:
        """The month it is booked in: one of the settlement's own."""
        return min(max(share.month, self._first), self._last)

    def payments(self) -> Voucher | None:
        totals = self._settlement.payments
        if not totals:
            return None
        lines = [*self._clearing({total.marketplace: ZERO for total in totals} | self._paid())]
        for total in totals:
            said = f"{total.count} {'payments' if total.kind is PaymentKind.PAYMENT else 'refunds'}"
            lines.append(self.line(RECEIVABLE, total.marketplace, -total.amount, said))
        return self._voucher(VoucherKind.PAYMENTS, 0, self._last, lines)

    def _paid(self) -> dict[str, Decimal]:
        """What the customer payments bring, by marketplace."""
        paid: dict[str, Decimal] = {}
        for total in self._settlement.payments:
            paid[total.marketplace] = paid.get(total.marketplace, ZERO) + total.amount
        return paid

    def _clearing(self, amounts: dict[str, Decimal]) -> Iterator[VoucherLine]:
        """One line for each clearing account the marketplaces have."""
        by_account: dict[Account, tuple[str, Decimal]] = {}
        for marketplace, amount in sorted(amounts.items()):
            account = self._account(CLEARING, marketplace)
            place, sum_ = by_account.get(account, (marketplace, ZERO))
            by_account[account] = place, sum_ + amount
        for place, amount in by_account.values():
            if amount:
                yield self.line(CLEARING, place, amount)

    def ledger(self) -> Iterator[Voucher]:
        months: dict[str, list[Share]] = {}
        for share in self._settlement.shares:
            if not share.customer:
                months.setdefault(self._month(share), []).append(share)
        number, brought = 0, ZERO
        for month in sorted(set(months) - {self._last}):
            shares = months[month]
            carried = sum((share.amount for share in shares), ZERO)
            lines = [*self._booked(shares)]
            if carried:
                lines.append(self.line(CARRIED_FORWARD, "", carried))
            brought += carried
            if lines:
                number += 1
                yield self._voucher(VoucherKind.LEDGER, number, month, lines)
        lines = [*self._booked(months.get(self._last, []))]
        if brought:
            lines.append(self.line(CARRIED_FORWARD, "", -brought, "Brought from last month"))
        lines += self._clearing(self._left(months))
        lines += self._owed()
        if lines:
            yield self._voucher(VoucherKind.LEDGER, number + 1, self._last, lines)

    def _booked(self, shares: Iterable[Share]) -> Iterator[VoucherLine]:
        sums: dict[tuple[str, str], Decimal] = {}
        for share in shares:
            key = share.category, share.marketplace
            sums[key] = sums.get(key, ZERO) + share.amount
        for (category, marketplace), amount in sorted(sums.items()):
            if amount:
                yield self.line(category, marketplace, -amount)

    def _left(self, months: dict[str, list[Share]]) -> dict[str, Decimal]:
        """What the ledger leaves on clearing, by marketplace; the settlement's own has what the header declares
        and nothing else explains."""
        left: dict[str, Decimal] = {}
        for share in (share for shares in months.values() for share in shares):
            left[share.marketplace] = left.get(share.marketplace, ZERO) + share.amount
        own = "" if "" in left or not left else next(iter(sorted(left)))
        others = sum((amount for place, amount in left.items() if place != own), ZERO)
        paid = sum(self._paid().values(), ZERO)
        left[own] = self._settlement.header.total - paid - others
        return left

    def _owed(self) -> Iterator[VoucherLine]:
        total = self._settlement.header.total
        if total < 0:
            yield self.line(CLEARING, "", -total, "Owed to Amazon")
            yield self.line(_OWED, "", total, "Owed to Amazon")

    def _voucher(self, kind: VoucherKind, number: int, month: str, lines: Iterable[VoucherLine]) -> Voucher:
        return Voucher(
            kind=kind,
            number=number,
            month=month,
            accounting_date=self._settlement.closes_on if month == self._last else _last_day(month),
            currency=self._currency,
            text=f"Amazon settlement {self._id}"[:_TEXT],
            lines=tuple(lines),
        )


def _last_day(month: str) -> date:
    year, number = (int(part) for part in month.split("-"))
    return date(year, number, monthrange(year, number)[1])
