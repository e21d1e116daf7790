"""ION's messages: ids that stay the same when it sends again, encodings that cannot blow up, memory of documents."""

import base64
import gzip
import zlib

import pytest

from canonical.bod_xml import BodProblem
from canonical.ids import m3_document_workflow_id
from canonical.ion_messages import (
    CROPPED_AT,
    MessageParameters,
    TooLarge,
    key_of,
    read_parameters,
    source_id,
    unpacked,
)
from canonical.m3_document_contracts import MOST_REMEMBERED, DocumentMemory, DocumentNews, Verdict

UUID = "9436bbea68a54aad941eb532a5dbf5b0"
OTHER = "7f78383cd163478683f25c1c1410dcf8"


@pytest.mark.parametrize(
    ("message_id", "source"),
    [
        (f"SourceIdFromApplication1234:-ION-:{UUID}", "SourceIdFromApplication1234"),
        (f"SourceIdFromApplication1234:-ION-:{OTHER}", "SourceIdFromApplication1234"),
        (f"a:-ION-:b:-ION-:{UUID}", "a:-ION-:b"),
        (f"a:-ION-:{UUID}:-ION-:{OTHER}", f"a:-ION-:{UUID}"),
        (UUID, UUID),
        ("a:-ION-:not-a-uuid", "a:-ION-:not-a-uuid"),
        (f":-ION-:{UUID}", f":-ION-:{UUID}"),
    ],
)
def test_the_source_part_is_what_stands_before_the_last_flag(message_id: str, source: str) -> None:
    assert source_id(message_id) == source


def test_ids_that_may_have_been_cropped_are_told_apart_by_their_content() -> None:
    assert key_of("short", "d1") == key_of("short", "d2")
    assert key_of("x" * CROPPED_AT, "d1") != key_of("x" * CROPPED_AT, "d2")


def parameters(**given: object) -> MessageParameters:
    return MessageParameters.model_validate({"messageId": "m", "documentName": "Sync.Shipment", **given})


@pytest.mark.parametrize(
    ("encoding", "payload"),
    [
        ("NONE", b"<a/>"),
        ("BASE64", base64.encodebytes(b"<a/>")),
        ("DEFLATE", zlib.compress(b"<a/>")),
        ("DEFLATE", gzip.compress(b"<a/>", mtime=0)),
        ("DEFLATE", zlib.compress(b"<a/>")[2:-4]),
        ("DEFLATE", base64.b64encode(zlib.compress(b"<a/>"))),
        ("deflate", zlib.compress(b"<a/>")),
    ],
)
def test_a_document_is_unpacked_as_its_encoding_says(encoding: str, payload: bytes) -> None:
    assert unpacked(payload, parameters(encoding=encoding), 1000) == b"<a/>"


def test_a_document_in_another_character_set_is_text() -> None:
    assert unpacked("<ä/>".encode("utf-16"), parameters(characterSet="UTF-16"), 1000) == "<ä/>"


@pytest.mark.parametrize("encoding", ["BASE64", "DEFLATE"])
def test_a_document_that_is_not_what_its_encoding_says_is_refused(encoding: str) -> None:
    with pytest.raises(BodProblem):
        unpacked(b"<a/>", parameters(encoding=encoding), 1000)


def test_a_deflate_bomb_is_never_unpacked_whole() -> None:
    bomb = zlib.compress(b"0" * 50_000_000, 9)
    assert len(bomb) < 60_000
    with pytest.raises(TooLarge):
        unpacked(bomb, parameters(encoding="DEFLATE"), 1_000_000)


@pytest.mark.parametrize(
    "part",
    [b"", b"[]", b"{}", b"no json", b'{"messageId": "", "documentName": "Sync.Shipment"}', b"[" * 100_000,
     b'{"messageId": "m", "documentName": "Sync.Shipment", "encoding": "ROT13"}',
     b'{"messageId": "m", "documentName": "Sync.Shipment", "variationId": "soon"}'],
    ids=lambda part: part[:30].decode(),
)  # fmt: skip
def test_parameters_that_cannot_be_used_are_refused(part: bytes) -> None:
    with pytest.raises(BodProblem):
        read_parameters(part)


def test_parameters_may_name_encoding_and_variation_as_v2_does() -> None:
    given = read_parameters(
        b'{"messageId": "m", "documentName": "Sync.Shipment", "variationId": "7", "batchId": "b",'
        b' "document": {"encoding": "DEFLATE", "characterSet": "UTF-16"}}'
    )
    assert (given.encoding, given.character_set, given.variation) == ("DEFLATE", "UTF-16", 7)


# --- what is remembered of a document ------------------------------------------------------------


def news(key: str, variation: int | None = None, digest: str = "d") -> DocumentNews:
    return DocumentNews(
        key=key, digest=digest, name="Sync.Shipment", document_id="30000001", variation=variation
    )


def test_a_document_remembers_its_messages_and_its_highest_variation() -> None:
    memory = DocumentMemory().with_news(news("a", 2))
    assert memory.verdict(news("a", 2)) is Verdict.DUPLICATE
    assert memory.verdict(news("a", 3, "other")) is Verdict.CONFLICT
    assert memory.verdict(news("b", 1)) is Verdict.OLDER
    assert memory.verdict(news("b", 2)) is Verdict.NEW
    assert memory.verdict(news("b")) is Verdict.NEW
    assert memory.with_news(news("b", 1)).highest == 2
    assert memory.with_news(news("b")).verdict(news("c", 1)) is Verdict.OLDER


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    memory = DocumentMemory()
    for number in range(MOST_REMEMBERED + 5):
        memory = memory.with_news(news(str(number), number))
    assert len(memory.seen) == MOST_REMEMBERED
    assert memory.verdict(news("0", 10_000)) is Verdict.NEW
    assert memory.verdict(news(str(MOST_REMEMBERED), 10_000)) is Verdict.DUPLICATE


def test_a_documents_workflow_id_is_plain_and_bounded() -> None:
    assert (
        m3_document_workflow_id("Sync.Shipment", "100_AAA", "30000001") == "m3-Sync.Shipment-100_AAA-30000001"
    )
    odd = m3_document_workflow_id("Sync.Shipment", "100_", "a b/../" * 20)
    assert odd.startswith("m3-Sync.Shipment-")
    assert len(odd) < 120
    assert odd != m3_document_workflow_id("Sync.Shipment", "100_", "a b/../" * 21)
