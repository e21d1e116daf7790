"""A caller of the M3 simulator for its contract tests, over real HTTP; time is put forward, nobody sleeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from simulators import assortment, catalogue
from simulators.m3.app import build_app, write_ionapi
from simulators.m3.auth import BASIC_PASSWORD, BASIC_USER
from simulators.m3.settings import M3Settings
from simulators.serving import serve

Row = dict[str, str]
ITEM = assortment.ORDINARY_ITEMS[0]
OTHER = assortment.ORDINARY_ITEMS[1]


class RefusedError(Exception):
    """M3 answered a business error."""

    def __init__(self, code: str, field: str, text: str) -> None:
        super().__init__(f"{code} {field} {text}")
        self.code = code
        self.field = field
        self.text = text


class M3:
    """An integration's view of one running simulator, with a hand in its control room."""

    def __init__(self, http: httpx.AsyncClient, url: str, ionapi: dict[str, str] | None) -> None:
        self.http = http
        self.url = url
        self.ionapi = ionapi or {}
        self.base = f"{url}/{ionapi['ti']}/M3/m3api-rest" if ionapi else f"{url}/m3api-rest"

    async def login(self, **changes: str) -> httpx.Response:
        """A token by the service account; later calls carry it."""
        ion = self.ionapi
        form = {"grant_type": "password", "username": ion["saak"], "password": ion["sask"], **changes}
        answer = await self.http.post(ion["pu"] + ion["ot"], data=form, auth=(ion["ci"], ion["cs"]))
        if answer.status_code == 200:
            self.http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    async def get(
        self, program: str, transaction: str, version: str = "/v2", **params: str
    ) -> httpx.Response:
        """One call as it goes over the wire."""
        return await self.http.get(f"{self.base}{version}/execute/{program}/{transaction}", params=params)

    async def call(self, operation: str, **params: str) -> list[Row]:
        """The records of "PROGRAM.Transaction"; raises RefusedError."""
        answer = await self.get(*operation.split("."), **params)
        result: dict[str, Any] = answer.json()["results"][0]
        if answer.status_code == 400:
            raise RefusedError(result["errorCode"], result["errorField"], result["errorMessage"])
        answer.raise_for_status()
        records: list[Row] = result["records"]
        return records

    async def one(self, operation: str, **params: str) -> Row:
        """The only record of a call."""
        [record] = await self.call(operation, **params)
        return record

    async def code(self, operation: str, **params: str) -> str:
        """The message id of a call that must be refused."""
        try:
            await self.call(operation, **params)
        except RefusedError as refusal:
            return refusal.code
        raise AssertionError(f"{operation} was not refused.")

    async def bulk(self, program: str, *entries: tuple[str, Row], **options: object) -> dict[str, Any]:
        """The body of the answer to a bulk call."""
        body = {
            "program": program,
            "transactions": [{"transaction": name, "record": record} for name, record in entries],
            **options,
        }
        answer = await self.http.post(f"{self.base}/v2/execute", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def control(self, path: str, **body: object) -> Any:
        """A control request that must be accepted."""
        answer = await self.http.post(f"{self.url}/_control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def advance(self, seconds: float = 60) -> None:
        """Put M3's clock forward."""
        await self.control("advance", seconds=seconds)

    async def everything(self, cuor: str) -> dict[str, Any]:
        """Every record about a CUOR."""
        answer = await self.http.get(f"{self.url}/_control/orders", params={"cuor": cuor})
        found: dict[str, Any] = answer.json()
        return found

    async def enter(
        self,
        cuor: str = "302-0000001-0000001",
        *,
        whlo: str = "AFE",
        ortp: str = "AZF",
        quantities: tuple[int, ...] = (1,),
        items: tuple[assortment.Item, ...] = (ITEM, OTHER),
        **head: str,
    ) -> str:
        """A temporary order, not confirmed yet; its number."""
        given = {"CUNO": "AMZDE", "CUOR": cuor, "WHLO": whlo, "ORTP": ortp, **head}
        temp = (await self.one("OIS100MI.AddBatchHead", **given))["ORNO"]
        for quantity, item in zip(quantities, items, strict=False):
            line = {"ORNO": temp, "ITNO": item.itno, "ORQT": str(quantity), "SAPR": str(item.price)}
            await self.call("OIS100MI.AddBatchLine", **line)
        return temp

    async def order(self, cuor: str = "302-0000001-0000001", **wanted: Any) -> str:
        """A customer order created by M3, nothing done about it yet; its number."""
        temp = await self.enter(cuor, **wanted)
        await self.call("OIS100MI.Confirm", ORNO=temp)
        while not (final := (await self.one("OIS100MI.GetOrderNo", ORNO=temp))["ORNR"]):
            await self.advance(0.05)
        return final

    async def pick(self, orno: str, ponr: int, quantity: int, pmsn: str = "", **changes: str) -> Row:
        """Report the pick of one order line with immediate processing."""
        order = await self.one("OIS100MI.GetHead", ORNO=orno)
        report = {
            "WHLO": order["WHLO"], "E0PA": catalogue.PARTNER, "E065": catalogue.MESSAGE_TYPE,
            "CUNO": order["CUNO"], "RIDN": orno, "RIDL": str(ponr), "PLSX": "1", "QTYP": str(quantity),
            "PRFL": "*EXE", "PMSN": pmsn, **changes,
        }  # fmt: skip
        return await self.one("MHS850MI.AddCOPick", **report)


@asynccontextmanager
async def simulated_m3(data: Path, **changes: Any) -> AsyncIterator[M3]:
    """A simulator over real HTTP and a caller logged in to it."""
    settings = M3Settings(
        data=data, **{"split_share": 0.0, "rate_limit": 10_000.0, "held_clock": True, **changes}
    )
    app = build_app(settings)
    async with (
        serve(app, ready=lambda url: write_ionapi(settings, url)) as url,
        httpx.AsyncClient(timeout=20) as http,
    ):
        if settings.profile == "onprem":
            http.auth = httpx.BasicAuth(BASIC_USER, BASIC_PASSWORD)
            yield M3(http, url, None)
        else:
            m3 = M3(http, url, json.loads((data / "simulator.ionapi").read_text()))
            await m3.login()
            yield m3
