"""A pretended M3 behind real HTTP, the activities on it, and what a test may ask of both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.m3.activities import M3Activities
from activities.m3.auth import BasicAccess, IonApi, ServiceAccount
from activities.m3.client import M3Client
from activities.m3.options import M3Options
from canonical import activity_contracts as act
from canonical.held import Hold
from canonical.money import Money
from canonical.order import Address, Channel, LineAmounts, Order, OrderLine, OrderStatus
from canonical.profile import ChargeCodes, CustomerPolicy, CustomerPolicyKind, MarketplaceProfile, PriceBasis
from simulators import assortment, catalogue
from simulators.m3.app import build_app
from simulators.m3.settings import M3Settings
from simulators.serving import serve

DE, US = "A1PA6795UKMFR9", "ATVPDKIKX0DER"
GREEN, BLACK, UNMAPPED = "TEA-GREEN-250", "TEA-BLACK-250", "TEA-JASMIN-100"
BUYER = Address(
    name="Erika Musterfrau",
    lines=("Lindenstr. 5",),
    city="Köln",
    postal_code="50667",
    country="DE",
    phone="+49 221 555010",
)
T = TypeVar("T")
R = TypeVar("R")


def profile(marketplace_id: str = DE, **changes: object) -> MarketplaceProfile:
    """A marketplace of the pretended seller as his configuration would have it."""
    european = marketplace_id != US
    fields: dict[str, object] = {
        "marketplace_id": marketplace_id,
        "facility": catalogue.FACI,
        "division": catalogue.DIVI,
        "order_type_fba": "AZF" if european else "AZN",
        "order_type_mfn": "AZM" if european else "AZN",
        "order_type_replacement": "AZR",
        "order_type_tax_by_amazon": "AZN",
        "warehouse_shipped": "AFE",
        "warehouse_fba": "AFE" if european else "AFN",
        "warehouse_mfn": "MAI",
        "customer": CustomerPolicy(numbers=(catalogue.marketplace(marketplace_id).generic_cuno,)),
        "price_basis": PriceBasis.GROSS if european else PriceBasis.NET,
        "charges": ChargeCodes(shipping="AMZSHP", gift_wrap="AMZGFT", promotion="AMZPRM", other="AMZOTH"),
    }
    return MarketplaceProfile.model_validate(fields | changes)


PER_BUYER = CustomerPolicy(kind=CustomerPolicyKind.PER_BUYER, numbers=("AMZDE",), template="AMZTMPL")


@dataclass
class Numbers:
    """Order ids nobody has used in this run."""

    last: int = 0

    def order_id(self) -> str:
        self.last += 1
        return f"302-{self.last:07d}-1234567"


NUMBERS = Numbers()


def amazon_order(
    *skus: tuple[str, int],
    channel: Channel = Channel.FBA,
    marketplace_id: str = DE,
    order_id: str | None = None,
    shipping: str = "4.99",
    discount: str = "0",
    ship_to: Address | None = None,
) -> Order:
    """An order of these SKUs and quantities at catalogue prices; shipping and discount on the first line."""
    currency = catalogue.marketplace(marketplace_id).currency
    lines = []
    for place, (sku, quantity) in enumerate(skus or ((GREEN, 2),), 1):
        item = assortment.ITEM_BY_SKU.get(sku)
        goods = (item.price if item else Decimal("10.00")) * quantity
        extra = Decimal(shipping) if place == 1 else Decimal(0)
        less = -Decimal(discount) if place == 1 else Decimal(0)
        amounts = LineAmounts(item=goods, shipping=extra, discount=less, total=goods + extra + less)
        lines.append(
            OrderLine(
                order_item_id=f"{place:014d}",
                seller_sku=sku,
                title=item.title if item else "",
                quantity=quantity,
                amounts=amounts,
            )
        )
    total = sum((line.amounts.total for line in lines if line.amounts), Decimal(0))
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    return Order(
        seller_id="A2EUSELLER0001",
        order_id=order_id or NUMBERS.order_id(),
        marketplace_id=marketplace_id,
        channel=channel,
        status=OrderStatus.UNSHIPPED,
        created=now,
        last_updated=now,
        grand_total=Money(amount=total, currency=currency),
        lines=tuple(lines),
        ship_to=ship_to or (BUYER if channel is Channel.MFN else None),
    )


def items_of(order: Order) -> dict[str, str]:
    return {line.seller_sku: assortment.ITEM_BY_SKU[line.seller_sku].itno for line in order.lines}


def ref(order: Order) -> act.OrderRef:
    return act.OrderRef(
        seller_id=order.seller_id, order_id=order.order_id, marketplace_id=order.marketplace_id
    )


def booking(order: Order, *, cuno: str = "AMZDE", **more: object) -> act.CreateSalesOrderRequest:
    request = act.CreateSalesOrderRequest(order=order, items=items_of(order), cuno=cuno)
    return request.model_copy(update=more)


class WorkerDied(BaseException):
    """The process is gone: nothing catches this, nothing is tidied up."""


@dataclass
class Stop:
    """A place where a wire stands still: `reached` when it does, until `over` is set."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Wire(httpx.AsyncHTTPTransport):
    """Real HTTP on which a test can let the worker die, or one attempt stand still, at its n-th call to M3."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.dies_at: tuple[int, str] | None = None
        self._stops: dict[tuple[int, str], Stop] = {}

    def stop(self, number: int, when: str) -> "Stop":
        """Let this wire stand still at its n-th call, once."""
        return self._stops.setdefault((number, when), Stop())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token.oauth2"):
            return await super().handle_async_request(request)
        self.calls.append(f"{request.method} {request.url}")
        number = len(self.calls)
        await self._incident(number, "before")
        response = await super().handle_async_request(request)
        await response.aread()
        await self._incident(number, "after")
        return response

    async def _incident(self, number: int, when: str) -> None:
        if self.dies_at == (number, when):
            raise WorkerDied
        stop = self._stops.pop((number, when), None)
        if stop is not None:
            stop.reached.set()
            await stop.over.wait()


class Bench:
    """One pretended M3 and the activities on it."""

    def __init__(self, control: httpx.AsyncClient, activities: M3Activities, wire: Wire) -> None:
        self.control = control
        self.m3 = activities
        self.wire = wire
        self.environment = ActivityEnvironment()
        self.other: Bench = self
        """A second worker on the same M3, with a wire of its own."""

    async def run(
        self, function: Callable[[T], Awaitable[R]], request: T, *, waited: timedelta = timedelta()
    ) -> R:
        """Run an activity as a worker would, `waited` after it was first scheduled."""
        self.environment.info = replace(self.environment.info, scheduled_time=datetime.now(UTC) - waited)
        return await self.environment.run(function, request)

    async def held(self, function: Callable[[T], Awaitable[R]], request: T) -> Hold:
        """The hold an activity ends with."""
        with pytest.raises(ApplicationError) as caught:
            await self.run(function, request)
        error = caught.value
        assert (error.type, error.non_retryable) == (act.HELD, True), error.message
        hold = error.details[0]
        assert isinstance(hold, Hold)
        assert hold.sentence
        return hold

    async def until_done(
        self, function: Callable[[T], Awaitable[R]], request: T, *, attempts: int = 12
    ) -> tuple[R, int]:
        """Retry as Temporal would; the result and how many attempts failed. A hold ends it."""
        for failed in range(attempts):
            try:
                return await self.run(function, request), failed
            except ApplicationError as error:
                if error.non_retryable:
                    raise
        pytest.fail(f"No success in {attempts} attempts.")

    async def fault(
        self, operation: str, action: str, when: str = "before", *, times: int = 1, **match: str
    ) -> None:
        body = {"operation": operation, "action": action, "when": when, "times": times, "match": match}
        answer = await self.control.post("/_control/faults", json=body)
        assert answer.status_code == 201, answer.text

    async def fired(self) -> int:
        faults = (await self.control.get("/_control/faults")).json()["faults"]
        return sum(fault["fired"] for fault in faults)

    async def order(self, order: Order) -> dict[str, list[dict[str, object]]]:
        """Everything M3 has under the order's CUOR."""
        answer = await self.control.get("/_control/orders", params={"cuor": order.order_id})
        return answer.json()  # type: ignore[no-any-return]

    async def post(self, path: str, **body: object) -> dict[str, object]:
        answer = await self.control.post(f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]


