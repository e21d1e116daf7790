"""Looks at a seller's listings beside those by the clock."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.stock.listing_contracts import (
    LISTINGS_LOOK,
    LOOK_AFTER_MAPPING,
    MAPPED_ANEW,
    ListingsLookInput,
    LookAsked,
    MappedSkus,
    listings_look_workflow_id,
)
from worker.settings import Settings
from workflows import search_attributes as sa
from workflows.policies import BULK_PRIORITY, seller_priority

_KEEPER_FIRST: Final = timedelta(seconds=10)


async def look_at_listings(
    client: Client,
    settings: Settings,
    seller_id: str,
    *,
    ask: bool = True,
    again: bool = False,
    wait: timedelta | None = None,
) -> str:
    """Start a look at a configured seller's listings, and return its workflow id.

    With `ask` Amazon is asked for its report, else what was read last is looked up in M3 again. One that is under way
    goes on, or with `again` begins anew. Raises RPCError.
    """
    workflow_id = listings_look_workflow_id(seller_id)
    existing = WorkflowIDConflictPolicy.TERMINATE_EXISTING if again else WorkflowIDConflictPolicy.USE_EXISTING
    await client.start_workflow(
        LISTINGS_LOOK,
        ListingsLookInput(
            seller_id=seller_id, marketplace_ids=settings.sellers[seller_id].marketplaces, ask=ask
        ),
        id=workflow_id,
        task_queue=ORDERS_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=existing,
        search_attributes=TypedSearchAttributes([SearchAttributePair(sa.SELLER, seller_id)]),
        static_summary=f"Listings, seller {seller_id}",
        priority=seller_priority(seller_id, BULK_PRIORITY),
        start_delay=wait,
    )
    return workflow_id


async def look_after_mapping(client: Client, settings: Settings, seller_id: str, skus: Sequence[str]) -> None:
    """Have these SKUs of the listings that were read last looked up in M3 again: they were mapped. A look that is under
    way is followed by one more, for all that were mapped meanwhile. Raises RPCError."""
    marketplaces = settings.sellers[seller_id].marketplaces
    await client.start_workflow(
        LISTINGS_LOOK,
        ListingsLookInput(seller_id=seller_id, marketplace_ids=marketplaces, ask=False, skus=tuple(skus)),
        id=listings_look_workflow_id(seller_id),
        task_queue=ORDERS_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=MAPPED_ANEW,
        start_signal_args=[tuple(skus)],
        search_attributes=TypedSearchAttributes([SearchAttributePair(sa.SELLER, seller_id)]),
        static_summary=f"Listings after a mapping, seller {seller_id}",
        priority=seller_priority(seller_id, BULK_PRIORITY),
    )


class ListingsAfterMapping:
    """The same as an activity, for the workflow that maps."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client, self._settings = client, settings

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.look_after_mapping]

    @activity.defn(name=LOOK_AFTER_MAPPING)
    async def look_after_mapping(self, mapped: MappedSkus) -> LookAsked:
        """Nothing is done where listings are not read, or the seller is not in the configuration."""
        settings = self._settings
        reads = settings.stock is not None or settings.sku is not None
        if not reads or mapped.seller_id not in settings.sellers:
            return LookAsked()
        await look_after_mapping(self._client, settings, mapped.seller_id, mapped.skus)
        return LookAsked(workflow_id=listings_look_workflow_id(mapped.seller_id))


async def listings_for_new_keeper(client: Client, settings: Settings) -> None:
    """Have every seller's listings read in a moment, for a keeper that knows none. A look that is under way began
    without that keeper, so it begins again. Raises RPCError."""
    for seller_id in settings.sellers:
        await look_at_listings(client, settings, seller_id, again=True, wait=_KEEPER_FIRST)
