"""The words between workflows and activities about cancelled lines."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.activity_contracts import OrderRef, SalesOrderResult
from canonical.order import Order

TAKE_LINES_BACK: Final = "take_lines_back"
"""Activity: lines of an M3 order deleted, lowered or closed."""
OPEN_RETURNS: Final = "open_returns"
"""Activity: return cases for goods that left although they were cancelled."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class TakeLinesBackRequest(_Contract):
    """M3 is to have no more of each item than `order` says. Quantities are absolute: asked for again, nothing is
    left to do."""

    ref: OrderRef
    order: Order
    """Amazon's order without what was cancelled, and without personal data."""
    sales_order: SalesOrderResult
    accept_difference: bool = False
    by_hand: bool = False
    """A person says that goods which left beyond this come back as a return: their lines stay as they are."""


class OpenReturnsRequest(_Contract):
    """Goods that left although they were cancelled: their return is followed, one case for each SKU."""

    seller_id: str
    order_id: str
    orno: str
    at: datetime
    """When it was decided that they come back as a return."""
    pieces: dict[str, int]
    """By SKU."""


class OpenReturnsResult(_Contract):
    followed: bool
    """False where no return cases are followed: a person books the return."""


class TakeLinesBackResult(_Contract):
    """The M3 order without what was taken back."""

    sales_order: SalesOrderResult
    sentence: str
    """What was done in M3, in the operator's words."""
    left: dict[str, int] = {}
    """Pieces by order item id that left beyond what is wanted."""
