"""``/_control``: let something happen after a sale, and look at a report file without asking for the report."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.amazon.aftersale.events import AfterSale, happen
from simulators.amazon.aftersale.files import FILES, text_of
from simulators.amazon.aftersale.transactions import refunded
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
            event = happen(world, record, AfterSale.model_validate_json(await request.body()))
            if event.type == "refund":
                world.notifications.refunded(
                    record, refunded(record, event), event.at_ms, world.clock.now_ms()
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
