"""The simulator as one ASGI application."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.routing import Route

from simulators.faults import FaultPlan, control_routes
from simulators.m3 import programs
from simulators.m3.auth import Guard, ionapi
from simulators.m3.control import Control
from simulators.m3.gateway import Gateway
from simulators.m3.ion import Ion
from simulators.m3.ion_sending import IonSending
from simulators.m3.page import page_routes
from simulators.m3.replies import gateway_answer
from simulators.m3.settings import TENANT, M3Settings
from simulators.m3.world import World


def build_app(settings: M3Settings) -> Starlette:
    """M3 with its gateway, its control requests and its page; its memory is in ``settings.data``."""
    if not programs.served():
        raise RuntimeError("No MI program is registered.")
    world = World(settings)
    plan = FaultPlan(settings.faults, settings.seed, settings.pace, gateway_answer)
    guard = Guard(world)
    gateway = Gateway(world, plan, guard)
    ion = Ion(world, guard)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        world.store.close()

    base = "/m3api-rest" if settings.profile == "onprem" else f"/{TENANT}/M3/m3api-rest"
    routes = [
        Route(f"{base}/v2/execute", gateway.bulk, methods=["POST"]),
        Route(f"{base}/v2/execute/{{program}}/{{transaction}}", gateway.v2),
        Route(f"{base}/execute/{{program}}/{{transaction}}", gateway.v1),
        *control_routes(plan),
        *Control(world, gateway).routes(),
        *IonSending(ion).routes(),
        *page_routes(world),
    ]
    if settings.profile == "cloud":
        routes += [
            *ion.routes(),
            Route(f"/{TENANT}/as/token.oauth2", gateway.token, methods=["POST"]),
            Route(f"/{TENANT}/as/revoke_token.oauth2", gateway.revoke, methods=["POST"]),
        ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.world = world
    app.state.plan = plan
    return app


def write_ionapi(settings: M3Settings, url: str) -> None:
    """Leave the .ionapi document of the running simulator beside its memory (cloud only)."""
    if settings.profile == "cloud":
        path = settings.data / "simulator.ionapi"
        path.write_text(json.dumps(ionapi(url), indent=2) + "\n", encoding="utf-8")
