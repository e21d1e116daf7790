"""``/_control``: let something happen after a sale, and look at a report file without asking for the report."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.amazon.aftersale.events import AfterSale, happen
from simulators.amazon.aftersale.files import FILES, text_of
from simulators.amazon.aftersale.postings import postings_of, refund_of
from simulators.amazon.record import OrderRecord
from simulators.amazon.world import World


@dataclass(frozen=True)
class Whole:
    """A window over everything that has happened to a seller."""

    seller_id: str
    now_ms: int
    start_ms: int = 0

    @property
    def end_ms(self) -> int:
        return self.now_ms


def routes(world: World) -> list[Route]:
    """The control requests."""

    async def let_happen(request: Request) -> Response:
        record = world.index.by_id.get(request.path_params["order_id"])
        if record is None:
            return JSONResponse({"error": "This order does not exist."}, 404)
        try:
            wanted = AfterSale.model_validate_json(await request.body())
            if wanted.type == "defer" and _paid_out(world, record):
                return JSONResponse({"error": "This order is settled; it can no longer be deferred."}, 422)
            event = happen(world, record, wanted)
            if event.type == "refund":
                world.notifications.refunded(
                    record, refund_of(record, event).total, event.at_ms, world.clock.now_ms()
                )
        except (ValidationError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(event.model_dump(mode="json"), 201)

    async def file(request: Request) -> Response:
        report_type = request.path_params["report_type"]
        if report_type not in FILES:
            return JSONResponse({"error": f"{report_type} is not made here."}, 404)
        window = Whole(request.query_params.get("seller", ""), world.settle())
        return PlainTextResponse(text_of(report_type, world.index.by_id.values(), window))

    return [
        Route("/_control/orders/{order_id}/aftersale", let_happen, methods=["POST"]),
        Route("/_control/aftersale/{report_type}", file, methods=["GET"]),
    ]


def _paid_out(world: World, record: OrderRecord) -> bool:
    found = [posting for posting in postings_of(record) if posting.kind == "Shipment"]
    return any(world.settlements.settled(record.seller_id, posting.counting_id) for posting in found)
