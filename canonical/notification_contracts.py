"""What Amazon's notifications become inside: a notice for an order's workflow, and nothing personal.

A notice is a hint. Amazon delivers it at least once, in any order, and at times not at all, so it carries what
is needed to recognise it again, to tell whether it is older than what is known, and what it says of shipped
quantities; prices and addresses are always read.
"""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from canonical.order import OrderStatus

AMAZON_NOTIFIED: Final = "amazon_notified"
"""Signal of an order's workflow: `AmazonNotified`."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderNotice(_Contract):
    """One notification about one order."""

    id: str
    """NotificationId: the same notification delivered twice has the same."""
    at: datetime
    """When the order changed (TimeOfOrderChange), or the notification's EventTime where it does not say."""
    status: OrderStatus | None = None
    """Status of the whole order; None where the notification tells none, or one that has no equal."""
    ordered: dict[str, int] = Field(default_factory=dict)
    """Quantity by order item id."""
    buyer_asks: bool = False
    """It tells that the buyer asks for a change: cancellation (OrderChangeType BuyerRequestedChange)."""
    shipped: dict[str, int] = Field(default_factory=dict)
    """Shipped quantity by order item id, of the items of which it is told."""


class AmazonNotified(_Contract):
    """Signal `amazon_notified`: what Amazon sent about the order, in the order in which it came."""

    notices: tuple[OrderNotice, ...] = Field(min_length=1)
