"""Holding an order until somebody repairs it or Amazon cancels it, and what people see of it: the order's face."""

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

from temporalio import workflow

from canonical.fixes import AcceptDifference, Fix
from canonical.held import HeldReason, Hold
from canonical.marketplaces import marketplace_name
from canonical.order_contracts import OrderResult, OrderToCashInput
from canonical.steps import Step
from workflows import details
from workflows import search_attributes as sa
from workflows.order_calls import OrderCalls
from workflows.order_state import OrderState
from workflows.repairable import Attributes, GivenUp, Repairable

_ALARMS = "alarms"
"""Patch: orders held before it told nobody."""
_ENDS_QUIETLY = "ends-quietly"
"""Patch: orders closed before it always wrote their last step to the search attributes."""
_BEFORE_GOODS_LEAVE = (HeldReason.ORDER_CHANGED, HeldReason.CANCELLATION_REQUESTED)
"""Reasons of a booked order of which Amazon's cancellation ends the hold."""


class OrderHolding(Repairable):
    """Base of the order workflow: its state, what ends a hold, what the Web UI shows."""

    _noun = "order"
    _title = "Amazon order"
    _state: OrderState
    _calls: OrderCalls
    _ends_when_cancelled: ClassVar[bool] = True
    """Whether Amazon's cancellation ends a hold: there is something to take back, or nothing to do any more."""
    _published: Step | None = None
    """The step that the search attributes show, where the order entered it by itself."""

    def __init__(self, start: OrderToCashInput) -> None:
        self._state = OrderState.from_input(start)

    # --- holding --------------------------------------------------------------------------------

    async def _held(self, step: Step, hold: Hold) -> Fix:
        """Hold the order until a repair arrives; raises GivenUp when it is cancelled meanwhile."""
        fix = await super()._held(step, hold)
        if fix is None:
            raise GivenUp
        return fix

    async def _held_until(
        self, step: Step, hold: Hold, over: Callable[[], bool], patience: timedelta | None = None
    ) -> Fix | None:
        state = self._state
        self._published = None
        stoppable = state.sales_order is None or hold.reason in _BEFORE_GOODS_LEAVE
        stoppable = stoppable and step is not Step.CANCELLING and self._ends_when_cancelled

        def stopped() -> bool:
            return stoppable and state.cancelled

        fix = await super()._held_until(step, hold, lambda: stopped() or over(), patience)
        if fix is None and stopped():
            raise GivenUp
        return fix

    def _heed(self, fix: Fix) -> None:
        if isinstance(fix, AcceptDifference):
            self._state.accept_difference = True

    def _tells_people(self) -> bool:
        return workflow.patched(_ALARMS)

    def _releases_when_stopped(self) -> bool:
        return workflow.patched(_ALARMS)

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
        super()._go(step, sentence, publish=publish)
        if publish:
            self._published = step

    def _close(self, result: OrderResult) -> None:
        """The end. An order that waited for its shipment has had all its search attributes since then: that it
        is closed, its status says, and another action would tell nothing."""
        told = self._published is Step.AWAITING_SHIPMENT and workflow.patched(_ENDS_QUIETLY)
        self._go(Step.CLOSED, result.sentence, publish=not told)

    def _attributes(self) -> Attributes:
        state = self._state
        known: Attributes = []
        if state.hold is not None and state.hold.skus:
            known.append(sa.UNMAPPED_SKUS.value_set(list(state.hold.skus)))
        if state.sales_order is not None:
            known.append(sa.M3_ORDER.value_set(state.sales_order.orno))
        if state.order is not None:
            known.append(sa.MARKETPLACE.value_set(marketplace_name(state.order.marketplace_id)))
            known.append(sa.CHANNEL.value_set(state.order.channel.value))
            if state.order.ship_by is not None:
                known.append(sa.SHIP_BY.value_set(state.order.ship_by))
        return known

    def _attributes_over(self, hold: Hold) -> Attributes:
        over = super()._attributes_over(hold)
        return [*over, sa.UNMAPPED_SKUS.value_unset()] if hold.skus else over

    def _details(self) -> str:
        return super()._details() + details.cancelled(self._state.cancellations)
