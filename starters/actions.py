"""Temporal actions counted from a history, by Temporal Cloud's billing rules (docs: evaluate/cloud/actions).

They measure the load on a self-hosted server as well. Queries and rejected updates leave no trace in a
history and are not counted; search attributes set at the start are free.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

_ONE_EACH: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "start",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activities",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: "signals sent",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continue-as-new",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: "options",
}
_CHILD: Final = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
_UPSERT: Final = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
_MARKER: Final = EventType.EVENT_TYPE_MARKER_RECORDED
_STARTED: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
_SIGNALED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
_FREE_ATTRIBUTES: Final = frozenset({"TemporalChangeVersion"})


@dataclass(frozen=True)
class ActionCount:
    """Actions of one workflow run."""

    by_kind: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


def count_actions(history: WorkflowHistory) -> ActionCount:
    """The actions of one run, as far as its history tells.

    An activity counts once per attempt; those of an activity under way are known to the server alone until
    it ends. A signal-with-start is one action, so the signal that came with the start is not counted again.
    """
    counts: Counter[str] = Counter()
    local_tasks: set[int] = set()
    for event in _billed(history.events):
        kind = _ONE_EACH.get(event.event_type)
        if kind:
            counts[kind] += 1
        elif event.event_type == _STARTED:
            counts["retries"] += event.activity_task_started_event_attributes.attempt - 1
        elif event.event_type == _CHILD:
            counts["children"] += 2
        elif event.event_type == _UPSERT:
            counts["search attributes"] += _is_billed_upsert(event)
        elif event.event_type == _MARKER and _is_local_activity(event):
            local_tasks.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
    counts["local activities"] = len(local_tasks)
    return ActionCount({kind: number for kind, number in counts.items() if number})


def _billed(events: Iterable[HistoryEvent]) -> Iterable[HistoryEvent]:
    """All events but the signal that a signal-with-start brought along: event 2, before any task."""
    return (event for event in events if not (event.event_type == _SIGNALED and event.event_id == 2))


def _is_billed_upsert(event: HistoryEvent) -> bool:
    attributes = event.upsert_workflow_search_attributes_event_attributes.search_attributes
    return not set(attributes.indexed_fields) <= _FREE_ATTRIBUTES


def _is_local_activity(event: HistoryEvent) -> bool:
    return event.marker_recorded_event_attributes.marker_name == "core_local_activity"
