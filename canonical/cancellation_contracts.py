"""The words between workflows and activities about cancelled lines."""

from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.activity_contracts import OrderRef, SalesOrderResult
from canonical.order import Order

TAKE_LINES_BACK: Final = "take_lines_back"
"""Activity: lines of an M3 order deleted, lowered or closed."""


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


class TakeLinesBackResult(_Contract):
    """The M3 order without what was taken back."""

    sales_order: SalesOrderResult
    sentence: str
    """What was done in M3, in the operator's words."""
