"""Signals, updates, the query and the holding of a return case, as an order has them.

Every repair is an update (answered at once) and a signal of the same name (for the Web UI and batches).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical import return_contracts as act
from canonical.fixes import Cancel, Fix
from canonical.held import FixName, Hold
from canonical.marketplaces import marketplace_name
from canonical.order_contracts import Repair
from canonical.steps import Step
from workflows import details
from workflows import search_attributes as sa
from workflows.alarms import tell_held, tell_released
from workflows.holds import hold_of
from workflows.repairs import DESCRIPTIONS, BadRepair, check_fix, read_fix, read_news, values_of
from workflows.return_state import CaseCalls, CaseState

_Updates = list[SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime]]


class GivenUp(Exception):  # noqa: N818 - a decision, not an error
    """A person gave the case up."""


class ReturnHandlers:
    """Base of the workflow: state, handlers, holding, what the Web UI shows."""

    def __init__(self, start: act.ReturnCaseInput) -> None:
        self._state = CaseState.from_input(start)
        self._calls = CaseCalls(self._state)

    # --- machine events -------------------------------------------------------------------------

    @workflow.signal(
        name=act.CASE_TOLD,
        description="Sent by the feed, not by people: what Amazon tells of refunds and returns.",
    )
    def case_told(self, *arguments: object) -> None:
        try:
            self._state.take(read_news(act.CaseNews, arguments))
        except BadRepair as error:
            self._note(f"Signal {act.CASE_TOLD} was ignored: {error}")

    @workflow.signal(name=act.LOOK_AGAIN, description="Look in M3 whether goods have come back.")
    def look_again(self, *_: object) -> None:
        self._state.look = True

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, _: Sequence[RawValue]) -> None:
        """Whatever else is sent: answered on the case, harmless."""
        self._note(
            f"A signal `{name[:80]}` is not known here and was ignored. Repairs: {', '.join(FixName)}."
        )

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

    @workflow.update(description=DESCRIPTIONS[FixName.CANCEL])
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

    @workflow.signal(name="cancel", description=DESCRIPTIONS[FixName.CANCEL])
    def cancel_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.CANCEL, arguments)

    @workflow.query(description="The case as it stands, without personal data.")
    def state(self) -> act.CaseView:
        return self._state.view()

    # --- accepting a repair ---------------------------------------------------------------------

    def _check(self, name: FixName, arguments: tuple[object, ...]) -> Fix:
        state = self._state
        fix = read_fix(name, arguments)
        if state.fix is not None:
            raise BadRepair(f"Another repair of {state.order_id} was accepted a moment ago.")
        check_fix(fix, name, order_id=state.order_id, hold=state.hold, step=state.step, skus=(state.sku,))
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
        return f"{name} of {state.order_id} was accepted; {reason} is being repaired."

    def _accept_signal(self, name: FixName, arguments: tuple[object, ...]) -> None:
        try:
            self._accept(name, arguments)
        except ApplicationError as error:
            self._note(f"Signal {name} was refused: {error.message}")

    def _note(self, sentence: str) -> None:
        self._state.remark(f"{workflow.now():%Y-%m-%d %H:%M} {sentence}")
        self._show()

    # --- holding --------------------------------------------------------------------------------

    async def _held(self, step: Step, hold: Hold) -> Fix | None:
        """Hold the case until a repair arrives, or facts that may change everything (None).

        Raises GivenUp when a person cancels.
        """
        state = self._state
        hold = _naming(hold, state.order_id)
        state.step, state.hold, state.held_since, state.fix = step, hold, workflow.now(), None
        workflow.logger.warning("return case held", extra={"reason": hold.reason, "step": step})
        workflow.upsert_search_attributes(
            [
                sa.STEP.value_set(step.value),
                sa.HELD_REASON.value_set(hold.reason.value),
                sa.HELD_SINCE.value_set(workflow.now()),
                *self._known_attributes(),
            ]
        )
        self._show()
        tell_held(state, hold)
        heard = state.news
        try:
            await workflow.wait_condition(lambda: state.fix is not None or state.news > heard)
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
        workflow.upsert_search_attributes([sa.HELD_REASON.value_unset(), sa.HELD_SINCE.value_unset()])
        tell_released(hold)

    def _hold_of(self, error: ActivityError, step: Step) -> Hold:
        if is_cancelled_exception(error):
            raise error
        return hold_of(error, step, self._state.amazon_order_id)

    # --- what the Web UI shows ------------------------------------------------------------------

    def _go(self, step: Step, *, publish: bool = False) -> None:
        """Enter a step; `publish` writes it to the search attributes, which costs an action."""
        self._state.step = step
        if publish:
            workflow.upsert_search_attributes([sa.STEP.value_set(step.value), *self._known_attributes()])
        self._show()

    def _known_attributes(self) -> _Updates:
        known: _Updates = []
        if self._state.line is not None:
            known.append(sa.M3_ORDER.value_set(self._state.line.orno))
        if self._state.order is not None:
            known.append(sa.MARKETPLACE.value_set(marketplace_name(self._state.order.marketplace_id)))
            known.append(sa.CHANNEL.value_set(self._state.order.channel.value))
        return known

    def _show(self) -> None:
        state = self._state
        if state.hold is not None and state.held_since is not None:
            text = details.held(
                state.order_id, state.step, state.hold, state.held_since, state.remarks, state.repairs
            )
        else:
            text = details.waiting(
                state.order_id, state.step, state.standing.sentence, state.remarks, state.repairs
            )
        workflow.set_current_details(text)


def _naming(hold: Hold, subject: str) -> Hold:
    """The hold with a sentence that says which item of which order."""
    if subject in hold.sentence:
        return hold
    return hold.model_copy(update={"sentence": f"{subject}: {hold.sentence}"})
