"""Signals, updates, the query and the holding of a settlement, as an order has them.

Every repair is an update (answered at once) and a signal of the same name (for the Web UI and batches).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical import settlement_contracts as act
from canonical import settlement_reports as rep
from canonical.fixes import Cancel, Fix
from canonical.held import FixName, Hold
from canonical.order_contracts import Repair
from canonical.steps import Step
from workflows import details
from workflows import search_attributes as sa
from workflows.alarms import tell_held, tell_released
from workflows.holds import hold_of
from workflows.repairs import DESCRIPTIONS, BadRepair, check_fix, read_fix, read_news, values_of
from workflows.settlement_calls import SettlementCalls
from workflows.settlement_state import SettlementState

_Updates = list[SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime]]
_NOUN: Final = "settlement"
_CANCEL: Final = "Give the settlement up; what is posted stays. Input: none."
_REPAIRS: Final = (FixName.RETRY, FixName.ACCEPT_DIFFERENCE, FixName.MARK_STEP_DONE, FixName.CANCEL)


class GivenUp(Exception):  # noqa: N818 - a decision, not an error
    """A person gave the settlement up."""


class SettlementHandlers:
    """Base of the workflow: state, handlers, holding, what the Web UI shows."""

    def __init__(self, start: act.SettlementInput) -> None:
        self._state = SettlementState(seller_id=start.seller_id, subject=start.subject, report=start.report)
        self._calls = SettlementCalls(self._state)

    # --- machine events -------------------------------------------------------------------------

    @workflow.signal(
        name=act.REPORT_CAME,
        description="Sent by the feed, not by people: another report of the same settlement.",
    )
    def report_came(self, *arguments: object) -> None:
        try:
            report = read_news(rep.ArchivedReport, arguments)
        except BadRepair as error:
            self._note(f"Signal {act.REPORT_CAME} was ignored: {error}")
            return
        state = self._state
        known = {state.report.origin.report_id, *(each.origin.report_id for each in state.others)}
        if report.origin.report_id in known:
            return
        state.others.append(report)
        same = "with the same content" if report.sha256 == state.report.sha256 else "with other content"
        self._note(f"Report {report.origin.report_id} of the same settlement came, {same}.")
        if state.step in (Step.RECEIVED, Step.READING):
            state.news += 1

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, _: Sequence[RawValue]) -> None:
        """Whatever else is sent: answered on the settlement, harmless."""
        self._note(
            f"A signal `{name[:80]}` is not known here and was ignored. Repairs: {', '.join(_REPAIRS)}."
        )

    @workflow.query(description="The settlement as it stands: sums, checks, vouchers, without personal data.")
    def state(self) -> act.SettlementView:
        return self._state.view()

    # --- repairs as updates: answered at once ---------------------------------------------------

    @workflow.update(description=DESCRIPTIONS[FixName.RETRY])
    async def retry(self, *arguments: object) -> str:
        return self._accept(FixName.RETRY, arguments)

    @workflow.update(description=DESCRIPTIONS[FixName.ACCEPT_DIFFERENCE])
    async def accept_difference(self, *arguments: object) -> str:
        return self._accept(FixName.ACCEPT_DIFFERENCE, arguments)

    @workflow.update(description=DESCRIPTIONS[FixName.MARK_STEP_DONE])
    async def mark_step_done(self, *arguments: object) -> str:
        return self._accept(FixName.MARK_STEP_DONE, arguments)

    @workflow.update(description=_CANCEL)
    async def cancel(self, *arguments: object) -> str:
        return self._accept(FixName.CANCEL, arguments)

    @retry.validator
    def _check_retry(self, *arguments: object) -> None:
        self._check(FixName.RETRY, arguments)

    @accept_difference.validator
    def _check_accept_difference(self, *arguments: object) -> None:
        self._check(FixName.ACCEPT_DIFFERENCE, arguments)

    @mark_step_done.validator
    def _check_mark_step_done(self, *arguments: object) -> None:
        self._check(FixName.MARK_STEP_DONE, arguments)

    @cancel.validator
    def _check_cancel(self, *arguments: object) -> None:
        self._check(FixName.CANCEL, arguments)

    # --- the same repairs as signals ------------------------------------------------------------

    @workflow.signal(name="retry", description=DESCRIPTIONS[FixName.RETRY])
    def retry_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.RETRY, arguments)

    @workflow.signal(name="accept_difference", description=DESCRIPTIONS[FixName.ACCEPT_DIFFERENCE])
    def accept_difference_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.ACCEPT_DIFFERENCE, arguments)

    @workflow.signal(name="mark_step_done", description=DESCRIPTIONS[FixName.MARK_STEP_DONE])
    def mark_step_done_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.MARK_STEP_DONE, arguments)

    @workflow.signal(name="cancel", description=_CANCEL)
    def cancel_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.CANCEL, arguments)

    # --- accepting a repair ---------------------------------------------------------------------

    def _check(self, name: FixName, arguments: tuple[object, ...]) -> Fix:
        state = self._state
        fix = read_fix(name, arguments)
        if state.fix is not None:
            raise BadRepair(f"Another repair of settlement {state.subject} was accepted a moment ago.")
        check_fix(fix, name, order_id=state.subject, hold=state.hold, step=state.step, skus=(), noun=_NOUN)
        return fix

    def _accept(self, name: FixName, arguments: tuple[object, ...]) -> str:
        try:
            fix = self._check(name, arguments)
        except BadRepair as error:
            raise ApplicationError(str(error), type="bad_repair", non_retryable=True) from None
        state = self._state
        reason = state.hold.reason.value if state.hold else ""
        state.repairs.append(
            Repair(
                at=workflow.now(), fix=name.value, by=fix.by, why=fix.why, reason=reason, what=values_of(fix)
            )
        )
        state.fix = fix
        return f"{name} of settlement {state.subject} was accepted; {reason} is being repaired."

    def _accept_signal(self, name: FixName, arguments: tuple[object, ...]) -> None:
        try:
            self._accept(name, arguments)
        except ApplicationError as error:
            self._note(f"Signal {name} was refused: {error.message}")

    def _note(self, sentence: str) -> None:
        self._state.remark(f"{workflow.now():%Y-%m-%d %H:%M} {sentence}")
        self._show()

    # --- holding --------------------------------------------------------------------------------

    async def _held(self, step: Step, hold: Hold, heard: int | None = None) -> Fix | None:
        """Hold the settlement until a repair arrives, or while it is read another report of it (None): one behind the
        first `heard`.

        Raises GivenUp when a person cancels.
        """
        state = self._state
        if state.subject not in hold.sentence:
            hold = hold.model_copy(update={"sentence": f"Settlement {state.subject}: {hold.sentence}"})
        state.step, state.hold, state.held_since, state.fix = step, hold, workflow.now(), None
        workflow.logger.warning("settlement held", extra={"reason": hold.reason, "step": step})
        held: _Updates = [
            sa.STEP.value_set(step.value),
            sa.HELD_REASON.value_set(hold.reason.value),
            sa.HELD_SINCE.value_set(workflow.now()),
        ]
        if state.booking is not None and state.booking.settlement.home:
            held.append(sa.MARKETPLACE.value_set(state.booking.settlement.home))
        workflow.upsert_search_attributes(held)
        self._show()
        tell_held(state, hold, _NOUN)
        known = state.news if heard is None else heard
        try:
            await workflow.wait_condition(lambda: state.fix is not None or state.news > known)
        except asyncio.CancelledError:  # "Request cancellation" in the Web UI
            self._release(hold)
            raise GivenUp from None
        fix = state.fix
        self._release(hold)
        if isinstance(fix, Cancel):
            raise GivenUp
        return fix

    def _release(self, hold: Hold) -> None:
        self._state.hold, self._state.held_since, self._state.fix = None, None, None
        cleared: _Updates = [sa.HELD_REASON.value_unset(), sa.HELD_SINCE.value_unset()]
        workflow.upsert_search_attributes(cleared)
        tell_released(hold)

    def _hold_of(self, error: ActivityError, step: Step) -> Hold:
        if is_cancelled_exception(error):
            raise error
        return hold_of(error, step, self._state.subject)

    # --- what the Web UI shows ------------------------------------------------------------------

    def _go(self, step: Step, sentence: str, *, publish: bool = False) -> None:
        """Enter a step; `publish` writes it to the search attributes, which costs an action."""
        self._state.step, self._state.sentence = step, sentence
        if publish:
            workflow.upsert_search_attributes([sa.STEP.value_set(step.value)])
        self._show()

    def _show(self) -> None:
        state = self._state
        if state.hold is not None and state.held_since is not None:
            text = details.held(
                state.subject, state.step, state.hold, state.held_since, state.remarks, state.repairs, _NOUN
            )
        else:
            text = details.waiting(
                state.subject, state.step, state.sentence, state.remarks, state.repairs, _NOUN
            )
        workflow.set_current_details(text)
