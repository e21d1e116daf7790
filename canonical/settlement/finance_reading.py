"""What Amazon's transactions (Finances 2024-06-19) say of kinds of amounts that nobody has said how to book.

Read as `canonical.finance_transactions` reads refunds: leaves alone, items before the transaction that repeats them, a
transaction that releases a deferred one not again. No order, buyer or article is taken over; the example is Amazon's
own id of a transaction.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from canonical.finance_wire import (
    DEFERRED_TRANSACTION_ID,
    Breakdown,
    Currency,
    FinanceWire,
    MarketplaceDetails,
    Related,
)
from canonical.money import currency_decimals
from canonical.settlement.finance_map import GROUPS, ORDERS, PARTS, TAX, WRAPPERS
from canonical.settlement.finance_names import FinanceNames, plain
from canonical.settlement.models import ZERO, Missing

_LONGEST: Final = 80
"""Characters of a name of Amazon's that are kept."""
_ENOUGH: Final = 400
"""Sightings that one look carries; more would be a change of Amazon's whole vocabulary."""


class _Item(FinanceWire):
    breakdowns: tuple[Breakdown, ...] | None = None


class _Transaction(FinanceWire):
    transaction_type: str
    transaction_id: str | None = None
    description: str | None = None
    posted_date: AwareDatetime
    total_amount: Currency | None = None
    related_identifiers: tuple[Related, ...] | None = None
    marketplace_details: MarketplaceDetails | None = None
    items: tuple[_Item, ...] | None = None
    breakdowns: tuple[Breakdown, ...] | None = None


class Sighting(BaseModel):
    """Transactions with an amount that lacks something to be booked, of one marketplace and currency."""

    model_config = ConfigDict(frozen=True)

    transaction_type: str
    breakdown_type: str
    """Its name; the transaction's description where Amazon breaks nothing down."""
    missing: Missing
    """What it lacks: its category, or its category's account."""
    category: str = ""
    marketplace: str = ""
    """Amazon's name ("Amazon.de"); empty where it tells none."""
    currency: str
    first: date
    last: date
    """Days in UTC on which Amazon posted the first and the last of them."""
    count: int
    amount: Decimal
    """Positive where Amazon owes it."""
    example: str = ""
    """Amazon's id of one transaction."""
    description: str = ""
    """How Amazon describes that transaction."""

    @property
    def key(self) -> str:
        """By which people are told once."""
        return f"{plain(self.transaction_type)} / {plain(self.breakdown_type)} / {self.missing}"

    def __str__(self) -> str:
        return f"{self.transaction_type} / {self.breakdown_type}"


class FinancePage(BaseModel):
    """What one page of transactions tells."""

    model_config = ConfigDict(frozen=True)

    sightings: tuple[Sighting, ...] = ()
    """By day, marketplace and currency."""
    transactions: int = 0
    unread: int = 0
    """Transactions that could not be read."""
    next_token: str = ""


class Named(NamedTuple):
    """An amount and its name."""

    name: str
    amount: Decimal
    currency: str


def read_page(
    transactions: Iterable[Mapping[str, object]], names: FinanceNames, next_token: str = ""
) -> FinancePage:
    """What is lacking among Amazon's transactions."""
    found: list[Sighting] = []
    count = unread = 0
    for payload in transactions:
        count += 1
        try:
            transaction = _Transaction.model_validate(payload)
        except ValidationError:
            unread += 1
            continue
        if not _releases(transaction):
            found += _seen(transaction, names)
    return FinancePage(sightings=joined(found), transactions=count, unread=unread, next_token=next_token)


def joined(sightings: Iterable[Sighting], *, by_day: bool = True) -> tuple[Sighting, ...]:
    """Those of the same kind, marketplace and currency as one, by day or over all days; the first `_ENOUGH`."""
    groups: dict[tuple[str, str, str, date], Sighting] = {}
    for each in sightings:
        key = each.key, each.marketplace, each.currency, each.first if by_day else date.min
        known = groups.get(key)
        groups[key] = each if known is None else _both(known, each)
    return tuple(one for _, one in sorted(groups.items())[:_ENOUGH])


