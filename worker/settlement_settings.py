"""The configuration of settlements: accounts, additions to the map of amounts, the time zone of the books."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, field_validator

from canonical.settlement.accounts import AccountPlan, Accounts, Override, known_names
from canonical.settlement.categories import CategoryMap, MapEntry
from canonical.settlement.default_map import default_entries
from canonical.settlement.finance_names import FinanceEntry, FinanceNames
from worker.posting_settings import PostingSettings


class SettlementSettings(BaseModel):
    """How Amazon's settlements are booked: docs/settlements.md. `o2c settlement categories` lists the categories and
    groups that have accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: str = "UTC"
    """Time zone of the books: in it a month ends. Such as ``Europe/Berlin``."""
    accounts: Accounts = {}
    """By category, group of categories, `clearing`, `carried_forward` or `receivable`: an account as text, or a table
    with its dimensions. Without any, `o2c settlement preview` shows placeholders, and nothing is posted."""
    overrides: tuple[Override, ...] = ()
    """Accounts of single marketplaces and currencies; the closest wins."""
    map: tuple[MapEntry, ...] = ()
    """Combinations the default map does not know, or knows otherwise."""
    finances: tuple[FinanceEntry, ...] = ()
    """Names of Amazon's Finances API that the daily look for new kinds of amounts does not know, or knows otherwise."""
    posting: PostingSettings = PostingSettings()
    """How settlements are posted in M3."""

    @field_validator("accounts", mode="before")
    @classmethod
    def _names(cls, accounts: object) -> object:
        return known_names(accounts)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name} is no time zone; write it as Europe/Berlin") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def plan(self) -> AccountPlan:
        return AccountPlan(self.accounts, self.overrides)

    @property
    def book(self) -> CategoryMap:
        """The default map with the additions."""
        return CategoryMap((*default_entries(), *self.map))

    @property
    def finance_names(self) -> FinanceNames:
        """The known names of the Finances API with the additions."""
        return FinanceNames(self.book, self.plan, self.finances)

    def with_additions(self, more: "SettlementSettings") -> "SettlementSettings":
        """These settings with those of another file: its map and accounts win, and its time zone if it names one."""
        changed: dict[str, object] = {
            "accounts": {**self.accounts, **more.accounts},
            "overrides": (*more.overrides, *self.overrides),
            "map": (*self.map, *more.map),
            "finances": (*self.finances, *more.finances),
        }
        if "time_zone" in more.model_fields_set:
            changed["time_zone"] = more.time_zone
        return self.model_copy(update=changed)
