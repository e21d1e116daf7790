"""Signals, updates and the query: the order's ears.

Every repair is an update (answered at once) and a signal of the same name (for the Web UI and batches).
Both take any arguments and read them here, because a signal with a missing or surplus argument would
otherwise stop the workflow, and a mistyped one would vanish.
"""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from canonical.fixes import Cancel, Fix
from canonical.held import FixName
from canonical.order_contracts import (
    AmazonChanged,
    GoodsLeft,
    OrderView,
    Repair,
)
from workflows.order_holding import OrderHolding
from workflows.repairs import DESCRIPTIONS, BadRepair, check_fix, read_fix, read_news, values_of

News = TypeVar("News", bound=BaseModel)


class OrderHandlers(OrderHolding):
    """What an order hears: news from the sweep, repairs from people, the query."""

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
