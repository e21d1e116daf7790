"""The MI client against a real HTTP server: authority, both reply styles, bulk, and every way to get no
answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from activities.m3.auth import BasicAccess, IonApi, ServiceAccount
from activities.m3.client import M3Client, TruncatedListError
from activities.m3.errors import (
    FieldError,
    M3Locked,
    M3Throttled,
    M3Unavailable,
    MIError,
    MIErrorKind,
    NotAuthorised,
)
from activities.m3.transport import retry_after
from canonical.held import HeldReason
from tests.activities.m3_bench import Bench, bench

ITEM = {"ITNO": "100000-TEA"}


@pytest_asyncio.fixture(scope="module")
async def m3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with bench(tmp_path_factory.mktemp("m3")) as stage:
        yield stage


@pytest.fixture
def client(m3: Bench) -> M3Client:
    return m3.m3.context.client


async def test_a_record_comes_back_as_trimmed_text(client: M3Client) -> None:
    [item] = await client.execute("MMS200MI", "Get", ITEM, returncols=("ITNO", "STAT"))
    assert item == {"ITNO": "100000-TEA", "STAT": "20"}


async def test_a_refusal_carries_code_field_and_request_id(client: M3Client) -> None:
    with pytest.raises(MIError) as caught:
        await client.execute("MMS200MI", "Get", {"ITNO": "NO-SUCH"})
    error = caught.value
    assert (error.kind, error.code, error.is_missing) == (MIErrorKind.NOT_FOUND, "XRE0103", True)
    assert error.request_id
    assert "MMS200MI.Get" in error.sentence


async def test_bulk_answers_by_index_and_goes_on_after_a_refusal(client: M3Client) -> None:
    numbers = ["100000-TEA", "NO-SUCH", "100017-TEA"]
    results = await client.execute_bulk("MMS200MI", [("Get", {"ITNO": number}) for number in numbers])
    assert [result.error.code if result.error else "" for result in results] == ["", "XRE0103", ""]
    assert [row["ITNO"] if (row := result.row()) else None for result in results] == [
        "100000-TEA",
        None,
        "100017-TEA",
    ]


async def test_bulk_goes_in_requests_of_a_hundred(m3: Bench, client: M3Client) -> None:
    before = len(m3.wire.calls)
    results = await client.execute_bulk("MMS200MI", [("Get", ITEM)] * 205)
    assert len(results) == 205
    assert all(result.row() for result in results)
    assert len(m3.wire.calls) - before == 3


async def test_a_bulk_write_that_m3_stops_half_way_is_uncertain(m3: Bench, client: M3Client) -> None:
    [head] = await client.execute("OIS100MI", "AddBatchHead", {"CUNO": "AMZDE", "ORTP": "AZF"})
    await m3.post("terminate", operation="OIS100MI.AddBatchLine", match={"ITNO": "100017-TEA"})
    lines = [
        ("AddBatchLine", {"ORNO": head["ORNO"], "ITNO": itno, "ORQT": "1"})
        for itno in ("100000-TEA", "100017-TEA")
    ]
    with pytest.raises(M3Unavailable, match="after 1 of 2"):
        await client.execute_bulk("OIS100MI", lines)
    rows = await client.execute("OIS100MI", "LstBatchLine", {"ORNO": head["ORNO"]})
    assert [row["ITNO"] for row in rows] == ["100000-TEA"]


@pytest.mark.parametrize("action", ["drop", "status_500", "html_503", "status_504", "empty_200"])
async def test_a_read_without_answer_is_asked_again(m3: Bench, client: M3Client, action: str) -> None:
    await m3.fault("MMS200MI.Get", action, times=2)
    assert await client.execute("MMS200MI", "Get", ITEM)
    assert await m3.fired() == 2
    await m3.control.delete("/_control/faults")


@pytest.mark.parametrize("action", ["drop", "status_500", "html_503", "status_504", "empty_200"])
async def test_a_write_without_answer_is_left_to_the_caller(m3: Bench, client: M3Client, action: str) -> None:
    await m3.fault("OIS100MI.AddBatchHead", action, "after")
    with pytest.raises(M3Unavailable, match=r"OIS100MI\.AddBatchHead"):
        await client.execute(
            "OIS100MI", "AddBatchHead", {"CUNO": "AMZDE", "ORTP": "AZF", "CUOR": f"LOST-{action}"}
        )
    await m3.control.delete("/_control/faults")
    rows = await client.execute("CMS100MI", "Lst_OXHEAD_CUOR", {"OACUOR": f"LOST-{action}"})
    assert len(rows) == 1


async def test_no_answer_in_time_is_no_answer(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        await m3.fault("OIS100MI.DelBatchHead", "hang")
        account = await _account(m3)
        async with httpx.AsyncClient(timeout=httpx.Timeout(5.0, read=0.2)) as http:
            client = M3Client(account.api_base, ServiceAccount(account), company=100, http=http)
            with pytest.raises(M3Unavailable, match="ReadTimeout"):
                await client.execute("OIS100MI", "DelBatchHead", {"ORNO": "1"})


async def test_nobody_there_is_no_answer() -> None:
    client = M3Client("http://127.0.0.1:9", BasicAccess("u", SecretStr("p")), company=100, sleep=_blink)
    with pytest.raises(M3Unavailable, match="ConnectError"):
        await client.execute("MMS200MI", "Get", ITEM)
    await client.aclose()


async def test_a_throttled_call_is_sent_again_since_nothing_was_done(m3: Bench, client: M3Client) -> None:
    await m3.fault("MMS200MI.Get", "status_429")
    assert await client.execute("MMS200MI", "Get", ITEM)
    await m3.control.delete("/_control/faults")


async def test_a_throttled_bulk_of_writes_is_not_sent_again(m3: Bench, client: M3Client) -> None:
    await m3.fault("OIS100MI.DelBatchHead", "status_429")
    with pytest.raises(M3Throttled):
        await client.execute_bulk(
            "OIS100MI", [("DelBatchHead", {"ORNO": "1"}), ("DelBatchHead", {"ORNO": "2"})]
        )
    assert await m3.fired() == 1
    await m3.control.delete("/_control/faults")


async def test_lasting_throttling_says_when_to_come_back(m3: Bench, client: M3Client) -> None:
    await m3.fault("MMS200MI.Get", "status_429", times=3)
    with pytest.raises(M3Unavailable) as caught:
        await client.execute("MMS200MI", "Get", ITEM)
    assert caught.value.delay is not None
    assert caught.value.delay >= timedelta(seconds=1)
    assert await m3.fired() == 3
    await m3.control.delete("/_control/faults")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 1), ("86400", 600), ("soon", None), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 1)],
)
def test_retry_after_in_either_form(value: str, seconds: int | None) -> None:
    delay = retry_after(httpx.Response(429, headers={"retry-after": value}))
    assert delay == (None if seconds is None else timedelta(seconds=seconds))


async def test_a_lock_is_waited_for_and_then_reported(m3: Bench, client: M3Client) -> None:
    await m3.fault("MMS200MI.Get", "nok:XUP0001", times=2)
    assert await client.execute("MMS200MI", "Get", ITEM)
    await m3.fault("MMS200MI.Get", "nok:XO_1130", times=9)
    with pytest.raises(M3Locked):
        await client.execute("MMS200MI", "Get", ITEM)
    await m3.control.delete("/_control/faults")


async def test_only_the_locked_entries_of_a_bulk_are_sent_again(m3: Bench, client: M3Client) -> None:
    [head] = await client.execute("OIS100MI", "AddBatchHead", {"CUNO": "AMZDE", "ORTP": "AZF"})
    await m3.fault("OIS100MI.AddBatchLine", "nok:XUP0001", ITNO="100017-TEA")
    lines = [
        ("AddBatchLine", {"ORNO": head["ORNO"], "ITNO": itno, "ORQT": "1"})
        for itno in ("100000-TEA", "100017-TEA", "100034-TEA")
    ]
    results = await client.execute_bulk("OIS100MI", lines)
    assert all(result.error is None for result in results)
    rows = await client.execute("OIS100MI", "LstBatchLine", {"ORNO": head["ORNO"]})
    assert sorted(row["ITNO"] for row in rows) == ["100000-TEA", "100017-TEA", "100034-TEA"]
    await m3.control.delete("/_control/faults")


async def test_an_expired_token_is_renewed_once_for_everybody(m3: Bench, client: M3Client) -> None:
    await client.execute("MMS200MI", "Get", ITEM)
    await m3.fault("MMS200MI.Get", "token_expiry")
    before = (await m3.control.get("/_control/state")).json()["requests"]["token"]
    await asyncio.gather(*(client.execute("MMS200MI", "Get", ITEM) for _ in range(20)))
    after = (await m3.control.get("/_control/state")).json()["requests"]["token"]
    assert after - before == 1
    await m3.control.delete("/_control/faults")


async def test_a_new_token_that_is_refused_too_may_pass_next_time(m3: Bench, client: M3Client) -> None:
    await m3.fault("OIS100MI.DelBatchHead", "token_expiry", times=2)
    with pytest.raises(M3Unavailable, match="token just renewed"):
        await client.execute("OIS100MI", "DelBatchHead", {"ORNO": "1"})
    await m3.control.delete("/_control/faults")


async def test_a_token_is_fetched_once_and_before_its_end(m3: Bench) -> None:
    now = 0.0
    account = ServiceAccount(await _account(m3), clock=lambda: now)
    async with httpx.AsyncClient() as http:
        headers = await asyncio.gather(*(account.header(http) for _ in range(10)))
        assert len(set(headers)) == 1
        now = 7000.0
        assert await account.header(http) == headers[0]
        now = 7150.0
        assert await account.header(http) != headers[0]


async def test_wrong_credentials_are_an_authority_matter(m3: Bench) -> None:
    wrong = (await _account(m3)).model_copy(update={"sask": SecretStr("wrong")})
    client = M3Client(wrong.api_base, ServiceAccount(wrong), company=100)
    with pytest.raises(NotAuthorised) as caught:
        await client.execute("MMS200MI", "Get", ITEM)
    assert "wrong" not in str(caught.value)
    await client.aclose()


async def test_a_token_server_that_fails_may_recover(m3: Bench) -> None:
    await m3.fault("token", "status_500")
    account = await _account(m3)
    client = M3Client(account.api_base, ServiceAccount(account), company=100, sleep=_blink)
    with pytest.raises(M3Unavailable):
        await client.execute("OIS100MI", "DelBatchHead", {"ORNO": "1"})
    assert await client.execute("MMS200MI", "Get", ITEM)
    await client.aclose()


async def test_the_gateway_forbids(m3: Bench, client: M3Client) -> None:
    await m3.fault("MMS200MI.Get", "forbidden_no_body")
    with pytest.raises(NotAuthorised) as caught:
        await client.execute("MMS200MI", "Get", ITEM)
    assert caught.value.kind is MIErrorKind.NOT_AUTHORISED
    await m3.control.delete("/_control/faults")


async def test_a_wrong_password_on_premises(tmp_path: Path) -> None:
    async with bench(tmp_path, profile="onprem") as m3:
        url = str(m3.control.base_url)
        client = M3Client(url, BasicAccess("M3API", SecretStr("wrong")), company=100)
        with pytest.raises(NotAuthorised):
            await client.execute("MMS200MI", "Get", ITEM)
        await client.aclose()


async def test_v1_says_no_with_http_200(tmp_path: Path) -> None:
    async with bench(tmp_path, api="v1", profile="onprem") as m3:
        client = m3.m3.context.client
        [item] = await client.execute("MMS200MI", "Get", ITEM)
        assert item["STAT"] == "20"
        with pytest.raises(MIError) as caught:
            await client.execute("MMS200MI", "Get", {"ITNO": "NO-SUCH"})
        assert caught.value.code == "XRE0103"
        results = await client.execute_bulk("MMS200MI", [("Get", ITEM), ("Get", {"ITNO": "NO-SUCH"})])
        assert [bool(result.error) for result in results] == [False, True]


async def test_another_company_is_refused(m3: Bench) -> None:
    account = await _account(m3)
    client = M3Client(account.api_base, ServiceAccount(account), company=200)
    with pytest.raises(MIError) as caught:
        await client.execute("MMS200MI", "Get", ITEM)
    assert caught.value.kind is MIErrorKind.NOT_AUTHORISED
    await client.aclose()


@pytest.mark.parametrize(
    ("program", "transaction", "fields", "complaint"),
    [
        ("MMS200MI", "Get", {"ITNO": "1234567890123456"}, "takes 15 characters and the value has 16"),
        ("MMS200MI", "Get", {}, "is mandatory"),
        ("MMS200MI", "Get", {"ITNO": "A", "COLOUR": "B"}, "is not in the field table"),
        ("MWS410MI", "GetHead", {"DLIX": "twelve"}, "takes a number"),
        ("OIS100MI", "AddBatchHead", {"CUNO": "A", "ORDT": "2026-1-1"}, "takes a date"),
        ("CRS610MI", "Add", {"CUTM": "T", "CUNM": "A\nB", "CUA1": "C"}, "takes no control characters"),
    ],
)
async def test_what_m3_would_reject_is_not_sent(
    m3: Bench, client: M3Client, program: str, transaction: str, fields: dict[str, str], complaint: str
) -> None:
    before = len(m3.wire.calls)
    with pytest.raises(FieldError) as caught:
        await client.execute(program, transaction, fields)
    sentence = caught.value.hold.sentence
    assert complaint in sentence
    assert program in sentence
    assert transaction in sentence
    assert caught.value.hold.reason is HeldReason.INTERNAL_ERROR
    assert len(m3.wire.calls) == before


async def test_a_cut_list_is_noticed(m3: Bench, client: M3Client) -> None:
    for number in range(7):
        fields = {"CUNO": "AMZCA", "ORTP": "AZN", "CUOR": f"LONG-{number}"}
        await client.execute("OIS100MI", "AddBatchHead", fields)
    rows = await client.complete_list("OIS100MI", "LstBatchHead", {"CUNO": "AMZCA"}, limit=20)
    assert len(rows) >= 7
    with pytest.raises(TruncatedListError):
        await client.complete_list("OIS100MI", "LstBatchHead", {"CUNO": "AMZCA"}, limit=5)


async def test_a_list_of_exactly_a_hundred_is_not_believed_at_once(m3: Bench, client: M3Client) -> None:
    """100 is where M3 cuts when it does not heed maxrecs; here it does, so the list is whole."""
    there = await client.complete_list("OIS100MI", "LstBatchHead", {"CUNO": "AMZGB"}, limit=500)
    calls = [
        ("AddBatchHead", {"CUNO": "AMZGB", "ORTP": "AZF", "CUOR": f"H-{number}"})
        for number in range(100 - len(there))
    ]
    await client.execute_bulk("OIS100MI", calls)
    before = len(m3.wire.calls)
    rows = await client.complete_list("OIS100MI", "LstBatchHead", {"CUNO": "AMZGB"}, limit=500)
    assert len(rows) == 100
    assert len(m3.wire.calls) - before == 2


async def _account(m3: Bench) -> IonApi:
    return IonApi.model_validate((await m3.control.get("/_control/ionapi")).json())


async def _blink(_: float) -> None:
    """No wait between repeated reads."""
