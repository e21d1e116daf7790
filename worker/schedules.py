"""Temporal schedules of the sweeps and the reconciliation: made from the configuration, looked at, paused."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

from pydantic import BaseModel
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.ids import amazon_sweep_id, delivery_sweep_id, reconciliation_id
from canonical.schedule_contracts import (
    AMAZON_SWEEP,
    DELIVERY_SWEEP,
    RECONCILIATION,
    AmazonSweepInput,
    DeliverySweepInput,
    ReconciliationInput,
)
from worker.marks import mark_of, scheduled_mark
from worker.settings import Settings
from workflows import search_attributes as sa

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


class Applied(BaseModel):
    """What was done with one schedule."""

    id: str
    done: str
    """created, updated, deleted."""
    paused: bool = False


class Listed(BaseModel):
    """One schedule as it stands."""

    id: str
    what: str
    paused: bool
    note: str
    next_run: datetime | None
    last_run: datetime | None
    """When the last run began."""
    running: bool
    runs: int
    skipped: int
    """Runs left out since the one before had not ended."""
    mark: datetime | None = None
    """Amazon's sweeps: every change up to this moment has reached its order."""


class NoSchedule(Exception):  # noqa: N818 - said as a sentence to a person
    """There is no such schedule; the text says what there is."""


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


async def apply(client: Client, settings: Settings) -> list[Applied]:
    """Make the schedules as the configuration wants them; those of sellers it no longer has are deleted.

    A new sweep begins where the last one ended. What is paused stays paused. May be repeated. Raises RPCError.
    """
    wanted = planned(settings)
    done = [await _put(client, await _with_beginning(client, one)) for one in wanted]
    for schedule_id in sorted(await _known(client) - {one.id for one in wanted}):
        if await delete(client, schedule_id):
            done.append(Applied(id=schedule_id, done="deleted"))
    return done


async def _known(client: Client) -> set[str]:
    """Ids of our schedules as the server lists them, which lags behind by a moment."""
    return {one.id async for one in await client.list_schedules() if _is_ours(one.id)}


def _is_ours(schedule_id: str) -> bool:
    return schedule_id.startswith(amazon_sweep_id("")) or schedule_id in (
        delivery_sweep_id(),
        reconciliation_id(),
    )


async def _with_beginning(client: Client, one: Planned) -> Planned:
    """Where a sweep begins that no sweep of this schedule came before; the schedule's own memory goes first."""
    if not isinstance(one.argument, AmazonSweepInput):
        return one
    since = await scheduled_mark(client, one.seller_id) or await mark_of(client, one.seller_id)
    return one._replace(argument=one.argument.model_copy(update={"since": since}))


async def _put(client: Client, one: Planned) -> Applied:
    schedule = Schedule(
        action=_action(one),
        spec=one.spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=one.missed),
    )
    try:
        await client.create_schedule(one.id, schedule)
    except ScheduleAlreadyRunningError:
        paused = False

        def changed(now: ScheduleUpdateInput) -> ScheduleUpdate:
            nonlocal paused
            schedule.state = now.description.schedule.state
            paused = schedule.state.paused
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(one.id).update(changed)
        return Applied(id=one.id, done="updated", paused=paused)
    return Applied(id=one.id, done="created")


def _action(one: Planned) -> ScheduleActionStartWorkflow:
    pairs = [SearchAttributePair(sa.SELLER, one.seller_id)] if one.seller_id else []
    return ScheduleActionStartWorkflow(
        one.workflow,
        one.argument,
        id=one.id,
        task_queue=ORDERS_QUEUE,
        typed_search_attributes=TypedSearchAttributes(pairs),
        static_summary=one.summary,
    )


async def listed(client: Client, settings: Settings) -> list[Listed]:
    """Our schedules as the server has them, in the order of the configuration, surplus ones last."""
    wanted = [one.id for one in planned(settings)]
    ids = [*wanted, *sorted(await _known(client) - set(wanted))]
    rows = [await _listed(client, schedule_id) for schedule_id in ids]
    return [row for row in rows if row is not None]


async def _described(client: Client, schedule_id: str) -> ScheduleDescription | None:
    try:
        return await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _listed(client: Client, schedule_id: str) -> Listed | None:
    described = await _described(client, schedule_id)
    if described is None:
        return None
    info, state = described.info, described.schedule.state
    seller_id = schedule_id.removeprefix(amazon_sweep_id(""))
    return Listed(
        id=schedule_id,
        what=_what(described),
        paused=state.paused,
        note=state.note or "",
        next_run=None if state.paused else next(iter(info.next_action_times), None),
        last_run=max((one.started_at for one in info.recent_actions), default=None),
        running=bool(info.running_actions),
        runs=info.num_actions,
        skipped=info.num_actions_skipped_overlap,
        mark=await scheduled_mark(client, seller_id) if seller_id != schedule_id else None,
    )


def _what(described: ScheduleDescription) -> str:
    spec = described.schedule.spec
    if spec.intervals:
        minutes = spec.intervals[0].every.total_seconds() / 60
        return f"every {minutes:g} min"
    if spec.calendars and spec.calendars[0].hour:
        hour, minute = spec.calendars[0].hour[0].start, spec.calendars[0].minute[0].start
        return f"daily at {hour:02d}:{minute:02d} {spec.time_zone_name or 'UTC'}"
    return "by another rule"


async def chosen(client: Client, settings: Settings, names: Sequence[str]) -> list[str]:
    """Ids of the schedules that are meant: ids, or ``sweep``, ``deliveries``, ``reconciliation``; none means all.

    Raises NoSchedule with a sentence.
    """
    there = [row.id for row in await listed(client, settings)]
    if not there:
        raise NoSchedule("There is no schedule yet; 'o2c schedules apply' makes them.")
    if not names:
        return there
    found: list[str] = []
    for name in names:
        meant = [one for one in there if name in (one, one.removeprefix("o2c-")) or _is_kind(one, name)]
        if not meant:
            raise NoSchedule(f"There is no schedule {name!r}; there are {', '.join(there)}.")
        found += meant
    return list(dict.fromkeys(found))


def _is_kind(schedule_id: str, name: str) -> bool:
    return name == "sweep" and schedule_id.startswith(amazon_sweep_id(""))


async def pause(client: Client, schedule_id: str, note: str) -> None:
    """No new run until it is resumed; one under way ends as it would have."""
    await client.get_schedule_handle(schedule_id).pause(note=note)


async def resume(client: Client, schedule_id: str, note: str) -> None:
    """Run again by the clock; what was left out meanwhile is read by the next run, since the mark stood still."""
    await client.get_schedule_handle(schedule_id).unpause(note=note)


async def trigger(client: Client, schedule_id: str) -> None:
    """Run now, also while it is paused; left out where a run is under way."""
    await client.get_schedule_handle(schedule_id).trigger(overlap=ScheduleOverlapPolicy.SKIP)


async def delete(client: Client, schedule_id: str) -> bool:
    """Delete it; its runs stay, and with them the mark at which `apply` begins anew. False where it is gone."""
    try:
        await client.get_schedule_handle(schedule_id).delete()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def lag(row: Listed, now: datetime | None = None) -> timedelta | None:
    """How far the seller's mark lies back; None without one."""
    return None if row.mark is None else (now or datetime.now(UTC)) - row.mark
