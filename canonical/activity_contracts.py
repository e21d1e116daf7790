"""The words between workflows and activities: names, requests, results. No code of either side.

A business refusal reaches the workflow as an ApplicationError whose type is `HELD` and whose first detail
is a `canonical.held.Hold`; everything else is retried by Temporal and becomes m3_unavailable or
amazon_unavailable when the retries are used up.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.cancellations import Cancellation
from canonical.fixes import MapSku
from canonical.money import Money
from canonical.order import Address, Delivery, Invoice, Order, Package, Voucher
from canonical.steps import Step

HELD: Final = "held"
"""ApplicationError type of a business refusal; non-retryable; details[0] is a Hold."""

# Task queues. One queue per limited Amazon operation, so that the Temporal server enforces its quota.
ORDERS_QUEUE: Final = "o2c-orders"
"""Workflows, and nothing that waits for the outside."""
M3_QUEUE: Final = "o2c-m3"
"""Every MI call; its rate is also M3's circuit breaker."""
AMAZON_GET_ORDER_QUEUE: Final = "o2c-amazon-getOrder"
AMAZON_SEARCH_ORDERS_QUEUE: Final = "o2c-amazon-searchOrders"
AMAZON_CONFIRM_SHIPMENT_QUEUE: Final = "o2c-amazon-confirmShipment"
AMAZON_CREATE_REPORT_QUEUE: Final = "o2c-amazon-createReport"
AMAZON_GET_REPORT_QUEUE: Final = "o2c-amazon-getReport"
AMAZON_GET_REPORT_DOCUMENT_QUEUE: Final = "o2c-amazon-getReportDocument"

# Workflow types.
ORDER_TO_CASH: Final = "OrderToCash"
SWEEP: Final = "Sweep"
AUDIT: Final = "Audit"

# Activities.
FETCH_ORDER: Final = "fetch_order"
RESOLVE_ITEMS: Final = "resolve_items"
ENSURE_CUSTOMER: Final = "ensure_customer"
CREATE_SALES_ORDER: Final = "create_sales_order"
REPORT_GOODS_ISSUE: Final = "report_goods_issue"
CONFIRM_SHIPMENT: Final = "confirm_shipment"
INVOICE_DELIVERY: Final = "invoice_delivery"
POST_GENERAL_LEDGER: Final = "post_general_ledger"
CANCEL_SALES_ORDER: Final = "cancel_sales_order"
VERIFY_STEP: Final = "verify_step"
SWEEP_AMAZON_PAGE: Final = "sweep_amazon_page"
SWEEP_M3_DELIVERIES: Final = "sweep_m3_deliveries"
AUDIT_AMAZON_PAGE: Final = "audit_amazon_page"
AUDIT_M3_ORDERS: Final = "audit_m3_orders"
AUDIT_WORKFLOWS: Final = "audit_workflows"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderRef(_Contract):
    """Which order a call is about; enough for every error text and log line."""

    seller_id: str
    order_id: str
    marketplace_id: str


class OrderToCashInput(_Contract):
    """What starts an order: its id, and its facts where the starter already holds them."""

    seller_id: str
    order_id: str
    order: Order | None = None
    """None lets the workflow read the order from Amazon (one getOrder call of quota)."""


class FetchOrderRequest(_Contract):
    seller_id: str
    order_id: str


class ResolveItemsRequest(_Contract):
    """SellerSKUs of one order; `chosen` are mappings a person decided, written to M3 as aliases."""

    ref: OrderRef
    skus: tuple[str, ...]
    asins: dict[str, str] = Field(default_factory=dict)
    titles: dict[str, str] = Field(default_factory=dict)
    chosen: tuple[MapSku, ...] = ()


class ResolveItemsResult(_Contract):
    items: dict[str, str]
    """ITNO by SellerSKU."""


class EnsureCustomerRequest(_Contract):
    order: Order
    address: Address | None = None
    """Corrected address, where a person sent one."""
    cuno: str = ""
    """Customer chosen by a person; only checked then."""


class CustomerResult(_Contract):
    cuno: str
    created: bool = False


class CreateSalesOrderRequest(_Contract):
    order: Order
    items: dict[str, str]
    cuno: str
    address: Address | None = None
    accept_difference: bool = False


class SalesOrderLine(_Contract):
    """One M3 order line and the Amazon item it stands for."""

    order_item_id: str
    ponr: str
    posx: str = "0"
    itno: str
    quantity: int
    whlo: str


class SalesOrderResult(_Contract):
    """The customer order as M3 has it."""

    orno: str
    cuno: str
    lines: tuple[SalesOrderLine, ...]
    total: Money
    """M3's order total, comparable with Amazon's (see canonical.sales_order)."""
    expected: Money
    """What Amazon's figures say it should be."""


