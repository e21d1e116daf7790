"""One Amazon order, carried into M3: items and customer, sales order, shipments, invoices, ledger.

An order never fails. What cannot go on is held, says why, and waits without a timer for a repair.
"""

import asyncio
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.cancellations import CancelledBy, cancelled_pieces
from canonical.fixes import AcceptDifference
from canonical.held import HeldReason, Hold
from canonical.order import Channel, Delivery, OrderStatus
from canonical.order_contracts import ORDER_TO_CASH, OrderResult, OrderToCashInput
from canonical.shipments import all_shipped, changes_since
from canonical.steps import Step
from workflows.order_booking import OrderBooking
from workflows.order_calls import OrderCalls
from workflows.order_cancellation import OrderCancelled
from workflows.order_shipments import OrderShipments
from workflows.repairable import GivenUp

_TAKES_LINES_BACK = "takes-lines-back"
"""Patch: orders under way before cancelled lines were taken back without a person."""


@workflow.defn(name=ORDER_TO_CASH)
class OrderToCash(OrderBooking, OrderShipments, OrderCancelled):
    """The order's whole life. Handlers live in `OrderHandlers`, `OrderNotified` and `OrderCancelled`, calls in
    `OrderCalls`, everything up to M3's sales order in `OrderBooking`."""

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

    # --- shipments, invoices, ledger ------------------------------------------------------------

    async def _ship_and_invoice(self) -> None:
        state = self._state
        while True:
            self._stop_if_cancelled()
            cancelled = self._cancelled_in_part()
            if not cancelled and await self._ends_short():
                return
            if not cancelled and all_shipped(state.wanted, state.reported):
                return
            items = state.next_goods()
            if cancelled and not items:
                await self._take_lines_back(cancelled, CancelledBy.AMAZON)
                continue
            if not cancelled:
                await self._hold_if_changed()
                await self._answer_buyer()
                items = state.next_goods()
            if items:
                await self._report(items)
            elif state.arrived:
                await self._confirm(state.arrived.pop(0))
            else:
                await self._await_shipment()

    def _cancelled_in_part(self) -> dict[str, int]:
        """Pieces that Amazon has cancelled and M3 still has; what Amazon has shipped is reported first."""
        state = self._state
        if state.booked is None or state.cancelled:
            return {}
        pieces = cancelled_pieces(state.booked, state.wanted)
        return pieces if pieces and workflow.patched(_TAKES_LINES_BACK) else {}

    async def _await_shipment(self) -> None:
        state = self._state
        who = "Amazon" if state.facts.channel is Channel.FBA else "the own warehouse"
        orno = state.sales_order.orno if state.sales_order else ""
        self._go(Step.AWAITING_SHIPMENT, f"M3 order {orno} waits for {who} to ship.", publish=True)
        known = state.facts
        await self._wait(lambda: state.facts is not known or bool(state.arrived) or bool(state.next_goods()))

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
        for package in state.without_returning(delivery.packages) if state.returning else delivery.packages:
            done = await self._until_done(
                Step.SHIPMENT,
                partial(calls.confirm_shipment, package),
                partial(calls.confirmed_by_hand, package, delivery),
            )
            state.confirmed_packages.append(done.reference)
            if not done.by_hand:
                state.told.append(package)
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
            changes = changes_since(state.booked, state.wanted)
            if not changes:
                return
            sentence = f"Amazon changed order {state.order_id} after it was booked: {' '.join(changes)}"
            fix = await self._held(Step.SHIPMENT, Hold(reason=HeldReason.ORDER_CHANGED, sentence=sentence))
            if isinstance(fix, AcceptDifference):
                state.booked = state.wanted
