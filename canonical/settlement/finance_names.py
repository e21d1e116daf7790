"""Whether a name of the Finances API is known, and what a settlement will be lacking where it is not.

Nothing is held by it: a settlement has names of its own. A name that is unknown here says that Amazon books something
new, days before the settlement brings it.
"""

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from canonical.settlement.accounts import AccountPlan
from canonical.settlement.categories import CATEGORIES, CategoryMap
from canonical.settlement.finance_map import ORDERS, PLACES, known_names
from canonical.settlement.models import Missing

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class FinanceEntry(BaseModel):
    """A name of the Finances API and its category. `*` at the end of a text stands for any ending, `*` alone for any
    text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transaction_type: _Text
    """`transactionType`, such as ``ServiceFee``."""
    breakdown_type: _Text
    """`breakdownType`, such as ``FBAStorageFee``."""
    category: str
    """Its category, such as ``fee_other``."""

    @field_validator("category")
    @classmethod
    def _known(cls, category: str) -> str:
        if category not in CATEGORIES:
            raise ValueError(f"{category} is no category; 'o2c settlement categories' lists them")
        return category


class Lacking(NamedTuple):
    """What an amount lacks to be booked, as far as its name tells."""

    missing: Missing
    category: str
    """Empty where the category is what is missing."""


_Name = tuple[str, str]
_PLACES: Final = {name.casefold(): places for name, places in PLACES.items()}


class FinanceNames:
    """The known names with those of the configuration, which win; whole texts win over `*`.

    book: the settlement's map, in which fees and withheld tax have the same names. Letter case and blanks do not
    matter: Amazon's model writes `Product Charges`, its answers `ProductCharges`.
    """

    def __init__(self, book: CategoryMap, plan: AccountPlan, added: Iterable[FinanceEntry] = ()) -> None:
        self._book = book
        self._plan = plan
        self._exact: dict[_Name, str] = {}
        self._open: list[tuple[_Name, str]] = []
        for one in known_names():
            self._take((one.transaction_type, one.breakdown_type), one.category)
        for entry in added:
            self._take((entry.transaction_type, entry.breakdown_type), entry.category)

    def _take(self, name: _Name, category: str) -> None:
        key = plain(name[0]), plain(name[1])
        if any(text.endswith("*") for text in key):
            self._open.insert(0, (key, category))
        else:
            self._exact[key] = category

    def category(self, transaction_type: str, name: str) -> str | None:
        """The category; empty where the name is known and says none, None where it is unknown."""
        key = plain(transaction_type), plain(name)
        found = self._exact.get(key)
        if found is None:
            found = next((category for pattern, category in self._open if _fits(pattern, key)), None)
        return self._of_settlement(key[0], name) if found is None else found

    def _of_settlement(self, transaction_type: str, name: str) -> str | None:
        for first, second in _PLACES.get(transaction_type, ()):
            category = self._book.category((first, second, name))
            if category is not None:
                return category.name
        return None

    def lacking(self, transaction_type: str, name: str, marketplace: str, currency: str) -> Lacking | None:
        """What a settlement with such an amount would be held for; None where nothing is known to be missing."""
        category = self.category(transaction_type, name)
        if category is None:
            return Lacking(Missing.CATEGORY, "")
        if not category:
            return None
        if CATEGORIES[category].kind is not None and plain(transaction_type) in ORDERS:
            return None
        if self._plan.find(category, marketplace, currency) is None:
            return Lacking(Missing.ACCOUNT, category)
        return None


def plain(text: str) -> str:
    """The text without blanks, in small letters."""
    return "".join(text.split()).casefold()


def _fits(pattern: _Name, key: _Name) -> bool:
    return all(
        text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted
        for wanted, text in zip(pattern, key, strict=True)
    )
