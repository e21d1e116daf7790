"""When people are told of what: the rules of alerting, as functions from state and time to state.

Orders say when to look; visibility says what is true. An order that becomes held tells so, and the first of a
reason is announced from its own words. Everything after that - how many, still held, over - is said only after
visibility was asked, so that an order that was terminated, or whose word was lost, leaves no false alarm behind.
The state is bounded, however many orders are held.
"""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from canonical import alert_texts as texts
from canonical.alert_contracts import (
    AlertRules,
    AlertsState,
    AlertsView,
    Digest,
    Group,
    HeldNotice,
    HeldNow,
    ReadHeld,
    ReasonSeen,
)
from canonical.alert_outbox import post
from canonical.held import HeldReason

OUTAGES: Final = frozenset(
    {
        HeldReason.M3_UNAVAILABLE,
        HeldReason.M3_NOT_AUTHORISED,
        HeldReason.AMAZON_UNAVAILABLE,
        HeldReason.AMAZON_NOT_AUTHORISED,
    }
)
"""Reasons with one cause for all orders: escalated by stages, and their end is announced."""

REMEMBERED: Final = 300
"""Orders of a reason, since its last message, that are remembered one by one."""
_NOTICES: Final = 10
"""Of these, everything an order said is remembered, so that a few can be named however many are repaired."""
SETTLE: Final = timedelta(seconds=5)
"""Visibility follows the workflows with a delay; so long after the last word it is believed."""
_LONGEST_SETTLE: Final = timedelta(minutes=1)
"""A look that is due waits no longer than this for a quiet moment."""


# --- what orders and the configuration say ------------------------------------------------------


def configured(state: AlertsState, rules: AlertRules, now: datetime) -> AlertsState:
    """Go on under other rules; a digest that is due already is still made."""
    late = state.digest_due is not None and state.digest_due <= now and rules.next_digest is not None
    due = state.digest_due if late else rules.next_digest
    return state.model_copy(update={"rules": rules, "digest_due": due})


def heard(state: AlertsState, notice: HeldNotice, now: datetime) -> AlertsState:
    """An order is held: the first of its reason is announced at once, the others are gathered."""
    group, outage = state.groups.get(notice.reason), notice.reason in OUTAGES
    if group is None:
        opened = Group(reason=notice.reason, opened=now, heard_at=now, due=now, told_at=now)
        state = _with_group(state, _attended(state.rules, opened, now))
        return post(state, texts.first(notice, state.rules, outage=outage), state.rules.targets, now)
    facts: dict[str, object] = {"heard": group.heard + 1, "heard_at": now}
    if not outage and notice.workflow_id not in group.pending:
        facts["unsaid"] = group.unsaid + 1
        facts["pending"] = (*group.pending, notice.workflow_id)[:REMEMBERED]
        facts["notices"] = (*group.notices, notice)[:_NOTICES]
    return _with_group(state, group.model_copy(update=facts))


def released(state: AlertsState, reason: str, now: datetime) -> AlertsState:
    """An order is held no longer: an outage may be over, which a look will tell."""
    if reason not in OUTAGES or reason not in state.groups:
        return state
    return state.model_copy(update={"released_at": now, "nudge": state.nudge or now + SETTLE})


# --- looking ------------------------------------------------------------------------------------


def quietened(state: AlertsState, now: datetime) -> AlertsState:
    """Forget reasons that no order told of again within the window; the next one is a first again."""
    groups = {
        reason: group
        for reason, group in state.groups.items()
        if reason in OUTAGES or group.unsaid or _due(group) > now
    }
    return state if len(groups) == len(state.groups) else state.model_copy(update={"groups": groups})


def question(state: AlertsState, now: datetime) -> ReadHeld | None:
    """What visibility has to be asked now; None where nothing is due or a look is under way."""
    if state.asked is not None:
        return None
    due = [*map(_due, state.groups.values()), state.nudge, state.digest_due]
    if not any(moment is not None and moment <= now for moment in due):
        return None
    return ReadHeld(now=now, named=tuple(one for group in state.groups.values() for one in group.pending))


def asked(state: AlertsState, now: datetime) -> AlertsState:
    """The look is under way. Where an order was released a moment ago, visibility may not know it yet: another
    look follows."""
    groups = {
        reason: group.model_copy(update={"asking": group.unsaid if _due(group) <= now else 0})
        for reason, group in state.groups.items()
    }
    fresh = state.released_at is not None and state.released_at > now - SETTLE
    nudge = state.nudge
    if nudge is not None and nudge <= now:
        nudge = now + SETTLE if fresh else None
    return state.model_copy(update={"groups": groups, "asked": now, "nudge": nudge})


def looked(state: AlertsState, seen: HeldNow, now: datetime) -> AlertsState:
    """Say what the look has shown: gathered repeats, the next stage of an outage, its end, the digest."""
    at = state.asked or now
    for reason, group in state.groups.items():
        facts = seen.reasons.get(reason, ReasonSeen())
        if reason in OUTAGES:
            state = _outage(state, group, facts, at, now)
        elif group.asking:
            state = _gathered(state, group, facts, at, now)
    if state.digest_due is not None and state.digest_due <= at:
        state = _digest(state, seen, now)
    return state.model_copy(update={"asked": None})


