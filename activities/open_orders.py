"""A seller's open MFN orders as a Temporal activity: read at Amazon, told to the stock keeper."""

from collections.abc import Mapping
from typing import Final, Protocol

from temporalio import activity

from activities.amazon.client import AmazonClient, Period
from activities.amazon.outcomes import asking_amazon
from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.held import HeldReason, held
from canonical.stock.news import SoldLine, SoldLines
from canonical.stock.open_orders import (
    MOST_REMARKS,
    OPEN_STATUSES,
    READ_OPEN_ORDERS,
    OpenOrdersPage,
    OpenOrdersPageRequest,
)
from canonical.stock.order_news import SoldNews, sold_in_order

LINES_DATA: Final = ("FULFILLMENT",)
"""What an order's lines take: neither personal data nor money, so that nothing about them can be in the way."""
_OPEN_MFN: Final = {"fulfillmentStatuses": ",".join(OPEN_STATUSES), "fulfilledBy": "MERCHANT"}


class TellSold(Protocol):
    """Tell the stock keeper what was sold; False where none runs, which is no error: it asks when it starts.

    What this process has told before is left out, unless `again`. Raises where Temporal could not be asked.
    """

    async def __call__(self, sold: SoldLines, *, again: bool = False) -> bool: ...


class OpenOrdersActivities:
    """clients: by seller id. tell: None where stock is not configured."""

    def __init__(self, clients: Mapping[str, AmazonClient], tell: TellSold | None) -> None:
        self._clients = clients
        self._tell = tell

    @activity.defn(name=READ_OPEN_ORDERS)
    async def read_open_orders(self, request: OpenOrdersPageRequest) -> OpenOrdersPage:
        """One searchOrders page; the keeper has been told of every line on it when this returns, so that a crash
        repeats a page and never skips one.

        Holds: not_configured.
        """
        client = self._clients.get(request.seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {request.seller_id} is not in the configuration.")
        async with asking_amazon(f"Open orders of seller {request.seller_id}"):
            page = await client.search_orders(
                Period(request.created_after, by_creation=True),
                token=request.token,
                included_data=LINES_DATA,
                only=_OPEN_MFN,
            )
            lines, remarks = sold_on_page(page.orders, request.seller_id)
            heard = self._tell is not None and await self._tell(
                SoldLines(seller_id=request.seller_id, lines=lines), again=True
            )
            return OpenOrdersPage(
                orders=len(page.orders),
                lines=len(lines),
                heard=heard,
                remarks=remarks[:MOST_REMARKS],
                next_token=page.next_token,
            )


def sold_on_page(
    payloads: tuple[Mapping[str, object], ...], seller_id: str
) -> tuple[tuple[SoldLine, ...], tuple[str, ...]]:
    """Lines of a page's orders, and sentences about what cannot be read."""
    lines: list[SoldLine] = []
    remarks: list[str] = []
    for payload in payloads:
        news = sold_in_payload(payload, seller_id)
        lines += news.lines
        remarks += news.remarks
    return tuple(lines), tuple(remarks)


def sold_in_payload(payload: Mapping[str, object], seller_id: str) -> SoldNews:
    """The lines of an order as Amazon sent it; of one that cannot be read, why."""
    try:
        return sold_in_order(read_order(payload, seller_id))
    except UnreadableOrder as error:
        return SoldNews(remarks=(f"{error} No stock is kept back for it.",))
    except Exception as error:  # an error of our own reader must not take the rest of the page with it
        return SoldNews(remarks=(f"An order cannot be read: {type(error).__name__}.",))
