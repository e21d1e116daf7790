"""What a settlement remembers."""

from dataclasses import dataclass, field
from decimal import Decimal

from canonical import settlement_contracts as act
from canonical import settlement_reports as rep
from canonical.settlement.models import ZERO, Booking, Settlement, Voucher, VoucherKind
from canonical.settlement_ids import settlement_payment_batch
from workflows.held_state import HeldState


@dataclass
class SettlementState(HeldState):
    """Everything under way for one settlement."""

    report: rep.ArchivedReport
    others: list[rep.ArchivedReport] = field(default_factory=list)
    outcome: str = ""
    booking: Booking | None = None
    marketplace_id: str = ""
    matches: list[act.Matched] = field(default_factory=list)
    lines_posted: int = 0
    """Lines of the last matches that are posted."""
    posted: list[act.PostedVoucher] = field(default_factory=list)
    numbers_posted: list[int] = field(default_factory=list)
    """Numbers of the ledger vouchers that are posted."""
    on_account: Decimal = ZERO
    accepted: bool = False
    """A person said that payments without invoice go on account."""
    verified: act.VerifiedSettlement | None = None
    news: int = 0
    """Counts reports that came while nothing was posted: a wait ends when it grows."""

    @property
    def subject(self) -> str:
        """Its id, or its report's where that could not be read."""
        return self.order_id

    @property
    def ref(self) -> act.SettlementRef:
        return act.SettlementRef(seller_id=self.seller_id, subject=self.subject)

    @property
    def settlement(self) -> Settlement:
        """The settlement; only after it was read."""
        if self.booking is None:
            raise RuntimeError(f"Settlement {self.subject} is used before it was read.")
        return self.booking.settlement

    @property
    def currency(self) -> str:
        return self.settlement.header.currency

    @property
    def unread(self) -> bool:
        """Whether its id could not be read, so that it goes by its report's."""
        return not self.subject.isdecimal()

    @property
    def vouchers(self) -> tuple[Voucher, ...]:
        """The ledger vouchers that are not posted yet, in their order."""
        all_of_them = self.booking.vouchers if self.booking else ()
        return tuple(
            each
            for each in all_of_them
            if each.kind is VoucherKind.LEDGER and each.number not in self.numbers_posted
        )

    @property
    def payments_due(self) -> Voucher | None:
        """The voucher that M3 is to make of the customer payments; None where there are none."""
        all_of_them = self.booking.vouchers if self.booking else ()
        return next((each for each in all_of_them if each.kind is VoucherKind.PAYMENTS), None)

    @property
    def marketplaces(self) -> tuple[str, ...]:
        """Names of the marketplaces that its amounts are of."""
        shares = {share.marketplace for share in self.settlement.shares if share.marketplace}
        return tuple(sorted(shares))

    @property
    def matched(self) -> act.Matched:
        """The last matches; only after there are some."""
        return self.matches[-1]

    @property
    def unposted(self) -> Decimal:
        """Customer payments that are posted nowhere."""
        settled = not self.matches or any(each.on_account for each in self.posted)
        return ZERO if settled else self.matched.rest

    @property
    def batches_posted(self) -> int:
        """Payment batches that are posted."""
        return sum(each.kind is VoucherKind.PAYMENTS for each in self.posted)

    @property
    def payment_batch(self) -> str:
        """PBID of the next payment batch."""
        return settlement_payment_batch(self.subject, self.batches_posted + 1)

    @property
    def expected(self) -> Decimal:
        """What its vouchers must leave on clearing: the deposit; nothing where Amazon is owed."""
        return max(self.settlement.header.total, ZERO)

    def may_replace(self, report: rep.ArchivedReport) -> bool:
        """Whether a report that came later may be read in place of this one: the older flat file only of its like."""
        older = report.origin.report_type == rep.SETTLEMENT_V1
        return not older or self.report.origin.report_type == rep.SETTLEMENT_V1

    def view(self) -> act.SettlementView:
        """The settlement for the query `state`, and when it has ended its result."""
        return act.SettlementView(
            seller_id=self.seller_id,
            subject=self.subject,
            step=self.step,
            sentence=self.sentence,
            outcome=self.outcome,
            report=self.report,
            others=tuple(self.others),
            booking=self.booking,
            matches=tuple(self.matches),
            posted=tuple(self.posted),
            on_account=self.on_account,
            unposted=self.unposted,
            verified=self.verified,
            held_reason=self.hold.reason if self.hold else "",
            held_sentence=self.hold.sentence if self.hold else "",
            held_since=self.held_since,
            repairs=tuple(self.repairs),
            remarks=tuple(self.remarks),
        )
