"""Asking the Amazon simulator for reports, for its contract tests."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import httpx

from simulators import catalogue
from simulators.amazon.clock import iso
from tests.contract.amazon_simulator_client import EU, Caller

REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
BY_UPDATE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
ACTIONABLE = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"
FULFILLED = "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL"
DE, GB, FR = (market.marketplace_id for market in EU.marketplaces)


class ReportCaller:
    """One seller's application asking for reports."""

    def __init__(self, caller: Caller, seller: catalogue.Seller = EU) -> None:
        self.caller = caller
        self.seller = seller

    async def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"x-amz-access-token": token} if token else await self.caller.headers(self.seller)
        return await self.caller.http.request(method, path, headers=headers, **more)

    async def create(self, report_type: str = ALL_ORDERS, *markets: str, **more: object) -> httpx.Response:
        body = {"reportType": report_type, "marketplaceIds": list(markets) or [DE], **more}
        return await self.call("POST", REPORTS, json=body)

    async def ask(self, report_type: str = ALL_ORDERS, *markets: str, days: float = 1, **more: object) -> str:
        """Ask for the report of the last days; its id."""
        window = {"dataStartTime": await self.moment(-days * 86400), **more}
        response = await self.create(report_type, *markets, **window)
        assert response.status_code == 202, response.text
        return str(response.json()["reportId"])

    async def moment(self, seconds: float = 0) -> str:
        now_ms = self.caller.world.clock.now_ms()
        return iso(now_ms + round(seconds * 1000))

    async def look(self, report_id: str) -> dict[str, Any]:
        response = await self.call("GET", f"{REPORTS}/{report_id}")
        assert response.status_code == 200, response.text
        report: dict[str, Any] = response.json()
        return report

    async def finished(self, report_type: str = ALL_ORDERS, *markets: str, **more: Any) -> dict[str, Any]:
        """Ask, let it be made, look."""
        report_id = await self.ask(report_type, *markets, **more)
        await self.caller.advance(20)
        return await self.look(report_id)

    async def details(self, document_id: str, token: str | None = None, **params: str) -> httpx.Response:
        return await self.call("GET", f"{DOCUMENTS}/{document_id}", token, params=params)

    async def restricted(self, document_id: str) -> str:
        """A restricted data token for this document."""
        body = {"restrictedResources": [{"method": "GET", "path": f"{DOCUMENTS}/{document_id}"}]}
        response = await self.call("POST", "/tokens/2021-03-01/restrictedDataToken", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["restrictedDataToken"])

    async def download(self, report: dict[str, Any], token: str | None = None) -> httpx.Response:
        details = await self.details(report["reportDocumentId"], token)
        assert details.status_code == 200, details.text
        response = await self.caller.http.get(details.json()["url"])
        assert response.status_code == 200, response.text
        return response

    async def rows(self, report_type: str = ALL_ORDERS, *markets: str, **more: Any) -> list[dict[str, str]]:
        """A report's rows."""
        report = await self.finished(report_type, *markets, **more)
        assert report["processingStatus"] == "DONE", report
        token = await self.restricted(report["reportDocumentId"]) if report_type == ACTIONABLE else None
        return read(await self.download(report, token))

    async def rule(self, **rule: object) -> None:
        response = await self.caller.http.post("/_control/reports/rules", content=json.dumps(rule))
        assert response.status_code == 201, response.text


def error(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal."""
    first = response.json()["errors"][0]
    return response.status_code, first["code"], first["message"]


def plain(response: httpx.Response) -> bytes:
    """A document's bytes, uncompressed."""
    body = response.content
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def charset(response: httpx.Response) -> str:
    """The codec that the Content-Type names; Python has no name of its own for Amazon's Cp1252."""
    return (response.charset_encoding or "utf-8").lower()


def read(response: httpx.Response) -> list[dict[str, str]]:
    """A document's rows."""
    text = plain(response).decode(charset(response))
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))
