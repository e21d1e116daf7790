"""Amazon's catalogue as an activity."""

from collections.abc import Callable, Mapping, Sequence

from temporalio import activity

from activities.amazon.client import AmazonClient
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.listings import LISTINGS_ROLE
from activities.amazon.outcomes import PATIENCE, asking_amazon
from canonical.held import HeldReason, held
from canonical.sku import catalog as act


class CatalogActivities:
    """clients: by seller id."""

    def __init__(self, clients: Mapping[str, AmazonClient]) -> None:
        self._clients = clients

    @property
    def by_queue(self) -> Mapping[str, Sequence[Callable[..., object]]]:
        """What runs on which queue."""
        return {act.AMAZON_SEARCH_CATALOG_QUEUE: [self.read_catalog]}

    @activity.defn(name=act.READ_CATALOG)
    async def read_catalog(self, request: act.CatalogRequest) -> act.CatalogResult:
        """Title, brand and numbers of up to twenty products: one searchCatalogItems call."""
        subject = f"{len(request.asins)} products of marketplace {request.marketplace_id}"
        async with asking_amazon(subject, LISTINGS_ROLE):
            client = self._clients.get(request.seller_id)
            if client is None:
                raise held(
                    HeldReason.NOT_CONFIGURED, f"Seller {request.seller_id} is not in the configuration."
                )
            try:
                return act.CatalogResult(items=await client.catalog.by_asin(request))
            except AmazonError as error:
                refused = error.failure in (Failure.REFUSED, Failure.NOT_FOUND)
                if not refused or activity.info().attempt < PATIENCE:
                    raise
                return act.CatalogResult(items=(), refusal=error.sentence)
