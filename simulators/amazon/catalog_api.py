"""Catalog Items 2022-04-01: searchCatalogItems and getCatalogItem over what the pretended seller sells.

Shapes and limits by the model catalogItems_2022-04-01.json. Facts: what is not found is left out of the answer
(model). Inferred: the words of the refusals, how long a page token lives (as long as the simulator's seed), and that
keywords are met by titles that have all of their words.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable

from starlette.datastructures import QueryParams
from starlette.requests import Request

from simulators import catalogue
from simulators.amazon.auth import Caller
from simulators.amazon.query import listed
from simulators.amazon.stock.records import Listing
from simulators.amazon.wire import ApiError, JsonObject, invalid
from simulators.amazon.world import World

Answer = tuple[int, JsonObject | None]
DATA = frozenset(
    {
        "attributes", "classifications", "dimensions", "identifiers", "images", "productTypes", "relationships",
        "salesRanks", "summaries", "vendorDetails",
    }
)  # fmt: skip
TYPES = frozenset({"ASIN", "EAN", "GTIN", "ISBN", "JAN", "MINSAN", "SKU", "UPC"})
MOST = 20
"""Identifiers, keywords, and items on a page."""
MOST_FOUND = 1000
BRAND = "Leaf & Bean"
CLASS = {"displayName": "Grocery", "classificationId": "340846031"}
RANK = {"websiteDisplayGroup": "grocery_display_on_website", "title": "Grocery", "rank": 4711}
_WITH_KEYWORDS = ("brandNames", "classificationIds", "keywordsLocale")


def search_catalog_items(world: World, caller: Caller, request: Request, _: bytes, __: int) -> Answer:
    """searchCatalogItems."""
    params = request.query_params
    marketplace = _marketplaces(params, most=1)[0]
    data = listed(params, "includedData", DATA) or frozenset({"summaries"})
    size = params.get("pageSize", "10")
    if not size.isdecimal() or not 1 <= int(size) <= MOST:
        raise invalid("pageSize must be between 1 and 20.")
    identifiers, keywords = _values(params, "identifiers"), _values(params, "keywords")
    if bool(identifiers) == bool(keywords):
        raise invalid("Provide exactly one of identifiers and keywords.")
    found = _identified(world, params, identifiers) if identifiers else _worded(world, keywords)
    begin = _page_begin(world, caller, params)
    page = found[begin : begin + int(size)]
    answer: JsonObject = {
        "numberOfResults": len(found),
        "items": [_item(listing, [marketplace], data) for listing in page],
    }
    pagination = {
        name: _token(world, caller, params, place)
        for name, place in (("nextToken", begin + int(size)), ("previousToken", begin - int(size)))
        if 0 <= place < len(found)
    }
    if pagination:
        answer["pagination"] = pagination
    if keywords:
        counts = {"numberOfResults": len(found)}
        answer["refinements"] = {
            "brands": [{**counts, "brandName": BRAND}] if found else [],
            "classifications": [{**counts, **CLASS}] if found else [],
        }
    return 200, answer


def get_catalog_item(world: World, _: Caller, request: Request, __: bytes, ___: int) -> Answer:
    """getCatalogItem."""
    params = request.query_params
    marketplaces = _marketplaces(params)
    data = listed(params, "includedData", DATA) or frozenset({"summaries"})
    asin = str(request.path_params["asin"])
    known = world.stock.with_number("ASIN", asin)
    if not known:
        names = ", ".join(marketplaces)
        raise ApiError(404, "NOT_FOUND", f"Requested item '{asin}' not found in marketplace(s) {names}.")
    return 200, _item(known[0], marketplaces, data)


def _identified(world: World, params: QueryParams, identifiers: list[str]) -> list[Listing]:
    kind = params.get("identifiersType", "")
    if kind not in TYPES:
        raise invalid("identifiersType is required with identifiers.", f"One of {', '.join(sorted(TYPES))}.")
    for name in _WITH_KEYWORDS:
        if name in params:
            raise invalid(f"{name} cannot be used with identifiers.")
    seller = params.get("sellerId", "")
    if kind == "SKU" and not seller:
        raise invalid("sellerId is required when identifiersType is SKU.")
    found: list[Listing] = []
    for identifier in identifiers:
        if kind == "SKU":
            one = world.stock.find(seller, identifier)
            found += [one] if one is not None else []
        else:
            found += world.stock.with_number(kind, identifier)
    return _each_asin_once(found)


def _worded(world: World, keywords: list[str]) -> list[Listing]:
    words = [word.casefold() for keyword in keywords for word in keyword.split()]
    meeting = (one for one in world.stock.of() if all(word in one.title.casefold() for word in words))
    return _each_asin_once(meeting)[:MOST_FOUND]


def _each_asin_once(listings: Iterable[Listing]) -> list[Listing]:
    return list({one.asin: one for one in listings if one.complete and one.asin}.values())


def _marketplaces(params: QueryParams, most: int | None = None) -> list[str]:
    names = _values(params, "marketplaceIds")
    if not names:
        raise invalid("Missing required parameter: marketplaceIds.")
    if most is not None and len(names) > most:
        raise invalid(f"marketplaceIds takes at most {most} value.")
    strange = [name for name in names if name not in catalogue.MARKETPLACE_BY_ID]
    if strange:
        raise invalid("Invalid marketplaceIds provided.", f"{strange[0]} is no marketplace.")
    return names


def _values(params: QueryParams, name: str) -> list[str]:
    """In the order given, each once; more than the model allows are refused."""
    parts = [part.strip() for text in params.getlist(name) for part in text.split(",")]
    values = list(dict.fromkeys(part for part in parts if part))
    if len(values) > MOST:
        raise invalid(f"{name} takes at most {MOST} values.")
    return values


def _item(listing: Listing, marketplaces: list[str], data: frozenset[str]) -> JsonObject:
    """Model Item, with the data sets asked for."""
    tree: JsonObject = {"asin": listing.asin}
    for name in sorted(data):
        if name == "attributes":
            tree[name] = _attributes(listing, marketplaces)
        else:
            tree[name] = [{"marketplaceId": one, **SETS[name](listing)} for one in marketplaces]
    return tree


def _attributes(listing: Listing, marketplaces: list[str]) -> JsonObject:
    values = {"item_name": listing.title, "brand": BRAND, "part_number": listing.sku}
    tree: JsonObject = {
        name: [{"value": value, "marketplace_id": one} for one in marketplaces]
        for name, value in values.items()
    }
    if listing.ean:
        number = {"value": listing.ean, "type": _kind(listing.ean).casefold()}
        tree["externally_assigned_product_identifier"] = [
            {**number, "marketplace_id": one} for one in marketplaces
        ]
    return tree


def _kind(number: str) -> str:
    return "UPC" if len(number) == 12 else "EAN"


def _identifiers(listing: Listing) -> JsonObject:
    found = [{"identifierType": "ASIN", "identifier": listing.asin}]
    if listing.ean:
        found.append({"identifierType": _kind(listing.ean), "identifier": listing.ean})
        found.append({"identifierType": "GTIN", "identifier": listing.ean.zfill(14)})
    return {"identifiers": found}


def _summary(listing: Listing) -> JsonObject:
    return {
        "brand": BRAND,
        "browseClassification": CLASS,
        "itemClassification": "BASE_PRODUCT",
        "itemName": listing.title,
        "manufacturer": BRAND,
        "packageQuantity": 1,
        "partNumber": listing.sku,
    }


def _images(listing: Listing) -> JsonObject:
    link = f"https://m.media-amazon.com/images/I/{listing.asin}.jpg"
    return {"images": [{"variant": "MAIN", "link": link, "height": 500, "width": 500}]}


SETS: dict[str, Callable[[Listing], JsonObject]] = {
    "classifications": lambda _: {"classifications": [CLASS]},
    "dimensions": lambda _: {"item": {"weight": {"unit": "kilograms", "value": 0.4}}},
    "identifiers": _identifiers,
    "images": _images,
    "productTypes": lambda _: {"productType": "PRODUCT"},
    "relationships": lambda _: {"relationships": []},
    "salesRanks": lambda _: {"displayGroupRanks": [RANK]},
    "summaries": _summary,
    "vendorDetails": lambda _: {},
}
"""What each data set tells of an item in a marketplace."""


def _token(world: World, caller: Caller, params: QueryParams, place: int) -> str:
    body = json.dumps(place).encode()
    return base64.urlsafe_b64encode(_seal(world, caller, params, body) + body).decode()


def _page_begin(world: World, caller: Caller, params: QueryParams) -> int:
    if "pageToken" not in params:
        return 0
    refusal = invalid("The pageToken is not valid.", "It is another request's.")
    try:
        sealed = base64.urlsafe_b64decode(params["pageToken"])
    except ValueError:
        raise refusal from None
    seal, body = sealed[:12], sealed[12:]
    if seal != _seal(world, caller, params, body):
        raise refusal
    return int(json.loads(body))


def _seal(world: World, caller: Caller, params: QueryParams, body: bytes) -> bytes:
    query = sorted((name, value) for name, value in params.multi_items() if name != "pageToken")
    text = body + caller.seller_id.encode() + repr(query).encode()
    return hashlib.blake2b(text, key=f"catalog {world.settings.seed}".encode(), digest_size=12).digest()


_ITEMS = "/catalog/2022-04-01/items"
OPERATIONS = {
    ("GET", _ITEMS): ("searchCatalogItems", search_catalog_items),
    ("GET", f"{_ITEMS}/{{asin}}"): ("getCatalogItem", get_catalog_item),
}
"""By method and path: the operation's name and what answers it."""
