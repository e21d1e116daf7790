"""The documents of reports in the Amazon simulator: their URLs, their bytes, and who may open them."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from simulators import catalogue
from simulators.amazon.reports import endpoints
from simulators.amazon.reports.shelf import Document
from simulators.faults import Profile
from tests.contract.amazon_simulator_client import EU, NA, Caller, mfn_order, simulator
from tests.contract.report_client import (
    ACTIONABLE,
    ALL_ORDERS,
    DE,
    DOCUMENTS,
    FR,
    GB,
    REPORTS,
    ReportCaller,
    error,
    plain,
)


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6) as caller:
        await caller.plant(mfn_order())
        yield caller


@pytest.fixture
def reports(caller: Caller) -> ReportCaller:
    return ReportCaller(caller)


async def test_a_url_is_good_for_five_minutes_and_a_new_one_works(reports: ReportCaller) -> None:
    report = await reports.finished()
    url = (await reports.details(report["reportDocumentId"])).json()["url"]
    await reports.caller.advance(298)
    assert (await reports.caller.http.get(url)).status_code == 200
    await reports.caller.advance(3)
    expired = await reports.caller.http.get(url)
    assert (expired.status_code, expired.headers["content-type"]) == (403, "application/xml")
    told = {entry.tag: entry.text for entry in ET.fromstring(expired.text)}
    assert (told["Code"], told["Message"]) == ("AccessDenied", "Request has expired")
    assert told["X-Amz-Expires"] == "300"
    assert (await reports.download(report)).status_code == 200


async def test_the_store_takes_presigned_requests_alone(reports: ReportCaller) -> None:
    report = await reports.finished()
    http = reports.caller.http
    url = (await reports.details(report["reportDocumentId"])).json()["url"]
    bare, _, query = url.partition("?")
    other = re.sub(r"[0-9a-f]{8}\?", "00000000?", url)

    async def code(target: str, **headers: str) -> tuple[int, str | None]:
        response = await http.get(target, headers=headers)
        return response.status_code, ET.fromstring(response.text).findtext("Code")

    assert await code(bare) == (403, "AccessDenied")
    assert await code(url.replace("Expires=300", "Expires=30000")) == (403, "SignatureDoesNotMatch")
    assert await code(other) == (403, "SignatureDoesNotMatch")
    assert await code(f"{bare}?{query}&response-content-encoding=gzip") == (403, "SignatureDoesNotMatch")
    token = await reports.caller.headers()
    assert await code(url, **token) == (403, "AccessDenied")
    assert await code(url, authorization="Bearer x") == (400, "InvalidArgument")
    assert (await http.get(url)).status_code == 200


async def test_large_documents_are_compressed_and_the_headers_do_not_say_so(reports: ReportCaller) -> None:
    await reports.caller.place(200)
    report = await reports.finished(ALL_ORDERS, DE, GB, FR)
    details = (await reports.details(report["reportDocumentId"])).json()
    assert details["compressionAlgorithm"] == "GZIP"
    response = await reports.caller.http.get(details["url"])
    assert response.headers["content-encoding"] == "identity"
    assert response.headers["content-type"] == "text/plain; charset=Cp1252"
    packed = response.content
    assert packed[:2] == b"\x1f\x8b"
    helped = await reports.details(report["reportDocumentId"], enableContentEncodingUrlHeader="true")
    unpacked = await reports.caller.http.get(helped.json()["url"])
    assert unpacked.headers["content-encoding"] == "gzip"
    assert unpacked.content == gzip.decompress(packed)


@pytest.mark.parametrize(
    ("packing", "said", "is_gzip"),
    [
        ("plain", False, False),
        ("gzip", True, True),
        ("gzip_said", True, False),
        ("gzip_unsaid", False, True),
    ],
)
async def test_what_is_said_of_a_document_may_be_wrong(
    reports: ReportCaller, packing: str, said: bool, is_gzip: bool
) -> None:
    await reports.rule(packing=packing, content_type="application/json", charset="shift_jis", text="ä→東京\n")
    refused = await reports.finished()  # no ä in Shift-JIS: Amazon's way out is UTF-8
    details = (await reports.details(refused["reportDocumentId"])).json()
    assert ("compressionAlgorithm" in details) is said
    response = await reports.caller.http.get(details["url"])
    assert response.headers["content-type"] == "application/json"
    assert (response.content[:2] == b"\x1f\x8b") is is_gzip
    assert plain(response).decode() == "ä→東京\n"


@pytest.mark.parametrize(
    ("seller", "market", "text", "codec", "content_type"),
    [
        (EU, DE, "Käthe Großmann €", "cp1252", "text/plain; charset=Cp1252"),
        (EU, DE, "Yıldız", "utf-8", "text/plain; charset=UTF-8"),
        (EU, GB, "Siobhán €", "utf-8", "text/plain"),
        (NA, "ATVPDKIKX0DER", "José", "utf-8", "text/plain; charset=UTF-8"),
        (catalogue.FAR_EAST, "A1VC38T7YXB528", "髙島屋①", "cp932", "text/plain; charset=Shift_JIS"),
    ],
)
async def test_each_marketplace_has_its_encoding(
    caller: Caller, seller: catalogue.Seller, market: str, text: str, codec: str, content_type: str
) -> None:
    reports = ReportCaller(caller, seller)
    await reports.rule(text=text)
    response = await reports.download(await reports.finished(ALL_ORDERS, market))
    assert response.headers["content-type"] == content_type
    assert response.content == text.encode(codec)


async def test_a_download_can_end_too_early(reports: ReportCaller) -> None:
    await reports.rule(packing="gzip", truncated=2)
    report = await reports.finished()
    for _ in range(2):
        with pytest.raises(EOFError):
            plain(await reports.download(report))
    assert plain(await reports.download(report)).startswith(b"amazon-order-id\t")


def test_in_a_storm_some_downloads_end_too_early_and_come_whole_the_next_time() -> None:
    documents = [
        Document(f"{number}", EU.seller_id, ALL_ORDERS, "eu", f"{number}", 0, "text/plain", said_gzip=True)
        for number in range(1000)
    ]

    def cut(profile: Profile, downloads: int, body: bytes = b"\x1f\x8b...") -> set[str]:
        tried = [replace(document, downloads=downloads) for document in documents]
        return {document.key for document in tried if endpoints.cut_short(document, body, profile)}

    assert not cut("none", 1)
    assert not cut("harsh", 1, b"plain")
    assert 60 < len(cut("harsh", 1)) < 150
    assert len(cut("harsh", 1) & cut("harsh", 2)) < 30


async def test_faults_speak_s3_at_the_store(reports: ReportCaller) -> None:
    report = await reports.finished()
    http = reports.caller.http
    for action, wanted in (("html_503", "ServiceUnavailable"), ("status_500", "InternalError")):
        fault = {"operation": "downloadReportDocument", "action": action}
        assert (await http.post("/_control/faults", json=fault)).status_code == 201
        url = (await reports.details(report["reportDocumentId"])).json()["url"]
        broken = await http.get(url)
        assert broken.status_code == int(action[-3:])
        assert ET.fromstring(broken.text).findtext("Code") == wanted
        assert (await http.get(url)).status_code == 200
    aimed = {"operation": "getReport", "match": {"reportId": report["reportId"]}, "action": "status_500"}
    assert (await http.post("/_control/faults", json=aimed)).status_code == 201
    assert (await reports.call("GET", f"{REPORTS}/{report['reportId']}")).status_code == 500


async def test_buyers_data_wants_a_restricted_token(reports: ReportCaller) -> None:
    report = await reports.finished(ACTIONABLE)
    document_id = report["reportDocumentId"]
    assert error(await reports.details(document_id))[:2] == (403, "Unauthorized")
    token = await reports.restricted(document_id)
    assert token.startswith("Atz.sprdt|")
    assert (await reports.details(document_id, token)).status_code == 200
    elsewhere = await reports.call("GET", f"{REPORTS}/{report['reportId']}", token)
    assert error(elsewhere)[:2] == (403, "Unauthorized")
    assert (await reports.details(document_id, await reports.restricted("another"))).status_code == 403
    assert (await reports.download(report, token)).status_code == 200
    ordinary = await reports.finished()
    assert (await reports.details(ordinary["reportDocumentId"])).status_code == 200
    await reports.caller.advance(3601)
    assert (await reports.details(document_id, token)).status_code == 403


@pytest.mark.parametrize(
    "resources",
    [
        [],
        [{"method": "", "path": "/orders/v0/orders"}],
        [{"method": "GET"}],
        [{"method": "GET", "path": f"{DOCUMENTS}/{{reportDocumentId}}"}],
        [{"method": "GET", "path": "/orders/v0/orders"}] * 51,
    ],
)
async def test_restricted_tokens_are_for_named_resources(
    reports: ReportCaller, resources: list[dict[str, str]]
) -> None:
    body = {"restrictedResources": resources}
    refused = await reports.call("POST", "/tokens/2021-03-01/restrictedDataToken", json=body)
    assert error(refused)[:2] == (400, "InvalidRequest")


async def test_without_the_role_there_is_no_buyers_data(tmp_path: Path) -> None:
    async with simulator(tmp_path, pii_refused=[EU.seller_id]) as caller:
        reports = ReportCaller(caller)
        assert (await reports.create(ACTIONABLE)).status_code == 403
        body = {"restrictedResources": [{"method": "GET", "path": f"{DOCUMENTS}/x"}]}
        refused = await reports.call("POST", "/tokens/2021-03-01/restrictedDataToken", json=body)
        assert error(refused)[:2] == (403, "Unauthorized")
