"""``/_control/stock``: seed and read what Amazon shows of listings and has in its centres, refuse, delay, adjust."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import assortment, catalogue
from simulators.amazon.stock.desk import fba_channel
from simulators.amazon.stock.pools import Adjustment, AdjustmentError
from simulators.amazon.stock.records import MFN, Listing, Offer, Pool, pool_of
from simulators.amazon.stock.rules import FeedRule, Manners, Refusal
from simulators.amazon.wire import JsonObject
from simulators.amazon.world import World


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GivenListing(_Body):
    """One listing to be exactly so. marketplaces: all of the seller's if left out. by: who ships it."""

    seller: str
    sku: str
    quantity: int = Field(default=0, ge=0)
    marketplaces: list[str] | None = None
    by: Literal["MERCHANT", "AMAZON"] = "MERCHANT"
    asin: str = ""
    title: str = ""
    fnsku: str = ""
    ean: str = ""


class GivenListings(_Body):
    """Body of ``POST /_control/stock/listings``."""

    listings: list[GivenListing]


class GivenPool(_Body):
    """The pieces of one SKU in the pool that this marketplace shows. listed: make its listings FBA's too."""

    seller: str
    sku: str
    marketplace: str
    fulfillable: int = Field(default=0, ge=0)
    inbound_working: int = Field(default=0, ge=0)
    inbound_shipped: int = Field(default=0, ge=0)
    inbound_receiving: int = Field(default=0, ge=0)
    reserved_orders: int = Field(default=0, ge=0)
    reserved_transfer: int = Field(default=0, ge=0)
    reserved_processing: int = Field(default=0, ge=0)
    researching: int = Field(default=0, ge=0)
    unfulfillable: dict[str, int] = Field(default_factory=dict)
    listed: bool = True


class GivenPools(_Body):
    """Body of ``POST /_control/stock/fba``."""

    pools: list[GivenPool]


def routes(world: World) -> list[Route]:
    """The control requests."""
    return [*_seeding(world), *_looking(world), *_minding(world)]


def _seeding(world: World) -> list[Route]:
    async def list_them(request: Request) -> Response:
        try:
            wanted = GivenListings.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(str(error))
        now_ms = world.settle()
        listings = [_listing(world, given, now_ms) for given in wanted.listings]
        world.stock.put(listings)
        return JSONResponse({"listings": len(listings)}, 201)

    async def fill(request: Request) -> Response:
        try:
            wanted = GivenPools.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(str(error))
        now_ms = world.settle()
        world.pools.put(_pool(given, now_ms) for given in wanted.pools)
        world.stock.put(_by_amazon(world, given, now_ms) for given in wanted.pools if given.listed)
        return JSONResponse({"pools": len(wanted.pools)}, 201)

    async def adjust(request: Request) -> Response:
        try:
            wanted = Adjustment.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(str(error))
        at_ms = world.settle() - round(wanted.ago * 1000)
        pool = world.pools.find(wanted.seller, pool_of(wanted.marketplace), wanted.sku)
        if pool is None:
            return _refused(f"Amazon has no {wanted.sku} in the pool of {wanted.marketplace}.", 404)
        try:
            lines = world.pools.adjust(pool, wanted, at_ms)
        except AdjustmentError as error:
            return _refused(str(error), 409)
        world.tell_pool(pool, at_ms)
        shown = [line.model_dump(mode="json") for line in lines]
        return JSONResponse({"pool": pool.model_dump(mode="json"), "lines": shown}, 201)

    return [
        Route("/_control/stock/listings", list_them, methods=["POST"]),
        Route("/_control/stock/fba", fill, methods=["POST"]),
        Route("/_control/stock/adjust", adjust, methods=["POST"]),
    ]


def _looking(world: World) -> list[Route]:
    async def show(_: Request) -> Response:
        return JSONResponse(state(world))

    async def show_listings(request: Request) -> Response:
        world.settle()
        sku = request.query_params.get("sku")
        found = [
            one.model_dump(mode="json")
            for one in world.stock.of(request.query_params.get("seller"))
            if sku in (None, one.sku)
        ]
        return JSONResponse({"listings": found})

    async def show_quantities(request: Request) -> Response:
        world.settle()
        market = request.query_params.get("marketplace", "")
        return JSONResponse(
            {
                one.sku: one.offers[market].quantity
                for one in world.stock.of(request.query_params.get("seller"))
                if market in one.offers and one.offers[market].channel == MFN
            }
        )

    async def show_pools(_: Request) -> Response:
        world.settle()
        pools = [one.model_dump(mode="json") for one in world.pools.all()]
        ledger = [one.model_dump(mode="json") for one in world.pools.ledger]
        return JSONResponse({"pools": pools, "ledger": ledger})

    async def show_feeds(_: Request) -> Response:
        world.settle()
        return JSONResponse([one.model_dump(mode="json") for one in world.feeds.of()])

    return [
        Route("/_control/stock", show, methods=["GET"]),
        Route("/_control/stock/listings", show_listings, methods=["GET"]),
        Route("/_control/stock/quantities", show_quantities, methods=["GET"]),
        Route("/_control/stock/fba", show_pools, methods=["GET"]),
        Route("/_control/stock/feeds", show_feeds, methods=["GET"]),
    ]


