"""An order's history read for people: what was done when, how often it was tried, what went wrong."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory

from canonical.activity_contracts import HELD
from canonical.held import Hold

_NOISE: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    }
)


class TrailEntry(BaseModel):
    """One thing that happened to the order."""

    at: datetime
    kind: str
    """call, signal, update, timer, held, workflow."""
    name: str
    outcome: str = ""
    """done, failed, refused ..., empty while under way."""
    finished: datetime | None = None
    attempts: int = 0
    sender: str = ""
    """Who sent a signal or an update, by Temporal's word: the Web UI's user, or process and host."""
    sentence: str = ""
    code: str = ""
    request_id: str = ""


class _Reader:
    """Walks the events of one run and joins what belongs together."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._trail: list[TrailEntry] = []
        self._by_event: dict[int, TrailEntry] = {}

    async def read(self, events: Iterable[HistoryEvent]) -> list[TrailEntry]:
        for event in events:
            if event.event_type not in _NOISE:
                await self._take(event)
        return self._trail

    async def _take(self, event: HistoryEvent) -> None:  # noqa: C901 - one branch per event type
        attributes = event.WhichOneof("attributes")
        match attributes:
            case "workflow_execution_started_event_attributes":
                self._add(event, "workflow", "started")
            case "activity_task_scheduled_event_attributes":
                name = event.activity_task_scheduled_event_attributes.activity_type.name
                self._by_event[event.event_id] = self._add(event, "call", name)
            case "activity_task_started_event_attributes":
                started = event.activity_task_started_event_attributes
                self._by_event[started.scheduled_event_id].attempts = started.attempt
            case "activity_task_completed_event_attributes":
                done = event.activity_task_completed_event_attributes
                self._finish(event, done.scheduled_event_id, "done")
            case "activity_task_failed_event_attributes":
                failed = event.activity_task_failed_event_attributes
                await self._fail(event, failed.scheduled_event_id, failed.failure)
            case "activity_task_timed_out_event_attributes":
                late = event.activity_task_timed_out_event_attributes
                await self._fail(event, late.scheduled_event_id, late.failure)
            case "timer_started_event_attributes":
                self._add(event, "timer", "timer")
            case "workflow_execution_signaled_event_attributes":
                signal = event.workflow_execution_signaled_event_attributes
                self._add(event, "signal", signal.signal_name, "received").sender = signal.identity
            case "workflow_execution_update_accepted_event_attributes":
                request = event.workflow_execution_update_accepted_event_attributes.accepted_request
                update = self._add(event, "update", request.input.name, "accepted")
                update.sender = request.meta.identity
            case "workflow_task_failed_event_attributes":
                self._add(
                    event, "workflow", "workflow task", "failed"
                ).sentence = event.workflow_task_failed_event_attributes.failure.message
            case _:
                self._close(event)

    def _close(self, event: HistoryEvent) -> None:
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_WORKFLOW_EXECUTION_").lower()
        if name in {"completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new"}:
            self._add(event, "workflow", "closed", name)

    def _add(self, event: HistoryEvent, kind: str, name: str, outcome: str = "") -> TrailEntry:
        entry = TrailEntry(at=_moment(event.event_time), kind=kind, name=name, outcome=outcome)
        self._trail.append(entry)
        return entry

    def _finish(self, event: HistoryEvent, scheduled: int, outcome: str) -> TrailEntry:
        entry = self._by_event[scheduled]
        entry.finished, entry.outcome = _moment(event.event_time), outcome
        return entry

    async def _fail(self, event: HistoryEvent, scheduled: int, failure: Failure) -> None:
        entry = self._finish(event, scheduled, "failed")
        hold = await hold_of_failure(self._client, failure)
        if hold is None:
            entry.sentence = failure_sentence(failure)
            return
        entry.outcome = f"held: {hold.reason}"
        entry.sentence, entry.code, entry.request_id = hold.sentence, hold.code, hold.request_id


async def trail_of(client: Client, history: WorkflowHistory) -> list[TrailEntry]:
    """Everything that happened to the order, as it began. No inputs, hence nothing personal."""
    return await _Reader(client).read(history.events)


async def last_hold(client: Client, history: WorkflowHistory) -> Hold | None:
    """The last hold an activity asked for; None where the workflow's own rule or used-up retries held it."""
    for event in reversed(history.events):
        if event.HasField("activity_task_failed_event_attributes"):
            return await hold_of_failure(client, event.activity_task_failed_event_attributes.failure)
    return None


async def hold_of_failure(client: Client, failure: Failure) -> Hold | None:
    """The hold that a failure carries; None for any other failure."""
    if failure.application_failure_info.type != HELD:
        return None
    details: Payloads = failure.application_failure_info.details
    values = await client.data_converter.decode(details.payloads)
    try:
        return Hold.model_validate(values[0]) if values else None
    except ValidationError:
        return None


def failure_sentence(failure: Failure) -> str:
    """The innermost message: what an activity failed of, rather than that it failed."""
    while failure.HasField("cause"):
        failure = failure.cause
    return failure.message


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
