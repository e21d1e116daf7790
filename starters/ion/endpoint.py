"""The addresses ION calls: ping, protocol, versions, discovery, v3/multipartMessage; and its tokens.

Everything but the token's own addresses needs authority, and it is looked at before the body is. What each
refusal means for ION: 4xx, the message is wrong and stays wrong; 503, it is to be sent again. The shapes of the
answers to protocol, versions and discovery are inferred from Infor's guide, which names `hasDiscovery` alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from temporalio.service import RPCError

from canonical.bod_xml import BodProblem
from canonical.ion_messages import TooLarge, read_parameters
from starters.ion.access import Access
from starters.ion.bodies import (
    ENVELOPE,
    PARAMETERS,
    PAYLOAD,
    Rejected,
    boundary_of,
    drain,
    parts_of,
    read_body,
)
from starters.ion.receiver import RECEIVED, Outcome, Receiver
from worker.archiving import ArchiveError
from worker.m3_documents import Unsettled

SAFE_WITHIN: Final = 25.0
"""Seconds until a message has to be safe with Temporal; ION's gateway waits 60 by default."""
COME_AGAIN: Final = "30"
_FORM_LIMIT: Final = 8 * 1024
_DRAINED: Final = 64 * 1024 * 1024
"""Bytes of a refused message that are read and forgotten, of a caller who was let in."""
_VERSION: Final = "v3"

Handler = Callable[[Request], Awaitable[Response]]
_log = structlog.get_logger(__name__)


def build_app(
    receiver: Receiver, access: Access, *, tenant: str, max_bytes: int, path: str = ""
) -> Starlette:
    """The application; `path` stands before /service and /oauth2."""
    endpoint = _Endpoint(receiver, access, tenant, max_bytes)
    routes = [
        Route("/service/ping", endpoint.guarded(endpoint.ping)),
        Route("/service/protocol", endpoint.guarded(endpoint.protocol)),
        Route("/service/versions", endpoint.guarded(endpoint.versions)),
        Route("/service/v3/discovery", endpoint.guarded(endpoint.discovery), methods=["POST"]),
        Route("/service/v3/multipartMessage", endpoint.guarded(endpoint.message), methods=["POST"]),
        Route("/oauth2/token", endpoint.answered(endpoint.token), methods=["POST"]),
        Route("/oauth2/revoke", endpoint.answered(endpoint.revoke), methods=["POST"]),
    ]
    return Starlette(routes=[Mount(path, routes=routes)] if path else routes)


class _Endpoint:
    def __init__(self, receiver: Receiver, access: Access, tenant: str, max_bytes: int) -> None:
        self._receiver = receiver
        self._access = access
        self._tenant = tenant
        self._max_bytes = max_bytes

    # --- around every answer --------------------------------------------------------------------

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind the caller's authority."""

        async def checked(request: Request) -> Response:
            self._access.check(request.headers.get("authorization", ""))
            return await handler(request)

        return self.answered(checked)

    def answered(self, handler: Handler) -> Handler:
        """The handler with every rejection as its answer."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Rejected as rejected:
                _log.warning("ion_request_rejected", path=request.url.path, status=rejected.status)
                said = {"status": "ERROR", "message": rejected.sentence, "error": rejected.sentence}
                headers = rejected.headers
                if request.method == "POST":
                    await drain(request, _FORM_LIMIT if rejected.status == 401 else _DRAINED)
                    headers = {**headers, "connection": "close"}
                return JSONResponse(said, rejected.status, headers)

        return answer

    def _check_tenant(self, request: Request) -> None:
        """ION handles tenant ids without regard to case, and so do we."""
        if request.headers.get("x-tenantid", "").upper() != self._tenant.upper():
            raise Rejected(403, "The header X-TenantId does not name the tenant this endpoint serves.")

    # --- what ION asks --------------------------------------------------------------------------

    async def ping(self, _: Request) -> Response:
        return JSONResponse({"status": "OK"})

    async def protocol(self, _: Request) -> Response:
        return JSONResponse(
            {
                "version": _VERSION,
                "hasDiscovery": True,
                "encoding": ["NONE", "BASE64", "DEFLATE"],
                "maxMessageSize": self._max_bytes,
            }
        )

    async def versions(self, _: Request) -> Response:
        return JSONResponse({"versions": [_VERSION]})

    async def discovery(self, request: Request) -> Response:
        self._check_tenant(request)
        await read_body(request, _FORM_LIMIT)
        return JSONResponse(
            {"documents": [{"documentName": name, "direction": "RECEIVE"} for name in RECEIVED]}
        )

    # --- messages -------------------------------------------------------------------------------

    async def message(self, request: Request) -> Response:
        """202 once the message is safe; ION then forgets it."""
        self._check_tenant(request)
        boundary = boundary_of(request)
        parts = parts_of(await read_body(request, self._max_bytes + ENVELOPE), boundary)
        try:
            parameters = read_parameters(parts[PARAMETERS])
            async with asyncio.timeout(SAFE_WITHIN):
                outcome = await self._receiver.take(parameters, parts[PAYLOAD])
        except BodProblem as problem:
            raise Rejected(400, str(problem)) from None
        except TooLarge:
            raise Rejected(413, f"The document is larger than {self._max_bytes:,} bytes.") from None
        except (RPCError, Unsettled, ArchiveError, OSError, TimeoutError) as error:
            _log.error("ion_message_not_safe", error=type(error).__name__)
            raise Rejected(
                503, "The message could not be made safe; send it again.", {"retry-after": COME_AGAIN}
            ) from None
        if outcome is Outcome.CONFLICT:
            raise Rejected(409, "Another message with this id was taken before; this one was not.")
        return JSONResponse({"status": "OK", "outcome": outcome.value}, 202)

    # --- tokens ---------------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        """RFC 6749: a token for client credentials, or for a resource owner."""
        given = self._access.token(request.headers.get("authorization", ""), await _form(request))
        return JSONResponse(given, headers={"cache-control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        """RFC 7009."""
        self._access.revoke(request.headers.get("authorization", ""), await _form(request))
        return JSONResponse({})


async def _form(request: Request) -> dict[str, str]:
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise Rejected(415, "invalid_request")
    body = await read_body(request, _FORM_LIMIT)
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=20))
    except ValueError:
        raise Rejected(400, "invalid_request") from None
