"""What a return case is made of: its order, what M3 has of it, what a person accepted, and how it stands."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.order import Channel

_ZERO: Final = Decimal(0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseItem(_Part):
    """An order item of the SKU."""

    order_item_id: str
    quantity: int
    shipped: int
    paid: Decimal | None = None
    """What M3 invoices for it, tax included; None where Amazon does not tell (any more)."""


class CaseOrder(_Part):
    """What a case has to know of its order. One item as a rule; an order may have the same SKU twice, and
    Amazon's reports do not say which of the two came back."""

    channel: Channel
    marketplace_id: str
    currency: str
    items: tuple[CaseItem, ...]
    net_prices: bool = False
    """M3's order type expects prices without tax, and puts its own on top."""

    @property
    def shipped(self) -> int:
        return sum(item.shipped for item in self.items)

    @property
    def paid(self) -> Decimal:
        """0 where it is not known."""
        if any(item.paid is None for item in self.items):
            return _ZERO
        return sum((item.paid or _ZERO for item in self.items), _ZERO)


class Credit(_Part):
    """A credit invoice in M3, as a positive amount with VAT."""

    ivno: str
    year: str
    amount: Decimal


class Movement(_Part):
    """A customer return in M3 (OIS390) for some pieces of the case."""

    number: int
    repn: str
    reli: str
    whlo: str
    pieces: int
    disposition: str = ""
    received: int = 0
    amount: Decimal | None = None
    """What it is to be credited with; None leaves it to M3's own price, 0 is never credited."""
    credits: tuple[Credit, ...] = ()
    """M3 credits every receipt for itself: goods that come back in parts have several."""
    credited: int = 0
    """Pieces that `credits` stand for."""
    unpaid: bool = False
    """Of goods that were sent although they were cancelled: no refund stands against its credit."""

    @property
    def awaits_credit(self) -> bool:
        return self.received > self.credited and self.amount != _ZERO

    @property
    def credited_amount(self) -> Decimal:
        return sum((credit.amount for credit in self.credits), _ZERO)

    def with_credits(self, credits_: tuple[Credit, ...], pieces: int) -> "Movement":
        """With further credits; all of them together stand for `pieces`."""
        return self.model_copy(update={"credits": (*self.credits, *credits_), "credited": pieces})


class Booked(_Part):
    """What M3 has of a case."""

    movements: tuple[Movement, ...] = ()
    by_hand: tuple[Credit, ...] = ()
    """Credits a person made and named."""

    @property
    def credits(self) -> tuple[Credit, ...]:
        return (*(credit for move in self.movements for credit in move.credits), *self.by_hand)

    @property
    def credited(self) -> Decimal:
        """What refunds are compared with."""
        unpaid = sum((move.credited_amount for move in self.movements if move.unpaid), _ZERO)
        return sum((credit.amount for credit in self.credits), _ZERO) - unpaid

    @property
    def pieces(self) -> int:
        return sum(move.pieces for move in self.movements)

    @property
    def unpaid_pieces(self) -> int:
        return sum(move.pieces for move in self.movements if move.unpaid)


class Accepted(_Part):
    """What a person has accepted as it is; something new is not covered by it."""

    odd: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    difference: Decimal | None = None


class CaseRules(_Part):
    """The configuration a case goes by."""

    flag_after: timedelta = timedelta(days=45)
    """How long something may be missing."""
    tolerance: Decimal = Decimal("0.00")
    """Largest difference between refund and credit that is none, in the order's currency."""


class Next(StrEnum):
    """What is to be done."""

    BOOK = "book"
    """M3 gets a customer return for `pieces`."""
    CREDIT = "credit"
    """M3 is to credit the return `movement`."""
    ODD = "odd"
    OVERDUE = "overdue"
    DIFFERS = "differs"
    WAIT = "wait"
    DONE = "done"


class Standing(_Part):
    """How a case stands."""

    next: Next
    sentence: str
    """In the operator's words, without personal data."""
    states: tuple[str, ...] = ()
    """refunded, returned with dispositions, replaced, reimbursed."""
    missing: tuple[str, ...] = ()
    """What is still to come."""
    odd: tuple[str, ...] = ()
    due: datetime | None = None
    """When what is missing counts as overdue."""
    pieces: int = 0
    disposition: str = ""
    amount: Decimal | None = None
    movement: int = 0
    unpaid: bool = False
    difference: Decimal = _ZERO
