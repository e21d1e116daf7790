"""The order's calls to the outside, each with its queue, patience and summary for the Web UI."""

from temporalio import workflow
from temporalio.common import Priority

from canonical import activity_contracts as act
from canonical.cancellation_contracts import (
    OPEN_RETURNS,
    TAKE_LINES_BACK,
    OpenReturnsRequest,
    OpenReturnsResult,
    TakeLinesBackRequest,
    TakeLinesBackResult,
)
from canonical.fixes import MapSku, MarkStepDone
from canonical.order import Delivery, Invoice, Order, Package, Voucher
from canonical.order_facts import missing_facts
from canonical.sku.contracts import SPREAD_MAPPING, MapSkuInput
from workflows import policies
from workflows.calls import Calls
from workflows.order_state import OrderState
from workflows.policies import LIVE_PRIORITY, CallPolicy, marketplace_priority, seller_priority


class OrderCalls(Calls):
    """Activities of one order, named by `canonical.activity_contracts`."""

    def __init__(self, state: OrderState) -> None:
        super().__init__(state.seller_id)
        self._state = state
        self.fetched = False
        """Whether Amazon was asked for the whole order."""

    def _priority(self, policy: CallPolicy) -> Priority:
        """As the order was started: live, or behind them. Amazon's queues count their quota by seller."""
        key = workflow.info().priority.priority_key or LIVE_PRIORITY
        if policy.queue != act.M3_QUEUE:
            return seller_priority(self._seller_id, key)
        return marketplace_priority(self._seller_id, self._state.ref.marketplace_id, key)

    def missing(self) -> tuple[str, ...]:
        """What M3 needs and the order lacks; a corrected address counts."""
        return missing_facts(self._state.facts, self._state.address)

    async def fetch_order(self) -> Order:
        state = self._state
        self.fetched = True
        notices = tuple(state.notices.waiting)
        request = act.FetchOrderRequest(seller_id=state.seller_id, order_id=state.order_id)
        order = await self._call(
            act.FETCH_ORDER, request, Order, policies.AMAZON_GET, "Read the order from Amazon"
        )
        state.notices.answered(notices)
        return order

    async def resolve_items(self) -> None:
        state = self._state
        lines = state.facts.lines
        request = act.ResolveItemsRequest(
            ref=state.ref,
            skus=state.skus,
            asins={line.seller_sku: line.asin for line in lines if line.asin},
            titles={line.seller_sku: line.title for line in lines if line.title},
            chosen=tuple(state.chosen),
        )
        skus = len(state.skus)
        summary = f"Find {skus} SKU{'s' * (skus > 1)} in M3"
        found = await self._call(
            act.RESOLVE_ITEMS, request, act.ResolveItemsResult, policies.M3_CALL, summary
        )
        state.items = found.items

    async def spread_mapping(self, fix: MapSku) -> None:
        """Have the other orders released that are held for the SKU."""
        state = self._state
        wanted = MapSkuInput(
            seller_id=state.seller_id,
            sku=fix.sku,
            itno=fix.itno,
            by=fix.by,
            why=fix.why or f"as for order {state.order_id}",
        )
        summary = "Have others held for the SKU released"
        await self._call(SPREAD_MAPPING, wanted, MapSkuInput, policies.TELLING, summary)

    async def ensure_customer(self) -> None:
        state = self._state
        request = act.EnsureCustomerRequest(order=state.facts, address=state.address, cuno=state.chosen_cuno)
        found = await self._call(
            act.ENSURE_CUSTOMER, request, act.CustomerResult, policies.M3_CALL, "Find the customer in M3"
        )
        state.cuno = found.cuno

    async def create_sales_order(self) -> act.SalesOrderResult:
        state = self._state
        request = act.CreateSalesOrderRequest(
            order=state.facts,
            items=state.items or {},
            cuno=state.cuno,
            address=state.address,
            accept_difference=state.accept_difference,
        )
        total = state.facts.grand_total
        lines = len(state.facts.lines)
        summary = f"Book the order in M3: {lines} line{'s' * (lines > 1)}, {total or 'no total'}"
        return await self._call(
            act.CREATE_SALES_ORDER, request, act.SalesOrderResult, policies.M3_CALL, summary
        )

    async def report_goods_issue(self, number: int, items: dict[str, int]) -> Delivery:
        state = self._state
        if state.sales_order is None:
            raise RuntimeError("goods are reported before the order is booked")
        request = act.ReportGoodsIssueRequest(
            ref=state.ref,
            sales_order=state.sales_order,
            shipment=number,
            items=items,
            known_deliveries=tuple(delivery.dlix for delivery in state.deliveries),
        )
        summary = f"Tell M3 that shipment {number} has left ({sum(items.values())} pieces)"
        return await self._call(act.REPORT_GOODS_ISSUE, request, Delivery, policies.M3_CALL, summary)

    async def confirm_shipment(self, package: Package) -> act.ConfirmShipmentResult:
        state = self._state
        request = act.ConfirmShipmentRequest(
            ref=state.ref, package=package, order_created=state.facts.created
        )
        summary = f"Confirm package {package.reference} to Amazon"
        return await self._call(
            act.CONFIRM_SHIPMENT, request, act.ConfirmShipmentResult, policies.AMAZON_CONFIRM, summary
        )

    async def invoice_delivery(self, delivery: Delivery) -> Invoice:
        state = self._state
        orno = state.sales_order.orno if state.sales_order else ""
        request = act.InvoiceDeliveryRequest(ref=state.ref, orno=orno, delivery=delivery)
        summary = f"Invoice delivery {delivery.dlix}"
        return await self._call(act.INVOICE_DELIVERY, request, Invoice, policies.M3_WAIT, summary)

    async def post_general_ledger(self, invoice: Invoice) -> Voucher:
        state = self._state
        request = act.PostGeneralLedgerRequest(
            ref=state.ref, invoice=invoice, accept_difference=state.accept_difference
        )
        summary = f"See the voucher of invoice {invoice.ivno}"
        return await self._call(act.POST_GENERAL_LEDGER, request, Voucher, policies.M3_WAIT, summary)

    async def cancel_sales_order(self) -> act.CancelSalesOrderResult:
        state = self._state
        orno = state.sales_order.orno if state.sales_order else ""
        request = act.CancelSalesOrderRequest(ref=state.ref, orno=orno)
        summary = f"Take back M3 order {orno}" if orno else "See that M3 has no such order"
        return await self._call(
            act.CANCEL_SALES_ORDER, request, act.CancelSalesOrderResult, policies.M3_CALL, summary
        )

    async def take_lines_back(self, now: Order, *, by_hand: bool = False) -> TakeLinesBackResult:
        """M3's order lowered to what `now` says; `by_hand`: as far as a person has not settled it."""
        state = self._state
        if state.sales_order is None:
            raise RuntimeError("lines are taken back before the order is booked")
        request = TakeLinesBackRequest(
            ref=state.ref,
            order=now.model_copy(update={"ship_to": None}),
            sales_order=state.sales_order,
            accept_difference=state.accept_difference,
            by_hand=by_hand,
        )
        summary = f"Take cancelled lines of M3 order {state.sales_order.orno} back"
        return await self._call(TAKE_LINES_BACK, request, TakeLinesBackResult, policies.M3_CALL, summary)

    # --- what a person did by hand, looked up in M3 ---------------------------------------------

    async def verify(
        self, fix: MarkStepDone, *, delivery: Delivery | None = None, invoice: Invoice | None = None
    ) -> act.VerifyStepResult:
        """Look in M3 for what a person says was done by hand."""
        state = self._state
        request = act.VerifyStepRequest(
            ref=state.ref,
            step=fix.step,
            number=fix.number,
            year=fix.year,
            order=state.facts,
            sales_order=state.sales_order,
            items=state.items or {},
            invoice=invoice,
            delivery=delivery,
        )
        summary = f"Check {fix.step} {fix.number} in M3"
        return await self._call(act.VERIFY_STEP, request, act.VerifyStepResult, policies.M3_CALL, summary)

    async def found_delivery(self, items: dict[str, int], fix: MarkStepDone) -> Delivery:
        found = (await self.verify(fix)).delivery
        return found or Delivery(dlix=fix.number, whlo="", items=items)

    async def confirmed_by_hand(
        self, package: Package, delivery: Delivery, fix: MarkStepDone
    ) -> act.ConfirmShipmentResult:
        await self.verify(fix, delivery=delivery)
        self._state.remark(f"Package {package.reference} was confirmed to Amazon by hand.")
        return act.ConfirmShipmentResult(reference=package.reference, already_known=True, by_hand=True)

    async def found_invoice(self, delivery: Delivery, fix: MarkStepDone) -> Invoice:
        found = (await self.verify(fix, delivery=delivery)).invoice
        if found is None:
            raise RuntimeError("verify_step answered an invoice step without an invoice")
        return found

    async def found_voucher(self, invoice: Invoice, fix: MarkStepDone) -> Voucher:
        found = (await self.verify(fix, invoice=invoice)).voucher
        if found is None:
            raise RuntimeError("verify_step answered a ledger step without a voucher")
        return found

    async def settled_by_hand(self, fix: MarkStepDone) -> act.CancelSalesOrderResult:
        found = await self.verify(fix)
        return act.CancelSalesOrderResult(deleted=(fix.number,), by_hand=True, left=found.left)

    async def open_returns(self, orno: str, pieces: dict[str, int]) -> OpenReturnsResult:
        """Have the return of goods followed that left although they were cancelled; pieces by SKU."""
        state = self._state
        request = OpenReturnsRequest(
            seller_id=state.seller_id,
            order_id=state.order_id,
            orno=orno,
            at=workflow.now(),
            pieces=pieces,
        )
        return await self._call(
            OPEN_RETURNS, request, OpenReturnsResult, policies.TELLING, "Have their return followed"
        )
