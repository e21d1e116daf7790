"""The words of alerts: what is held, why in one sentence, where to look, and the command that repairs it.

Plain text, bounded: the shortest of the usual services (Discord) takes 2,000 characters.
"""

from datetime import datetime, timedelta
from typing import Final

from canonical.alert_contracts import (
    AlertMessage,
    AlertRules,
    Group,
    HeldNotice,
    HeldNow,
    ReasonSeen,
    Severity,
)
from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS
from canonical.ids import subject_of_workflow
from canonical.links import list_link, workflow_link

NAMED: Final = 3
"""Orders that a gathered message names one by one."""
LONGEST_TITLE: Final = 120
LONGEST_BODY: Final = 1900
_LONGEST_SENTENCE: Final = 400
_DIGEST_ROWS: Final = 8
_WITHOUT_ARGUMENT: Final = frozenset({FixName.RETRY, FixName.ACCEPT_DIFFERENCE, FixName.CANCEL})

HELD: Final = 'ExecutionStatus="Running" AND HeldReason IS NOT NULL'
"""Visibility query of everything that is held, whatever kind of workflow."""


def first(notice: HeldNotice, rules: AlertRules, *, outage: bool) -> AlertMessage:
    """The first order held for a reason."""
    more = ""
    if outage:
        stages = ", ".join(_span(stage.after) for stage in rules.stages)
        more = "Other orders will meet the same; " + (
            f"you are told again after {stages} if it lasts, and when it is over."
            if stages
            else "you are told when it is over."
        )
    return _message(
        f"Held: {_title(notice.reason)} ({notice.noun} {notice.order_id})",
        [
            _cut(notice.sentence, _LONGEST_SENTENCE),
            f"{notice.noun.capitalize()} {notice.order_id} of seller {notice.seller_id}, step {notice.step}, "
            f"reason {notice.reason}, since {_at(notice.since)}.",
            f"What to do: {_what_to_do(notice.reason)}",
            more,
        ],
        Severity.FAILURE if outage else Severity.WARNING,
        f"Repair: {notice.command}",
        f"Web UI: {workflow_link(rules.web_ui, rules.namespace, notice.workflow_id, notice.run_id)}",
    )


def gathered(
    group: Group,
    number: int,
    named: tuple[HeldNotice, ...],
    others: tuple[str, ...],
    facts: ReasonSeen,
    rules: AlertRules,
) -> AlertMessage:
    """Repeats of a reason since its last message: `number` are still held. Known of `named` is all they said,
    of `others` the workflow id."""
    reason, total = group.reason, max(facts.total, number)
    lines = [
        f"Since {_at(group.told_at)} {_orders(number)} became held for {reason} and still {_are(number)}; "
        f"{_orders(total)} in all, {_oldest(facts)}."
    ]
    lines += [f"{one.order_id}: {_cut(one.sentence, 200)}\n  {one.command}" for one in named[:NAMED]]
    lines += [subject(one) for one in others[: max(NAMED - len(named), 0)]]
    unnamed = number - min(len(named) + len(others), NAMED)
    if unnamed > 0:
        lines.append(f"and {unnamed:,} more.")
    lines.append(f"What to do: {_what_to_do(reason)}")
    title = f"Held: {_orders(number, 'more')}, {_title(reason)}"
    return _message(title, lines, Severity.WARNING, _repair_of_all(reason), _list(reason, rules))


def escalated(group: Group, facts: ReasonSeen, rules: AlertRules, now: datetime) -> AlertMessage:
    """An outage that lasts."""
    lasted = _span(now - group.opened)
    held = _orders(facts.total)
    return _message(
        f"Still held after {lasted}: {_title(group.reason)} ({held})",
        [
            f"{held} {_are(facts.total)} held for {group.reason}, {_oldest(facts)}; "
            f"first told {_at(group.opened)}.",
            f"Among them: {', '.join(facts.first[:NAMED])}.",
            f"What to do: {_what_to_do(group.reason)}",
            f"Stage {group.stage} of {len(rules.stages)}.",
        ],
        Severity.FAILURE,
        _repair_of_all(group.reason),
        _list(group.reason, rules),
    )


