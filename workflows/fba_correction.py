"""What Amazon did to a seller's stock, as one look found it: planned, booked in M3, and held where a person decides.

What goes by itself is booked first. Larger corrections wait for approval, adjustments that nobody knows for a mapping,
and what M3 refuses for a repair, one after the other. Each correction has a number by which M3 knows it, so that calls
that are made again book nothing twice. A plan never changes: what a person approves is what was shown.
"""

import asyncio
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.fixes import Fix, Retry
from canonical.held import FixName, Hold
from canonical.steps import Step
from canonical.stock import fba_contracts as act
from workflows import policies
from workflows.calls import Calls
from workflows.fba_correction_state import FbaCorrectionState
from workflows.repairable import GivenUp, Repairable, takes

_BEHIND: Final = 4


class FbaCorrectionCalls(Calls):
    """Activities of the corrections, named by `canonical.stock.fba_contracts`."""

    async def plan(self, request: act.PlanCorrectionsRequest) -> act.PlannedCorrections:
        name, result = act.PLAN_FBA_CORRECTIONS, act.PlannedCorrections
        return await self._call(name, request, result, policies.M3_CALL, "Plan the corrections")

    async def book(self, request: act.BookCorrectionsRequest) -> act.BookedCorrections:
        many = f"{len(request.numbers)} again" if request.numbers else f"from {request.first + 1}"
        name, result = act.BOOK_FBA_CORRECTIONS, act.BookedCorrections
        return await self._call(name, request, result, policies.M3_WAIT, f"Book corrections, {many}")


