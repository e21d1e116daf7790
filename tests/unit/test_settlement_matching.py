"""Which open amounts a customer payment pays: to the cent, or told as a difference."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.settlement.matching import MatchStatus, OpenItem, OrderMatch, match, remaining
from canonical.settlement.models import CustomerPayment, PaymentKind
from canonical.settlement_ids import (
    settlement_of_workflow,
    settlement_payment_batch,
    settlement_subject,
    settlement_voucher_key,
    settlement_voucher_mark,
    settlement_workflow_id,
    unread_settlement_workflow_id,
)

ORDER = "028-1234567-8901234"


def item(number: str, left: str, currency: str = "EUR") -> OpenItem:
    return OpenItem(
        payer="AMZDE", customer="AMZDE", number=number, year="2026", currency=currency, left=Decimal(left)
    )


def payment(amount: str, **shipments: str) -> CustomerPayment:
    kind = PaymentKind.PAYMENT if Decimal(amount) > 0 else PaymentKind.REFUND
    return CustomerPayment(
        order_id=ORDER,
        kind=kind,
        marketplace="Amazon.de",
        amount=Decimal(amount),
        parts={},
        shipments={name: Decimal(value) for name, value in shipments.items()},
        row=3,
    )


def matched(amount: str, *items: OpenItem, **shipments: str) -> OrderMatch:
    return match(payment(amount, **shipments), items, "EUR", "M3 has no such order.")


def paid(found: OrderMatch) -> dict[str, str]:
    return {each.number: str(each.amount) for each in found.paid}


@pytest.mark.parametrize(
    ("amount", "items", "shipments", "pays"),
    [
        ("12.90", [item("1", "12.90")], {}, {"1": "12.90"}),
        ("20.00", [item("1", "12.90"), item("2", "7.10")], {}, {"1": "12.90", "2": "7.10"}),
        ("7.10", [item("1", "12.90"), item("2", "7.10")], {}, {"2": "7.10"}),
        (
            "20.00",
            [item("1", "5.00"), item("2", "12.90"), item("3", "7.10")],
            {"S1": "12.90", "S2": "7.10"},
            {"2": "12.90", "3": "7.10"},
        ),
        ("-12.90", [item("1", "12.90"), item("2", "-12.90")], {}, {"2": "-12.90"}),
    ],
)  # fmt: skip
def test_what_is_open_with_exactly_this_amount_is_paid(
    amount: str, items: list[OpenItem], shipments: dict[str, str], pays: dict[str, str]
) -> None:
    found = matched(amount, *items, **shipments)
    assert (found.status, found.rest, found.left) == (MatchStatus.MATCHED, Decimal(0), Decimal(0))
    assert paid(found) == pays


def test_less_than_is_open_leaves_the_rest_open() -> None:
    found = matched("10.00", item("1", "12.90"))
    assert (found.status, paid(found)) == (MatchStatus.VARIANCE, {"1": "10.00"})
    assert (found.rest, found.left) == (Decimal(0), Decimal("2.90"))
    assert found.sentence == "2.90 EUR stay open in M3 (1)."


def test_more_than_is_open_is_left_over_and_not_plugged() -> None:
    found = matched("15.00", item("1", "12.90"))
    assert (found.status, paid(found), found.rest) == (MatchStatus.VARIANCE, {"1": "12.90"}, Decimal("2.10"))
    assert found.sentence == "2.10 EUR more than M3 has open (1)."


@pytest.mark.parametrize(
    ("amount", "items", "said"),
    [
        ("12.90", [], "M3 has no such order."),
        ("12.90", [item("1", "0")], "M3 has no open invoice; 1 is settled already."),
        ("12.90", [item("1", "12.90", "SEK")], "M3's open invoice 1 is in SEK, the settlement in EUR."),
        ("-5.00", [item("1", "12.90")], "M3 has no credit note; invoice 1 is open with 12.90 EUR."),
        ("12.90", [item("1", "-12.90")], "M3 has no posted invoice of the order."),
    ],
)
def test_where_nothing_is_open_it_says_why(amount: str, items: list[OpenItem], said: str) -> None:
    found = matched(amount, *items)
    assert (found.status, found.rest, found.sentence) == (MatchStatus.NO_INVOICE, Decimal(amount), said)


cents = st.integers(min_value=-5000, max_value=5000).map(lambda value: Decimal(value).scaleb(-2))


@given(cents.filter(bool), st.lists(cents, max_size=5), st.data())
def test_what_is_paid_and_what_is_left_over_is_the_amount_and_nothing_is_paid_twice(
    amount: Decimal, opens: list[Decimal], data: st.DataObject
) -> None:
    items = [item(str(number), str(left)) for number, left in enumerate(opens)]
    found = match(payment(str(amount)), items, "EUR")
    assert sum((each.amount for each in found.paid), Decimal(0)) + found.rest == amount
    by_number = {each.number: each for each in items}
    for each in found.paid:
        before = by_number[each.number].left
        assert each.amount * before > 0
        assert abs(each.amount) <= abs(before)
        assert each.left == before - each.amount
    again = match(payment(str(data.draw(cents.filter(bool)))), remaining(items, found), "EUR")
    for each in again.paid:
        known = sum((one.amount for one in found.paid if one.number == each.number), Decimal(0))
        assert abs(known + each.amount) <= abs(by_number[each.number].left)


# --- ids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settlement_id", ["25719799032", "6408957391", "123456789012345678"])
def test_keys_of_m3_fit_and_tell_vouchers_and_batches_apart(settlement_id: str) -> None:
    keys = {settlement_voucher_key(settlement_id, number, "lines") for number in range(1, 99)}
    assert len(keys) == 98
    assert all(len(key) <= 15 for key in keys)
    assert settlement_voucher_key(settlement_id, 1, "lines") in keys
    assert settlement_voucher_key(settlement_id, 1, "other lines") not in keys
    assert settlement_voucher_key(settlement_id, 1, "x").startswith(settlement_voucher_mark(settlement_id, 1))
    batches = {settlement_payment_batch(settlement_id, number) for number in range(1, 100)}
    assert len(batches) == 99
    assert all(0 < int(batch) < 10**10 for batch in batches)
    with pytest.raises(ValueError, match="99"):
        settlement_payment_batch(settlement_id, 100)


def test_a_workflow_id_tells_seller_and_settlement() -> None:
    workflow_id = settlement_workflow_id("A2EUSELLER0001", "25719799032")
    assert settlement_of_workflow(workflow_id) == ("A2EUSELLER0001", "25719799032")
    unread = unread_settlement_workflow_id("A2EUSELLER0001", "50001/2")
    assert settlement_of_workflow(unread) == ("A2EUSELLER0001", "report-50001_2")
    assert settlement_of_workflow("order-A2EUSELLER0001-028-1234567-8901234") is None
    assert settlement_subject("25719799032") == "25719799032"
    assert settlement_subject("028-1234567-8901234") is None
