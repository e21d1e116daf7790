"""Reports 2021-06-30 in the Amazon simulator: a report's life, who may see it, how its document is fetched."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from spapi import SPAPIClient, SPAPIConfig
from spapi.api.reports_v2021_06_30.reports_api import ReportsApi

from simulators import catalogue, serving
from simulators.amazon.app import build_app
from simulators.amazon.quotas import PLANS
from simulators.amazon.settings import Settings
from tests.contract.amazon_simulator_client import EU, NA, Caller, mfn_order, simulator
from tests.contract.report_client import (
    ACTIONABLE,
    ALL_ORDERS,
    BY_UPDATE,
    DE,
    DOCUMENTS,
    FR,
    FULFILLED,
    GB,
    REPORTS,
    ReportCaller,
    error,
)
from tests.contract.test_amazon_simulator_answers import MODELS, assert_valid

MODEL = "reports_2021-06-30.json"
TYPES = {"reportTypes": f"{ALL_ORDERS},{BY_UPDATE}"}
needs_models = pytest.mark.skipif(
    not MODELS.is_dir(), reason="Amazon's published models (../shared/spapi/models) are not here"
)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        await caller.plant(mfn_order())
        yield caller


@pytest.fixture
def reports(caller: Caller) -> ReportCaller:
    return ReportCaller(caller)


async def status(reports: ReportCaller, report_id: str) -> str:
    return str((await reports.look(report_id))["processingStatus"])


@needs_models
async def test_every_answer_of_a_report_s_life_fits_the_model(reports: ReportCaller) -> None:
    created = await reports.create(dataStartTime="2021-01-01T00:00:00Z", dataEndTime="2021-01-02T00:00:00Z")
    assert_valid(created.json(), "CreateReportResponse", MODEL)
    report_id = await reports.ask()
    for seconds in (0, 25, 10):
        await reports.caller.advance(seconds)
        report = await reports.look(report_id)
        assert_valid(report, "Report", MODEL)
    details = await reports.details(report["reportDocumentId"])
    assert_valid(details.json(), "ReportDocument", MODEL)
    listed = await reports.call("GET", REPORTS, params={**TYPES, "pageSize": 1})
    assert "nextToken" in listed.json()
    assert_valid(listed.json(), "GetReportsResponse", MODEL)
    token = await reports.call(
        "POST",
        "/tokens/2021-03-01/restrictedDataToken",
        json={"restrictedResources": [{"method": "GET", "path": f"{DOCUMENTS}/x"}]},
    )
    assert_valid(token.json(), "CreateRestrictedDataTokenResponse", "tokens_2021-03-01.json")
    for refused in (
        await reports.create("GET_NOTHING"),
        await reports.call("GET", REPORTS),
        await reports.call("GET", f"{REPORTS}/1"),
        await reports.details("nothing"),
    ):
        assert_valid(refused.json(), "ErrorList", MODEL)


@needs_models
def test_quotas_are_those_of_the_models() -> None:
    found: dict[str, tuple[float, int]] = {}
    for name in (MODEL, "tokens_2021-03-01.json"):
        for methods in json.loads((MODELS / name).read_text())["paths"].values():
            for operation in (methods[name] for name in methods if name != "parameters"):
                plan = re.search(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|", operation["description"])
                if plan is not None:
                    found[operation["operationId"]] = (float(plan[1]), int(plan[2]))
    names = {
        "createReport", "getReport", "getReports", "cancelReport", "getReportDocument",
        "createRestrictedDataToken",
    }  # fmt: skip
    assert names <= found.keys()
    assert {name: (PLANS[name].rate, PLANS[name].burst) for name in names} == {n: found[n] for n in names}


async def test_create_report_is_throttled_as_documented(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        reports = ReportCaller(caller)
        answers = [(await reports.create()).status_code for _ in range(16)]
        assert answers == [202] * 15 + [429]
        await caller.advance(60)
        retried = await reports.create()
        assert (retried.status_code, retried.headers["x-amzn-ratelimit-limit"]) == (202, "0.0167")


async def test_a_report_waits_is_made_and_ends(reports: ReportCaller) -> None:
    told: list[str] = []
    reports.caller.world.reports.listeners.append(lambda report: told.append(report.status))
    report_id = await reports.ask()
    waiting = await reports.look(report_id)
    assert waiting["processingStatus"] == "IN_QUEUE"
    assert not {"processingStartTime", "processingEndTime", "reportDocumentId"} & waiting.keys()
    await reports.caller.advance(8)
    working = await reports.look(report_id)
    assert working["processingStatus"] == "IN_PROGRESS"
    assert "processingStartTime" in working
    assert not told
    await reports.caller.advance(8)
    done = await reports.look(report_id)
    assert done["processingStatus"] == "DONE"
    assert done["processingStartTime"] < done["processingEndTime"]
    assert done["reportDocumentId"].startswith("amzn1.spdoc.1.4.eu.")
    assert done["marketplaceIds"] == [DE]
    assert re.fullmatch(r"\d{12}", report_id)
    assert told == ["DONE"]


@pytest.mark.parametrize(
    "change",
    [
        {"reportType": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"},
        {"reportType": None},
        {"marketplaceIds": []},
        {"marketplaceIds": ["ATVPDKIKX0DER"]},
        {"marketplaceIds": [DE] * 26},
        {"dataStartTime": "yesterday"},
        {"dataStartTime": "2021-01-01T00:00:00"},
        {"dataEndTime": "2999-01-01T00:00:00Z"},
        {"dataStartTime": "2021-02-01T00:00:00Z", "dataEndTime": "2021-01-01T00:00:00Z"},
        {"reportOptions": {"a": 1}},
    ],
)
async def test_what_the_model_forbids_is_refused(reports: ReportCaller, change: dict[str, Any]) -> None:
    body = {"reportType": ALL_ORDERS, "marketplaceIds": [DE], **change}
    assert error(await reports.call("POST", REPORTS, json=body))[:2] == (400, "InvalidInput")


async def test_moments_with_an_offset_are_understood(reports: ReportCaller) -> None:
    window = {"dataStartTime": "2021-01-01T09:00:00+09:00", "dataEndTime": "2021-01-01T00:00:00-01:00"}
    report = await reports.look((await reports.create(**window)).json()["reportId"])
    assert report["dataStartTime"] == "2021-01-01T00:00:00+00:00"
    assert report["dataEndTime"] == "2021-01-01T01:00:00+00:00"


async def test_without_data_a_report_is_cancelled(reports: ReportCaller) -> None:
    for markets in ([GB], [FR, GB]):
        report = await reports.finished(ALL_ORDERS, *markets)
        assert report["processingStatus"] == "CANCELLED"
        assert "processingEndTime" in report
        assert "reportDocumentId" not in report
    by_default = await reports.create()  # from now until now, as the model says
    await reports.caller.advance(20)
    assert await status(reports, by_default.json()["reportId"]) == "CANCELLED"


async def test_the_same_again_while_the_first_is_under_way_is_cancelled(reports: ReportCaller) -> None:
    window = {"dataStartTime": await reports.moment(-3600), "dataEndTime": await reports.moment()}
    first = (await reports.create(**window)).json()["reportId"]
    second = (await reports.create(**window)).json()["reportId"]
    other = (await reports.create(ALL_ORDERS, DE, GB, **window)).json()["reportId"]
    assert len({first, second, other}) == 3
    await reports.caller.advance(60)
    assert [await status(reports, each) for each in (first, second, other)] == ["DONE", "CANCELLED", "DONE"]
    again = (await reports.create(**window)).json()["reportId"]
    await reports.caller.advance(20)
    assert await status(reports, again) == "DONE"


async def test_reports_of_one_type_are_made_one_after_the_other(reports: ReportCaller) -> None:
    ids = [await reports.ask(ALL_ORDERS, *markets) for markets in ([DE], [DE, GB])]
    other = await reports.ask(BY_UPDATE)
    await reports.caller.advance(16)
    assert [await status(reports, each) for each in (*ids, other)] == ["DONE", "IN_PROGRESS", "DONE"]


async def test_a_fulfilled_shipments_report_is_made_once_in_half_an_hour(reports: ReportCaller) -> None:
    await _ship_by_amazon(reports.caller)
    assert (await reports.finished(FULFILLED))["processingStatus"] == "DONE"
    too_soon = await reports.finished(FULFILLED, days=2)
    assert too_soon["processingStatus"] == "CANCELLED"
    await reports.caller.advance(1800)
    assert (await reports.finished(FULFILLED))["processingStatus"] == "DONE"
    assert (await reports.finished())["processingStatus"] == "DONE"
    assert (await reports.finished(days=2))["processingStatus"] == "DONE"


async def test_more_than_thirty_days_fail_and_the_document_says_why(reports: ReportCaller) -> None:
    assert (await reports.finished(days=29.9))["processingStatus"] == "DONE"
    failed = await reports.finished(days=30.1)
    assert failed["processingStatus"] == "FATAL"
    assert b"only upto 30 days" in (await reports.download(failed)).content


async def test_rules_decide_how_coming_reports_end(reports: ReportCaller) -> None:
    await reports.rule(outcome="FATAL", report_type=BY_UPDATE)
    await reports.rule(outcome="CANCELLED", times=2)
    await reports.rule(outcome="FATAL", reason="The data is not available.", seller=NA.seller_id)
    ends = [await reports.finished(report_type) for report_type in (ALL_ORDERS, BY_UPDATE, BY_UPDATE)]
    assert [end["processingStatus"] for end in ends] == ["CANCELLED", "FATAL", "CANCELLED"]
    assert not any("reportDocumentId" in end for end in ends)
    assert (await reports.finished())["processingStatus"] == "DONE"
    american = ReportCaller(reports.caller, NA)
    failed = await american.finished(ALL_ORDERS, NA.marketplaces[0].marketplace_id)
    assert (await american.download(failed)).text == "The data is not available."
    await reports.rule(text="a\tb\n1\t2\n")
    assert (await reports.download(await reports.finished(ALL_ORDERS, GB))).text == "a\tb\n1\t2\n"
    seen = await reports.caller.control("reports")
    assert (len(seen["reports"]), seen["rules"]) == (6, [])
    assert (await reports.caller.control("state"))["reports"] == {"CANCELLED": 2, "FATAL": 2, "DONE": 2}
    refused = await reports.caller.http.post("/_control/reports/rules", json={"charset": "klingon"})
    assert refused.status_code == 422


async def test_only_what_is_still_queued_can_be_cancelled(reports: ReportCaller) -> None:
    report_id = await reports.ask()
    cancelled = await reports.call("DELETE", f"{REPORTS}/{report_id}")
    assert (cancelled.status_code, cancelled.content) == (200, b"")
    report = await reports.look(report_id)
    assert report["processingStatus"] == "CANCELLED"
    assert "processingStartTime" not in report
    await reports.caller.advance(60)
    assert await reports.look(report_id) == report
    begun = await reports.ask()
    await reports.caller.advance(8)
    assert error(await reports.call("DELETE", f"{REPORTS}/{begun}"))[:2] == (400, "InvalidInput")
    assert error(await reports.call("DELETE", f"{REPORTS}/1"))[:2] == (404, "NotFound")


async def test_lists_page_newest_first_and_the_token_stands_alone(reports: ReportCaller) -> None:
    ids = []
    for days in range(1, 6):
        ids.append(await reports.ask(days=days))
        await reports.caller.advance(30)
    other = await reports.ask(BY_UPDATE, DE, GB)
    page = await reports.call("GET", REPORTS, params={"reportTypes": ALL_ORDERS, "pageSize": 2})
    seen = [report["reportId"] for report in page.json()["reports"]]
    while "nextToken" in page.json():
        token = page.json()["nextToken"]
        page = await reports.call("GET", REPORTS, params={"nextToken": token})
        seen += [report["reportId"] for report in page.json()["reports"]]
    assert seen == ids[::-1]
    crowd = await reports.call("GET", REPORTS, params={"nextToken": token, "pageSize": 2})
    assert error(crowd)[:2] == (400, "InvalidInput")
    for wrong in (token[:-8] + "AAAAAAA=", "?", token[4:]):
        refused = await reports.call("GET", REPORTS, params={"nextToken": wrong})
        assert error(refused)[:2] == (400, "InvalidInput")
    foreign = await ReportCaller(reports.caller, NA).call("GET", REPORTS, params={"nextToken": token})
    assert error(foreign)[:2] == (400, "InvalidInput")

    async def found(**params: str) -> list[str]:
        answer = await reports.call("GET", REPORTS, params={**TYPES, **params})
        return [report["reportId"] for report in answer.json()["reports"]]

    assert await found() == [other, *ids[::-1]]
    assert await found(processingStatuses="IN_QUEUE,IN_PROGRESS") == [other]
    assert await found(marketplaceIds=GB) == [other]
    first = await reports.look(ids[0])
    assert await found(createdUntil=first["createdTime"].replace("+00:00", ".999Z")) == [ids[0]]
    assert ids[0] not in await found(createdSince=(await reports.look(ids[1]))["createdTime"])
    for params in (
        {},
        {"reportTypes": ALL_ORDERS, "pageSize": "101"},
        {"reportTypes": ALL_ORDERS, "processingStatuses": "BAD_VALUE"},
        {"reportTypes": ALL_ORDERS, "createdSince": "yesterday"},
    ):
        assert error(await reports.call("GET", REPORTS, params=params))[:2] == (400, "InvalidInput")


async def test_reports_are_a_seller_s_own(reports: ReportCaller) -> None:
    report = await reports.finished()
    american = ReportCaller(reports.caller, NA)
    unknown = await american.call("GET", f"{REPORTS}/{report['reportId']}")
    assert error(unknown)[:2] == (404, "NotFound")
    assert unknown.headers["x-amzn-ratelimit-limit"] == "2000000.0"
    document_id = report["reportDocumentId"]
    refused = await american.details(document_id)
    assert error(refused) == (400, "InvalidInput", f"Invalid reportDocumentId {document_id}")


async def test_reports_are_kept_for_ninety_days(reports: ReportCaller) -> None:
    report = await reports.finished()
    details = await reports.details(report["reportDocumentId"])
    await reports.caller.advance(89 * 86400)
    await reports.caller.login()
    assert (await reports.look(report["reportId"]))["processingStatus"] == "DONE"
    await reports.caller.advance(86400)
    await reports.caller.login()
    assert (await reports.call("GET", f"{REPORTS}/{report['reportId']}")).status_code == 404
    assert (await reports.details(report["reportDocumentId"])).status_code == 400
    assert (await reports.call("GET", REPORTS, params=TYPES)).json() == {"reports": []}
    assert (await reports.caller.http.get(details.json()["url"])).status_code == 403


async def test_reports_outlive_a_restart(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        await caller.plant(mfn_order())
        reports = ReportCaller(caller)
        done = await reports.finished()
        url = (await reports.details(done["reportDocumentId"])).json()["url"]
        await reports.rule(text="as ordered before\n")
        waiting = await reports.ask(days=2)
    async with simulator(tmp_path) as caller:
        reports = ReportCaller(caller)
        assert await reports.look(done["reportId"]) == done
        assert (await caller.http.get(url)).status_code == 200
        assert await status(reports, waiting) == "IN_QUEUE"
        await caller.advance(20)
        ended = await reports.look(waiting)
        assert (await reports.download(ended)).text == "as ordered before\n"


async def test_a_world_from_before_there_were_reports_opens(tmp_path: Path) -> None:
    async with simulator(tmp_path) as caller:
        await caller.plant(mfn_order())
    db = sqlite3.connect(tmp_path / "amazon.sqlite")
    db.execute("ALTER TABLE orders DROP COLUMN shipments")
    db.execute("DROP TABLE reports")
    db.close()
    async with simulator(tmp_path) as caller:
        assert (await caller.get("304-0000001-0000001")).status_code == 200
        assert (await ReportCaller(caller).finished())["processingStatus"] == "DONE"


async def test_at_pace_zero_nothing_waits(tmp_path: Path) -> None:
    async with simulator(tmp_path, pace=0) as caller:
        await caller.plant(mfn_order())
        reports = ReportCaller(caller)
        for _ in range(2):
            assert await status(reports, await reports.ask()) == "DONE"


async def test_amazon_s_own_client_fetches_a_report(tmp_path: Path) -> None:
    async with serving.serve(build_app(Settings(data=tmp_path, pace=0))) as url:
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.post("/_control/order", json={"order": mfn_order()})).status_code == 201
        text = await asyncio.to_thread(_fetch_with_the_official_client, url)
    assert text.count("304-0000001-0000001") == 2


def _fetch_with_the_official_client(url: str) -> str:
    config = SPAPIConfig(
        client_id=catalogue.LWA_CLIENT_ID,
        client_secret=catalogue.LWA_CLIENT_SECRET,
        refresh_token=EU.refresh_token,
        region="EU",
    )
    api = ReportsApi(SPAPIClient(config, oauth_endpoint=f"{url}/auth/o2/token", endpoint=url).api_client)
    body = {"reportType": ACTIONABLE, "marketplaceIds": [DE]}
    assert api.create_report(body).report_id
    [listed] = api.get_reports(report_types=[ACTIONABLE]).reports
    yesterday = listed.created_time - timedelta(days=1)
    body = {"reportType": ALL_ORDERS, "marketplaceIds": [DE], "dataStartTime": yesterday}
    report = api.get_report(api.create_report(body).report_id)
    assert report.processing_status == "DONE"
    document = api.get_report_document(report.report_document_id)
    assert document.compression_algorithm is None
    return httpx.get(document.url).text


async def _ship_by_amazon(caller: Caller) -> None:
    order = mfn_order("304-0000001-0000002")
    order["fulfillment"]["fulfilledBy"] = "AMAZON"
    planted = await caller.plant(order)
    assert (await caller.event(planted["orderId"], type="ship", actor="AMAZON")).status_code == 200
    await caller.advance(3600)
