"""What the Web UI shows of an order: Markdown, with everything an operator needs and nothing personal."""

import json
from datetime import datetime

from canonical.held import HELD_REASONS, FixName, Hold
from canonical.steps import MARKABLE_STEPS, Step
from workflows.repairs import EXAMPLES

_MENTIONED_CANDIDATES = 5


def waiting(order_id: str, sentence: str, remarks: list[str]) -> str:
    """Details of an order that goes its way."""
    return "\n\n".join([f"**Order {order_id}.** {sentence}", *_remarks(remarks)])


def held(order_id: str, step: Step, hold: Hold, since: datetime, remarks: list[str]) -> str:
    """Details of a held order: what happened, what the other side said, what to send."""
    info = HELD_REASONS[hold.reason]
    parts = [
        f"## Held: {info.title}",
        f"Order **{order_id}**, step **{step}**, since {since:%Y-%m-%d %H:%M} UTC, reason `{hold.reason}`.",
        f"**What happened.** {hold.sentence}",
    ]
    if hold.code or hold.request_id:
        said = f"**{hold.system or 'The other side'} said:** code `{hold.code or 'none'}`"
        parts.append(said + (f", request id `{hold.request_id}`." if hold.request_id else "."))
    parts.extend(_candidates(hold))
    parts.append(f"**What to do.** {info.what_to_do}")
    parts.append(_fixes(order_id, step, hold))
    parts.extend(_remarks(remarks))
    return "\n\n".join(parts)


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
        rows = "\n".join(
            f"| `{item.itno}` | {item.name} | {item.score} |" for item in items[:_MENTIONED_CANDIDATES]
        )
        parts.append(f"Likeliest M3 items for SKU `{sku}`:\n\n| item | name | likeness |\n|--|--|--|\n{rows}")
    return parts


def _fixes(order_id: str, step: Step, hold: Hold) -> str:
    lines = ["**Repairs.** Send a signal (or an update) of this name with this input, or run the command:"]
    for name in fixes_for(step, hold):
        argument = fix_argument(name, step, hold)
        lines.append(f"- signal `{name}` with `{json.dumps(argument)}`")
        lines.append(f"  or `{fix_command(order_id, name, argument)}`")
    return "\n".join(lines)


def _remarks(remarks: list[str]) -> list[str]:
    if not remarks:
        return []
    return ["**Remarks**\n" + "\n".join(f"- {remark}" for remark in remarks[-10:])]
