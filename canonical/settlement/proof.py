"""A settlement's proof sheet, made of what is known of it: on paper before anything is posted, with M3's voucher
numbers afterwards."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from canonical.money import currency_decimals
from canonical.settlement.accounts import CARRIED_FORWARD, CLEARING, RECEIVABLE
from canonical.settlement.categories import CATEGORIES
from canonical.settlement.deferred import Deferred
from canonical.settlement.finance_reading import Sighting
from canonical.settlement.models import Booking, Settlement, Voucher, VoucherKind
from canonical.settlement.proof_list import proofs_of
from canonical.settlement.proof_models import (
    CategoryFigure,
    ClearingEntry,
    ClearingProof,
    ReportSource,
    ReserveProof,
    Sheet,
    SheetHead,
    SheetState,
    SheetVoucher,
    VoucherInM3,
)
from canonical.settlement.proof_orders import orders_of
from canonical.settlement_contracts import PostedVoucher, SettlementView, VerifiedSettlement
from canonical.settlement_ids import settlement_voucher_mark
from canonical.settlement_reports import ArchivedReport

_OWED: Final = "balance_carried_forward"
_ENDED: Final = {
    "booked": SheetState.BOOKED,
    "cancelled": SheetState.CANCELLED,
    "handed_over": SheetState.HANDED_OVER,
}


def sheet_of_booking(booking: Booking) -> Sheet:
    """The sheet of a file that was read on paper."""
    settlement = booking.settlement
    head = SheetHead(settlement_id=settlement.header.settlement_id, state=SheetState.PREVIEW)
    return _Making(booking).sheet(head, None)


def sheet_of_view(
    view: SettlementView, deferred: Deferred | None = None, coming: Iterable[Sighting] = ()
) -> SheetHead | Sheet:
    """The sheet of a settlement as it stands; only its head where the report could not be read.

    `deferred` is what Amazon holds back of the seller's money now, where somebody looked; `coming` what it has booked
    that nobody has said how to book.
    """
    head = head_of(view)
    if view.booking is None:
        return head
    return _Making(view.booking, view).sheet(head, deferred, coming)


def head_of(view: SettlementView) -> SheetHead:
    """How the settlement stands."""
    state = _ENDED.get(view.outcome)
    if state is None:
        state = SheetState.HELD if view.held_reason else SheetState.UNDER_WAY
    return SheetHead(
        settlement_id=view.subject,
        seller_id=view.seller_id,
        state=state,
        sentence=view.held_sentence or view.sentence,
        held_reason=view.held_reason,
        held_since=view.held_since,
        reports=tuple(_source(each) for each in (view.report, *view.others)),
        repairs=view.repairs,
        remarks=view.remarks,
    )


def _source(report: ArchivedReport) -> ReportSource:
    return ReportSource(
        report_id=report.origin.report_id,
        report_type=report.origin.report_type,
        sha256=report.sha256,
        size=report.size,
        archived=report.archived,
        key=report.key,
    )


class _Making:
    """One sheet. Without a view it is on paper: M3 has not been asked, nothing is posted."""

    def __init__(self, booking: Booking, view: SettlementView | None = None) -> None:
        self._booking = booking
        self._settlement: Settlement = booking.settlement
        self._view = view
        self._posted: tuple[PostedVoucher, ...] = view.posted if view else ()
        self._zero = Decimal(0).scaleb(-currency_decimals(self._settlement.header.currency))

    def _sum(self, amounts: Iterable[Decimal]) -> Decimal:
        return sum(amounts, self._zero)

    def sheet(self, head: SheetHead, deferred: Deferred | None, coming: Iterable[Sighting] = ()) -> Sheet:
        settlement, booking = self._settlement, self._booking
        header = settlement.header
        named = {share.marketplace for share in settlement.shares} | {settlement.home}
        places = frozenset(filter(None, named))
        sheet = Sheet(
            **{name: getattr(head, name) for name in SheetHead.model_fields},
            currency=header.currency,
            layout=header.layout,
            marketplaces=tuple(sorted(places)),
            start=header.start,
            end=header.end,
            deposit_date=header.deposit_date,
            rows=settlement.rows,
            declared_total=header.total,
            sum_of_rows=settlement.sum_of_rows,
            sum_of_vouchers=self._booked() if booking.vouchers else None,
            categories=tuple(self._categories()),
            vouchers=tuple(self._voucher(each) for each in booking.vouchers),
            on_account=tuple(_in_m3(each) for each in self._posted if each.on_account),
            clearing=self._clearing(),
            orders=orders_of(settlement, self._view, self._zero),
            withheld=settlement.withheld,
            withheld_net=settlement.withheld.net + self._zero,
            reserve=self._reserve(),
            waiting=deferred.of(header.currency, places) if deferred else None,
            coming=tuple(
                one
                for one in coming
                if one.currency == header.currency and (not one.marketplace or one.marketplace in places)
            ),
            unknown=settlement.unknown,
            unknown_more=settlement.unknown_more,
        )
        troubles = self._verified.troubles if self._verified else ()
        return sheet.model_copy(update={"proofs": tuple(proofs_of(sheet, booking.checks, troubles))})

    @property
    def _verified(self) -> VerifiedSettlement | None:
        return self._view.verified if self._view else None

    # --- figures --------------------------------------------------------------------------------

    def _categories(self) -> Iterator[CategoryFigure]:
        found: dict[tuple[str, bool], CategoryFigure] = {}
        for share in self._settlement.shares:
            key = share.category, share.customer
            one = found.get(key)
            found[key] = CategoryFigure(
                category=share.category,
                text=CATEGORIES[share.category].text,
                group=CATEGORIES[share.category].group,
                customer=share.customer,
                accounts=self._accounts(RECEIVABLE if share.customer else share.category),
                amount=share.amount + (one.amount if one else self._zero),
                count=share.count + (one.count if one else 0),
                row=min(share.row, one.row) if one else share.row,
            )
        order = list(CATEGORIES)
        yield from sorted(found.values(), key=lambda one: (not one.customer, order.index(one.category)))

    def _accounts(self, *names: str) -> tuple[str, ...]:
        lines = (line for voucher in self._booking.vouchers for line in voucher.lines)
        return tuple(sorted({line.account for line in lines if line.category in names}))

    def _balance(self, vouchers: Iterable[Voucher], name: str) -> Decimal:
        lines = (line for voucher in vouchers for line in voucher.lines if line.category == name)
        return self._sum(line.debit - line.credit for line in lines)

    def _booked(self) -> Decimal:
        """What the vouchers book: the deposit they leave on clearing, or what they say is owed to Amazon."""
        vouchers = self._booking.vouchers
        shares = (share.amount for share in self._settlement.shares if share.category == _OWED)
        owed = self._balance(vouchers, _OWED) + self._sum(shares)
        return self._balance(vouchers, CLEARING) + self._balance(vouchers, CARRIED_FORWARD) + owed

    def _voucher(self, voucher: Voucher) -> SheetVoucher:
        return SheetVoucher(
            kind=voucher.kind,
            number=voucher.number,
            month=voucher.month,
            accounting_date=voucher.accounting_date,
            text=voucher.text,
            debit=voucher.debit + self._zero,
            credit=voucher.credit + self._zero,
            clearing=self._balance([voucher], CLEARING),
            lines=voucher.lines,
            in_m3=tuple(_in_m3(each) for each in self._posted_of(voucher)),
        )

    def _posted_of(self, voucher: Voucher) -> Iterator[PostedVoucher]:
        """What M3 has of a voucher: known by its key; one that a person named, by kind and month."""
        mark = settlement_voucher_mark(self._settlement.header.settlement_id, voucher.number)
        for each in self._posted:
            if each.on_account or each.kind is not voucher.kind:
                continue
            by_hand = each.by_hand and each.month == voucher.month
            if voucher.kind is VoucherKind.PAYMENTS or by_hand or each.key.startswith(mark):
                yield each

    # --- clearing -------------------------------------------------------------------------------

    def _clearing(self) -> ClearingProof:
        posted, planned = list[ClearingEntry](), list[ClearingEntry]()
        for voucher in self._booking.vouchers:
            due = self._balance([voucher], CLEARING)
            for each in self._posted_of(voucher):
                posted.append(_entry(_text(voucher), each))
                due -= each.clearing
            if voucher.kind is VoucherKind.PAYMENTS:
                for each in self._posted:
                    if each.on_account:
                        posted.append(_entry("Payments without invoice", each))
                        due -= each.clearing
            if due:
                planned.append(ClearingEntry(text=_text(voucher), amount=due))
        left = self._sum(entry.amount for entry in (posted or planned))
        return ClearingProof(
            accounts=self._accounts(CLEARING),
            entries=(*posted, *planned),
            left=left,
            deposit=max(self._settlement.header.total, self._zero),
            unposted=self._sum(entry.amount for entry in planned) if posted else self._zero,
        )

    def _reserve(self) -> ReserveProof:
        before = next((each for each in self._booking.checks if each.name == "reserve"), None)
        return ReserveProof(
            previous_id=self._booking.previous_id,
            kept_before=before.expected if before and self._booking.previous_id else None,
            brought_in=self._settlement.reserve.previous + self._zero,
            kept_now=-self._settlement.reserve.current + self._zero,
        )


def _text(voucher: Voucher) -> str:
    return "Customer payments" if voucher.kind is VoucherKind.PAYMENTS else f"Ledger, {voucher.month}"


def _entry(text: str, posted: PostedVoucher) -> ClearingEntry:
    return ClearingEntry(text=text, vono=posted.vono, amount=posted.clearing)


def _in_m3(posted: PostedVoucher) -> VoucherInM3:
    return VoucherInM3(
        vono=posted.vono,
        year=posted.year,
        division=posted.division,
        key=posted.key,
        accounting_date=posted.accounting_date,
        debit=posted.debit,
        credit=posted.credit,
        clearing=posted.clearing,
        on_account=posted.on_account,
        by_hand=posted.by_hand,
    )
