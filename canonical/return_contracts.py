"""The words of return cases between workflows, activities and starters: names, requests, results."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.activity_contracts import OrderRef
from canonical.import_contracts import FileWanted
from canonical.order_contracts import Repair
from canonical.return_facts import CaseFacts, Returned
from canonical.return_models import Accepted, Booked, CaseOrder, CaseRules, Credit, Movement
from canonical.steps import Step

RETURN_CASE: Final = "ReturnCase"
"""Workflow type: what goes back of one item of one order."""
RETURNS_FEED: Final = "ReturnsFeed"
"""Workflow type: one look at Amazon's refunds and reports, and at what own warehouses received."""

CASE_TOLD: Final = "case_told"
"""Signal: facts about the case."""
LOOK_AGAIN: Final = "look_again"
"""Signal: look in M3 whether the goods have come."""
REFUND_POSTED: Final = "refund_posted"
"""Signal of a look: Amazon notified a refund (`RefundPosted`)."""

AMAZON_LIST_TRANSACTIONS_QUEUE: Final = "o2c-amazon-listTransactions"

READ_CASE_ORDER: Final = "read_case_order"
FIND_SOLD_LINE: Final = "find_sold_line"
TAKE_RETURN: Final = "take_return"
READ_RECEIVED: Final = "read_received"
CREDIT_RETURN: Final = "credit_return"
VERIFY_CREDIT: Final = "verify_credit"
VERIFY_RETURN: Final = "verify_return"
TELL_REFUNDS_PAGE: Final = "tell_refunds_page"
TELL_RETURN_REPORT: Final = "tell_return_report"
NUDGE_RETURN_CASES: Final = "nudge_return_cases"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseNews(_Contract):
    """Facts about one SKU of one order; argument of the signal `case_told` too."""

    seller_id: str
    order_id: str
    sku: str
    facts: CaseFacts


class CaseMemory(_Contract):
    """What a closed case leaves to the one that takes up its thread."""

    facts: CaseFacts = CaseFacts()
    booked: Booked = Booked()
    accepted: Accepted = Accepted()


class ReturnCaseInput(_Contract):
    """Starts a case: the first facts, the configuration it goes by, and what was before."""

    news: CaseNews
    rules: CaseRules = CaseRules()
    memory: CaseMemory = CaseMemory()


class SoldLine(_Contract):
    """The M3 order line the goods were sold on."""

    orno: str
    ponr: str
    posx: str = "0"
    itno: str
    cuno: str
    whlo: str
    """Where the goods come back to: Amazon's warehouse, or the own one."""
    facility: str
    division: str = ""


class CaseView(_Contract):
    """Answer of the query `state`."""

    seller_id: str
    order_id: str
    sku: str
    step: Step
    sentence: str = ""
    states: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    since: datetime | None = None
    due: datetime | None = None
    held_reason: str = ""
    held_sentence: str = ""
    orno: str = ""
    booked: Booked = Booked()
    facts: CaseFacts = CaseFacts()
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[str, ...] = ()


class ReturnCaseResult(_Contract):
    """How a case ended. Facts that come later start it again, with this memory."""

    seller_id: str
    order_id: str
    sku: str
    outcome: str
    """settled, or given_up by a person."""
    sentence: str
    orno: str = ""
    memory: CaseMemory = CaseMemory()
    repairs: tuple[Repair, ...] = ()


class ReadCaseOrderRequest(_Contract):
    """One getOrder call, without personal data."""

    seller_id: str
    order_id: str
    sku: str


class FindSoldLineRequest(_Contract):
    ref: OrderRef
    sku: str
    order: CaseOrder


class TakeReturnRequest(_Contract):
    """M3 is to have one customer return for `pieces`; asked for again it is the same one."""

    ref: OrderRef
    sku: str
    line: SoldLine
    number: int
    """Which of the line's returns it is, from 1: part of the key M3 knows it by."""
    pieces: int
    disposition: str = ""
    amount: Decimal | None = None
    """What all of it is to be credited with, tax included; None takes M3's own price."""
    currency: str = ""
    tax_share: Decimal = Decimal(0)
    """Part of `amount` that is tax, where M3 wants prices without it."""
    received: bool
    """The goods are back already (Amazon has them); otherwise the own warehouse will receive them."""
    known: tuple[str, ...] = ()
    """REPN of the case's other returns."""


