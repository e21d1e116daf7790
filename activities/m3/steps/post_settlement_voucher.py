"""A ledger voucher of a settlement, posted once (GLS840MI), and read back (GLS200MI).

At every start the ledger is looked at first: the rows of the accounting date that carry the settlement's id. Then
batch, lines, check and update follow, each of which M3 refuses the second time; so a crash between any two of them is
made good by beginning anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from activities.m3.client import BulkResult, TruncatedListError
from activities.m3.errors import MIError
from activities.m3.programs.ledger import Entry, Interface, dimensions_of, entries_of_day, refused_lines
from activities.m3.steps.match_settlement import left_over
from activities.m3.steps.settlement_context import (
    Identity,
    SettlementContext,
    balance_of,
    not_posted,
    refusal,
    sums_of,
    too_long,
)
from canonical.held import HeldReason, held
from canonical.settlement.accounts import ON_ACCOUNT
from canonical.settlement.models import ZERO, Voucher, VoucherKind, VoucherLine
from canonical.settlement_contracts import PostedVoucher, PostOnAccountRequest, PostVoucherRequest
from canonical.settlement_ids import settlement_voucher_key

_TEXT = 40
_Row = tuple[str, tuple[str, ...], Decimal, str]


async def post_settlement_voucher(
    ctx: SettlementContext, request: PostVoucherRequest, *, on_account: bool = False
) -> PostedVoucher:
    """The voucher as M3 has posted it, now or before.

    Raises `NotYet` while M3 has not posted it; `OrderHeld` (settlement_refused) where M3 does not take it and nothing
    was posted, or has another voucher in its place.
    """
    posted = await _Posting(ctx, request).run()
    return posted.model_copy(update={"on_account": on_account})


async def post_on_account(ctx: SettlementContext, request: PostOnAccountRequest) -> PostedVoucher:
    """What the matches leave over, posted on account: clearing against one line for each order."""
    voucher = on_account_voucher(ctx, request)
    return await post_settlement_voucher(
        ctx,
        PostVoucherRequest(
            ref=request.ref, voucher=voucher, marketplace_id=request.marketplace_id, known=request.known
        ),
        on_account=True,
    )


def on_account_voucher(ctx: SettlementContext, request: PostOnAccountRequest) -> Voucher:
    """The voucher of what the matches leave over. Raises `OrderHeld` (not_configured) without an account for it."""
    subject, currency, home = request.ref.subject, request.currency, request.home
    lines: list[VoucherLine] = []
    cleared: dict[str, VoucherLine] = {}
    for one in left_over(ctx.archive, request.folder):
        place = one.marketplace or home
        account = ctx.plan.find(ON_ACCOUNT, place, currency)
        if account is None:
            raise held(
                HeldReason.NOT_CONFIGURED,
                f"Settlement {subject} has payments without invoice, and settlement.accounts has no on_account for "
                f"{currency} and {place or 'no marketplace'}.",
            )
        lines.append(
            VoucherLine(
                account=account.account,
                dimensions=account.dimensions,
                debit=max(-one.amount, ZERO),
                credit=max(one.amount, ZERO),
                text=f"{subject} {one.order_id}"[:_TEXT],
                category=ON_ACCOUNT,
                marketplace=one.marketplace,
            )
        )
        clearing = ctx.clearing(one.marketplace, home, currency)
        known = cleared.get(str(clearing))
        amount = one.amount + (known.debit - known.credit if known else ZERO)
        cleared[str(clearing)] = VoucherLine(
            account=clearing.account,
            dimensions=clearing.dimensions,
            debit=max(amount, ZERO),
            credit=max(-amount, ZERO),
            text=f"{subject} Payments without invoice"[:_TEXT],
            category="clearing",
            marketplace=one.marketplace,
        )
    both = (*(line for line in cleared.values() if line.debit or line.credit), *lines)
    return Voucher(
        kind=VoucherKind.LEDGER,
        number=request.number,
        month=f"{request.accounting_date:%Y-%m}",
        accounting_date=request.accounting_date,
        currency=currency,
        text=f"Amazon settlement {subject}"[:_TEXT],
        lines=both,
    )


class _Posting:
    def __init__(self, ctx: SettlementContext, request: PostVoucherRequest) -> None:
        self._ctx = ctx
        self._request = request
        self._voucher = request.voucher
        self._ref = request.ref
        self._division = ctx.division(request.marketplace_id)
        self._about = f"ledger voucher {self._voucher.number}"
        self.key = settlement_voucher_key(
            self._ref.subject, self._voucher.number, self._voucher.model_dump_json()
        )
        self._interface = Interface(
            ctx.m3.client,
            ctx.options.interface,
            company=ctx.m3.options.company,
            division=self._division,
        )

    async def run(self) -> PostedVoucher:
        found = await self._look()
        if found is not None:
            return found
        try:
            new = await self._interface.add_head(self.key, self._voucher.text)
            answers = await self._interface.add_lines(self.key, self._voucher)
        except MIError as error:
            raise refusal(error, self._ref, f"{self._about}, batch {self.key}") from error
        wrong = refused_lines(answers)
        if wrong and not new:
            return await self._posted_meanwhile(wrong)
        if wrong and wrong[0].error is not None:
            raise refusal(wrong[0].error, self._ref, f"{self._about}, batch {self.key}") from wrong[0].error
        # Every line was taken, now or before: M3 has not begun to post the batch.
        try:
            await self._interface.check(self.key)
        except MIError as error:
            raise refusal(error, self._ref, f"{self._about}, batch {self.key}") from error
        return await self._update()

    async def _update(self) -> PostedVoucher:
        problem: MIError | None = None
        try:
            await self._interface.update(self.key)
        except MIError as error:
            problem = error
        found = await self._ctx.m3.patiently(self._look, self._ctx.patience)
        if found is None:
            raise not_posted(self._ref, f"{self._about} (batch {self.key})", problem)
        return found

    async def _posted_meanwhile(self, wrong: Sequence[BulkResult]) -> PostedVoucher:
        """The batch is there and takes no lines: it is being posted, or M3 stopped it."""
        found = await self._ctx.m3.patiently(self._look, self._ctx.patience)
        if found is None:
            raise not_posted(self._ref, f"{self._about} (batch {self.key})", wrong[0].error) from wrong[
                0
            ].error
        return found

    async def _look(self) -> PostedVoucher | None:
        """The voucher in the ledger, by the settlement's id in its rows' text."""
        day = self._voucher.accounting_date
        try:
            entries = await entries_of_day(self._ctx.m3.client, day, self._division)
        except TruncatedListError as error:
            raise too_long(self._ref, error) from error
        mine = [each for each in entries if each.text.startswith(f"{self._ref.subject} ")]
        wanted = _wanted(self._voucher)
        for (vono, year), rows in _by_voucher(mine).items():
            if vono in self._request.known:
                continue
            if _found(rows) == wanted:
                return self._told(vono, year, rows)
            if self._same_number(rows):
                raise held(
                    HeldReason.SETTLEMENT_REFUSED,
                    f"M3 has voucher {vono} of {year} for settlement {self._ref.subject} on {day}, and it is not what "
                    f"{self._about} has to be.",
                    system="M3",
                )
        return None

    def _same_number(self, rows: Sequence[Entry]) -> bool:
        """Whether another voucher of the settlement stands where this one belongs: it has rows of the same kind. One
        day may have a month's voucher and those of payments without invoice."""
        texts = {line.text for line in self._voucher.lines}
        return any(each.text in texts for each in rows)

    def _told(self, vono: str, year: str, rows: Sequence[Entry]) -> PostedVoucher:
        debit, credit = sums_of(rows)
        lines = (line for line in self._voucher.lines if line.category == "clearing")
        accounts: frozenset[Identity] = frozenset((line.account, dimensions_of(line)) for line in lines)
        return PostedVoucher(
            kind=VoucherKind.LEDGER,
            key=self.key,
            vono=vono,
            year=year,
            division=self._division,
            accounting_date=self._voucher.accounting_date,
            month=self._voucher.month,
            debit=debit,
            credit=credit,
            clearing=balance_of(rows, accounts, self._voucher.currency),
            lines=len(rows),
        )


def _wanted(voucher: Voucher) -> Counter[_Row]:
    return Counter(
        (line.account, dimensions_of(line), line.debit - line.credit, line.text.strip())
        for line in voucher.lines
    )


def _found(rows: Iterable[Entry]) -> Counter[_Row]:
    return Counter((each.account, each.dimensions, each.amount, each.text) for each in rows)


def _by_voucher(rows: Iterable[Entry]) -> Mapping[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for each in rows:
        found[each.vono, each.year].append(each)
    return found
