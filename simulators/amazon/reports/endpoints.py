"""The operations of Reports 2021-06-30 and the document store its URLs lead to."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from random import Random

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.amazon.auth import Caller
from simulators.amazon.clock import iso
from simulators.amazon.reports import storage
from simulators.amazon.reports.kinds import KINDS
from simulators.amazon.reports.requests import KEPT_MS, Listing, listing, specification
from simulators.amazon.reports.shelf import Document, Report
from simulators.amazon.reports.storage import Signer, StorageError
from simulators.amazon.wire import JsonObject, denied, invalid, not_found
from simulators.amazon.world import LogEntry, World
from simulators.faults import FaultPlan, Profile

NOT_FOUND = "One or more of the provided ReportRequestIds could not be found."
TRUNCATED: dict[Profile, float] = {"none": 0.0, "mild": 0.02, "harsh": 0.1}
"""Share of the downloads of compressed documents that end too early, by fault profile."""
DOWNLOAD = "downloadReportDocument"
"""How the fault plan and the request log call a download; Amazon has no name for it."""

Answer = tuple[int, JsonObject | None]


def create_report(world: World, caller: Caller, _: Request, body: bytes, now_ms: int) -> Answer:
    """createReport."""
    wanted = specification(body, now_ms, world.marketplaces(caller.seller_id))
    if KINDS[wanted.report_type].restricted and caller.seller_id in world.pii_refused:
        raise denied()
    report = world.reports.order(caller.seller_id, wanted, now_ms)
    return 202, {"reportId": report.report_id}


def get_report(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getReport."""
    return 200, _report(world, caller, request, now_ms).model()


def cancel_report(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """cancelReport."""
    report = _report(world, caller, request, now_ms)
    if not world.reports.cancel(report, now_ms):
        message = f"Report {report.report_id} cannot be cancelled."
        raise invalid(message, f"Its processing status is {report.status}, not IN_QUEUE.")
    return 200, None


def get_reports(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getReports."""
    params = request.query_params
    if "nextToken" in params:
        if set(params) != {"nextToken"}:
            raise invalid("nextToken may not be specified together with any other parameter.")
        query = _read_token(world, caller, params["nextToken"])
    else:
        query = listing(params, now_ms)
    reports, more = world.reports.page(caller.seller_id, query, now_ms)
    result: JsonObject = {"reports": [report.model() for report in reports]}
    if more:
        result["nextToken"] = _write_token(world, caller, replace(query, after=reports[-1].place))
    return 200, result


def get_report_document(world: World, caller: Caller, request: Request, _: bytes, now_ms: int) -> Answer:
    """getReportDocument."""
    document_id = request.path_params["report_document_id"]
    document = world.reports.document(caller.seller_id, document_id, now_ms)
    if document is None:
        raise invalid(f"Invalid reportDocumentId {document_id}")
    kind = KINDS.get(document.report_type)
    if kind is not None and kind.restricted and not caller.restricted:
        raise denied("The report type is restricted; call with a restricted data token for this document.")
    decoded = document.said_gzip and request.query_params.get("enableContentEncodingUrlHeader") == "true"
    signer = Signer(world.settings.seed)
    url = signer.url(str(request.base_url), document.path, now_ms, decoded_by_client=decoded)
    result: JsonObject = {"reportDocumentId": document_id, "url": url}
    if document.said_gzip:
        result["compressionAlgorithm"] = "GZIP"
    return 200, result


def document_routes(world: World, faults: FaultPlan) -> list[Route]:
    """Where the presigned URLs lead; no access token is wanted there, and none is allowed."""
    signer = Signer(world.settings.seed)

    async def download(request: Request) -> Response:
        async def work() -> Response:
            now_ms = world.settle()
            try:
                signer.check(request, now_ms)
                document, body = _stored(world, request.path_params["key"], now_ms)
            except StorageError as error:
                return error.response()
            encoding = request.query_params.get("response-content-encoding", "identity")
            if cut_short(document, body, faults.profile):
                body = body[: len(body) * 2 // 3]
            return storage.found(body, document.content_type, document.created_ms, encoding)

        response = await faults.around(request, DOWNLOAD, {"key": request.path_params["key"]}, work)
        status, request_id = response.status_code, response.headers.get("x-amz-request-id", "")
        world.answered[DOWNLOAD, status] += 1
        world.log.append(LogEntry(iso(world.clock.now_ms()), DOWNLOAD, "", "", status, request_id))
        return response

    return [Route(f"{storage.PREFIX}{{bucket}}/{{key}}", download, methods=["GET"])]


def _stored(world: World, key: str, now_ms: int) -> tuple[Document, bytes]:
    found = world.reports.shelf.fetch(key)
    if found is None or found[0].created_ms <= now_ms - KEPT_MS:
        raise StorageError(404, "NoSuchKey", "The specified key does not exist.", Key=key)
    return found


def cut_short(document: Document, body: bytes, profile: Profile) -> bool:
    """Whether this download ends too early: because a rule says so, or by seeded chance."""
    if document.downloads <= document.truncated:
        return True
    chance = Random(f"{document.key}/{document.downloads}").random()  # noqa: S311 - a seeded fault
    return body[:2] == b"\x1f\x8b" and chance < TRUNCATED[profile]


def _report(world: World, caller: Caller, request: Request, now_ms: int) -> Report:
    report = world.reports.find(caller.seller_id, request.path_params["report_id"], now_ms)
    if report is None:
        raise not_found(NOT_FOUND)
    return report


def _write_token(world: World, caller: Caller, query: Listing) -> str:
    claims = [sorted(query.types), sorted(query.statuses), sorted(query.marketplaces)]
    body = json.dumps([*claims, query.since_ms, query.until_ms, query.page_size, query.after]).encode()
    return base64.urlsafe_b64encode(_seal(world, caller, body) + body).decode()


def _read_token(world: World, caller: Caller, token: str) -> Listing:
    try:
        sealed = base64.urlsafe_b64decode(token)
    except ValueError:
        raise invalid("Invalid nextToken") from None
    seal, body = sealed[:12], sealed[12:]
    if seal != _seal(world, caller, body):
        raise invalid("Invalid nextToken")
    types, statuses, marketplaces, since_ms, until_ms, size, after = json.loads(body)
    sets = (frozenset(types), frozenset(statuses), frozenset(marketplaces))
    return Listing(*sets, since_ms, until_ms, size, (after[0], after[1]))


def _seal(world: World, caller: Caller, body: bytes) -> bytes:
    key = f"reports {world.settings.seed}".encode()
    return hashlib.blake2b(body + caller.seller_id.encode(), key=key, digest_size=12).digest()


OPERATIONS = (
    ("/reports/2021-06-30/reports", "POST", "createReport", create_report),
    ("/reports/2021-06-30/reports", "GET", "getReports", get_reports),
    ("/reports/2021-06-30/reports/{report_id}", "GET", "getReport", get_report),
    ("/reports/2021-06-30/reports/{report_id}", "DELETE", "cancelReport", cancel_report),
    (
        "/reports/2021-06-30/documents/{report_document_id}",
        "GET",
        "getReportDocument",
        get_report_document,
    ),
)
"""Path, method, name and work of each operation."""
