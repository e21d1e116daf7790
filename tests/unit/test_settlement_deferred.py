"""Deferred transactions as Amazon tells them: summed by reason and day, nothing personal, nothing passed over."""

import random
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from canonical.settlement.deferred import joined, read_page

TOLD: dict[str, Any] = {
    "transactionType": "Shipment",
    "transactionStatus": "DEFERRED",
    "totalAmount": {"currencyAmount": Decimal("17.35"), "currencyCode": "EUR"},
    "marketplaceDetails": {"marketplaceId": "A1PA6795UKMFR9", "marketplaceName": "Amazon.de"},
    "contexts": [
        {
            "contextType": "DeferredContext",
            "deferralReason": "B2B",
            "maturityDate": "2026-08-19T23:30:00Z",
        }
    ],
    "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "x"}],
}


def told(amount: str = "17.35", **more: object) -> dict[str, Any]:
    found = deepcopy(TOLD) | more
    found["totalAmount"]["currencyAmount"] = Decimal(amount)
    return found


def context(reason: str | None, day: str | None) -> dict[str, Any]:
    return {"contextType": "DeferredContext", "deferralReason": reason, "maturityDate": day}


def test_transactions_of_one_reason_and_day_are_one_sum() -> None:
    released = told("99.00", transactionStatus="DEFERRED_RELEASED")
    paid = told("98.00", transactionStatus="Released")
    later = told("1.00", contexts=[context("DD7", "2026-08-20T00:00:00Z")])
    page = read_page([told(), told("2.65"), released, paid, later, told("-3.00")], "more")
    assert [(one.reason, one.matures, one.amount, one.count) for one in page.shares] == [
        ("B2B", date(2026, 8, 19), Decimal("17.00"), 3),
        ("DD7", date(2026, 8, 20), Decimal("1.00"), 1),
    ]
    assert (page.unread, page.next_token) == (0, "more")


def test_the_reason_may_stand_at_the_item_or_nowhere() -> None:
    at_item = told(contexts=[], items=[{"contexts": [context("DD7", None)]}])
    nowhere = told(contexts=None, marketplaceDetails=None)
    page = read_page([at_item, nowhere])
    assert [(one.marketplace, one.reason, one.matures) for one in page.shares] == [
        ("", "", None),
        ("Amazon.de", "DD7", None),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"totalAmount": {"currencyCode": "EUR"}},
        {"totalAmount": {"currencyAmount": Decimal(1)}},
        {"contexts": [context("B2B", "soon")]},
    ],
)
def test_one_that_cannot_be_read_is_counted_and_in_no_sum(broken: dict[str, Any]) -> None:
    page = read_page([TOLD | broken, told("4.00")])
    assert (page.unread, [one.amount for one in page.shares]) == (1, [Decimal("4.00")])


def test_the_order_of_pages_changes_nothing() -> None:
    days = ["2026-08-19T00:00:00Z", "2026-08-20T00:00:00Z", None]
    pages = [
        read_page([told(f"{number}.10", contexts=[context(random.choice(["B2B", "DD7"]), days[number % 3])])]).shares
        for number in range(30)
    ]  # fmt: skip
    forward = joined(share for page in pages for share in page)
    backward = joined(share for page in reversed(pages) for share in page)
    assert forward == backward
    assert sum(one.count for one in forward) == 30
