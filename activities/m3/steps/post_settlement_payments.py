"""Customer payments of a settlement, posted once as a payment batch (ARS040MI), and read back.

At every start receivables are looked at first: whether the first invoice of the batch has a payment whose voucher is
this batch. Then batch, lines and control follow, each of which M3 refuses the second time; so a crash between any two
of them is made good by beginning anew. M3 updates a controlled batch itself.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import Final

from temporalio.exceptions import ApplicationError

from activities.m3.client import BulkResult, TruncatedListError
from activities.m3.errors import MIError, MIErrorKind
from activities.m3.programs.ledger import Entry, entries_of_day, entries_of_voucher, refused_lines
from activities.m3.programs.payments import InvoiceKey, PaymentBatch, open_items, payments_of
from activities.m3.steps.match_settlement import lines_in
from activities.m3.steps.settlement_context import (
    Identity,
    SettlementContext,
    balance_of,
    identity,
    not_posted,
    refusal,
    sums_of,
    too_long,
)
from canonical.settlement.accounts import Account
from canonical.settlement.matching import OrderMatch, Paid
from canonical.settlement.models import ZERO, VoucherKind
from canonical.settlement_contracts import STALE, PostedVoucher, PostPaymentsRequest

_AT_ONCE: Final = 100
"""Lines in one call; what M3 refuses of them is told by their orders."""
_TOLD: Final = 3


async def post_settlement_payments(ctx: SettlementContext, request: PostPaymentsRequest) -> PostedVoucher:
    """The batch's voucher as M3 has posted it, now or before.

    Raises `NotYet` while M3 has not updated the batch; `OrderHeld` (settlement_refused) where M3 does not take it and
    nothing was posted; ApplicationError `STALE` where less is open in M3 than was matched and the batch is empty yet.
    """
    found = await asyncio.to_thread(_slice, ctx, request)
    return await _Paying(ctx, request, found).run()


def _slice(ctx: SettlementContext, request: PostPaymentsRequest) -> list[tuple[OrderMatch, Paid]]:
    lines = lines_in(ctx.archive, request.folder)
    return list(islice(lines, request.first, request.first + request.lines))


class _Paying:
    def __init__(
        self,
        ctx: SettlementContext,
        request: PostPaymentsRequest,
        lines: Sequence[tuple[OrderMatch, Paid]],
    ) -> None:
        self._ctx = ctx
        self._client = ctx.m3.client
        self._request = request
        self._ref = request.ref
        self._lines = lines
        self._division = ctx.division(request.marketplace_id)
        self._about = f"payment batch {request.pbid}"
        self._batch = PaymentBatch(self._client, request.pbid, self._division)
        self._paid = [(paid, self._clearing(match.marketplace)) for match, paid in lines]

    async def run(self) -> PostedVoucher:
        found = await self._look()
        if found is not None:
            return found
        options = self._ctx.options
        try:
            new = await self._batch.add_head(
                options.payment_type, options.bank_account, self._request.accounting_date
            )
        except MIError as error:
            raise refusal(error, self._ref, self._about) from error
        if new:
            await self._refuse_what_is_stale()
        for first in range(0, len(self._paid), _AT_ONCE):
            part = self._paid[first : first + _AT_ONCE]
            answers = await self._batch.add_lines(first + 1, part, self._request.currency)
            wrong = refused_lines(answers)
            if wrong and not new:
                return await self._posted_meanwhile(wrong)
            if wrong:
                raise self._refused(first, answers)
        # Every line was taken, now or before: M3 has not begun to post the batch.
        try:
            await self._batch.control()
        except MIError as error:
            raise refusal(error, self._ref, self._about) from error
        found = await self._ctx.m3.patiently(self._look, self._ctx.patience)
        if found is None:
            raise not_posted(self._ref, self._about)
        return found

    async def _posted_meanwhile(self, wrong: Sequence[BulkResult]) -> PostedVoucher:
        """The batch is there and takes no lines: M3 is updating it, or stopped."""
        found = await self._ctx.m3.patiently(self._look, self._ctx.patience)
        if found is None:
            raise not_posted(self._ref, self._about, wrong[0].error) from wrong[0].error
        return found

    def _refused(self, first: int, answers: Sequence[BulkResult]) -> Exception:
        told: list[str] = []
        error: MIError | None = None
        for place, answer in enumerate(answers):
            if answer.error is not None and answer.error.kind is not MIErrorKind.ALREADY_EXISTS:
                error = error or answer.error
                match, paid = self._lines[first + place]
                told.append(f"order {match.order_id} with invoice {paid.number}")
        if error is None:
            raise RuntimeError("no line was refused")
        more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        return refusal(error, self._ref, f"{self._about}, {', '.join(told[:_TOLD])}{more}")

    async def _refuse_what_is_stale(self) -> None:
        """Nothing is in the batch yet: what was paid by others since the match is matched anew."""
        keys = [_key(paid) for paid, _ in self._paid]
        for (match, paid), item in zip(
            self._lines, await open_items(self._client, keys, self._division), strict=True
        ):
            left = item.left if item is not None else ZERO
            if left * paid.amount <= 0 or abs(left) < abs(paid.amount):
                raise ApplicationError(
                    f"Invoice {paid.number} of Amazon order {match.order_id} has {left} open by now.",
                    type=STALE,
                    non_retryable=True,
                )

    # --- the voucher ----------------------------------------------------------------------------

    async def _look(self) -> PostedVoucher | None:
        """The batch's voucher, told from others by its day and what it books on clearing. An invoice may be paid in
        parts, by several settlements, and batches of one settlement may come to the same."""
        try:
            for vono, year, rows in await self._candidates():
                if (
                    vono not in self._request.known
                    and _by_account(rows, self._accounts, self._request.currency) == self._wanted
                ):
                    return self._told(vono, year, rows)
        except TruncatedListError as error:
            raise too_long(self._ref, error) from error
        return None

    async def _candidates(self) -> list[tuple[str, str, tuple[Entry, ...]]]:
        paid = self._paid[0][0]
        if self._ctx.m3.options.on_premises:
            return await self._of_the_day()
        seen = await payments_of(self._client, _key(paid), self._division)
        day, found = f"{self._request.accounting_date:%Y%m%d}", []
        for each in seen:
            if each.amount == paid.amount and each.day == day:
                rows = await entries_of_voucher(self._client, each.vono, each.year, self._division)
                found.append((each.vono, each.year, rows))
        return found

    async def _of_the_day(self) -> list[tuple[str, str, tuple[Entry, ...]]]:
        """On-premises receivables do not list payments: every voucher of the accounting date is looked at."""
        by_voucher: dict[tuple[str, str], list[Entry]] = {}
        for row in await entries_of_day(self._client, self._request.accounting_date, self._division):
            by_voucher.setdefault((row.vono, row.year), []).append(row)
        return [(vono, year, tuple(rows)) for (vono, year), rows in by_voucher.items()]

    def _told(self, vono: str, year: str, rows: Sequence[Entry]) -> PostedVoucher:
        debit, credit = sums_of(rows)
        return PostedVoucher(
            kind=VoucherKind.PAYMENTS,
            key=self._request.pbid,
            vono=vono,
            year=year,
            division=self._division,
            accounting_date=self._request.accounting_date,
            month=f"{self._request.accounting_date:%Y-%m}",
            debit=debit,
            credit=credit,
            clearing=balance_of(rows, self._accounts, self._request.currency),
            lines=len(rows),
        )

    @property
    def _accounts(self) -> frozenset[Identity]:
        return frozenset(identity(account) for _, account in self._paid)

    @property
    def _wanted(self) -> dict[Identity, Decimal]:
        wanted: dict[Identity, Decimal] = {}
        for paid, account in self._paid:
            wanted[identity(account)] = wanted.get(identity(account), ZERO) + paid.amount
        return wanted

    def _clearing(self, marketplace: str) -> Account:
        return self._ctx.clearing(marketplace, self._request.home, self._request.currency)


def _by_account(
    rows: Sequence[Entry], accounts: frozenset[Identity], currency: str
) -> dict[Identity, Decimal]:
    """What the rows book on each of the accounts; M3 may have gathered the lines of a batch in one row."""
    found: dict[Identity, Decimal] = {}
    for row in rows:
        if (row.account, row.dimensions) in accounts and row.currency == currency:
            found[row.account, row.dimensions] = found.get((row.account, row.dimensions), ZERO) + row.amount
    return found


def _key(paid: Paid) -> InvoiceKey:
    return InvoiceKey(paid.payer, paid.customer, paid.number, paid.year)
