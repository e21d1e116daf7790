"""A JSON_LISTINGS_FEED as Amazon takes it, and its processing report as Amazon writes it.

Both by Amazon's schemas of the feed and of the report (version 2.0).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from canonical.stock.sending import FeedContent, FeedRefusal

FEED_TYPE: Final = "JSON_LISTINGS_FEED"
CONTENT_TYPE: Final = "application/json; charset=UTF-8"
"""The upload must name exactly what the document was created for."""
LOCALE: Final = "en_US"
"""Issues are told in the language of everything else this service says."""
PRODUCT_TYPE: Final = "PRODUCT"
"""Stands for every product type where only offer data is sent."""
_VERSION: Final = "2.0"
_WORDS_LIMIT: Final = 300


def quantity_patch(quantity: int) -> dict[str, object]:
    """The patch that sets a quantity of the merchant's offer.

    `merge` leaves the handling time and the restock date as they are, which `replace` would delete (Amazon's changelog
    of 2025-06-16; amzn/selling-partner-api-models issue 4406).
    """
    return {
        "op": "merge",
        "path": "/attributes/fulfillment_availability",
        "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}],
    }


def feed_text(content: FeedContent) -> bytes:
    """The feed."""
    tree = {
        "header": {"sellerId": content.seller_id, "version": _VERSION, "issueLocale": LOCALE},
        "messages": [
            {
                "messageId": message.message_id,
                "sku": message.sku,
                "operationType": "PATCH",
                "productType": PRODUCT_TYPE,
                "patches": [quantity_patch(message.quantity)],
            }
            for message in content.messages
        ],
    }
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


class UnreadableReport(ValueError):  # noqa: N818 - said as it is
    """The report tells nothing of single messages; the text is a sentence that says why."""


@dataclass(frozen=True)
class _Issue:
    """What Amazon has against a message, or against the whole feed."""

    message_id: int | None
    sku: str
    code: str
    message: str


def read_report(text: bytes, feed_id: str, content: FeedContent) -> tuple[FeedRefusal, ...]:
    """What Amazon did not take, one refusal a message; all others it took.

    Raises UnreadableReport where that is not sure: the text is damaged, another feed's, or does not say which messages
    it is about.
    """
    subject = f"Amazon's report on feed {feed_id}"
    tree = _tree(text, subject)
    _be_of_this_feed(tree, feed_id, content, subject)
    if not isinstance(tree.get("issues"), list):
        raise UnreadableReport(f"{subject} has no list of issues.")
    skus = {message.message_id: message.sku for message in content.messages}
    refused: dict[int, FeedRefusal] = {}
    for issue in _errors(tree):
        if issue.message_id is None:
            said = f"{issue.code} {issue.message}".strip()
            raise UnreadableReport(f"{subject} complains of no message in particular: {said}")
        if skus.get(issue.message_id) != (issue.sku or skus.get(issue.message_id, "?")):
            raise UnreadableReport(
                f"{subject} names message {issue.message_id} with SKU {issue.sku or '(none)'}, which the feed does "
                "not have."
            )
        refusal = FeedRefusal(message_id=issue.message_id, code=issue.code, message=issue.message)
        refused.setdefault(issue.message_id, refusal)
    invalid = _count(tree, "messagesInvalid", subject)
    if invalid > len(refused):
        raise UnreadableReport(
            f"{subject} counts {invalid} invalid messages and names {len(refused)} of them."
        )
    return tuple(refused.values())


def reason_of(text: bytes) -> str:
    """What the document of a FATAL feed says, in one line: its first issue, or the text itself."""
    try:
        tree = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        tree = None
    issues = _errors(tree) if isinstance(tree, dict) else []
    if issues:
        return f"{issues[0].code} {issues[0].message}".strip()
    return " ".join(text.decode("utf-8", "replace").split())[:_WORDS_LIMIT]


def _tree(text: bytes, subject: str) -> dict[str, object]:
    try:
        tree = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableReport(f"{subject} is no JSON.") from None
    if not isinstance(tree, dict):
        raise UnreadableReport(f"{subject} is no JSON object.")
    return tree


def _be_of_this_feed(tree: Mapping[str, object], feed_id: str, content: FeedContent, subject: str) -> None:
    header = tree.get("header")
    named = str(header.get("feedId") or "") if isinstance(header, dict) else ""
    if named != feed_id:
        raise UnreadableReport(f"{subject} says that it is about feed {named or '(none)'}.")
    processed = _count(tree, "messagesProcessed", subject)
    if processed != len(content.messages):
        raise UnreadableReport(
            f"{subject} is about {processed} messages, and the feed has {len(content.messages)}."
        )


def _count(tree: Mapping[str, object], key: str, subject: str) -> int:
    summary = tree.get("summary")
    found = summary.get(key) if isinstance(summary, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise UnreadableReport(f"{subject} does not tell {key}.")
    return found


def _errors(tree: Mapping[str, object]) -> list[_Issue]:
    """The issues that stopped something; a message with warnings alone was taken."""
    issues = tree.get("issues")
    return [
        _Issue(
            message_id=number if isinstance(number := entry.get("messageId"), int) else None,
            sku=str(entry.get("sku") or ""),
            code=str(entry.get("code") or ""),
            message=" ".join(str(entry.get("message") or "").split())[:_WORDS_LIMIT],
        )
        for entry in (issues if isinstance(issues, list) else ())
        if isinstance(entry, dict) and entry.get("severity") == "ERROR"
    ]
