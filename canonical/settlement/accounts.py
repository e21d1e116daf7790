"""Where a category is booked: M3 account and dimensions, by configuration, with overrides by marketplace and
currency. Without a configuration every account is a placeholder, named `<category>`, that no ledger has."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from canonical.marketplaces import MARKETPLACES
from canonical.settlement.categories import CATEGORIES, GROUPS

CLEARING: Final = "clearing"
RECEIVABLE: Final = "receivable"
CARRIED_FORWARD: Final = "carried_forward"
ON_ACCOUNT: Final = "on_account"
OWN: Final[Mapping[str, str]] = {
    CLEARING: "Amazon clearing",
    RECEIVABLE: "Customer payments",
    CARRIED_FORWARD: "Carried to next month",
    ON_ACCOUNT: "Payments without invoice",
}
"""Accounts that are no category's, with what their lines say."""

_Value = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]{1,10}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Account(_Part):
    """An M3 account with its dimensions."""

    account: _Value
    """AIT1."""
    ait2: _Value | None = None
    """Second accounting dimension."""
    ait3: _Value | None = None
    """Third accounting dimension."""
    ait4: _Value | None = None
    """Fourth accounting dimension."""
    ait5: _Value | None = None
    """Fifth accounting dimension."""
    ait6: _Value | None = None
    """Sixth accounting dimension."""
    ait7: _Value | None = None
    """Seventh accounting dimension."""

    @property
    def dimensions(self) -> dict[str, str]:
        given = self.model_dump(exclude={"account"}, exclude_none=True)
        return {name.upper(): value for name, value in given.items()}

    @property
    def is_placeholder(self) -> bool:
        return self.account.startswith("<")


Accounts = dict[str, Account]
"""By category, group of categories, or one of `OWN`."""


def known_names(accounts: object) -> object:
    """Refuses names that are neither category nor group; takes a bare text as an account without dimensions."""
    if not isinstance(accounts, Mapping):
        return accounts
    for name in accounts:
        if name not in CATEGORIES and name not in GROUPS and name not in OWN:
            raise ValueError(
                f"{name} is no category, group of categories or one of {', '.join(OWN)}; "
                "'o2c settlement categories' lists them"
            )
    return {name: {"account": one} if isinstance(one, str) else one for name, one in accounts.items()}


class Override(_Part):
    """Accounts of one marketplace, one currency, or one marketplace in one currency."""

    marketplace: str | None = None
    """Marketplace id; none means all."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    """ISO 4217; none means all."""
    accounts: Accounts = Field(default_factory=dict)
    """As in the section itself; what is not named here is taken from there."""

    @field_validator("accounts", mode="before")
    @classmethod
    def _names(cls, accounts: object) -> object:
        return known_names(accounts)

    @field_validator("marketplace")
    @classmethod
    def _marketplace(cls, marketplace: str | None) -> str | None:
        if marketplace is not None and marketplace not in MARKETPLACES:
            raise ValueError(f"{marketplace} is no Amazon marketplace id")
        return marketplace

    def rank(self, marketplace: str, currency: str) -> int:
        """How closely it fits; 0 where it does not."""
        name = MARKETPLACES[self.marketplace].name if self.marketplace else None
        if name not in (None, marketplace) or self.currency not in (None, currency):
            return 0
        return (2 if name else 0) + (1 if self.currency else 0)


class AccountPlan:
    """The accounts in force. The place closest to marketplace and currency wins, in it the category before its
    group."""

    def __init__(self, accounts: Accounts | None = None, overrides: tuple[Override, ...] = ()) -> None:
        self._accounts = accounts or {}
        self._overrides = overrides

    @property
    def configured(self) -> bool:
        """Whether there are accounts at all; without them all are placeholders, good to look at only."""
        return bool(self._accounts or self._overrides)

    def find(self, name: str, marketplace: str, currency: str) -> Account | None:
        """The account of a category (or of `clearing` ...), None where the configuration has none.

        `marketplace` is Amazon's name for it, empty where there is none.
        """
        if not self.configured:
            return placeholder(name)
        ranked = [(one.rank(marketplace, currency), one.accounts) for one in self._overrides]
        ranked.sort(key=lambda each: -each[0])
        group = CATEGORIES[name].group if name in CATEGORIES else name
        for accounts in (*(accounts for rank, accounts in ranked if rank), self._accounts):
            found = accounts.get(name) or accounts.get(group)
            if found is not None:
                return found
        return placeholder(name) if name == RECEIVABLE else None

    def account(self, name: str, marketplace: str, currency: str) -> Account:
        """The account, a placeholder where there is none."""
        return self.find(name, marketplace, currency) or placeholder(name)


def placeholder(name: str) -> Account:
    """An account that no ledger has: its name says what belongs there."""
    return Account.model_construct(None, account=f"<{name}>")
