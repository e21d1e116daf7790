"""The proof sheet of a settlement: what it says on paper, while it is posted, and when it is booked."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from canonical.settlement.deferred import Deferred, DeferredShare
from canonical.settlement.matching import MatchStatus, OrderMatch
from canonical.settlement.models import Booking, CheckStatus, PaymentKind, VoucherKind
from canonical.settlement.proof import sheet_of_booking, sheet_of_view
from canonical.settlement.proof_models import Proof, Sheet, SheetState
from canonical.settlement_contracts import Matched, PostedVoucher, SettlementView, VerifiedSettlement
from canonical.settlement_ids import settlement_payment_batch, settlement_voucher_key
from canonical.settlement_reports import ArchivedReport, ReportOrigin
from canonical.steps import Step
from tests.support.settlements import POSTED, SETTLEMENT_ID, Made, booked, other, refund, sale

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
ONE, TWO = "028-1234567-8901234", "028-1234567-8901235"
MADE = Made(
    (
        sale("Principal", "100.00", ONE),
        sale("Commission", "-15.00", ONE, kind="ItemFees"),
        sale("Principal", "60.00", TWO),
        refund("Principal", "-40.00", ONE),
        other("Subscription Fee", "-39.00"),
        other("Previous Reserve Amount Balance", "20.00"),
    )
)
REPORT = ArchivedReport(
    key="settlements/A1/reports/5",
    sha256="ab" * 32,
    size=900,
    archived=NOW,
    origin=ReportOrigin(seller_id="A1", report_id="5"),
)
MATCHED = Matched(
    folder="x",
    number=1,
    orders={MatchStatus.MATCHED: 2, MatchStatus.NO_INVOICE: 1},
    amounts={MatchStatus.MATCHED: Decimal("60.00"), MatchStatus.NO_INVOICE: Decimal("60.00")},
    lines=2,
    pays=Decimal("60.00"),
    rest=Decimal("60.00"),
    rest_orders=1,
    listed=(
        OrderMatch(
            order_id=TWO,
            kind=PaymentKind.PAYMENT,
            marketplace="Amazon.de",
            amount=Decimal("60.00"),
            row=5,
            status=MatchStatus.NO_INVOICE,
            rest=Decimal("60.00"),
            sentence="M3 has no such order.",
        ),
    ),
)


def posted(kind: VoucherKind, key: str, clearing: str, vono: str, **more: object) -> PostedVoucher:
    return PostedVoucher.model_validate(
        {
            "kind": kind, "key": key, "vono": vono, "year": "2026", "division": "AAA",
            "accounting_date": date(2026, 7, 31), "debit": "1", "credit": "1", "clearing": clearing, **more,
        }
    )  # fmt: skip


PAID = posted(VoucherKind.PAYMENTS, settlement_payment_batch(SETTLEMENT_ID, 1), "60.00", "900001")
LEDGER = posted(VoucherKind.LEDGER, settlement_voucher_key(SETTLEMENT_ID, 1, "x"), "-34.00", "900002")
ON_ACCOUNT = posted(
    VoucherKind.LEDGER, settlement_voucher_key(SETTLEMENT_ID, 61, "y"), "60.00", "900003", on_account=True
)


def view(booking: Booking | None, **more: object) -> SettlementView:
    start = {"seller_id": "A1", "subject": SETTLEMENT_ID, "step": Step.POSTING, "report": REPORT}
    return SettlementView.model_validate({**start, "booking": booking, **more})


def sheet(booking: Booking, deferred: Deferred | None = None, **more: object) -> Sheet:
    found = sheet_of_view(view(booking, **more), deferred)
    assert isinstance(found, Sheet)
    return found


def proof(sheet: Sheet, name: str) -> Proof:
    return next(each for each in sheet.proofs if each.name == name)


def test_on_paper_declared_rows_and_vouchers_are_one_figure() -> None:
    found = sheet_of_booking(booked(MADE))
    total = Decimal("86.00")
    assert (found.declared_total, found.sum_of_rows, found.sum_of_vouchers) == (total, total, total)
    assert found.state is SheetState.PREVIEW
    assert (found.clearing.left, found.clearing.deposit, found.clearing.after) == (total, total, Decimal(0))
    assert sum(one.amount for one in found.categories) == total
    assert sum(one.count for one in found.categories) == found.rows == 6
    assert (found.orders.total, found.orders.looked) == (3, False)
    assert proof(found, "orders").status is CheckStatus.OPEN
    assert not [each for each in found.proofs if each.status is CheckStatus.DIFFERS]


def test_a_negative_settlement_owes_what_its_vouchers_say() -> None:
    made = Made(
        (sale("Principal", "10.00"), other("Subscription Fee", "-39.00"), other("Payable to Amazon", "-5.00"))
    )
    found = sheet_of_booking(booked(made))
    assert (found.declared_total, found.sum_of_vouchers) == (Decimal("-34.00"), Decimal("-34.00"))
    assert {found.clearing.left, found.clearing.deposit, found.clearing.after} == {Decimal(0)}


def test_a_settlement_over_the_end_of_a_month_books_its_total_too() -> None:
    made = replace(
        MADE,
        end=datetime(2026, 8, 4, tzinfo=UTC),
        lines=(*MADE.lines, other("Storage Fee", "-7.00", posted=POSTED.replace(month=8, day=2))),
    )
    found = sheet_of_booking(booked(made))
    assert [voucher.month for voucher in found.vouchers] == ["2026-08", "2026-07", "2026-08"]
    assert found.sum_of_vouchers == found.declared_total == Decimal("79.00")


def test_rows_that_are_not_the_declared_total_have_no_vouchers() -> None:
    found = sheet_of_booking(booked(replace(MADE, total=Decimal("86.01"))))
    assert (found.sum_of_vouchers, found.vouchers, found.clearing.entries) == (None, (), ())
    assert proof(found, "total").status is CheckStatus.DIFFERS


def test_while_it_is_held_for_an_order_the_money_posted_nowhere_is_said() -> None:
    found = sheet(
        booked(MADE), matches=(MATCHED,), posted=(PAID, LEDGER), unposted="60.00",
        held_reason="settlement_no_invoice", held_sentence="One order has no invoice.",
    )  # fmt: skip
    assert found.state is SheetState.HELD
    assert (found.orders.matched, found.orders.no_invoice, found.orders.more) == (2, 1, 0)
    assert proof(found, "orders").status is CheckStatus.DIFFERS
    assert (found.clearing.left, found.clearing.after) == (Decimal("26.00"), Decimal("-60.00"))
    assert found.clearing.unposted == Decimal("60.00")
    assert proof(found, "posted").status is CheckStatus.OPEN
    assert "-60.00 EUR would be left: 60.00 EUR are not posted" in proof(found, "bank").sentence
    assert [one.vono for voucher in found.vouchers for one in voucher.in_m3] == ["900001", "900002"]


def test_booked_it_is_at_zero_after_the_bank_with_every_number() -> None:
    verified = VerifiedSettlement(clearing=Decimal("86.00"), debit=Decimal(3), credit=Decimal(3))
    found = sheet(
        booked(MADE), matches=(MATCHED,), posted=(PAID, LEDGER, ON_ACCOUNT), on_account="60.00",
        outcome="booked", verified=verified,
    )  # fmt: skip
    assert found.state is SheetState.BOOKED
    assert (found.clearing.left, found.clearing.after) == (Decimal("86.00"), Decimal(0))
    assert [entry.vono for entry in found.clearing.entries] == ["900001", "900003", "900002"]
    for name in ("posted", "bank"):
        assert proof(found, name).status is CheckStatus.OK
    orders = proof(found, "orders")
    assert orders.status is CheckStatus.NOTE
    assert "60.00 EUR are on account" in orders.sentence


def test_what_m3_has_otherwise_is_said() -> None:
    verified = VerifiedSettlement(
        clearing=Decimal(0), debit=Decimal(1), credit=Decimal(1), troubles=("M3 does not show voucher 900002.",)
    )  # fmt: skip
    found = sheet(booked(MADE), posted=(PAID, LEDGER, ON_ACCOUNT), verified=verified)
    assert (proof(found, "posted").status, proof(found, "posted").sentence) == (
        CheckStatus.DIFFERS,
        "M3 does not show voucher 900002.",
    )


def test_a_later_look_counts_for_what_the_first_left_over() -> None:
    first = MATCHED.model_copy(
        update={"orders": {MatchStatus.MATCHED: 1, MatchStatus.VARIANCE: 1, MatchStatus.NO_INVOICE: 1}}
    )
    second = Matched(
        folder="y", number=2, before="x", before_lines=2, orders={MatchStatus.MATCHED: 1}, lines=1
    )
    found = sheet(booked(MADE), matches=(first, second))
    assert (found.orders.matched, found.orders.variance, found.orders.no_invoice) == (2, 1, 0)
    assert found.orders.listed == ()


def test_one_that_cannot_be_read_has_a_head_only() -> None:
    found = sheet_of_view(view(None, held_reason="settlement_unreadable", held_sentence="Row 3 is cut off."))
    assert not isinstance(found, Sheet)
    assert (found.state, found.sentence) == (SheetState.HELD, "Row 3 is cut off.")


def share(
    amount: str, matures: date | None, marketplace: str = "Amazon.de", currency: str = "EUR"
) -> DeferredShare:
    return DeferredShare(
        currency=currency, marketplace=marketplace, reason="DD7", matures=matures, amount=Decimal(amount), count=2
    )  # fmt: skip


def test_what_amazon_holds_back_is_of_this_currency_and_marketplace_and_overdue_is_said() -> None:
    shares = (
        share("10.00", date(2026, 8, 9)),
        share("7.00", date(2026, 8, 1)),
        share("5.00", None, "Amazon.fr"),
        share("3.00", None, currency="SEK"),
    )
    held_back = Deferred(seller_id="A1", as_of=NOW, since=NOW, shares=shares, unread=1)
    found = sheet(booked(MADE), held_back)
    assert found.waiting is not None
    assert [each.amount for each in found.waiting.shares] == [Decimal("10.00"), Decimal("7.00")]
    waiting = proof(found, "waiting")
    assert (waiting.status, waiting.found) == (CheckStatus.NOTE, Decimal("17.00"))
    assert "2 of them were to be released by then" in waiting.sentence
    assert "1 could not be read" in waiting.sentence
    nobody = proof(sheet(booked(MADE)), "waiting")
    assert nobody.status is CheckStatus.OPEN