def _minding(world: World) -> list[Route]:
    async def refuse(request: Request) -> Response:
        try:
            world.stock.refusals.append(Refusal.model_validate_json(await request.body()))
        except ValidationError as error:
            return _refused(str(error))
        return JSONResponse([one.model_dump(mode="json") for one in world.stock.refusals], 201)

    async def allow(_: Request) -> Response:
        world.stock.refusals.clear()
        world.feeds.rules.clear()
        return Response(status_code=204)

    async def behave(request: Request) -> Response:
        try:
            given = Manners.model_validate_json(await request.body()).model_dump(exclude_unset=True)
        except ValidationError as error:
            return _refused(str(error))
        world.stock.manners = world.stock.manners.model_copy(update=given)
        return JSONResponse(world.stock.manners.model_dump())

    async def end_feeds(request: Request) -> Response:
        try:
            world.feeds.rules.append(FeedRule.model_validate_json(await request.body()))
        except ValidationError as error:
            return _refused(str(error))
        return JSONResponse([one.model_dump() for one in world.feeds.rules], 201)

    return [
        Route("/_control/stock/refuse", refuse, methods=["POST"]),
        Route("/_control/stock/refuse", allow, methods=["DELETE"]),
        Route("/_control/stock/manners", behave, methods=["POST"]),
        Route("/_control/stock/feeds", end_feeds, methods=["POST"]),
    ]


def state(world: World) -> JsonObject:
    """``GET /_control/stock``: in short how it stands."""
    world.settle()
    return {
        "listings": len(world.stock.of()),
        "underWay": len(world.stock.under_way()),
        "counts": world.stock.counts,
        "oversold": world.stock.oversold,
        "manners": world.stock.manners.model_dump(),
        "refusals": [one.model_dump(mode="json") for one in world.stock.refusals],
        "feeds": len(world.feeds.of()),
        "pools": len(world.pools.all()),
    }


def _listing(world: World, given: GivenListing, now_ms: int) -> Listing:
    known, item = world.stock.find(given.seller, given.sku), assortment.ITEM_BY_SKU.get(given.sku)
    names = given.marketplaces if given.marketplaces is not None else sorted(world.marketplaces(given.seller))
    fba = Offer(channel=fba_channel(given.seller))
    mfn = Offer(quantity=given.quantity, submitted=given.quantity)
    return Listing(
        seller_id=given.seller,
        sku=given.sku,
        asin=given.asin or (item.asin if item else "B000000000"),
        fnsku=given.fnsku or (item.fnsku if item else f"X00{given.sku[:7]}"),
        ean=given.ean or (item.ean if item else ""),
        title=given.title or (item.title if item else given.sku),
        price=str(item.price) if item else "9.99",
        created_ms=known.created_ms if known else now_ms,
        updated_ms=now_ms,
        offers={name: (fba if given.by == "AMAZON" else mfn).model_copy() for name in names},
    )


def _by_amazon(world: World, given: GivenPool, now_ms: int) -> Listing:
    """The listing of a SKU in a pool: FBA's in every marketplace that shows the pool, as it was elsewhere."""
    seller = next((one for one in catalogue.ACCOUNTS if one.seller_id == given.seller), catalogue.SELLERS[0])
    pool = pool_of(given.marketplace)
    names = [one.marketplace_id for one in seller.sold_in if pool_of(one.marketplace_id) == pool]
    wanted = GivenListing(seller=given.seller, sku=given.sku, by="AMAZON", marketplaces=names)
    listing, known = _listing(world, wanted, now_ms), world.stock.find(given.seller, given.sku)
    listing.offers = {**(known.offers if known else {}), **listing.offers}
    return listing


def _pool(given: GivenPool, now_ms: int) -> Pool:
    figures = given.model_dump(exclude={"seller", "marketplace", "listed"})
    return Pool(seller_id=given.seller, name=pool_of(given.marketplace), updated_ms=now_ms, **figures)


def _refused(message: str, status: int = 422) -> Response:
    return JSONResponse({"error": message}, status)
