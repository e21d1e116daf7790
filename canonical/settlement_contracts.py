"""The words of settlements between workflows, activities and starters: names, requests, results.

Nothing here grows with the length of a settlement: its rows stay in the archived report, what its orders pay in the
archive beside it.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.order_contracts import Repair
from canonical.settlement.matching import MatchStatus, OrderMatch
from canonical.settlement.models import ZERO, Booking, Check, Voucher, VoucherKind
from canonical.settlement_reports import ArchivedReport
from canonical.steps import Step

SETTLEMENT: Final = "Settlement"
"""Workflow type: one settlement, from its report to M3's vouchers."""

REPORT_CAME: Final = "report_came"
"""Signal: another report of the same settlement (`ArchivedReport`)."""

SUMMARISE_SETTLEMENT: Final = "summarise_settlement"
MATCH_SETTLEMENT: Final = "match_settlement"
POST_SETTLEMENT_PAYMENTS: Final = "post_settlement_payments"
POST_SETTLEMENT_VOUCHER: Final = "post_settlement_voucher"
POST_ON_ACCOUNT: Final = "post_on_account"
VERIFY_SETTLEMENT: Final = "verify_settlement"
VERIFY_SETTLEMENT_VOUCHER: Final = "verify_settlement_voucher"

STALE: Final = "settlement_stale"
"""ApplicationError type, not retried: what is open in M3 is no longer what was matched."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class SettlementInput(_Contract):
    """What starts a settlement."""

    seller_id: str
    subject: str
    """Its settlement id; ``report-`` and the report's id where none could be read."""
    report: ArchivedReport


class SettlementRef(_Contract):
    """Which settlement a call is about, and where its files are in the archive."""

    seller_id: str
    subject: str

    @property
    def folder(self) -> str:
        return f"settlements/{self.seller_id}/{self.subject}"


class SummariseRequest(_Contract):
    ref: SettlementRef
    report: ArchivedReport


class Summarised(_Contract):
    """A settlement that could be read, as it will be booked."""

    booking: Booking
    marketplace_id: str = ""
    """Its home, for M3's division; empty where there are several or none."""


class MatchRequest(_Contract):
    """Look up what the settlement's customer payments pay in M3."""

    ref: SettlementRef
    report: ArchivedReport
    currency: str
    marketplace_id: str = ""
    home: str = ""
    number: int
    """1 for the first look; the next ones are about what the one before left over."""
    before: str = ""
    """Folder of the matches that this one takes up; empty for the settlement's own payments."""
    posted: int = 0
    """Lines of these that are posted; what the others were to pay is looked up anew."""

    @property
    def folder(self) -> str:
        return f"{self.ref.folder}/matches/{self.number:02d}"


class Matched(_Contract):
    """What was found, in figures; order by order it is in the archive."""

    folder: str
    number: int
    before: str = ""
    """Folder of the matches that it takes up; empty where it looked at all of the settlement's payments."""
    before_lines: int = 0
    """Lines of these that were posted."""
    orders: dict[MatchStatus, int] = {}
    amounts: dict[MatchStatus, Decimal] = {}
    """Amounts of these orders as Amazon settles them."""
    lines: int = 0
    """Lines of payment batches that come of it."""
    pays: Decimal = ZERO
    """Their sum."""
    rest: Decimal = ZERO
    """What pays nothing in M3."""
    rest_orders: int = 0
    left: Decimal = ZERO
    """What stays open in M3 of what they pay in part."""
    listed: tuple[OrderMatch, ...] = ()
    """The first that are not matched."""
    batch_lines: int = 5000
    """Lines that go into one payment batch."""
    on_account: bool = False
    """Whether what is left over is posted on account without a person's word."""


class PostPaymentsRequest(_Contract):
    """Post a slice of the matched payments as one payment batch (ARS040)."""

    ref: SettlementRef
    folder: str
    """Of the matches."""
    pbid: str
    first: int
    """Line of the matches that is the first of this batch, from 0."""
    lines: int
    accounting_date: date
    currency: str
    marketplace_id: str = ""
    home: str = ""
    known: tuple[str, ...] = ()
    """VONO of the settlement's other vouchers."""


class PostVoucherRequest(_Contract):
    """Post one ledger voucher as one interface batch (GLS840)."""

    ref: SettlementRef
    voucher: Voucher
    marketplace_id: str = ""
    known: tuple[str, ...] = ()
    """VONO of the settlement's other vouchers."""


class PostOnAccountRequest(_Contract):
    """Post what pays nothing in M3 on account: one ledger voucher with a line for each order."""

    ref: SettlementRef
    folder: str
    """Of the matches."""
    number: int
    accounting_date: date
    currency: str
    marketplace_id: str = ""
    home: str = ""
    known: tuple[str, ...] = ()


class PostedVoucher(_Contract):
    """A voucher as M3 has posted it (GLS200)."""

    kind: VoucherKind
    key: str
    """KEY1 or PBID."""
    vono: str
    year: str
    division: str
    accounting_date: date
    month: str = ""
    debit: Decimal
    credit: Decimal
    """In the division's currency."""
    clearing: Decimal = ZERO
    """What it leaves on the clearing account, in the settlement's currency."""
    lines: int = 0
    on_account: bool = False
    by_hand: bool = False
    """A person named it."""


class VerifySettlementRequest(_Contract):
    """Read the settlement's vouchers back."""

    ref: SettlementRef
    vouchers: tuple[PostedVoucher, ...]
    currency: str
    marketplace_id: str = ""
    home: str = ""
    marketplaces: tuple[str, ...] = ()
    """Names of the marketplaces whose clearing accounts it uses."""
    expected: Decimal
    """What must be left on clearing: the deposit, less what is not posted."""


class VerifiedSettlement(_Contract):
    clearing: Decimal
    """What the vouchers leave on clearing."""
    debit: Decimal
    credit: Decimal
    troubles: tuple[str, ...] = ()


class VerifyVoucherRequest(_Contract):
    """Look up the voucher a person names; it must balance and leave `expected` on clearing."""

    ref: SettlementRef
    kind: VoucherKind
    key: str
    vono: str
    year: str = ""
    accounting_date: date
    currency: str
    expected: Decimal
    marketplace_id: str = ""
    home: str = ""
    marketplaces: tuple[str, ...] = ()
    month: str = ""


class SettlementView(_Contract):
    """Answer of the query `state`, and what a closed settlement leaves: all there is to be shown of it."""

    seller_id: str
    subject: str
    step: Step
    sentence: str = ""
    outcome: str = ""
    """booked, cancelled or handed_over; empty while it is under way."""
    report: ArchivedReport
    others: tuple[ArchivedReport, ...] = ()
    """Reports of the same settlement that came later; nothing was posted from them."""
    booking: Booking | None = None
    matches: tuple[Matched, ...] = ()
    posted: tuple[PostedVoucher, ...] = ()
    on_account: Decimal = ZERO
    """Customer payments posted on account."""
    unposted: Decimal = ZERO
    """Customer payments that pay nothing in M3 and are posted nowhere."""
    verified: VerifiedSettlement | None = None
    held_reason: str = ""
    held_sentence: str = ""
    held_since: datetime | None = None
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        return self.booking.checks if self.booking else ()


SettlementResult = SettlementView
"""How a settlement ended."""
