"""M3's answers, understood: v2 (HTTP 400 for a refusal) and v1 (HTTP 200 for a refusal), single and bulk.

Sources: the gateway's swagger (v2 schema), captured replies (v1), public clients (bulk by index, error
fields at top level or in ``results[0]``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, cast

import httpx

MIRecord = dict[str, str]
"""One output record: every value is text in M3's answers, trimmed on the right."""

_REQUEST_ID_HEADERS: Final = ("x-request-id", "x-infor-request-id", "x-correlation-id", "x-trace-id")


class UnreadableReplyError(Exception):
    """A body that is no MI answer; whether the work was done is unknown."""


@dataclass(frozen=True)
class Refusal:
    """Why M3 did not do one transaction, in M3's own fields."""

    code: str
    field: str
    message: str


@dataclass(frozen=True)
class Reply:
    """The answer to one transaction: records, or a refusal, or neither processed."""

    records: tuple[MIRecord, ...] = ()
    refusal: Refusal | None = None
    processed: bool = True


def request_id(response: httpx.Response) -> str:
    """The gateway's id of the call, empty where it gave none."""
    for name in _REQUEST_ID_HEADERS:
        value = response.headers.get(name)
        if value:
            return str(value)[:80]
    return ""


def parse_single(body: bytes) -> Reply:
    """One transaction's answer. Raises `UnreadableReplyError`."""
    document = _object(body)
    if "results" in document:
        results = _results(document)
        if not results:
            raise UnreadableReplyError("an answer without results")
        first = _v2_result(results[0])
        return first if first.refusal or not _text(document, "errorCode") else _v2_result(document)
    if "Message" in document:
        return Reply(refusal=_v1_refusal(document))
    if "MIRecord" in document:
        return _v1_reply(document)
    if _text(document, "errorCode") or _text(document, "errorMessage"):
        return _v2_result(document)
    raise UnreadableReplyError("an answer with neither results nor records nor an error")


def parse_bulk(body: bytes, expected: int) -> tuple[list[Reply], str]:
    """Answers by index, filled with "not processed" where M3 stopped, and the reason for stopping.

    Raises `UnreadableReplyError`.
    """
    document = _object(body)
    if "results" not in document:
        if _text(document, "errorCode"):
            refused = _v2_result(document)
            return [refused] * expected, ""
        raise UnreadableReplyError("a bulk answer without results")
    replies = [_v2_result(result) for result in _results(document)][:expected]
    missing = expected - len(replies)
    replies.extend(Reply(processed=False) for _ in range(missing))
    terminated = str(document.get("wasTerminated", "false")).lower() == "true"
    if not terminated and any(not reply.processed for reply in replies):
        terminated = True
    return replies, (_text(document, "terminationReason") or "no reason given") if terminated else ""


def _object(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise UnreadableReplyError("a body that is no JSON") from error
    if not isinstance(document, dict):
        raise UnreadableReplyError("a body that is no JSON object")
    return document


def _results(document: Mapping[str, object]) -> list[dict[str, object]]:
    results = document.get("results")
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise UnreadableReplyError("results that are no list of objects")
    return cast("list[dict[str, object]]", results)


def _v2_result(result: Mapping[str, object]) -> Reply:
    if str(result.get("notProcessed", "false")).lower() == "true":
        return Reply(processed=False)
    code, message = _text(result, "errorCode").strip(), _text(result, "errorMessage").strip()
    if code or message or _text(result, "errorType"):
        return Reply(refusal=Refusal(code, _text(result, "errorField").strip(), message))
    records = result.get("records")
    if records is None:
        return Reply()
    if not isinstance(records, list):
        raise UnreadableReplyError("records that are no list")
    return Reply(tuple(_record(record) for record in records if record))


def _record(record: object) -> MIRecord:
    if not isinstance(record, dict):
        raise UnreadableReplyError("a record that is no object")
    return {str(name): "" if value is None else str(value).rstrip() for name, value in record.items()}


def _v1_reply(document: Mapping[str, object]) -> Reply:
    cut_off = document.get("ErrorMessage")
    if isinstance(cut_off, dict):
        return Reply(refusal=_v1_refusal(cut_off))
    rows = document.get("MIRecord")
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        raise UnreadableReplyError("MIRecord that is no list")
    records = []
    for row in rows:
        pairs = row.get("NameValue", []) if isinstance(row, dict) else None
        if not isinstance(pairs, list):
            raise UnreadableReplyError("a MIRecord without NameValue")
        records.append({str(pair["Name"]): str(pair["Value"]).rstrip() for pair in pairs})
    return Reply(tuple(record for record in records if record))


def _v1_refusal(document: Mapping[str, object]) -> Refusal:
    return Refusal(
        _text(document, "@code").strip(),
        _text(document, "@field").strip(),
        _text(document, "Message").strip(),
    )


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    return "" if value is None else str(value)
