"""What the wire looks like: tokens, headers, quotas, the two blind minutes, page tokens, parameters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.amazon_simulator_client import (
    ALL_DATA,
    EU,
    LONG_AGO,
    NA,
    ORDERS,
    Caller,
    mfn_order,
    shipment,
    simulator,
)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path) as caller:
        yield caller


def error(response: httpx.Response) -> tuple[int, str, str]:
    first = response.json()["errors"][0]
    return response.status_code, first["code"], first["message"]


async def moment(caller: Caller, seconds_ago: float) -> str:
    now = datetime.fromisoformat((await caller.control("state"))["now"])
    return f"{now - timedelta(seconds=seconds_ago):%Y-%m-%dT%H:%M:%S}Z"


async def test_login_hands_out_an_access_token_for_an_hour(caller: Caller) -> None:
    response = await caller.login()
    assert response.status_code == 200
    assert response.headers["cache-control"].startswith("no-cache")
    answer = response.json()
    assert answer["access_token"].startswith("Atza|")
    assert answer["refresh_token"] == EU.refresh_token
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)


async def test_grantless_tokens_open_no_seller_data(caller: Caller) -> None:
    scope = "sellingpartnerapi::notifications"
    answer = (await caller.login(grant_type="client_credentials", refresh_token="", scope=scope)).json()
    assert "refresh_token" not in answer
    refused = await caller.http.get(ORDERS, headers={"x-amz-access-token": answer["access_token"]})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"refresh_token": "Atzr|other"}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "everything"}, 400, "invalid_scope"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
    ],
)
async def test_login_refuses_in_its_own_shape(
    caller: Caller, change: dict[str, str], status: int, code: str
) -> None:
    response = await caller.login(EU, **change)
    assert response.status_code == status
    answer = response.json()
    assert answer["error"] == code
    assert set(answer) == {"error", "error_description", "error_index", "request_id"}


async def test_access_tokens_end_and_a_new_one_works(caller: Caller) -> None:
    assert (await caller.search()).status_code == 200
    await caller.advance(3601)
    refused = await caller.search()
    assert error(refused)[:2] == (403, "Unauthorized")
    assert refused.json()["errors"][0]["details"] == "The access token you provided has expired."
    await caller.login()
    assert (await caller.search()).status_code == 200


@pytest.mark.parametrize(
    "token", [None, "Atza|nobody", "Atza|e30.00ff", "Atza|ü.ü".encode().decode("latin-1")]
)
async def test_missing_and_unknown_tokens_are_refused(caller: Caller, token: str | None) -> None:
    headers = {"x-amz-access-token": token.encode("latin-1")} if token else {}
    response = await caller.http.get(ORDERS, headers=headers)  # type: ignore[arg-type]
    assert error(response) == (403, "Unauthorized", "Access to requested resource is denied.")


async def test_a_seller_sees_his_own_orders_only(caller: Caller) -> None:
    await caller.plant(mfn_order())
    assert (await caller.get("304-0000001-0000001", seller=EU)).status_code == 200
    assert (await caller.get("304-0000001-0000001", seller=NA)).status_code == 404


async def answers(caller: Caller) -> dict[int, httpx.Response]:
    """One answer of every status that can be had without faults."""
    planted = await caller.plant(mfn_order())
    body = shipment({"10000000000001": 1}, ship_date=planted["createdTime"])
    found = [
        await caller.search(),
        await caller.confirm(planted["orderId"], body),
        await caller.search(maxResultsPerPage=0),
        await caller.http.get(ORDERS),
        await caller.get("304-9999999-9999999"),
        await caller.http.post(
            f"/orders/v0/orders/{planted['orderId']}/shipmentConfirmation",
            content="a=1",
            headers={**await caller.headers(), "content-type": "text/plain"},
        ),
    ]
    while (last := await caller.search()).status_code != 429:
        pass
    return {response.status_code: response for response in [*found, last]}


async def test_headers_are_those_of_recorded_traffic(caller: Caller) -> None:
    found = await answers(caller)
    assert set(found) == {200, 204, 400, 403, 404, 415, 429}
    for status, response in found.items():
        headers = response.headers
        request_id = headers["x-amzn-requestid"]
        assert headers["x-amz-apigw-id"] == "OPF" + request_id.replace("-", "")[:12]
        assert headers["x-amzn-trace-id"].startswith("Root=1-")
        assert headers["content-type"] == "application/json"
        assert ("x-amzn-ratelimit-limit" in headers) == (status in (200, 204, 400, 404)), status
        assert ("x-amzn-errortype" in headers) == (status >= 400), status
        assert "retry-after" not in headers
    assert found[200].headers["x-amzn-ratelimit-limit"] == "0.0056"
    assert found[204].headers["x-amzn-ratelimit-limit"] == "2.0"
    assert found[404].headers["x-amzn-ratelimit-limit"] == "0.5"
    assert found[204].content == b""
    assert found[429].headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert error(found[429])[1:] == (
        "QuotaExceeded",
        "You exceeded your quota for the requested resource.",
    )
    ids = {response.headers["x-amzn-requestid"] for response in found.values()}
    assert len(ids) == len(found)


@pytest.mark.parametrize(("operation", "burst", "refill"), [("search", 20, 178.6), ("get", 30, 2.0)])
async def test_buckets_hold_the_burst_and_refill_at_the_documented_rate(
    caller: Caller, operation: str, burst: int, refill: float
) -> None:
    async def call(seller: Any = EU) -> int:
        if operation == "search":
            return (await caller.search(seller)).status_code
        return (await caller.get("304-9999999-9999999", seller=seller)).status_code

    honest = 200 if operation == "search" else 404
    assert [await call() for _ in range(burst + 1)] == [honest] * burst + [429]
    assert await call(NA) == honest, "each seller has a bucket of his own"
    await caller.advance(refill * 0.9)
    assert await call() == 429
    await caller.advance(refill * 0.2)
    assert await call() == honest
    assert await call() == 429


async def test_a_quota_factor_speeds_the_refill_only(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=10) as caller:
        statuses = [(await caller.search()).status_code for _ in range(21)]
        assert statuses == [200] * 20 + [429]
        await caller.advance(18)
        response = await caller.search()
        assert (response.status_code, response.headers["x-amzn-ratelimit-limit"]) == (200, "0.056")
        assert (await caller.control("state"))["quotas"]["searchOrders"]["rate"] == "0.056"


async def test_searches_are_blind_for_two_minutes(caller: Caller) -> None:
    await caller.plant(mfn_order())
    answer = (await caller.search()).json()
    assert answer["orders"] == []
    now = datetime.fromisoformat((await caller.control("state"))["now"])
    before = datetime.fromisoformat(answer["lastUpdatedBefore"])
    assert timedelta(seconds=119) < now - before < timedelta(seconds=122)
    assert (await caller.get("304-0000001-0000001")).status_code == 200, "getOrder is not blind"
    await caller.advance(121)
    assert [o["orderId"] for o in (await caller.search()).json()["orders"]] == ["304-0000001-0000001"]


async def test_an_update_hides_an_order_again_until_it_is_two_minutes_old(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await caller.advance(300)
    await caller.event("304-0000001-0000001", type="ship")
    assert (await caller.search()).json()["orders"] == []
    assert len((await caller.search(createdAfter=LONG_AGO)).json()["orders"]) == 1
    await caller.advance(121)
    assert len((await caller.search()).json()["orders"]) == 1


@pytest.mark.parametrize("stem", ["created", "lastUpdated"])
async def test_before_must_be_two_minutes_old(caller: Caller, stem: str) -> None:
    young, old = await moment(caller, 110), await moment(caller, 125)
    refused = await caller.search(EU, **{f"{stem}After": LONG_AGO, f"{stem}Before": young})
    assert error(refused)[:2] == (400, "InvalidInput")
    taken = await caller.search(EU, **{f"{stem}After": LONG_AGO, f"{stem}Before": old})
    assert taken.json()[f"{stem}Before"][:19] == old[:19]


@pytest.mark.parametrize(
    "params",
    [
        {"createdAfter": LONG_AGO, "lastUpdatedAfter": LONG_AGO},
        {"createdAfter": LONG_AGO, "lastUpdatedBefore": LONG_AGO},
        {"lastUpdatedAfter": LONG_AGO, "createdBefore": LONG_AGO},
        {"lastUpdatedAfter": "2026-01-01T00:00:00+09:00"},
        {"lastUpdatedAfter": "2026-01-01T00:00:00+00:00"},
        {"lastUpdatedAfter": "2026-01-01T00:00:00"},
        {"lastUpdatedAfter": "2026-01-01"},
        {"lastUpdatedAfter": "2026-13-01T00:00:00Z"},
        {"lastUpdatedAfter": "TEST_CASE_400"},
        {"lastUpdatedAfter": "2026-01-02T00:00:00Z", "lastUpdatedBefore": "2026-01-01T00:00:00Z"},
        {"maxResultsPerPage": "0"},
        {"maxResultsPerPage": "101"},
        {"maxResultsPerPage": "ten"},
        {"fulfillmentStatuses": "Unshipped"},
        {"fulfilledBy": "MFN"},
        {"includedData": "ADDRESS"},
        {"marketplaceIds": ",".join(f"M{n}" for n in range(51))},
        {"paginationToken": "2YgYW55IGNhcm5hbCBwbGVhc3VyZS4"},
        {"paginationToken": "ü"},
    ],
)
async def test_parameters_outside_the_model_are_refused(caller: Caller, params: dict[str, str]) -> None:
    assert error(await caller.search(EU, **params))[:2] == (400, "InvalidInput")


async def test_no_after_at_all_is_refused(caller: Caller) -> None:
    response = await caller.http.get(ORDERS, headers=await caller.headers())
    assert error(response)[:2] == (400, "InvalidInput")


async def test_marketplaces_of_others_are_denied(caller: Caller) -> None:
    response = await caller.search(marketplaceIds="ATVPDKIKX0DER")
    assert error(response)[:2] == (403, "Unauthorized")


async def test_lists_may_be_comma_separated_or_repeated(caller: Caller) -> None:
    await caller.plant(mfn_order())
    await caller.plant(
        mfn_order(
            "304-0000002-0000002", fulfillment={"fulfillmentStatus": "PENDING", "fulfilledBy": "AMAZON"}
        )
    )
    await caller.advance(121)
    for statuses in ("UNSHIPPED,PENDING", ["UNSHIPPED", "PENDING"]):
        found = (await caller.search(fulfillmentStatuses=statuses)).json()["orders"]
        assert len(found) == 2
    found = (await caller.search(fulfilledBy="AMAZON")).json()["orders"]
    assert [o["orderId"] for o in found] == ["304-0000002-0000002"]
    assert len((await caller.search(marketplaceIds="A13V1IB3VIYZZH")).json()["orders"]) == 0


async def test_pages_hold_every_order_once(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        await caller.place(60, spread_seconds=3600)
        await caller.advance(900)
        mine = {o["orderId"] for o in await caller.control("orders") if o["sellerId"] == EU.seller_id}
        seen: list[str] = []
        params: dict[str, Any] = {"maxResultsPerPage": 7, "lastUpdatedAfter": LONG_AGO}
        answer = (await caller.search(**params)).json()
        window = answer["lastUpdatedBefore"]
        while True:
            assert len(answer["orders"]) <= 7
            assert answer["lastUpdatedBefore"] == window, "all pages look through the first one's window"
            seen += [order["orderId"] for order in answer["orders"]]
            if "pagination" not in answer:
                break
            await caller.advance(1)
            answer = (await caller.search(**params, paginationToken=answer["pagination"]["nextToken"])).json()
        assert sorted(seen) == sorted(mine)


async def test_page_tokens_belong_to_their_query_and_seller_and_live_a_day(tmp_path: Path) -> None:
    async with simulator(tmp_path, quota_factor=1e6, token_lifetime=10**6) as caller:
        await caller.place(30)
        await caller.advance(300)
        token = (await caller.search(maxResultsPerPage=2)).json()["pagination"]["nextToken"]
        assert (await caller.search(maxResultsPerPage=2, paginationToken=token)).status_code == 200
        for stranger in (
            await caller.search(maxResultsPerPage=2, paginationToken=token, fulfilledBy="AMAZON"),
            await caller.search(maxResultsPerPage=2, paginationToken=token[:-2] + "AA"),
            await caller.search(NA, maxResultsPerPage=2, paginationToken=token),
        ):
            assert error(stranger)[:2] == (400, "InvalidInput")
        await caller.advance(24 * 3600)
        assert error(await caller.search(maxResultsPerPage=2, paginationToken=token))[0] == 400


async def test_included_data_decides_which_keys_appear(caller: Caller) -> None:
    await caller.plant(mfn_order())
    bare = await caller.order("304-0000001-0000001", None)
    assert set(bare) == {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems"}
    assert set(bare["orderItems"][0]) == {"orderItemId", "quantityOrdered", "product"}
    for data, key in (("BUYER", "buyer"), ("RECIPIENT", "recipient"), ("PROCEEDS", "proceeds")):
        assert set(await caller.order("304-0000001-0000001", data)) - set(bare) == {key}
    assert "fulfillment" in (await caller.order("304-0000001-0000001", "FULFILLMENT"))["orderItems"][0]


async def test_without_the_role_nobody_is_named(tmp_path: Path) -> None:
    async with simulator(tmp_path, pii_refused=frozenset({EU.seller_id})) as caller:
        await caller.plant(mfn_order())
        order = await caller.order("304-0000001-0000001")
        assert not {"buyer", "recipient"} & set(order)
        assert order["proceeds"]
        await caller.http.post("/_control/pii", json={"seller": EU.seller_id, "refused": False})
        assert (await caller.order("304-0000001-0000001"))["recipient"]


async def test_paths_no_api_answers_are_refused_at_the_edge(caller: Caller) -> None:
    response = await caller.http.get("/orders/v1/orders", headers=await caller.headers())
    assert response.status_code == 403
    assert "x-amzn-requestid" not in response.headers


async def test_the_log_names_operations_and_no_tokens(caller: Caller) -> None:
    response = await caller.search(includedData=ALL_DATA)
    log = await caller.control("log?limit=1")
    assert log[0]["operation"] == "searchOrders"
    assert log[0]["request_id"] == response.headers["x-amzn-requestid"]
    assert "Atza" not in str(log)


async def test_the_clock_can_run_faster_and_is_never_put_back(tmp_path: Path) -> None:
    async with simulator(tmp_path, clock_rate=3600) as caller:
        refused = await caller.http.post("/_control/advance", json={"seconds": -1})
        assert refused.status_code == 422
        start = datetime.fromisoformat((await caller.control("state"))["now"])
        began = datetime.now(UTC)
        while (datetime.now(UTC) - began).total_seconds() < 0.02:
            pass
        passed = datetime.fromisoformat((await caller.control("state"))["now"]) - start
        assert passed >= timedelta(seconds=60)
