"""/_control/fulfillment: what tests and demonstrations may let happen to fulfilment orders, and look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.amazon.fulfillment_orders import Desk
from simulators.amazon.fulfillment_records import EventError, Order
from simulators.amazon.world import World


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Happening(_Body):
    """POST /_control/fulfillment/{order id}/events. `items`: pieces by item id; all that is open without."""

    type: Literal[
        "validate", "plan", "pick", "ship", "short", "cancel_shipment", "give_up_rest", "deliver", "lose"
    ]
    items: dict[str, int] = {}
    packages: int = 1


class Switch(_Body):
    """POST /_control/fulfillment/switch."""

    automatic: bool | None = None
    asynchronous: bool | None = None


class Stock(_Body):
    """POST /_control/fulfillment/stock: sellable pieces of a SKU, as Amazon's books have it."""

    seller: str
    sku: str
    quantity: int


def routes(world: World, desk: Desk) -> list[Route]:
    """The control routes of fulfilment orders."""
    base = "/_control/fulfillment"
    return [*_switching(desk, base), *_orders(world, desk, base)]


def _orders(world: World, desk: Desk, base: str) -> list[Route]:
    def order_of(request: Request) -> Order | None:
        asked = request.path_params["order_id"]
        return next((order for order in desk.orders.values() if order.order_id == asked), None)

    async def show_all(_: Request) -> Response:
        desk.settle(world.settle())
        return JSONResponse([order.model_dump(mode="json") for order in desk.orders.values()])

    async def show(request: Request) -> Response:
        desk.settle(world.settle())
        order = order_of(request)
        return _refused("There is no such order.", 404) if order is None else _shown(order)

    async def happen(request: Request) -> Response:
        order = order_of(request)
        if order is None:
            return _refused("There is no such order.", 404)
        try:
            _apply(desk, order, Happening.model_validate_json(await request.body()), world.settle())
        except (ValidationError, EventError) as error:
            return _refused(str(error), 409 if isinstance(error, EventError) else 422)
        return _shown(order)

    return [
        Route(base, show_all, methods=["GET"]),
        Route(f"{base}/{{order_id}}", show, methods=["GET"]),
        Route(f"{base}/{{order_id}}/events", happen, methods=["POST"]),
    ]


def _switching(desk: Desk, base: str) -> list[Route]:
    async def switch(request: Request) -> Response:
        wanted = Switch.model_validate_json(await request.body())
        if wanted.automatic is not None:
            desk.automatic = wanted.automatic
        if wanted.asynchronous is not None:
            desk.asynchronous = wanted.asynchronous
        return JSONResponse({"automatic": desk.automatic, "asynchronous": desk.asynchronous})

    async def stock(request: Request) -> Response:
        wanted = Stock.model_validate_json(await request.body())
        desk.stock[f"{wanted.seller}/{wanted.sku}"] = wanted.quantity
        return JSONResponse(desk.stock)

    return [
        Route(f"{base}/switch", switch, methods=["POST"]),
        Route(f"{base}/stock", stock, methods=["POST"]),
    ]


def _apply(desk: Desk, order: Order, event: Happening, now_ms: int) -> None:
    steps: dict[str, Callable[[], None]] = {
        "validate": lambda: desk.validate(order, now_ms),
        "plan": lambda: desk.plan(order, now_ms),
        "pick": lambda: desk.pick(order, event.items, now_ms),
        "ship": lambda: desk.ship(order, event.packages, now_ms),
        "short": lambda: desk.short(order, event.items, now_ms),
        "cancel_shipment": lambda: desk.cancel_shipment(order, now_ms),
        "give_up_rest": lambda: desk.give_up_rest(order, now_ms),
        "deliver": lambda: desk.arrive(order, "DELIVERED", now_ms),
        "lose": lambda: desk.arrive(order, "UNDELIVERABLE", now_ms),
    }
    steps[event.type]()


def _shown(order: Order) -> Response:
    return JSONResponse(order.model_dump(mode="json"))


def _refused(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status)
