"""What the steps of a settlement share: its accounts, its division, and its vouchers as M3 shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from activities.archive import Archive
from activities.m3.client import TruncatedListError
from activities.m3.context import M3Context
from activities.m3.errors import MIError, MIErrorKind, NotYet, Pace
from activities.m3.options import SettlementOptions
from activities.m3.programs.ledger import Entry
from canonical.held import HeldReason, Hold, OrderHeld, held
from canonical.settlement.accounts import CLEARING, Account, AccountPlan
from canonical.settlement.models import ZERO
from canonical.settlement_contracts import SettlementRef

PATIENCE: Final = 6.0

_STOPPED: Final = timedelta(minutes=10)
"""A batch that takes no lines is being posted, or it never will be."""

Identity = tuple[str, tuple[str, ...]]
"""Account and its dimensions, as an `Entry` has them."""


@dataclass(frozen=True)
class SettlementContext:
    """The M3 company as settlements are posted in it."""

    m3: M3Context
    archive: Archive
    plan: AccountPlan
    patience: float = PATIENCE
    """Seconds to wait inside for M3 to post what was just handed over."""

    @property
    def options(self) -> SettlementOptions:
        """How settlements are posted. Raises `OrderHeld` (not_configured)."""
        found = self.m3.options.settlements
        if found is None or not self.plan.configured:
            raise held(
                HeldReason.NOT_CONFIGURED,
                "The configuration has no accounts for settlements (section settlement): nothing is posted.",
            )
        return found

    def division(self, marketplace_id: str) -> str:
        """DIVI of a settlement's vouchers. Raises `OrderHeld` (not_configured)."""
        profile = self.m3.profiles.get(marketplace_id)
        division = (profile.division if profile else "") or self.m3.options.division
        if not division:
            raise held(
                HeldReason.NOT_CONFIGURED,
                "No division is configured (m3.division) in which a settlement's vouchers could be read.",
            )
        return division

    def clearing(self, marketplace: str, home: str, currency: str) -> Account:
        """The clearing account of a marketplace. Raises `OrderHeld` (not_configured)."""
        account = self.plan.find(CLEARING, marketplace or home, currency)
        if account is None or account.is_placeholder:
            place = marketplace or home or "no marketplace"
            raise held(HeldReason.NOT_CONFIGURED, f"There is no clearing account for {currency} and {place}.")
        return account

    def clearings(self, marketplaces: Iterable[str], home: str, currency: str) -> frozenset[Identity]:
        """The clearing accounts of all these marketplaces, and of the settlement as a whole."""
        return frozenset(identity(self.clearing(each, home, currency)) for each in {"", *marketplaces})


def identity(account: Account) -> Identity:
    """Account and dimensions as an `Entry` has them."""
    values = [account.dimensions.get(f"AIT{position}", "") for position in range(2, 8)]
    while values and not values[-1]:
        values.pop()
    return account.account, tuple(values)


def balance_of(entries: Iterable[Entry], accounts: frozenset[Identity], currency: str) -> Decimal:
    """What the rows leave on these accounts, in `currency`."""
    mine = (each for each in entries if (each.account, each.dimensions) in accounts)
    return sum((each.amount for each in mine if each.currency == currency), ZERO)


def sums_of(entries: Iterable[Entry]) -> tuple[Decimal, Decimal]:
    """Debit and credit in the division's currency, neither negative."""
    local = [each.local for each in entries]
    debit = sum((each for each in local if each > 0), ZERO)
    return debit, -sum((each for each in local if each < 0), ZERO)


def refusal(error: MIError, ref: SettlementRef, about: str) -> OrderHeld:
    """The hold of a settlement whose batch M3 does not take."""
    reason = HeldReason.SETTLEMENT_REFUSED
    if error.kind is MIErrorKind.NOT_AUTHORISED:
        reason = HeldReason.M3_NOT_AUTHORISED
    return error.as_hold(reason, f"Settlement {ref.subject}, {about}")


def not_posted(ref: SettlementRef, about: str, error: MIError | None = None) -> NotYet:
    """M3 has the batch and has not posted it (yet)."""
    sentence = f"M3 has not posted {about} of settlement {ref.subject} yet."
    if error is None:
        return NotYet(sentence, pace=Pace.LATER)
    return NotYet(f"{sentence} {error.sentence}.", pace=Pace.LATER, patience=_STOPPED)


def too_long(ref: SettlementRef, error: TruncatedListError) -> OrderHeld:
    """The hold where M3 has more accounting rows than it lists."""
    sentence = f"Settlement {ref.subject}: {error}, so that its vouchers cannot be told from others."
    return OrderHeld(Hold(reason=HeldReason.SETTLEMENT_NOT_POSTED, sentence=sentence, system="M3"))
