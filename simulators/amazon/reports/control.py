"""The control room of the report desk."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.amazon.reports.rules import Rule
from simulators.amazon.world import World


def routes(world: World) -> list[Route]:
    """``/_control/reports``: every report and the rules to come; ``/_control/reports/rules`` to set them."""

    async def show(_: Request) -> Response:
        world.settle()
        return JSONResponse({"reports": world.reports.view(), "rules": world.reports.rules.view()})

    async def add(request: Request) -> Response:
        try:
            rule = Rule.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 422)
        world.reports.rules.add(rule)
        return JSONResponse(world.reports.rules.view(), 201)

    async def clear(_: Request) -> Response:
        world.reports.rules.clear()
        return Response(status_code=204)

    return [
        Route("/_control/reports", show, methods=["GET"]),
        Route("/_control/reports/rules", add, methods=["POST"]),
        Route("/_control/reports/rules", clear, methods=["DELETE"]),
    ]
