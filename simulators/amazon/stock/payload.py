"""The payload of FBA_INVENTORY_AVAILABILITY_CHANGES, of one pool in every marketplace that shows it."""

from __future__ import annotations

from simulators.amazon.stock.records import Listing, Pool
from simulators.amazon.wire import JsonObject


def inventory(pool: Pool, listing: Listing | None, marketplaces: list[str]) -> JsonObject:
    """What the notification tells: the same pieces under each marketplace, not to be added up."""
    stock: JsonObject = {
        "InboundQuantityBreakdown": {
            "Working": pool.inbound_working,
            "Shipped": pool.inbound_shipped,
            "Receiving": pool.inbound_receiving,
        },
        "Fulfillable": pool.fulfillable,
        "Unfulfillable": sum(pool.unfulfillable.values()),
        "Researching": pool.researching,
        "ReservedQuantityBreakdown": {
            "WarehouseProcessing": pool.reserved_processing,
            "WarehouseTransfer": pool.reserved_transfer,
            "PendingCustomerOrder": pool.reserved_orders,
        },
        "FutureSupplyBuyable": 0,
        "PendingCustomerOrderInTransit": 0,
    }
    title = listing.title if listing is not None else ""
    return {
        "SellerId": pool.seller_id,
        "FNSKU": listing.fnsku if listing is not None else "",
        "ASIN": listing.asin if listing is not None else "",
        "SKU": pool.sku,
        "FulfillmentInventoryByMarketplace": [
            {"MarketplaceId": name, "ItemName": title, "FulfillmentInventory": stock, "Stores": []}
            for name in marketplaces
        ],
    }
