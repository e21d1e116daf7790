"""What Amazon holds back, read page by page."""

from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.amazon.client import AmazonClient
from activities.amazon.outcomes import asking_amazon
from canonical.deferred_contracts import READ_DEFERRED_PAGE, DeferredPageRequest
from canonical.settlement.deferred import DeferredPage, read_page


class DeferredActivities:
    """clients: by seller id."""

    def __init__(self, clients: Mapping[str, AmazonClient]) -> None:
        self._clients = clients

    @activity.defn(name=READ_DEFERRED_PAGE)
    async def read_deferred_page(self, request: DeferredPageRequest) -> DeferredPage:
        """One listTransactions page of deferred transactions, summed: no order, no buyer is in it."""
        async with asking_amazon(f"Deferred transactions of seller {request.seller_id}"):
            client = self._clients.get(request.seller_id)
            if client is None:
                raise ApplicationError(
                    f"Seller {request.seller_id} is not in the configuration.",
                    type="seller_not_configured",
                    non_retryable=True,
                )
            page = await client.finances.transactions(
                request.since, None, token=request.token, status="DEFERRED"
            )
            return read_page(page.transactions, page.next_token)