def recovered(group: Group, rules: AlertRules, now: datetime) -> AlertMessage:
    """The last order of an outage goes on."""
    return _message(
        f"Over: {_title(group.reason)}",
        [
            f"No order is held for {group.reason} any more. It lasted {_span(now - group.opened)}, from "
            f"{_at(group.opened)} to {_at(now)}; up to {_orders(group.most or group.heard)} were held.",
        ],
        Severity.SUCCESS,
        "What is held for other reasons: o2c held",
        _list("", rules),
    )


def digest(seen: HeldNow, rules: AlertRules, now: datetime) -> AlertMessage:
    """Everything that is held, once a day."""
    ranked = sorted(seen.reasons.items(), key=lambda entry: (-entry[1].total, entry[0]))
    total = sum(facts.total for facts in seen.reasons.values())
    lines = [
        f"{_orders(facts.total)}: {_title(reason)} ({reason}), {_oldest(facts)}, such as {facts.first[0]}."
        if facts.first
        else f"{_orders(facts.total)}: {_title(reason)} ({reason}), {_oldest(facts)}."
        for reason, facts in ranked[:_DIGEST_ROWS]
    ]
    if len(ranked) > _DIGEST_ROWS:
        lines.append(f"and {len(ranked) - _DIGEST_ROWS} more reasons.")
    if not seen.complete:
        lines.append("More are held than were counted.")
    title = f"{_orders(total)} held at {_at(now)}"
    return _message(title, lines, Severity.INFO, "Each with its repair: o2c held", _list("", rules))


def trial(target: str, now: datetime) -> AlertMessage:
    """What `o2c alerts --test` sends."""
    sentence = f"This is a test of the alert target {target}, sent {_at(now)}. Nothing is held because of it."
    return _message("Test of the alerts", [sentence], Severity.INFO)


def subject(workflow_id: str) -> str:
    """What a person calls the workflow: an order by Amazon's number, anything else by its id."""
    known = subject_of_workflow(workflow_id)
    return known[1] if known else workflow_id


def _repair_of_all(reason: str) -> str:
    """One command where the repair needs nothing but the word, otherwise the list that gives each its own."""
    fix = HELD_REASONS[HeldReason(reason)].fixes[0] if reason in HELD_REASONS else None
    if fix in _WITHOUT_ARGUMENT:
        return f"Repair all, once the cause is gone: o2c fix --where 'HeldReason=\"{reason}\"' {fix}"
    return f"Repair, each with its own command: o2c held --reason {reason}"


def _message(title: str, lines: list[str], severity: Severity, *end: str) -> AlertMessage:
    """Bounded: the lines are cut where they are too long, the repair and the link at the `end` never."""
    tail = "\n".join(line for line in end if line)
    body = _cut_block("\n".join(line for line in lines if line), LONGEST_BODY - len(tail) - 1)
    return AlertMessage(title=_cut(title, LONGEST_TITLE), body=f"{body}\n{tail}".strip(), severity=severity)


def _title(reason: str) -> str:
    return HELD_REASONS[HeldReason(reason)].title if reason in HELD_REASONS else reason


def _what_to_do(reason: str) -> str:
    if reason in HELD_REASONS:
        return HELD_REASONS[HeldReason(reason)].what_to_do
    return "Open it in the Web UI: its details say what repairs it."


def _list(reason: str, rules: AlertRules) -> str:
    query = f'{HELD} AND HeldReason="{reason}"' if reason else HELD
    return f"Web UI: {list_link(rules.web_ui, rules.namespace, query, f'held {reason}'.strip())}"


def _orders(number: int, word: str = "") -> str:
    return " ".join(part for part in (f"{number:,}", word, "order" if number == 1 else "orders") if part)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _oldest(facts: ReasonSeen) -> str:
    return f"the oldest since {_at(facts.oldest)}" if facts.oldest else "since an unknown time"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _span(span: timedelta) -> str:
    minutes = max(round(span.total_seconds() / 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _cut(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _cut_block(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
