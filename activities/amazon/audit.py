"""One Amazon order as the audit compares it with M3: figures and states, no personal data."""

from collections.abc import Mapping

from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.audit import amazon_facts
from canonical.audit_contracts import AmazonFacts


def facts(payload: Mapping[str, object], seller_id: str) -> AmazonFacts:
    """What the audit needs of an order; of one that cannot be read, its id and status in Amazon's words."""
    try:
        order = read_order(payload, seller_id)
    except UnreadableOrder:
        return _unread(payload, seller_id)
    return amazon_facts(order)


def _unread(payload: Mapping[str, object], seller_id: str) -> AmazonFacts:
    fulfilment, channel = payload.get("fulfillment"), payload.get("salesChannel")
    status = fulfilment.get("fulfillmentStatus") if isinstance(fulfilment, dict) else None
    sold = channel if isinstance(channel, dict) else {}
    return AmazonFacts(
        seller_id=seller_id,
        order_id=str(payload.get("orderId") or ""),
        marketplace_id=str(sold.get("marketplaceId") or ""),
        channel="",
        sales_channel=str(sold.get("channelName") or ""),
        status=str(status or ""),
        expected_total=None,
        currency="",
        ordered=0,
        fulfilled=0,
    )
