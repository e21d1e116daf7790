"""The audit finds what is lost, doubled or different, and nothing else."""

from decimal import Decimal
from typing import Any

import pytest

from canonical.audit import MAX_FINDINGS, added, amazon_facts, compare
from canonical.audit_contracts import AmazonFacts, AuditReport, M3Facts, WorkflowFacts
from canonical.order import OrderStatus
from tests.unit.order_builders import DE, ORDER_ID, line, order

AMAZON: dict[str, Any] = {
    "seller_id": "S",
    "order_id": ORDER_ID,
    "marketplace_id": DE,
    "channel": "FBA",
    "sales_channel": "AMAZON",
    "status": "SHIPPED",
    "expected_total": Decimal("20.00"),
    "currency": "EUR",
    "ordered": 2,
    "fulfilled": 2,
}
M3: dict[str, Any] = {
    "order_id": ORDER_ID,
    "orders": ("0001000001",),
    "total": Decimal("20.00"),
    "currency": "EUR",
    "ordered": 2,
    "delivered": 2,
    "deliveries": ("11",),
    "invoices": ("91",),
    "invoiced": Decimal("20.00"),
    "vouchers": ("81",),
}
DONE: dict[str, Any] = {"order_id": ORDER_ID, "status": "COMPLETED", "outcome": "booked"}
RUNNING = {"status": "RUNNING"}


def audit(
    amazon: dict[str, Any] | None = None,
    m3: dict[str, Any] | None = None,
    workflow: dict[str, Any] | None = None,
    tolerance: str = "0",
) -> AuditReport:
    return compare(
        [AmazonFacts(**(AMAZON | (amazon or {})))],
        {ORDER_ID: M3Facts(**(M3 | (m3 or {})))},
        {ORDER_ID: WorkflowFacts(**(DONE | (workflow or {})))},
        {DE: Decimal(tolerance)},
    )


def test_goods_that_come_back_since_it_was_too_late_to_cancel_are_no_difference() -> None:
    amazon = {"ordered": 1, "fulfilled": 1, "expected_total": Decimal("10.00")}
    assert kinds(audit(amazon)) == (0, 0, 1)
    assert kinds(audit(amazon, workflow={"accepted": ("cancelled_too_late",)})) == (0, 0, 0)


def kinds(report: AuditReport) -> tuple[int, int, int]:
    counted = (report.lost, report.doubled, report.differing)
    for kind, count in zip(("lost", "doubled", "differing"), counted, strict=True):
        assert len({finding.order_id for finding in report.findings if finding.kind == kind}) == count
    return counted


NOTHING: dict[str, Any] = {
    "orders": (),
    "total": None,
    "ordered": 0,
    "delivered": 0,
    "deliveries": (),
    "invoices": (),
    "invoiced": Decimal(0),
    "vouchers": (),
}


def test_a_whole_order_is_clean() -> None:
    report = audit()
    assert (report.orders, kinds(report), report.held, report.under_way) == (1, (0, 0, 0), 0, 0)


@pytest.mark.parametrize("status", ["", "FAILED", "TERMINATED", "TIMED_OUT", "COMPLETED"])
def test_an_order_in_no_system_is_lost(status: str) -> None:
    report = audit(m3=NOTHING, workflow={"status": status})
    assert kinds(report) == (1, 0, 0)
    assert ORDER_ID in report.findings[0].sentence


def test_an_order_m3_never_heard_of_is_lost() -> None:
    report = compare([AmazonFacts(**AMAZON)], {}, {})
    assert kinds(report) == (1, 0, 0)


def test_a_rejected_temporary_order_does_not_hide_a_loss() -> None:
    assert kinds(audit(m3=NOTHING | {"temporary": ("T1",)}, workflow={"status": ""})) == (1, 0, 0)


def test_held_and_running_orders_are_counted_apart() -> None:
    held = audit(m3=NOTHING, workflow=RUNNING | {"held_reason": "unmapped_sku"})
    assert (held.held, held.under_way, kinds(held)) == (1, 0, (0, 0, 0))
    running = audit(m3=NOTHING, workflow=RUNNING)
    assert (running.held, running.under_way, kinds(running)) == (0, 1, (0, 0, 0))


@pytest.mark.parametrize(
    "m3",
    [
        {"orders": ("1", "2")},
        {"duplicate_invoices": ("11",)},
        {"temporary": ("T1",)},
        NOTHING | {"temporary": ("T1", "T2")},
    ],
)
def test_doubled(m3: dict[str, Any]) -> None:
    assert audit(m3=m3).doubled == 1


def test_two_m3_orders_are_wrong_even_while_somebody_works_on_it() -> None:
    assert kinds(audit(m3={"orders": ("1", "2")}, workflow=RUNNING)) == (0, 1, 0)
    assert kinds(audit(m3={"temporary": ("T1",)}, workflow=RUNNING)) == (0, 0, 0)


@pytest.mark.parametrize(
    "m3",
    [
        {"total": Decimal("19.99")},
        {"currency": "GBP"},
        {"ordered": 3},
        {"delivered": 1},
        {"deliveries": ()},
        {"invoices": ()},
        {"vouchers": ()},
        {"unbalanced_vouchers": ("81",)},
        {"invoiced": Decimal("19.99")},
        {"deliveries": ("11", "12")},
    ],
)
def test_differing(m3: dict[str, Any]) -> None:
    assert kinds(audit(m3=m3)) == (0, 0, 1)


