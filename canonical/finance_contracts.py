"""The words of the look for kinds of amounts that nobody has said how to book: names, requests, results, the alert."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY
from canonical.settlement.finance_reading import Sighting

FINANCE_LOOK: Final = "FinanceLook"
"""Workflow type: one look at a seller's transactions; its result is a `FinanceLooked`."""
BEGIN_FINANCE_LOOK: Final = "begin_finance_look"
READ_FINANCE_PAGE: Final = "read_finance_page"
END_FINANCE_LOOK: Final = "end_finance_look"
NOTE_FINANCE_TOLD: Final = "note_finance_told"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class FinanceInput(_Contract):
    """One look; the later fields are set where it goes on in a new run."""

    seller_id: str
    as_of: datetime | None = None
    page: "FinancePageRequest | None" = None
    sightings: tuple[Sighting, ...] = ()
    transactions: int = 0
    unread: int = 0


class BeginFinanceRequest(_Contract):
    """Where does a look begin that is made now?"""

    seller_id: str
    as_of: datetime


class FinancePageRequest(_Contract):
    """One page of transactions (listTransactions), posted from `since` on."""

    seller_id: str
    since: datetime
    token: str = ""


class EndFinanceRequest(_Contract):
    """Every page is read."""

    seller_id: str
    since: datetime
    until: datetime
    sightings: tuple[Sighting, ...]


class FinanceKinds(_Contract):
    """What is lacking after a look."""

    kinds: tuple[Sighting, ...] = ()
    """By kind, marketplace and currency."""
    untold: tuple[Sighting, ...] = ()


class FinanceToldRequest(_Contract):
    """People were told of these kinds (`Sighting.key`)."""

    seller_id: str
    keys: tuple[str, ...]
    now: datetime


class FinanceLooked(_Contract):
    """What one look found."""

    seller_id: str
    since: datetime
    until: datetime
    transactions: int = 0
    """Transactions that were read."""
    unread: int = 0
    """Those of them that could not be understood."""
    kinds: tuple[Sighting, ...] = ()
    """Everything that lacks something to be booked, found by this look or before."""
    told: int = 0
    """Kinds that people were told of now."""


def finance_look_id(seller_id: str) -> str:
    """The daily look's schedule, and the look that a person asks for; the ids of scheduled runs begin with it."""
    return f"o2c-finances-{seller_id}"


def unknown_kinds(seller_id: str, untold: Sequence[Sighting]) -> AlertMessage:
    """One message about all kinds of amounts that are new."""
    count = len({one.key for one in untold})
    kinds = "a kind of amount" if count == 1 else f"{count} kinds of amounts"
    end = (
        "Nothing is held by it. The next settlement with them may be held as settlement_unknown; it may name them "
        f"otherwise. All of them, and what to do: o2c settlement unknown --seller {seller_id}"
    )
    body = "\n".join(map(described, untold))
    if len(body) + len(end) + 1 > LONGEST_BODY:
        body = f"{body[: LONGEST_BODY - len(end) - 2]}…"
    return AlertMessage(
        title=f"Amazon booked {kinds} that nobody has said how to book (seller {seller_id})",
        body=f"{body}\n{end}",
        severity=Severity.WARNING,
    )


def described(one: Sighting) -> str:
    """A kind of amount in one line."""
    lacks = f"{one.category} has no account" if one.category else "no category is known"
    times = "transaction" if one.count == 1 else "transactions"
    place = f" in {one.marketplace}" if one.marketplace else ""
    return (
        f"{one}: {lacks}; {one.amount} {one.currency} in {one.count} {times}{place} since {one.first}, such as "
        f"{one.example or 'one without id'} ({one.description or 'not described'})."
    )
