"""What is told of a settlement: header, sums, customer payments, vouchers, unknown combinations, checks.

Amounts are Decimals in major units of the settlement's currency, positive where Amazon owes the seller. Rows are
numbered as in the file, the column names are row 1; `row` is the first of several. The many customer payments are no
part of `Settlement`: they come one by one (see `summing`), so that memory does not grow with them.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

ZERO: Final = Decimal(0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class UnreadableSettlement(ValueError):  # noqa: N818 - said as a sentence to a person
    """The file is damaged, ambiguous, or not what was expected. The text says why and names the row."""

    def __init__(self, sentence: str, row: int = 0) -> None:
        super().__init__(sentence)
        self.row = row
        """Row of the file; 0 where it is about the file as a whole."""


class Layout(StrEnum):
    """Which of Amazon's flat files it is: the old one has amounts in columns of their own."""

    V1 = "v1"
    V2 = "v2"


class Header(_Part):
    """The row behind the column names: the settlement as a whole."""

    settlement_id: str
    start: datetime
    end: datetime
    deposit_date: datetime | None = None
    total: Decimal
    """What Amazon pays out; negative where the seller owes Amazon."""
    currency: str
    """ISO 4217."""
    layout: Layout
    row: int = 2


class Missing(StrEnum):
    """What a combination lacks to be booked."""

    CATEGORY = "category"
    """The map has no category for it."""
    ACCOUNT = "account"
    """Its category has no account in the configuration."""
    CLEARING = "clearing"
    """The settlement's currency and marketplace have no clearing account."""
    ORDER = "order"
    """It is a customer payment and its row names no order."""


class UnknownCombination(_Part):
    """Amounts that cannot be booked as long as the map or the configuration lacks something."""

    transaction_type: str
    amount_type: str
    amount_description: str
    missing: Missing
    category: str = ""
    marketplace: str = ""
    row: int
    count: int
    amount: Decimal

    def __str__(self) -> str:
        return f"{self.transaction_type} / {self.amount_type} / {self.amount_description}"


class Share(_Part):
    """The sum of a category's rows in one month and marketplace."""

    month: str
    """Such as ``2026-07``, in the configured time zone."""
    marketplace: str
    """Amazon's name as in the file ("Amazon.de"); empty where the rows name none."""
    category: str
    customer: bool
    """Whether it is part of the customer payments; otherwise it goes to the ledger."""
    amount: Decimal
    count: int
    row: int


class PaymentKind(StrEnum):
    """What a customer payment settles: the order's invoices, or its credit notes."""

    PAYMENT = "payment"
    REFUND = "refund"


class CustomerPayment(_Part):
    """What one settlement pays or takes back of one order: one payment in M3 (ARS040)."""

    order_id: str
    """Amazon order id, or what the file has in its place (multi-channel orders)."""
    kind: PaymentKind
    marketplace: str
    amount: Decimal
    """Negative where money goes back to the buyer; `parts` are by category."""
    parts: dict[str, Decimal]
    shipments: dict[str, Decimal]
    """By Amazon's shipment id, empty text where the rows name none: one M3 invoice each, as a rule."""
    row: int


class PaymentTotal(_Part):
    """All customer payments of a kind and marketplace."""

    kind: PaymentKind
    marketplace: str
    amount: Decimal
    count: int
    """Orders with an amount other than zero."""


class Withheld(_Part):
    """Tax that Amazon collects and keeps: it comes and goes in the same settlement, order by order."""

    collected: Decimal = ZERO
    """Tax rows of the orders that have withheld tax."""
    withheld: Decimal = ZERO
    orders: int = 0
    """Orders and refunds with withheld tax."""
    odd: int = 0
    """Those of them where both do not net to zero."""
    odd_rows: tuple[int, ...] = ()
    """First rows of the first of them."""

    @property
    def net(self) -> Decimal:
        return self.collected + self.withheld


class Reserve(_Part):
    """What Amazon keeps back at the end (negative), and brings in from the settlement before."""

    previous: Decimal = ZERO
    current: Decimal = ZERO


