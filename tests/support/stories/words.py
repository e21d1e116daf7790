"""What happens in a story, in words that the table has room for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AMAZON, M3, HERE = "Amazon", "M3", "here"
EVENTS = {
    "ship": "Amazon ships",
    "cancel": "cancels",
    "release": "releases the order",
    "request_cancel": "the buyer asks to cancel",
    "change_quantity": "changes to",
}
"""What happens to an order at Amazon, by the kind of event in its simulator."""


@dataclass(frozen=True)
class Happening:
    """One thing that happened, and where."""

    where: str
    what: str


def pieces(lines: Mapping[int, int] | None) -> str:
    """Pieces by line in words."""
    if not lines:
        return "everything"
    return ", ".join(f"{count} of line {line}" for line, count in sorted(lines.items()))


def in_words(body: Mapping[str, Any]) -> str:
    """The order that a buyer placed."""
    items = body["orderItems"]
    what = ", ".join(f"{item['quantityOrdered']} {item['product']['sellerSku']}" for item in items)
    by = "MFN" if body["fulfillment"]["fulfilledBy"] == "MERCHANT" else "FBA"
    return f"{by} order of {what}, {body['fulfillment']['fulfillmentStatus']}"
