"""Request bodies from outside: never more read than allowed, and multipart taken apart without surprises."""

import asyncio
import contextlib
import re
from email.message import Message
from typing import Final

from starlette.requests import ClientDisconnect, Request

PARAMETERS: Final = "ParameterRequest"
PAYLOAD: Final = "MessagePayload"
READ_WITHIN: Final = 60.0
"""Seconds a body may take to arrive."""
ENVELOPE: Final = 64 * 1024
"""Bytes beyond the document: the parameters, and what multipart puts around them."""
DRAINED_WITHIN: Final = 5.0
_MOST_PARTS: Final = 8
_LONGEST_HEADER: Final = 8 * 1024
_NAME: Final = re.compile(rb'name="?([A-Za-z]+)"?', re.IGNORECASE)


class Rejected(Exception):  # noqa: N818 - an answer, not an error of ours
    """The request is not taken; `status` and `sentence` are the answer, nothing was done."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}


def boundary_of(request: Request) -> bytes:
    """The boundary of a multipart/form-data request. Rejects others with 415."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    boundary = header.get_boundary("")
    if header.get_content_type() != "multipart/form-data" or not boundary or not boundary.isascii():
        raise Rejected(415, f"A message is sent as multipart/form-data, with {PARAMETERS} and {PAYLOAD}.")
    return boundary.encode()


async def read_body(request: Request, limit: int) -> bytes:
    """The body, at most `limit` bytes. Rejects with 413 before reading where its length is told, and as soon as
    it is exceeded where not; with 408 where it does not arrive, with 415 where it is compressed as a whole."""
    too_large = Rejected(413, f"The message is larger than {limit:,} bytes.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Rejected(415, "The body is compressed; encode the document instead (DEFLATE).")
    told = request.headers.get("content-length", "")
    if told and (not told.isdecimal() or int(told[:20]) > limit):
        raise too_large
    read = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN):
            async for chunk in request.stream():
                read += chunk
                if len(read) > limit:
                    raise too_large
    except (TimeoutError, ClientDisconnect):
        raise Rejected(408, "The message did not arrive as a whole.") from None
    return bytes(read)


async def drain(request: Request, most: int) -> None:
    """Read and forget what is left of the body, at most `most` bytes: a sender that is cut off while it still
    writes may never see the answer."""
    left = most
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:20]) > most:
        return
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(DRAINED_WITHIN):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


def parts_of(body: bytes, boundary: bytes) -> dict[str, bytes]:
    """Both parts of a message by name (RFC 7578). Rejects with 400 what is not exactly those."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 3 or len(pieces) > _MOST_PARTS or not pieces[-1].startswith(b"--"):
        raise Rejected(400, "The multipart body is not complete.")
    found: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        name = _part_name(head)
        if not separator or len(head) > _LONGEST_HEADER or name in found:
            raise Rejected(400, "A part of the multipart body cannot be read, or stands there twice.")
        found[name] = content
    missing = [name for name in (PARAMETERS, PAYLOAD) if name not in found]
    if missing:
        raise Rejected(400, f"The message lacks the part {' and '.join(missing)}.")
    return found


def _part_name(head: bytes) -> str:
    for line in head.split(b"\r\n"):
        field, _, value = line.partition(b":")
        if field.strip().lower() == b"content-disposition":
            for attribute in value.split(b";")[1:]:
                named = _NAME.fullmatch(attribute.strip())
                if named:
                    return named[1].decode()
    return ""
