"""Every way in which Amazon can fail to answer, and what each becomes."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from activities.amazon import transport
from activities.amazon.client import Period, timestamp
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.lwa import Credentials, TokenCache
from activities.amazon.operations import GET_ORDER, Operation
from simulators import catalogue
from tests.activities.amazon_world import EU, Amazon, amazon

UNKNOWN = "028-0000000-0000000"


class Told:
    """An ear that writes down what it hears."""

    def __init__(self) -> None:
        self.calls: list[Operation] = []
        self.refusals: list[Operation] = []
        self.rates: list[tuple[Operation, float]] = []

    def called(self, operation: Operation) -> None:
        self.calls.append(operation)

    def throttled(self, operation: Operation) -> None:
        self.refusals.append(operation)

    def rate_named(self, operation: Operation, rate: float) -> None:
        self.rates.append((operation, rate))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Amazon]:
    async with amazon(tmp_path, orders=20) as running:
        yield running


async def some_order_id(world: Amazon) -> str:
    page = await world.client().search_orders(Period(datetime.now(UTC) - timedelta(days=3)))
    return str(page.orders[0]["orderId"])


@pytest.mark.parametrize(
    ("action", "times", "failure", "status", "code", "has_request_id"),
    [
        ("status_429", 1, Failure.QUOTA, 429, "QuotaExceeded", True),
        ("status_500", 1, Failure.UNAVAILABLE, 500, "InternalFailure", True),
        ("status_504", 1, Failure.UNAVAILABLE, 504, "InternalFailure", True),
        ("html_503", 1, Failure.UNAVAILABLE, 503, "", False),
        ("empty_200", 1, Failure.UNAVAILABLE, 200, "", True),
        ("drop", 1, Failure.UNAVAILABLE, 0, "", False),
        ("forbidden_no_body", 2, Failure.NOT_AUTHORISED, 403, "", False),
        ("token_expiry", 2, Failure.NOT_AUTHORISED, 403, "Unauthorized", True),
    ],
)
async def test_every_outcome_is_named(
    world: Amazon, action: str, times: int, failure: Failure, status: int, code: str, has_request_id: bool
) -> None:
    await world.fault(action, "getOrder", times=times)
    with capture_logs() as logs, pytest.raises(AmazonError) as raised:
        await world.client().get_order(UNKNOWN)
    error = raised.value
    assert (error.failure, error.status, error.code) == (failure, status, code)
    assert bool(error.request_id) is has_request_id
    logged = [entry for entry in logs if entry["event"] == "amazon_call" and entry["operation"] == "getOrder"]
    assert len(logged) == times
    assert (logged[-1]["status"], logged[-1]["request_id"]) == (status, error.request_id)
    assert logged[-1]["order_id"] == UNKNOWN


async def test_not_found_and_refused_carry_amazons_words(world: Amazon) -> None:
    with pytest.raises(AmazonError) as missing:
        await world.client().get_order(UNKNOWN)
    assert missing.value.failure is Failure.NOT_FOUND
    assert missing.value.request_id in str(missing.value)
    with pytest.raises(AmazonError) as refused:
        await world.client().get_order("not-an-order")
    assert (refused.value.failure, refused.value.code) == (Failure.REFUSED, "InvalidInput")


async def test_silence_ends(world: Amazon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", httpx.Timeout(0.2))
    await world.fault("hang", "getOrder")
    with pytest.raises(AmazonError) as raised:
        await world.client().get_order(UNKNOWN)
    assert raised.value.failure is Failure.UNAVAILABLE
    assert raised.value.message == "ReadTimeout"


async def test_nobody_listening() -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(AmazonError) as raised:
            await Amazon("http://127.0.0.1:9", http).client().get_order(UNKNOWN)
    assert raised.value.failure is Failure.UNAVAILABLE
    assert raised.value.operation == "LWA token"


async def test_429_waits_for_one_call_of_the_quota_and_is_told(world: Amazon) -> None:
    told = Told()
    client = world.client()
    client.tell(told)
    await world.fault("status_429", "getOrder")
    with pytest.raises(AmazonError) as raised:
        await client.get_order(UNKNOWN)
    assert raised.value.retry_after == timedelta(seconds=2)
    assert (told.calls, told.refusals) == ([GET_ORDER], [GET_ORDER])


async def test_a_rate_that_amazon_names_is_told(world: Amazon) -> None:
    told = Told()
    client = world.client()
    client.tell(told)
    with pytest.raises(AmazonError):
        await client.get_order(UNKNOWN)  # a 404 names the rate as well
    assert told.rates == [(GET_ORDER, 0.5)]


async def test_429_waits_by_the_rate_amazon_last_named(tmp_path: Path) -> None:
    async with amazon(tmp_path, quota_factor=8) as world:
        client = world.client()
        with pytest.raises(AmazonError):
            await client.get_order(UNKNOWN)  # its 404 says 4.0 calls a second
        await world.fault("status_429", "getOrder")
        with pytest.raises(AmazonError) as raised:
            await client.get_order(UNKNOWN)
    assert raised.value.retry_after == timedelta(seconds=0.25)


async def test_fifty_callers_need_one_token(world: Amazon) -> None:
    client = world.client()
    order_id = await some_order_id(world)
    await asyncio.gather(*(client.tokens.token() for _ in range(50)))
    await client.get_order(order_id)
    # One for some_order_id's own client, one for this one.
    assert await world.calls("token") == [200, 200]


async def test_a_caller_that_gives_up_does_not_take_the_token_from_the_others(world: Amazon) -> None:
    tokens = world.client().tokens
    impatient = asyncio.create_task(tokens.token())
    patient = asyncio.create_task(tokens.token())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    assert await world.calls("token") == [200]


async def test_an_expired_token_is_renewed_once_and_the_call_repeated(world: Amazon) -> None:
    order_id = await some_order_id(world)
    client = world.client()
    first = await client.tokens.token()
    await world.fault("token_expiry", "getOrder")
    assert (await client.get_order(order_id))["orderId"] == order_id
    assert await client.tokens.token() != first
    assert await world.calls("getOrder") == [403, 200]


async def test_many_refused_at_once_share_one_new_token(world: Amazon) -> None:
    order_id = await some_order_id(world)
    client = world.client()
    await client.tokens.token()
    before = len(await world.calls("token"))
    await world.fault("token_expiry", "getOrder", times=8)
    await asyncio.gather(*(client.get_order(order_id) for _ in range(8)))
    assert len(await world.calls("token")) == before + 1


async def test_a_late_refusal_of_an_old_token_leaves_the_new_one(world: Amazon) -> None:
    tokens = world.client().tokens
    old = await tokens.token()
    tokens.reject(old)
    new = await tokens.token()
    tokens.reject(old)
    assert await tokens.token() == new != old


async def test_a_token_is_renewed_five_minutes_before_its_end(world: Amazon) -> None:
    now = [1000.0]
    credentials = Credentials(catalogue.LWA_CLIENT_ID, catalogue.LWA_CLIENT_SECRET, EU.refresh_token)
    tokens = TokenCache(credentials, world.http, f"{world.url}/auth/o2/token", clock=lambda: now[0])
    first = await tokens.token()
    now[0] += 3600 - 301
    assert await tokens.token() == first
    now[0] += 2
    assert await tokens.token() != first


async def test_a_wrong_secret_is_not_authorised_and_stays_secret(world: Amazon) -> None:
    client = world.client(secret="wrong-secret-value")
    with pytest.raises(AmazonError) as raised:
        await client.get_order(UNKNOWN)
    error = raised.value
    assert (error.failure, error.code) == (Failure.NOT_AUTHORISED, "invalid_client")
    assert error.request_id
    shown = f"{error!r} {error} {client.tokens!r} {Credentials('id', 'wrong-secret-value', 'Atzr|x')!r}"
    assert "wrong-secret-value" not in shown
    assert "Atzr" not in shown


@pytest.mark.parametrize("action", ["html_503", "drop", "status_500", "empty_200", "status_429"])
async def test_login_out_of_order_is_tried_again(world: Amazon, action: str) -> None:
    await world.fault(action, "token")
    with pytest.raises(AmazonError) as raised:
        await world.client().tokens.token()
    assert raised.value.failure is Failure.UNAVAILABLE


async def test_a_failed_login_is_shared_but_not_kept(world: Amazon) -> None:
    tokens = world.client().tokens
    await world.fault("html_503", "token")
    results = await asyncio.gather(*(tokens.token() for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, AmazonError) for result in results)
    assert await tokens.token()


async def test_pages_follow_their_token_to_the_end(world: Amazon) -> None:
    client = world.client()
    period = Period(datetime.now(UTC) - timedelta(days=3), by_creation=True)
    seen: list[str] = []
    token = ""
    for _ in range(20):
        page = await client.search_orders(period, token=token, page_size=5)
        assert page.horizon is not None
        seen += [str(order["orderId"]) for order in page.orders]
        token = page.next_token
        if not token:
            break
    whole = await client.search_orders(period)
    assert len(seen) > 5
    assert sorted(seen) == sorted(str(order["orderId"]) for order in whole.orders)
    assert len(set(seen)) == len(seen)


async def test_a_period_ending_now_leaves_its_end_to_amazon(world: Amazon) -> None:
    now = datetime.now(UTC)
    page = await world.client().search_orders(Period(now - timedelta(hours=1), now))
    assert page.horizon is not None
    assert page.horizon <= datetime.now(UTC)


async def test_a_period_too_young_to_ask_for_costs_no_call(world: Amazon) -> None:
    after = datetime.now(UTC) - timedelta(minutes=1)
    page = await world.client().search_orders(Period(after))
    assert (page.orders, page.horizon) == ((), after)
    assert await world.calls("searchOrders") == []


def test_numbers_are_decimals() -> None:
    read = transport.read_json(b'{"amount": 0.1, "count": 3}')
    assert read == {"amount": Decimal("0.1"), "count": 3}
    assert isinstance(read, dict)
    assert isinstance(read["amount"], Decimal)
    with pytest.raises(ValueError, match="Expecting"):
        transport.read_json(b"<html>")


def test_timestamps_end_in_z() -> None:
    tokyo = datetime.fromisoformat("2026-11-23T09:00:00.250+09:00")
    assert timestamp(tokyo) == "2026-11-23T00:00:00Z"


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"errors": []}', b'{"errors": "no"}', json.dumps([{"code": "X", "message": "m"}]).encode()],
)
async def test_errors_in_another_shape_are_errors_still(body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/o2/token":
            return httpx.Response(200, json={"access_token": "Atza|t", "expires_in": 3600})
        return httpx.Response(400, content=body, headers={"x-amzn-RequestId": "rid-1"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(AmazonError) as raised:
            await Amazon("http://amazon.test", http).client().get_order(UNKNOWN)
    assert (raised.value.failure, raised.value.request_id) == (Failure.REFUSED, "rid-1")


async def test_a_dataset_amazon_refuses_is_left_out_if_we_can_do_without() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/o2/token":
            return httpx.Response(200, json={"access_token": "Atza|t", "expires_in": 3600})
        data = request.url.params["includedData"]
        asked.append(data)
        refused = "CANCELLATION" if "CANCELLATION" in data else "FULFILLMENT"
        error = {"code": "InvalidInput", "message": "Invalid includedData", "details": refused}
        if len(asked) == 2:
            return httpx.Response(200, json={"order": {"orderId": UNKNOWN}})
        return httpx.Response(400, json={"errors": [error]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Amazon("http://amazon.test", http).client()
        await client.get_order(UNKNOWN)
        assert asked == [
            "RECIPIENT,PROCEEDS,TAX,FULFILLMENT,CANCELLATION",
            "RECIPIENT,PROCEEDS,TAX,FULFILLMENT",
        ]
        with pytest.raises(AmazonError) as raised:
            await client.get_order(UNKNOWN, ("PROCEEDS", "FULFILLMENT"))
        assert raised.value.failure is Failure.REFUSED
        assert len(asked) == 3
