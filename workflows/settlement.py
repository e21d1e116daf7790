"""One settlement of Amazon's: read, checked, posted once, read back.

Customer payments pay the orders' open invoices and credit notes in M3 (ARS040), everything else goes to the ledger
(GLS840). Nothing is posted before everything is known and adds up. What M3 has no invoice for is held when the rest
is posted; no difference is plugged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical.fixes import AcceptDifference, MarkStepDone, Retry
from canonical.held import HeldReason, Hold
from canonical.settlement.accounts import CLEARING
from canonical.settlement.models import ZERO, Voucher, VoucherKind
from canonical.settlement_contracts import (
    SETTLEMENT,
    STALE,
    PostedVoucher,
    SettlementInput,
    SettlementResult,
)
from canonical.steps import Step
from workflows import settlement_texts as texts
from workflows.repairable import GivenUp
from workflows.settlement_handlers import SettlementHandlers

T = TypeVar("T")
_NOTHING_TAKEN: Final = frozenset({HeldReason.SETTLEMENT_REFUSED, HeldReason.NOT_CONFIGURED})
"""Reasons after which a voucher may be made anew: nothing of it was posted."""


@workflow.defn(name=SETTLEMENT)
class Settlement(SettlementHandlers):
    """The settlement's whole life. Handlers live in `SettlementHandlers`, calls in `SettlementCalls`."""

    @workflow.init
    def __init__(self, start: SettlementInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, _: SettlementInput) -> SettlementResult:
        """Carry the settlement to its end and say how it ended."""
        state = self._state
        try:
            state.outcome, sentence = await self._carry()
        except (GivenUp, asyncio.CancelledError, ActivityError) as error:
            if isinstance(error, ActivityError) and not is_cancelled_exception(error):
                raise
            state.outcome, sentence = "cancelled", texts.given_up(state)
        self._go(Step.CLOSED, sentence, publish=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return state.view()

    async def _carry(self) -> tuple[str, str]:
        state = self._state
        await self._read()
        if state.unread:
            taken = await self._until_done(Step.READING, self._calls.start_again)
            if taken.refused:
                return "cancelled", taken.sentence
            return "handed_over", f"The report is of settlement {taken.settlement_id}, which has it now."
        payments = state.payments_due
        if payments is not None:
            await self._match()
            await self._pay(payments)
        await self._post()
        if payments is not None:
            await self._settle_the_rest(payments)
        if state.posted:
            await self._verify()
        return "booked", texts.booked(state)

    # --- reading --------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Until the report is read, known and adds up; a report that comes meanwhile takes its place."""
        state = self._state
        while True:
            self._go(Step.READING, "The report is read and summed.")
            heard = state.news
            try:
                got = await self._calls.summarise()
            except ActivityError as error:
                hold = self._hold_of(error, Step.READING)
            else:
                state.booking, state.marketplace_id = got.booking, got.marketplace_id
                if got.booking.postable or state.unread:
                    return
                hold = texts.not_postable(got.booking)
            if await self._held(Step.READING, hold, heard) is None:
                self._take_the_newest()

    def _take_the_newest(self) -> None:
        state = self._state
        newest = next(each for each in reversed(state.others) if state.may_replace(each))
        state.others.remove(newest)
        state.others.append(state.report)
        self._note(f"Report {newest.origin.report_id} takes the place of {state.report.origin.report_id}.")
        state.report = newest

    # --- customer payments ----------------------------------------------------------------------

    async def _match(self) -> None:
        state = self._state
        while True:
            await self._look_up()
            if state.matched.lines or not state.matched.rest_orders or state.accepted:
                return
            fix = await self._held(Step.MATCHING, texts.nothing_matches(state))
            state.accepted = isinstance(fix, AcceptDifference)
            if state.accepted:
                return

    async def _look_up(self) -> None:
        """Match what is not posted yet with what M3 has open now."""
        state = self._state
        self._go(Step.MATCHING, "The invoices of its orders are looked up in M3.")
        state.matches.append(await self._until_done(Step.MATCHING, self._calls.match))
        state.lines_posted = 0

    async def _pay(self, payments: Voucher) -> None:
        """Post what is matched, batch by batch."""
        state = self._state
        while state.lines_posted < state.matched.lines:
            matched = state.matched
            lines = min(matched.batch_lines, matched.lines - state.lines_posted)
            self._go(Step.PAYMENTS, f"M3 gets payment batch {state.payment_batch}, {lines} invoices.")
            try:
                posted: PostedVoucher | None = await self._calls.post_payments(payments)
            except ActivityError as error:
                if _is_stale(error):
                    await self._look_up()
                    continue
                look = partial(self._paid_by_hand, payments)
                posted = await self._named(Step.PAYMENTS, self._hold_of(error, Step.PAYMENTS), look)
            if posted is not None:
                state.posted.append(posted)
                state.lines_posted += lines

    async def _paid_by_hand(self, payments: Voucher, fix: MarkStepDone) -> PostedVoucher:
        """The voucher a person named for a batch; what it must leave on clearing is known where it is the only one."""
        state = self._state
        if state.matched.lines > state.matched.batch_lines:
            raise ApplicationError("It is one batch of several: correct it in ARS040 and retry.")
        return await self._calls.verify_voucher(fix, payments, state.payment_batch, state.matched.pays)

    async def _settle_the_rest(self, payments: Voucher) -> None:
        """What pays nothing in M3: held, looked up again, or posted on account."""
        state = self._state
        while state.matched.rest_orders:
            if state.accepted or state.matched.on_account:
                await self._post_on_account(payments)
                return
            fix = await self._held(Step.MATCHING, texts.without_invoice(state))
            state.accepted = isinstance(fix, AcceptDifference)
            if isinstance(fix, Retry):
                await self._look_up()
                await self._pay(payments)

    async def _post_on_account(self, payments: Voucher) -> None:
        state = self._state
        self._go(Step.POSTING, f"{state.matched.rest} {state.currency} without invoice go on account.")
        while True:
            try:
                posted: PostedVoucher | None = await self._calls.post_on_account(payments)
            except ActivityError as error:
                look = partial(self._on_account_by_hand, payments)
                posted = await self._named(Step.POSTING, self._hold_of(error, Step.POSTING), look)
            if posted is not None:
                state.posted.append(posted)
                state.on_account += state.matched.rest
                return

    async def _on_account_by_hand(self, payments: Voucher, fix: MarkStepDone) -> PostedVoucher:
        found = await self._calls.verify_voucher(fix, payments, "", self._state.matched.rest)
        return found.model_copy(update={"on_account": True, "kind": VoucherKind.LEDGER})

    # --- the ledger -----------------------------------------------------------------------------

    async def _post(self) -> None:
        """Post the ledger vouchers, month by month."""
        state = self._state
        while state.vouchers:
            voucher = state.vouchers[0]
            self._go(Step.POSTING, f"M3 gets the ledger voucher of {voucher.month}.")
            try:
                posted: PostedVoucher | None = await self._calls.post_voucher(voucher)
            except ActivityError as error:
                hold = self._hold_of(error, Step.POSTING)
                posted = await self._named(Step.POSTING, hold, partial(self._posted_by_hand, voucher))
                if posted is None and hold.reason in _NOTHING_TAKEN:
                    await self._make_anew()
            if posted is not None:
                state.posted.append(posted)
                state.numbers_posted.append(voucher.number)

    async def _posted_by_hand(self, voucher: Voucher, fix: MarkStepDone) -> PostedVoucher:
        clearing = (line for line in voucher.lines if line.category == CLEARING)
        expected = sum((line.debit - line.credit for line in clearing), ZERO)
        return await self._calls.verify_voucher(fix, voucher, "", expected)

    async def _make_anew(self) -> None:
        """The vouchers by the configuration of now, as far as that leaves alone what is posted."""
        state = self._state
        try:
            got = await self._calls.summarise()
        except ActivityError as error:
            self._note(f"The vouchers stay as they were: {self._hold_of(error, Step.POSTING).sentence}")
            return
        booking, known = got.booking, state.booking
        if known is None or booking == known:
            return
        posted = [each for each in known.vouchers if each.number in state.numbers_posted]
        kept = all(each in booking.vouchers for each in posted)
        if booking.postable and kept and booking.settlement.payments == known.settlement.payments:
            state.booking = booking
            self._note("The vouchers were made anew by the changed configuration.")
        else:
            self._note(
                "The changed configuration would change what is posted; the vouchers stay as they were."
            )

    # --- the end --------------------------------------------------------------------------------

    async def _verify(self) -> None:
        """Read back what M3 has posted."""
        state = self._state
        while True:
            self._go(Step.VERIFYING, "What M3 has posted is read back.")
            state.verified = await self._until_done(Step.VERIFYING, self._calls.verify)
            if not state.verified.troubles:
                return
            fix = await self._held(Step.VERIFYING, texts.misposted(state))
            if isinstance(fix, AcceptDifference):
                return

    async def _named(
        self, step: Step, hold: Hold, look: Callable[[MarkStepDone], Awaitable[PostedVoucher]]
    ) -> PostedVoucher | None:
        """Hold until M3 has what a person named (`look`), or until the step is to be tried again (None)."""
        while True:
            fix = await self._held(step, hold)
            if not isinstance(fix, MarkStepDone):
                return None
            try:
                return await look(fix)
            except ActivityError as error:
                said = self._hold_of(error, step).sentence
            except ApplicationError as error:
                said = error.message
            self._note(f"{fix.step} {fix.number} was not taken as done: {said}")


def _is_stale(error: ActivityError) -> bool:
    return isinstance(error.cause, ApplicationError) and error.cause.type == STALE
