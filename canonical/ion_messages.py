"""ION's messages around a BOD: their parameters, their ids, their encodings.

Parameter names are those of ION's messaging service (messageId, documentName, fromLogicalId, toLogicalId,
encoding, characterSet, documentId, variationId, accountingEntity ...).
"""

import base64
import binascii
import contextlib
import hashlib
import json
import re
import zlib
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from canonical.bod_xml import BodProblem

CROPPED_AT: Final = 128
"""Characters of a sender's own message id that ION keeps."""
_EXTENDED: Final = re.compile(r"(.*):-ION-:[0-9a-fA-F-]{32,36}", re.DOTALL)
_ENCODINGS: Final = ("NONE", "BASE64", "DEFLATE")


class TooLarge(Exception):  # noqa: N818 - said as a sentence to the sender
    """The payload grows beyond the limit when it is unpacked."""


class MessageParameters(BaseModel):
    """The part ParameterRequest."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    message_id: str = Field(alias="messageId", min_length=1, max_length=250)
    """ION's documented length is 250."""
    document_name: str = Field(alias="documentName", min_length=3, max_length=250)
    from_logical_id: str = Field(default="", alias="fromLogicalId", max_length=250)
    encoding: str = "NONE"
    character_set: str = Field(default="UTF-8", alias="characterSet", max_length=40)
    variation: int | None = Field(default=None, alias="variationId", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _as_sent(cls, given: object) -> object:
        """Encoding and character set may stand in `document`, as in v2; an empty value is none."""
        if not isinstance(given, dict):
            return given
        document = given.get("document")
        inner = (
            {key: document.get(key) for key in ("encoding", "characterSet")}
            if isinstance(document, dict)
            else {}
        )
        return {key: value for key, value in {**inner, **given}.items() if value not in (None, "")}

    @property
    def source_id(self) -> str:
        """What the sender called the message; see `source_id`."""
        return source_id(self.message_id)


def read_parameters(part: bytes) -> MessageParameters:
    """The part ParameterRequest. Raises `BodProblem`."""
    try:
        given = MessageParameters.model_validate(json.loads(part))
    except ValidationError as error:
        places = ", ".join(".".join(str(place) for place in each["loc"]) for each in error.errors()[:5])
        raise BodProblem(f"The part ParameterRequest is not complete or not valid: {places}.") from None
    except (ValueError, RecursionError):
        raise BodProblem("The part ParameterRequest is no JSON.") from None
    if given.encoding.upper() not in _ENCODINGS:
        raise BodProblem(f"The encoding is none of {', '.join(_ENCODINGS)}.")
    return given


def source_id(message_id: str) -> str:
    """The sender's own part of a message id, which stays the same when ION sends the message again.

    ION appends ``:-ION-:`` and a UUID of its own; the flag is not reserved, so the last one counts. An id without
    it is ION's own UUID and stands for itself.
    """
    found = _EXTENDED.fullmatch(message_id)
    return found[1] if found and found[1] else message_id


def key_of(source: str, digest: str) -> str:
    """What a message is known by: its source id; with the digest where ION may have cropped it, since two long
    ids may begin alike."""
    return f"{source}/{digest}" if len(source) >= CROPPED_AT else source


def digest_of(payload: bytes) -> str:
    """A short fingerprint of a payload: the same message sent again has the same."""
    return hashlib.sha256(payload).hexdigest()[:32]


def unpacked(payload: bytes, parameters: MessageParameters, limit: int) -> bytes | str:
    """The document: as bytes in the encoding its XML declares, or as text where ION names another character set.

    Raises `BodProblem`, and `TooLarge` beyond `limit` bytes.
    """
    encoding = parameters.encoding.upper()
    plain = payload
    if encoding == "BASE64":
        plain = _from_base64(payload)
    elif encoding == "DEFLATE":
        plain = _inflated(payload, limit)
    if len(plain) > limit:
        raise TooLarge
    if parameters.character_set.upper() in ("UTF-8", "UTF8"):
        return plain
    try:
        return plain.decode(parameters.character_set)
    except (LookupError, UnicodeDecodeError):
        raise BodProblem(f"The document is not in the character set {parameters.character_set!r}.") from None


def _from_base64(payload: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(payload.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BodProblem("The document is not in base64, as its encoding says.") from None


def _inflated(payload: bytes, limit: int) -> bytes:
    """zlib, gzip or raw deflate, as bytes or in base64; never more than `limit` is unpacked."""
    with contextlib.suppress(binascii.Error, ValueError):  # otherwise it was sent as bytes
        payload = base64.b64decode(b"".join(payload.split()), validate=True)
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        unpacker = zlib.decompressobj(window)
        try:
            plain = unpacker.decompress(payload, limit + 1)
        except zlib.error:
            continue
        if len(plain) > limit:
            raise TooLarge
        if unpacker.eof:
            return plain
    raise BodProblem("The document is not deflated, as its encoding says.")
