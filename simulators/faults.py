"""Faults the pretended outside world throws at its callers: by profile (seeded chance) or aimed at one call.

A `FaultPlan` stands between the wire and the work of a simulator::

    response = await plan.around(request, "OIS100MI.AddBatchHead", {"CUOR": cuor}, work)

`work` does the job and returns the honest answer. The plan may refuse before it, spoil the answer after it,
delay it, hold it back, or cut the connection. Chance is drawn from the seed, the operation, its fields and
how often the same call has come before: a run can be repeated even when calls arrive in another order.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.fault_answers import DroppedConnection, client_gone, plain_answer

Profile = Literal["none", "mild", "harsh"]
Kind = Literal[
    "lost_reply", "drop", "http_429", "http_500", "http_503_html", "record_lock", "slow", "token_expiry"
]
Work = Callable[[], Awaitable[Response]]
Renderer = Callable[[str, Request], Response | None]
"""Turns an action ("status_429", "token_expiry", ...) into the answer in the words of the simulated system;
None leaves the plain form to the plan."""

RATES: dict[Profile, dict[Kind, float]] = {
    "none": {},
    "mild": {
        "lost_reply": 0.004, "drop": 0.004, "http_429": 0.008, "http_500": 0.004, "http_503_html": 0.003,
        "record_lock": 0.015, "slow": 0.02, "token_expiry": 0.002,
    },
    "harsh": {
        "lost_reply": 0.04, "drop": 0.04, "http_429": 0.04, "http_500": 0.03, "http_503_html": 0.02,
        "record_lock": 0.06, "slow": 0.08, "token_expiry": 0.01,
    },
}  # fmt: skip
"""Chance of each kind per call; what is left of 1.0 is an honest answer."""

SLOWEST_SECONDS = 3.0
RECORD_LOCK = "XUP0001"

ACTIONS = (
    "drop", "hang", "status_504", "status_500", "status_429", "html_503", "empty_200", "forbidden_no_body",
    "token_expiry",
)  # fmt: skip

_DRAWN_ACTION: dict[Kind, str] = {
    "drop": "drop", "http_429": "status_429", "http_500": "status_500", "http_503_html": "html_503",
    "token_expiry": "token_expiry",
}  # fmt: skip


class FaultOrder(BaseModel):
    """One fault aimed at one kind of call; the body of ``POST /_control/faults``."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    operation: str = "*"
    match: dict[str, str] = Field(default_factory=dict)
    when: Literal["before", "after"] = "before"
    action: str = Field(pattern=rf"^({'|'.join(ACTIONS)}|nok:[A-Z0-9_]+)$")
    times: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    """So many calls that are meant go through first."""


@dataclass(eq=False)
class AimedFault:
    """A `FaultOrder` with its history: how often it fired and who is still held back by it."""

    order: FaultOrder
    fired: int = 0
    passed: int = 0
    gates: set[asyncio.Event] = field(default_factory=set)

    def strikes(self, operation: str, fields: Mapping[str, str]) -> bool:
        """Whether this call is the one meant and the fault has not fired often enough yet."""
        order = self.order
        return (
            self.fired < order.times
            and order.operation in ("*", operation)
            and all(fields.get(name) == value for name, value in order.match.items())
        )

    def release(self) -> int:
        """Let every held call go on; returns how many there were."""
        for gate in self.gates:
            gate.set()
        return len(self.gates)

    def view(self) -> dict[str, object]:
        """What ``GET /_control/faults`` shows."""
        return {**self.order.model_dump(), "fired": self.fired, "waiting": len(self.gates)}


