"""From rows to vouchers: whatever a settlement holds, it balances to the cent or is refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from canonical.settlement.accounts import CARRIED_FORWARD, CLEARING, RECEIVABLE
from canonical.settlement.checks import book
from canonical.settlement.default_map import default_entries
from canonical.settlement.models import (
    Booking,
    CheckName,
    CheckStatus,
    Missing,
    PaymentKind,
    Settlement,
    VoucherKind,
)
from canonical.settlement.vouchers import receivable_lines
from tests.support.settlements import (
    ORDER_ID,
    Line,
    Made,
    booked,
    other,
    payments,
    read,
    refund,
    sale,
)
from worker.settlement_settings import SettlementSettings

JUNE = datetime(2026, 6, 28, 9, 0, tzinfo=UTC)
AUGUST = datetime(2026, 8, 2, 9, 0, tzinfo=UTC)
ACCOUNTS = {"fees": "6770", "fba_fees": "6771", "clearing": "1815", "carried_forward": "1599"}


def _lines(booking: Booking, kind: VoucherKind) -> dict[str, Decimal]:
    """Debit less credit by category."""
    sums: dict[str, Decimal] = {}
    for voucher in booking.vouchers:
        for line in voucher.lines if voucher.kind is kind else ():
            sums[line.category] = sums.get(line.category, Decimal(0)) + line.debit - line.credit
    return sums


def _status(booking: Booking, name: CheckName) -> CheckStatus:
    return next(check.status for check in booking.checks if check.name is name)


# --- the shape ---


def test_orders_are_paid_and_the_rest_goes_to_the_ledger() -> None:
    booking = booked(
        Made(
            (
                sale("Principal", "100.00"),
                sale("Tax", "19.00"),
                sale("Principal", "-10.00", kind="Promotion"),
                sale("Commission", "-15.00", kind="ItemFees"),
                refund("Principal", "-30.00", "028-1111111-1111111"),
                refund("Commission", "4.50", "028-1111111-1111111", "ItemFees"),
                other("Subscription Fee", "-39.00"),
            )
        )
    )
    assert booking.postable
    assert _lines(booking, VoucherKind.PAYMENTS) == {
        CLEARING: Decimal("79.00"),
        RECEIVABLE: Decimal("-79.00"),
    }
    assert _lines(booking, VoucherKind.LEDGER) == {
        "fee_commission": Decimal("15.00"),
        "refund_fee_returned": Decimal("-4.50"),
        "fee_subscription": Decimal("39.00"),
        CLEARING: Decimal("-49.50"),
    }


def test_an_order_has_one_payment_and_one_refund() -> None:
    found = payments(
        Made(
            (
                sale("Principal", "100.00"),
                refund("Principal", "-40.00"),
                replace(sale("Shipping", "5.00"), shipment_id="Second"),
                refund("Tax", "-7.60"),
                sale("Commission", "-15.00", kind="ItemFees"),
            )
        )
    )
    assert [(one.kind, one.amount, one.row) for one in found] == [
        (PaymentKind.PAYMENT, Decimal("105.00"), 3),
        (PaymentKind.REFUND, Decimal("-47.60"), 4),
    ]
    assert found[0].shipments == {"BvxpJp5Yp": Decimal("100.00"), "Second": Decimal("5.00")}
    assert found[1].parts == {"refund_product": Decimal("-40.00"), "refund_tax": Decimal("-7.60")}


def test_withheld_tax_leaves_nothing_of_the_tax() -> None:
    made = Made(
        (
            sale("Principal", "7.70"),
            sale("Tax", "1.54"),
            sale("MarketplaceFacilitatorVAT-Principal", "-1.54", kind="ItemWithheldTax"),
        )
    )
    summed = read(made)
    assert [one.amount for one in summed.payments()] == [Decimal("7.70")]
    assert (summed.settlement.withheld.net, summed.settlement.withheld.orders) == (0, 1)
    odd = replace(made, lines=(*made.lines[:2], replace(made.lines[2], amount=Decimal("-1.50"))))
    check = next(one for one in booked(odd).checks if one.name is CheckName.WITHHELD)
    assert (check.status, check.found) == (CheckStatus.NOTE, Decimal("0.04"))
    assert "rows 3" in check.sentence


def test_withheld_tax_of_a_refund_has_the_tax_on_its_discount_taken_off() -> None:
    made = Made(
        (
            refund("Principal", "-11.50"),
            refund("Tax", "-0.75"),
            refund("Principal", "1.35", kind="Promotion"),
            refund("TaxDiscount", "0.09", kind="Promotion"),
            refund("MarketplaceFacilitatorTax-Principal", "0.66", kind="ItemWithheldTax"),
        )
    )
    tax = read(made).settlement.withheld
    assert (tax.collected, tax.withheld, tax.odd) == (Decimal("-0.66"), Decimal("0.66"), 0)


def test_liquidations_are_no_customer_payments() -> None:
    lines = (
        Line("Liquidations", "ItemPrice", "Principal", Decimal("50.00"), ORDER_ID, "Amazon.de"),
        Line("Liquidations", "ItemPrice", "Tax", Decimal("9.50"), ORDER_ID, "Amazon.de"),
    )
    assert payments(Made(lines)) == []
    assert "tax_collected" in _lines(booked(Made(lines)), VoucherKind.LEDGER)


def test_a_negative_settlement_is_owed_to_amazon_until_the_next_brings_it_back() -> None:
    first = booked(Made((other("Subscription Fee", "-39.00"),)))
    ledger = _lines(first, VoucherKind.LEDGER)
    assert (ledger[CLEARING], ledger["balance_carried_forward"]) == (0, Decimal("-39.00"))
    second = booked(
        Made(
            (
                other("Payable to Amazon", "-39.00"),
                other("Successful charge", "39.00"),
                sale("Principal", "1.00"),
            )
        )
    )
    brought = _lines(second, VoucherKind.LEDGER)
    assert ledger["balance_carried_forward"] + brought["balance_carried_forward"] == 0
    assert brought["paid_to_amazon_by_card"] == Decimal("-39.00")


def test_reserve_is_continuous_with_the_settlement_before() -> None:
    rules = SettlementSettings()
    before = read(Made((sale("Principal", "50.00"), other("Current Reserve Amount", "-20.00")))).settlement
    after = read(
        Made(
            (sale("Principal", "1.00"), other("Previous Reserve Amount Balance", "20.00")),
            settlement_id="25719799033", start=before.header.end, end=before.header.end + timedelta(days=14),
        )
    ).settlement  # fmt: skip
    assert _status(book(after, rules.plan), CheckName.RESERVE) is CheckStatus.OPEN
    assert _status(book(after, rules.plan, before), CheckName.RESERVE) is CheckStatus.OK
    assert _status(book(after, rules.plan, before), CheckName.PERIOD) is CheckStatus.OK
    other_before = before.model_copy(update={"reserve": after.reserve})
    assert _status(book(after, rules.plan, other_before), CheckName.RESERVE) is CheckStatus.NOTE


# --- the end of a month ---


def test_a_settlement_over_a_month_end_carries_forward() -> None:
    booking = booked(
        Made(
            (
                other("Subscription Fee", "-39.00", JUNE),
                other("Storage Fee", "-11.00"),
                replace(sale("Principal", "100.00"), posted=JUNE),
            ),
            start=JUNE,
        )
    )
    assert [(one.kind, one.number, one.month, str(one.accounting_date)) for one in booking.vouchers] == [
        (VoucherKind.PAYMENTS, 0, "2026-07", "2026-07-31"),
        (VoucherKind.LEDGER, 1, "2026-06", "2026-06-30"),
        (VoucherKind.LEDGER, 2, "2026-07", "2026-07-31"),
    ]
    june, july = booking.vouchers[1:]
    assert [(line.category, line.debit, line.credit) for line in june.lines] == [
        ("fee_subscription", Decimal("39.00"), 0), (CARRIED_FORWARD, 0, Decimal("39.00")),
    ]  # fmt: skip
    assert [(line.category, line.debit, line.credit) for line in july.lines] == [
        ("fee_fba_storage", Decimal("11.00"), 0), (CARRIED_FORWARD, Decimal("39.00"), 0),
        (CLEARING, 0, Decimal("50.00")),
    ]  # fmt: skip
    assert booking.postable


def test_rows_outside_the_settlement_are_booked_in_its_months_and_noted() -> None:
    booking = booked(
        Made((other("Subscription Fee", "-39.00", JUNE), other("Storage Fee", "-11.00", AUGUST)))
    )
    assert {voucher.month for voucher in booking.vouchers} == {"2026-07"}
    check = next(one for one in booking.checks if one.name is CheckName.PERIOD)
    assert (check.status, "row 3" in check.sentence) == (CheckStatus.NOTE, True)
    assert booking.postable


# --- refused ---


def test_a_header_off_by_a_cent_makes_no_voucher() -> None:
    booking = booked(Made((sale("Principal", "10.00"),), total=Decimal("10.01")))
    assert (booking.vouchers, booking.postable) == ((), False)
    assert booking.settlement.difference == Decimal("0.01")
    check = booking.checks[0]
    assert (check.name, check.status) == (CheckName.TOTAL, CheckStatus.DIFFERS)
    assert check.sentence == ("The rows add up to 10.00 EUR; row 2 declares 10.01. The file lacks 0.01 EUR.")


def test_an_unknown_combination_makes_no_voucher_until_the_map_has_it() -> None:
    strange = Line("other-transaction", "other-transaction", "Moon Fee", Decimal("-1.50"))
    made = Made((sale("Principal", "10.00"), strange, strange))
    booking = booked(made)
    assert (booking.vouchers, booking.postable) == ((), False)
    (unknown,) = booking.settlement.unknown
    assert (unknown.missing, unknown.row, unknown.count, unknown.amount) == (
        Missing.CATEGORY, 4, 2, Decimal("-3.00"),
    )  # fmt: skip
    assert str(unknown) == "other-transaction / other-transaction / Moon Fee"
    added = {
        "transaction_type": "OTHER-transaction", "amount_type": "*", "amount_description": "Moon*",
        "category": "fee_other",
    }  # fmt: skip
    assert booked(made, SettlementSettings.model_validate({"map": [added]})).postable


def test_a_category_or_currency_without_account_makes_no_voucher() -> None:
    made = Made((sale("Commission", "-1.50", kind="ItemFees"), other("Current Reserve Amount", "-2.00")))
    rules = SettlementSettings.model_validate({"accounts": ACCOUNTS})
    (unknown,) = booked(made, rules).settlement.unknown
    assert (unknown.missing, unknown.category, unknown.row) == (Missing.ACCOUNT, "reserve_held", 4)
    only_euro = SettlementSettings.model_validate(
        {"overrides": [{"currency": "EUR", "accounts": {**ACCOUNTS, "reserve": "1816"}}]}
    )
    assert booked(made, only_euro).postable
    without = booked(replace(made, currency="SEK"), only_euro).settlement.unknown
    assert Missing.CLEARING in {one.missing for one in without}
    assert [one.row for one in without if one.missing is Missing.CLEARING] == [2]


def test_an_account_that_does_not_exist_is_refused() -> None:
    for accounts in ({"fee_comission": "6770"}, {"fees": "longer than ten"}, {"fees": {"ait8": "X"}}):
        with pytest.raises(ValidationError):
            SettlementSettings.model_validate({"accounts": accounts})
    with pytest.raises(ValidationError, match="no time zone"):
        SettlementSettings(time_zone="Berlin")


def test_the_closest_account_wins() -> None:
    rules = SettlementSettings.model_validate(
        {
            "accounts": {"fees": "6770", "fee_commission": {"account": "6775", "ait2": "DE"}},
            "overrides": [
                {"marketplace": "A13V1IB3VIYZZH", "accounts": {"fees": "6780"}},
                {"marketplace": "A13V1IB3VIYZZH", "currency": "SEK", "accounts": {"fee_closing": "6781"}},
            ],
        }
    )
    found = {
        (name, place, currency): account.account
        for name in ("fee_commission", "fee_closing")
        for place, currency in (("Amazon.de", "EUR"), ("Amazon.fr", "EUR"), ("Amazon.fr", "SEK"))
        if (account := rules.plan.find(name, place, currency))
    }
    assert found == {
        ("fee_commission", "Amazon.de", "EUR"): "6775",
        ("fee_commission", "Amazon.fr", "EUR"): "6780",
        ("fee_commission", "Amazon.fr", "SEK"): "6780",
        ("fee_closing", "Amazon.de", "EUR"): "6770",
        ("fee_closing", "Amazon.fr", "EUR"): "6780",
        ("fee_closing", "Amazon.fr", "SEK"): "6781",
    }
    dimensions = rules.plan.account("fee_commission", "Amazon.de", "EUR").dimensions
    assert dimensions == {"AIT2": "DE"}


def test_every_marketplace_of_a_settlement_has_its_own_clearing_account() -> None:
    rules = SettlementSettings.model_validate(
        {
            "accounts": {**ACCOUNTS},
            "overrides": [{"marketplace": "A13V1IB3VIYZZH", "accounts": {"clearing": "1816"}}],
        }
    )
    french = replace(sale("Principal", "60.00", "028-2222222-2222222"), marketplace="Amazon.fr")
    booking = booked(
        Made(
            (sale("Principal", "40.00"), french, replace(french, kind="ItemFees", description="Commission"))
        ),
        rules,
    )
    assert booking.postable
    by_account: dict[str, Decimal] = {}
    for line in (line for voucher in booking.vouchers for line in voucher.lines if line.category == CLEARING):
        by_account[line.account] = by_account.get(line.account, Decimal(0)) + line.debit - line.credit
    assert by_account == {"1815": Decimal("40.00"), "1816": Decimal("120.00")}


# --- whatever it holds ---

_KNOWN = [
    (entry.transaction_type, entry.amount_type, entry.amount_description)
    for entry in default_entries()
    if "*" not in entry.transaction_type + entry.amount_type + entry.amount_description
    and entry.amount_type != "other-amount"
]
_CENTS = st.integers(-100_000, 100_000).map(lambda cents: Decimal(cents) / 100)
_MOMENTS = st.datetimes(datetime(2026, 6, 20), datetime(2026, 8, 10)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
_STRANGE = ("Order", "ItemFees", "BrandNewFee")


@st.composite
def _settlements(draw: st.DrawFn, combinations: Sequence[tuple[str, str, str]] = tuple(_KNOWN)) -> Made:
    orders = [f"028-0000000-000000{number}" for number in range(4)]
    lines = draw(
        st.lists(
            st.builds(
                lambda kind, amount, order, place, shipment, posted: Line(
                    *kind, amount.quantize(Decimal("0.01")), order, place, shipment, posted
                ),
                st.sampled_from(combinations),
                _CENTS,
                st.sampled_from(orders),
                st.sampled_from(("Amazon.de", "Amazon.fr", "Non-Amazon DE", "")),
                st.sampled_from(("", "A", "B")),
                _MOMENTS,
            ),
            max_size=30,
        )
    )
    return Made(tuple(lines), start=datetime(2026, 6, 20, tzinfo=UTC), end=datetime(2026, 8, 10, tzinfo=UTC))


def _check_balance(made: Made, booking: Booking) -> None:
    settlement = booking.settlement
    assert booking.postable, booking.checks
    assert settlement.sum_of_rows == settlement.header.total == sum(line.amount for line in made.lines)
    assert sum(settlement.categories.values()) == settlement.sum_of_rows
    for voucher in booking.vouchers:
        assert voucher.debit == voucher.credit
        assert all(line.debit >= 0 and line.credit >= 0 for line in voucher.lines)
        assert all(
            (line.debit == 0) != (line.credit == 0) for line in voucher.lines if line.category != RECEIVABLE
        )
    sums = {**_lines(booking, VoucherKind.PAYMENTS)}
    for category, amount in _lines(booking, VoucherKind.LEDGER).items():
        sums[category] = sums.get(category, Decimal(0)) + amount
    assert sums.get(CLEARING, 0) == max(settlement.header.total, 0)
    assert sums.get(CARRIED_FORWARD, 0) == 0


@settings(deadline=None)
@given(made=_settlements())
def test_any_settlement_balances(made: Made) -> None:
    summed = read(made)
    booking = book(summed.settlement, SettlementSettings().plan)
    _check_balance(made, booking)
    paid = sum((payment.amount for payment in summed.payments()), Decimal(0))
    assert paid == sum(total.amount for total in summed.settlement.payments)
    assert paid == sum(share.amount for share in summed.settlement.shares if share.customer)
    for payment in summed.payments():
        assert payment.amount == sum(payment.parts.values()) == sum(payment.shipments.values())


@settings(deadline=None)
@given(made=_settlements((*_KNOWN[:40], _STRANGE)), off=st.sampled_from((0, 1, -1)))
def test_any_settlement_balances_or_is_refused(made: Made, off: int) -> None:
    total = sum((line.amount for line in made.lines), Decimal("0.00")) + Decimal(off) / 100
    booking = booked(replace(made, total=total))
    strange = [line for line in made.lines if (line.transaction, line.kind, line.description) == _STRANGE]
    if off or strange:
        assert (booking.postable, booking.vouchers) == (False, ())
        assert sum(one.count for one in booking.settlement.unknown) == len(strange)
        assert sum(one.amount for one in booking.settlement.unknown) == sum(line.amount for line in strange)
        assert booking.settlement.difference == Decimal(off) / 100
    else:
        _check_balance(made, booking)


def _without_rows(settlement: Settlement) -> dict[str, object]:
    told = settlement.model_dump(exclude={"withheld": {"odd_rows"}})
    for each in (*told["shares"], *told["unknown"]):
        each.pop("row")
    told["unknown"] = sorted(told["unknown"], key=str)
    return told


@settings(deadline=None)
@given(made=_settlements((*_KNOWN, _STRANGE)), data=st.data())
def test_the_order_of_rows_changes_nothing(made: Made, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(made.lines))))
    first, second = read(made), read(made.permuted(order))
    assert _without_rows(first.settlement) == _without_rows(second.settlement)
    plan = SettlementSettings().plan
    assert book(first.settlement, plan).vouchers == book(second.settlement, plan).vouchers
    without_rows = {"row"}
    assert [one.model_dump(exclude=without_rows) for one in first.payments()] == [
        one.model_dump(exclude=without_rows) for one in second.payments()
    ]


@settings(deadline=None)
@given(made=_settlements())
def test_splitting_at_month_ends_keeps_the_sums(made: Made) -> None:
    """The same rows in one month, and over three, come to the same accounts."""
    in_one = replace(
        made,
        lines=tuple(replace(line, posted=datetime(2026, 7, 20, tzinfo=UTC)) for line in made.lines),
        start=datetime(2026, 7, 1, tzinfo=UTC), end=datetime(2026, 7, 31, tzinfo=UTC),
    )  # fmt: skip
    split, whole = booked(made), booked(in_one)
    assert split.settlement.sum_of_rows == whole.settlement.sum_of_rows
    assert split.settlement.categories == whole.settlement.categories
    assert _lines(split, VoucherKind.PAYMENTS) == _lines(whole, VoucherKind.PAYMENTS)
    assert _nonzero(_lines(split, VoucherKind.LEDGER)) == _nonzero(_lines(whole, VoucherKind.LEDGER))
    assert len(whole.vouchers) <= 2


def _nonzero(sums: dict[str, Decimal]) -> dict[str, Decimal]:
    return {category: amount for category, amount in sums.items() if amount}


@settings(deadline=None)
@given(made=_settlements(), kept=st.integers(1, 3))
def test_sums_written_away_are_the_same_sums(made: Made, kept: int) -> None:
    assert payments(made) == payments(made, orders_kept=kept)
    assert read(made).settlement == read(made, orders_kept=kept).settlement


def test_the_receivable_of_an_order_stands_for_its_payment() -> None:
    summed = read(Made((sale("Principal", "10.00"), refund("Principal", "-4.00"))))
    plan = SettlementSettings().plan
    lines = list(receivable_lines(summed.payments(), summed.settlement, plan))
    assert [(line.debit, line.credit, line.text) for line in lines] == [
        (0, Decimal("10.00"), f"25719799032 {ORDER_ID}"),
        (Decimal("4.00"), 0, f"25719799032 {ORDER_ID}"),
    ]
