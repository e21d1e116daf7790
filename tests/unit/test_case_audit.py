"""What the audit says of refunds and return cases, and what it does not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from canonical.audit import added
from canonical.audit_contracts import AuditReport, CaseCounts
from canonical.case_audit import CaseStands, RefundPaid, refund_period, uncredited, unknown_refunds
from canonical.reconciliation import counts, needs_telling
from canonical.return_models import Credit

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ORDER = "028-1234567-8901234"
CASE = f"return-S-{ORDER}-MUG"


def paid(key: str = "T1", amount: str = "9.99", case_id: str = CASE) -> RefundPaid:
    return RefundPaid(
        case_id=case_id,
        order_id=ORDER,
        sku="MUG",
        key=key,
        posted=NOW - 3 * DAY,
        amount=Decimal(amount),
        currency="EUR",
    )


def case(**changes: object) -> CaseStands:
    facts: dict[str, object] = {
        "case_id": CASE,
        "subject": f"{ORDER}/MUG",
        "status": "COMPLETED",
        "outcome": "settled",
        "refunds": ("T1",),
        "refunded": "9.99",
        "credited": "9.99",
        "currency": "EUR",
        "orno": "1",
        "credits": (Credit(ivno="900", year="2026", amount=Decimal("9.99")),),
    }
    return CaseStands.model_validate(facts | changes)


def test_a_refund_without_a_case_or_that_its_case_does_not_know_is_found_once() -> None:
    [none] = unknown_refunds([paid(), paid()], {})
    assert none.kind == "return"
    assert none.sentence == (
        f"Amazon order {ORDER}, SKU MUG: 9.99 EUR were refunded on 2026-11-20, and there is no return case for it."
    )
    [late] = unknown_refunds([paid(), paid("T2", "1.00"), paid("T3", "2.00")], {CASE: case()})
    assert "3.00 EUR" in late.sentence
    assert "does not know it" in late.sentence
    assert not list(unknown_refunds([paid()], {CASE: case()}))
    silent = case(status="RUNNING", refunds=None)
    assert not list(unknown_refunds([paid()], {CASE: silent}))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, ""),
        ({"credited": "9.98"}, ""),
        ({"credited": "0", "credits": ()}, "is closed: Amazon refunded 9.99, M3 has credited 0 EUR"),
        ({"credited": "0", "credits": (), "accepted": "9.99"}, ""),
        ({"credited": "0", "credits": (), "outcome": "given_up"}, "was given up by a person"),
        ({"credited": "19.99"}, "M3 has credited 19.99"),
        ({"status": "TERMINATED"}, "was ended (terminated), and nobody follows it"),
        ({"status": "RUNNING", "credited": "0", "credits": ()}, ""),
    ],
)
def test_a_case_that_ended_without_its_credit_is_found(changes: dict[str, object], word: str) -> None:
    found = [each.sentence for each in uncredited([case(**changes)], Decimal("0.01"))]
    assert [word in sentence for sentence in found] == ([True] if word else [])


def test_a_credit_that_m3_does_not_have_is_found() -> None:
    [found] = uncredited([case()], Decimal(0), frozenset({("900", "2026")}))
    assert "900 of 2026 over 9.99" in found.sentence
    assert not list(uncredited([case()], Decimal(0), frozenset({("900", "2025")})))


def test_only_refunds_that_amazon_must_have_told_by_now_are_compared() -> None:
    assert refund_period(NOW - 9 * DAY, NOW - 8 * DAY, NOW) == (NOW - 9 * DAY, NOW - 8 * DAY)
    assert refund_period(NOW - 7 * DAY, None, NOW) == (NOW - 9 * DAY, NOW - 2 * DAY)
    nights = [refund_period(night - DAY, night, night) for night in (NOW, NOW + DAY)]
    assert nights[0][1] >= nights[1][0], "No day between two nights is left out."


def test_cases_are_added_up_and_told() -> None:
    nothing = AuditReport(orders=1, lost=0, doubled=0, differing=0, held=0, under_way=0)
    assert added(nothing, nothing).cases is None
    one = nothing.model_copy(update={"cases": CaseCounts(open=1, held=2, closed=3, refunds=4)})
    assert added(added(nothing, one), one).cases == CaseCounts(open=2, held=4, closed=6, refunds=8)
    assert not needs_telling(one)
    assert "4 refunds compared" in counts(one)
    assert needs_telling(nothing.model_copy(update={"cases": CaseCounts(differing=1)}))
