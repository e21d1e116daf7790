"""Cancellation of an order: whole or in part, by Amazon, by the buyer's request or by an operator.

What M3 has is taken back as far as its state allows; what it does not allow is held for a person. Each
cancellation stays on the order, with what became of it.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Final

from temporalio import workflow

from canonical.activity_contracts import CancelSalesOrderResult
from canonical.cancellation_contracts import TakeLinesBackResult
from canonical.cancellations import (
    Cancellation,
    CancelledBy,
    Settled,
    answer_until,
    asked_for,
    is_all_of,
    named_pieces,
)
from canonical.fixes import AcceptCancellation, Fix, MarkStepDone
from canonical.held import FixName, HeldReason, Hold
from canonical.order import Channel, Order, OrderStatus
from canonical.order_contracts import OrderResult
from canonical.shipments import fulfilled_quantities
from canonical.steps import Step
from workflows.order_notified import OrderNotified
from workflows.repairable import GivenUp, takes

_ASKS_THE_OPERATOR: Final = "asks-the-operator"
"""Patch: orders under way before a buyer's request for cancellation was a task."""


@takes(FixName.ACCEPT_CANCELLATION, FixName.REFUSE_CANCELLATION)
class OrderCancelled(OrderNotified):
    """How an order is cancelled, and the buyer answered."""

    _awaits_amazon = False
    """M3's order is taken back at the buyer's request, and Amazon has not cancelled yet."""

    # --- the buyer asks -------------------------------------------------------------------------

    async def _answer_buyer(self) -> None:
        """Where the buyer asks for cancellation, hold the order until somebody answers, the goods leave, or the
        request is over. The deadline is a timer: when it has passed, people are told once more."""
        state = self._state
        asked = asked_for(state.facts, state.answered)
        if not asked or not workflow.patched(_ASKS_THE_OPERATOR):
            return
        until = answer_until(state.facts, workflow.now())

        def over() -> bool:
            return asked_for(state.facts, state.answered) != asked or bool(state.arrived)

        fix: Fix | None = None
        while fix is None and not over():
            left = until - workflow.now()
            late = left.total_seconds() <= 0
            said = "This should have been answered" if late else "To be answered"
            sentence = (
                f"The buyer of Amazon order {state.order_id} asks to cancel {named_pieces(state.facts, asked)}. "
                f"{said} by {until:%Y-%m-%d %H:%M} UTC, when the goods have to be shipped."
            )
            hold = Hold(reason=HeldReason.CANCELLATION_REQUESTED, sentence=sentence, system="Amazon")
            fix = await self._held_until(Step.AWAITING_SHIPMENT, hold, over, None if late else left)
        if fix is not None:
            state.answered.update(asked)
            await self._carry_out(fix, asked)
        elif state.arrived:
            state.answered.update(asked)
            self._keep(
                CancelledBy.BUYER, Settled.OVERTAKEN, asked, "The goods left before the buyer was answered."
            )

    async def _carry_out(self, fix: Fix, asked: dict[str, int]) -> None:
        state = self._state
        if not isinstance(fix, AcceptCancellation):
            what = named_pieces(state.facts, asked)
            self._keep(CancelledBy.BUYER, Settled.REFUSED, asked, f"Refused: {what} will be shipped.")
        elif is_all_of(state.facts, asked):
            self._awaits_amazon = True
            state.give_up = True
            raise GivenUp
        else:
            for item in asked:
                line = next(line for line in state.facts.lines if line.order_item_id == item)
                state.limits[item] = line.quantity_fulfilled
            await self._take_lines_back(asked, CancelledBy.BUYER)
            state.remark(f"Cancel {named_pieces(state.facts, asked)} in Seller Central as well.")

    # --- a part of the order --------------------------------------------------------------------

    async def _take_lines_back(self, pieces: Mapping[str, int], by: CancelledBy) -> None:
        """M3's order loses the cancelled pieces, and the rest goes on."""
        state = self._state
        if state.booked is None:
            return
        now = state.wanted
        self._go(Step.CANCELLING, f"Taking {named_pieces(state.booked, pieces)} back in M3.")
        done = await self._until_done(
            Step.CANCELLING,
            partial(self._calls.take_lines_back, now),
            partial(self._taken_back_by_hand, now),
        )
        state.accept_difference = False
        state.sales_order = done.sales_order
        sentence = done.sentence
        if done.left and state.facts.channel is Channel.MFN:
            for item, quantity in done.left.items():
                state.returning[item] = state.returning.get(item, 0) + quantity
            skus = {line.order_item_id: line.seller_sku for line in state.booked.lines}
            sent = Counter[str]()
            for item, quantity in done.left.items():
                sent[skus[item]] += quantity
            sentence = f"{sentence} {await self._follow(done.sales_order.orno, dict(sent))}"
        state.booked = now
        self._keep(by, Settled.LINES, dict(pieces), sentence)

    async def _taken_back_by_hand(self, now: Order, fix: MarkStepDone) -> TakeLinesBackResult:
        """A person says M3 is as it should be: whatever the total, the lines are looked at once more."""
        self._state.accept_difference = True
        return await self._calls.take_lines_back(now, by_hand=True)

    # --- the whole order ------------------------------------------------------------------------

    async def _cancel(self) -> OrderResult:
        """Take the order back in M3 as far as its state allows; M3 is searched even without a number."""
        state = self._state
        who, by = "at Amazon", CancelledBy.AMAZON
        if self._awaits_amazon:
            who, by = "at the buyer's request", CancelledBy.BUYER
        elif state.give_up:
            who, by = "by an operator", CancelledBy.OPERATOR
        self._go(Step.CANCELLING, f"The order was cancelled {who}; taking it back in M3.")
        done = await self._taken_back()
        if done.deleted:
            numbers = ", ".join(done.deleted)
            settled = Settled.BY_HAND if done.by_hand else Settled.DELETED
            how = "settled by hand" if done.by_hand else "taken back"
            sentence = f"Order {state.order_id} was cancelled {who}; M3 order {numbers} was {how}."
        else:
            settled = Settled.NOTHING
            sentence = f"Order {state.order_id} was cancelled {who} before M3 knew it."
        sent = self._sent_anyway(done.left) if done.left else {}
        if sent:
            sentence = f"{sentence} {await self._follow(done.deleted[0], sent)}"
        self._keep(by, settled, {}, sentence)
        if self._awaits_amazon:
            await self._await_amazon(sentence)
        return state.result("cancelled", sentence)

    async def _taken_back(self) -> CancelSalesOrderResult:
        """What M3 has of the order is taken back; a person who cancels once more wants it tried again."""
        calls = self._calls
        while True:
            try:
                return await self._until_done(
                    Step.CANCELLING, calls.cancel_sales_order, calls.settled_by_hand
                )
            except GivenUp:
                continue

    def _sent_anyway(self, left: Mapping[str, int]) -> dict[str, int]:
        """Pieces by SKU that an own warehouse sent although they were cancelled. What Amazon knows as shipped is left
        out: it is refunded, and its return is told by Amazon."""
        state = self._state
        cancelled = self._awaits_amazon or state.facts.status is OrderStatus.CANCELLED
        if not cancelled or state.facts.channel is not Channel.MFN:
            return {}
        known, pieces = fulfilled_quantities(state.facts), Counter[str]()
        for line in (state.booked or state.facts).lines:
            rest = left.get(line.order_item_id, 0) - known.get(line.order_item_id, 0)
            pieces[line.seller_sku] += max(rest, 0)
        return {sku: count for sku, count in pieces.items() if count}

    async def _follow(self, orno: str, sent: dict[str, int]) -> str:
        """Have the goods' return followed by a case of its own; what there is to say of it."""
        what = ", ".join(f"{count} of {sku}" for sku, count in sent.items())
        if (await self._calls.open_returns(orno, sent)).followed:
            return f"The return of {what} is followed: o2c returns."
        return f"The return of {what} is to be booked in M3 by hand."

    async def _await_amazon(self, sentence: str) -> None:
        """M3 is done; the order ends when Amazon has cancelled it too."""
        state = self._state
        if workflow.cancellation_reason() is None and state.facts.status is not OrderStatus.CANCELLED:
            until = answer_until(state.facts, workflow.now())
            what = f"{sentence} Now cancel it in Seller Central, by {until:%Y-%m-%d %H:%M} UTC."
            self._go(Step.CANCELLING, what, publish=True)
            try:
                await workflow.wait_condition(lambda: state.facts.status is OrderStatus.CANCELLED)
            except asyncio.CancelledError:  # "Request cancellation" in the Web UI
                state.remark("A person ended the wait for Amazon's cancellation.")
        self._awaits_amazon = False

    def _can_matter(self) -> bool:
        return self._awaits_amazon or super()._can_matter()

    def _keep(self, by: CancelledBy, settled: Settled, items: dict[str, int], sentence: str) -> None:
        state = self._state
        orno = state.sales_order.orno if state.sales_order else ""
        state.cancellations.append(
            Cancellation(at=workflow.now(), by=by, settled=settled, items=items, orno=orno, sentence=sentence)
        )
        self._show()
