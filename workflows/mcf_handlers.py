"""Signals, updates, the query and the holding of a delivery that Amazon fulfils, as an order has them.

Every repair is an update (answered at once) and a signal of the same name (for the Web UI and batches).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical import mcf_contracts as mcf
from canonical.fixes import Cancel, CorrectAddress, Fix, MapSku, MarkStepDone
from canonical.held import FixName, Hold
from canonical.held_reasons import HELD_REASONS
from canonical.order_contracts import Repair
from canonical.steps import MARKABLE_STEPS, Step
from workflows import details
from workflows import search_attributes as sa
from workflows.alarms import tell_held, tell_released
from workflows.holds import hold_of
from workflows.mcf_state import McfCalls, McfState
from workflows.repairs import DESCRIPTIONS, BadRepair, read_fix, read_news, values_of

T = TypeVar("T")
_Updates = list[SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime]]
REPAIRS: Final = (
    FixName.RETRY, FixName.MAP_SKU, FixName.CORRECT_ADDRESS, FixName.ACCEPT_DIFFERENCE, FixName.MARK_STEP_DONE,
    FixName.CANCEL,
)  # fmt: skip


class GivenUp(Exception):  # noqa: N818 - a decision, not an error
    """A person cancelled."""


class McfHandlers:
    """Base of the workflow: state, handlers, holding, what the Web UI shows."""

    _sentence: str = "Received."

    def __init__(self, start: mcf.McfOrderInput) -> None:
        self._state = McfState(start)
        self._calls = McfCalls(self._state)

    @workflow.signal(
        name=mcf.FULFILLMENT_CHANGED,
        description="Sent by the listener, not by people: Amazon has told of the fulfilment order.",
    )
    def fulfillment_changed(self, *arguments: object) -> None:
        try:
            self._state.take_news(read_news(mcf.FulfillmentChanged, arguments))
        except BadRepair as error:
            self._note(f"Signal {mcf.FULFILLMENT_CHANGED} was ignored: {error}")

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Whatever else is sent: answered here, harmless."""
        repairs = ", ".join(REPAIRS)
        self._note(f"A signal `{name[:80]}` is not known here and was ignored. Repairs: {repairs}.")

    @workflow.query(description="The delivery as it stands, without personal data.")
    def state(self) -> mcf.McfView:
        return self._state.view()

    # --- repairs as updates: answered at once ---------------------------------------------------

    @workflow.update(description=DESCRIPTIONS[FixName.RETRY])
    async def retry(self, *arguments: object) -> str:
        return self._accept(FixName.RETRY, arguments)

    @workflow.update(description=DESCRIPTIONS[FixName.MAP_SKU])
    async def map_sku(self, *arguments: object) -> str:
        return self._accept(FixName.MAP_SKU, arguments)

    @workflow.update(description=DESCRIPTIONS[FixName.CORRECT_ADDRESS])
    async def correct_address(self, *arguments: object) -> str:
        return self._accept(FixName.CORRECT_ADDRESS, arguments)

    @workflow.update(description=DESCRIPTIONS[FixName.ACCEPT_DIFFERENCE])
    async def accept_difference(self, *arguments: object) -> str:
        return self._accept(FixName.ACCEPT_DIFFERENCE, arguments)

    @workflow.update(description=DESCRIPTIONS[FixName.MARK_STEP_DONE])
    async def mark_step_done(self, *arguments: object) -> str:
        return self._accept(FixName.MARK_STEP_DONE, arguments)

    @workflow.update(description="Give it up; Amazon is asked to cancel. Input: none.")
    async def cancel(self, *arguments: object) -> str:
        return self._accept(FixName.CANCEL, arguments)

    @retry.validator
    def _check_retry(self, *arguments: object) -> None:
        self._check(FixName.RETRY, arguments)

    @map_sku.validator
    def _check_map_sku(self, *arguments: object) -> None:
        self._check(FixName.MAP_SKU, arguments)

    @correct_address.validator
    def _check_correct_address(self, *arguments: object) -> None:
        self._check(FixName.CORRECT_ADDRESS, arguments)

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

    @workflow.signal(name="map_sku", description=DESCRIPTIONS[FixName.MAP_SKU])
    def map_sku_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.MAP_SKU, arguments)

    @workflow.signal(name="correct_address", description=DESCRIPTIONS[FixName.CORRECT_ADDRESS])
    def correct_address_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.CORRECT_ADDRESS, arguments)

    @workflow.signal(name="accept_difference", description=DESCRIPTIONS[FixName.ACCEPT_DIFFERENCE])
    def accept_difference_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.ACCEPT_DIFFERENCE, arguments)

    @workflow.signal(name="mark_step_done", description=DESCRIPTIONS[FixName.MARK_STEP_DONE])
    def mark_step_done_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.MARK_STEP_DONE, arguments)

    @workflow.signal(name="cancel", description="Give it up; Amazon is asked to cancel. Input: none.")
    def cancel_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.CANCEL, arguments)

    # --- accepting a repair ---------------------------------------------------------------------

    def _check(self, name: FixName, arguments: tuple[object, ...]) -> Fix:
        state = self._state
        fix = read_fix(name, arguments)
        if state.fix is not None:
            raise BadRepair(f"Another repair of delivery {state.order_id} was accepted a moment ago.")
        if name is FixName.CANCEL and state.shipped:
            raise BadRepair(f"Amazon has shipped delivery {state.order_id}; there is nothing left to cancel.")
        if state.hold is None:
            if name is FixName.CANCEL and state.step is Step.AWAITING_SHIPMENT and not state.give_up:
                return fix
            raise BadRepair(f"Delivery {state.order_id} is not held (step {state.step}); nothing to repair.")
        _check_fits(fix, name, state, state.hold)
        return fix

    def _accept(self, name: FixName, arguments: tuple[object, ...]) -> str:
        try:
            fix = self._check(name, arguments)
        except BadRepair as error:
            raise ApplicationError(str(error), type="bad_repair", non_retryable=True) from None
        state = self._state
        reason = state.hold.reason.value if state.hold else ""
        made = Repair(
            at=workflow.now(), fix=name.value, by=fix.by, why=fix.why, reason=reason, what=values_of(fix)
        )
        state.repairs.append(made)
        if state.hold is None:
            state.give_up = True
        else:
            state.fix = fix
        repaired = f"; {reason} is being repaired" if reason else ""
        return f"{name} of delivery {state.order_id} was accepted{repaired}."

    def _accept_signal(self, name: FixName, arguments: tuple[object, ...]) -> None:
        try:
            self._accept(name, arguments)
        except ApplicationError as error:
            self._note(f"Signal {name} was refused: {error.message}")

    def _note(self, sentence: str) -> None:
        self._state.remark(f"{workflow.now():%Y-%m-%d %H:%M} {sentence}")
        self._show()

    # --- holding --------------------------------------------------------------------------------

    async def _held(self, step: Step, hold: Hold) -> Fix:
        """Hold until a repair arrives. What a repair says of SKUs and address is kept for the next call."""
        state, since = self._state, workflow.now()
        if state.order_id not in hold.sentence and state.start.dlix not in hold.sentence:
            hold = hold.model_copy(update={"sentence": f"M3 delivery {state.order_id}: {hold.sentence}"})
        state.step, state.hold, state.held_since, state.fix = step, hold, since, None
        workflow.logger.warning(
            "delivery held", extra={"reason": hold.reason, "step": step, "code": hold.code}
        )
        held: _Updates = [
            sa.STEP.value_set(step.value),
            sa.HELD_REASON.value_set(hold.reason.value),
            sa.HELD_SINCE.value_set(since),
        ]
        workflow.upsert_search_attributes(held)
        self._show()
        tell_held(state, hold)
        try:
            await workflow.wait_condition(lambda: state.fix is not None)
        finally:
            fix = state.fix
            state.hold, state.held_since, state.fix = None, None, None
        cleared: _Updates = [sa.HELD_REASON.value_unset(), sa.HELD_SINCE.value_unset()]
        workflow.upsert_search_attributes(cleared)
        tell_released(hold)
        match fix:
            case MapSku():
                state.skus = {**state.skus, fix.itno: fix.sku}
            case CorrectAddress():
                state.address = fix.address
            case Cancel():
                raise GivenUp
        assert fix is not None  # noqa: S101 - what was waited for
        return fix

    async def _until_done(
        self,
        step: Step,
        call: Callable[[], Awaitable[T]],
        by_hand: Callable[[MarkStepDone], Awaitable[T]] | None = None,
    ) -> T:
        """Run one call until it succeeds, or until `by_hand` finds what a person did instead."""
        attempt = call
        while True:
            try:
                return await attempt()
            except ActivityError as error:
                hold = self._hold_of(error, step)
            attempt = call
            fix = await self._held(step, hold)
            if isinstance(fix, MarkStepDone) and by_hand is not None:
                attempt = partial(by_hand, fix)

    def _hold_of(self, error: ActivityError, step: Step) -> Hold:
        if is_cancelled_exception(error):
            raise error
        return hold_of(error, step, self._state.order_id)

    async def _woken(self, within: timedelta, *, by: Callable[[], bool]) -> None:
        """Until `by`, or until the time is over: the timer is the daily look that finds what no one told."""
        try:
            await workflow.wait_condition(by, timeout=within)
        except asyncio.TimeoutError:  # noqa: UP041 - as Temporal raises it
            return

    # --- what the Web UI shows ------------------------------------------------------------------

    def _go(self, step: Step, sentence: str, *, publish: bool = False) -> None:
        """Enter a step; `publish` writes it to the search attributes, which costs an action."""
        self._state.step = step
        self._sentence = sentence
        if publish:
            workflow.upsert_search_attributes([sa.STEP.value_set(step.value)])
        self._show()

    def _show(self) -> None:
        state = self._state
        if state.hold is not None and state.held_since is not None:
            text = details.held(
                state.order_id, state.step, state.hold, state.held_since, state.remarks, state.repairs
            )
        else:
            text = details.waiting(state.order_id, state.step, self._sentence, state.remarks, state.repairs)
        workflow.set_current_details(text)


def _check_fits(fix: Fix, name: FixName, state: McfState, hold: Hold) -> None:
    """Whether the repair fits the delivery as it stands; raises BadRepair with a sentence."""
    if fix.reason and fix.reason != hold.reason:
        raise BadRepair(
            f"Delivery {state.order_id} is now held for {hold.reason}; the {name} was meant for {fix.reason}."
        )
    allowed = [fits for fits in HELD_REASONS[hold.reason].fixes if fits in REPAIRS]
    if name not in allowed:
        raise BadRepair(
            f"{name} does not repair {hold.reason} of delivery {state.order_id}; what does: {', '.join(allowed)}."
        )
    if isinstance(fix, MapSku):
        items = {line.itno for line in state.delivery.lines} if state.delivery else set()
        items |= {candidate.itno for found in hold.candidates.values() for candidate in found}
        if fix.itno not in items:
            raise BadRepair(
                f"Delivery {state.order_id} has no item {fix.itno}; its items: {', '.join(sorted(items))}."
            )
    if isinstance(fix, MarkStepDone) and (fix.step != state.step or fix.step not in MARKABLE_STEPS):
        raise BadRepair(f"Delivery {state.order_id} is held at step {state.step}, not at {fix.step}.")
