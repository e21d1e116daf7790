"""The M3 activities, under the names of `canonical.activity_contracts`: each a step, its failures
translated."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime

import structlog
from temporalio import activity

from activities.errors import failures_as_temporal_knows_them, heartbeating
from activities.m3.client import M3Client
from activities.m3.context import M3Context
from activities.m3.errors import MIError, NotYet
from activities.m3.facts import m3_facts
from activities.m3.goods_left import deliveries_of
from activities.m3.options import M3Options
from activities.m3.reasons import hold_for
from activities.m3.steps.cancel_sales_order import cancel_sales_order
from activities.m3.steps.create_sales_order import create_sales_order
from activities.m3.steps.ensure_customer import ensure_customer
from activities.m3.steps.invoice_delivery import invoice_delivery
from activities.m3.steps.post_general_ledger import post_general_ledger
from activities.m3.steps.report_goods_issue import report_goods_issue
from activities.m3.steps.resolve_items import resolve_items
from activities.m3.steps.take_lines_back import take_lines_back
from activities.m3.steps.verify_step import verify_step
from canonical import activity_contracts as act
from canonical.audit_contracts import AUDIT_M3_ORDERS, AuditM3Request, AuditM3Result
from canonical.cancellation_contracts import TAKE_LINES_BACK, TakeLinesBackRequest, TakeLinesBackResult
from canonical.order import Delivery, Invoice, Voucher
from canonical.profile import MarketplaceProfile


class M3Activities:
    """Activities on one M3 company. `profiles` by marketplace id."""

    def __init__(
        self, client: M3Client, profiles: Mapping[str, MarketplaceProfile], options: M3Options
    ) -> None:
        self.context = M3Context(client, profiles, options)

    @property
    def all(self) -> list[Callable[..., object]]:
        """Every activity, for a worker."""
        return [
            self.resolve_items,
            self.ensure_customer,
            self.create_sales_order,
            self.report_goods_issue,
            self.invoice_delivery,
            self.post_general_ledger,
            self.cancel_sales_order,
            self.take_lines_back,
            self.verify_step,
            self.audit_m3_orders,
        ]

    async def deliveries_of(self, order_ids: Sequence[str]) -> Mapping[str, tuple[Delivery, ...]]:
        """M3 deliveries whose goods have left, by Amazon order id; no activity, the sweep's is another's."""
        return await deliveries_of(self.context, order_ids)

    @activity.defn(name=act.RESOLVE_ITEMS)
    async def resolve_items(self, request: act.ResolveItemsRequest) -> act.ResolveItemsResult:
        """SellerSKUs into M3 items."""
        async with under_way(request.ref.order_id):
            return await resolve_items(self.context, request)

    @activity.defn(name=act.ENSURE_CUSTOMER)
    async def ensure_customer(self, request: act.EnsureCustomerRequest) -> act.CustomerResult:
        """The customer the order is booked on."""
        async with under_way(request.order.order_id):
            return await ensure_customer(self.context, request)

    @activity.defn(name=act.CREATE_SALES_ORDER)
    async def create_sales_order(self, request: act.CreateSalesOrderRequest) -> act.SalesOrderResult:
        """The one customer order of an Amazon order."""
        async with under_way(request.order.order_id):
            return await create_sales_order(self.context, request)

    @activity.defn(name=act.REPORT_GOODS_ISSUE)
    async def report_goods_issue(self, request: act.ReportGoodsIssueRequest) -> Delivery:
        """M3 is told that Amazon has shipped."""
        async with under_way(request.ref.order_id):
            return await report_goods_issue(self.context, request)

    @activity.defn(name=act.INVOICE_DELIVERY)
    async def invoice_delivery(self, request: act.InvoiceDeliveryRequest) -> Invoice:
        """The invoice of a delivery."""
        async with under_way(request.ref.order_id):
            return await invoice_delivery(self.context, request)

    @activity.defn(name=act.POST_GENERAL_LEDGER)
    async def post_general_ledger(self, request: act.PostGeneralLedgerRequest) -> Voucher:
        """The voucher of an invoice."""
        async with under_way(request.ref.order_id):
            return await post_general_ledger(self.context, request)

    @activity.defn(name=act.CANCEL_SALES_ORDER)
    async def cancel_sales_order(self, request: act.CancelSalesOrderRequest) -> act.CancelSalesOrderResult:
        """An order taken back."""
        async with under_way(request.ref.order_id):
            return await cancel_sales_order(self.context, request)

    @activity.defn(name=TAKE_LINES_BACK)
    async def take_lines_back(self, request: TakeLinesBackRequest) -> TakeLinesBackResult:
        """Cancelled lines of an order that goes on."""
        async with under_way(request.ref.order_id):
            return await take_lines_back(self.context, request)

    @activity.defn(name=act.VERIFY_STEP)
    async def verify_step(self, request: act.VerifyStepRequest) -> act.VerifyStepResult:
        """What a person says was done by hand, checked."""
        async with under_way(request.ref.order_id):
            return await verify_step(self.context, request)

    @activity.defn(name=AUDIT_M3_ORDERS)
    async def audit_m3_orders(self, request: AuditM3Request) -> AuditM3Result:
        """What M3 holds for a list of Amazon orders."""
        async with under_way("(audit)"):
            return AuditM3Result(orders=await m3_facts(self.context, request.order_ids))


@contextlib.asynccontextmanager
async def under_way(order_id: str) -> AsyncIterator[None]:
    """Log lines with the order's id, heartbeats while it takes long, failures as Temporal knows them."""
    with failures_as_temporal_knows_them(), structlog.contextvars.bound_contextvars(order_id=order_id):
        async with heartbeating():
            try:
                yield
            except MIError as error:
                raise hold_for(error, order_id) from error
            except NotYet as error:
                info = activity.info()
                raise error.after(info.attempt, datetime.now(UTC) - info.scheduled_time) from error