def _outage(state: AlertsState, group: Group, facts: ReasonSeen, at: datetime, now: datetime) -> AlertsState:
    group = group.model_copy(update={"most": max(group.most, facts.total)})
    if facts.total == 0:
        if group.heard_at > at - SETTLE:
            return _with_group(state, group.model_copy(update={"due": group.heard_at + SETTLE}))
        told = _told(state.rules, group)
        state = _without(state, group.reason)
        return post(state, texts.recovered(group, state.rules, now), told, now)
    reached = sum(group.opened + stage.after <= at for stage in state.rules.stages)
    if reached <= group.stage:
        return _with_group(state, _attended(state.rules, group, at))
    stage = state.rules.stages[reached - 1]
    raised = group.model_copy(update={"stage": reached, "told_at": now})
    state = _with_group(state, _attended(state.rules, raised, at))
    return post(state, texts.escalated(raised, facts, state.rules, now), stage.targets, now)


def _gathered(
    state: AlertsState, group: Group, facts: ReasonSeen, at: datetime, now: datetime
) -> AlertsState:
    judged, later = group.pending[: group.asking], group.pending[group.asking :]
    held = set(facts.still) & set(judged)
    number = len(held) if len(judged) == group.asking else min(group.asking, facts.total)
    if number == 0 and group.unsaid == group.asking:
        return _without(state, group.reason)
    rest = {
        "unsaid": group.unsaid - group.asking,
        "asking": 0,
        "pending": later,
        "notices": tuple(one for one in group.notices if one.workflow_id in later),
        "due": at + state.rules.window,
        "told_at": now if number else group.told_at,
    }
    state = _with_group(state, group.model_copy(update=rest))
    if number == 0:
        return state
    named = tuple(notice for notice in group.notices if notice.workflow_id in held)
    others = tuple(one for one in judged if one in held and all(one != known.workflow_id for known in named))
    message = texts.gathered(group, number, named, others, facts, state.rules)
    return post(state, message, state.rules.targets, now)


def _digest(state: AlertsState, seen: HeldNow, now: datetime) -> AlertsState:
    held = sum(facts.total for facts in seen.reasons.values())
    done = Digest(at=now, held=held, sent=held > 0)
    state = state.model_copy(update={"digest_due": seen.next_digest, "last_digest": done})
    return (
        post(state, texts.digest(seen, state.rules, now), state.rules.digest_targets, now) if held else state
    )


def _due(group: Group) -> datetime:
    """When the group is looked at: after a quiet moment, since visibility follows with a delay."""
    if group.reason in OUTAGES or not group.unsaid:
        return group.due
    return max(group.due, min(group.heard_at + SETTLE, group.due + _LONGEST_SETTLE))


def _attended(rules: AlertRules, group: Group, at: datetime) -> Group:
    """When to look at an outage next: at its next stage, and once a window in case a word was lost."""
    later = at + rules.window
    if group.reason in OUTAGES:
        stages = [group.opened + stage.after for stage in rules.stages[group.stage :]]
        later = min([moment for moment in stages if moment > at] + [later])
    return group.model_copy(update={"due": later})


def _told(rules: AlertRules, group: Group) -> tuple[str, ...]:
    stages = (stage.targets for stage in rules.stages[: group.stage])
    return tuple(dict.fromkeys((*rules.targets, *(target for targets in stages for target in targets))))


# --- time, and what is known --------------------------------------------------------------------


def next_due(state: AlertsState) -> datetime | None:
    """When something is to be done next if nobody says anything; None where nothing is."""
    moments = [one.due for one in state.outbox]
    if state.asked is None:
        moments += [*map(_due, state.groups.values()), state.nudge, state.digest_due]
    return min((moment for moment in moments if moment is not None), default=None)


def next_digest(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The first moment after `now` at which clocks in `zone` show `at`; an hour that is left out in spring
    is taken as one that had gone on."""
    day = now.astimezone(zone).date()
    moment = datetime.combine(day, at, zone)
    while moment.timestamp() <= now.timestamp():
        day += timedelta(days=1)
        moment = datetime.combine(day, at, zone)
    return moment.astimezone(now.tzinfo)


def view(state: AlertsState) -> AlertsView:
    """What the workflow tells when it is asked."""
    return AlertsView(
        rules=state.rules,
        groups=tuple(state.groups.values()),
        undelivered=state.outbox,
        lost=state.lost,
        delivered=state.delivered,
        given_up=state.given_up,
        next_digest=state.digest_due,
        last_digest=state.last_digest,
    )


def _with_group(state: AlertsState, group: Group) -> AlertsState:
    return state.model_copy(update={"groups": {**state.groups, group.reason: group}})


def _without(state: AlertsState, reason: str) -> AlertsState:
    groups = {name: group for name, group in state.groups.items() if name != reason}
    return state.model_copy(update={"groups": groups})
