"""M3's statuses and what they allow."""

import json
from pathlib import Path
from typing import Any

import pytest

from canonical import statuses
from canonical.order import OrderStatus
from canonical.statuses import Compensation, compensation_for
from canonical.steps import Step


@pytest.fixture(scope="module")
def documented(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "m3" / "status-codes.json").read_text())
    return loaded


def test_every_documented_status_has_a_meaning(documented: dict[str, Any]) -> None:
    for table, name in (
        (statuses.BATCH_ORDER, "batch_order_head_STAT"),
        (statuses.ORDER_HEAD, "customer_order_head_STAT"),
        (statuses.ORDER_LINE, "customer_order_line_ORST_ORSL"),
        (statuses.DELIVERY, "co_delivery_ORST_OIS150"),
    ):
        assert set(documented[name]["values"]) <= set(table)


def test_ninety_means_three_things() -> None:
    assert statuses.batch_created("90")
    assert statuses.order_deleted("90")
    assert not statuses.is_closed("90")
    assert not statuses.batch_rejected("90")


@pytest.mark.parametrize(
    ("lines", "compensation"),
    [
        (["22"], Compensation.DELETE),
        (["10", "22"], Compensation.DELETE),
        (["22", "33"], Compensation.DELETE),
        (["23"], Compensation.DELETE),
        (["22", "44"], Compensation.STOP_AND_ASK),
        (["34"], Compensation.STOP_AND_ASK),
        (["24"], Compensation.STOP_AND_ASK),
        (["22", "66"], Compensation.RETURN),
        (["26"], Compensation.RETURN),
        (["36", "44"], Compensation.RETURN),
        (["77"], Compensation.RETURN),
        (["27"], Compensation.RETURN),
        (["99", "22"], Compensation.DELETE),
        (["99"], Compensation.NOTHING),
        ([], Compensation.NOTHING),
        (["88"], Compensation.STOP_AND_ASK),
        (["22", ""], Compensation.STOP_AND_ASK),
    ],
)
def test_giving_up_follows_the_most_advanced_line(lines: list[str], compensation: Compensation) -> None:
    assert compensation_for(lines) is compensation


def test_every_line_status_is_told_apart() -> None:
    """Each open status is exactly one of: nothing allocated, allocated, being picked, (partly) delivered."""
    states = (
        statuses.nothing_allocated,
        statuses.is_allocated,
        statuses.is_picking,
        statuses.is_part_delivered,
    )
    for status in statuses.ORDER_LINE:
        assert sum(state(status) for state in states) == (0 if status == "99" else 1), status


@pytest.mark.parametrize(
    ("status", "left", "approval", "invoiced"),
    [
        ("05", False, False, False),
        ("60", True, False, False),
        ("61", True, True, False),
        ("68", True, False, False),
        ("69", True, False, False),
        ("70", True, False, True),
        ("80", True, False, True),
        ("", False, False, False),
    ],
)
def test_delivery_statuses(status: str, left: bool, approval: bool, invoiced: bool) -> None:
    assert statuses.goods_have_left(status) is left
    assert statuses.invoice_needs_approval(status) is approval
    assert statuses.delivery_invoiced(status) is invoiced


def test_batch_order_statuses_lead_somewhere() -> None:
    for status in ("15", "20", "25", "55"):
        assert statuses.batch_rejected(status)
    assert statuses.is_credit_stop("30")
    assert not statuses.batch_rejected("30")


def test_every_amazon_status_has_its_step() -> None:
    assert {status: statuses.furthest_step(status) for status in OrderStatus} == {
        OrderStatus.PENDING_AVAILABILITY: Step.AWAITING_RELEASE,
        OrderStatus.PENDING: Step.AWAITING_RELEASE,
        OrderStatus.UNSHIPPED: Step.AWAITING_SHIPMENT,
        OrderStatus.PARTIALLY_SHIPPED: Step.SHIPMENT,
        OrderStatus.SHIPPED: Step.SHIPMENT,
        OrderStatus.CANCELLED: Step.CANCELLING,
        OrderStatus.UNFULFILLABLE: Step.CANCELLING,
    }


def test_a_status_is_shown_with_its_words() -> None:
    assert statuses.meaning(statuses.BATCH_ORDER, "25") == "25 (error in an order line)"
    assert statuses.meaning(statuses.BATCH_ORDER, "47") == "47 (unknown)"