class FaultPlan:
    """The faults of one simulator run.

    profile, seed: chance per kind of fault, repeatable. pace: multiplies the delay of slow answers.
    render: the simulated system's own words for an action (see `Renderer`).
    exempt: kinds never drawn by chance, for a system that does not know them.
    """

    def __init__(
        self,
        profile: Profile = "none",
        seed: int = 0,
        pace: float = 1.0,
        render: Renderer | None = None,
        exempt: frozenset[Kind] = frozenset(),
    ) -> None:
        self.profile: Profile = profile
        self.pace = pace
        self.injected: Counter[str] = Counter()
        self.aimed: dict[str, AimedFault] = {}
        self._seed = seed
        self._render = render
        self._exempt = exempt
        self._seen: Counter[bytes] = Counter()
        self._numbers = itertools.count(1)

    async def around(
        self, request: Request, operation: str, fields: Mapping[str, str], work: Work
    ) -> Response:
        """Do `work` and answer, unless a fault stands in the way."""
        aimed = self._aimed_at(operation, fields, record=False)
        if aimed is not None:
            return await self._aimed_answer(aimed, request, work)
        kind, rest = self._draw(operation, fields, self._transport_kinds())
        if kind is None:
            return await work()
        self.injected[kind] += 1
        if kind == "slow":
            await asyncio.sleep(rest * SLOWEST_SECONDS * self.pace)
            return await work()
        if kind == "lost_reply":
            await work()
            return self._answer("drop" if rest < 0.5 else "status_504", request)
        return self._answer(_DRAWN_ACTION[kind], request)

    def record_error(self, operation: str, fields: Mapping[str, str]) -> str | None:
        """The business error (M3 message id, e.g. XUP0001) this one record must answer, if any.

        Apart from `around` because a bulk call carries many records and each can be refused alone.
        """
        aimed = self._aimed_at(operation, fields, record=True)
        if aimed is not None:
            return aimed.order.action.removeprefix("nok:")
        if "record_lock" in self._exempt:
            return None
        kind, _ = self._draw(operation, fields, ("record_lock",))
        if kind is None:
            return None
        self.injected[kind] += 1
        return RECORD_LOCK

    def aim(self, order: FaultOrder) -> AimedFault:
        """Add (or replace, by id) a fault aimed at one kind of call."""
        if not order.id:
            order = order.model_copy(update={"id": f"fault-{next(self._numbers)}"})
        fault = AimedFault(order)
        self.aimed[order.id] = fault
        return fault

    def clear(self) -> None:
        """Forget every aimed fault; held calls go on."""
        for fault in self.aimed.values():
            fault.release()
        self.aimed.clear()

    def view(self) -> dict[str, object]:
        """The plan as JSON: profile, what chance has done so far, the aimed faults."""
        return {
            "profile": self.profile,
            "injected": dict(self.injected),
            "faults": [fault.view() for fault in self.aimed.values()],
        }

    def _transport_kinds(self) -> tuple[Kind, ...]:
        return tuple(k for k in get_args(Kind) if k != "record_lock" and k not in self._exempt)

    def _draw(
        self, operation: str, fields: Mapping[str, str], kinds: tuple[Kind, ...]
    ) -> tuple[Kind | None, float]:
        """The kind that strikes (or None) and an even share 0..1 for the details of it."""
        rates = RATES[self.profile]
        if not rates:
            return None, 0.0
        identity = repr((operation, kinds, sorted(fields.items()))).encode()
        key = hashlib.blake2b(identity, digest_size=8, key=str(self._seed).encode()[:64]).digest()
        self._seen[key] += 1
        digest = hashlib.blake2b(key + self._seen[key].to_bytes(8, "big"), digest_size=16).digest()
        chance = int.from_bytes(digest[:8], "big") / 2**64
        rest = int.from_bytes(digest[8:], "big") / 2**64
        for kind in kinds:
            chance -= rates.get(kind, 0.0)
            if chance < 0:
                return kind, rest
        return None, rest

    def _aimed_at(self, operation: str, fields: Mapping[str, str], *, record: bool) -> AimedFault | None:
        for fault in self.aimed.values():
            if fault.order.action.startswith("nok:") is record and fault.strikes(operation, fields):
                if fault.passed < fault.order.skip:
                    fault.passed += 1
                    continue
                fault.fired += 1
                return fault
        return None

    async def _aimed_answer(self, fault: AimedFault, request: Request, work: Work) -> Response:
        before = fault.order.when == "before"
        if fault.order.action == "hang":
            response = None if before else await work()
            if not await self._held(fault, request):
                return DroppedConnection()
            return response if response is not None else await work()
        if not before:
            await work()
        return self._answer(fault.order.action, request)

    async def _held(self, fault: AimedFault, request: Request) -> bool:
        """Wait until the fault is released (True) or the client has gone away (False)."""
        gate = asyncio.Event()
        fault.gates.add(gate)
        await request.body()  # what is still unread would be mistaken for a sign of life
        released = asyncio.ensure_future(gate.wait())
        gone = asyncio.ensure_future(client_gone(request.receive))
        try:
            await asyncio.wait((released, gone), return_when=asyncio.FIRST_COMPLETED)
            return gate.is_set()
        finally:
            fault.gates.discard(gate)
            for waiting in (released, gone):
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiting

    def _answer(self, action: str, request: Request) -> Response:
        if action == "drop":
            return DroppedConnection()
        own = self._render(action, request) if self._render is not None else None
        return own if own is not None else plain_answer(action)


def control_routes(plan: FaultPlan) -> list[Route]:
    """``/_control/faults`` (GET, POST, DELETE), ``/_control/release`` and ``/_control/profile`` (POST)."""

    async def show(_: Request) -> Response:
        return JSONResponse(plan.view())

    async def aim(request: Request) -> Response:
        try:
            order = FaultOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        return JSONResponse(plan.aim(order).view(), status_code=201)

    async def clear(_: Request) -> Response:
        plan.clear()
        return Response(status_code=204)

    async def release(request: Request) -> Response:
        name = str((await request.json()).get("id", ""))
        fault = plan.aimed.get(name)
        if fault is None:
            return JSONResponse({"error": f"No fault is called {name!r}."}, status_code=404)
        return JSONResponse({"released": fault.release()})

    async def switch(request: Request) -> Response:
        wanted = (await request.json()).get("profile")
        if wanted not in RATES:
            return JSONResponse({"error": f"Profiles are {', '.join(RATES)}."}, status_code=422)
        plan.profile = wanted
        return JSONResponse(plan.view())

    return [
        Route("/_control/faults", show, methods=["GET"]),
        Route("/_control/faults", aim, methods=["POST"]),
        Route("/_control/faults", clear, methods=["DELETE"]),
        Route("/_control/release", release, methods=["POST"]),
        Route("/_control/profile", switch, methods=["POST"]),
    ]
