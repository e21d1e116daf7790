"""Faults of the Amazon simulator, over real sockets: what a caller gets and whether the work was done."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from simulators import serving
from simulators.amazon.app import build_app
from simulators.amazon.settings import Settings
from simulators.faults import RECORD_LOCK, FaultOrder, FaultPlan
from tests.contract.amazon_simulator_client import Caller, mfn_order, shipment, simulator

ORDER = "304-0000001-0000001"
TEA = "10000000000001"


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    app = build_app(Settings(data=tmp_path, quota_factor=1e6))
    async with serving.serve(app) as url, httpx.AsyncClient(base_url=url, timeout=10) as http:
        yield Caller(http, app.state.world)


@dataclass
class Aimed:
    caller: Caller

    async def at(self, operation: str, action: str, when: str = "before", **more: object) -> None:
        order = {"id": "f", "operation": operation, "action": action, "when": when, **more}
        response = await self.caller.http.post("/_control/faults", json=order)
        assert response.status_code == 201, response.text

    async def view(self) -> dict[str, int]:
        faults = (await self.caller.http.get("/_control/faults")).json()["faults"]
        return {"fired": faults[0]["fired"], "waiting": faults[0]["waiting"]}

    async def until_waiting(self) -> None:
        async with asyncio.timeout(5):
            while not (await self.view())["waiting"]:
                pass

    async def until_nobody_waits(self) -> None:
        async with asyncio.timeout(5):
            while (await self.view())["waiting"]:
                pass


async def confirm(caller: Caller) -> httpx.Response:
    planted = caller.world.index.by_id[ORDER].body["createdTime"]
    return await caller.confirm(ORDER, shipment({TEA: 1}, "1", planted))


async def shipped(caller: Caller) -> int:
    order = (await caller.http.get(f"/_control/orders/{ORDER}")).json()["summary"]
    return int(order["items"][0]["quantityFulfilled"])


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize(
    "action", ["drop", "status_504", "status_500", "html_503", "empty_200", "status_429"]
)
async def test_a_fault_strikes_once_before_or_after_the_work(
    caller: Caller, action: str, when: str, done: int
) -> None:
    await caller.plant(mfn_order())
    aimed = Aimed(caller)
    await aimed.at("confirmShipment", action, when, match={"orderId": ORDER})
    if action == "drop":
        with pytest.raises(httpx.RemoteProtocolError):
            await confirm(caller)
    else:
        response = await confirm(caller)
        expected = {"html_503": 503, "empty_200": 200}.get(action) or int(action[-3:])
        assert response.status_code == expected
        if action == "html_503":
            assert response.headers["content-type"].startswith("text/html")
        if action == "empty_200":
            assert response.content == b""
        assert ("x-amzn-ratelimit-limit" in response.headers) is False
    assert await shipped(caller) == done
    assert await aimed.view() == {"fired": 1, "waiting": 0}
    assert (await confirm(caller)).status_code == 204


async def test_an_aimed_fault_spares_other_calls(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await caller.plant(mfn_order("304-0000002-0000002"))
    await Aimed(caller).at("getOrder", "status_500", match={"orderId": "304-0000002-0000002"}, times=2)
    assert (await caller.get(ORDER)).status_code == 200
    assert (await caller.search()).status_code == 200
    other = [(await caller.get("304-0000002-0000002")).status_code for _ in range(3)]
    assert other == [500, 500, 200]


async def test_forbidden_without_body_or_request_id(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await Aimed(caller).at("getOrder", "forbidden_no_body")
    response = await caller.get(ORDER)
    assert (response.status_code, response.content) == (403, b"")
    assert "x-amzn-requestid" not in response.headers


async def test_a_token_can_expire_in_the_middle(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await Aimed(caller).at("getOrder", "token_expiry")
    for _ in range(2):  # the fault strikes once; the token stays expired
        response = await caller.get(ORDER)
        assert response.status_code == 403
        assert response.json()["errors"][0]["details"] == "The access token you provided has expired."
    await caller.login()
    assert (await caller.get(ORDER)).status_code == 200


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
async def test_a_held_call_goes_on_when_released(caller: Caller, when: str, done: int) -> None:
    await caller.plant(mfn_order())
    aimed = Aimed(caller)
    await aimed.at("confirmShipment", "hang", when)
    call = asyncio.create_task(confirm(caller))
    await aimed.until_waiting()
    assert await shipped(caller) == done
    released = await caller.http.post("/_control/release", json={"id": "f"})
    assert released.json() == {"released": 1}
    assert (await call).status_code == 204
    assert await shipped(caller) == 1
    assert await aimed.view() == {"fired": 1, "waiting": 0}


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
async def test_a_held_call_is_dropped_when_the_client_leaves(caller: Caller, when: str, done: int) -> None:
    await caller.plant(mfn_order())
    aimed = Aimed(caller)
    await aimed.at("confirmShipment", "hang", when)
    call = asyncio.create_task(confirm(caller))
    await aimed.until_waiting()
    call.cancel()
    await aimed.until_nobody_waits()
    assert await shipped(caller) == done


async def test_clearing_lets_held_calls_go(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await caller.login()
    aimed = Aimed(caller)
    await aimed.at("*", "hang")
    call = asyncio.create_task(caller.get(ORDER))
    await aimed.until_waiting()
    assert (await caller.http.delete("/_control/faults")).status_code == 204
    assert (await call).status_code == 200
    assert (await caller.http.get("/_control/faults")).json()["faults"] == []


async def test_bad_fault_orders_are_refused(caller: Caller) -> None:
    for order in ({"action": "explode"}, {"action": "drop", "times": 0}, {"action": "drop", "whom": "me"}):
        assert (await caller.http.post("/_control/faults", json=order)).status_code == 422
    assert (await caller.http.post("/_control/release", json={"id": "none"})).status_code == 404


async def outcome(call: Awaitable[httpx.Response]) -> str:
    try:
        return str((await call).status_code)
    except ConnectionResetError:
        return "dropped"


async def storm(folder: Path, seed: int, calls: int = 400) -> list[str]:
    """What `calls` getOrder calls get under the harsh profile, in order."""
    got: list[str] = []
    async with simulator(folder, quota_factor=1e6, seed=seed, pace=0) as caller:
        await caller.plant(mfn_order())
        await caller.login()
        await caller.http.post("/_control/profile", json={"profile": "harsh"})
        for _ in range(calls):
            got.append(await outcome(caller.get(ORDER)))
            if got[-1] == "403":
                while await outcome(caller.login()) != "200":
                    pass
    return got


async def test_a_storm_is_harsh_and_can_be_repeated(tmp_path: Path) -> None:
    first, again, other = [await storm(tmp_path / str(n), seed) for n, seed in enumerate((1, 1, 2))]
    assert first == again
    assert first != other
    assert {"200", "dropped", "429", "500", "503", "504", "403"} == set(first)
    assert 0.6 < first.count("200") / len(first) < 0.95


def start(folder: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.amazon", "--data", str(folder), *more],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["name"] == "amazon"
    return process, said["url"]


def test_the_process_says_where_it_is_and_forgets_nothing_when_killed(tmp_path: Path) -> None:
    process, url = start(tmp_path, "--orders", "25", "--quota-factor", "1000")
    port = url.rpartition(":")[2]
    try:
        assert httpx.post(f"{url}/_control/order", json={"order": mfn_order()}).status_code == 201
        assert httpx.post(f"{url}/_control/orders/{ORDER}/events", json={"type": "ship"}).status_code == 200
    finally:
        process.kill()
        process.communicate()
    process, url = start(tmp_path, "--port", port, "--orders", "25")
    try:
        assert url.endswith(port)
        orders = {o["orderId"]: o for o in httpx.get(f"{url}/_control/orders").json()}
        assert len(orders) == 26
        assert orders[ORDER]["status"] == "SHIPPED"
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")


def test_business_errors_are_drawn_per_record_and_apart_from_the_wire() -> None:
    plan = FaultPlan("harsh", seed=4)
    drawn = [plan.record_error("MMS200MI.Get", {"ITNO": str(number)}) for number in range(1000)]
    assert 20 < drawn.count(RECORD_LOCK) < 120
    calm = FaultPlan("none", seed=4)
    calm.aim(
        FaultOrder(operation="OIS100MI.AddBatchHead", action="nok:WCU0103", match={"CUOR": "A"}, times=2)
    )
    assert calm.record_error("OIS100MI.AddBatchHead", {"CUOR": "B"}) is None
    answers = [calm.record_error("OIS100MI.AddBatchHead", {"CUOR": "A", "ORTP": "AZF"}) for _ in range(3)]
    assert answers == ["WCU0103", "WCU0103", None]
