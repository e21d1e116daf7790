"""FBA Inventory v1: getInventorySummaries, a page at a time, with a token that lives for thirty seconds.

Shapes and limits by the model fbaInventory.json. Inferred: 50 SKUs to a page, and the words of the refusals.
"""

from __future__ import annotations

import base64
import hashlib
import json

from starlette.datastructures import QueryParams
from starlette.requests import Request

from simulators.amazon.auth import Caller
from simulators.amazon.clock import to_ms
from simulators.amazon.fulfillment_api import stamp
from simulators.amazon.query import listed
from simulators.amazon.reports.kinds import DAY_MS
from simulators.amazon.stock.records import Pool, pool_of
from simulators.amazon.wire import JsonObject, denied, invalid
from simulators.amazon.world import World

Answer = tuple[int, JsonObject | None]
PAGE = 50
TOKEN_MS = 30_000
MOST_SKUS = 50
OLDEST_MS = 548 * DAY_MS
"""18 months."""
DISPOSITIONS = {
    "CUSTOMER_DAMAGED": "customerDamagedQuantity",
    "WAREHOUSE_DAMAGED": "warehouseDamagedQuantity",
    "DISTRIBUTOR_DAMAGED": "distributorDamagedQuantity",
    "CARRIER_DAMAGED": "carrierDamagedQuantity",
    "DEFECTIVE": "defectiveQuantity",
    "EXPIRED": "expiredQuantity",
}


def get_inventory_summaries(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getInventorySummaries."""
    params = request.query_params
    marketplace = _marketplace(world, caller, params)
    details = params.get("details", "false").lower()
    if details not in ("true", "false"):
        raise invalid("Invalid value for parameter details.")
    since_ms = _since(params.get("startDateTime"), now_ms)
    skus = listed(params, "sellerSkus")
    if len(skus) > MOST_SKUS:
        raise invalid(f"sellerSkus takes at most {MOST_SKUS} values.")
    if params.get("sellerSku"):
        skus |= {params["sellerSku"]}
    after = _read(world, caller, params, now_ms) if "nextToken" in params else ""
    found = [
        pool
        for pool in world.pools.of(caller.seller_id, pool_of(marketplace))
        if pool.sku > after and pool.updated_ms >= since_ms and (not skus or pool.sku in skus)
    ]
    page = found[:PAGE]
    payload: JsonObject = {
        "granularity": {"granularityType": "Marketplace", "granularityId": marketplace},
        "inventorySummaries": [_summary(world, pool, details=details == "true") for pool in page],
    }
    answer: JsonObject = {"payload": payload}
    if len(found) > PAGE:
        answer["pagination"] = {"nextToken": _write(world, caller, params, page[-1].sku, now_ms)}
    return 200, answer


def _marketplace(world: World, caller: Caller, params: QueryParams) -> str:
    if params.get("granularityType") != "Marketplace":
        raise invalid("Invalid value for parameter granularityType.", "The only value is Marketplace.")
    names = listed(params, "marketplaceIds")
    if len(names) != 1:
        raise invalid("marketplaceIds takes exactly one value.")
    (name,) = names
    if params.get("granularityId") != name:
        raise invalid("granularityId must be the marketplace of marketplaceIds.")
    if name not in world.marketplaces(caller.seller_id):
        raise denied("The seller does not sell in this marketplace.")
    return name


def _since(text: str | None, now_ms: int) -> int:
    if text is None:
        return 0
    try:
        since_ms = to_ms(text)
    except ValueError:
        raise invalid("startDateTime is not a valid date-time.") from None
    if since_ms < now_ms - OLDEST_MS:
        raise invalid("startDateTime must be no earlier than 18 months ago.")
    return since_ms


def _summary(world: World, pool: Pool, *, details: bool) -> JsonObject:
    listing = world.stock.find(pool.seller_id, pool.sku)
    tree: JsonObject = {
        "asin": listing.asin if listing else "",
        "fnSku": listing.fnsku if listing else "",
        "sellerSku": pool.sku,
        "condition": "NewItem",
        "lastUpdatedTime": stamp(pool.updated_ms),
        "productName": listing.title if listing else "",
        "totalQuantity": pool.total,
        "stores": [],
    }
    if details:
        tree["inventoryDetails"] = _details(pool)
    return tree


def _details(pool: Pool) -> JsonObject:
    unfulfillable = {name: pool.unfulfillable.get(key, 0) for key, name in DISPOSITIONS.items()}
    researching = {"Short": pool.researching, "Mid": 0, "Long": 0}
    return {
        "fulfillableQuantity": pool.fulfillable,
        "inboundWorkingQuantity": pool.inbound_working,
        "inboundShippedQuantity": pool.inbound_shipped,
        "inboundReceivingQuantity": pool.inbound_receiving,
        "reservedQuantity": {
            "totalReservedQuantity": pool.reserved,
            "pendingCustomerOrderQuantity": pool.reserved_orders,
            "pendingTransshipmentQuantity": pool.reserved_transfer,
            "fcProcessingQuantity": pool.reserved_processing,
        },
        "researchingQuantity": {
            "totalResearchingQuantity": pool.researching,
            "researchingQuantityBreakdown": [
                {"name": f"researchingQuantityIn{term}Term", "quantity": count}
                for term, count in researching.items()
            ],
        },
        "unfulfillableQuantity": {"totalUnfulfillableQuantity": sum(unfulfillable.values()), **unfulfillable},
    }


def _write(world: World, caller: Caller, params: QueryParams, sku: str, now_ms: int) -> str:
    body = json.dumps([sku, now_ms + TOKEN_MS]).encode()
    return base64.urlsafe_b64encode(_seal(world, caller, params, body) + body).decode()


def _read(world: World, caller: Caller, params: QueryParams, now_ms: int) -> str:
    refusal = invalid("The nextToken is not valid.", "It is another request's, or older than 30 seconds.")
    try:
        sealed = base64.urlsafe_b64decode(params["nextToken"])
    except ValueError:
        raise refusal from None
    seal, body = sealed[:12], sealed[12:]
    if seal != _seal(world, caller, params, body):
        raise refusal
    sku, ends_ms = json.loads(body)
    if ends_ms <= now_ms:
        raise refusal
    return str(sku)


def _seal(world: World, caller: Caller, params: QueryParams, body: bytes) -> bytes:
    query = sorted((name, value) for name, value in params.multi_items() if name != "nextToken")
    text = body + caller.seller_id.encode() + repr(query).encode()
    key = f"inventory {world.settings.seed}".encode()
    return hashlib.blake2b(text, key=key, digest_size=12).digest()


OPERATIONS = {
    ("GET", "/fba/inventory/v1/summaries"): ("getInventorySummaries", get_inventory_summaries),
}
"""By method and path: the operation's name and what answers it."""
