"""From Amazon's order to M3's sales order: what is missing is asked for, items and customer are found, the order is
entered; each repair sends the order back to where it helps."""

import asyncio
from collections.abc import Awaitable

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.fixes import AcceptDifference, CorrectAddress, MapSku, MarkStepDone, Retry, SetCustomer
from canonical.held import HeldReason, Hold
from canonical.order import Order
from canonical.sku.contracts import sku_workflow_id
from canonical.steps import Step
from workflows.order_notified import OrderNotified

_BOOKED_AS_SENT = "booked-as-sent"
"""Patch: orders booked before news that came during the booking was seen as a change."""
_SPREADS = "spreads-mappings"
"""Patch: a SKU that was mapped for an order before was so for this order alone."""
_READ_AGAIN = frozenset({HeldReason.ORDER_INCOMPLETE, HeldReason.AMOUNTS_INCONSISTENT})
"""Reasons whose retry asks Amazon for the order again."""


class OrderBooking(OrderNotified):
    """How an order is booked in M3."""

    async def _read_order(self) -> None:
        self._go(Step.RECEIVED, "Reading the order from Amazon.")
        self._state.take_snapshot(await self._until_done(Step.RECEIVED, self._calls.fetch_order))
        self._heed_notices()

    async def _book(self) -> None:
        """Items and customer together, then the order; a repair may send any of them back."""
        state = self._state
        while state.sales_order is None:
            self._stop_if_cancelled()
            problem = await self._complete_facts()
            self._stop_if_cancelled()
            if problem is None:
                problem = await self._items_and_customer()
            if problem is None:
                self._go(Step.SALES_ORDER, "Booking the order in M3.")
                problem = await self._create_sales_order()
            if problem is not None:
                await self._repair(state.step, problem)
        state.accept_difference = False

    async def _complete_facts(self) -> Hold | None:
        """Ask Amazon for what the source of the order did not carry; None when nothing is missing."""
        state = self._state
        if not self._calls.missing() and not state.facts.inconsistency:
            return None
        if not self._calls.fetched:
            await self._read_order()
        if state.facts.inconsistency:
            return Hold(reason=HeldReason.AMOUNTS_INCONSISTENT, sentence=state.facts.inconsistency)
        missing = self._calls.missing()
        if not missing or self._state.cancelled:
            return None
        sentence = f"Amazon's order {state.order_id} lacks: {', '.join(missing)}."
        return Hold(reason=HeldReason.ORDER_INCOMPLETE, sentence=sentence, system="Amazon")

    async def _items_and_customer(self) -> Hold | None:
        state = self._state
        work: list[tuple[Step, Awaitable[None]]] = []
        if state.items is None:
            work.append((Step.ITEMS, self._resolve_items()))
        if not state.cuno:
            work.append((Step.CUSTOMER, self._calls.ensure_customer()))
        if not work:
            return None
        self._go(Step.ITEMS, "Looking up items and customer in M3.")
        done = await asyncio.gather(*(call for _, call in work), return_exceptions=True)
        for (step, _), outcome in zip(work, done, strict=True):
            if isinstance(outcome, ActivityError):
                state.step = step
                return self._hold_of(outcome, step)
            if isinstance(outcome, BaseException):
                raise outcome
        return None

    async def _resolve_items(self) -> None:
        """Find the items. What a person mapped for this order is mapped for all that are held for the SKU."""
        try:
            await self._calls.resolve_items()
        except ActivityError as error:
            hold = self._hold_of(error, Step.ITEMS)
            if hold.skus:  # the others have their items
                await self._spread_mappings(hold.skus)
            raise
        await self._spread_mappings(())

    async def _spread_mappings(self, unfit: tuple[str, ...]) -> None:
        state = self._state
        wanted = [fix for fix in state.chosen if not fix.alone and fix.sku not in unfit]
        if not wanted or not workflow.patched(_SPREADS):
            return
        for fix in wanted:
            try:
                await self._calls.spread_mapping(fix)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                self._note(
                    f"Other orders held for SKU {fix.sku} could not be released with this one: o2c sku map does it."
                )
            else:
                name = sku_workflow_id(state.seller_id, fix.sku)
                self._note(f"Workflow `{name}` releases the other orders that are held for SKU {fix.sku}.")
        state.chosen = [
            fix.model_copy(update={"alone": True}) if fix in wanted else fix for fix in state.chosen
        ]

    async def _create_sales_order(self) -> Hold | None:
        state = self._state
        sent = state.facts
        try:
            state.sales_order = await self._calls.create_sales_order()
        except ActivityError as error:
            return self._hold_of(error, Step.SALES_ORDER)
        self._booked_as(sent)
        return None

    def _booked_as(self, sent: Order) -> None:
        """M3 has the order as it was sent there; what Amazon said of it meanwhile is a change."""
        state = self._state
        overtaken = state.facts is not sent and workflow.patched(_BOOKED_AS_SENT)
        state.booked = sent if overtaken else state.facts

    async def _repair(self, step: Step, hold: Hold) -> None:
        """Hold the order and take up the repair that ends the hold (up to the sales order)."""
        state = self._state
        fix = await self._held(step, hold)
        match fix:
            case MapSku():
                state.chosen = [known for known in state.chosen if known.sku != fix.sku] + [fix]
                state.items = None
            case CorrectAddress():
                state.address = fix.address
                state.cuno = ""
            case SetCustomer():
                state.chosen_cuno, state.cuno = fix.cuno, ""
            case AcceptDifference():
                state.accept_difference = True
            case MarkStepDone():
                await self._take_marked_order(fix)
            case Retry():
                if hold.reason is HeldReason.ITEM_BLOCKED:
                    state.items = None
                if hold.reason in _READ_AGAIN:
                    self._calls.fetched = False

    async def _take_marked_order(self, fix: MarkStepDone) -> None:
        sent = self._state.facts
        try:
            found = await self._calls.verify(fix)
        except ActivityError as error:
            await self._repair(fix.step, self._hold_of(error, fix.step))
            return
        if found.sales_order is not None:
            self._state.sales_order = found.sales_order
            self._booked_as(sent)
