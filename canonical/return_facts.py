"""What is told about goods and money that go back: refunds, returned goods, reimbursements, replacements.

Facts come again and again, late, and in any order. Each has a key of its own; of two statements with one key
the one told later counts, so that it does not matter when, how often and in which order they are taken.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

FROM_FINANCES: Final = "finances"
"""listTransactions (Finances 2024-06-19): early, and up to 48 hours late."""
FROM_SETTLEMENT: Final = "settlement"
"""The settlement report: final. The same refund is told by both; see `return_cases`."""
FROM_FBA_REPORT: Final = "fba_returns_report"
FROM_MFN_REPORT: Final = "mfn_returns_report"
FROM_M3: Final = "m3"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)

    key: str
    at: datetime
    """When it happened, by the one who tells it."""
    told: datetime
    """When it was told: of two statements with one key the later one counts."""


class Refund(_Fact):
    """Money given back to the buyer, positive; negative where a refund was taken back.

    `key` is the transaction. A deferred transaction and the one that releases it are one and the same.
    """

    currency: str
    goods: Decimal
    """Item, shipping, gift wrap, promotions: without tax where Amazon tells the tax apart."""
    tax: Decimal = Decimal(0)
    withheld: Decimal = Decimal(0)
    """Tax that Amazon had kept and takes back itself; it takes away from what M3 has to credit."""
    pieces: int | None = None
    """How many pieces it is for; None where that is not told."""
    source: str = FROM_FINANCES
    unknown: tuple[str, ...] = ()
    """Kinds of amount nobody here knows. They are in none of the sums, and a person has to look."""

    @property
    def creditable(self) -> Decimal:
        """What M3's invoice has to be credited for, tax included: the tax Amazon kept never was in it."""
        return self.goods + self.tax + self.withheld


class Returned(_Fact):
    """Goods that came back, at Amazon (`key`: license plate number) or in an own warehouse (M3's return line)."""

    pieces: int
    disposition: str = ""
    """Amazon's detailed-disposition, such as SELLABLE or CUSTOMER_DAMAGED; an open list."""
    reason: str = ""
    status: str = ""
    source: str = FROM_FBA_REPORT


class Announced(_Fact):
    """The buyer sends goods back to the merchant (MFN); `key` is Amazon's RMA id."""

    pieces: int
    status: str = ""
    reason: str = ""


class Reimbursed(_Fact):
    """Amazon replaces what it lost or damaged, in money, in pieces, or both; it may come in instalments.

    A reversal is a reimbursement below zero: what counts is the sign, never the name.
    """

    currency: str = ""
    amount: Decimal = Decimal(0)
    cash_pieces: int = 0
    inventory_pieces: int = 0
    reason: str = ""
    claim: str = ""
    """Amazon's case id."""

    @property
    def pieces(self) -> int:
        return self.cash_pieces + self.inventory_pieces


class Replaced(_Fact):
    """Another order sends the same goods again, free of charge; `key` is that order's id."""

    pieces: int


class SentAnyway(_Fact):
    """Goods of an own warehouse that left although the order was cancelled: nobody pays for them, nothing is refunded,
    and M3's invoice is credited at its own price when they are back. `key` is the M3 order."""

    pieces: int


F = TypeVar("F", bound=_Fact)


class CaseFacts(BaseModel):
    """Everything told about one item of an order, by key."""

    model_config = ConfigDict(frozen=True)

    refunds: dict[str, Refund] = Field(default_factory=dict)
    returned: dict[str, Returned] = Field(default_factory=dict)
    announced: dict[str, Announced] = Field(default_factory=dict)
    reimbursed: dict[str, Reimbursed] = Field(default_factory=dict)
    replaced: dict[str, Replaced] = Field(default_factory=dict)
    sent_anyway: dict[str, SentAnyway] = Field(default_factory=dict)

    @classmethod
    def of(cls, *facts: _Fact) -> "CaseFacts":
        """A collection of single facts."""
        return cls(
            refunds=_by_key(fact for fact in facts if isinstance(fact, Refund)),
            returned=_by_key(fact for fact in facts if isinstance(fact, Returned)),
            announced=_by_key(fact for fact in facts if isinstance(fact, Announced)),
            reimbursed=_by_key(fact for fact in facts if isinstance(fact, Reimbursed)),
            replaced=_by_key(fact for fact in facts if isinstance(fact, Replaced)),
            sent_anyway=_by_key(fact for fact in facts if isinstance(fact, SentAnyway)),
        )

    def plus(self, news: "CaseFacts") -> "CaseFacts":
        """Both, each fact once. It does not matter which one is added to which, or how often."""
        return CaseFacts(
            refunds=_merged(self.refunds, news.refunds),
            returned=_merged(self.returned, news.returned),
            announced=_merged(self.announced, news.announced),
            reimbursed=_merged(self.reimbursed, news.reimbursed),
            replaced=_merged(self.replaced, news.replaced),
            sent_anyway=_merged(self.sent_anyway, news.sent_anyway),
        )

    def knows(self, news: "CaseFacts") -> bool:
        """Whether `news` tells nothing new; that it was told again later is nothing."""
        return self.plus(news).content == self.content

    @property
    def content(self) -> str:
        """All of it but when it was told, as text: equal texts tell the same."""
        untold = {part: {"__all__": {"told"}} for part in CaseFacts.model_fields}
        return self.model_dump_json(exclude=untold)

    @property
    def all(self) -> tuple[_Fact, ...]:
        """Every fact."""
        parts: tuple[Mapping[str, _Fact], ...] = (
            self.refunds, self.returned, self.announced, self.reimbursed, self.replaced, self.sent_anyway,
        )  # fmt: skip
        return tuple(fact for part in parts for fact in part.values())

    @property
    def since(self) -> datetime | None:
        """When the first of it happened; None where nothing did."""
        return min((fact.at for fact in self.all), default=None)


def _by_key(facts: Iterable[F]) -> dict[str, F]:
    found: dict[str, F] = {}
    for fact in facts:
        found = _merged(found, {fact.key: fact})
    return found


def _merged(known: Mapping[str, F], news: Mapping[str, F]) -> dict[str, F]:
    merged = dict(known)
    for key, fact in news.items():
        before = merged.get(key)
        merged[key] = fact if before is None else max(before, fact, key=_weight)
    return dict(sorted(merged.items()))


def _weight(fact: _Fact) -> tuple[datetime, str]:
    """A total order over all statements of one key, so that merging never depends on the order."""
    return fact.told, fact.model_dump_json()
