"""The proof sheet of a settlement: the figures an accountant looks at first, and the evidence behind each.

Amounts are in major units of the settlement's currency, with its decimals, positive where Amazon owes the seller.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from canonical.order_contracts import Repair
from canonical.settlement.deferred import Deferred
from canonical.settlement.finance_reading import Sighting
from canonical.settlement.matching import MatchStatus, OrderMatch
from canonical.settlement.models import (
    CheckStatus,
    Layout,
    PaymentTotal,
    UnknownCombination,
    VoucherKind,
    VoucherLine,
    Withheld,
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SheetState(StrEnum):
    """Where the settlement stands."""

    PREVIEW = "preview"
    """A file that was read on paper; nothing is posted of it here."""
    UNDER_WAY = "under_way"
    HELD = "held"
    """A person has to decide something."""
    BOOKED = "booked"
    CANCELLED = "cancelled"
    """Given up by a person."""
    HANDED_OVER = "handed_over"
    """The report turned out to be of another settlement."""


class Section(StrEnum):
    """The parts of the sheet that hold evidence; also the anchors of its page."""

    CATEGORIES = "categories"
    UNKNOWN = "unknown"
    VOUCHERS = "vouchers"
    CLEARING = "clearing"
    ORDERS = "orders"
    WITHHELD = "withheld"
    RESERVE = "reserve"
    WAITING = "waiting"
    SOURCE = "source"


class Proof(_Part):
    """One proof: what must be equal, whether it is, and where the evidence stands."""

    name: str
    """As `CheckName`; besides `posted`, `orders` and `waiting`."""
    title: str
    status: CheckStatus
    sentence: str
    expected: Decimal | None = None
    found: Decimal | None = None
    evidence: Section


class CategoryFigure(_Part):
    """All amounts of one category."""

    category: str
    text: str
    group: str
    customer: bool
    """Whether it is paid to the orders' invoices and credit notes; otherwise it goes to the ledger."""
    accounts: tuple[str, ...]
    """AIT1; several where marketplaces differ, none as long as nothing can be booked."""
    amount: Decimal
    count: int
    """Rows of the file."""
    row: int
    """The first of them."""


class VoucherInM3(_Part):
    """A voucher as M3 has it."""

    vono: str
    year: str
    division: str
    key: str
    """KEY1 of the interface batch, or the payment batch (PBID)."""
    accounting_date: date
    debit: Decimal
    """In the division's currency, as the credit."""
    credit: Decimal
    clearing: Decimal
    """What it leaves on the clearing account, in the settlement's currency."""
    on_account: bool = False
    by_hand: bool = False


class SheetVoucher(_Part):
    """A voucher as it was made of the settlement, and what M3 has of it."""

    kind: VoucherKind
    number: int
    month: str
    accounting_date: date
    text: str
    debit: Decimal
    credit: Decimal
    clearing: Decimal
    lines: tuple[VoucherLine, ...]
    in_m3: tuple[VoucherInM3, ...] = ()
    """Empty as long as it is not posted; customer payments may be several batches."""


class ClearingEntry(_Part):
    """What one voucher brings to the clearing account."""

    text: str
    vono: str = ""
    """Empty where it is not posted."""
    amount: Decimal


class ClearingProof(_Part):
    """The clearing account of this settlement: what the vouchers leave, and what the bank takes away."""

    accounts: tuple[str, ...] = ()
    entries: tuple[ClearingEntry, ...] = ()
    left: Decimal
    """What the vouchers leave: those in M3; all of them as long as none is posted."""
    deposit: Decimal
    """What comes at the bank; zero where Amazon pays nothing out."""
    unposted: Decimal
    """What belongs there and is not posted, though others are."""

    @property
    def after(self) -> Decimal:
        """The balance when the deposit is booked."""
        return self.left - self.deposit


class OrderLook(_Part):
    """One look for the orders' open amounts in M3; later ones are about what the one before left over."""

    number: int
    orders: dict[MatchStatus, int]
    amounts: dict[MatchStatus, Decimal]
    rest: Decimal
    """What pays nothing in M3."""
    rest_orders: int


class OrdersProof(_Part):
    """The customer payments against M3's invoices and credit notes."""

    payments: tuple[PaymentTotal, ...] = ()
    total: int = 0
    """Payments and refunds; an order may have both."""
    looked: bool = False
    """Whether M3 was asked."""
    matched: int = 0
    variance: int = 0
    no_invoice: int = 0
    looks: tuple[OrderLook, ...] = ()
    listed: tuple[OrderMatch, ...] = ()
    """Those that differ now, the first of them."""
    more: int = 0
    """Those that differ and are not listed."""
    open_in_m3: Decimal
    """What stays open of invoices and credit notes that were paid in part."""
    on_account: Decimal
    unposted: Decimal
    """Payments that pay nothing in M3 and are posted nowhere."""


class ReserveProof(_Part):
    """The reserve from one settlement to the next."""

    previous_id: str = ""
    """The settlement before; empty where it is not known."""
    kept_before: Decimal | None = None
    """What that one kept back."""
    brought_in: Decimal
    kept_now: Decimal


class ReportSource(_Part):
    """Where the figures come from."""

    report_id: str
    report_type: str = ""
    sha256: str
    size: int
    archived: datetime
    key: str
    """Of the archived file."""


class SheetHead(_Part):
    """Which settlement it is and how it stands: all there is of one that could not be read."""

    settlement_id: str
    seller_id: str = ""
    state: SheetState
    sentence: str = ""
    held_reason: str = ""
    held_since: datetime | None = None
    reports: tuple[ReportSource, ...] = ()
    """The first is the one that is booked."""
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[str, ...] = ()


class Sheet(SheetHead):
    """The proof sheet."""

    currency: str
    layout: Layout
    marketplaces: tuple[str, ...] = ()
    start: datetime
    end: datetime
    deposit_date: datetime | None = None
    rows: int
    declared_total: Decimal
    sum_of_rows: Decimal
    sum_of_vouchers: Decimal | None = None
    """What the vouchers book; None where there are none."""
    proofs: tuple[Proof, ...] = ()
    categories: tuple[CategoryFigure, ...] = ()
    vouchers: tuple[SheetVoucher, ...] = ()
    on_account: tuple[VoucherInM3, ...] = ()
    """Vouchers of payments without invoice."""
    clearing: ClearingProof
    orders: OrdersProof
    withheld: Withheld
    withheld_net: Decimal
    reserve: ReserveProof
    waiting: Deferred | None = None
    """What Amazon holds back in this currency and these marketplaces; None where nobody looked."""
    coming: tuple[Sighting, ...] = ()
    """Kinds of amounts that Amazon has booked in this currency and these marketplaces and nobody has said how to book:
    a later settlement may be held for them. As the last look told it."""
    unknown: tuple[UnknownCombination, ...] = ()
    unknown_more: int = 0