class ReportGoodsIssueRequest(_Contract):
    """Amazon has shipped `items`: tell M3 once."""

    ref: OrderRef
    sales_order: SalesOrderResult
    shipment: int
    """1 for the first shipment of the order; part of the message number M3 knows the report by."""
    items: dict[str, int]
    """Quantity by order item id, of this shipment alone."""
    known_deliveries: tuple[str, ...] = ()
    """DLIX of earlier shipments."""


class ConfirmShipmentRequest(_Contract):
    """Tell Amazon about one package that left an own warehouse."""

    ref: OrderRef
    package: Package
    order_created: datetime
    again: bool = False
    """Amazon was told of it before: what is told now replaces it."""


class ConfirmShipmentResult(_Contract):
    reference: str
    already_known: bool = False
    """Amazon had it already; found by looking, not assumed."""
    by_hand: bool = False
    """A person told Amazon, under whatever reference."""


class InvoiceDeliveryRequest(_Contract):
    ref: OrderRef
    orno: str
    delivery: Delivery


class PostGeneralLedgerRequest(_Contract):
    ref: OrderRef
    invoice: Invoice
    accept_difference: bool = False


class CancelSalesOrderRequest(_Contract):
    ref: OrderRef
    orno: str = ""
    """Empty when no order number is known: M3 is searched by CUOR all the same."""


class CancelSalesOrderResult(_Contract):
    deleted: tuple[str, ...] = ()
    """ORNOs (temporary or final) that were deleted; empty when M3 had nothing."""
    by_hand: bool = False
    """A person settled the order in M3 (deleted it, or takes the goods back); nothing was deleted here."""


class VerifyStepRequest(_Contract):
    """A person says `step` was done by hand under `number`: look in M3."""

    ref: OrderRef
    step: Step
    number: str
    year: str = ""
    order: Order
    sales_order: SalesOrderResult | None = None
    items: dict[str, str] = Field(default_factory=dict)
    invoice: Invoice | None = None
    delivery: Delivery | None = None


class VerifyStepResult(_Contract):
    """What M3 has under that number; exactly the field of the step is set."""

    sales_order: SalesOrderResult | None = None
    delivery: Delivery | None = None
    invoice: Invoice | None = None
    voucher: Voucher | None = None


class SweepAmazonPageRequest(_Contract):
    """One searchOrders page; every order on it is started or signalled before the result returns."""

    seller_id: str
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    token: str = ""
    priority: int = 3


class SweepAmazonPageResult(_Contract):
    orders: int = 0
    started: int = 0
    signalled: int = 0
    late: int = 0
    """Closed already; nothing to do or said in `remarks`."""
    after_close: int = 0
    """Closed already, and what Amazon says now is new: a workflow of its own carries it."""
    skipped: int = 0
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be started, at most 50."""
    next_token: str = ""
    horizon: datetime | None = None
    """lastUpdatedBefore that Amazon returned: the next high-water mark."""


class SweepM3Request(_Contract):
    """Look in M3 for deliveries of orders that await shipment (MFN), `limit` at a time."""

    limit: int = 1000


class SweepM3Result(_Contract):
    looked_at: int = 0
    signalled: int = 0


class SweepMcfResult(_Contract):
    """Deliveries that Amazon is to fulfil (MCF)."""

    looked_at: int = 0
    """Deliveries on open picking lists of the MCF warehouses that this worker had not looked at before."""
    started: int = 0
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be looked at."""


class SweepInput(_Contract):
    """One pass over Amazon and M3."""

    seller_ids: tuple[str, ...]
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    amazon: bool = True
    m3: bool = True
    mcf: bool = False
    """Also look for M3 deliveries that Amazon is to fulfil."""


class SweepResult(_Contract):
    amazon: dict[str, SweepAmazonPageResult] = Field(default_factory=dict)
    """Sums by seller, with the horizon to continue from."""
    m3: SweepM3Result = SweepM3Result()
    mcf: SweepMcfResult = SweepMcfResult()


class AuditInput(_Contract):
    seller_ids: tuple[str, ...]
    created_after: datetime
    created_before: datetime | None = None
    tolerances: dict[str, Decimal] = Field(default_factory=dict)
    """Largest accepted difference of totals by marketplace id (profile.tolerance)."""
    start_missing: bool = False
    """Start the orders that no workflow follows."""


class AuditAmazonPageRequest(_Contract):
    seller_id: str
    created_after: datetime
    created_before: datetime | None = None
    token: str = ""


