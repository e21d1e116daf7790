"""Listings Items 2021-08-01: what a listing shows (getListingsItem), and another quantity for it (patchListingsItem).

Bodies by the model listingsItems_2021-08-01.json; refusals as quoted in jrl84/amazon-sp-api issue 176 (unknown SKU),
jlevers/selling-partner-api issues 240 and 363 (broken patches). Inferred: with several marketplaces asked for,
fulfillmentAvailability tells the first of them in which the SKU is listed (the model's example names no marketplace).
"""

from __future__ import annotations

import json
import uuid

from starlette.requests import Request

from simulators import catalogue
from simulators.amazon.auth import Caller
from simulators.amazon.clock import iso
from simulators.amazon.query import listed
from simulators.amazon.stock.availability import PatchError, of_patches
from simulators.amazon.stock.records import MFN, Issue, Listing, Offer, Wanted
from simulators.amazon.wire import ApiError, JsonObject, denied, invalid
from simulators.amazon.world import World

Answer = tuple[int, JsonObject | None]
DATA = frozenset(
    {
        "summaries", "attributes", "issues", "offers", "fulfillmentAvailability", "procurement", "relationships",
        "productTypes",
    }
)  # fmt: skip
PRODUCT_TYPE = "PRODUCT"


def get_listings_item(world: World, caller: Caller, request: Request, _: bytes, __: int) -> Answer:
    """getListingsItem."""
    sku, marketplaces = _asked(world, caller, request)
    data = listed(request.query_params, "includedData", DATA) or frozenset({"summaries"})
    listing = world.stock.find(caller.seller_id, sku)
    here = [name for name in marketplaces if listing is not None and name in listing.offers]
    if listing is None or not here:
        raise ApiError(404, "NOT_FOUND", f"SKU '{sku}' not found in marketplace {', '.join(marketplaces)}")
    return 200, shown(world, listing, here, data)


def patch_listings_item(world: World, caller: Caller, request: Request, body: bytes, now_ms: int) -> Answer:
    """patchListingsItem."""
    sku, marketplaces = _asked(world, caller, request)
    params = request.query_params
    data = listed(params, "includedData", frozenset({"identifiers", "issues"})) or frozenset({"issues"})
    preview = params.get("mode")
    if preview not in (None, "VALIDATION_PREVIEW"):
        raise invalid("Invalid value for parameter mode.")
    wanted, issues = _read(body)
    rule = world.stock.refused(caller.seller_id, sku) if not issues and preview is None else None
    if rule is not None and not rule.late:
        issues = [rule.issue]
    submission = uuid.uuid4().hex
    if not issues and preview is None:
        if rule is not None:
            world.stock.withhold(caller.seller_id, sku, marketplaces, rule.issue, now_ms)
        else:
            world.stock.accept([(caller.seller_id, sku, marketplaces, wanted)], now_ms, submission)
        world.settle()
    status = "INVALID" if issues else "ACCEPTED" if preview is None else "VALID"
    answer: JsonObject = {"sku": sku, "status": status, "submissionId": submission}
    if "issues" in data:
        answer["issues"] = [issue.shown() for issue in issues]
    if "identifiers" in data:
        known = world.stock.find(caller.seller_id, sku)
        answer["identifiers"] = [
            {"marketplaceId": name, "asin": known.asin}
            for name in marketplaces
            if known is not None and known.asin and name in known.offers
        ]
    return 200, answer


def shown(world: World, listing: Listing, marketplaces: list[str], data: frozenset[str]) -> JsonObject:
    """Model Item, with the data sets asked for. marketplaces: those asked for in which it is listed."""
    tree: JsonObject = {"sku": listing.sku}
    if "summaries" in data:
        tree["summaries"] = [_summary(world, listing, name) for name in marketplaces]
    if "attributes" in data:
        tree["attributes"] = _attributes(listing, marketplaces)
    if "issues" in data:
        tree["issues"] = [{**one.shown(), "marketplaceIds": marketplaces} for one in listing.issues]
    if "offers" in data:
        tree["offers"] = [_offer(listing, name) for name in marketplaces if listing.complete]
    if "fulfillmentAvailability" in data:
        tree["fulfillmentAvailability"] = [_availability(listing.offers[marketplaces[0]])]
    if "productTypes" in data:
        tree["productTypes"] = [{"marketplaceId": name, "productType": PRODUCT_TYPE} for name in marketplaces]
    for name in data & {"procurement", "relationships"}:
        tree[name] = []
    return tree


