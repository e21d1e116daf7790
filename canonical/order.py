"""The order as both sides mean it: Amazon's facts under the field's names, ready for M3's rules."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from canonical.money import Money

ORDERS_API = "orders-api"
ALL_ORDERS_REPORT = "all-orders-report"
ACTIONABLE_ORDERS_REPORT = "actionable-orders-report"


class Channel(StrEnum):
    """Who sends the goods."""

    MFN = "MFN"
    """The merchant (Amazon: fulfilledBy MERCHANT, also FBM)."""
    FBA = "FBA"
    """Amazon (fulfilledBy AMAZON, also AFN)."""


class OrderStatus(StrEnum):
    """fulfillmentStatus of Orders 2026-01-01."""

    PENDING_AVAILABILITY = "PENDING_AVAILABILITY"
    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"


class Address(BaseModel):
    """A delivery address in Amazon's words, uncut. M3's form of it is made in `canonical.address`."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    company: str = ""
    lines: tuple[str, ...] = ()
    city: str = ""
    district: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2."""
    phone: str = ""


class TaxParts(BaseModel):
    """How a line's tax spreads over its amounts (Amazon: detailedBreakdowns of the TAX breakdown)."""

    model_config = ConfigDict(frozen=True)

    item: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    gift_wrap: Decimal = Decimal(0)
    other: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    """Tax the promotions take away, never positive."""


class LineAmounts(BaseModel):
    """Amounts of one order line, each for the whole line, never per unit (Amazon: proceeds.breakdowns)."""

    model_config = ConfigDict(frozen=True)

    item: Decimal
    shipping: Decimal = Decimal(0)
    gift_wrap: Decimal = Decimal(0)
    other: Decimal = Decimal(0)
    """COD_FEE, OTHER and what Amazon may add."""
    discount: Decimal = Decimal(0)
    """Promotions, never positive."""
    tax: Decimal = Decimal(0)
    tax_included: bool = True
    """True when `item`, `shipping` ... already contain `tax`; False when tax comes on top."""
    tax_parts: TaxParts | None = None
    """None where the source tells only the sum."""
    total: Decimal
    """proceedsTotal: what the buyer pays for the line."""

    @property
    def before_tax_on_top(self) -> Decimal:
        """The sum of all amounts but a tax that comes on top."""
        return self.item + self.shipping + self.gift_wrap + self.other + self.discount

    @property
    def adds_up(self) -> bool:
        """Whether the amounts make `total`; nothing is booked from a line that does not."""
        return self.before_tax_on_top + (Decimal(0) if self.tax_included else self.tax) == self.total


class OrderLine(BaseModel):
    """One order item."""

    model_config = ConfigDict(frozen=True)

    order_item_id: str
    seller_sku: str
    asin: str = ""
    title: str = ""
    quantity: int
    quantity_fulfilled: int = 0
    amounts: LineAmounts | None = None
    """None while Amazon has not told the price (pending orders) or the source does not carry it."""
    tax_collected_by_amazon: bool = False
    """taxCollections.model MARKETPLACE_FACILITATOR: the tax is Amazon's to remit, never ours."""
    cancel_requested: bool = False
    """The buyer asked for cancellation (cancellation.cancellationRequest)."""


class Order(BaseModel):
    """An Amazon order at one moment (`last_updated`)."""

    model_config = ConfigDict(frozen=True)

    seller_id: str
    order_id: str
    marketplace_id: str
    sales_channel: str = "AMAZON"
    """AMAZON, or NON_AMAZON for a multi-channel fulfilment order, which is no marketplace sale."""
    channel: Channel
    status: OrderStatus
    created: datetime
    last_updated: datetime
    grand_total: Money | None = None
    """proceeds.grandTotal: None while unknown; absence is never zero."""
    lines: tuple[OrderLine, ...]
    ship_to: Address | None = None
    replacement_of: str | None = None
    """Order whose goods this one replaces free of charge (REPLACEMENT_ORIGINAL_ID, EXCHANGE_ORIGINAL_ID)."""
    ship_by: datetime | None = None
    """Latest moment of the ship-by window."""
    service_level: str = ""
    delivery_tip: Decimal = Decimal(0)
    """Order-level DELIVERY_TIP inside `grand_total`; belongs to no line."""
    inconsistency: str = ""
    """A sentence where Amazon's own amounts do not add up; nothing is booked then."""
    source: str = ORDERS_API
    """Where the facts come from: orders-api, all-orders-report, actionable-orders-report."""

    @property
    def currency(self) -> str:
        """Currency of the order, empty while Amazon has not told it."""
        return self.grand_total.currency if self.grand_total else ""

    @property
    def is_replacement(self) -> bool:
        return self.replacement_of is not None

    @property
    def is_multi_channel(self) -> bool:
        return self.sales_channel != "AMAZON"

    @property
    def is_released(self) -> bool:
        """Whether Amazon has released the order for fulfilment (paid and available)."""
        return self.status not in (OrderStatus.PENDING, OrderStatus.PENDING_AVAILABILITY)


class Package(BaseModel):
    """A parcel that left an own warehouse, as `confirmShipment` wants it."""

    model_config = ConfigDict(frozen=True)

    reference: str
    """packageReferenceId: string of a positive number."""
    carrier: str
    """M3's forwarder FWNO; mapped to Amazon's carrier code by configuration."""
    tracking_number: str = ""
    shipped_at: datetime
    items: dict[str, int]
    """Quantity by order item id."""


class Delivery(BaseModel):
    """An M3 delivery of this order whose goods have left (CO delivery, one per order, warehouse and DLIX)."""

    model_config = ConfigDict(frozen=True)

    dlix: str
    whlo: str
    status: str = ""
    """ORST of OIS150: 60 ready for invoicing ... 80 posted."""
    items: dict[str, int] = Field(default_factory=dict)
    """Quantity by order item id."""
    packages: tuple[Package, ...] = ()


class Invoice(BaseModel):
    """An M3 customer invoice for one delivery."""

    model_config = ConfigDict(frozen=True)

    ivno: str
    year: str
    """YEA4: invoice numbers repeat from year to year."""
    external_number: str = ""
    """EXIN."""
    dlix: str = ""
    amount: Money


class Voucher(BaseModel):
    """The general ledger voucher that an invoice made (GLS200)."""

    model_config = ConfigDict(frozen=True)

    vono: str
    year: str
    division: str
    debit: Decimal
    credit: Decimal
    ivno: str = ""
