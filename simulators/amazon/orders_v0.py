"""The reads of Orders v0 that importers in the field still make: getOrders, getOrder, getOrderItems.

Amazon removes them on 27 March 2027 (deprecation table); until then the two versions have buckets of their
own. Address, buyerInfo and itemsBuyerInfo are not answered: they take a restricted data token.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from simulators.amazon import orders_v0_query, orders_v0_view, query
from simulators.amazon.auth import Caller
from simulators.amazon.clock import iso
from simulators.amazon.orders_v0_query import PageTokensV0
from simulators.amazon.pages import Position
from simulators.amazon.record import OrderRecord
from simulators.amazon.wire import JsonObject, not_found
from simulators.amazon.world import World

GET_ORDERS: Final = "getOrders"
GET_ORDER_V0: Final = "getOrderV0"
GET_ORDER_ITEMS: Final = "getOrderItems"
"""Names of the operations here; getOrder of 2026-01-01 has that name for itself."""


def get_orders(
    world: World, caller: Caller, request: Request, _: bytes, now_ms: int
) -> tuple[int, JsonObject | None]:
    """getOrders (v0)."""
    params = request.query_params
    asked = orders_v0_query.marketplaces(params, world.marketplaces(caller.seller_id))
    wanted = orders_v0_query.order_ids(params)
    if wanted:
        found = [world.find(caller.seller_id, order_id) for order_id in wanted]
        return 200, {"payload": {"Orders": _shown([record for record in found if record is not None])}}
    tokens = PageTokensV0(world.settings.seed)
    token, after = params.get("NextToken"), None
    if token:
        search, after = tokens.read(token, caller.seller_id, now_ms)
    else:
        search = orders_v0_query.search(params, asked, now_ms, world.blind_ms)
    records, last = world.index.page(caller.seller_id, search, after)
    payload: JsonObject = {"Orders": _shown(records)}
    if last is not None:
        position = Position(last[0], last[1], search.before_ms)
        payload["NextToken"] = tokens.write(search, caller.seller_id, position, now_ms)
    payload["LastUpdatedBefore" if search.by_update else "CreatedBefore"] = f"{iso(search.before_ms)[:19]}Z"
    return 200, {"payload": payload}


def get_order(
    world: World, caller: Caller, request: Request, _: bytes, __: int
) -> tuple[int, JsonObject | None]:
    """getOrder (v0)."""
    return 200, {"payload": orders_v0_view.order(_found(world, caller, request))}


def get_order_items(
    world: World, caller: Caller, request: Request, _: bytes, __: int
) -> tuple[int, JsonObject | None]:
    """getOrderItems (v0)."""
    return 200, {"payload": orders_v0_view.items(_found(world, caller, request))}


OPERATIONS: Final = (
    ("/orders/v0/orders", "GET", GET_ORDERS, get_orders),
    ("/orders/v0/orders/{order_id}", "GET", GET_ORDER_V0, get_order),
    ("/orders/v0/orders/{order_id}/orderItems", "GET", GET_ORDER_ITEMS, get_order_items),
)


def _found(world: World, caller: Caller, request: Request) -> OrderRecord:
    order_id = query.order_id(request.path_params["order_id"])
    record = world.find(caller.seller_id, order_id)
    if record is None:
        raise not_found(f"The order {order_id} was not found.")
    return record


def _shown(records: list[OrderRecord]) -> list[JsonObject]:
    return [orders_v0_view.order(record) for record in records]
