"""The M3 API REST endpoints behind their gateway: rate limit, authentication, timeout, single and bulk
calls."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from simulators.fault_answers import DroppedConnection
from simulators.faults import FaultPlan
from simulators.m3.auth import Guard, bearer
from simulators.m3.execute import DEFAULT_MAXRECS, Options, Outcome, describe, execute
from simulators.m3.replies import bad_request, gateway_answer, unauthorized, v1_single, v2_bulk, v2_single
from simulators.m3.world import World

_logger = logging.getLogger(__name__)
_OPTION_NAMES = (
    "cono divi lanc locale timezone maxrecs dateformat excludeempty righttrim returncols format"
    " extendedresult readtimeoutmillis m3user metadata"
)
_OPTIONS = frozenset(_OPTION_NAMES.split())
_TERMINATION_CHANCE = {"none": 0.0, "mild": 0.002, "harsh": 0.02}


class BulkTransaction(BaseModel):
    """One entry of a bulk request."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    transaction: str
    record: dict[str, str] = Field(default_factory=dict)
    selectedColumns: list[str] = Field(default_factory=list)  # noqa: N815 - spelt by Infor


class BulkRequest(BaseModel):
    """Body of POST .../v2/execute: one program, many transactions."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    program: str
    cono: str = ""
    divi: str = ""
    maxReturnedRecords: int = DEFAULT_MAXRECS  # noqa: N815 - spelt by Infor
    excludeEmptyValues: bool = False  # noqa: N815
    transactions: list[BulkTransaction]


class Termination(BaseModel):
    """Body of POST /_control/terminate: a bulk call stops before the first entry that fits."""

    operation: str = "*"
    match: dict[str, str] = Field(default_factory=dict)
    times: int = 1


class Gateway:
    """Takes requests in, lets M3 work, writes them down."""

    def __init__(self, world: World, plan: FaultPlan, guard: Guard) -> None:
        self._world = world
        self._plan = plan
        self._guard = guard
        self._allowance = max(world.settings.rate_limit, 1.0)
        self._refilled = time.monotonic()
        self._bulk_calls: Counter[str] = Counter()
        self.terminations: list[Termination] = []
        self.log: deque[dict[str, object]] = deque(maxlen=2000)
        self.counts: Counter[str] = Counter()

    async def token(self, request: Request) -> Response:
        """The token endpoint."""
        return await self._unless_aimed(request, "token", self._guard.issue)

    async def revoke(self, request: Request) -> Response:
        """The revoke endpoint."""
        return await self._unless_aimed(request, "revoke", self._guard.revoke)

    async def _unless_aimed(
        self, request: Request, operation: str, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Authentication fails only when a fault is aimed at it: a 401 there means wrong credentials."""
        if any(fault.strikes(operation, {}) for fault in self._plan.aimed.values()):
            return await self._guarded(request, operation, {}, lambda: answer(request))
        return self._written_down(await answer(request), operation)

    async def v2(self, request: Request) -> Response:
        """GET .../v2/execute/{program}/{transaction}."""
        return await self._single(request, version=2)

    async def v1(self, request: Request) -> Response:
        """GET .../execute/{program}/{transaction}."""
        return await self._single(request, version=1)

    async def bulk(self, request: Request) -> Response:
        """POST .../v2/execute."""
        refusal = self._refusal(request)
        if refusal is not None:
            return self._written_down(refusal, "bulk")
        try:
            wanted = BulkRequest.model_validate_json(await request.body())
        except ValidationError as error:
            return self._written_down(bad_request(f"The request body cannot be read: {error}"), "bulk")
        if not wanted.transactions:
            return self._written_down(bad_request("The request holds no transactions"), "bulk")
        return await self._bulk(request, wanted)

    async def _single(self, request: Request, version: int) -> Response:
        program = request.path_params["program"]
        transaction, *matrix = request.path_params["transaction"].split(";")
        operation = f"{program}.{transaction}"
        refusal = self._refusal(request)
        if refusal is not None:
            return self._written_down(refusal, operation)
        given = dict(parse_qsl(request.url.query, keep_blank_values=True))
        asked = {**dict(pair.partition("=")[::2] for pair in matrix), **given}
        options = {name.lower(): value for name, value in asked.items() if _is_option(name)}
        fields = {name: value for name, value in given.items() if not _is_option(name)}
        try:
            parsed = _options(options, version)
        except ValueError as error:
            return self._written_down(bad_request(str(error)), operation)

        async def work() -> Response:
            await asyncio.sleep(self._world.settings.latency)
            outcome = self._work(program, transaction, fields, parsed)
            self._world.store.commit()
            return (
                v1_single(program, outcome) if version == 1 else v2_single(outcome, extended=parsed.extended)
            )

        return await self._guarded(request, operation, describe(self._world, fields), work)

    def _work(self, program: str, transaction: str, fields: Mapping[str, str], options: Options) -> Outcome:
        self._world.catch_up()
        return execute(self._world, self._plan, (program, transaction), fields, options)

    async def _bulk(self, request: Request, wanted: BulkRequest) -> Response:
        """Entries are done in their order, each by itself: a fault in the middle leaves the earlier ones
        done."""
        entries = wanted.transactions
        operations = [f"{wanted.program}.{entry.transaction}" for entry in entries]
        stop = self._stops_before(operations, entries)
        struck = self._struck(operations, entries)
        outcomes: list[Outcome] = []

        def do(until: int) -> None:
            for entry in entries[len(outcomes) : until]:
                options = Options(
                    maxrecs=wanted.maxReturnedRecords,
                    exclude_empty=wanted.excludeEmptyValues,
                    columns=tuple(entry.selectedColumns),
                    cono=wanted.cono or request.query_params.get("cono", ""),
                    divi=wanted.divi or request.query_params.get("divi", ""),
                )
                outcomes.append(self._work(wanted.program, entry.transaction, entry.record, options))
            self._world.store.commit()

        async def work() -> Response:
            await asyncio.sleep(self._world.settings.latency)
            do(stop)
            return v2_bulk(outcomes, [entry.transaction for entry in entries[stop:]])

        do(min(struck, stop))
        fields = describe(self._world, entries[struck].record)
        return await self._guarded(request, operations[struck], fields, work, entries=len(entries))

    def _struck(self, operations: list[str], entries: list[BulkTransaction]) -> int:
        """The first entry an aimed fault means; without one, the whole call stands or falls with the
        first."""
        aimed = [fault for fault in self._plan.aimed.values() if not fault.order.action.startswith("nok:")]
        for number, (operation, entry) in enumerate(zip(operations, entries, strict=True)):
            fields = describe(self._world, entry.record) if aimed else {}
            if any(fault.strikes(operation, fields) for fault in aimed):
                return number
        return 0

    def _stops_before(self, operations: list[str], entries: list[BulkTransaction]) -> int:
        """How many entries are done before M3 stops: all, unless a test or chance says otherwise."""
        for termination in self.terminations:
            for number, (operation, entry) in enumerate(zip(operations, entries, strict=True)):
                fields = describe(self._world, entry.record)
                fits = all(fields.get(name) == value for name, value in termination.match.items())
                if termination.times and fits and termination.operation in ("*", operation):
                    termination.times -= 1
                    return number
        about = repr((operations[0], sorted(entries[0].record.items())))
        self._bulk_calls[about] += 1
        chance = self._world.agenda.chance("terminate", about, str(self._bulk_calls[about]))
        if chance.random() < _TERMINATION_CHANCE[self._plan.profile]:
            return chance.randrange(len(entries))
        return len(entries)

    def _refusal(self, request: Request) -> Response | None:
        """What the gateway answers by itself: 429 above the rate, 401 without a valid token."""
        now = time.monotonic()
        rate = self._world.settings.rate_limit
        self._allowance = min(max(rate, 1.0), self._allowance + (now - self._refilled) * rate)
        self._refilled = now
        if self._allowance < 1:
            return gateway_answer("status_429", request)
        self._allowance -= 1
        objection = self._guard.objection(request)
        if objection is None:
            return None
        return unauthorized(objection, "Basic" if self._world.settings.profile == "onprem" else "Bearer")

    async def _guarded(
        self,
        request: Request,
        operation: str,
        fields: Mapping[str, str],
        work: Callable[[], Awaitable[Response]],
        *,
        entries: int = 1,
    ) -> Response:
        """Let the faults have their say, and give up on M3 (which goes on) after the gateway's timeout."""
        try:
            async with asyncio.timeout(self._world.settings.gateway_timeout):
                response = await self._plan.around(request, operation, fields, work)
        except TimeoutError:
            response = gateway_answer("status_504", request) or Response(status_code=504)
        if response.status_code == 401 and operation not in ("token", "revoke"):
            self._guard.withdraw(bearer(request))
        return self._written_down(response, operation, entries)

    def _written_down(self, response: Response, operation: str, entries: int = 1) -> Response:
        request_id = uuid.uuid4().hex
        status = "dropped" if isinstance(response, DroppedConnection) else str(response.status_code)
        self.counts[operation] += 1
        self.log.append(
            {
                "at": self._world.clock.ahead(),
                "operation": operation,
                "entries": entries,
                "status": status,
                "request_id": request_id,
            }
        )
        if not isinstance(response, DroppedConnection):
            response.headers["x-request-id"] = request_id
        _logger.debug("%s %s %s", operation, status, request_id)
        return response


def _is_option(name: str) -> bool:
    """Whether a parameter is an option of the call (cono) and not a field of the transaction (CONO)."""
    return name.lower() in _OPTIONS and not name.isupper()


def _options(given: Mapping[str, str], version: int) -> Options:
    """The options of a call. ValueError, with what to tell the caller, if one cannot be read."""
    maxrecs = given.get("maxrecs", str(DEFAULT_MAXRECS))
    if not maxrecs.isdigit():
        raise ValueError(f"maxrecs {maxrecs} is not a number")
    if given.get("dateformat", "YMD8") != "YMD8":
        raise ValueError("This simulator knows the date format YMD8 only")
    return Options(
        maxrecs=int(maxrecs),
        exclude_empty=given.get("excludeempty", "false").lower() == "true",
        trim=given.get("righttrim", "true" if version == 2 else "false").lower() == "true",
        columns=tuple(name for name in given.get("returncols", "").split(",") if name),
        cono=given.get("cono", ""),
        divi=given.get("divi", ""),
        extended=given.get("extendedresult", "false").lower() == "true",
    )
