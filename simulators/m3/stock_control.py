"""/_control: what people do to stock behind every interface's back, and what is there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import catalogue
from simulators.m3.records import ZERO, Balance, ItemRecord
from simulators.m3.stock import allocatable, balance_asked_for
from simulators.m3.trouble import allocate_waiting
from simulators.m3.views import Json
from simulators.m3.world import World

Answering = Callable[[type[BaseModel], Callable[..., Json]], Callable[[Request], object]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Counts(_Body):
    """POST /_control/counts: staff have counted, and this is on hand now, by ITNO. Below zero: M3 has issued what was
    not there."""

    whlo: str
    onhand: dict[str, Decimal]


class ItemStatus(_Body):
    """POST /_control/item_status: an item is released (20) or blocked (any other)."""

    itno: str
    stat: str


class NewAlias(_Body):
    """Another name of a new item; without a category that of SellerSKUs."""

    popn: str
    alwt: int = catalogue.ALIAS_TYPE
    alwq: str = catalogue.ALIAS_QUALIFIER
    e0pa: str = ""
    lvdt: str = ""
    """To which day it is valid (YYYYMMDD)."""


class NewItem(_Body):
    """One of POST /_control/items."""

    itno: str
    itds: str
    fuds: str = ""
    sku: str = ""
    aliases: list[NewAlias] = []
    onhand: dict[str, Decimal] = {}
    """By WHLO; the item is kept in no other warehouse."""


class NewItems(_Body):
    """POST /_control/items: items the company did not have before; those it has stay as they are."""

    items: list[NewItem]


def count(world: World, body: Counts) -> Json:
    """Set what is on hand; waiting orders are allocated from it."""
    for itno, onhand in body.onhand.items():
        balance = balance_asked_for(world, body.whlo, itno)
        world.change_balance(balance, onhand=onhand - balance.onhand, allocated=ZERO)
    allocate_waiting(world, list(world.orders))
    return {"counted": len(body.onhand)}


def set_status(world: World, body: ItemStatus) -> Json:
    """Release or block an item."""
    item = world.items.get(body.itno)
    if item is None:
        raise ValueError(f"No item has the number {body.itno!r}.")
    item.stat = body.stat
    world.items.put(item.itno, item)
    return {"itno": item.itno, "stat": item.stat}


def add_items(world: World, body: NewItems) -> Json:
    """Enter items with their stock, and their SKUs as aliases."""
    known = {warehouse.whlo for warehouse in catalogue.WAREHOUSES}
    added = 0
    for new in body.items:
        if new.itno in world.items:
            continue
        if not set(new.onhand) <= known:
            raise ValueError(f"Item {new.itno} is to be kept in a warehouse that does not exist.")
        world.items.put(
            new.itno,
            ItemRecord(itno=new.itno, itds=new.itds, fuds=new.fuds or new.itds, stat="20", price=Decimal(10)),
        )
        if new.sku:
            world.add_alias(new.sku, new.itno)
        for alias in new.aliases:
            world.add_alias(alias.popn, new.itno, alias.alwt, alias.alwq, alias.e0pa, lvdt=alias.lvdt)
        for whlo, onhand in new.onhand.items():
            changed = world.clock.now()
            balance = Balance(whlo=whlo, itno=new.itno, onhand=onhand, changed=changed)
            world.balances.put(f"{whlo}/{new.itno}", balance)
        added += 1
    return {"added": added}


def balances(world: World, whlo: str) -> list[Json]:
    """What is there, of one warehouse or of all."""
    return [
        {
            "whlo": balance.whlo,
            "itno": balance.itno,
            "onhand": str(balance.onhand),
            "allocated": str(balance.allocated),
            "reserved": str(world.reserved.of(f"{balance.whlo}/{balance.itno}")),
            "allocatable": str(allocatable(world, balance)),
        }
        for balance in world.balances
        if whlo in ("", balance.whlo)
    ]


def routes(world: World, answering: Answering) -> list[Route]:
    """The control requests about stock."""

    async def show(request: Request) -> Response:
        world.catch_up()
        world.store.commit()
        return JSONResponse(balances(world, request.query_params.get("whlo", "")))

    def on(model: type[BaseModel], act: Callable[..., Json]) -> Callable[[Request], object]:
        return answering(model, lambda body: act(world, body))

    return [
        Route("/_control/balances", show),
        Route("/_control/counts", on(Counts, count), methods=["POST"]),
        Route("/_control/item_status", on(ItemStatus, set_status), methods=["POST"]),
        Route("/_control/items", on(NewItems, add_items), methods=["POST"]),
    ]