def _both(one: Sighting, other: Sighting) -> Sighting:
    return one.model_copy(
        update={
            "first": min(one.first, other.first),
            "last": max(one.last, other.last),
            "count": one.count + other.count,
            "amount": one.amount + other.amount,
        }
    )


def _releases(transaction: _Transaction) -> bool:
    """Whether it only releases a deferred transaction, which was read when it was posted."""
    return any(
        each.related_identifier_name == DEFERRED_TRANSACTION_ID
        for each in transaction.related_identifiers or ()
    )


def _seen(transaction: _Transaction, names: FinanceNames) -> Iterator[Sighting]:
    details = transaction.marketplace_details
    marketplace = (details.marketplace_name if details else None) or ""
    day = transaction.posted_date.astimezone(UTC).date()
    sums: dict[tuple[str, str], Decimal] = {}
    for name, amount, currency in _amounts(transaction):
        sums[name, currency] = sums.get((name, currency), ZERO) + amount
    for (name, currency), amount in sums.items():
        lacking = names.lacking(transaction.transaction_type, name, marketplace, currency)
        if lacking is not None:
            yield Sighting(
                transaction_type=transaction.transaction_type[:_LONGEST],
                breakdown_type=name[:_LONGEST],
                missing=lacking.missing,
                category=lacking.category,
                marketplace=marketplace[:_LONGEST],
                currency=currency,
                first=day,
                last=day,
                count=1,
                amount=amount + Decimal(0).scaleb(-currency_decimals(currency)),  # 4.0 is 4.00 EUR
                example=(transaction.transaction_id or "")[:_LONGEST],
                description=(transaction.description or "")[:_LONGEST],
            )


def _amounts(transaction: _Transaction) -> Iterator[Named]:
    """Every amount with its name. What the transaction alone has, beside its items, is not passed over."""
    described = "" if plain(transaction.transaction_type) in ORDERS else transaction.description or ""
    of_items = [node for item in transaction.items or () for node in item.breakdowns or ()]
    found = list(_named(of_items, described))
    groups = {plain(node.breakdown_type or "") for node in of_items}
    own = [
        node
        for node in _unwrapped(transaction.breakdowns or ())
        if plain(node.breakdown_type or "") not in groups
    ]
    found += _named(own, described)
    total = transaction.total_amount
    if found or total is None or not total.currency_amount:
        yield from found
    else:
        name = transaction.description or transaction.transaction_type
        yield Named(name, total.currency_amount, total.currency_code or "")


def _unwrapped(nodes: Iterable[Breakdown]) -> Iterator[Breakdown]:
    for node in nodes:
        if plain(node.breakdown_type or "") in WRAPPERS:
            yield from _unwrapped(node.breakdowns or ())
        else:
            yield node


def _named(nodes: Iterable[Breakdown], described: str, above: tuple[str, ...] = ()) -> Iterator[Named]:
    for node in nodes:
        path = (*above, node.breakdown_type or "")
        if node.breakdowns:
            yield from _named(node.breakdowns, described, path)
        elif node.breakdown_amount is not None and node.breakdown_amount.currency_amount:
            money = node.breakdown_amount
            yield Named(_name(path, described), money.currency_amount or ZERO, money.currency_code or "")


def _name(path: tuple[str, ...], described: str) -> str:
    """The name that says what the amount is: `Commission` of AmazonFees / Commission / Base. A part directly below a
    group says nothing, and what Amazon calls the transaction has to; tax is tax."""
    part = plain(path[-1])
    if part not in PARTS:
        return path[-1]
    if len(path) > 1 and plain(path[-2]) not in GROUPS:
        return path[-2]
    return path[-1] if part == TAX else described or path[-1]
