"""ION beside M3: what M3 hands it to publish, and the messages that others send through it.

M3 publishes a document each time its status changes, a shipment also when the labels of what has left change
(inferred); each time is a variation of it. Who receives it, how often and in which order is `ion_sending`'s.
Receiving is the messaging service (IMS): 201 with ``{"status":"OK"}`` (v3: 202), 400 where a message is malformed,
412 where the sender's connection point is not active.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.m3 import bods
from simulators.m3.auth import Guard
from simulators.m3.records import Delivery, Invoice, Order
from simulators.m3.settings import TENANT
from simulators.m3.warehouse import REPORTED
from simulators.m3.world import World

BASE = f"/{TENANT}/IONSERVICES/api/ion/messaging/service"
_LARGEST = 5 * 1024 * 1024


@dataclass(frozen=True)
class Publication:
    """One variation of one document that M3 gave to ION."""

    noun: str
    key: str
    variation: int
    status: str

    @property
    def source_id(self) -> str:
        """M3's own message id."""
        return f"m3-{self.noun}-{self.key}-{self.variation}"


class Document(BaseModel):
    """`document` of a v2 message."""

    model_config = ConfigDict(extra="forbid")

    value: str = Field(min_length=1)
    encoding: str = Field(pattern="^(NONE|BASE64|DEFLATE)$")
    characterSet: str = Field(min_length=1)  # noqa: N815 - spelt by Infor


class Message(BaseModel):
    """Body of POST .../v2/message."""

    model_config = ConfigDict(extra="ignore")

    documentName: str = Field(pattern=r"^[A-Za-z]+\.[A-Za-z]+$")  # noqa: N815 - spelt by Infor
    messageId: str = Field(min_length=1, max_length=250)  # noqa: N815
    fromLogicalId: str = Field(pattern="^lid://.+")  # noqa: N815
    toLogicalId: str = Field(pattern="^lid://.+")  # noqa: N815
    document: Document


class Ion:
    """ION of one tenant."""

    def __init__(self, world: World, guard: Guard) -> None:
        self._world = world
        self._guard = guard
        self.published: list[Publication] = []
        self.received: list[dict[str, str]] = []
        self.active = True
        """Whether the connection point of those who send is active."""
        self._variations: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], tuple[str, ...]] = {}
        self._sent: dict[tuple[str, bool], str] = {}
        world.deliveries.watch(self._delivery)
        world.orders.watch(self._order)
        world.invoices.watch(self._invoice)

    def routes(self) -> list[Route]:
        """The messaging service."""
        return [
            Route(f"{BASE}/ping", self._ping),
            Route(f"{BASE}/v2/message", self._message, methods=["POST"]),
        ]

    def xml_of(self, publication: Publication, *, cuor: bool) -> str | None:
        """The BOD of a publication, the same whenever it is sent; None where its record has gone before."""
        key = (publication.source_id, cuor)
        if key not in self._sent:
            xml = self._xml(publication, cuor=cuor)
            if xml is None:
                return None
            self._sent[key] = xml
        return self._sent[key]

    def _xml(self, publication: Publication, *, cuor: bool) -> str | None:
        world = self._world
        if publication.noun == "Shipment":
            delivery = world.deliveries.get(publication.key)
            if delivery is None:
                return None
            return bods.shipment(world, delivery, publication.variation, publication.status, cuor=cuor)
        if publication.noun == "SalesOrder":
            order = world.orders.get(publication.key)
            if order is None:
                return None
            return bods.sales_order(order, publication.variation, publication.status, cuor=cuor)
        found = next((each for each in world.invoices if str(each.ivno) == publication.key), None)
        return None if found is None else bods.invoice(world, found, publication.variation, cuor=cuor)

    # --- what M3 publishes ----------------------------------------------------------------------

    def _delivery(self, key: str, delivery: Delivery) -> None:
        if not delivery.plsx:
            return
        # Labels are written while packing; from the issue on a change of them is a correction.
        labels = (
            (delivery.fwno, *(box.etrn for box in delivery.packages)) if delivery.pist == REPORTED else ()
        )
        self._publish("Shipment", key, delivery.orst or delivery.pist, *labels)

    def _order(self, key: str, order: Order) -> None:
        self._publish("SalesOrder", key, order.lowest)

    def _invoice(self, _: str, record: Invoice) -> None:
        self._publish("Invoice", str(record.ivno), "")

    def _publish(self, noun: str, key: str, status: str, *more: str) -> None:
        document = (noun, key)
        if self._last.get(document) == (status, *more):
            return
        self._last[document] = (status, *more)
        self._variations[document] += 1
        self.published.append(Publication(noun, key, self._variations[document], status))

    # --- what others send -----------------------------------------------------------------------

    async def _ping(self, request: Request) -> Response:
        refused = self._refused(request)
        return refused or JSONResponse({"status": "OK"})

    async def _message(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        body = await request.body()
        try:
            message = Message.model_validate_json(body)
            text = _plain(message.document)
            root = ET.fromstring(text)  # noqa: S314 - our own tests' messages
        except (ValidationError, ValueError, ET.ParseError) as error:
            return _said(400, f"The message is malformed: {type(error).__name__}")
        if root.tag.rpartition("}")[2] != message.documentName.replace(".", ""):
            return _said(400, "The document is not what its documentName says")
        if len(text) > _LARGEST:
            return _said(413, "The message is too large")
        if not self.active:
            return _said(412, "The connection point is not active")
        self.received.append(
            {
                "messageId": message.messageId,
                "documentName": message.documentName,
                "fromLogicalId": message.fromLogicalId,
                "toLogicalId": message.toLogicalId,
                "document": text,
            }
        )
        return JSONResponse({"status": "OK"}, 201)

    def _refused(self, request: Request) -> Response | None:
        objection = self._guard.objection(request)
        return _said(401, objection) if objection else None


def _plain(document: Document) -> str:
    """The XML. ValueError where it is not in the encoding it names."""
    if document.encoding == "NONE":
        return document.value
    try:
        raw = base64.b64decode(document.value, validate=True)
        packed = raw if document.encoding == "BASE64" else zlib.decompress(raw)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(document.encoding) from error
    return packed.decode(document.characterSet)


def _said(status: int, text: str) -> Response:
    return Response(json.dumps({"status": "ERROR", "message": text}), status, media_type="application/json")
