"""The words of an order's workflow: what starts it, what it is told, how it stands and how it ended."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.cancellations import Cancellation
from canonical.money import Money
from canonical.order import Delivery, Invoice, Order, Package, Voucher
from canonical.steps import Step

ORDER_TO_CASH: Final = "OrderToCash"
"""Workflow type."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderToCashInput(_Contract):
    """What starts an order: its id, and its facts where the starter already holds them."""

    seller_id: str
    order_id: str
    order: Order | None = None
    """None lets the workflow read the order from Amazon (one getOrder call of quota)."""


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


class UnmappedLine(_Contract):
    """What is sold under a SKU that an order is held for."""

    sku: str
    asin: str = ""
    title: str = ""


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
    unmapped: tuple[UnmappedLine, ...] = ()
    """What it is held for, where that is a SKU."""


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
