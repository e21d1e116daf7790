"""Temporal schedules of the sweeps and the reconciliation: made from the configuration, looked at, paused."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from activities.checks import Check
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.deferred_contracts import deferred_look_id
from canonical.finance_contracts import finance_look_id
from canonical.ids import (
    amazon_sweep_id,
    correction_sweep_id,
    deadlines_id,
    delivery_sweep_id,
    fba_feed_id,
    mcf_sweep_id,
    reconciliation_id,
    returns_schedule_id,
)
from canonical.schedule_contracts import (
    AmazonSweepInput,
)
from canonical.settlement_ids import settlement_feed_id
from canonical.stock.fba_ids import fba_adjustments_id
from canonical.stock.listing_contracts import listings_look_id
from canonical.stock.open_orders import open_orders_id
from worker.marks import mark_of, scheduled_mark
from worker.schedule_plan import planned
from worker.schedule_shapes import Planned
from worker.settings import Settings
from workflows import search_attributes as sa

LATE: Final = timedelta(hours=1)
"""How much longer than its interval a seller's mark may stand still before somebody should look."""


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


async def apply(client: Client, settings: Settings) -> list[Applied]:
    """Make the schedules as the configuration wants them; those of sellers it no longer has are deleted.

    A new sweep begins where the last one ended. What is paused stays paused. May be repeated. Raises RPCError.
    """
    wanted = planned(settings)
    done = [await _put(client, await _with_beginning(client, one)) for one in wanted]
    surplus = sorted(await _known(client) - {one.id for one in wanted})
    gone = [schedule_id for schedule_id in surplus if await delete(client, schedule_id)]
    return [*done, *(Applied(id=schedule_id, done="deleted") for schedule_id in gone)]


async def _known(client: Client) -> set[str]:
    """Ids of our schedules as the server lists them, which lags behind by a moment."""
    return {one.id async for one in await client.list_schedules() if _is_ours(one.id)}


def _is_ours(schedule_id: str) -> bool:
    return schedule_id.startswith(
        (
            amazon_sweep_id(""),
            returns_schedule_id(""),
            fba_feed_id(""),
            settlement_feed_id(""),
            deferred_look_id(""),
            finance_look_id(""),
            open_orders_id(""),
            listings_look_id(""),
        )
    ) or schedule_id in (
        delivery_sweep_id(),
        correction_sweep_id(),
        deadlines_id(),
        mcf_sweep_id(),
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
    """Ids of the schedules that are meant: ids, or ``sweep``, ``deliveries``, ``mcf``, ``reconciliation``,
    ``returns``, ``settlements``, ``listings``; none means all.

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
    kinds = {
        "sweep": amazon_sweep_id(""),
        "returns": returns_schedule_id(""),
        "settlements": settlement_feed_id(""),
        "fba-adjustments": fba_adjustments_id(""),
        "listings": listings_look_id(""),
    }
    return name in kinds and schedule_id.startswith(kinds[name])


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


async def check_schedules(client: Client, settings: Settings) -> Check:
    """What the doctor says: that nothing runs by the clock is a choice, a sweep that does not get on is none."""
    rows = await listed(client, settings)
    wanted = {one.id for one in planned(settings)}
    missing = sorted(wanted - {row.id for row in rows})
    if not rows:
        return Check(
            "schedules", ok=True, sentence="Nothing runs by the clock yet; 'o2c schedules apply' makes it."
        )
    paused = [f"{row.id} ({row.note})" if row.note else row.id for row in rows if row.paused]
    latest = timedelta(minutes=settings.schedules.amazon_minutes) + LATE
    late = [row.id for row in rows if not row.paused and (lag(row) or timedelta()) > latest]
    if late:
        sentence = (
            f"{', '.join(late)}: Amazon's changes are not read any more; 'o2c schedules' says up to when."
        )
    elif missing:
        sentence = f"There is no {', '.join(missing)}; 'o2c schedules apply' makes it."
    elif paused:
        sentence = f"Paused: {', '.join(paused)}; 'o2c schedules resume' goes on."
    else:
        sentence = f"{len(rows)} schedules run."
    return Check("schedules", ok=not late and not missing, sentence=sentence)
