"""The simulator as a Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from simulators.amazon import (
    catalog_api,
    control,
    endpoints,
    fulfillment_2026,
    fulfillment_api,
    fulfillment_control,
    page,
)
from simulators.amazon.aftersale import control as aftersale
from simulators.amazon.fulfillment_orders import Desk
from simulators.amazon.notifications import control as notification_control
from simulators.amazon.reports import control as report_control
from simulators.amazon.reports import endpoints as reports
from simulators.amazon.settings import Settings
from simulators.amazon.settlements import control as settlements
from simulators.amazon.stock import control as stock_control
from simulators.amazon.stock import feed_api, inventory_api, listings_api
from simulators.amazon.world import World
from simulators.faults import FaultPlan, control_routes

TICK_SECONDS = 0.25


def build_app(settings: Settings) -> Starlette:
    """A pretended Amazon over the sqlite file in `settings.data`.

    ``app.state.world`` and ``app.state.faults`` are there for tests that run in the same process.
    """
    world = World(settings)
    desk = Desk(settings.data, settings.pace)
    desk.listeners.append(world.notifications.fulfillment_changed)
    faults = FaultPlan(
        settings.faults,
        settings.seed,
        settings.pace,
        render=endpoints.fault_renderer(world.tokens),
        exempt=frozenset({"record_lock"}),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        background = [asyncio.create_task(_tick(world)), asyncio.create_task(_send(world))]
        try:
            yield
        finally:
            for task in background:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            faults.clear()
            world.store.close()
            desk.close()

    async def nowhere(_: Request, __: Exception) -> Response:
        return endpoints.unknown_path()

    app = Starlette(
        routes=[
            *endpoints.routes(world, faults),
            *endpoints.more_routes(world, faults, fulfillment_api.operations(desk)),
            *endpoints.more_routes(world, faults, fulfillment_2026.operations(desk)),
            *endpoints.more_routes(world, faults, listings_api.OPERATIONS),
            *endpoints.more_routes(world, faults, inventory_api.OPERATIONS),
            *endpoints.more_routes(world, faults, feed_api.OPERATIONS),
            *endpoints.more_routes(world, faults, catalog_api.OPERATIONS),
            *feed_api.upload_routes(world, faults),
            *stock_control.routes(world),
            *fulfillment_control.routes(world, desk),
            *reports.document_routes(world, faults),
            *report_control.routes(world),
            *control_routes(faults),
            *control.routes(world, faults),
            *notification_control.routes(world),
            *aftersale.routes(world),
            *settlements.routes(world),
            *page.routes(world),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: nowhere},
    )
    app.state.world = world
    app.state.faults = faults
    return app


async def _tick(world: World) -> None:
    """Keep the world moving when nobody looks, so that a stream of orders does not pile up."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        world.settle()


async def _send(world: World) -> None:
    """Carry notifications to SQS as soon as there is one to carry them to."""
    while not world.notifications.outbox.plan.endpoint:  # noqa: ASYNC110 - a plan can be changed at any time
        await asyncio.sleep(TICK_SECONDS)
    from simulators.amazon.notifications.sender import Sender  # noqa: PLC0415 - the AWS client loads slowly

    await Sender(world.notifications).run(world.clock.now_ms)
