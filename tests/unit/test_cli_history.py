"""Histories read for people: actions by the billing rules, and the trail of an order."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from canonical.activity_contracts import HELD
from canonical.held import HeldReason, Hold
from starters.actions import count_actions
from starters.history import last_hold, trail_of

BEGIN = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Converter:
    """All that reading a history needs of a client."""

    data_converter = pydantic_data_converter


CLIENT: Client = Converter()  # type: ignore[assignment]


class Histories:
    """Builds a history event by event, one second apart."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []

    def add(self, kind: str) -> HistoryEvent:
        stamp = Timestamp()
        stamp.FromDatetime(BEGIN + timedelta(seconds=len(self.events)))
        event = HistoryEvent(event_id=len(self.events) + 1, event_time=stamp)
        event.event_type = EventType.Value(f"EVENT_TYPE_{kind}")
        self.events.append(event)
        return event

    def activity(self, name: str, attempt: int = 1) -> int:
        scheduled = self.add("ACTIVITY_TASK_SCHEDULED")
        scheduled.activity_task_scheduled_event_attributes.activity_type.name = name
        started = self.add("ACTIVITY_TASK_STARTED").activity_task_started_event_attributes
        started.scheduled_event_id, started.attempt = scheduled.event_id, attempt
        return scheduled.event_id

    def done(self, scheduled: int) -> None:
        done = self.add("ACTIVITY_TASK_COMPLETED").activity_task_completed_event_attributes
        done.scheduled_event_id = scheduled

    async def held(self, scheduled: int, hold: Hold) -> None:
        failed = self.add("ACTIVITY_TASK_FAILED").activity_task_failed_event_attributes
        failed.scheduled_event_id = scheduled
        info = failed.failure.application_failure_info
        info.type = HELD
        info.details.payloads.extend(await pydantic_data_converter.encode([hold]))

    def signal(self, name: str) -> None:
        self.add(
            "WORKFLOW_EXECUTION_SIGNALED"
        ).workflow_execution_signaled_event_attributes.signal_name = name

    def upsert(self, *names: str) -> None:
        attributes = self.add("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")
        fields = (
            attributes.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        )
        for name in names:
            fields[name].data = b"1"

    @property
    def history(self) -> WorkflowHistory:
        return WorkflowHistory("order-S-028-1234567-8901234", self.events)


def one_shipment() -> Histories:
    h = Histories()
    h.add("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes.SetInParent()
    h.add("WORKFLOW_TASK_SCHEDULED")
    for name in ("resolve_items", "create_sales_order"):
        h.done(h.activity(name))
    return h


def test_every_kind_of_action_counts_by_its_rule() -> None:
    h = one_shipment()
    h.done(h.activity("invoice_delivery", attempt=4))  # 1 and three retries
    h.signal("amazon_changed")
    h.upsert("Step", "M3Order")  # one call, however many attributes
    h.upsert("TemporalChangeVersion")  # free
    h.add("TIMER_STARTED").timer_started_event_attributes.SetInParent()
    h.add("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")
    h.add("START_CHILD_WORKFLOW_EXECUTION_INITIATED")
    counts = count_actions(h.history)
    assert counts.by_kind == {
        "start": 1,
        "activities": 3,
        "retries": 3,
        "signals": 1,
        "search attributes": 1,
        "timers": 1,
        "updates": 1,
        "children": 2,
    }
    assert counts.total == 13


def test_signal_with_start_is_one_action() -> None:
    h = Histories()
    h.add("WORKFLOW_EXECUTION_STARTED")
    h.signal("amazon_changed")
    h.add("WORKFLOW_TASK_SCHEDULED")
    h.signal("amazon_changed")
    assert count_actions(h.history).by_kind == {"start": 1, "signals": 1}


def test_local_activities_of_one_task_are_one_action() -> None:
    h = Histories()
    for task in (4, 4, 9):
        marker = h.add("MARKER_RECORDED").marker_recorded_event_attributes
        marker.marker_name, marker.workflow_task_completed_event_id = "core_local_activity", task
    assert count_actions(h.history).by_kind == {"local activities": 2}


async def test_the_trail_tells_calls_with_their_times_tries_and_endings() -> None:
    h = one_shipment()
    hold = Hold(
        reason=HeldReason.CREDIT_STOP, sentence="M3 stopped it.", system="M3", code="OX12", request_id="r-1"
    )
    await h.held(h.activity("invoice_delivery", attempt=2), hold)
    h.add("WORKFLOW_EXECUTION_TERMINATED").workflow_execution_terminated_event_attributes.SetInParent()
    trail = await trail_of(CLIENT, h.history)
    assert [(entry.kind, entry.name, entry.outcome) for entry in trail] == [
        ("workflow", "started", ""),
        ("call", "resolve_items", "done"),
        ("call", "create_sales_order", "done"),
        ("call", "invoice_delivery", "held: credit_stop"),
        ("workflow", "closed", "terminated"),
    ]
    call = trail[3]
    assert (call.attempts, call.sentence, call.code, call.request_id) == (2, "M3 stopped it.", "OX12", "r-1")
    assert call.finished is not None
    assert call.finished - call.at == timedelta(seconds=2)
    assert await last_hold(CLIENT, h.history) == hold


async def test_a_failure_that_is_no_hold_keeps_its_innermost_message() -> None:
    h = one_shipment()
    scheduled = h.activity("invoice_delivery")
    failed = h.add("ACTIVITY_TASK_FAILED").activity_task_failed_event_attributes
    failed.scheduled_event_id = scheduled
    failed.failure.message = "Activity task failed"
    failed.failure.cause.message = "M3 answered 503."
    trail = await trail_of(CLIENT, h.history)
    assert (trail[-1].outcome, trail[-1].sentence) == ("failed", "M3 answered 503.")
    assert await last_hold(CLIENT, h.history) is None


@pytest.mark.parametrize("name", ["", "amazon_changed"])
async def test_an_order_that_was_never_held_has_no_hold(name: str) -> None:
    h = one_shipment()
    if name:
        h.signal(name)
    assert await last_hold(CLIENT, h.history) is None
