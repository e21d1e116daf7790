"""/_control: what tests and demonstrations may do to M3 behind its back, and what they may look at."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.m3 import (
    auth,
    ledger_control,
    returns_received,
    staff,
    stock_control,
    trouble,
    views,
    warehouse,
)
from simulators.m3.errors import NotOk
from simulators.m3.gateway import Gateway, Termination
from simulators.m3.world import World


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Advance(_Body):
    """POST /_control/advance."""

    seconds: float


class Ship(_Body):
    """POST /_control/ship: an order by ORNO or CUOR, pieces by line number (all that is open without)."""

    orno: str = ""
    cuor: str = ""
    lines: dict[int, Decimal] | None = None
    fwno: str = ""
    packages: int | None = None


class Correct(_Body):
    """POST /_control/correct: a carrier or tracking number that was wrong, by package in the order of their numbers."""

    cuor: str
    delivery: int = 0
    package: int = 1
    etrn: str | None = None
    fwno: str | None = None


class Trouble(_Body):
    """POST /_control/trouble and /_control/heal."""

    kind: str | None = None
    cuor: str | None = None


class AtWork(_Body):
    """POST /_control/staff."""

    at_work: bool


class Stop(_Body):
    """POST /_control/stop: picking lists of the order handed back, nothing allocated any more; or let it go on."""

    cuor: str
    stopped: bool = True


class Stock(_Body):
    """POST /_control/stock: goods received (negative: taken away)."""

    whlo: str
    itno: str
    quantity: Decimal


class Control:
    """Answers the control requests of one simulator."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """The routes of the control requests."""
        return [
            Route("/_control/state", self._state),
            Route("/_control/log", self._log),
            Route("/_control/orders", self._orders),
            Route("/_control/ionapi", self._ionapi),
            Route("/_control/advance", self._on(Advance, self._advance), methods=["POST"]),
            Route("/_control/ship", self._on(Ship, self._ship), methods=["POST"]),
            Route("/_control/correct", self._on(Correct, self._correct), methods=["POST"]),
            Route("/_control/trouble", self._on(Trouble, self._plant), methods=["POST"]),
            Route("/_control/heal", self._on(Trouble, self._heal), methods=["POST"]),
            Route("/_control/staff", self._on(AtWork, self._staff), methods=["POST"]),
            Route("/_control/stop", self._on(Stop, self._stop), methods=["POST"]),
            Route("/_control/stock", self._on(Stock, self._stock), methods=["POST"]),
            Route(
                "/_control/receive",
                self._on(returns_received.Received, lambda body: body.happen(self._world)),
                methods=["POST"],
            ),
            Route(
                "/_control/credits",
                self._on(returns_received.Credits, lambda body: body.switch(self._world)),
                methods=["POST"],
            ),
            *ledger_control.routes(self._world, self._on),
            *stock_control.routes(self._world, self._on),
            Route("/_control/terminate", self._on(Termination, self._terminate), methods=["POST"]),
        ]

    def _on(
        self, model: type[BaseModel], act: Callable[..., views.Json]
    ) -> Callable[[Request], object]:  # Starlette awaits what it returns
        async def answer(request: Request) -> Response:
            self._world.catch_up()
            try:
                body = act(model.model_validate_json(await request.body()))
            except (ValidationError, ValueError, NotOk) as error:
                return JSONResponse({"error": str(error)}, status_code=422)
            self._world.catch_up()
            self._world.store.commit()
            return JSONResponse(body)

        return answer

    def _caught_up(self) -> World:
        self._world.catch_up()
        self._world.store.commit()
        return self._world

    async def _state(self, _: Request) -> Response:
        return JSONResponse({**views.state(self._caught_up()), "requests": dict(self._gateway.counts)})

    async def _log(self, request: Request) -> Response:
        limit = int(request.query_params.get("limit", "100"))
        return JSONResponse(list(self._gateway.log)[-limit:] if limit > 0 else [])

    async def _orders(self, request: Request) -> Response:
        cuor = request.query_params.get("cuor")
        world = self._caught_up()
        return JSONResponse(views.summary(world) if cuor is None else views.everything_of(world, cuor))

    async def _ionapi(self, request: Request) -> Response:
        if self._world.settings.profile == "onprem":
            return JSONResponse({"error": "There is no .ionapi on-premises."}, status_code=404)
        return JSONResponse(auth.ionapi(str(request.base_url).rstrip("/")))

    def _advance(self, body: Advance) -> views.Json:
        self._world.clock.advance(body.seconds)
        return {"now": self._world.clock.ahead()}

    def _ship(self, body: Ship) -> views.Json:
        keys = [body.orno] if body.orno else self._world.orders_by_cuor.get(body.cuor, [])
        if not keys:
            raise ValueError(f"No customer order has the CUOR {body.cuor!r}.")
        order = self._world.order(keys[0])
        shipped = staff.ship_at_once(self._world, order, body.lines, fwno=body.fwno, packages=body.packages)
        return {"orno": order.orno, "deliveries": shipped}

    def _correct(self, body: Correct) -> views.Json:
        keys = self._world.orders_by_cuor.get(body.cuor, [])
        if not keys:
            raise ValueError(f"No customer order has the CUOR {body.cuor!r}.")
        delivery = self._world.deliveries_of(self._world.order(keys[0]))[body.delivery]
        staff.correct(self._world, delivery, body.package, etrn=body.etrn, fwno=body.fwno)
        return {"delivery": delivery.dlix, "packages": [package.panr for package in delivery.packages]}

    def _plant(self, body: Trouble) -> views.Json:
        if body.kind is None or body.cuor is None:
            raise ValueError("Say which kind of trouble to plant, and on which CUOR.")
        trouble.plant(self._world, body.cuor, body.kind)
        return {"planted": body.kind, "cuor": body.cuor}

    def _heal(self, body: Trouble) -> views.Json:
        return {"healed": trouble.heal(self._world, body.kind, body.cuor)}

    def _staff(self, body: AtWork) -> views.Json:
        staff.set_at_work(self._world, body.at_work)
        return {"at_work": body.at_work}

    def _stop(self, body: Stop) -> views.Json:
        found = [self._world.order(orno) for orno in self._world.orders_by_cuor.get(body.cuor, [])]
        for order in found:
            if body.stopped:
                warehouse.stop(self._world, order)
            else:
                order.stopped = False
                self._world.keep_order(order)
                self._world.agenda.later("allocate", 0.5, 0.5, orno=order.orno)
        return {"orders": [order.orno for order in found], "stopped": body.stopped}

    def _stock(self, body: Stock) -> views.Json:
        trouble.add_stock(self._world, body.whlo, body.itno, body.quantity)
        trouble.allocate_waiting(self._world, list(self._world.orders))
        balance = self._world.balance(body.whlo, body.itno)
        counts = {"onhand": str(balance.onhand), "allocated": str(balance.allocated)}
        return {"whlo": body.whlo, "itno": body.itno, **counts}

    def _terminate(self, body: Termination) -> views.Json:
        self._gateway.terminations.append(body)
        return {"operation": body.operation, "times": body.times}