def _asked(world: World, caller: Caller, request: Request) -> tuple[str, list[str]]:
    if request.path_params["seller_id"] != caller.seller_id:
        raise denied("The selling partner of the path is not the one of the access token.")
    names = [name for part in request.query_params.getlist("marketplaceIds") for name in part.split(",")]
    names = list(dict.fromkeys(name for name in names if name))
    if not names:
        raise invalid("Missing required parameter: marketplaceIds.")
    strange = sorted(set(names) - world.marketplaces(caller.seller_id))
    if strange:
        raise invalid("Invalid marketplaceIds provided.", f"{strange[0]} is not a marketplace of the seller.")
    return str(request.path_params["sku"]), names


def _read(body: bytes) -> tuple[list[Wanted], list[Issue]]:
    broken = invalid("Request has missing or invalid parameters and cannot be parsed.")
    try:
        tree = json.loads(body)
    except ValueError:
        raise broken from None
    if not isinstance(tree, dict) or not isinstance(tree.get("productType"), str):
        raise broken
    try:
        return of_patches(tree.get("patches"))
    except PatchError as error:
        raise invalid(str(error)) from None


def _summary(world: World, listing: Listing, marketplace_id: str) -> JsonObject:
    offer = listing.offers[marketplace_id]
    summary: JsonObject = {
        "marketplaceId": marketplace_id,
        "productType": PRODUCT_TYPE,
        "status": [],
        "createdDate": iso(listing.created_ms),
        "lastUpdatedDate": iso(listing.updated_ms),
    }
    if not listing.complete:
        return summary
    pieces = offer.quantity if offer.channel == MFN else world.fulfillable(listing, marketplace_id)
    summary |= {
        "asin": listing.asin,
        "conditionType": "new_new",
        "itemName": listing.title,
        "status": ["BUYABLE", "DISCOVERABLE"] if pieces else ["DISCOVERABLE"],
    }
    if offer.channel != MFN:
        summary["fnSku"] = listing.fnsku
    return summary


def _attributes(listing: Listing, marketplaces: list[str]) -> JsonObject:
    values: list[JsonObject] = []
    for name in marketplaces:
        offer = listing.offers[name]
        value: JsonObject = {"fulfillment_channel_code": offer.channel, "marketplace_id": name}
        if offer.channel == MFN and offer.submitted is not None:
            value["quantity"] = offer.submitted
        if offer.lead_days is not None:
            value["lead_time_to_ship_max_days"] = offer.lead_days
        values.append(value)
    tree: JsonObject = {"fulfillment_availability": values}
    if listing.complete:
        tree["item_name"] = [{"value": listing.title, "marketplace_id": name} for name in marketplaces]
        tree["condition_type"] = [{"value": "new_new", "marketplace_id": name} for name in marketplaces]
    return tree


def _offer(listing: Listing, marketplace_id: str) -> JsonObject:
    price = {
        "currencyCode": catalogue.MARKETPLACE_BY_ID[marketplace_id].currency,
        "amount": listing.price,
    }
    audience = {"value": "ALL", "displayName": "Sell on Amazon"}
    return {"marketplaceId": marketplace_id, "offerType": "B2C", "price": price, "audience": audience}


def _availability(offer: Offer) -> JsonObject:
    if offer.channel != MFN:
        return {"fulfillmentChannelCode": offer.channel}
    return {"fulfillmentChannelCode": MFN, "quantity": offer.quantity or 0}


_ITEM = "/listings/2021-08-01/items/{seller_id}/{sku}"
OPERATIONS = {
    ("GET", _ITEM): ("getListingsItem", get_listings_item),
    ("PATCH", _ITEM): ("patchListingsItem", patch_listings_item),
}
"""By method and path: the operation's name and what answers it."""
