"""A report's document from Amazon's store: downloaded, unpacked, and whole, or not at all.

The store's headers lie: a gzip body comes as `identity` or as JSON, and what is said to be gzip may be plain
text. So the content is looked at. The address is presigned and lives five minutes.
"""

import zlib
from email.message import Message
from pathlib import Path
from typing import BinaryIO, Final

import httpx

_GZIP: Final = b"\x1f\x8b"
_ANY_GZIP: Final = 31
"""zlib's window bits for gzip with its checksum."""
_BLOCK: Final = 256 * 1024
_TIMEOUT: Final = httpx.Timeout(connect=10.0, read=60.0, write=10.0, pool=30.0)


class DocumentExpired(Exception):  # noqa: N818 - said as it is
    """The address is no longer good; Amazon gives a new one."""


class DocumentIncomplete(Exception):  # noqa: N818 - said as it is
    """What came is not the whole document, or nothing came; the text says what, without the address."""


async def download(http: httpx.AsyncClient, url: str, file: Path) -> str:
    """Copy what is at the address into `file` as it comes; the charset its Content-Type names, or nothing.

    Raises DocumentExpired, DocumentIncomplete.
    """
    try:
        # No token of ours: the address itself is the permission.
        async with http.stream(
            "GET", url, headers={"accept-encoding": "identity"}, timeout=_TIMEOUT, follow_redirects=False
        ) as answer:
            if answer.status_code == 403:
                raise DocumentExpired
            if answer.status_code != 200:
                raise DocumentIncomplete(f"Amazon's store answered {answer.status_code}")
            with file.open("wb") as to:
                async for block in answer.aiter_raw(_BLOCK):
                    to.write(block)
            return _charset(answer.headers.get("content-type", ""))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # `from None`: the exception keeps the request, and the request carries the presigned address.
        raise DocumentIncomplete(type(error).__name__) from None


def unpack(packed: Path, plain: Path) -> None:
    """Write the document's text to `plain`, unpacked where it is gzip, whatever was said of it.

    Raises DocumentIncomplete where a gzip file is cut off or damaged: half a report is none.
    """
    with packed.open("rb") as source, plain.open("wb") as to:
        if source.read(2) != _GZIP:
            source.seek(0)
            while block := source.read(_BLOCK):
                to.write(block)
            return
        source.seek(0)
        _inflate(source, to)


def _inflate(source: BinaryIO, to: BinaryIO) -> None:
    """All members of a gzip file, a bounded piece at a time."""
    member = zlib.decompressobj(_ANY_GZIP)
    try:
        while block := source.read(_BLOCK):
            while block:
                if member.eof:  # another member follows, or padding
                    block = block.lstrip(b"\0")
                    if not block:
                        break
                    member = zlib.decompressobj(_ANY_GZIP)
                to.write(member.decompress(block, _BLOCK))
                block = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error:
        raise DocumentIncomplete("the gzip file is damaged") from None
    if not member.eof:
        raise DocumentIncomplete("the gzip file is cut off")


def _charset(content_type: str) -> str:
    header = Message()
    header["content-type"] = content_type
    return str(header.get_content_charset("") or "")
