"""Which days the reconciliation compares, what it starts, and what people are told."""

from datetime import UTC, datetime, timedelta

import pytest

from canonical.alert_texts import LONGEST_BODY
from canonical.audit import unfollowed
from canonical.audit_contracts import AmazonFacts, AuditFinding, AuditReport, M3Facts, WorkflowFacts
from canonical.reconciliation import days_to_compare, needs_telling, shown, told
from canonical.schedule_contracts import ReconciliationInput, ReconciliationResult

CLEAN = AuditReport(orders=5, lost=0, doubled=0, differing=0, held=1, under_way=1)
NIGHT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def asking(**changes: object) -> ReconciliationInput:
    return ReconciliationInput.model_validate({"seller_ids": ("S",)} | changes)


def result(since: datetime, until: datetime, report: AuditReport = CLEAN) -> ReconciliationResult:
    return ReconciliationResult(since=since, until=until, report=report)


def test_the_day_before_from_midnight_to_midnight() -> None:
    since, until = days_to_compare(asking(), NIGHT, None)
    assert (since, until) == (datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    since, _ = days_to_compare(asking(days=3), NIGHT, None)
    assert since == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_day_has_the_hours_it_has_in_its_time_zone() -> None:
    after = datetime(2026, 10, 26, 2, 0, tzinfo=UTC)  # clocks went back on the 25th
    since, until = days_to_compare(asking(time_zone="Europe/Berlin"), after, None)
    assert until - since == timedelta(hours=25)
    assert until == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_days_that_were_left_out_are_compared_as_well_but_not_for_ever() -> None:
    last = result(datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC))
    assert days_to_compare(asking(), NIGHT, last)[0] == last.until
    done = result(datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert days_to_compare(asking(), NIGHT, done)[0] == datetime(2026, 11, 22, tzinfo=UTC)
    old = result(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert days_to_compare(asking(), NIGHT, old)[0] == datetime(2026, 10, 23, tzinfo=UTC)


def amazon(**changes: object) -> AmazonFacts:
    facts: dict[str, object] = {
        "seller_id": "S",
        "order_id": "028-1234567-8901234",
        "marketplace_id": "M",
        "channel": "FBA",
        "sales_channel": "AMAZON",
        "status": "SHIPPED",
        "expected_total": None,
        "currency": "EUR",
        "ordered": 2,
        "fulfilled": 2,
    }
    return AmazonFacts.model_validate(facts | changes)


ID = "028-1234567-8901234"
IN_M3 = M3Facts(order_id=ID, orders=("1",), ordered=2, delivered=2)


@pytest.mark.parametrize(
    ("order", "m3", "status", "wanted"),
    [
        (amazon(), None, "", True),
        (amazon(status="PENDING", fulfilled=0), None, "", True),
        (amazon(status="UNSHIPPED", fulfilled=0), IN_M3.model_copy(update={"delivered": 0}), "", True),
        (amazon(channel="", ordered=0, fulfilled=0), None, "", True),
        (amazon(), IN_M3, "", False),
        (amazon(), None, "RUNNING", False),
        (amazon(), None, "COMPLETED", False),
        (amazon(), None, "TERMINATED", False),
        (amazon(status="CANCELLED", ordered=0, fulfilled=0), None, "", False),
        (amazon(status="UNFULFILLABLE", fulfilled=0), None, "", False),
        (amazon(sales_channel="NON_AMAZON"), None, "", False),
        (amazon(ordered=0, fulfilled=0), None, "", False),
    ],
)
def test_an_order_is_started_only_where_it_needs_a_workflow_and_never_had_one(
    order: AmazonFacts, m3: M3Facts | None, status: str, wanted: bool
) -> None:
    flows = {ID: WorkflowFacts(order_id=ID, status=status)} if status else {}
    assert unfollowed([order], {ID: m3} if m3 else {}, flows) == ((ID,) if wanted else ())


def test_nobody_is_told_of_a_day_on_which_everything_is_right() -> None:
    assert not needs_telling(CLEAN)
    for wrong in ("lost", "doubled", "differing", "missing"):
        assert needs_telling(CLEAN.model_copy(update={wrong: 1}))


def test_the_message_names_the_first_findings_and_the_command_and_is_bounded() -> None:
    findings = tuple(
        AuditFinding(kind="lost", order_id=ID, sentence=f"Amazon order {ID} is not in M3. {'x' * 200}")
        for _ in range(50)
    )
    report = CLEAN.model_copy(update={"lost": 50, "missing": 50, "started": 50, "findings": findings})
    message = told(result(NIGHT - timedelta(days=1), NIGHT, report))
    assert message.title == "Reconciliation: 50 orders are not in M3 as at Amazon"
    assert len(message.body) <= LONGEST_BODY
    assert message.body.endswith("o2c audit --since 2026-11-22T03:00Z --until 2026-11-23T03:00Z")
    assert "50 had no workflow, 50 of them were started" in message.body
    one = told(result(NIGHT, NIGHT, CLEAN.model_copy(update={"missing": 1, "started": 1})))
    assert one.title == "Reconciliation: 1 order had no workflow"
    assert "50 lost" in shown(result(NIGHT, NIGHT, report))
