"""ION as a test plays it by hand: BODs written out, and posted as its connector posts them."""

import asyncio
import base64
import json
import uuid
import zlib
from dataclasses import dataclass

import httpx

from canonical.ids import m3_document_workflow_id
from canonical.m3_document_contracts import M3DocumentResult
from simulators.m3.settings import TENANT
from tests.support.world import World

NAMESPACE = "http://schema.infor.com/InforOAGIS/2"
ENTITY = "100_AAA"
MESSAGES = "/service/v3/multipartMessage"


def bod(
    name: str = "Sync.Shipment",
    document_id: str = "30000001",
    *,
    variation: int | None = 1,
    references: tuple[tuple[str, str], ...] = (),
    inside: str = "",
    entity: str = ENTITY,
) -> str:
    """A BOD of one document; `references` are (type, id)."""
    verb, _, noun = name.partition(".")
    named = "".join(
        f'<DocumentReference type="{kind}"><DocumentID><ID>{number}</ID></DocumentID></DocumentReference>'
        for kind, number in references
    )
    version = f' variationID="{variation}"' if variation is not None else ""
    number = f"<DocumentID><ID{version}>{document_id}</ID></DocumentID>" if document_id else ""
    return (
        f'<{verb}{noun} xmlns="{NAMESPACE}" releaseID="9.2"><ApplicationArea>'
        "<Sender><LogicalID>lid://infor.m3.m3</LogicalID></Sender>"
        "<CreationDateTime>2026-11-23T08:00:00.000Z</CreationDateTime><BODID>bod-1</BODID></ApplicationArea>"
        f"<DataArea><{verb}><TenantID>{TENANT}</TenantID><AccountingEntityID>{entity}</AccountingEntityID>"
        f'<ActionCriteria><ActionExpression actionCode="Add"/></ActionCriteria></{verb}>'
        f"<{noun}><{noun}Header>{number}{named}</{noun}Header>{inside}</{noun}></DataArea></{verb}{noun}>"
    )


def message_id(source: str) -> str:
    """The id ION makes of a sender's own: another one each time it sends the message."""
    return f"{source[:128]}:-ION-:{uuid.uuid4().hex}"


@dataclass
class Caller:
    """Somebody who posts messages to the endpoint."""

    http: httpx.AsyncClient

    async def send(
        self,
        xml: str | bytes,
        *,
        source: str | None = None,
        name: str = "Sync.Shipment",
        tenant: str = TENANT,
        **parameters: object,
    ) -> httpx.Response:
        """One message, as ION sends it; a new source id where none is given."""
        given: dict[str, object] = {
            "documentName": name,
            "messageId": message_id(source or uuid.uuid4().hex),
            "fromLogicalId": "lid://infor.m3.m3",
            "toLogicalId": "lid://default",
            "encoding": "NONE",
            "characterSet": "UTF-8",
            **parameters,
        }
        payload = packed(xml if isinstance(xml, bytes) else xml.encode(), str(given["encoding"]))
        return await self.post(json.dumps(given).encode(), payload, tenant=tenant)

    async def post(self, parameters: bytes, payload: bytes, *, tenant: str = TENANT) -> httpx.Response:
        """Both parts as they are."""
        files = {
            "ParameterRequest": ("parameters", parameters, "application/json"),
            "MessagePayload": ("payload", payload, "application/octet-stream"),
        }
        return await self.http.post(MESSAGES, files=files, headers={"x-tenantid": tenant})


def packed(payload: bytes, encoding: str) -> bytes:
    match encoding:
        case "BASE64":
            return base64.b64encode(payload)
        case "DEFLATE":
            return zlib.compress(payload)
        case _:
            return payload


async def document_result(world: World, document_id: str, name: str = "Sync.Shipment") -> M3DocumentResult:
    """How the document's last run ended, as soon as it has."""
    handle = world.client.get_workflow_handle(
        m3_document_workflow_id(name, ENTITY, document_id), result_type=M3DocumentResult
    )
    result: M3DocumentResult = await asyncio.wait_for(handle.result(), 60)
    return result
