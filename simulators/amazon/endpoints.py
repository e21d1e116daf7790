"""The Selling Partner API operations this Amazon answers, and the token endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.amazon import orders_v0, query, restricted, shipments
from simulators.amazon.aftersale import transactions
from simulators.amazon.auth import Caller, LwaError, Tokens
from simulators.amazon.clock import iso
from simulators.amazon.notifications import api as notifications
from simulators.amazon.pages import Position
from simulators.amazon.reports import endpoints as reports
from simulators.amazon.reports import storage
from simulators.amazon.view import visible
from simulators.amazon.wire import (
    ApiError,
    JsonObject,
    answer,
    denied,
    fault_answer,
    invalid,
    not_found,
    quota_exceeded,
    refusal,
    to_json,
)
from simulators.amazon.world import LogEntry, World, sold_in
from simulators.faults import FaultPlan, Renderer

MAX_BODY = 1_000_000
LANGUAGES = {
    "DE": "de_DE", "GB": "en_GB", "FR": "fr_FR", "US": "en_US", "CA": "en_CA",
    "ES": "es_ES", "IT": "it_IT", "TR": "tr_TR", "BR": "pt_BR", "JP": "ja_JP",
}  # fmt: skip

Operation = Callable[[World, Caller, Request, bytes, int], tuple[int, JsonObject | None]]


def search_orders(
    world: World, caller: Caller, request: Request, _: bytes, now_ms: int
) -> tuple[int, JsonObject | None]:
    """searchOrders (2026-01-01)."""
    search = query.search(request.query_params, now_ms, world.blind_ms)
    if not search.marketplaces <= world.marketplaces(caller.seller_id):
        raise denied("The seller does not sell in one of the marketplaces.")
    after = world.pages.read(search, caller.seller_id, now_ms) if search.page_token is not None else None
    before_ms = after.before_ms if after is not None else search.before_ms
    records, last = world.index.page(caller.seller_id, search, after)
    personal = caller.seller_id not in world.pii_refused
    result: JsonObject = {"orders": [visible(r, search.datasets, personal_data=personal) for r in records]}
    if last is not None:
        position = Position(last[0], last[1], before_ms)
        result["pagination"] = {"nextToken": world.pages.write(search, caller.seller_id, position, now_ms)}
    result["lastUpdatedBefore" if search.by_update else "createdBefore"] = iso(before_ms)
    return 200, result


def get_order(
    world: World, caller: Caller, request: Request, _: bytes, __: int
) -> tuple[int, JsonObject | None]:
    """getOrder (2026-01-01)."""
    order_id = query.order_id(request.path_params["order_id"])
    datasets = query.datasets(request.query_params)
    record = world.find(caller.seller_id, order_id)
    if record is None:
        raise not_found(f"The order {order_id} was not found.")
    personal = caller.seller_id not in world.pii_refused
    return 200, {"order": visible(record, datasets, personal_data=personal)}


def confirm_shipment(
    world: World, caller: Caller, request: Request, body: bytes, now_ms: int
) -> tuple[int, JsonObject | None]:
    """confirmShipment (v0)."""
    order_id = query.order_id(request.path_params["order_id"])
    confirmation = shipments.read(body)
    record = world.find(caller.seller_id, order_id)
    if record is None:
        raise not_found(f"The order {order_id} was not found.")
    shipments.confirm(record, confirmation, now_ms)
    world.commit([record])
    return 204, None


def get_marketplace_participations(
    _: World, caller: Caller, __: Request, ___: bytes, ____: int
) -> tuple[int, JsonObject | None]:
    """getMarketplaceParticipations (Sellers v1)."""
    entries = [
        {
            "marketplace": {
                "id": market.marketplace_id,
                "countryCode": market.country,
                "name": market.sales_channel,
                "defaultCurrencyCode": market.currency,
                "defaultLanguageCode": LANGUAGES[market.country],
                "domainName": f"www.{market.sales_channel.lower()}",
            },
            "storeName": "Leaf & Bean",
            "participation": {"isParticipating": True, "hasSuspendedListings": False},
        }
        for market in sold_in(caller.seller_id)
    ]
    return 200, {"payload": entries}


def routes(world: World, faults: FaultPlan) -> list[Route]:
    """The routes of the Selling Partner API and of Login with Amazon."""

    def route(path: str, method: str, name: str, operation: Operation, scope: str = "") -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answer(world, faults, request, name, operation, scope)

        return Route(path, endpoint, methods=[method])

    async def token(request: Request) -> Response:
        return await _grant(world, faults, request)

    return [
        Route("/auth/o2/token", token, methods=["POST"]),
        *(route(*operation) for operation in transactions.OPERATIONS),
        *(route(*operation) for operation in orders_v0.OPERATIONS),
        *(route(*operation) for operation in notifications.OPERATIONS),
        *(route(*operation) for operation in reports.OPERATIONS),
        route(*restricted.OPERATION),
        route("/orders/2026-01-01/orders", "GET", "searchOrders", search_orders),
        route("/orders/2026-01-01/orders/{order_id}", "GET", "getOrder", get_order),
        route(
            "/orders/v0/orders/{order_id}/shipmentConfirmation", "POST", "confirmShipment", confirm_shipment
        ),
        route(
            "/sellers/v1/marketplaceParticipations",
            "GET",
            "getMarketplaceParticipations",
            get_marketplace_participations,
        ),
    ]


def more_routes(
    world: World, faults: FaultPlan, operations: Mapping[tuple[str, str], tuple[str, Operation]]
) -> list[Route]:
    """Routes of operations given by method and path, each with its name, answered as the others are."""

    def route(method: str, path: str, name: str, operation: Operation) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answer(world, faults, request, name, operation, "")

        return Route(path, endpoint, methods=[method])

    return [route(*where, name, operation) for where, (name, operation) in operations.items()]


def unknown_path() -> Response:
    """Amazon's edge for a path no API answers: 403, no request id (recorded traffic)."""
    body = to_json({"errors": [{"code": "Unauthorized", "message": str(denied()), "details": ""}]})
    return Response(body, 403, {"x-amz-rid": "EDGE0000000000000000"})


