"""The words of a look at a seller's open MFN orders: what Amazon has sold and the seller has not shipped yet.

The sweep and the notifications tell the stock keeper of every change. This look tells what was sold before anybody
told it anything, and once a day it makes good what neither brought.

It asks searchOrders, which has a burst of 20 calls and one more in three minutes, and which the sweep needs too; so
it stands behind the sweep. A page has 100 orders: a seller with 2,000 open orders costs the whole burst, each 100
more three minutes.
"""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

OPEN_ORDERS_LOOK: Final = "OpenOrdersLook"
"""Workflow type: one look at a seller's open orders."""
READ_OPEN_ORDERS: Final = "read_open_orders"
"""Activity: one searchOrders page, whose lines the keeper has when it returns."""

OPEN_STATUSES: Final = ("PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED")
"""fulfillmentStatuses of Orders 2026-01-01 of an order that still takes stock."""
LOOK_BACK_DAYS: Final = 60
"""An MFN order that is not shipped after 30 days is cancelled by Amazon (inferred from Seller Central's rules); the
rest is for those with a later ship-by date."""
MOST_REMARKS: Final = 50


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class OpenOrdersPageRequest(_Contract):
    """One page of the orders that were created since then, are open, and are the seller's own to ship."""

    seller_id: str
    created_after: datetime
    token: str = ""


class OpenOrdersPage(_Contract):
    """What was on it."""

    orders: int = 0
    lines: int = 0
    heard: bool = True
    """The keeper runs and has been told."""
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be read, at most 50."""
    next_token: str = ""


class OpenOrdersInput(_Contract):
    """One look; `page` and `read` are carried where its history grows long."""

    seller_id: str
    days: int = Field(default=LOOK_BACK_DAYS, ge=1)
    page: OpenOrdersPageRequest | None = None
    read: OpenOrdersPage = OpenOrdersPage()


class OpenOrders(_Contract):
    """What a look came to: when it has completed, the keeper knows every line that was open when it began."""

    seller_id: str
    since: datetime
    orders: int
    lines: int
    heard: bool
    """False where no keeper ran for one page at least: it looks again when it starts."""
    remarks: tuple[str, ...] = ()


def open_orders_id(seller_id: str) -> str:
    """The schedule that looks at a seller's open orders, and the look that the keeper starts."""
    return f"o2c-open-orders-{seller_id}"


def added(total: OpenOrdersPage, page: OpenOrdersPage) -> OpenOrdersPage:
    """The sums of both, and where the later one goes on."""
    return OpenOrdersPage(
        orders=total.orders + page.orders,
        lines=total.lines + page.lines,
        heard=total.heard and page.heard,
        remarks=(*total.remarks, *page.remarks)[:MOST_REMARKS],
        next_token=page.next_token,
    )