@workflow.defn(name=act.FBA_CORRECTION)
@takes(
    FixName.RETRY,
    FixName.ACCEPT_DIFFERENCE,
    FixName.CANCEL,
    cancel="Leave out what is held; what is booked stays. Input: none.",
)
class FbaCorrection(Repairable):
    """See the module."""

    _noun = "stock correction"
    _title = "Stock correction"
    _state: FbaCorrectionState

    @workflow.init
    def __init__(self, start: act.FbaCorrectionInput) -> None:
        self._state = FbaCorrectionState(
            seller_id=start.seller_id, order_id=start.subject, key=start.key, adjustments=start.adjustments
        )
        self._calls = FbaCorrectionCalls(start.seller_id, _BEHIND)

    @workflow.run
    async def run(self, _: act.FbaCorrectionInput) -> act.FbaCorrectionView:
        """Carry every adjustment to its end and say how they ended."""
        state = self._state
        try:
            await self._carry()
            state.outcome = "booked"
        except (GivenUp, asyncio.CancelledError, ActivityError) as error:
            if isinstance(error, ActivityError) and not is_cancelled_exception(error):
                raise
            state.outcome = "cancelled"
        state.waiting.clear()
        self._go(Step.CLOSED, state.ended(), publish=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return state.view()

    @workflow.query(description="The corrections as they stand: planned, booked, held.")
    def state(self) -> act.FbaCorrectionView:
        return self._state.view()

    async def _carry(self) -> None:
        state = self._state
        key, again = state.key, False
        while True:
            plan = await self._plan(key, again)
            await self._book(plan, "ready", plan.ready)
            await self._approved(plan)
            await self._taken()
            if not plan.doubts or not await self._known(plan):
                return
            key, again = plan.key, True

    async def _plan(self, key: str, again: bool) -> act.PlannedCorrections:
        state = self._state
        self._go(
            Step.ITEMS, f"{state.adjustments} adjustments of Amazon's are read, their items looked up in M3."
        )
        request = act.PlanCorrectionsRequest(
            seller_id=state.seller_id,
            subject=state.subject,
            key=key,
            number=len(state.plans) + 1,
            doubts_only=again,
        )
        plan = await self._until_done(Step.ITEMS, lambda: self._calls.plan(request))
        state.plans.append(plan)
        if plan.to_approve:
            state.waiting.append(act.Waiting(plan_key=plan.key, part="to_approve"))
        return plan

    async def _book(self, plan: act.PlannedCorrections, part: act.Part, count: int) -> None:
        """Book a part of a plan, chunk by chunk; what M3 refuses keeps none of the others back."""
        state = self._state
        for first in range(0, count, act.CHUNK):
            self._stop_if_given_up()
            self._wait_for(plan, part, first)
            self._go(
                Step.CORRECTING,
                f"M3 gets corrections {first + 1} to {min(first + act.CHUNK, count)} of {count}.",
            )
            request = act.BookCorrectionsRequest(
                seller_id=state.seller_id, subject=state.subject, plan_key=plan.key, part=part, first=first
            )
            await self._sent(request)
        self._wait_for(plan, part, None)

    def _wait_for(self, plan: act.PlannedCorrections, part: act.Part, first: int | None) -> None:
        """From which correction on this part of the plan is not in M3; None: all of it is decided on."""
        others = [one for one in self._state.waiting if (one.plan_key, one.part) != (plan.key, part)]
        mine = [] if first is None else [act.Waiting(plan_key=plan.key, part=part, first=first)]
        self._state.waiting = [*others, *mine]

    async def _sent(self, request: act.BookCorrectionsRequest) -> None:
        state = self._state
        done = await self._until_done(Step.CORRECTING, lambda: self._calls.book(request))
        state.booked += done.booked
        state.pieces += done.pieces
        state.refused += done.refused

    async def _approved(self, plan: act.PlannedCorrections) -> None:
        """Corrections that a person approves, or leaves out."""
        if not plan.to_approve:
            return
        if await self._decided(
            Step.CORRECTING, self._state.to_approve(plan), plan.to_approve, "not approved"
        ):
            await self._book(plan, "to_approve", plan.to_approve)
        else:
            self._wait_for(plan, "to_approve", None)

    async def _taken(self) -> None:
        """What M3 refused: sent again when a person says so, or left out."""
        state = self._state
        while state.refused:
            hold, refused = state.not_taken(), tuple(state.refused)
            fix = await self._fix(Step.CORRECTING, hold)
            if not isinstance(fix, Retry):
                self._leave_out(len(refused), "refused by M3")
                state.refused.clear()
                return
            state.refused.clear()
            self._go(Step.CORRECTING, f"M3 gets {len(refused)} corrections again.")
            for plan_key in dict.fromkeys(one.plan_key for one in refused):
                numbers = [one.number for one in refused if one.plan_key == plan_key]
                for first in range(0, len(numbers), act.CHUNK):
                    some = tuple(numbers[first : first + act.CHUNK])
                    await self._sent(
                        act.BookCorrectionsRequest(
                            seller_id=state.seller_id,
                            subject=state.subject,
                            plan_key=plan_key,
                            part=next(one.part for one in refused if one.number == some[0]),
                            numbers=some,
                        )
                    )

    async def _known(self, plan: act.PlannedCorrections) -> bool:
        """Whether what nobody knew is to be planned again; else a person has left it out."""
        fix = await self._fix(Step.ITEMS, self._state.unknown(plan))
        if isinstance(fix, Retry):
            return True
        self._leave_out(plan.doubts, "unknown")
        return False

    # --- a person decides -----------------------------------------------------------------------

    async def _decided(self, step: Step, hold: Hold, count: int, what: str) -> bool:
        """Whether a person accepts; where not, so many are left out."""
        if await self._fix(step, hold) is not None:
            return True
        self._leave_out(count, what)
        return False

    async def _fix(self, step: Step, hold: Hold) -> Fix | None:
        """Hold until a repair comes; None for `cancel`, which leaves out what is held and nothing else."""
        self._stop_if_given_up()
        try:
            return await self._held(step, hold)
        except GivenUp:
            self._state.give_up = False
            return None

    def _leave_out(self, count: int, what: str) -> None:
        state = self._state
        last = state.repairs[-1] if state.repairs else None
        one = act.LeftOut(count=count, what=what, by=last.by if last else "", why=last.why if last else "")
        state.left_out.append(one)
        self._note(f"{count} were left out: {what}.")

    def _stop_if_given_up(self) -> None:
        """A person cancelled while nothing was held."""
        if self._state.give_up:
            raise GivenUp
