"""The endpoint ION calls: who is let in, what is refused with which status, and that a refusal does nothing."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from simulators.m3.settings import TENANT
from starters.ion.serving import ion_app, serving
from tests.support.configuration import ION_PASSWORD, ION_USER
from tests.support.ion import MESSAGES, Caller, bod
from tests.support.processes import python_process
from tests.support.world import World
from tests.unit.test_bods import BOMB

AUTHORITY = (ION_USER, ION_PASSWORD)


@pytest_asyncio.fixture(scope="module")
async def address(world: World) -> AsyncIterator[str]:
    async with serving(ion_app(world.client, world.settings), "127.0.0.1", 0) as url:
        yield url


@pytest_asyncio.fixture(scope="module")
async def http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, auth=AUTHORITY, timeout=30) as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def stranger(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def ion(http: httpx.AsyncClient) -> Caller:
    return Caller(http)


@pytest.fixture
def kept(world: World) -> Path:
    """The archive."""
    return Path(world.settings.archive.url) / "ion"


async def document_runs(world: World) -> int:
    """How many runs of M3Document there are."""
    return (await world.client.count_workflows('WorkflowType="M3Document"')).count


# --- what ION asks first -------------------------------------------------------------------------


async def test_ion_finds_out_what_it_needs(http: httpx.AsyncClient) -> None:
    assert (await http.get("/service/ping")).status_code == 200
    protocol = (await http.get("/service/protocol")).json()
    assert (protocol["version"], protocol["hasDiscovery"]) == ("v3", True)
    assert (await http.get("/service/versions")).json() == {"versions": ["v3"]}
    found = await http.post("/service/v3/discovery", headers={"X-TenantId": TENANT.lower()}, json={})
    named = [each["documentName"] for each in found.json()["documents"]]
    assert named == ["Sync.Shipment", "Sync.Invoice", "Sync.SalesOrder"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/service/ping"),
        ("GET", "/service/protocol"),
        ("GET", "/service/versions"),
        ("POST", "/service/v3/discovery"),
        ("POST", MESSAGES),
    ],
)
@pytest.mark.parametrize(
    "authority",
    [
        None,
        "Basic",
        "Basic not-base64",
        f"Basic {base64.b64encode(b'ion-gateway:wrong').decode()}",
        f"Basic {base64.b64encode(b'ion-gateway').decode()}",
        f"Basic {base64.b64encode(bytes([255, 254])).decode()}",
        "Bearer",
        "Bearer 9999999999.abc.0000",
        "Digest username=ion-gateway",
    ],
)
async def test_nobody_else_is_let_in(
    stranger: httpx.AsyncClient, method: str, path: str, authority: str | None
) -> None:
    headers = {"x-tenantid": TENANT, **({"authorization": authority} if authority else {})}
    answer = await stranger.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert "Basic" in answer.headers["www-authenticate"]


async def test_who_is_not_let_in_is_told_before_the_body_is_read(address: str) -> None:
    """A body of any length is not waited for: the answer comes while it is still being sent."""

    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 500 * 1024 * 1024:
            sent += 65536
            yield b"x" * 65536

    async with httpx.AsyncClient(base_url=address, timeout=10) as client:
        with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # where the endpoint has hung up already
            answer = await client.post(MESSAGES, content=endless(), headers={"x-tenantid": TENANT})
            assert answer.status_code == 401
    assert sent < 10 * 1024 * 1024


async def test_a_token_is_as_good_as_the_password_until_it_is_revoked(
    stranger: httpx.AsyncClient, http: httpx.AsyncClient
) -> None:
    grant = {"grant_type": "client_credentials", "client_id": ION_USER, "client_secret": ION_PASSWORD}
    given = (await stranger.post("/oauth2/token", data=grant)).json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
    bearer = {"authorization": f"Bearer {given['access_token']}"}
    assert (await stranger.get("/service/ping", headers=bearer)).status_code == 200
    changed = {"authorization": f"Bearer 9{given['access_token']}"}
    assert (await stranger.get("/service/ping", headers=changed)).status_code == 401
    assert (await http.post("/oauth2/revoke", data={"token": given["access_token"]})).status_code == 200
    assert (await stranger.get("/service/ping", headers=bearer)).status_code == 401
    owner = {**grant, "grant_type": "password", "username": ION_USER, "password": ION_PASSWORD}
    assert (await stranger.post("/oauth2/token", data=owner)).status_code == 200
    for wrong, status in (
        ({"client_secret": "wrong"}, 401),
        ({"grant_type": "implicit"}, 400),
        ({"grant_type": "password", "username": ION_USER, "password": "wrong"}, 400),
    ):
        assert (await stranger.post("/oauth2/token", data={**grant, **wrong})).status_code == status


# --- what is refused -----------------------------------------------------------------------------


async def test_what_is_refused_has_its_status_and_does_nothing(world: World, ion: Caller, kept: Path) -> None:
    before, files = await document_runs(world), sorted(kept.rglob("*"))
    assert world.settings.ion is not None
    limit = world.settings.ion.max_bytes
    wide = bod(inside="<x/>" * 100_001)
    refusals = {
        "a bomb of entities": (await ion.send(BOMB), 400),
        "no XML": (await ion.send("order 1: two cups"), 400),
        "no BOD": (await ion.send("<a/>"), 400),
        "another document than it says": (await ion.send(bod("Sync.Invoice")), 400),
        "more elements than a document needs": (await ion.send(wide), 400),
        "a payload that is not deflated": (await ion.post(_parameters("DEFLATE"), b"<a/>"), 400),
        "parameters that are none": (await ion.post(b"{}", bod().encode()), 400),
        "another tenant": (await ion.send(bod(), tenant="OTHER_TST"), 403),
        "no tenant": (await ion.send(bod(), tenant=""), 403),
        "a document too large": (await ion.send(bod(inside=" " * limit)), 413),
        "a document too large when unpacked": (
            await ion.send(bod(inside=" " * limit), encoding="DEFLATE"),
            413,
        ),
    }
    for what, (answer, status) in refusals.items():
        assert answer.status_code == status, f"{what}: {answer.status_code} {answer.text}"
        assert answer.json()["message"], what
    assert await document_runs(world) == before
    assert sorted(kept.rglob("*")) == files


def _parameters(encoding: str) -> bytes:
    return json.dumps({"messageId": "m", "documentName": "Sync.Shipment", "encoding": encoding}).encode()


async def test_a_body_of_another_kind_or_form_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"x-tenantid": TENANT}
    assert (await http.post(MESSAGES, json={}, headers=headers)).status_code == 415
    compressed = {**headers, "content-type": "multipart/form-data; boundary=b", "content-encoding": "gzip"}
    assert (await http.post(MESSAGES, content=b"x", headers=compressed)).status_code == 415
    multipart = {**headers, "content-type": "multipart/form-data; boundary=b"}
    part = b'--b\r\ncontent-disposition: form-data; name="ParameterRequest"\r\n\r\n{}\r\n'
    for body in (b"", b"--b--", part, part + b"--b--\r\n", part + part + b"--b--\r\n", part * 20 + b"--b--"):
        assert (await http.post(MESSAGES, content=body, headers=multipart)).status_code == 400
    assert (await http.get(MESSAGES)).status_code == 405
    assert (await http.post("/service/v2/multipartMessage", headers=headers)).status_code == 404


async def test_a_body_is_refused_by_its_length_and_otherwise_as_soon_as_it_grows_too_long(
    world: World, http: httpx.AsyncClient
) -> None:
    assert world.settings.ion is not None
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 500 * 1024 * 1024:
            sent += 65536
            yield b"x" * 65536

    headers = {"x-tenantid": TENANT, "content-type": "multipart/form-data; boundary=b"}
    told = {**headers, "content-length": str(10**12)}
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # where the endpoint has hung up already
        answer = await http.post(MESSAGES, content=endless(), headers=headers)
        assert answer.status_code == 413
    assert sent < 20 * world.settings.ion.max_bytes
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**told, "host": "ion", **_basic()}.items())
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    writer.write(f"POST {MESSAGES} HTTP/1.1\r\n{lines}\r\n".encode())
    async with asyncio.timeout(10):
        assert b" 413 " in await reader.readline()
    writer.close()


def _basic() -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(':'.join(AUTHORITY).encode()).decode()}"}


async def test_the_command_listens_until_it_is_told_to_stop(world: World, tmp_path: Path) -> None:
    log = tmp_path / "ion.log"
    run = (
        "-c",
        "from starters.cli import main; main()",
        "listen",
        "--ion",
        "--config",
        str(world.config_file),
    )
    async with python_process(log, "ion_listening", *run) as process:
        said = next(line for line in log.read_text().splitlines() if "ion_listening" in line)
        address = json.loads(said)["address"].removesuffix("/service")
        async with httpx.AsyncClient(base_url=address, auth=AUTHORITY) as client:
            answer = await Caller(client).send(bod("Sync.SalesOrder"), name="Sync.SalesOrder")
        assert (answer.status_code, answer.json()["outcome"]) == (202, "nothing_to_do")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    assert ION_PASSWORD not in log.read_text()


async def test_unknown_documents_are_acknowledged_and_kept_once(ion: Caller, kept: Path) -> None:
    text = bod("Sync.ItemMaster", "100000-TEA")
    first = await ion.send(text, source="item-1", name="Sync.ItemMaster")
    again = await ion.send(text, source="item-1", name="Sync.ItemMaster", encoding="DEFLATE")
    assert (first.status_code, first.json()["outcome"]) == (202, "kept")
    assert (again.status_code, again.json()["outcome"]) == (202, "duplicate")
    [file] = (kept / "Sync.ItemMaster").iterdir()
    assert file.read_text() == text
    other = await ion.send(bod("Sync.ItemMaster", "100001"), source="item-1", name="Sync.ItemMaster")
    assert other.json()["outcome"] == "kept"
    assert len(list((kept / "Sync.ItemMaster").iterdir())) == 2


async def test_documents_of_nobody_are_acknowledged_and_cost_nothing(world: World, ion: Caller) -> None:
    before = await document_runs(world)
    for name, references in (
        ("Sync.Shipment", (("SalesOrder", "1019999999"), ("PurchaseOrder", "4500001234"))),
        ("Sync.Shipment", (("PurchaseOrder", "302-9999999-0000001"),)),
        ("Sync.Shipment", ()),
        ("Sync.Invoice", (("SalesOrder", '"OR""="'),)),
    ):
        answer = await ion.send(bod(name, references=references), name=name)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "not_ours")
    for name in ("Sync.SalesOrder", "Acknowledge.SalesOrder"):
        answer = await ion.send(bod(name), name=name)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "nothing_to_do")
    assert await document_runs(world) == before
