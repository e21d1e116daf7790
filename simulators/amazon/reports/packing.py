"""A report as bytes: encoded as its marketplace does, perhaps compressed, with headers that may be wrong.

Facts: recorded downloads and real files (cp1252 with ``charset=Cp1252`` from Europe, UTF-8 without a charset
from the United Kingdom, cp932 from Japan); ``Content-Encoding: identity`` on compressed bodies; bodies said to
be GZIP that are plain (amzn/selling-partner-api-docs issue 3200). Inferred: which marketplace of Europe gets
which, UTF-8 for text that cp1252 cannot hold, and from which size on Amazon compresses.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from simulators import catalogue
from simulators.amazon.reports.frame import Row

Packing = Literal["auto", "plain", "gzip", "gzip_said", "gzip_unsaid"]
"""auto: by size. gzip_said: plain, though compressionAlgorithm says GZIP. gzip_unsaid: the contrary."""

COMPRESSED_FROM = 10_000


@dataclass(frozen=True)
class Charset:
    """codec: Python's name. told: the charset in the Content-Type; empty if none is told. kind: what else is told."""

    codec: str
    told: str
    kind: str = "text/plain"

    @property
    def content_type(self) -> str:
        """The Content-Type header."""
        return f"{self.kind}; charset={self.told}" if self.told else self.kind


UTF8 = Charset("utf-8", "UTF-8")
XML = Charset("utf-8", "UTF-8", "text/xml")
CP1252 = Charset("cp1252", "Cp1252")
SHIFT_JIS = Charset("cp932", "Shift_JIS")
CHARSETS: dict[str, Charset] = {
    "DE": CP1252,
    "FR": CP1252,
    "ES": CP1252,
    "IT": CP1252,
    "GB": Charset("utf-8", ""),
    "JP": SHIFT_JIS,
}
"""By country of the first marketplace named; UTF-8 elsewhere."""


@dataclass(frozen=True)
class Packed:
    """What is stored: the bytes, how the document's details describe them, and the headers they come with."""

    body: bytes
    content_type: str
    said_gzip: bool

    @property
    def is_gzip(self) -> bool:
        """Whether the bytes are compressed, whatever is said of them."""
        return self.body[:2] == b"\x1f\x8b"


def flat_file(columns: Iterable[str], rows: Iterable[Row]) -> str:
    """Tab-separated text with a header; no quoting, so values lose their tabs and line ends."""
    names = tuple(columns)
    lines = ["\t".join(names)]
    for row in rows:
        values = [row.get(name, "") for name in names]
        line = "\t".join(values)
        if line.count("\t") >= len(names) or "\n" in line or "\r" in line:
            line = "\t".join(_one_line(value) for value in values)
        lines.append(line)
    return "\n".join([*lines, ""])


def _one_line(text: str) -> str:
    return re.sub(r"[\t\r\n]+", " ", text)


def charset_of(marketplace_id: str) -> Charset:
    """How reports of this marketplace are encoded."""
    market = catalogue.MARKETPLACE_BY_ID.get(marketplace_id)
    return CHARSETS.get(market.country, UTF8) if market is not None else UTF8


def pack(text: str, charset: Charset, packing: Packing = "auto", content_type: str | None = None) -> Packed:
    """The document's bytes. content_type: a header to send instead of the honest one."""
    try:
        plain = text.encode(charset.codec)
    except UnicodeEncodeError:
        charset = UTF8
        plain = text.encode()
    if packing == "auto":
        packing = "gzip" if len(plain) >= COMPRESSED_FROM else "plain"
    body = gzip.compress(plain, mtime=0) if packing in ("gzip", "gzip_unsaid") else plain
    said = packing in ("gzip", "gzip_said")
    return Packed(body, charset.content_type if content_type is None else content_type, said)
