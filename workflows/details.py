"""What the Web UI shows of an order: Markdown, with everything an operator needs and nothing personal.

The Web UI renders a list only after an empty line, sets tables without space between their columns, and turns
straight quotes into curly ones outside code: what is to be copied stands in code.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime

from canonical.cancellations import Cancellation
from canonical.held import FixName, Hold, ItemCandidate
from canonical.held_reasons import HELD_REASONS
from canonical.order_contracts import Repair
from canonical.steps import MARKABLE_STEPS, Step
from workflows.repairs import EXAMPLES

_MENTIONED_CANDIDATES = 5
_MENTIONED = 10
"""Repairs and remarks, the latest."""


def waiting(
    order_id: str,
    step: Step,
    sentence: str,
    remarks: list[str],
    repairs: Sequence[Repair] = (),
    noun: str = "order",
) -> str:
    """Details of an order that goes its way, or has come to its end."""
    nothing = (
        f"the {noun} is done" if step is Step.CLOSED else "it goes on by itself, or says here what it needs"
    )
    parts = [
        f"{noun.capitalize()} **{order_id}**, step **{step}**.",
        _plain(sentence),
        f"**What to do.** Nothing: {nothing}.",
    ]
    return "\n\n".join([*parts, *_repaired(repairs), *_remarks(remarks)])


def held(
    order_id: str,
    step: Step,
    hold: Hold,
    since: datetime,
    remarks: list[str],
    repairs: Sequence[Repair] = (),
    noun: str = "order",
) -> str:
    """Details of a held order: what happened, what the other side said, what to send."""
    info = HELD_REASONS[hold.reason]
    parts = [
        f"## Held: {info.title}",
        f"{noun.capitalize()} **{order_id}**, step **{step}**, since {since:%Y-%m-%d %H:%M} UTC, "
        f"reason `{hold.reason}`.",
        f"**What happened.** {_plain(hold.sentence)}",
    ]
    if hold.code or hold.request_id:
        said = f"**{hold.system or 'The other side'} said:** code `{hold.code or 'none'}`"
        parts.append(said + (f", request id `{hold.request_id}`." if hold.request_id else "."))
    parts.extend(_candidates(hold))
    parts.append(f"**What to do.** {info.what_to_do}")
    parts.append(_fixes(order_id, step, hold))
    parts.extend([*_repaired(repairs), *_remarks(remarks)])
    return "\n\n".join(parts)


def cancelled(cancellations: Sequence[Cancellation]) -> str:
    """What was cancelled, and what became of it in M3; empty where nothing was."""
    if not cancellations:
        return ""
    lines = [
        f"- {one.at:%Y-%m-%d %H:%M} UTC, by {one.by}, `{one.settled}`: {_plain(one.sentence)}"
        for one in cancellations[-_MENTIONED:]
    ]
    return "\n\n**Cancelled**\n\n" + "\n".join(lines)


def fixes_for(step: Step, hold: Hold) -> tuple[FixName, ...]:
    """The repairs that fit the reason at this step: not every step can be done by hand."""
    fixes = HELD_REASONS[hold.reason].fixes
    return tuple(name for name in fixes if name is not FixName.MARK_STEP_DONE or step in MARKABLE_STEPS)


def fix_argument(name: FixName, step: Step, hold: Hold) -> dict[str, object]:
    """The argument of a repair, filled in as far as the hold tells."""
    argument = dict(EXAMPLES[name])
    if name is FixName.MAP_SKU:
        sku = hold.skus[0] if hold.skus else "SELLER-SKU"
        best = hold.candidates.get(sku, ())
        argument = {"sku": sku, "itno": best[0].itno if best else "M3-ITEM"}
    elif name is FixName.MARK_STEP_DONE:
        argument = {"step": step.value, "number": "M3-NUMBER"}
    return argument


def fix_command(order_id: str, name: FixName, argument: dict[str, object]) -> str:
    """The command line that sends the same repair."""
    flat = all(isinstance(value, str) for value in argument.values())
    if flat:
        words = " ".join(f"{key}={_quoted(str(value))}" for key, value in argument.items())
        return f"o2c fix {order_id} {name} {words}".rstrip()
    return f"o2c fix {order_id} {name} '{json.dumps(argument)}'"


def _quoted(value: str) -> str:
    return value if value.replace("-", "").replace("_", "").replace(".", "").isalnum() else f"'{value}'"


def _candidates(hold: Hold) -> list[str]:
    parts = []
    for sku, items in hold.candidates.items():
        if not items:
            continue
        likely = "\n".join(
            f"- `{item.itno}` {_plain(item.name)} (likeness {item.score} of 100{_because(item)})"
            for item in items[:_MENTIONED_CANDIDATES]
        )
        parts.append(f"**Likeliest M3 items** for SKU `{sku}`:\n\n{likely}")
    return parts


def _because(item: ItemCandidate) -> str:
    return f": {_plain('; '.join(item.reasons))}" if item.reasons else ""


def _fixes(order_id: str, step: Step, hold: Hold) -> str:
    lines = [
        "**Repairs.** More Actions, Send a Signal (or an Update): one of these names with its input. "
        "Or run the command:\n"
    ]
    for name in fixes_for(step, hold):
        argument = fix_argument(name, step, hold)
        command = fix_command(order_id, name, argument)
        lines.append(f"- `{name}` with input `{json.dumps(argument)}` or command `{command}`")
    lines.append('\nAdd `"by": "your name"` and `"why": "the cause"` to the input, and the order keeps them.')
    return "\n".join(lines)


def _repaired(repairs: Sequence[Repair]) -> list[str]:
    if not repairs:
        return []
    lines = []
    for repair in repairs[-_MENTIONED:]:
        what = f"`{repair.fix} {repair.what}`" if repair.what else f"`{repair.fix}`"
        cause = f" of `{repair.reason}`" if repair.reason else ""
        by = f" by {_plain(repair.by)}" if repair.by else ""
        why = f": {_plain(repair.why)}" if repair.why else ""
        lines.append(f"- {repair.at:%Y-%m-%d %H:%M} UTC {what}{cause}{by}{why}")
    return ["**Repaired**\n\n" + "\n".join(lines)]


def _remarks(remarks: list[str]) -> list[str]:
    if not remarks:
        return []
    return ["**Remarks**\n\n" + "\n".join(f"- {_plain(remark)}" for remark in remarks[-_MENTIONED:])]


def _plain(text: str) -> str:
    """Words of M3 or Amazon as they are, such as *EXE: no emphasis, no HTML."""
    return re.sub(r"([*<])", r"\\\1", text)
