"""The M3 simulator on the wire: both API versions, bulk, options, tokens, limits, lost replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from simulators import assortment, catalogue
from tests.contract.m3_simulator_client import ITEM, M3, RefusedError, simulated_m3

HEAD = {"CUNO": "AMZDE", "ORTP": "AZF", "WHLO": "AFE"}


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as running:
        yield running


async def test_v2_success_has_string_values_and_infors_spelling(m3: M3) -> None:
    answer = await m3.get("MMS200MI", "GetItmWhsBal", WHLO="AFE", ITNO=ITEM.itno, returncols="STQT,WHLO")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert answer.json() == {
        "results": [{"transaction": "GetItmWhsBal", "records": [{"STQT": "1000000.000000", "WHLO": "AFE"}]}],
        "wasTerminated": False,
        "nrOfSuccessfullTransactions": 1,
        "nrOfFailedTransactions": 0,
    }


async def test_v2_business_error_is_http_400(m3: M3) -> None:
    answer = await m3.get("CRS610MI", "GetBasicData", CUNO="NOBODY")
    assert answer.status_code == 400
    result = answer.json()["results"][0]
    assert result["errorCode"] == "XRE0103"
    assert result["errorMessage"] == "Record does not exist"
    assert result["errorType"] == "ServerReturnedNOK"
    assert result["errorField"] == "CUNO"
    assert result["records"] == []
    assert answer.json()["nrOfFailedTransactions"] == 1


async def test_v1_business_error_is_http_200_with_message(m3: M3, shared: Path) -> None:
    answer = await m3.get("CRS610MI", "GetBasicData", version="", CUNO="NOBODY")
    assert answer.status_code == 200
    real = httpx.Response(200, content=(shared / "m3/samples/v1-not-found.real.json").read_bytes()).json()
    assert answer.json() == {**real, "@field": "CUNO"}


async def test_v1_replies_have_metadata_and_padded_values(m3: M3) -> None:
    answer = (await m3.get("MMS200MI", "Get", version="", ITNO=ITEM.itno, returncols="STAT,ITNO")).json()
    assert answer["Program"] == "MMS200MI"
    assert [field["@name"] for field in answer["Metadata"]["Field"]] == ["STAT", "ITNO"]
    [record] = answer["MIRecord"]
    assert record["NameValue"] == [
        {"Name": "STAT", "Value": "20"},
        {"Name": "ITNO", "Value": ITEM.itno.ljust(15)},
    ]
    written = await m3.get("MMS025MI", "AddAlias", version="", ALWT="3", ITNO=ITEM.itno, POPN="4000000000778")
    assert written.json()["MIRecord"] == [{"RowIndex": 0, "NameValue": []}]


async def test_programs_and_transactions_nobody_has_do_not_exist(m3: M3) -> None:
    for operation in ("OIS300MI.LstHead", "OIS180MI.Print", "OIS100MI.LstByCUOR", "OIS100MI.ChgOrderStatus"):
        with pytest.raises(RefusedError, match="does not exist"):
            await m3.call(operation)


async def test_bulk_answers_by_index_and_lets_single_entries_fail(m3: M3) -> None:
    temp = (await m3.one("OIS100MI.AddBatchHead", **HEAD))["ORNO"]
    line = {"ORNO": temp, "ORQT": "1", "SAPR": "1.00"}
    body = await m3.bulk(
        "OIS100MI",
        ("AddBatchLine", {**line, "ITNO": ITEM.itno}),
        ("AddBatchLine", {**line, "ITNO": "NO-SUCH-ITEM"}),
        ("LstBatchLine", {"ORNO": temp}),
        cono=100,
    )
    first, second, third = body["results"]
    assert first["records"][0]["PONR"] == "1"
    assert (second["errorCode"], second["errorField"], second["records"]) == ("WIT0103", "ITNO", [])
    assert [row["ITNO"] for row in third["records"]] == [ITEM.itno]
    assert (body["nrOfSuccessfullTransactions"], body["nrOfFailedTransactions"]) == (2, 1)
    assert body["wasTerminated"] is False


async def test_bulk_may_stop_half_way_without_rolling_back(m3: M3) -> None:
    temp = (await m3.one("OIS100MI.AddBatchHead", **HEAD))["ORNO"]
    await m3.control("terminate", operation="OIS100MI.AddBatchHeadChg")
    body = await m3.bulk(
        "OIS100MI",
        ("AddBatchLine", {"ORNO": temp, "ITNO": ITEM.itno, "ORQT": "1"}),
        ("AddBatchHeadChg", {"ORNO": temp, "CRID": "AMZSHP", "CRAM": "1.00"}),
        ("Confirm", {"ORNO": temp}),
    )
    assert body["wasTerminated"] is True
    assert body["results"][1:] == [
        {"transaction": "AddBatchHeadChg", "notProcessed": True},
        {"transaction": "Confirm", "notProcessed": True},
    ]
    assert body["nrOfNotProcessedTransactions"] == 2
    assert len(await m3.call("OIS100MI.LstBatchLine", ORNO=temp)) == 1


async def test_lists_are_cut_at_a_hundred_without_a_word(m3: M3) -> None:
    for _ in range(101):
        await m3.call("OIS100MI.AddBatchHead", **HEAD)
    cut = await m3.get("OIS100MI", "LstBatchHead", CUNO="AMZDE")
    assert len(cut.json()["results"][0]["records"]) == 100
    assert cut.json()["wasTerminated"] is False
    assert len(await m3.call("OIS100MI.LstBatchHead", CUNO="AMZDE", maxrecs="0")) == 101
    address = f"{m3.base}/v2/execute/OIS100MI/LstBatchHead;maxrecs=3;returncols=ORNO,STAT?CUNO=AMZDE"
    matrix = (await m3.http.get(address)).json()["results"][0]["records"]
    assert [list(row) for row in matrix] == [["ORNO", "STAT"]] * 3


async def test_blank_fields_are_shown_unless_excluded(m3: M3) -> None:
    whole = await m3.one("CRS610MI.GetBasicData", CUNO="AMZDE")
    assert (whole["CUA2"], whole["EALO"], whole["DIVI"]) == ("", "0", "")
    short = await m3.one("CRS610MI.GetBasicData", CUNO="AMZDE", excludeempty="true")
    assert short.items() <= whole.items()
    assert "CUA2" not in short
    padded = await m3.one("CRS610MI.GetBasicData", CUNO="AMZDE", righttrim="false")
    assert padded["CUNM"] == whole["CUNM"].ljust(36)


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"ORTP": "AZF"}, "CUNO", "must be entered"),
        ({**HEAD, "YREF": "x" * 31}, "YREF", "too long, 31 positions, maximum 30"),
        ({**HEAD, "RLHM": "noon"}, "RLHM", "not numeric"),
        ({**HEAD, "RLDT": "20260231"}, "RLDT", "invalid"),
        ({**HEAD, "cuor": "x"}, "cuor", "does not exist"),
        ({**HEAD, "ORTP": "ZZZ"}, "ORTP", "does not exist"),
        ({**HEAD, "CUCD": "XXX"}, "CUCD", "does not exist"),
    ],
)
async def test_bad_input_is_refused_by_field_and_nothing_is_cut(
    m3: M3, fields: dict[str, str], field: str, text: str
) -> None:
    with pytest.raises(RefusedError, match=text) as refusal:
        await m3.call("OIS100MI.AddBatchHead", **fields)
    assert refusal.value.field == field
    assert await m3.call("OIS100MI.LstBatchHead", CUNO="AMZDE") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CUNO": "NOBODY"}, "WCU0203"),
        ({"CUNO": "AMZOLD"}, "XIM0002"),
        ({"WHLO": "XXX"}, "WWH0103"),
        ({"FACI": "XXX"}, "WFAC303"),
        ({"MODL": "XXX"}, "WMO0103"),
        ({"TEDL": "XXX"}, "WTE0103"),
        ({"ADID": "NOWHER"}, "WAD1003"),
        ({"CONO": "200"}, "XAU0008"),
        ({"cono": "200"}, "XAU0008"),
        ({"divi": "BBB"}, "XAU0008"),
    ],
)
async def test_unknown_codes_and_companies_have_their_message_ids(
    m3: M3, changes: dict[str, str], code: str
) -> None:
    assert await m3.code("OIS100MI.AddBatchHead", **{**HEAD, **changes}) == code


async def test_tokens_are_given_to_the_service_account_only(m3: M3) -> None:
    assert (await m3.login(password="wrong")).status_code == 400
    assert (await m3.login(grant_type="client_credentials")).status_code == 400
    ion = m3.ionapi
    stranger = await m3.http.post(ion["pu"] + ion["ot"], data={"grant_type": "password"}, auth=("a", "b"))
    assert stranger.status_code == 401
    in_form = {
        "grant_type": "password", "username": ion["saak"], "password": ion["sask"], "client_id": ion["ci"],
        "client_secret": ion["cs"],
    }  # fmt: skip
    token = (await httpx.AsyncClient().post(ion["pu"] + ion["ot"], data=in_form)).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 7200)


async def test_an_expired_or_revoked_token_is_worth_nothing(m3: M3) -> None:
    await m3.advance(7201)
    assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 401
    await m3.login()
    assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 200
    token = m3.http.headers["authorization"].removeprefix("Bearer ")
    ion = m3.ionapi
    await m3.http.post(ion["pu"] + ion["or"], data={"token": token}, auth=(ion["ci"], ion["cs"]))
    assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 401


async def test_on_premises_is_basic_without_tenant_and_without_cloud_programs(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, profile="onprem") as m3:
        assert (await m3.one("MNS100MI.GetBasicData"))["LOCD"] == "EUR"
        with pytest.raises(RefusedError, match="does not exist"):
            await m3.call("OIS350MI.PrtInvoice", ORNO="1")
        m3.http.auth = httpx.BasicAuth("M3API", "wrong")
        assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 401
        assert not (tmp_path / "simulator.ionapi").exists()


async def test_spike_arrest_answers_429(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, rate_limit=5) as m3:
        answers = await asyncio.gather(*(m3.get("MNS100MI", "GetBasicData") for _ in range(12)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].headers["retry-after"] == "1"


async def test_a_504_may_hide_work_that_was_done(m3: M3) -> None:
    cuor = "302-7777777-7777777"
    aim = {"operation": "OIS100MI.AddBatchHead", "match": {"CUOR": cuor}, "action": "status_504"}
    await m3.control("faults", when="after", **aim)
    assert (await m3.get("OIS100MI", "AddBatchHead", CUOR=cuor, **HEAD)).status_code == 504
    assert len((await m3.everything(cuor))["temporary"]) == 1
    await m3.control("faults", when="before", **aim)
    assert (await m3.get("OIS100MI", "AddBatchHead", CUOR=cuor, **HEAD)).status_code == 504
    assert len((await m3.everything(cuor))["temporary"]) == 1


async def test_the_gateway_gives_up_on_a_slow_m3_that_goes_on(tmp_path: Path) -> None:
    async with simulated_m3(tmp_path, gateway_timeout=0.05) as m3:
        await m3.control("faults", operation="OIS100MI.AddBatchHead", when="after", action="hang")
        assert (await m3.get("OIS100MI", "AddBatchHead", CUOR="X", **HEAD)).status_code == 504
        assert len((await m3.everything("X"))["temporary"]) == 1


async def test_a_fault_in_the_middle_of_bulk_leaves_the_earlier_entries_done(m3: M3) -> None:
    temp = await m3.enter("X", quantities=())
    aim = {"operation": "OIS100MI.AddBatchHeadChg", "match": {"CUOR": "X"}, "action": "status_504"}
    await m3.control("faults", when="before", **aim)
    with pytest.raises(httpx.HTTPStatusError):
        await m3.bulk(
            "OIS100MI",
            ("AddBatchLine", {"ORNO": temp, "ITNO": ITEM.itno, "ORQT": "1"}),
            ("AddBatchHeadChg", {"ORNO": temp, "CRID": "AMZSHP"}),
        )
    [batch] = (await m3.everything("X"))["temporary"]
    assert (len(batch["lines"]), len(batch["charges"])) == (1, 0)


async def test_a_record_lock_can_be_aimed_at_one_order(m3: M3) -> None:
    temp = await m3.enter("X")
    await m3.control("faults", operation="OIS100MI.Confirm", match={"CUOR": "X"}, action="nok:XUP0001")
    assert await m3.code("OIS100MI.Confirm", ORNO=temp) == "XUP0001"
    assert (await m3.one("OIS100MI.Confirm", ORNO=temp))["STAT"] == "10"


async def test_a_token_expiring_mid_run_takes_a_new_one(m3: M3) -> None:
    await m3.control("faults", operation="MNS100MI.GetBasicData", action="token_expiry")
    assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 401
    assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 401
    await m3.login()
    assert (await m3.get("MNS100MI", "GetBasicData")).status_code == 200


async def test_customers_keep_their_number_and_their_errors(m3: M3) -> None:
    buyer = {
        "CUTM": catalogue.TEMPLATE_CUNO, "CUNO": "B1", "CUNM": "A Buyer", "CUA1": "Street 1", "PONO": "10115",
        "TOWN": "Berlin",
    }  # fmt: skip
    assert await m3.one("CRS610MI.Add", **buyer, CSCD="QQ") == {
        "CUNO": "B1",
        "ERRM": "Country QQ does not exist",
    }
    assert (await m3.one("CRS610MI.GetBasicData", CUNO="B1"))["STAT"] == "12"
    assert await m3.code("OIS100MI.AddBatchHead", **{**HEAD, "CUNO": "B1"}) == "XIM0002"
    assert await m3.code("CRS610MI.Add", **buyer, CSCD="DE") == "XRE0104"
    assert await m3.code("CRS610MI.ChgBasicData", CUNO="B1", STAT="20") == "CPF9898"
    await m3.call("CRS610MI.ChgBasicData", CUNO="B1", STAT="20", CSCD="DE")
    assert (await m3.one("OIS100MI.AddBatchHead", **{**HEAD, "CUNO": "B1"}))["ORNO"]
    numbered = await m3.one("CRS610MI.Add", CUTM="AMZTMPL", CUNM="Another", CUA1="Street 2", CSCD="DE")
    assert numbered["CUNO"].startswith("C0")
    assert numbered["ERRM"] == ""


async def test_addresses_are_checked_against_the_sites_tables(m3: M3) -> None:
    address = {
        "CUNO": "AMZUS", "ADRT": "1", "ADID": "A1", "CUA1": "1 Main St", "PONO": "98101", "TOWN": "Seattle",
        "CSCD": "US",
    }  # fmt: skip
    assert await m3.code("CRS610MI.AddAddress", **address, ECAR="QQ") == "CPF9898"
    await m3.call("CRS610MI.AddAddress", **address, ECAR="WA")
    assert await m3.code("CRS610MI.AddAddress", **address, ECAR="WA") == "XRE0104"
    assert (await m3.one("CRS610MI.GetAddress", CUNO="AMZUS", ADRT="1", ADID="A1"))["ECAR"] == "WA"
    areas = {row["ECAR"] for row in await m3.call("CRS045MI.LstCountryArea", CSCD="CA")}
    assert len(areas) == 13
    assert await m3.call("CRS045MI.LstCountryArea", CSCD="DE") == []


async def test_aliases_are_unique_by_category(m3: M3) -> None:
    alias = {"ALWT": "2", "ALWQ": "AMZN", "ITNO": ITEM.itno}
    assert await m3.code("MMS025MI.GetItem", ALWT="2", ALWQ="AMZN", POPN="NEW-SKU") == "WPO0403"
    await m3.call("MMS025MI.AddAlias", **alias, POPN="NEW-SKU")
    assert await m3.code("MMS025MI.AddAlias", **alias, POPN="NEW-SKU") == "XRE0104"
    assert (await m3.one("MMS025MI.GetItem", ALWT="2", ALWQ="AMZN", POPN="NEW-SKU"))["ITNO"] == ITEM.itno
    assert await m3.code("MMS025MI.GetItem", ALWT="3", POPN="NEW-SKU") == "WPO0403"
    await m3.call("MMS025MI.DltAlias", **alias, POPN="NEW-SKU")
    assert await m3.code("MMS025MI.GetItem", ALWT="2", POPN="NEW-SKU") == "WPO0403"


async def test_item_search_finds_words_fields_and_beginnings(m3: M3) -> None:
    found = await m3.call("MMS200MI.SearchItem", SQRY="jasmine pearl")
    assert [row["ITNO"] for row in found] == [assortment.ITEM_BY_SKU["TEA-JASMIN-100"].itno]
    assert await m3.call("MMS200MI.SearchItem", SQRY="jasmin") == []
    assert len(await m3.call("MMS200MI.SearchItem", SQRY="ITDS:teapot*")) >= 2
    start = sorted(item.itno for item in assortment.ITEMS)[10]
    assert (await m3.call("MMS200MI.LstItmByItm", ITNO=start, maxrecs="1"))[0]["ITNO"] == start
