"""Holding an order until somebody repairs it, and what people see of it: the order's face."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.fixes import AcceptDifference, Cancel, Fix, MarkStepDone
from canonical.held import HeldReason, Hold
from canonical.marketplaces import marketplace_name
from canonical.order_contracts import OrderResult, OrderToCashInput
from canonical.steps import Step
from workflows import details
from workflows import search_attributes as sa
from workflows.alarms import tell_held, tell_released
from workflows.holds import hold_of, naming
from workflows.order_calls import OrderCalls
from workflows.order_state import OrderState

T = TypeVar("T")
_ALARMS = "alarms"
"""Patch: orders held before it told nobody."""
_ENDS_QUIETLY = "ends-quietly"
"""Patch: orders closed before it always wrote their last step to the search attributes."""
_BEFORE_GOODS_LEAVE = (HeldReason.ORDER_CHANGED, HeldReason.CANCELLATION_REQUESTED)
"""Reasons of a booked order of which Amazon's cancellation ends the hold."""
_Updates = list[
    SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime] | SearchAttributeUpdate[Sequence[str]]
]


class GivenUp(Exception):  # noqa: N818 - a decision, not an error
    """The order was cancelled, by Amazon or by a person."""


class OrderHolding:
    """Base of the order workflow: its state, calls that end or are held, what the Web UI shows."""

    _calls: OrderCalls
    _ends_when_cancelled: ClassVar[bool] = True
    """Whether Amazon's cancellation ends a hold: there is something to take back, or nothing to do any more."""
    _sentence: str = "Received."
    _published: Step | None = None
    """The step that the search attributes show, where the order entered it by itself."""

    def __init__(self, start: OrderToCashInput) -> None:
        self._state = OrderState.from_input(start)

    # --- holding --------------------------------------------------------------------------------

    async def _held(self, step: Step, hold: Hold) -> Fix:
        """Hold the order until a repair arrives; raises GivenUp when it is cancelled meanwhile."""
        fix = await self._held_until(step, hold, lambda: False)
        if fix is None:
            raise GivenUp
        return fix

    async def _held_until(
        self, step: Step, hold: Hold, over: Callable[[], bool], patience: timedelta | None = None
    ) -> Fix | None:
        """As `_held`; None as soon as the hold is `over` by itself, or `patience` has passed."""
        state = self._state
        hold, since = naming(hold, state.order_id), workflow.now()
        self._published = None
        state.step, state.hold, state.held_since, state.fix = step, hold, since, None
        workflow.logger.warning("order held", extra={"reason": hold.reason, "step": step, "code": hold.code})
        workflow.upsert_search_attributes(
            [
                sa.STEP.value_set(step.value),
                sa.HELD_REASON.value_set(hold.reason.value),
                sa.HELD_SINCE.value_set(since),
                *([sa.UNMAPPED_SKUS.value_set(list(hold.skus))] if hold.skus else []),
                *self._known_attributes(),
            ]
        )
        self._show()
        alarmed = workflow.patched(_ALARMS)
        if alarmed:
            tell_held(state, hold)
        stoppable = state.sales_order is None or hold.reason in _BEFORE_GOODS_LEAVE
        stoppable = stoppable and step is not Step.CANCELLING and self._ends_when_cancelled
        try:
            await workflow.wait_condition(
                lambda: state.fix is not None or (stoppable and state.cancelled) or over(), timeout=patience
            )
        except TimeoutError:
            pass
        except asyncio.CancelledError:  # "Request cancellation" in the Web UI
            if alarmed:
                self._release(hold)
                tell_released(hold)
            raise
        fix = state.fix
        self._release(hold)
        if alarmed:
            tell_released(hold)
        if fix is None and stoppable and state.cancelled:
            raise GivenUp
        return fix

    def _release(self, hold: Hold) -> None:
        """The order is held no longer, whatever comes next."""
        self._state.hold, self._state.held_since, self._state.fix = None, None, None
        cleared: _Updates = [sa.HELD_REASON.value_unset(), sa.HELD_SINCE.value_unset()]
        if hold.skus:
            cleared.append(sa.UNMAPPED_SKUS.value_unset())
        workflow.upsert_search_attributes(cleared)

    async def _until_done(
        self,
        step: Step,
        call: Callable[[], Awaitable[T]],
        by_hand: Callable[[MarkStepDone], Awaitable[T]] | None = None,
    ) -> T:
        """Run one call until it succeeds, or until `by_hand` finds in M3 what a person did instead."""
        attempt = call
        while True:
            try:
                return await attempt()
            except ActivityError as error:
                hold = self._hold_of(error, step)
            attempt = call
            fix = await self._held(step, hold)
            if isinstance(fix, AcceptDifference):
                self._state.accept_difference = True
            elif isinstance(fix, Cancel):
                self._state.give_up = True
                raise GivenUp
            elif isinstance(fix, MarkStepDone) and by_hand is not None:
                attempt = partial(by_hand, fix)

    def _hold_of(self, error: ActivityError, step: Step) -> Hold:
        if is_cancelled_exception(error):
            raise error
        return hold_of(error, step, self._state.order_id)

    async def _wait(self, ready: Callable[[], bool]) -> None:
        """Wait without a timer until `ready`, or until the order is cancelled."""
        await workflow.wait_condition(lambda: ready() or self._state.cancelled)

    def _stop_if_cancelled(self) -> None:
        if workflow.cancellation_reason() is not None:
            self._state.give_up = True  # asked for while a call was under way, which was left to finish
        if self._state.cancelled:
            raise GivenUp

    # --- what the Web UI shows ------------------------------------------------------------------

    def _go(self, step: Step, sentence: str, *, publish: bool = False) -> None:
        """Enter a step; `publish` writes it to the search attributes, which costs an action."""
        self._state.step = step
        self._sentence = sentence
        if publish:
            workflow.upsert_search_attributes([sa.STEP.value_set(step.value), *self._known_attributes()])
            self._published = step
        self._show()

    def _close(self, result: OrderResult) -> None:
        """The end. An order that waited for its shipment has had all its search attributes since then: that it
        is closed, its status says, and another action would tell nothing."""
        told = self._published is Step.AWAITING_SHIPMENT and workflow.patched(_ENDS_QUIETLY)
        self._go(Step.CLOSED, result.sentence, publish=not told)

    def _known_attributes(self) -> _Updates:
        state = self._state
        known: _Updates = []
        if state.sales_order is not None:
            known.append(sa.M3_ORDER.value_set(state.sales_order.orno))
        if state.order is not None:
            known.append(sa.MARKETPLACE.value_set(marketplace_name(state.order.marketplace_id)))
            known.append(sa.CHANNEL.value_set(state.order.channel.value))
            if state.order.ship_by is not None:
                known.append(sa.SHIP_BY.value_set(state.order.ship_by))
        return known

    def _note(self, sentence: str) -> None:
        self._state.remark(f"{workflow.now():%Y-%m-%d %H:%M} {sentence}")
        self._show()

    def _show(self) -> None:
        state = self._state
        if state.hold is not None and state.held_since is not None:
            text = details.held(
                state.order_id, state.step, state.hold, state.held_since, state.remarks, state.repairs
            )
        else:
            text = details.waiting(state.order_id, state.step, self._sentence, state.remarks, state.repairs)
        workflow.set_current_details(text + details.cancelled(state.cancellations))
