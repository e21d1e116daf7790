"""One look at a seller's open MFN orders, told to the stock keeper page by page; see `canonical.stock.open_orders`."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

from canonical.stock.open_orders import (
    OPEN_ORDERS_LOOK,
    READ_OPEN_ORDERS,
    OpenOrders,
    OpenOrdersInput,
    OpenOrdersPage,
    OpenOrdersPageRequest,
    added,
)
from workflows.calls import Calls
from workflows.policies import AMAZON_SEARCH

_BEHIND: Final = 4
"""The sweep, which asks by the same quota, goes first."""


class OpenOrdersCalls(Calls):
    """Activities of one look, named by `canonical.stock.open_orders`."""

    async def page(self, request: OpenOrdersPageRequest, behind: int) -> OpenOrdersPage:
        summary = f"Page after {behind} open orders"
        return await self._call(READ_OPEN_ORDERS, request, OpenOrdersPage, AMAZON_SEARCH, summary)


@workflow.defn(name=OPEN_ORDERS_LOOK)
class OpenOrdersLook:
    """See the module."""

    @workflow.run
    async def run(self, start: OpenOrdersInput) -> OpenOrders:
        calls = OpenOrdersCalls(start.seller_id, _BEHIND)
        page = start.page or OpenOrdersPageRequest(
            seller_id=start.seller_id, created_after=workflow.now() - timedelta(days=start.days)
        )
        read = start.read
        while True:
            workflow.set_current_details(
                f"Reading open orders of seller {start.seller_id}: {read.orders} so far."
            )
            read = added(read, await calls.page(page, read.orders))
            if not read.next_token:
                break
            page = page.model_copy(update={"token": read.next_token})
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start.model_copy(update={"page": page, "read": read}))
        workflow.set_current_details(_said(start.seller_id, read))
        return OpenOrders(
            seller_id=start.seller_id,
            since=page.created_after,
            orders=read.orders,
            lines=read.lines,
            heard=read.heard,
            remarks=read.remarks,
        )


def _said(seller_id: str, read: OpenOrdersPage) -> str:
    lines = [
        f"Seller **{seller_id}**: {read.orders} orders of the seller's own to ship are open, with {read.lines} lines.",
        *([] if read.heard else ["The stock keeper did not run and was not told; it is when it starts."]),
        *(f"- {remark}" for remark in read.remarks),
    ]
    return "\n\n".join(lines)