@contextlib.asynccontextmanager
async def bench(
    data: Path,
    *,
    api: str = "v2",
    options: dict[str, object] | None = None,
    profiles: tuple[MarketplaceProfile, ...] = (),
    **settings: object,
) -> AsyncIterator[Bench]:
    """A simulator of its own with the activities configured for it."""
    simulated = M3Settings.model_validate(
        {"data": data, "pace": 0, "rate_limit": 100_000, "split_share": 0} | settings
    )
    chosen = M3Options.model_validate(
        {
            "company": catalogue.CONO,
            "division": catalogue.DIVI,
            "partner": catalogue.PARTNER,
            "message_type": catalogue.MESSAGE_TYPE,
            "busy_wait": 2,
            "on_premises": simulated.profile == "onprem",
        }
        | (options or {})
    )
    known = {each.marketplace_id: each for each in (profile(DE), profile(US), *profiles)}
    async with serve(build_app(simulated)) as url, httpx.AsyncClient(base_url=url) as control:
        stage = Bench(control, *await _worker(url, control, simulated, known, chosen, api))
        stage.other = Bench(control, *await _worker(url, control, simulated, known, chosen, api))
        try:
            yield stage
        finally:
            await stage.m3.context.client.aclose()
            await stage.other.m3.context.client.aclose()


async def _worker(
    url: str,
    control: httpx.AsyncClient,
    simulated: M3Settings,
    known: dict[str, MarketplaceProfile],
    chosen: M3Options,
    api: str,
) -> tuple[M3Activities, Wire]:
    wire = Wire()
    client = await client_of(url, control, simulated, api=api, http=httpx.AsyncClient(transport=wire))
    return M3Activities(client, known, chosen), wire


async def client_of(
    url: str,
    control: httpx.AsyncClient,
    simulated: M3Settings,
    *,
    api: str = "v2",
    http: httpx.AsyncClient | None = None,
) -> M3Client:
    """The client an installation like this gets; its pauses before a repeated call take no time."""
    version: Literal["v1", "v2"] = "v1" if api == "v1" else "v2"
    if simulated.profile == "onprem":
        access = BasicAccess("M3API", SecretStr("sim-basic-secret"))
        return M3Client(url, access, company=catalogue.CONO, api=version, http=http, sleep=_blink)
    ionapi = IonApi.model_validate((await control.get("/_control/ionapi")).json())
    account = ServiceAccount(ionapi)
    return M3Client(ionapi.api_base, account, company=catalogue.CONO, api=version, http=http, sleep=_blink)


async def _blink(_: float) -> None:
    """The client's pauses before a repeated call, without the wait."""
