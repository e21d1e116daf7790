"""A JSON_LISTINGS_FEED as Amazon reads it: which messages it takes, and the report it writes about the others.

Forms by Amazon's schemas of the feed and its processing report (version 2.0); amzn/selling-partner-api-docs issue 2201
(what is no feed) and amzn/selling-partner-api-models issue 4554 (a message that is none). Inferred: the codes and words
about the header, the number of messages and a message id used twice, and that such a feed is FATAL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from simulators.amazon.stock.availability import PatchError, of_attributes, of_patches
from simulators.amazon.stock.records import Issue, Wanted
from simulators.amazon.stock.rules import Refusal
from simulators.amazon.wire import JsonObject

MOST_MESSAGES = 25_000
VERSION = "2.0"
_KEYS: dict[str, frozenset[str]] = {
    "PATCH": frozenset({"productType", "patches"}),
    "PARTIAL_UPDATE": frozenset({"productType", "attributes"}),
    "UPDATE": frozenset({"productType", "attributes"}),
    "DELETE": frozenset(),
}
_OPTIONAL = {"UPDATE": frozenset({"requirements"})}
_BASE = frozenset({"messageId", "sku", "operationType"})


@dataclass
class Reading:
    """What a feed comes to. fatal: none of it is done. accepted: SKU and changes; withheld: accepted, never live."""

    fatal: bool = False
    processed: int = 0
    invalid: int = 0
    issues: list[JsonObject] = field(default_factory=list)
    accepted: list[tuple[str, list[Wanted]]] = field(default_factory=list)
    withheld: list[tuple[str, Issue]] = field(default_factory=list)

    def summary(self) -> dict[str, int]:
        """The summary of the processing report."""
        return {
            "errors": sum(issue["severity"] == "ERROR" for issue in self.issues),
            "warnings": sum(issue["severity"] == "WARNING" for issue in self.issues),
            "messagesProcessed": self.processed,
            "messagesAccepted": self.processed - self.invalid,
            "messagesInvalid": self.invalid,
        }

    def report(self, seller_id: str, feed_id: str) -> bytes:
        """The processing report."""
        header = {"sellerId": seller_id, "version": VERSION, "feedId": feed_id}
        tree = {"header": header, "issues": self.issues, "summary": self.summary()}
        return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


def read(body: bytes, seller_id: str, refused: Callable[[str], Refusal | None]) -> Reading:
    """Read a feed. refused: asks for each SKU whether its change is to be refused."""
    try:
        tree = json.loads(body)
    except ValueError:
        tree = None
    if not isinstance(tree, dict) or not isinstance(tree.get("messages"), list) or not tree["messages"]:
        return _fatal("4002001", "Item 'Feed' cannot be parsed.")
    header = tree.get("header")
    if not isinstance(header, dict) or header.get("version") != VERSION:
        return _fatal("4002002", f"The header of the feed is invalid. The version must be '{VERSION}'.")
    if header.get("sellerId") != seller_id:
        return _fatal("4002003", "The sellerId of the header is not the selling partner of the feed.")
    if len(tree["messages"]) > MOST_MESSAGES:
        return _fatal("4002004", f"The feed has more than {MOST_MESSAGES} messages.")
    return _messages(tree["messages"], refused)


def _messages(messages: list[Any], refused: Callable[[str], Refusal | None]) -> Reading:
    reading = Reading(processed=len(messages))
    seen: set[int] = set()
    for message in messages:
        number = message.get("messageId") if isinstance(message, dict) else None
        sku = message.get("sku") if isinstance(message, dict) else None
        if not isinstance(number, int) or not isinstance(sku, str) or not sku or number < 1:
            reading.issues.append(_bad(None, None))
        elif number in seen:
            issue = Issue(code="4002005", message=f"The messageId '{number}' is not unique.", attributes=[])
            reading.issues += _lines(number, sku, [issue])
        elif _one(reading, message, number, sku, refused):
            seen.add(number)
            continue
        reading.invalid += 1
        if isinstance(number, int):
            seen.add(number)
    return reading


def _one(
    reading: Reading, message: JsonObject, number: int, sku: str, refused: Callable[[str], Refusal | None]
) -> bool:
    """Take one message; False if it is not accepted."""
    operation = message.get("operationType")
    needed = _KEYS.get(str(operation))
    if needed is None or not needed <= message.keys():
        reading.issues.append(_bad(number, sku))
        return False
    if message.keys() - _BASE - needed - _OPTIONAL.get(str(operation), frozenset()):
        reading.issues.append(_bad(number, sku))
        return False
    try:
        wanted, issues = _content(message)
    except PatchError:
        reading.issues.append(_bad(number, sku))
        return False
    if issues:
        reading.issues += _lines(number, sku, issues)
        return False
    rule = refused(sku)
    if rule is None:
        reading.accepted.append((sku, wanted))
    elif rule.late:
        reading.withheld.append((sku, rule.issue))
    else:
        reading.issues += _lines(number, sku, [rule.issue])
        return rule.issue.severity != "ERROR"
    return True


def _content(message: JsonObject) -> tuple[list[Wanted], list[Issue]]:
    """Its changes and complaints. What is deleted shows no pieces any more; inferred: that it stays listed."""
    if message["operationType"] == "DELETE":
        return [Wanted(remove=True)], []
    if message["operationType"] == "PATCH":
        return of_patches(message["patches"])
    return of_attributes(message["attributes"])


def _lines(number: int, sku: str, issues: list[Issue]) -> Iterator[JsonObject]:
    for issue in issues:
        line: JsonObject = {
            "messageId": number,
            "sku": sku,
            "code": issue.code,
            "severity": issue.severity,
            "message": issue.message,
        }
        if issue.attributes:
            line["attributeName"] = issue.attributes[0]
        yield line


def _bad(number: int | None, sku: str | None) -> JsonObject:
    about = {"messageId": number, "sku": sku}
    told = {name: value for name, value in about.items() if value is not None}
    return {
        **told,
        "code": "BAD_REQUEST",
        "severity": "ERROR",
        "message": "Invalid parameters provided.",
    }


def _fatal(code: str, message: str) -> Reading:
    return Reading(fatal=True, issues=[{"code": code, "severity": "ERROR", "message": message}])
