"""ION sending what M3 published: to one endpoint, more than once, out of order, again after a failure.

ION promises no order and no single delivery: messages go in parallel, one that got no answer goes again, and
each time ION appends a UUID of its own to M3's message id.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import uuid
import zlib
from collections.abc import Sequence
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.m3.bods import ENTITY, LOGICAL_ID
from simulators.m3.ion import Ion, Publication
from simulators.m3.settings import TENANT

CROPPED_AT = 128
_PAUSE = 0.2


class Sending(BaseModel):
    """Body of POST /_control/ion/send: where the connection point leads, and how badly it behaves."""

    model_config = ConfigDict(extra="forbid")

    url: str
    """The address before /service."""
    auth: Literal["basic", "oauth2", "none"] = "basic"
    user: str = ""
    password: str = ""
    token_url: str = ""
    """Where a token is had, for OAuth 2.0; as configured in the API gateway beside the address."""
    tenant: str = TENANT
    keys: list[str] = Field(default_factory=list)
    """Only documents with these ids; empty for all."""
    nouns: list[str] = Field(default_factory=list)
    again: bool = False
    """Send what was delivered before, too: a replay."""
    duplicates: int = Field(default=0, ge=0, le=10)
    """How many more times each message goes."""
    disorder: bool = False
    seed: int = 7
    attempts: int = Field(default=3, ge=1)
    cuor: bool = True
    """Whether the site has mapped CUOR into its documents."""
    encoding: Literal["NONE", "BASE64", "DEFLATE", "any"] = "any"


class IonSending:
    """The document flow from M3 to an endpoint."""

    def __init__(self, ion: Ion) -> None:
        self._ion = ion
        self._delivered: set[str] = set()

    def routes(self) -> list[Route]:
        """Its control requests."""
        return [
            Route("/_control/ion", self._state),
            Route("/_control/ion/send", self._send, methods=["POST"]),
            Route("/_control/ion/connection", self._connection, methods=["POST"]),
        ]

    async def _state(self, _: Request) -> Response:
        published = [
            {"noun": each.noun, "key": each.key, "variation": each.variation, "status": each.status}
            for each in self._ion.published
        ]
        return JSONResponse(
            {"published": published, "received": self._ion.received, "active": self._ion.active}
        )

    async def _connection(self, request: Request) -> Response:
        self._ion.active = bool((await request.json())["active"])
        return JSONResponse({"active": self._ion.active})

    async def _send(self, request: Request) -> Response:
        try:
            wanted = Sending.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        chance = random.Random(wanted.seed)  # noqa: S311 - a run that can be repeated
        messages = [each for each in self._ion.published if self._is_wanted(each, wanted)]
        messages = [each for each in messages for _ in range(1 + wanted.duplicates)]
        if wanted.disorder:
            chance.shuffle(messages)
        async with httpx.AsyncClient(base_url=wanted.url, timeout=60) as http:
            await _authorise(http, wanted)
            if wanted.disorder:  # in parallel, as ION's connector does
                answers = await asyncio.gather(*(self._one(http, each, wanted, chance) for each in messages))
            else:
                answers = [await self._one(http, each, wanted, chance) for each in messages]
        return JSONResponse(answers)

    def _is_wanted(self, publication: Publication, wanted: Sending) -> bool:
        return (
            (not wanted.keys or publication.key in wanted.keys)
            and (not wanted.nouns or publication.noun in wanted.nouns)
            and (wanted.again or publication.source_id not in self._delivered)
        )

    async def _one(
        self, http: httpx.AsyncClient, publication: Publication, wanted: Sending, chance: random.Random
    ) -> dict[str, object]:
        xml = self._ion.xml_of(publication, cuor=wanted.cuor)
        told: dict[str, object] = {
            "sourceId": publication.source_id,
            "attempts": 0,
            "status": 0,
            "answer": {},
        }
        if xml is None:
            return told
        encoding = (
            wanted.encoding if wanted.encoding != "any" else chance.choice(("NONE", "BASE64", "DEFLATE"))
        )
        for attempt in range(1, wanted.attempts + 1):
            answer = await post_message(http, publication, xml, tenant=wanted.tenant, encoding=encoding)
            told.update(attempts=attempt)
            if answer is not None:
                told.update(status=answer.status_code, answer=_json(answer))
                if answer.status_code < 500 and answer.status_code != 429:
                    break
            await asyncio.sleep(_PAUSE)
        if told["status"] == 202:
            self._delivered.add(publication.source_id)
        return told


async def post_message(
    http: httpx.AsyncClient, publication: Publication, xml: str, *, tenant: str, encoding: str
) -> httpx.Response | None:
    """One POST of v3/multipartMessage; None without an answer."""
    message_id = f"{publication.source_id[:CROPPED_AT]}:-ION-:{uuid.uuid4().hex}"
    parameters = {
        "documentName": f"Sync.{publication.noun}",
        "messageId": message_id,
        "fromLogicalId": LOGICAL_ID,
        "toLogicalId": "lid://default",
        "accountingEntity": ENTITY,
        "documentId": publication.key,
        "variationId": publication.variation,
        "encoding": encoding,
        "characterSet": "UTF-8",
    }
    files: Sequence[tuple[str, tuple[str, bytes, str]]] = (
        ("ParameterRequest", ("ParameterRequest", json.dumps(parameters).encode(), "application/json")),
        ("MessagePayload", ("MessagePayload", _packed(xml.encode(), encoding), "application/octet-stream")),
    )
    try:
        return await http.post(
            "/service/v3/multipartMessage", files=list(files), headers={"x-tenantid": tenant}
        )
    except httpx.HTTPError:
        return None


def _packed(payload: bytes, encoding: str) -> bytes:
    if encoding == "BASE64":
        return base64.b64encode(payload)
    return zlib.compress(payload) if encoding == "DEFLATE" else payload


async def _authorise(http: httpx.AsyncClient, wanted: Sending) -> None:
    """As the API gateway does: Basic, or a token by client credentials."""
    if wanted.auth == "basic":
        http.auth = httpx.BasicAuth(wanted.user, wanted.password)
    elif wanted.auth == "oauth2":
        form = {"grant_type": "client_credentials"}
        answer = await http.post(wanted.token_url, data=form, auth=(wanted.user, wanted.password))
        answer.raise_for_status()
        http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return {}
