"""Sending through ION's messaging service (IMS): POST .../IONSERVICES/api/ion/messaging/service/v2/message.

ION answers 201 with ``{"status": "OK"}`` once it has the message, 400 where it is malformed, 412 where the
connection point of the sender is not active. ION does not drop duplicates: it appends a UUID of its own to the
message id, and receivers look at the part before it. So a message goes under the same id in every attempt.
"""

import json
import time
from typing import Final

import httpx
import structlog

from activities.m3.auth import Credentials
from activities.m3.errors import M3Unavailable, MIError, NotAuthorised
from activities.m3.transport import retry_after

PATH: Final = "/IONSERVICES/api/ion/messaging/service/v2/message"
TO_DEFAULT: Final = "lid://default"
"""The document flow in ION decides who receives it."""
_PROGRAM: Final = "ION messaging service"

log = structlog.get_logger("activities.m3")


class InactiveConnectionPoint(Exception):  # noqa: N818 - read as what it is
    """ION knows the sender's connection point and does not take messages from it (HTTP 412)."""


class IonMessages:
    """Messages of one connection point. `tenant_url` is ``{iu}/{ti}`` of the service account's .ionapi file."""

    def __init__(
        self, tenant_url: str, credentials: Credentials, *, logical_id: str, http: httpx.AsyncClient
    ) -> None:
        self._url = f"{tenant_url.rstrip('/')}{PATH}"
        self._credentials = credentials
        self._http = http
        self.logical_id = logical_id
        """Of the connection point in ION, such as ``lid://infor.ims.o2c``."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, document_name: str, document: str, *, message_id: str) -> None:
        """Hand one document over to ION.

        Raises `InactiveConnectionPoint`; `M3Unavailable` where ION may or may not have it, so that it is to be
        sent again under the same id; `NotAuthorised` and `MIError` where it will never take it.
        """
        body = {
            "documentName": document_name,
            "messageId": message_id,
            "fromLogicalId": self.logical_id,
            "toLogicalId": TO_DEFAULT,
            "document": {"value": document, "encoding": "NONE", "characterSet": "UTF-8"},
        }
        response = await self._post(json.dumps(body, ensure_ascii=False).encode(), document_name, message_id)
        if response.status_code == 412:
            raise InactiveConnectionPoint(
                f"ION did not take {document_name}: the connection point {self.logical_id} is not active. "
                "Activate its document flow in ION."
            )
        if response.status_code in (401, 403):
            raise NotAuthorised(_PROGRAM, document_name, f"HTTP {response.status_code}")
        if response.status_code == 429 or response.status_code >= 500:
            raise M3Unavailable(
                f"ION answered {document_name} with HTTP {response.status_code}; whether it has it is unknown.",
                delay=retry_after(response),
            )
        if response.status_code not in (200, 201, 202):
            raise MIError(_PROGRAM, document_name, f"HTTP {response.status_code}")

    async def _post(self, body: bytes, document_name: str, message_id: str) -> httpx.Response:
        """Send it, once more with a new token after a 401."""
        authority = await self._credentials.header(self._http)
        for last in (False, True):
            started = time.monotonic()
            headers = {"authorization": authority, "content-type": "application/json; charset=utf-8"}
            try:
                response = await self._http.post(self._url, content=body, headers=headers)
            except httpx.HTTPError as error:
                raise M3Unavailable(
                    f"ION gave no answer to {document_name} ({type(error).__name__}); whether it has it is unknown."
                ) from error
            log.info(
                "ion message",
                document=document_name,
                message_id=message_id,
                outcome=response.status_code,
                milliseconds=round((time.monotonic() - started) * 1000),
            )
            if response.status_code != 401 or last or not self._credentials.renewable:
                break
            authority = await self._credentials.header(self._http, refused=authority)
        return response