class Settlement(_Part):
    """Everything about a settlement but its single customer payments. Small, however long the file is."""

    header: Header
    sum_of_rows: Decimal
    rows: int
    """Rows behind the header, those without any amount left out."""
    opens_on: date
    """Day of the settlement's start, in the configured time zone."""
    closes_on: date
    """Day of its end: what is booked in its last month has this date."""
    home: str = ""
    """The one Amazon marketplace the rows name, else the one the report is of; empty where neither is one alone."""
    shares: tuple[Share, ...] = ()
    """Ordered by month, marketplace, category. Rows without category, or without their order, are in none."""
    payments: tuple[PaymentTotal, ...] = ()
    withheld: Withheld = Withheld()
    reserve: Reserve = Reserve()
    unknown: tuple[UnknownCombination, ...] = ()
    unknown_more: int = 0
    """Rows of further unknown combinations that are not listed."""

    @property
    def difference(self) -> Decimal:
        """What the header declares and the rows lack."""
        return self.header.total - self.sum_of_rows

    @property
    def categories(self) -> dict[str, Decimal]:
        """Sum by category."""
        sums: dict[str, Decimal] = {}
        for share in self.shares:
            sums[share.category] = sums.get(share.category, ZERO) + share.amount
        return dict(sorted(sums.items()))

    @property
    def months(self) -> tuple[str, ...]:
        return tuple(sorted({share.month for share in self.shares}))


class VoucherLine(_Part):
    """One line of a voucher: account (AIT1), and either debit or credit, never negative."""

    account: str
    dimensions: dict[str, str] = {}
    """AIT2 to AIT7, by name."""
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    text: str = ""
    """VTXT, at most 40 characters."""
    category: str = ""
    """What it books; also `clearing`, `receivable`, `carried_forward`."""
    marketplace: str = ""


class VoucherKind(StrEnum):
    """By which program of M3 a voucher comes to be."""

    PAYMENTS = "payments"
    """ARS040: M3 makes it from the customer payments. One line of the receivable stands for all orders here."""
    LEDGER = "ledger"
    """GLS840: posted as it stands."""


class Voucher(_Part):
    """A balanced voucher of one settlement."""

    kind: VoucherKind
    number: int
    """0 for the payments, 1, 2, ... for the ledger vouchers by month: stable, part of KEY1."""
    month: str
    accounting_date: date
    """ACDT: the settlement's end, or the last day of an earlier month."""
    currency: str
    text: str
    lines: tuple[VoucherLine, ...]

    @property
    def debit(self) -> Decimal:
        return sum((line.debit for line in self.lines), ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((line.credit for line in self.lines), ZERO)

    @property
    def balances(self) -> bool:
        return self.debit == self.credit


class CheckName(StrEnum):
    """The proofs of a settlement, in the order an accountant looks at them."""

    TOTAL = "total"
    """Rows = declared total."""
    KNOWN = "known"
    """Every combination has its category and account."""
    BALANCED = "balanced"
    """Each voucher balances."""
    CLEARING = "clearing"
    """What stays on the clearing account is the deposit, and nothing where Amazon pays nothing out."""
    CARRIED_FORWARD = "carried_forward"
    """What one month carries forward, the next brings back."""
    WITHHELD = "withheld"
    """Withheld tax nets to zero."""
    RESERVE = "reserve"
    """The previous reserve is the current one of the settlement before."""
    PERIOD = "period"
    """The settlement begins where the one before ends."""


class CheckStatus(StrEnum):
    """How a proof came out."""

    OK = "ok"
    DIFFERS = "differs"
    """The settlement is not booked."""
    NOTE = "note"
    """Worth a look; it is booked all the same."""
    OPEN = "open"
    """Not known yet, such as without the settlement before."""


class Check(_Part):
    """The result of one proof."""

    name: CheckName
    status: CheckStatus
    sentence: str
    expected: Decimal | None = None
    found: Decimal | None = None


class Booking(_Part):
    """What a settlement becomes in M3: its vouchers, and the checks that must hold before anything is posted."""

    settlement: Settlement
    vouchers: tuple[Voucher, ...] = ()
    """Empty where the settlement has unknown combinations or does not add up."""
    checks: tuple[Check, ...] = ()
    previous_id: str = ""
    """The settlement before; empty where it is not known."""

    @property
    def postable(self) -> bool:
        return bool(self.checks) and all(check.status is not CheckStatus.DIFFERS for check in self.checks)
