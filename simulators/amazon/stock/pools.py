"""FBA pools: how many pieces Amazon has of a SKU, what happens to them, and the ledger of it.

Facts: Amazon's help page on the inventory ledger (which code takes pieces from which disposition, and that E is always
followed by P). Inferred: the spelling of the dispositions in the file, and that what customers and the seller send in
or out has no code.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from simulators.amazon.stock.records import Entry, Pool, Record
from simulators.amazon.stock.shelf import StockShelf

Reason = Literal[
    "lost",
    "found",
    "damaged",
    "disposed",
    "donated",
    "customer_damaged",
    "defective",
    "expired",
    "corrected",
    "transferred_in",
    "received",
    "returned",
    "removed",
]
_UNSELLABLE: dict[Reason, str] = {
    "damaged": "WAREHOUSE_DAMAGED",
    "customer_damaged": "CUSTOMER_DAMAGED",
    "defective": "DEFECTIVE",
    "expired": "EXPIRED",
}
_SINGLE: dict[Reason, tuple[int, str]] = {
    "lost": (-1, "M"),
    "found": (1, "F"),
    "disposed": (-1, "D"),
    "donated": (-1, "G"),
    "corrected": (-1, "O"),
    "transferred_in": (1, "N"),
}
SELLABLE = "SELLABLE"


class Adjustment(Record):
    """Body of ``POST /_control/stock/adjust``: so many pieces, for this reason, in the pool of this marketplace.

    disposition: of the pieces lost, found, disposed of, returned, ...; reference: the ledger's own number if left out.
    ago: seconds since it happened.
    """

    seller: str
    sku: str
    marketplace: str
    reason: Reason
    quantity: int = Field(ge=1)
    disposition: str = SELLABLE
    reference: str = ""
    ago: float = Field(default=0.0, ge=0)


class AdjustmentError(ValueError):
    """The pool has not so many pieces of this kind."""


class Pools:
    """All FBA stock of one simulator run."""

    def __init__(self, shelf: StockShelf) -> None:
        self._shelf = shelf
        self._pools = {(one.seller_id, one.name, one.sku): one for one in shelf.pools()}
        self.ledger = shelf.ledger()

    def find(self, seller_id: str, name: str, sku: str) -> Pool | None:
        """A pool of this seller."""
        return self._pools.get((seller_id, name, sku))

    def of(self, seller_id: str, name: str) -> list[Pool]:
        """Everything the seller has in one pool, by SKU."""
        found = (one for one in self._pools.values() if (one.seller_id, one.name) == (seller_id, name))
        return sorted(found, key=lambda one: one.sku)

    def all(self) -> list[Pool]:
        """Every pool there is."""
        return [self._pools[key] for key in sorted(self._pools)]

    def put(self, pools: Iterable[Pool]) -> None:
        """Have these pools exactly so; the ledger does not tell it."""
        kept = list(pools)
        with self._shelf.together():
            self._shelf.keep_pools(kept)
        self._pools |= {(one.seller_id, one.name, one.sku): one for one in kept}

    def adjust(self, pool: Pool, given: Adjustment, at_ms: int) -> list[Entry]:
        """Let something happen to pieces; the lines of the ledger that tell it, or AdjustmentError."""
        lines = [
            Entry(
                seller_id=pool.seller_id,
                pool=pool.name,
                sku=pool.sku,
                at_ms=at_ms,
                event=event,
                quantity=quantity,
                disposition=disposition,
                reason=code,
                reference=given.reference,
            )
            for event, quantity, disposition, code in _moves(given)
        ]
        for line in lines:
            if _pieces(pool, line.disposition) + line.quantity < 0:
                here = f"{_pieces(pool, line.disposition)} {line.disposition} pieces of {pool.sku}"
                raise AdjustmentError(f"Pool {pool.name} has {here}.")
        for line in lines:
            _add(pool, line.disposition, line.quantity)
        pool.updated_ms = max(pool.updated_ms, at_ms)
        self.write([pool], lines)
        return lines

    def write(self, pools: Iterable[Pool], lines: list[Entry]) -> None:
        """Write pools down as they are now, and lines of the ledger that number themselves."""
        for line in lines:
            line.number = len(self.ledger) + 1
            line.reference = line.reference or f"{21_000_000 + line.number}"
            self.ledger.append(line)
        self._shelf.keep_pools(pools)
        self._shelf.keep_entries(lines)


def _moves(
    given: Adjustment,
) -> list[
    tuple[Literal["Adjustments", "Shipments", "Receipts", "CustomerReturns", "VendorReturns"], int, str, str]
]:
    units = given.quantity
    if given.reason in _UNSELLABLE:
        code = "E" if given.reason == "damaged" else "Q"
        return [
            ("Adjustments", -units, SELLABLE, code),
            ("Adjustments", units, _UNSELLABLE[given.reason], "P"),
        ]
    if given.reason in _SINGLE:
        sign, code = _SINGLE[given.reason]
        return [("Adjustments", sign * units, given.disposition, code)]
    if given.reason == "received":
        return [("Receipts", units, given.disposition, "")]
    if given.reason == "returned":
        return [("CustomerReturns", units, given.disposition, "")]
    return [("VendorReturns", -units, given.disposition, "")]


def _pieces(pool: Pool, disposition: str) -> int:
    return pool.fulfillable if disposition == SELLABLE else pool.unfulfillable.get(disposition, 0)


def _add(pool: Pool, disposition: str, units: int) -> None:
    if disposition == SELLABLE:
        pool.fulfillable += units
    else:
        pool.unfulfillable[disposition] = pool.unfulfillable.get(disposition, 0) + units
