"""The words between an order's workflow and its activities: names, requests, results. No code of either side.

A business refusal reaches the workflow as an ApplicationError whose type is `HELD` and whose first detail
is a `canonical.held.Hold`; everything else is retried by Temporal and becomes m3_unavailable or
amazon_unavailable when the retries are used up.
"""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

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


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderRef(_Contract):
    """Which order a call is about; enough for every error text and log line."""

    seller_id: str
    order_id: str
    marketplace_id: str


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
    left: dict[str, int] = {}
    """Pieces by order item id whose goods are out all the same."""


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
    left: dict[str, int] = {}
    """Cancelling: pieces by order item id that have left M3."""
