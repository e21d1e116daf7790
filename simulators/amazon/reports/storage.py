"""The document store behind a report's URL: presigned for five minutes, speaking S3's XML, wanting no token.

Facts: Amazon's model (five minutes; ``enableContentEncodingUrlHeader``), a recorded download (headers), and
S3's own rules for presigned requests: an expired, changed or unsigned one is 403, and so is one that carries an
``x-amz-`` header that was not signed, such as the access token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from simulators.amazon.reports.frame import moment

URL_SECONDS = 300
PREFIX = "/s3/"


class StorageError(Exception):
    """A refusal in S3's words."""

    def __init__(self, status: int, code: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def response(self) -> Response:
        """The refusal on the wire."""
        headers = _headers()
        entries = {"Code": self.code, "Message": self.message}
        entries |= {name.replace("_", "-"): text for name, text in self.details.items()}
        entries |= {"RequestId": headers["x-amz-request-id"], "HostId": headers["x-amz-id-2"]}
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in entries.items())
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
        return Response(body, self.status, headers, "application/xml")


class Signer:
    """Makes presigned URLs and knows its own again, also after a restart."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.blake2b(f"storage {seed}".encode(), digest_size=32).digest()

    def url(self, base: str, path: str, now_ms: int, *, decoded_by_client: bool) -> str:
        """A URL for this path, good for five minutes from now.

        decoded_by_client: the answer will say ``Content-Encoding: gzip``.
        """
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": f"{_time(now_ms):%Y%m%dT%H%M%SZ}",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": str(URL_SECONDS),
        }
        if decoded_by_client:
            query["response-content-encoding"] = "gzip"
        query["X-Amz-Signature"] = self._sign(path, query)
        return f"{base.rstrip('/')}{path}?{urlencode(query)}"

    def check(self, request: Request, now_ms: int) -> None:
        """StorageError unless this is an unchanged, unexpired presigned request and nothing besides."""
        query = dict(request.query_params)
        signature = query.pop("X-Amz-Signature", "")
        if not signature or "X-Amz-Date" not in query:
            raise StorageError(403, "AccessDenied", "Access Denied")
        if "authorization" in request.headers:
            message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            message += "query string parameter or the Authorization header should be specified"
            raise StorageError(400, "InvalidArgument", message)
        if not hmac.compare_digest(signature.encode(), self._sign(request.url.path, query).encode()):
            message = "The request signature we calculated does not match the signature you provided. "
            message += "Check your key and signing method."
            raise StorageError(403, "SignatureDoesNotMatch", message)
        unsigned = sorted(name for name in request.headers if name.startswith("x-amz-"))
        if unsigned:
            message = "There were headers present in the request which were not signed"
            raise StorageError(403, "AccessDenied", message, HeadersNotSigned=", ".join(unsigned))
        _check_age(request.query_params, now_ms)

    def _sign(self, path: str, query: dict[str, str]) -> str:
        text = path + repr(sorted(query.items()))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def found(body: bytes, content_type: str, created_ms: int, encoding: str = "identity") -> Response:
    """The document on the wire. Content-Encoding is `identity` even for a compressed body, as recorded."""
    headers = {
        **_headers(),
        "Last-Modified": f"{_time(created_ms):%a, %d %b %Y %H:%M:%S GMT}",
        "ETag": f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"',
        "x-amz-server-side-encryption": "aws:kms",
        "Content-Encoding": encoding,
        "Content-Type": content_type,
    }
    return Response(body, 200, headers)


def stored(body: bytes) -> Response:
    """What answers an upload."""
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    return Response(b"", 200, {**_headers(), "x-amz-server-side-encryption": "aws:kms", "ETag": etag})


def fault_answer(action: str) -> Response | None:
    """S3's own words for a fault (see `simulators.faults`); None leaves it to the plain form."""
    errors = {
        "status_429": StorageError(503, "SlowDown", "Please reduce your request rate."),
        "html_503": StorageError(503, "ServiceUnavailable", "Please reduce your request rate."),
        "status_500": StorageError(
            500, "InternalError", "We encountered an internal error. Please try again."
        ),
        "token_expiry": StorageError(403, "AccessDenied", "Access Denied"),
    }
    return errors[action].response() if action in errors else None


def _check_age(query: QueryParams, now_ms: int) -> None:
    signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ends_ms = round(signed.timestamp() * 1000) + int(query["X-Amz-Expires"]) * 1000
    if now_ms < ends_ms:
        return
    raise StorageError(
        403,
        "AccessDenied",
        "Request has expired",
        X_Amz_Expires=query["X-Amz-Expires"],
        Expires=moment(ends_ms).replace("+00:00", "Z"),
        ServerTime=moment(now_ms).replace("+00:00", "Z"),
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def _headers() -> dict[str, str]:
    return {
        "x-amz-id-2": base64.b64encode(secrets.token_bytes(56)).decode(),
        "x-amz-request-id": secrets.token_hex(8).upper(),
        "Server": "AmazonS3",
    }
