"""What goes back of one item of one order: refund, returned goods, replacement, reimbursement, until all is settled.

A workflow of its own, since the order is long closed. It waits for what Amazon and the warehouse tell, and for one
timer: the age at which what is missing counts as overdue. It books what the rules say (`canonical.return_cases`),
and is held where a person has to decide. New facts always count: they end a hold, and start a closed case again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.fixes import AcceptDifference, Fix, MarkStepDone
from canonical.held import HeldReason, Hold
from canonical.order import Channel
from canonical.return_cases import standing
from canonical.return_contracts import RETURN_CASE, CaseNews, ReturnCaseInput, ReturnCaseResult
from canonical.return_facts import CaseFacts
from canonical.return_models import Accepted, Credit, Movement, Next, Standing
from canonical.steps import Step
from workflows.repairable import GivenUp
from workflows.return_handlers import ReturnHandlers

T = TypeVar("T")


@workflow.defn(name=RETURN_CASE)
class ReturnCase(ReturnHandlers):
    """The case's whole life. Handlers live in `ReturnHandlers`, calls in `CaseCalls`."""

    @workflow.init
    def __init__(self, start: ReturnCaseInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, _: ReturnCaseInput) -> ReturnCaseResult:
        """Follow the case until nothing is open."""
        state = self._state
        try:
            await self._follow()
            outcome, sentence = "settled", f"{state.order_id}: {state.standing.sentence}"
        except (GivenUp, asyncio.CancelledError, ActivityError) as error:
            if isinstance(error, ActivityError) and not is_cancelled_exception(error):
                raise
            outcome, sentence = "given_up", f"{state.order_id} was given up by a person."
        state.standing = state.standing.model_copy(update={"sentence": sentence})
        self._go(Step.CLOSED, sentence, publish=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return state.result(outcome, sentence)

    async def _follow(self) -> None:
        state = self._state
        while True:
            heard = state.news
            await self._know_the_order()
            now = self._judged()
            match now.next:
                case Next.DONE:
                    if state.news == heard:
                        return
                case Next.BOOK:
                    await self._book(now)
                case Next.CREDIT:
                    await self._credit(now)
                case Next.ODD:
                    await self._decide(Step.AWAITING_RETURN, HeldReason.RETURN_ODD, now)
                case Next.OVERDUE:
                    await self._decide(Step.AWAITING_RETURN, HeldReason.RETURN_OVERDUE, now)
                case Next.DIFFERS:
                    await self._decide(Step.CREDITING, HeldReason.CREDIT_DIFFERS, now)
                case Next.WAIT:
                    await self._await(now)

    async def _know_the_order(self) -> None:
        state = self._state
        while state.order is None:
            self._go(Step.RECEIVED, state.standing.sentence)
            state.order = await self._tried(Step.RECEIVED, self._calls.read_order)
        while state.line is None:
            state.line = await self._tried(Step.RECEIVED, self._calls.find_line)

    def _judged(self) -> Standing:
        state = self._state
        state.standing = standing(
            state.facts, state.facts_of_order, state.booked, state.accepted, state.rules, workflow.now()
        )
        return state.standing

    async def _tried(self, step: Step, call: Callable[[], Awaitable[T]]) -> T | None:
        """One call; None where it was held, and whoever called looks anew."""
        try:
            return await call()
        except ActivityError as error:
            await self._held(step, self._hold_of(error, step))
            return None

    # --- M3 -------------------------------------------------------------------------------------

    async def _book(self, now: Standing) -> None:
        """M3 gets a customer return; goods in Amazon's hands are received with it."""
        state = self._state
        self._go(Step.RETURNING, now.sentence)
        received = state.facts_of_order.channel is Channel.FBA
        move: Movement | None
        try:
            move = await self._calls.take_return(now, received)
        except ActivityError as error:
            fix = await self._held(Step.RETURNING, self._hold_of(error, Step.RETURNING))
            move = await self._by_hand(fix, now)
            if move is None:
                return
        state.put(move.model_copy(update={"unpaid": now.unpaid}))
        if move.received and not received:
            state.look = True

    async def _by_hand(self, fix: Fix | None, now: Standing) -> Movement | None:
        if not isinstance(fix, MarkStepDone):
            return None
        return await self._believed(fix, self._calls.verify_return(now, fix))

    async def _credit(self, now: Standing) -> None:
        state = self._state
        move = next(each for each in state.booked.movements if each.number == now.movement)
        self._go(Step.CREDITING, now.sentence)
        try:
            found = await self._calls.credit(move)
        except ActivityError as error:
            fix = await self._held(Step.CREDITING, self._hold_of(error, Step.CREDITING))
            credit = await self._named(fix)
            if credit is not None:
                state.put(move.with_credits((credit,), move.received))
            return
        state.put(move.with_credits(found.credits, found.pieces))

    async def _named(self, fix: Fix | None) -> Credit | None:
        """The credit invoice a person named, once M3 has confirmed it."""
        if not isinstance(fix, MarkStepDone):
            return None
        return await self._believed(fix, self._calls.verify_credit(fix))

    async def _believed(self, fix: MarkStepDone, look: Awaitable[T]) -> T | None:
        """What M3 has under the number a person named; None, and a remark, where it has nothing that fits."""
        try:
            return await look
        except ActivityError as error:
            hold = self._hold_of(error, fix.step)
            self._note(f"{fix.step} {fix.number} was not taken as done: {hold.sentence}")
            return None

    # --- people ---------------------------------------------------------------------------------

    async def _decide(self, step: Step, reason: HeldReason, now: Standing) -> None:
        """Hold for a person; what is accepted is accepted as it stands now."""
        state = self._state
        fix = await self._held(step, Hold(reason=reason, sentence=now.sentence))
        if isinstance(fix, AcceptDifference):
            known = state.accepted
            state.accepted = known.model_copy(update=_accepted(reason, known, now))
        elif isinstance(fix, MarkStepDone):
            credit = await self._named(fix)
            if credit is not None:
                by_hand = (*state.booked.by_hand, credit)
                state.booked = state.booked.model_copy(update={"by_hand": by_hand})
        elif fix is not None:  # retry: look at both sides anew
            await self._receive()
            state.order = None

    # --- waiting --------------------------------------------------------------------------------

    async def _await(self, now: Standing) -> None:
        """Wait for news, for the warehouse, or for the age at which something missing is overdue."""
        state = self._state
        if state.look:
            await self._receive()
            return
        self._go(Step.AWAITING_RETURN, now.sentence, publish=state.step is not Step.AWAITING_RETURN)
        heard = state.news
        timeout = _until(now.due, workflow.now())
        try:
            await workflow.wait_condition(lambda: state.news > heard or state.look, timeout=timeout)
        except TimeoutError:
            return
        if state.look:
            await self._receive()

    async def _receive(self) -> None:
        """Goods that the own warehouse has received are facts like any other."""
        state = self._state
        state.look = False
        if not state.booked.movements or state.order is None or state.order.channel is not Channel.MFN:
            return
        found = await self._tried(Step.AWAITING_RETURN, self._calls.read_received)
        if found is None:
            return
        for move in state.booked.movements:
            received = found.received.get(move.number, 0)
            if received > move.received:
                state.put(move.model_copy(update={"received": received}))
        news = CaseNews(
            seller_id=state.seller_id,
            order_id=state.amazon_order_id,
            sku=state.sku,
            facts=CaseFacts.of(*found.facts),
        )
        state.take(news)


def _accepted(reason: HeldReason, known: Accepted, now: Standing) -> dict[str, object]:
    if reason is HeldReason.RETURN_ODD:
        return {"odd": (*known.odd, *now.odd)}
    if reason is HeldReason.RETURN_OVERDUE:
        return {"missing": now.missing}
    return {"difference": now.difference}


def _until(due: datetime | None, now: datetime) -> float | None:
    return None if due is None else max((due - now).total_seconds(), 1.0)
