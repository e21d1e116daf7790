"""The schedules as the configuration wants them: what runs, when, and with which argument."""

from datetime import time, timedelta
from typing import Final, NamedTuple

from pydantic import BaseModel
from temporalio.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

from canonical.ids import amazon_sweep_id, delivery_sweep_id, reconciliation_id
from canonical.schedule_contracts import (
    AMAZON_SWEEP,
    DELIVERY_SWEEP,
    RECONCILIATION,
    AmazonSweepInput,
    DeliverySweepInput,
    ReconciliationInput,
)
from worker.settings import Settings

_MISSED_SWEEP: Final = timedelta(minutes=1)
"""A sweep that could not run is not made up for: the next one reads what it would have read."""
_MISSED_DAY: Final = timedelta(hours=20)
"""A reconciliation is, while its day lasts; later ones reach back to the last that completed."""
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


def planned(settings: Settings) -> list[Planned]:
    """The schedules that the configuration wants, without the moment at which new ones begin."""
    wanted = settings.schedules
    sweeps = [
        Planned(
            id=amazon_sweep_id(seller_id),
            seller_id=seller_id,
            workflow=AMAZON_SWEEP,
            argument=AmazonSweepInput(
                seller_id=seller_id,
                overlap=timedelta(minutes=wanted.overlap_minutes),
                first_look=timedelta(hours=wanted.first_look_hours),
            ),
            spec=_every(wanted.amazon_minutes, place),
            missed=_MISSED_SWEEP,
            summary=f"What changed at Amazon, seller {seller_id}",
        )
        for place, seller_id in enumerate(settings.sellers)
    ]
    deliveries = Planned(
        id=delivery_sweep_id(),
        seller_id="",
        workflow=DELIVERY_SWEEP,
        argument=DeliverySweepInput(limit=wanted.m3_orders),
        spec=_every(wanted.m3_minutes, 0),
        missed=_MISSED_SWEEP,
        summary="What left the warehouses in M3",
    )
    return [*sweeps, deliveries, *_reconciliation(settings)]


def _every(minutes: float, place: int) -> ScheduleSpec:
    every = timedelta(minutes=minutes)
    offset = timedelta(seconds=(place * 7) % min(_SPREAD, max(int(every.total_seconds()), 1)))
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every, offset=offset)])


def _reconciliation(settings: Settings) -> list[Planned]:
    wanted = settings.schedules
    if not isinstance(wanted.reconciliation_at, time):
        return []
    at = wanted.reconciliation_at
    calendar = ScheduleCalendarSpec(
        hour=[ScheduleRange(at.hour)], minute=[ScheduleRange(at.minute)], second=[ScheduleRange(at.second)]
    )
    argument = ReconciliationInput(
        seller_ids=tuple(settings.sellers),
        days=wanted.reconciliation_days,
        time_zone=wanted.time_zone,
        start_missing=wanted.start_missing,
        tolerances={key: profile.tolerance for key, profile in settings.marketplaces.items()},
    )
    return [
        Planned(
            id=reconciliation_id(),
            seller_id="",
            workflow=RECONCILIATION,
            argument=argument,
            spec=ScheduleSpec(calendars=[calendar], time_zone_name=wanted.time_zone),
            missed=_MISSED_DAY,
            summary="Amazon's orders of a day against workflows and M3",
        )
    ]
