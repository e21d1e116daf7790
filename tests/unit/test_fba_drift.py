"""Amazon's stock beside M3's: what is on its way explains a difference, and nothing else does."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.stock.fba_alerts import stock_differs
from canonical.stock.fba_contracts import FbaStockCompared
from canonical.stock.fba_drift import FbaDifference, fba_differences
from canonical.stock.fba_pool import FbaView, pools
from canonical.stock.models import Balance, NoBalance, PoolKey

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = PoolKey("AFE", "10001")
DE, FR, GB = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "A1F83G8C2ARO7P"


def view(marketplace: str, fulfillable: int, reserved: int = 0, sku: str = "TEA") -> FbaView:
    return FbaView(
        seller="S",
        marketplace_id=marketplace,
        sku=sku,
        fnsku=f"X{sku}",
        fulfillable=fulfillable,
        reserved=reserved,
    )


def balance(on_hand: int, allocated: int = 0, reserved: int = 0) -> Balance:
    return Balance(
        whlo="AFE",
        itno="10001",
        on_hand=Decimal(on_hand),
        allocated=Decimal(allocated),
        reserved=Decimal(reserved),
        as_of=NOW,
    )


def compared(*views: FbaView, known: Balance | NoBalance | None, under_way: int = 0) -> FbaDifference:
    placed = [(pool, KEY) for pool in pools(views)]
    balances = {KEY: known} if known is not None else {}
    [row] = fba_differences(placed, balances, {KEY: under_way} if under_way else {})
    return row


def test_a_pool_in_four_marketplaces_counts_once_and_britain_has_its_own() -> None:
    row = compared(
        view(DE, 10, 2), view(FR, 10, 2), view("APJ6JRA9NG5V4", 10, 2), view("A1RKKUPIHCS9HS", 10, 2), view(GB, 5),
        known=balance(17),
    )  # fmt: skip
    assert (row.amazon, row.difference, row.beyond) == (17, 0, 0)


def test_two_skus_of_one_item_are_added_up() -> None:
    row = compared(view(DE, 4), view(DE, 3, sku="TEA-2"), known=balance(7))
    assert (row.amazon, row.beyond, row.skus) == (7, 0, ("S/TEA", "S/TEA-2"))


@pytest.mark.parametrize(
    ("amazon", "m3", "under_way", "in_orders", "beyond"),
    [
        (10, 10, 0, 0, 0),
        (7, 10, 0, 0, -3),
        (12, 10, 0, 0, 2),
        (7, 10, -3, 0, 0),
        (7, 10, 0, 3, 0),
        (7, 10, 0, 2, -1),
        (7, 10, -1, 1, -1),
        (12, 10, 0, 5, 2),
        (12, 10, 2, 0, 0),
        (10, 10, -3, 0, 3),
    ],
)
def test_corrections_and_orders_under_way_explain_a_difference(
    amazon: int, m3: int, under_way: int, in_orders: int, beyond: int
) -> None:
    row = compared(view(DE, amazon), known=balance(m3, allocated=in_orders), under_way=under_way)
    assert row.beyond == beyond


@pytest.mark.parametrize(
    "known",
    [None, NoBalance(whlo="AFE", itno="10001", why="not_in_warehouse", code="XRE0103", as_of=NOW)],
)
def test_without_a_balance_m3_has_nothing_and_says_why(known: NoBalance | None) -> None:
    row = compared(view(DE, 3), known=known)
    assert (row.m3, row.beyond) == (0, 3)
    assert row.sentence.endswith(".")
    assert "10001" in row.sentence


@given(st.integers(0, 50), st.integers(-10, 50), st.integers(-20, 20), st.integers(0, 20))
def test_what_is_beyond_is_never_more_than_what_corrections_leave(
    amazon: int, m3: int, under_way: int, in_orders: int
) -> None:
    row = compared(view(DE, amazon), known=balance(m3, reserved=in_orders), under_way=under_way)
    left = amazon - m3 - under_way
    assert abs(row.beyond) <= abs(left)
    assert row.beyond * left >= 0
    assert (row.beyond == 0) == (-in_orders <= left <= 0)


def test_people_are_told_above_the_limit_and_of_skus_without_an_item() -> None:
    row = FbaDifference(whlo="AFE", itno="10001", skus=("S/TEA",), amazon=7, m3=Decimal(10))
    seen = FbaStockCompared(as_of=NOW, rows=(row,), differing=1)
    message = stock_differs(seen, 2)
    assert message is not None
    assert "Amazon has 7, M3 has 10" in message.body
    assert stock_differs(seen, 3) is None
    unmapped = seen.model_copy(update={"unmapped": ("S/NEW",), "unmapped_count": 1})
    told = stock_differs(unmapped, 3)
    assert told is not None
    assert "S/NEW" in told.body
