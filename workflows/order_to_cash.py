"""One Amazon order, carried into M3: items and customer, sales order, shipments, invoices, ledger.

An order never fails. What cannot go on is held, says why, and waits without a timer for a repair.
"""

import asyncio
from collections.abc import Awaitable
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.activity_contracts import ORDER_TO_CASH, OrderResult, OrderToCashInput
from canonical.fixes import AcceptDifference, Cancel, CorrectAddress, MapSku, MarkStepDone, Retry, SetCustomer
from canonical.held import HeldReason, Hold
from canonical.order import Channel, Delivery, Order, OrderStatus
from canonical.shipments import all_shipped, changes_since, next_shipment
from canonical.steps import Step
from workflows.order_calls import OrderCalls
from workflows.order_handlers import GivenUp
from workflows.order_notified import OrderNotified

_BOOKED_AS_SENT = "booked-as-sent"
"""Patch: orders booked before news that came during the booking was seen as a change."""
_READ_AGAIN = frozenset({HeldReason.ORDER_INCOMPLETE, HeldReason.AMOUNTS_INCONSISTENT})
"""Reasons whose retry asks Amazon for the order again."""


@workflow.defn(name=ORDER_TO_CASH)
class OrderToCash(OrderNotified):
    """The order's whole life. Handlers live in `OrderHandlers` and `OrderNotified`, calls in `OrderCalls`."""

    @workflow.init
    def __init__(self, start: OrderToCashInput) -> None:
        super().__init__(start)
        self._calls = OrderCalls(self._state)

    @workflow.run
    async def run(self, start: OrderToCashInput) -> OrderResult:
        """Carry the order to its end and say how it ended."""
        try:
            result = await self._carry()
        except GivenUp:
            result = await self._cancel()
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            # "Request cancellation" in the Web UI means what the repair `cancel` means: M3's order is taken back.
            self._state.give_up = True
            result = await self._cancel()
        self._close(result)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    async def _carry(self) -> OrderResult:
        state = self._state
        if state.order is None:
            await self._read_order()
        if state.facts.is_multi_channel:
            return state.result(
                "not_a_sale",
                f"Order {state.order_id} is a multi-channel fulfilment order: Amazon ships goods that M3 "
                "already sold, so nothing was booked.",
            )
        await self._await_release()
        await self._book()
        await self._ship_and_invoice()
        invoices = ", ".join(invoice.ivno for invoice in state.invoices) or "none"
        orno = state.sales_order.orno if state.sales_order else ""
        return state.result(
            "booked", f"Order {state.order_id} is M3 order {orno}, shipped and invoiced ({invoices})."
        )

    # --- up to the sales order ------------------------------------------------------------------

    async def _read_order(self) -> None:
        self._go(Step.RECEIVED, "Reading the order from Amazon.")
        self._state.take_snapshot(await self._until_done(Step.RECEIVED, self._calls.fetch_order))
        self._heed_notices()

    async def _await_release(self) -> None:
        if not self._state.facts.is_released:
            self._go(
                Step.AWAITING_RELEASE,
                "Amazon has not released the order (payment or availability is pending).",
                publish=True,
            )
            await self._wait(lambda: self._state.facts.is_released)
        self._stop_if_cancelled()
        if self._state.facts.status is OrderStatus.UNFULFILLABLE:
            self._state.remark("Amazon says the order is unfulfillable.")
            raise GivenUp

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
            work.append((Step.ITEMS, self._calls.resolve_items()))
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
            case Cancel():
                state.give_up = True

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

    # --- shipments, invoices, ledger ------------------------------------------------------------

    async def _ship_and_invoice(self) -> None:
        state = self._state
        while True:
            self._stop_if_cancelled()
            if all_shipped(state.facts, state.reported):
                return
            await self._hold_if_changed()
            items = next_shipment(state.shipped_without_m3, state.reported)
            if items:
                await self._report(items)
            elif state.arrived:
                await self._confirm(state.arrived.pop(0))
            else:
                await self._await_shipment()

    async def _await_shipment(self) -> None:
        state = self._state
        who = "Amazon" if state.facts.channel is Channel.FBA else "the own warehouse"
        orno = state.sales_order.orno if state.sales_order else ""
        self._go(Step.AWAITING_SHIPMENT, f"M3 order {orno} waits for {who} to ship.", publish=True)
        known = state.facts
        await self._wait(lambda: state.facts is not known or bool(state.arrived))

    async def _report(self, items: dict[str, int]) -> None:
        """Amazon shipped: M3 is told once, then the delivery is invoiced."""
        state, calls = self._state, self._calls
        self._go(Step.SHIPMENT, "Telling M3 that the goods have left.")
        number = state.shipments + 1
        delivery = await self._until_done(
            Step.SHIPMENT,
            partial(calls.report_goods_issue, number, items),
            partial(calls.found_delivery, items),
        )
        await self._invoice(delivery, delivery.items or items)

    async def _confirm(self, delivery: Delivery) -> None:
        """The own warehouse shipped: Amazon is told package by package, then the delivery is invoiced."""
        state, calls = self._state, self._calls
        self._go(Step.SHIPMENT, "Confirming the shipment to Amazon.")
        state.confirming = [delivery]
        for package in delivery.packages:
            done = await self._until_done(
                Step.SHIPMENT,
                partial(calls.confirm_shipment, package),
                partial(calls.confirmed_by_hand, package, delivery),
            )
            state.confirmed_packages.append(done.reference)
        state.confirming = []
        await self._invoice(delivery, delivery.items)

    async def _invoice(self, delivery: Delivery, items: dict[str, int]) -> None:
        state, calls = self._state, self._calls
        state.shipments += 1
        state.add_shipped(items)
        state.deliveries.append(delivery)
        self._go(Step.INVOICE, f"Waiting for M3 to invoice delivery {delivery.dlix}.")
        invoice = await self._until_done(
            Step.INVOICE, partial(calls.invoice_delivery, delivery), partial(calls.found_invoice, delivery)
        )
        state.invoices.append(invoice)
        self._go(Step.LEDGER, f"Checking the voucher of invoice {invoice.ivno}.")
        voucher = await self._until_done(
            Step.LEDGER, partial(calls.post_general_ledger, invoice), partial(calls.found_voucher, invoice)
        )
        state.accept_difference = False
        state.vouchers.append(voucher)

    async def _hold_if_changed(self) -> None:
        """Amazon changed what was ordered after M3 booked it: a person has to look."""
        state = self._state
        while state.booked is not None and not state.cancelled:
            changes = changes_since(state.booked, state.facts)
            if not changes:
                return
            sentence = f"Amazon changed order {state.order_id} after it was booked: {' '.join(changes)}"
            fix = await self._held(Step.SHIPMENT, Hold(reason=HeldReason.ORDER_CHANGED, sentence=sentence))
            if isinstance(fix, AcceptDifference):
                state.booked = state.facts
            elif isinstance(fix, Cancel):
                state.give_up = True
                raise GivenUp

    # --- cancellation ---------------------------------------------------------------------------

    async def _cancel(self) -> OrderResult:
        """Take the order back in M3 as far as its state allows; M3 is searched even without a number."""
        state, calls = self._state, self._calls
        who = "by an operator" if state.give_up else "at Amazon"
        self._go(Step.CANCELLING, f"The order was cancelled {who}; taking it back in M3.")
        done = await self._until_done(Step.CANCELLING, calls.cancel_sales_order, calls.settled_by_hand)
        if done.deleted:
            numbers = ", ".join(done.deleted)
            how = "settled by hand" if done.by_hand else "taken back"
            sentence = f"Order {state.order_id} was cancelled {who}; M3 order {numbers} was {how}."
        else:
            sentence = f"Order {state.order_id} was cancelled {who} before M3 knew it."
        return state.result("cancelled", sentence)
