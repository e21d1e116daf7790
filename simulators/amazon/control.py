"""The control room: what tests and demonstrations may see and do, and the real Amazon has not."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.amazon.clock import iso
from simulators.amazon.lifecycle import EventRefusedError
from simulators.amazon.quotas import PLANS
from simulators.amazon.record import OrderRecord, fulfilled, unfulfilled
from simulators.amazon.seeding import ExactOrder, ManyOrders, OneEvent, happen, plant
from simulators.amazon.view import DATASETS, visible
from simulators.amazon.wire import JsonObject, rate_text
from simulators.amazon.world import World
from simulators.faults import FaultPlan


def summary(record: OrderRecord) -> JsonObject:
    """An order in short: enough to compare with M3."""
    proceeds = record.body.get("proceeds") if record.priced else None
    return {
        "orderId": record.order_id,
        "sellerId": record.seller_id,
        "marketplaceId": record.body["salesChannel"].get("marketplaceId"),
        "channelName": record.body["salesChannel"]["channelName"],
        "fulfilledBy": record.body["fulfillment"].get("fulfilledBy"),
        "status": record.status,
        "createdTime": record.body["createdTime"],
        "lastUpdatedTime": record.body["lastUpdatedTime"],
        "grandTotal": (proceeds or {}).get("grandTotal"),
        "planted": record.planted,
        "eventsToCome": len(record.events),
        "items": [
            {
                "orderItemId": item["orderItemId"],
                "sellerSku": item["product"].get("sellerSku"),
                "quantityOrdered": item["quantityOrdered"],
                "quantityFulfilled": fulfilled(item),
                "quantityUnfulfilled": unfulfilled(item),
            }
            for item in record.items
        ],
        "packages": record.body.get("packages", []),
    }


def state(world: World, faults: FaultPlan) -> JsonObject:
    """``GET /_control/state``."""
    now_ms = world.settle()
    records = world.index.by_id.values()
    settings = world.settings.model_dump(mode="json", exclude={"data"})
    return {
        "name": "amazon",
        "now": iso(now_ms),
        "settings": settings,
        "orders": len(world.index.by_id),
        "statuses": dict(Counter(record.status for record in records)),
        "channels": dict(Counter("AMAZON" if record.by_amazon else "MERCHANT" for record in records)),
        "planted": dict(Counter(record.planted for record in records if record.planted)),
        "eventsToCome": sum(len(record.events) for record in records),
        "quotas": {
            name: {"rate": rate_text(world.quotas.rate(name)), "burst": plan.burst}
            for name, plan in PLANS.items()
        },
        "buckets": world.quotas.view(),
        "piiRefused": sorted(world.pii_refused),
        "reports": dict(Counter(entry["processingStatus"] for entry in world.reports.view())),
        "settlements": len(world.settlements.settlements),
        "requests": dict(Counter(f"{entry.operation} {entry.status}" for entry in world.log)),
        "faults": faults.view(),
    }


def routes(world: World, faults: FaultPlan) -> list[Route]:
    """The ``/_control`` routes apart from those of the fault plan."""
    return [*_looking(world, faults), *_placing(world), *_switching(world)]


def _looking(world: World, faults: FaultPlan) -> list[Route]:
    async def show_state(_: Request) -> Response:
        return JSONResponse(state(world, faults))

    async def show_log(request: Request) -> Response:
        text = request.query_params.get("limit", "")
        limit = int(text) if text.isdecimal() and int(text) else 100
        return JSONResponse([asdict(entry) for entry in list(world.log)[-limit:]])

    async def show_requests(_: Request) -> Response:
        counts = sorted(world.answered.items())
        return JSONResponse({f"{name} {status}": count for (name, status), count in counts})

    async def show_orders(_: Request) -> Response:
        world.settle()
        return JSONResponse([summary(record) for record in world.index.by_id.values()])

    async def show_order(request: Request) -> Response:
        world.settle()
        record = world.index.by_id.get(request.path_params["order_id"])
        if record is None:
            return _refused(f"Order {request.path_params['order_id']} does not exist.", 404)
        shown = visible(record, DATASETS, personal_data=True)
        return JSONResponse({"order": record.body, "shown": shown, "summary": summary(record)})

    async def show_planted(_: Request) -> Response:
        world.settle()
        return JSONResponse({r.order_id: r.planted for r in world.index.by_id.values() if r.planted})

    return [
        Route("/_control/state", show_state, methods=["GET"]),
        Route("/_control/log", show_log, methods=["GET"]),
        Route("/_control/requests", show_requests, methods=["GET"]),
        Route("/_control/orders", show_orders, methods=["GET"]),
        Route("/_control/orders/{order_id}", show_order, methods=["GET"]),
        Route("/_control/planted", show_planted, methods=["GET"]),
    ]


def _placing(world: World) -> list[Route]:
    async def place_orders(request: Request) -> Response:
        try:
            wanted = ManyOrders.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(str(error))
        records = world.create(wanted.count, wanted.seed, wanted.trouble_share, wanted.spread_seconds)
        return JSONResponse({"created": [record.order_id for record in records]}, 201)

    async def plant_order(request: Request) -> Response:
        try:
            record = plant(world, ExactOrder.model_validate_json(await request.body()))
        except ValueError as error:
            return _refused(str(error))
        return JSONResponse(summary(record), 201)

    async def event(request: Request) -> Response:
        record = world.index.by_id.get(request.path_params["order_id"])
        if record is None:
            return _refused(f"Order {request.path_params['order_id']} does not exist.", 404)
        try:
            happen(world, record, OneEvent.model_validate_json(await request.body()))
        except (ValidationError, EventRefusedError) as error:
            return _refused(str(error), 409 if isinstance(error, EventRefusedError) else 422)
        return JSONResponse(summary(record))

    return [
        Route("/_control/orders", place_orders, methods=["POST"]),
        Route("/_control/order", plant_order, methods=["POST"]),
        Route("/_control/orders/{order_id}/events", event, methods=["POST"]),
    ]


def _switching(world: World) -> list[Route]:
    async def advance(request: Request) -> Response:
        try:
            world.clock.advance(float((await request.json())["seconds"]))
        except (ValueError, KeyError, TypeError) as error:
            return _refused(f"Give the seconds to go forward: {error}.")
        return JSONResponse({"now": iso(world.settle())})

    async def expire_tokens(_: Request) -> Response:
        return JSONResponse({"expired": world.tokens.revoke_all()})

    async def switch_pii(request: Request) -> Response:
        wanted = await request.json()
        change = world.pii_refused.add if wanted.get("refused", True) else world.pii_refused.discard
        change(str(wanted.get("seller", "")))
        return JSONResponse({"piiRefused": sorted(world.pii_refused)})

    return [
        Route("/_control/advance", advance, methods=["POST"]),
        Route("/_control/expire_tokens", expire_tokens, methods=["POST"]),
        Route("/_control/pii", switch_pii, methods=["POST"]),
    ]


def _refused(message: str, status: int = 422) -> Response:
    return JSONResponse({"error": message}, status)
