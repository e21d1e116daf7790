"""Refunds in Amazon's transactions (Finances 2024-06-19, model `Transaction`), each counted once.

Four ways to count twice, and what is done here:
- A breakdown repeats the sum of its children: leaves alone are added.
- The transaction repeats the breakdowns of its items: where it has items, they alone are read.
- A deferred transaction stays as DEFERRED_RELEASED when it is released, beside a second one: both carry the key of
  the deferred one (DEFERRED_TRANSACTION_ID), and one key is one refund.
- The settlement tells the same money: see `canonical.return_cases.counted_refunds`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import AwareDatetime, ValidationError

from canonical.finance_wire import DEFERRED_TRANSACTION_ID, Breakdown, Currency, FinanceWire, Related
from canonical.return_facts import CaseFacts, Refund

_REFUNDS: Final = ("refund", "chargeback", "guarantee", "a-to-z")
"""Words in transactionType by which money goes back to a buyer. Amazon names `Shipment` alone, and calls
chargebacks Refund too (amzn/selling-partner-api-models issue 4268)."""
_FEES: Final = ("amazonfees", "fbafees", "commission", "expenses", "fees")
_WITHHELD: Final = ("marketplacefacilitator", "withheld", "lowvaluegoods")
_GOODS: Final = (
    "productcharges", "principal", "shipping", "giftwrap", "promotion", "goodwill", "restocking", "discount",
    "returnshipping", "codcharge",
)  # fmt: skip


class _Context(FinanceWire):
    context_type: str = ""
    sku: str | None = None
    quantity_shipped: int | None = None


class _Item(FinanceWire):
    total_amount: Currency | None = None
    breakdowns: tuple[Breakdown, ...] | None = None
    contexts: tuple[_Context, ...] | None = None


class _Transaction(FinanceWire):
    transaction_type: str = ""
    transaction_id: str | None = None
    transaction_status: str | None = None
    posted_date: AwareDatetime | None = None
    total_amount: Currency | None = None
    related_identifiers: tuple[Related, ...] | None = None
    items: tuple[_Item, ...] | None = None
    breakdowns: tuple[Breakdown, ...] | None = None

    def related(self, name: str) -> str:
        for each in self.related_identifiers or ():
            if each.related_identifier_name == name and each.related_identifier_value:
                return each.related_identifier_value
        return ""


class TransactionRefund(NamedTuple):
    """A refund of one SKU of one order; the SKU is empty where Amazon tells none."""

    order_id: str
    sku: str
    facts: CaseFacts


class UnreadableTransaction(ValueError):  # noqa: N818 - Amazon's answer is at fault
    """A refund that cannot be read. The text names what is wrong and no value."""


def refunds_of(payload: Mapping[str, object], told: datetime) -> tuple[TransactionRefund, ...]:
    """The refunds in one transaction; empty where it is none.

    Raises UnreadableTransaction where it is a refund that cannot be read: it must not be passed over in silence.
    """
    if not _is_refund(payload):
        return ()
    try:
        transaction = _Transaction.model_validate(payload)
    except ValidationError as error:
        places = ", ".join(".".join(str(part) for part in each["loc"]) for each in error.errors()[:3])
        raise UnreadableTransaction(f"A refund of Amazon's cannot be read ({places}).") from None
    order_id, key = transaction.related("ORDER_ID"), _key(transaction)
    if not order_id or not key or transaction.posted_date is None:
        lacking = "order" if not order_id else "transaction id" if not key else "date"
        raise UnreadableTransaction(f"A refund of Amazon's names no {lacking}.")
    parts = list(_parts(transaction))
    return tuple(
        TransactionRefund(order_id, sku, CaseFacts.of(_refund(key, sku, group, transaction, told)))
        for sku, group in _by_sku(parts).items()
    )


class _Part(NamedTuple):
    sku: str
    pieces: int | None
    breakdowns: tuple[Breakdown, ...]
    total: Currency | None


def _is_refund(payload: Mapping[str, object]) -> bool:
    return pays_back(str(payload.get("transactionType") or ""))


def pays_back(transaction_type: str) -> bool:
    """Whether money goes back to a buyer by a transaction of this type."""
    kind = transaction_type.casefold()
    return any(word in kind for word in _REFUNDS)


def _key(transaction: _Transaction) -> str:
    """The deferred transaction's id for it and for the one that releases it; REFUND_ID only where no id is told."""
    own = transaction.transaction_id or transaction.related("REFUND_ID")
    return transaction.related(DEFERRED_TRANSACTION_ID) or own


def _parts(transaction: _Transaction) -> Iterator[_Part]:
    if not transaction.items:
        yield _Part("", None, transaction.breakdowns or (), transaction.total_amount)
    for item in transaction.items or ():
        product = next((one for one in item.contexts or () if one.sku), None)
        sku, pieces = (product.sku or "", product.quantity_shipped) if product else ("", None)
        yield _Part(sku, pieces or None, item.breakdowns or (), item.total_amount)


def _by_sku(parts: Iterable[_Part]) -> dict[str, list[_Part]]:
    found: dict[str, list[_Part]] = {}
    for part in parts:
        found.setdefault(part.sku, []).append(part)
    return found


def _refund(key: str, sku: str, parts: list[_Part], transaction: _Transaction, told: datetime) -> Refund:
    sums = {"goods": Decimal(0), "tax": Decimal(0), "withheld": Decimal(0)}
    unknown: set[str] = set()
    for part in parts:
        for path, amount in _leaves(part.breakdowns, ()):
            kind = kind_of(path)
            if kind in sums:
                sums[kind] -= amount
            elif kind == "unknown" and amount:
                unknown.add("/".join(path)[:60])
        if not part.breakdowns and part.total and part.total.currency_amount:
            unknown.add("an amount without breakdown")
    pieces = [part.pieces for part in parts]
    currency = next((part.total.currency_code for part in parts if part.total), None)
    if currency is None and transaction.total_amount is not None:
        currency = transaction.total_amount.currency_code
    return Refund(
        key=f"{key}/{sku}",
        at=transaction.posted_date or told,
        told=told,
        currency=currency or "",
        pieces=None if None in pieces else sum(count or 0 for count in pieces),
        unknown=tuple(sorted(unknown)),
        **sums,
    )


def _leaves(
    breakdowns: Iterable[Breakdown], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Decimal]]:
    """Path and amount of every node without children; the nodes above repeat their sums."""
    for node in breakdowns:
        path = (*above, node.breakdown_type or "")
        if node.breakdowns:
            yield from _leaves(node.breakdowns, path)
        elif node.breakdown_amount is not None and node.breakdown_amount.currency_amount is not None:
            yield path, node.breakdown_amount.currency_amount


def kind_of(path: tuple[str, ...]) -> str:
    """What a leaf is: goods, tax, withheld (tax Amazon had kept), fees (no matter of the buyer's), or unknown."""
    names = [name.casefold() for name in path]
    whole = " ".join(names)
    if any(word in whole for word in _WITHHELD):
        return "withheld"
    if "restocking" not in whole and any(word in name for name in names for word in _FEES):
        return "fees"
    if names and (names[-1].endswith("tax") or names[0] == "tax"):
        return "tax"
    return "goods" if any(word in whole for word in _GOODS) else "unknown"
