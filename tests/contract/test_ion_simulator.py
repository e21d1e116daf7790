"""The pretended ION: M3's documents as the registry has them, the messaging service as Infor's guide has it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from simulators.m3.bods import NAMESPACE
from simulators.m3.settings import TENANT
from simulators.serving import serve
from tests.contract.m3_simulator_client import M3, simulated_m3

MESSAGE = f"/{TENANT}/IONSERVICES/api/ion/messaging/service/v2/message"


class Listener:
    """An endpoint that answers as it is told and writes down what came."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.parameters: list[dict[str, Any]] = []
        self.documents: list[str] = []

    async def take(self, request: Request) -> JSONResponse:
        assert request.headers["x-tenantid"] == TENANT
        body = await request.body()
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        first, second = (part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary)[1:3])
        assert b'name="ParameterRequest"' in first[0]
        assert b'name="MessagePayload"' in second[0]
        self.parameters.append(json.loads(first[2]))
        self.documents.append(second[2].removesuffix(b"\r\n").decode(errors="replace"))
        return JSONResponse({}, self.answers.pop(0) if self.answers else 202)


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[M3]:
    async with simulated_m3(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[tuple[Listener, str]]:
    here = Listener()
    app = Starlette(routes=[Route("/service/v3/multipartMessage", here.take, methods=["POST"])])
    async with serve(app) as url:
        yield here, url


async def shipped(m3: M3, cuor: str = "302-0000001-0000001") -> tuple[str, str]:
    """An own order that has left; its number and its delivery's."""
    orno = await m3.order(cuor, whlo="MAI", ortp="AZM")
    await m3.advance(1)
    answer = await m3.control("ship", orno=orno)
    await m3.advance(60)
    return orno, str(answer["deliveries"][0])


async def published(m3: M3, key: str) -> list[tuple[str, int, str]]:
    found = (await m3.http.get(f"{m3.url}/_control/ion")).json()["published"]
    return [(each["noun"], each["variation"], each["status"]) for each in found if each["key"] == key]


async def test_m3_publishes_a_document_each_time_its_status_changes(m3: M3) -> None:
    orno, dlix = await shipped(m3)
    versions = await published(m3, dlix)
    assert [number for _, number, _ in versions] == list(range(1, len(versions) + 1))
    assert [status for _, _, status in versions][:2] == ["40", "60"]
    assert [status for _, _, status in await published(m3, orno)][-1] == "77"
    found = (await m3.http.get(f"{m3.url}/_control/ion")).json()["published"]
    assert [each["variation"] for each in found if each["noun"] == "Invoice"] == [1]


async def test_documents_have_the_envelope_and_elements_of_the_registry(
    m3: M3, listener: tuple[Listener, str], shared: Path
) -> None:
    here, url = listener
    orno, _ = await shipped(m3)
    answers = await m3.control("ion/send", url=url, auth="none", encoding="NONE")
    assert {answer["status"] for answer in answers} == {202}
    assert {each["documentName"] for each in here.parameters} == {
        "Sync.Shipment",
        "Sync.SalesOrder",
        "Sync.Invoice",
    }
    known = json.loads((shared / "m3" / "bod-elements.json").read_text())
    envelope = {path.split("/", 2)[2] for path, *_ in known["envelope"] if path.count("/") > 1}
    for parameters, text in zip(here.parameters, here.documents, strict=True):
        noun = parameters["documentName"].removeprefix("Sync.")
        root = ET.fromstring(text)
        assert root.tag == f"{{{NAMESPACE}}}Sync{noun}"
        paths = {path.replace("/Sync", "/Process") for path in _paths(root, noun)}
        assert paths <= envelope | {f"DataArea/{noun}"}
        assert {"ApplicationArea/CreationDateTime", "DataArea/Sync", f"DataArea/{noun}"} <= {
            path.replace("/Process", "/Sync") for path in paths
        }
        number = root.find(f".//{{{NAMESPACE}}}{noun}Header/{{{NAMESPACE}}}DocumentID/{{{NAMESPACE}}}ID")
        assert number is not None
        assert (number.text, number.get("variationID")) == (
            parameters["documentId"],
            str(parameters["variationId"]),
        )
    assert any(orno in text for text in here.documents)


def _paths(root: ET.Element, noun: str) -> set[str]:
    """Every path below the root, as the registry writes them; the noun's own content left out."""
    found = set()

    def walk(element: ET.Element, path: str) -> None:
        found.update(f"{path}@{name}" if not path else f"{path}/@{name}" for name in element.attrib)
        for each in element:
            below = f"{path}/{each.tag.rpartition('}')[2]}".lstrip("/")
            found.add(below)
            if below != f"DataArea/{noun}":
                walk(each, below)

    walk(root, "")
    return {path for path in found if path not in ("@releaseID", "@versionID")}


async def test_messages_go_again_after_a_failure_and_are_parked_after_a_refusal(
    m3: M3, listener: tuple[Listener, str]
) -> None:
    here, url = listener
    orno, _ = await shipped(m3)
    here.answers = [503, 202]
    [first, *_] = await m3.control("ion/send", url=url, auth="none", keys=[orno])
    assert (first["status"], first["attempts"]) == (202, 2)
    ids = [each["messageId"] for each in here.parameters[:2]]
    assert len({each.partition(":-ION-:")[0] for each in ids}) == 1
    assert len(set(ids)) == 2
    await m3.control("ion/send", url=url, auth="none")
    taken = len(here.parameters)
    assert await m3.control("ion/send", url=url, auth="none") == []
    again = await m3.control("ion/send", url=url, auth="none", again=True, duplicates=1, disorder=True)
    assert len(here.parameters) == taken + len(again)
    other, _ = await shipped(m3, "302-0000002-0000001")
    here.answers = [400]
    [refused, *_] = await m3.control("ion/send", url=url, auth="none", keys=[other])
    assert (refused["status"], refused["attempts"]) == (400, 1)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 201),
        ({"documentName": "SyncShipment"}, 400),
        ({"documentName": "Sync.Invoice"}, 400),
        ({"fromLogicalId": "o2c"}, 400),
        ({"messageId": "x" * 251}, 400),
        ({"document": {"value": "<a", "encoding": "NONE", "characterSet": "UTF-8"}}, 400),
        ({"document": {"value": "<a/>", "encoding": "DEFLATE", "characterSet": "UTF-8"}}, 400),
        ({"document": "<SyncShipment/>"}, 400),
    ],
)
async def test_the_messaging_service_takes_what_is_well_formed(
    m3: M3, change: dict[str, Any], status: int
) -> None:
    body = {
        "documentName": "Sync.Shipment",
        "messageId": "m-1",
        "fromLogicalId": "lid://infor.ims.o2c",
        "toLogicalId": "lid://default",
        "document": {"value": "<SyncShipment/>", "encoding": "NONE", "characterSet": "UTF-8"},
        **change,
    }
    answer = await m3.http.post(m3.url + MESSAGE, json=body)
    assert answer.status_code == status
    if status == 201:
        assert answer.json() == {"status": "OK"}
        await m3.control("ion/connection", active=False)
        assert (await m3.http.post(m3.url + MESSAGE, json=body)).status_code == 412
        async with httpx.AsyncClient() as stranger:
            assert (await stranger.post(m3.url + MESSAGE, json=body)).status_code == 401