def test_a_tolerated_difference_is_none() -> None:
    assert kinds(audit(m3={"total": Decimal("19.99")}, tolerance="0.01")) == (0, 0, 0)
    assert kinds(audit(m3={"total": Decimal("19.98")}, tolerance="0.01")) == (0, 0, 1)


@pytest.mark.parametrize(
    ("reason", "m3"),
    [
        ("total_differs", {"total": Decimal("19.99"), "invoiced": Decimal("19.99")}),
        ("order_changed", {"ordered": 3, "delivered": 3, "total": Decimal(30), "invoiced": Decimal(30)}),
        ("ledger_mismatch", {"vouchers": ()}),
    ],
)
def test_what_a_person_accepted_is_no_fault(reason: str, m3: dict[str, Any]) -> None:
    assert kinds(audit(m3=m3)) == (0, 0, 1)
    assert kinds(audit(m3=m3, workflow={"accepted": (reason,)})) == (0, 0, 0)


@pytest.mark.parametrize(
    "amazon",
    [
        {"sales_channel": "NON_AMAZON"},
        {"status": "CANCELLED", "fulfilled": 0},
        {"status": "PENDING", "expected_total": None, "fulfilled": 0},
        {"ordered": 0, "fulfilled": 0},
    ],
)
def test_what_is_no_sale_must_not_be_in_m3(amazon: dict[str, Any]) -> None:
    assert kinds(audit(amazon, NOTHING)) == (0, 0, 0)
    assert kinds(audit(amazon, {"delivered": 0})) == (0, 0, 1)
    assert kinds(audit(amazon, {"delivered": 0}, RUNNING)) == (0, 0, 0)


def test_goods_that_came_back_as_a_return_stay_in_m3() -> None:
    cancelled = {"status": "CANCELLED", "fulfilled": 0}
    assert kinds(audit(cancelled, workflow={"outcome": "cancelled"})) == (0, 0, 0)


@pytest.mark.parametrize(
    ("reason", "amazon", "m3", "outcome"),
    [
        ("cancelled_after_close", {"status": "CANCELLED"}, {}, "booked"),
        ("shipped_after_close", {}, NOTHING, "cancelled"),
        ("refunded_after_close", {"expected_total": Decimal("15.00")}, {}, "booked"),
    ],
)
def test_what_a_person_settled_after_the_order_was_closed_is_no_fault(
    reason: str, amazon: dict[str, Any], m3: dict[str, Any], outcome: str
) -> None:
    assert kinds(audit(amazon, m3, {"outcome": outcome})) == (0, 0, 1)
    assert kinds(audit(amazon, m3, {"outcome": outcome, "accepted": (reason,)})) == (0, 0, 0)


def test_an_order_given_up_here_that_amazon_shipped_is_said() -> None:
    assert kinds(audit(None, NOTHING, {"outcome": "cancelled"})) == (0, 0, 1)
    unshipped = {"status": "UNSHIPPED", "fulfilled": 0}
    assert kinds(audit(unshipped, NOTHING, {"outcome": "cancelled"})) == (0, 0, 0)


def test_a_booked_order_nobody_follows_to_its_shipment() -> None:
    waiting = {"status": "UNSHIPPED", "fulfilled": 0}
    booked = NOTHING | {"orders": ("1",), "total": Decimal("20.00"), "ordered": 2}
    assert kinds(audit(waiting, booked, RUNNING)) == (0, 0, 0)
    assert kinds(audit(waiting, booked, {"status": ""})) == (0, 0, 1)


def test_after_retention_m3_alone_is_enough() -> None:
    assert kinds(audit(workflow={"status": "", "outcome": ""})) == (0, 0, 0)


def test_an_order_worth_nothing_needs_no_voucher() -> None:
    free = {"total": Decimal(0), "invoices": (), "vouchers": (), "invoiced": Decimal(0)}
    assert kinds(audit({"expected_total": Decimal(0)}, free)) == (0, 0, 0)


def test_an_order_that_cannot_be_read_is_never_clean() -> None:
    unread = {"channel": "", "ordered": 0, "fulfilled": 0, "expected_total": None}
    assert kinds(audit(unread, NOTHING)) == (1, 0, 0)
    assert kinds(audit(unread)) == (0, 0, 1)


def test_an_order_met_on_two_pages_counts_once() -> None:
    facts = AmazonFacts(**AMAZON)
    report = compare([facts, facts], {ORDER_ID: M3Facts(**M3)}, {ORDER_ID: WorkflowFacts(**DONE)})
    assert report.orders == 1


def test_counts_are_complete_where_findings_are_not() -> None:
    many = [AmazonFacts(**(AMAZON | {"order_id": f"028-{number:07}-1234567"})) for number in range(300)]
    report = compare(many, {}, {})
    assert report.lost == 300
    assert len(report.findings) == MAX_FINDINGS
    both = added(report, report)
    assert (both.orders, both.lost, len(both.findings)) == (600, 600, MAX_FINDINGS)


def test_facts_of_an_order() -> None:
    some = order(
        line(1, quantity=2, quantity_fulfilled=1),
        line(2, quantity=0, amounts=None),
        status=OrderStatus.UNSHIPPED,
    )
    facts = amazon_facts(some)
    assert (facts.ordered, facts.fulfilled, facts.cancelled_items) == (2, 1, 1)
    assert (facts.expected_total, facts.currency) == (Decimal("10.00"), "EUR")
    assert "Mustermann" not in facts.model_dump_json()
