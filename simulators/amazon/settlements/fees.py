"""The fees of the account that fall due with a settlement: storage, advertising, the monthly subscription.

Inferred: what they come to. Storage is charged for units that Amazon sent, advertising for goods that were sold, the
subscription once a month in the seller's first marketplace that is settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from decimal import Decimal

from simulators.amazon.settlements.charges import Charge
from simulators.amazon.settlements.money import Money

_STORAGE, _ADVERTISING, _SUBSCRIPTION = Decimal("0.26"), Decimal("0.02"), Decimal("39.00")
_HOUR_MS = 3600 * 1000


def due_with(
    seller_id: str, found: list[Money], subscribed_ms: Collection[int], after_ms: int, end_ms: int
) -> Iterator[Charge]:
    """The charges, of the marketplace in which most was sold. subscribed_ms: when subscriptions were charged.
    after_ms: when the settlement before ended."""
    lines = [line for money in found for line in money.lines if line.transaction_type == "Order"]
    if not lines:
        return
    marketplace = found[0].marketplace_id
    goods = sum(
        (line.amount for line in lines if line.description == "Principal" and line.amount > 0), Decimal(0)
    )
    units = sum(int(line.quantity) for line in lines if line.description == "FBAPerUnitFulfillmentFee")
    months = {_month(at_ms) for at_ms in subscribed_ms}
    for kind, amount, hours in (
        ("storage", units * _STORAGE, 3),
        ("advertising", goods * _ADVERTISING, 2),
        ("subscription", Decimal(0) if _month(end_ms) in months else _SUBSCRIPTION, 1),
    ):
        if round(amount, 2):
            at_ms = max(end_ms - hours * _HOUR_MS, after_ms)
            yield Charge(seller=seller_id, marketplace=marketplace, kind=kind, amount=-amount, at_ms=at_ms)


def _month(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y%m}"
