"""How Amazon's answers look on the wire: headers, error lists, what is sent with which status.

Facts: recorded production and sandbox traffic (github lineofflight/peddler) and Amazon's usage-plan guide.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

JsonObject = dict[str, Any]
"""A JSON tree in Amazon's shape. Amazon's model gives it meaning; here it is data."""

WITHOUT_RATE = frozenset({401, 403, 429})
ERROR_TYPES = {
    400: "InvalidInputException",
    401: "UnauthorizedException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    409: "ConflictException",
    413: "RequestTooLargeException",
    415: "UnsupportedMediaTypeException",
    429: "TooManyRequestsException",
    500: "InternalFailureException",
    503: "ServiceUnavailableException",
    504: "GatewayTimeoutException",
}
_RID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class ApiError(Exception):
    """A refusal in the Selling Partner API's words: status, code, message, details."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def invalid(message: str, details: str = "") -> ApiError:
    """400 InvalidInput."""
    return ApiError(400, "InvalidInput", message, details)


def not_found(message: str) -> ApiError:
    """404 NotFound."""
    return ApiError(404, "NotFound", message)


def denied(details: str = "") -> ApiError:
    """403 Unauthorized, Amazon's answer to a token it does not know or a role that is missing."""
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.", details)


def token_expired() -> ApiError:
    """403 Unauthorized for an access token past its hour."""
    return denied("The access token you provided has expired.")


def quota_exceeded() -> ApiError:
    """429; without Retry-After, without a rate header."""
    return ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def to_json(tree: JsonObject) -> bytes:
    """The JSON body of an answer."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


def _transport_headers(request_id: str) -> dict[str, str]:
    plain = request_id.replace("-", "")
    rid = secrets.token_bytes(20)
    return {
        "x-amz-rid": "".join(_RID_LETTERS[byte % 32] for byte in rid),
        "x-amzn-RequestId": request_id,
        "x-amz-apigw-id": f"OPF{plain[:12]}",
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{plain[:16]}",
        "Strict-Transport-Security": "max-age=47474747; includeSubDomains; preload",
    }


def answer(status: int, tree: JsonObject | None, rate: float | None) -> Response:
    """One answer of the Selling Partner API. rate: what the usage plan allows per second, when known."""
    headers = _transport_headers(str(uuid.uuid4()))
    if rate is not None and (200 <= status < 300 or status in (400, 404)):
        headers["x-amzn-RateLimit-Limit"] = rate_text(rate)
    if status >= 400:
        headers["x-amzn-errortype"] = ERROR_TYPES.get(status, "InternalFailureException")
    headers["Content-Type"] = "application/json"
    return Response(b"" if tree is None else to_json(tree), status_code=status, headers=headers)


def refusal(error: ApiError, rate: float | None) -> Response:
    """The answer that says an `ApiError`."""
    entry = {"code": error.code, "message": error.message, "details": error.details}
    return answer(error.status, {"errors": [entry]}, rate)


def rate_text(rate: float) -> str:
    """A rate as Amazon writes it: 2.0, 0.5, 0.0056."""
    return str(round(rate, 6))


def fault_answer(action: str) -> Response | None:
    """Amazon's own words for a fault (see `simulators.faults`); None leaves it to the plain form."""
    if action == "html_503":
        page = "<html><head><title>503</title></head><body><h2>Service Unavailable</h2></body></html>"
        return HTMLResponse(page, status_code=503, headers={"Server": "Server"})
    if action == "forbidden_no_body":
        return Response(status_code=403, headers={"x-amz-rid": secrets.token_hex(10).upper()})
    if action == "empty_200":
        return answer(200, None, None)
    errors: Mapping[str, ApiError] = {
        "status_429": quota_exceeded(),
        "status_500": ApiError(500, "InternalFailure", "We encountered an internal error. Please try again."),
        "status_504": ApiError(504, "InternalFailure", "The request timed out. Please try again."),
        "token_expiry": token_expired(),
    }
    return refusal(errors[action], None) if action in errors else None
