"""M3's answers in every form that was seen or described, and what their codes mean."""

import pytest

from activities.m3.errors import MIErrorKind, kind_of
from activities.m3.replies import UnreadableReplyError, parse_bulk, parse_single


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("XRE0103", MIErrorKind.NOT_FOUND),
        ("XRE0104", MIErrorKind.ALREADY_EXISTS),
        ("WMS3804", MIErrorKind.ALREADY_EXISTS),
        ("XUP0001", MIErrorKind.LOCKED),
        ("XDE0001", MIErrorKind.LOCKED),
        ("XAD0001", MIErrorKind.LOCKED),
        ("XO_1130", MIErrorKind.LOCKED),
        ("XAU0008", MIErrorKind.NOT_AUTHORISED),
        ("WCU0203", MIErrorKind.BUSINESS),
        ("CPF9898", MIErrorKind.BUSINESS),
    ],
)
def test_codes_decide(code: str, kind: MIErrorKind) -> None:
    assert kind_of(code) is kind


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", b"[]", b"{}", b'{"results": []}', b'{"results": 7}', b'{"MIRecord": "x"}'],
)
def test_what_is_no_answer_is_called_so(body: bytes) -> None:
    with pytest.raises(UnreadableReplyError):
        parse_single(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[{"transaction":"AddAlias","records":[]}]}',
        b'{"results":[{"transaction":"AddAlias","records":[{}]}]}',
        b'{"results":[{"transaction":"AddAlias"}],"wasTerminated":"false"}',
        b'{"Program":"P","Transaction":"T","Metadata":{"Field":[]},"MIRecord":[{"NameValue":[],"RowIndex":0}]}',
    ],
)
def test_a_write_that_answers_nothing_has_succeeded(body: bytes) -> None:
    reply = parse_single(body)
    assert (reply.refusal, reply.records) == (None, ())


@pytest.mark.parametrize(
    "body",
    [
        b'{"errorMessage":"No","errorCode":"WIT0103","errorField":"ITNO","errorType":"ServerReturnedNOK"}',
        b'{"results":[{"errorMessage":"No","errorCode":"WIT0103","errorField":"ITNO"}]}',
        b'{"results":[{"records":[]}],"errorMessage":"No","errorCode":"WIT0103","errorField":"ITNO"}',
        b'{"@type":"ServerReturnedNOK","@code":"WIT0103","@cfg":"  ","@field":"ITNO","Message":"No"}',
        b'{"MIRecord":[],"ErrorMessage":{"@code":"WIT0103","@field":"ITNO","Message":"No"}}',
    ],
)
def test_a_refusal_is_understood_in_every_place(body: bytes) -> None:
    reply = parse_single(body)
    assert reply.refusal is not None
    assert (reply.refusal.code, reply.refusal.field, reply.refusal.message) == ("WIT0103", "ITNO", "No")


def test_a_bulk_answer_shorter_than_the_question_is_a_stop() -> None:
    replies, stopped = parse_bulk(b'{"results":[{"transaction":"A","records":[]}]}', 2)
    assert [reply.processed for reply in replies] == [True, False]
    assert stopped
