"""The calls of a settlement to the outside, each with its queue, patience and summary for the Web UI."""

from decimal import Decimal
from typing import Final

from canonical import settlement_contracts as act
from canonical import settlement_reports as rep
from canonical.fixes import MarkStepDone
from canonical.settlement.models import Voucher
from workflows import policies
from workflows.calls import Calls
from workflows.settlement_state import SettlementState

ON_ACCOUNT_FROM: Final = 61
"""Number of the first ledger voucher of payments without invoice; the months' vouchers count from 1."""
_BEHIND: Final = 4
"""Priority of settlements: behind live orders, before imports of the past."""


class SettlementCalls(Calls):
    """Activities of one settlement, named by `canonical.settlement_contracts`."""

    def __init__(self, state: SettlementState) -> None:
        super().__init__(state.seller_id, _BEHIND)
        self._state = state

    async def summarise(self) -> act.Summarised:
        state = self._state
        request = act.SummariseRequest(ref=state.ref, report=state.report)
        return await self._call(
            act.SUMMARISE_SETTLEMENT, request, act.Summarised, policies.READING, "Read and sum the report"
        )

    async def start_again(self) -> rep.TakenIn:
        """Start the settlement of a report whose id can be read by now."""
        request = rep.StartSettlementRequest(report=self._state.report)
        return await self._call(
            rep.START_SETTLEMENT, request, rep.TakenIn, policies.READING, "Start its settlement"
        )

    async def match(self) -> act.Matched:
        """What is open of the orders in M3: all of them first, later what the matches before left over."""
        state = self._state
        before = state.matches[-1].folder if state.matches and state.batches_posted else ""
        request = act.MatchRequest(
            ref=state.ref,
            report=state.report,
            currency=state.currency,
            marketplace_id=state.marketplace_id,
            home=state.settlement.home,
            number=len(state.matches) + 1,
            before=before,
            posted=state.lines_posted,
        )
        return await self._call(
            act.MATCH_SETTLEMENT, request, act.Matched, policies.M3_SETTLEMENT, "Find its orders' invoices"
        )

    async def post_payments(self, payments: Voucher) -> act.PostedVoucher:
        """The next payment batch of the last matches."""
        state, matched = self._state, self._state.matched
        lines = min(matched.batch_lines, matched.lines - state.lines_posted)
        request = act.PostPaymentsRequest(
            ref=state.ref,
            folder=matched.folder,
            pbid=state.payment_batch,
            first=state.lines_posted,
            lines=lines,
            accounting_date=payments.accounting_date,
            currency=state.currency,
            marketplace_id=state.marketplace_id,
            home=state.settlement.home,
            known=tuple(each.vono for each in state.posted),
        )
        summary = f"Payment batch {request.pbid}: {lines} invoices"
        return await self._call(
            act.POST_SETTLEMENT_PAYMENTS, request, act.PostedVoucher, policies.M3_SETTLEMENT, summary
        )

    async def post_voucher(self, voucher: Voucher) -> act.PostedVoucher:
        state = self._state
        request = act.PostVoucherRequest(
            ref=state.ref,
            voucher=voucher,
            marketplace_id=state.marketplace_id,
            known=tuple(each.vono for each in state.posted),
        )
        summary = f"Ledger voucher of {voucher.month}: {len(voucher.lines)} lines"
        return await self._call(
            act.POST_SETTLEMENT_VOUCHER, request, act.PostedVoucher, policies.M3_SETTLEMENT, summary
        )

    async def post_on_account(self, payments: Voucher) -> act.PostedVoucher:
        state = self._state
        request = act.PostOnAccountRequest(
            ref=state.ref,
            folder=state.matched.folder,
            number=ON_ACCOUNT_FROM,
            accounting_date=payments.accounting_date,
            currency=state.currency,
            marketplace_id=state.marketplace_id,
            home=state.settlement.home,
            known=tuple(each.vono for each in state.posted),
        )
        summary = f"On account: {state.matched.rest_orders} orders without invoice"
        return await self._call(
            act.POST_ON_ACCOUNT, request, act.PostedVoucher, policies.M3_SETTLEMENT, summary
        )

    async def verify(self) -> act.VerifiedSettlement:
        state = self._state
        request = act.VerifySettlementRequest(
            ref=state.ref,
            vouchers=tuple(state.posted),
            currency=state.currency,
            marketplace_id=state.marketplace_id,
            home=state.settlement.home,
            marketplaces=state.marketplaces,
            expected=state.expected,
        )
        return await self._call(
            act.VERIFY_SETTLEMENT,
            request,
            act.VerifiedSettlement,
            policies.M3_SETTLEMENT,
            "Read its vouchers back",
        )

    async def verify_voucher(
        self, fix: MarkStepDone, voucher: Voucher, key: str, expected: Decimal
    ) -> act.PostedVoucher:
        """Look in M3 for the voucher that a person names."""
        state = self._state
        request = act.VerifyVoucherRequest(
            ref=state.ref,
            kind=voucher.kind,
            key=key,
            vono=fix.number,
            year=fix.year,
            accounting_date=voucher.accounting_date,
            currency=state.currency,
            expected=expected,
            marketplace_id=state.marketplace_id,
            home=state.settlement.home,
            marketplaces=state.marketplaces,
            month=voucher.month,
        )
        return await self._call(
            act.VERIFY_SETTLEMENT_VOUCHER,
            request,
            act.PostedVoucher,
            policies.M3_CALL,
            f"Check voucher {fix.number} in M3",
        )