def fault_renderer(tokens: Tokens) -> Renderer:
    """Faults in Amazon's words; an access token said to be expired is expired from then on."""

    def render(action: str, request: Request) -> Response | None:
        if request.url.path.startswith("/auth/"):
            if action in ("status_429", "token_expiry", "status_500"):
                return LwaError(500, "server_error", "The server encountered an internal error").response()
            return None
        if request.url.path.startswith(storage.PREFIX):
            return storage.fault_answer(action)
        if action == "token_expiry":
            tokens.revoke(request.headers.get("x-amz-access-token"))
        return fault_answer(action)

    return render


async def _answer(
    world: World, faults: FaultPlan, request: Request, name: str, operation: Operation, scope: str
) -> Response:
    body = await request.body()
    token = request.headers.get("x-amz-access-token")
    rate = world.quotas.rate(name) * world.clock.rate  # per second of whoever calls

    async def work() -> Response:
        now_ms = world.settle()
        try:
            caller = world.tokens.caller(token, now_ms, scope)
            if not caller.may(request.method, request.url.path):
                raise denied("The restricted data token does not cover this resource.")
            if not world.quotas.take(caller.application, caller.seller_id, name, now_ms):
                raise quota_exceeded()
            _check_size_and_type(request, body)
            status, tree = operation(world, caller, request, body, now_ms)
        except ApiError as error:
            return refusal(error, rate)
        return answer(status, tree, rate)

    response = await faults.around(request, name, _fields(world, request, token, body), work)
    _note(world, request, name, response)
    return response


async def _grant(world: World, faults: FaultPlan, request: Request) -> Response:
    body = (await request.body())[:MAX_BODY]

    async def work() -> Response:
        now_ms = world.settle()
        try:
            form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            tree = world.tokens.grant(form, now_ms)
        except LwaError as error:
            return error.response()
        headers = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
        return Response(to_json(tree), 200, headers, "application/json;charset=UTF-8")

    response = await faults.around(request, "token", {}, work)
    _note(world, request, "token", response)
    return response


def _check_size_and_type(request: Request, body: bytes) -> None:
    if len(body) > MAX_BODY:
        raise ApiError(413, "RequestTooLarge", "The request size exceeded the maximum accepted size.")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in ("POST", "PATCH") and content_type != "application/json":
        message = "The request payload is in an unsupported format."
        raise ApiError(415, "UnsupportedMediaType", message)
    if request.method in ("POST", "PATCH") and not body:
        raise invalid("The request body is missing.")


def _fields(world: World, request: Request, token: str | None, body: bytes) -> Mapping[str, str]:
    """What a fault can be aimed at: seller, texts of the body (sellerFulfillmentOrderId, reportType, ...), query
    and path parameters (orderId, reportId, ...)."""
    fields = {**_texts(body), **request.query_params}
    for name, value in request.path_params.items():
        first, *rest = name.split("_")
        fields[first + "".join(part.title() for part in rest)] = value
    return {**fields, "sellerId": world.tokens.seller_id(token)}


def _texts(body: bytes) -> dict[str, str]:
    try:
        tree = json.loads(body or b"{}")
    except ValueError:
        return {}
    return (
        {name: value for name, value in tree.items() if isinstance(value, str)}
        if isinstance(tree, dict)
        else {}
    )


def _note(world: World, request: Request, name: str, response: Response) -> None:
    world.answered[name, response.status_code] += 1
    world.log.append(
        LogEntry(
            at=iso(world.clock.now_ms()),
            operation=name,
            seller_id=world.tokens.seller_id(request.headers.get("x-amz-access-token")),
            order_id=request.path_params.get("order_id", ""),
            status=response.status_code,
            request_id=response.headers.get("x-amzn-requestid", ""),
        )
    )