class ReadReceivedRequest(_Contract):
    """Look which of the case's returns the own warehouse has received."""

    ref: OrderRef
    movements: tuple[Movement, ...]


class ReadReceivedResult(_Contract):
    received: dict[int, int] = {}
    """Pieces by movement."""
    facts: tuple[Returned, ...] = ()


class CreditReturnRequest(_Contract):
    ref: OrderRef
    line: SoldLine
    movement: Movement
    known: tuple[Credit, ...] = ()
    """Credits that are counted already, for this return or for something else."""
    others: tuple[Movement, ...] = ()
    """The case's other returns: a credit may be theirs."""


class CreditReturnResult(_Contract):
    """What M3 has credited beyond the credits that were known."""

    credits: tuple[Credit, ...]
    pieces: int
    """Of the return, credited altogether."""


class VerifyCreditRequest(_Contract):
    """A person says that a credit invoice was made: look in M3."""

    ref: OrderRef
    line: SoldLine
    number: str
    year: str = ""
    known: tuple[Credit, ...] = ()


class VerifyReturnRequest(_Contract):
    """A person says that the customer return `repn` was entered by hand."""

    ref: OrderRef
    line: SoldLine
    repn: str
    number: int
    pieces: int
    disposition: str = ""


class TellRefundsPageRequest(_Contract):
    """One listTransactions page; every refund on it is told to its case before the result returns."""

    seller_id: str
    posted_after: datetime
    posted_before: datetime | None
    """None reads to the latest that Amazon shows; it stays so for all pages, since a token wants its own window."""
    token: str = ""


class TellReturnReportRequest(_Contract):
    """A report file; every fact in it is told to its case before the result returns."""

    seller_id: str
    report_type: str
    file: FileWanted
    """The document in the archive, unpacked or gzip."""
    made_at: datetime


class ToldCases(_Contract):
    """What became of facts that were handed over."""

    facts: int = 0
    started: int = 0
    told: int = 0
    known: int = 0
    """Nothing new for the case."""
    refused: int = 0
    """Rows and transactions that belong to no case."""
    remarks: tuple[str, ...] = ()
    next_token: str = ""

    def plus(self, other: "ToldCases") -> "ToldCases":
        """The sums, with the other's token."""
        return ToldCases(
            facts=self.facts + other.facts,
            started=self.started + other.started,
            told=self.told + other.told,
            known=self.known + other.known,
            refused=self.refused + other.refused,
            remarks=(*self.remarks, *other.remarks)[:50],
            next_token=other.next_token,
        )


class NudgeRequest(_Contract):
    """Let cases that wait for goods in an own warehouse look in M3."""

    seller_id: str
    limit: int = 5000


class RefundPosted(_Contract):
    """A refund that Amazon notified: when it was posted. What it is, listTransactions tells."""

    posted: datetime


class ReturnsFeedInput(_Contract):
    """One look for one seller."""

    seller_id: str
    posted_after: datetime | None = None
    """None begins `look_back` before the end of the last look of the schedule, or before now."""
    posted_before: datetime | None = None
    look_back: timedelta = timedelta(days=7)
    refunds: bool = True
    reports: tuple[TellReturnReportRequest, ...] = ()
    """Reports that have been fetched."""
    ask: tuple[str, ...] = ()
    """Types of the reports that Amazon is asked for."""
    marketplace_ids: tuple[str, ...] = ()
    """Of the reports that Amazon is asked for."""
    nudge: bool = True
    wait: timedelta | None = None
    """A look at refunds that were notified: so long it waits for more of them, and again after each look."""
    posted: datetime | None = None
    """The earliest that was notified and not read yet."""


class ReturnsFeedResult(_Contract):
    refunds: ToldCases = ToldCases()
    reports: dict[str, ToldCases] = {}
    """By report type."""
    nudged: int = 0
    until: datetime | None = None
    """Everything told up to then was read; the schedule's next look begins `look_back` before."""
