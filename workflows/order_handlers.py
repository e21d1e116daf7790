"""Signals, updates, the query, and what an operator sees: the order's ears and face.

Every repair is an update (answered at once) and a signal of the same name (for the Web UI and batches).
Both take any arguments and read them here, because a signal with a missing or surplus argument would
otherwise stop the workflow, and a mistyped one would vanish.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical.activity_contracts import (
    AmazonChanged,
    GoodsLeft,
    OrderResult,
    OrderToCashInput,
    OrderView,
    Repair,
)
from canonical.fixes import AcceptDifference, Cancel, Fix, MarkStepDone
from canonical.held import FixName, HeldReason, Hold
from canonical.marketplaces import marketplace_name
from canonical.steps import Step
from workflows import details
from workflows import search_attributes as sa
from workflows.alarms import tell_held, tell_released
from workflows.holds import hold_of, naming
from workflows.order_calls import OrderCalls
from workflows.order_state import OrderState
from workflows.repairs import DESCRIPTIONS, BadRepair, check_fix, read_fix, read_news, values_of

T = TypeVar("T")
_ALARMS = "alarms"
"""Patch: orders held before it told nobody."""
_ENDS_QUIETLY = "ends-quietly"
"""Patch: orders closed before it always wrote their last step to the search attributes."""
News = TypeVar("News", bound=BaseModel)
_BEFORE_GOODS_LEAVE = (HeldReason.ORDER_CHANGED, HeldReason.CANCELLATION_REQUESTED)
"""Reasons of a booked order of which Amazon's cancellation ends the hold."""
_Updates = list[
    SearchAttributeUpdate[str] | SearchAttributeUpdate[datetime] | SearchAttributeUpdate[Sequence[str]]
]


class GivenUp(Exception):  # noqa: N818 - a decision, not an error
    """The order was cancelled, by Amazon or by a person."""


class OrderHandlers:
    """Base of the order workflow: state, handlers, holding, what the Web UI shows."""

    _calls: OrderCalls
    _ends_when_cancelled: ClassVar[bool] = True
    """Whether Amazon's cancellation ends a hold: there is something to take back, or nothing to do any more."""

    def __init__(self, start: OrderToCashInput) -> None:
        self._state = OrderState.from_input(start)

    # --- machine events -------------------------------------------------------------------------

    @workflow.signal(description="Sent by the sweep, not by people: Amazon's order as it now is.")
    def amazon_changed(self, *arguments: object) -> None:
        news = self._news("amazon_changed", AmazonChanged, arguments)
        if news is not None:
            self._state.take_snapshot(news.order)
            self._show()

    @workflow.signal(description="Sent by the sweep, not by people: M3 deliveries that have left.")
    def goods_left(self, *arguments: object) -> None:
        news = self._news("goods_left", GoodsLeft, arguments)
        if news is not None:
            self._state.take_goods_left(news)

    def _news(self, name: str, kind: type[News], arguments: tuple[object, ...]) -> News | None:
        try:
            return read_news(kind, arguments)
        except BadRepair as error:
            self._note(f"Signal {name} was ignored: {error}")
            return None

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Whatever else is sent: answered on the order, harmless."""
        repairs = ", ".join(FixName)
        self._note(f"A signal `{name[:80]}` is not known here and was ignored. Repairs: {repairs}.")

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

    @workflow.update(description=DESCRIPTIONS[FixName.SET_CUSTOMER])
    async def set_customer(self, *arguments: object) -> str:
        return self._accept(FixName.SET_CUSTOMER, arguments)

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

    @map_sku.validator
    def _check_map_sku(self, *arguments: object) -> None:
        self._check(FixName.MAP_SKU, arguments)

    @correct_address.validator
    def _check_correct_address(self, *arguments: object) -> None:
        self._check(FixName.CORRECT_ADDRESS, arguments)

    @set_customer.validator
    def _check_set_customer(self, *arguments: object) -> None:
        self._check(FixName.SET_CUSTOMER, arguments)

    @accept_difference.validator
    def _check_accept_difference(self, *arguments: object) -> None:
        self._check(FixName.ACCEPT_DIFFERENCE, arguments)

    @mark_step_done.validator
    def _check_mark_step_done(self, *arguments: object) -> None:
        self._check(FixName.MARK_STEP_DONE, arguments)

    @cancel.validator
    def _check_cancel(self, *arguments: object) -> None:
        self._check(FixName.CANCEL, arguments)

    # --- the same repairs as signals, for the Web UI and batches --------------------------------

    @workflow.signal(name="retry", description=DESCRIPTIONS[FixName.RETRY])
    def retry_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.RETRY, arguments)

    @workflow.signal(name="map_sku", description=DESCRIPTIONS[FixName.MAP_SKU])
    def map_sku_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.MAP_SKU, arguments)

    @workflow.signal(name="correct_address", description=DESCRIPTIONS[FixName.CORRECT_ADDRESS])
    def correct_address_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.CORRECT_ADDRESS, arguments)

    @workflow.signal(name="set_customer", description=DESCRIPTIONS[FixName.SET_CUSTOMER])
    def set_customer_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.SET_CUSTOMER, arguments)

    @workflow.signal(name="accept_difference", description=DESCRIPTIONS[FixName.ACCEPT_DIFFERENCE])
    def accept_difference_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.ACCEPT_DIFFERENCE, arguments)

    @workflow.signal(name="mark_step_done", description=DESCRIPTIONS[FixName.MARK_STEP_DONE])
    def mark_step_done_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.MARK_STEP_DONE, arguments)

    @workflow.signal(name="cancel", description=DESCRIPTIONS[FixName.CANCEL])
    def cancel_signal(self, *arguments: object) -> None:
        self._accept_signal(FixName.CANCEL, arguments)

    @workflow.query(description="The order as it stands, without personal data.")
    def state(self) -> OrderView:
        return self._state.view()

    # --- accepting a repair ---------------------------------------------------------------------

    def _check(self, name: FixName, arguments: tuple[object, ...]) -> Fix:
        state = self._state
        fix = read_fix(name, arguments)
        if state.fix is not None:
            raise BadRepair(f"Another repair of order {state.order_id} was accepted a moment ago.")
        check_fix(fix, name, order_id=state.order_id, hold=state.hold, step=state.step, skus=state.skus)
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
                at=workflow.now(),
                fix=name.value,
                by=fix.by,
                why=fix.why,
                reason=reason,
                what=values_of(fix),
            )
        )
        if state.hold is None and isinstance(fix, Cancel):
            state.give_up = True
        else:
            state.fix = fix
        repaired = f"; {reason} is being repaired" if reason else ""
        return f"{name} of order {state.order_id} was accepted{repaired}."

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

    def _show(self) -> None:
        state = self._state
        if state.hold is not None and state.held_since is not None:
            text = details.held(
                state.order_id, state.step, state.hold, state.held_since, state.remarks, state.repairs
            )
        else:
            text = details.waiting(state.order_id, state.step, self._sentence, state.remarks, state.repairs)
        workflow.set_current_details(text + details.cancelled(state.cancellations))

    _sentence: str = "Received."
    _published: Step | None = None
    """The step that the search attributes show, where the order entered it by itself."""