class AmazonFacts(_Contract):
    """What the audit needs of one Amazon order, with no personal data."""

    seller_id: str
    order_id: str
    marketplace_id: str
    channel: str
    sales_channel: str
    status: str
    expected_total: Decimal | None
    """What M3's order total should be by the mapping rules; None while Amazon tells no price."""
    currency: str
    ordered: int
    fulfilled: int
    cancelled_items: int = 0


class AuditAmazonPageResult(_Contract):
    orders: tuple[AmazonFacts, ...]
    next_token: str = ""


class AuditM3Request(_Contract):
    order_ids: tuple[str, ...]


class M3Facts(_Contract):
    """What M3 holds for one CUOR."""

    order_id: str
    orders: tuple[str, ...]
    """ORNOs of live customer orders (head status below 90)."""
    temporary: tuple[str, ...] = ()
    """Batch orders that are not 90 (created)."""
    total: Decimal | None = None
    currency: str = ""
    ordered: int = 0
    delivered: int = 0
    deliveries: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    invoiced: Decimal = Decimal(0)
    vouchers: tuple[str, ...] = ()
    unbalanced_vouchers: tuple[str, ...] = ()
    duplicate_invoices: tuple[str, ...] = ()
    """Deliveries with more than one invoice."""


class AuditM3Result(_Contract):
    orders: tuple[M3Facts, ...]


class WorkflowFacts(_Contract):
    """How one order's workflow stands (filled from visibility and, when closed, the result)."""

    order_id: str
    status: str
    """RUNNING, COMPLETED, ... or empty where there is none."""
    step: str = ""
    held_reason: str = ""
    outcome: str = ""
    accepted: tuple[str, ...] = ()
    """Held reasons whose difference a person accepted: Repair.reason of each accept_difference."""


class AuditWorkflowsRequest(_Contract):
    seller_id: str
    order_ids: tuple[str, ...]


class AuditWorkflowsResult(_Contract):
    orders: tuple[WorkflowFacts, ...]


class AuditFinding(_Contract):
    kind: str
    """lost, doubled, differing."""
    order_id: str
    sentence: str


class AuditReport(_Contract):
    orders: int
    lost: int
    doubled: int
    differing: int
    held: int
    under_way: int
    findings: tuple[AuditFinding, ...] = ()
    """At most 200; the counts are complete."""
    missing: int = 0
    """Orders that need a workflow and have none; the lost ones among them are counted there too."""
    started: int = 0
    """How many of the missing were started by this audit."""


class AmazonChanged(_Contract):
    """Signal `amazon_changed`: Amazon's order as it now is."""

    order: Order


class GoodsLeft(_Contract):
    """Signal `goods_left`: M3 deliveries of the order whose goods have left (MFN)."""

    deliveries: tuple[Delivery, ...]


class Repair(_Contract):
    """A repair somebody made, as it stands on the order."""

    at: datetime
    fix: str
    by: str
    why: str
    reason: str
    what: str = ""
    """The repair's own values, such as ``sku=BLUE-MUG-2 itno=10023``; never an address."""


class OrderView(_Contract):
    """Answer of the query `state`: everything about the order that is no personal data."""

    seller_id: str
    order_id: str
    step: Step
    held_reason: str = ""
    held_sentence: str = ""
    channel: str = ""
    cuno: str = ""
    orno: str = ""
    total: Money | None = None
    expected: Money | None = None
    deliveries: tuple[Delivery, ...] = ()
    confirmed_packages: tuple[str, ...] = ()
    told: tuple[Package, ...] = ()
    """Packages as Amazon was told of them under these references."""
    marketplace_id: str = ""
    order_created: datetime | None = None
    invoices: tuple[Invoice, ...] = ()
    vouchers: tuple[Voucher, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[str, ...] = ()


class OrderResult(_Contract):
    """How an order ended."""

    seller_id: str
    order_id: str
    outcome: str
    """booked, cancelled, not_a_sale."""
    sentence: str
    orno: str = ""
    cuno: str = ""
    total: Money | None = None
    deliveries: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    vouchers: tuple[str, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    """What was cancelled, and what became of it in M3."""
    repairs: tuple[Repair, ...] = ()
    shipped: dict[str, int] = Field(default_factory=dict)
    ordered: int | None = None
    """Pieces ordered when M3 booked it."""
    surplus: int = 0
    """Pieces that Amazon shipped beyond these, as a person accepted."""
    expected: Money | None = None
    """What Amazon's figures came to then, for comparison with what they come to later."""
    told: tuple[Package, ...] = ()
    """Packages as Amazon was told of them: what M3 corrects later is told again under the same references."""
    marketplace_id: str = ""
    order_created: datetime | None = None
