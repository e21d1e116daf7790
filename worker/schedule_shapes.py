"""What a schedule of the service is: the shapes that all of them have."""

from datetime import time, timedelta
from typing import Final, NamedTuple

from pydantic import BaseModel
from temporalio.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

MISSED_SWEEP: Final = timedelta(minutes=1)
"""A sweep that could not run is not made up for: the next one reads what it would have read."""
MISSED_DAY: Final = timedelta(hours=20)
"""A reconciliation is, while its day lasts, and so is a look at returns; later ones reach back to the last that
completed."""
_SPREAD: Final = 60
"""Sellers begin at different seconds of the interval, so that they do not ask in one moment."""


class Planned(NamedTuple):
    """One schedule as the configuration wants it."""

    id: str
    seller_id: str
    workflow: str
    argument: BaseModel
    spec: ScheduleSpec
    missed: timedelta
    summary: str


def every(minutes: float, place: int) -> ScheduleSpec:
    """At an interval, sellers at different seconds of it."""
    interval = timedelta(minutes=minutes)
    offset = timedelta(seconds=(place * 7) % min(_SPREAD, max(int(interval.total_seconds()), 1)))
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval, offset=offset)])


def daily(at: time, time_zone: str) -> ScheduleSpec:
    """At a time of day."""
    calendar = ScheduleCalendarSpec(
        hour=[ScheduleRange(at.hour)], minute=[ScheduleRange(at.minute)], second=[ScheduleRange(at.second)]
    )
    return ScheduleSpec(calendars=[calendar], time_zone_name=time_zone)


def daily_look(
    schedule_id: str, seller_id: str, workflow: str, argument: BaseModel, what: str, spec: ScheduleSpec
) -> Planned:
    """Once a day, of a seller or of all; one that was missed is made up for while its day lasts."""
    summary = f"{what}, seller {seller_id}" if seller_id else what
    return Planned(schedule_id, seller_id, workflow, argument, spec, MISSED_DAY, summary)
