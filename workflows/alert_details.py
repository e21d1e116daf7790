"""What the Web UI shows of the alerts: Markdown, for a person who wonders whether anybody was told."""

from datetime import datetime

from canonical.alert_contracts import AlertsView, Delivery
from canonical.alerts import OUTAGES

_ROWS = 10


def shown(view: AlertsView, now: datetime) -> str:
    """Open reasons, what did not arrive and why, the last digest."""
    parts = ["**Alerts.** " + _open(view), *_groups(view)]
    waiting = [one for one in view.undelivered if one.tries]
    if waiting:
        parts.append(f"## Not delivered: {len(waiting)}")
        parts.append("\n".join(_undelivered(one) for one in waiting[:_ROWS]))
    if view.lost:
        parts.append(f"**Given up: {view.given_up}**")
        parts.append("\n".join(_undelivered(one) for one in view.lost[-_ROWS:]))
    parts.append(_digest(view))
    parts.append(f"{view.delivered} delivered. As of {_at(now)}; `o2c alerts` tells the same.")
    return "\n\n".join(parts)


def _open(view: AlertsView) -> str:
    if not view.rules.targets:
        return "No target is configured: nobody is told."
    return "People were told of these reasons:" if view.groups else "Nothing new is held."


def _groups(view: AlertsView) -> list[str]:
    if not view.groups:
        return []
    rows = [
        f"| `{group.reason}` | {_at(group.opened)} | {group.heard} "
        f"| {f'{group.stage} of {len(view.rules.stages)}' if group.reason in OUTAGES else ''} |"
        for group in view.groups
    ]
    return ["\n".join(["| reason | first told | orders told of | stage |", "|--|--|--|--|", *rows])]


def _undelivered(one: Delivery) -> str:
    again = f", next at {_at(one.due)}" if one.due else ""
    what = f"- to **{one.target}**, from {_at(one.created)}: {one.message.title}."
    return f"{what} {one.error} Tries: {one.tries}{again}."


def _digest(view: AlertsView) -> str:
    last = view.last_digest
    said = (
        f"Last digest {_at(last.at)}: {last.held} held{'' if last.sent else ', nothing sent'}."
        if last
        else ""
    )
    following = f"Next digest {_at(view.next_digest)}." if view.next_digest else "No digest is configured."
    return f"{said} {following}".strip()


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
