"""The search attributes of an order: few, none of them personal data, registered by `o2c register`.

SQL visibility allows ten Keyword and three of each other type in a namespace.
"""

from datetime import datetime
from typing import Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from canonical.marketplaces import marketplace_name
from canonical.order_contracts import OrderToCashInput
from canonical.steps import Step

SELLER: Final = SearchAttributeKey.for_keyword("Seller")
MARKETPLACE: Final = SearchAttributeKey.for_keyword("Marketplace")
CHANNEL: Final = SearchAttributeKey.for_keyword("Channel")
STEP: Final = SearchAttributeKey.for_keyword("Step")
HELD_REASON: Final = SearchAttributeKey.for_keyword("HeldReason")
HELD_SINCE: Final[SearchAttributeKey[datetime]] = SearchAttributeKey.for_datetime("HeldSince")
M3_ORDER: Final = SearchAttributeKey.for_keyword("M3Order")
UNMAPPED_SKUS: Final = SearchAttributeKey.for_keyword_list("UnmappedSkus")
SHIP_BY: Final[SearchAttributeKey[datetime]] = SearchAttributeKey.for_datetime("ShipBy")
"""Until when the merchant has to have shipped (Amazon's latest ship date)."""
IMPORT: Final = SearchAttributeKey.for_keyword("Import")
"""The first run of the bulk import that started the order."""

ALL: Final = (
    SELLER,
    MARKETPLACE,
    CHANNEL,
    STEP,
    HELD_REASON,
    HELD_SINCE,
    M3_ORDER,
    UNMAPPED_SKUS,
    SHIP_BY,
    IMPORT,
)


def at_start(start: OrderToCashInput, import_id: str = "") -> TypedSearchAttributes:
    """What is known when an order arrives, by a bulk import or live; attributes set at the start cost no action."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[datetime]] = [
        SearchAttributePair(SELLER, start.seller_id),
        SearchAttributePair(STEP, Step.RECEIVED.value),
    ]
    if start.order is not None:
        pairs.append(SearchAttributePair(MARKETPLACE, marketplace_name(start.order.marketplace_id)))
        pairs.append(SearchAttributePair(CHANNEL, start.order.channel.value))
        if start.order.ship_by is not None:
            pairs.append(SearchAttributePair(SHIP_BY, start.order.ship_by))
    if import_id:
        pairs.append(SearchAttributePair(IMPORT, import_id))
    return TypedSearchAttributes(pairs)


def of_case(seller_id: str) -> TypedSearchAttributes:
    """What is known when a return case begins."""
    return TypedSearchAttributes(
        [SearchAttributePair(SELLER, seller_id), SearchAttributePair(STEP, Step.RECEIVED.value)]
    )
