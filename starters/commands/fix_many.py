"""`o2c fix --where`: one repair for every held order that a query finds."""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from temporalio.client import Client

from canonical.fixes import Fix
from canonical.held import FixName
from starters.bulk_fix import Fixed, Outcome, Planned, carry_out, plan
from starters.console import Refused, counted, err, out, say, say_json, table
from starters.progress import bar
from starters.session import run_connected, seller_of, settings_of
from starters.times import shown

_SHOWN: Final = 50
"""Orders listed before the question; --dry-run lists all."""
_WORDS: Final = {
    Outcome.ACCEPTED: "accepted",
    Outcome.REFUSED: "refused",
    Outcome.CLOSED: "closed meanwhile",
    Outcome.NO_ANSWER: "without an answer",
    Outcome.NOT_SENT: "not sent",
}


@dataclass(frozen=True)
class Many:
    """How many orders are to be repaired."""

    query: str
    dry_run: bool
    yes: bool
    rate: float
    as_json: bool

    @property
    def asks(self) -> bool:
        return not self.dry_run and not self.yes


def fix_many(name: FixName, repair: Fix, many: Many, seller: str | None, config: Path | None) -> None:
    """List, ask, send, and say what each order answered; exits 1 unless every order accepted."""
    if many.asks and not sys.stdin.isatty():
        raise Refused(
            "Nobody can be asked here, so nothing was sent: look with --dry-run, then say --yes.", 2
        )
    settings = settings_of(config)
    if seller is not None:
        seller_of(settings, seller)

    async def work(client: Client) -> tuple[list[Planned], list[Fixed]]:
        planned = await plan(client, many.query, name, repair, seller)
        if many.dry_run or not planned:
            return planned, []
        if many.asks:
            _show_plan(planned[:_SHOWN], name, many)
            _ask(planned, name, many)
        with bar(f"Sending {name}", len(planned)) as told:
            return planned, await carry_out(client, planned, name, repair, rate=many.rate, told=told)

    planned, fixed = run_connected(settings, work)
    if many.as_json:
        _say_json(name, many, planned, fixed)
    elif not planned:
        say(f"No held order is found by {many.query!r}; nothing was sent.")
    elif many.dry_run:
        _show_plan(planned, name, many)
        say(_would(planned, name), "bold")
    else:
        _say(fixed)
    if any(one.refusal for one in planned) or any(one.outcome is not Outcome.ACCEPTED for one in fixed):
        raise typer.Exit(1)


def _show_plan(planned: list[Planned], name: FixName, many: Many) -> None:
    rows = (
        [
            one.order_id,
            one.reason,
            one.step,
            shown(one.since),
            f"not sent: {one.refusal}" if one.refusal else name,
        ]
        for one in planned
    )
    table(
        ("order", "reason", "step", "held since", "what is sent"), rows, to=err() if many.as_json else out()
    )


def _would(planned: list[Planned], name: FixName) -> str:
    fits = [one for one in planned if not one.refusal]
    by_reason = ", ".join(
        f"{number} {reason}" for reason, number in Counter(one.reason for one in fits).items()
    )
    misfits = len(planned) - len(fits)
    rest = f" It does not fit {counted(misfits, 'order')}, which would be left alone." if misfits else ""
    held_for = f" ({by_reason})" if by_reason else ""
    return (
        f"{name} would be sent to {counted(len(fits), 'order')}{held_for}; nothing was sent (dry run).{rest}"
    )


def _ask(planned: list[Planned], name: FixName, many: Many) -> None:
    more = len(planned) - _SHOWN
    if more > 0:
        err().print(f"and {more} more; --dry-run lists them all.")
    fits = sum(not one.refusal for one in planned)
    if fits and not typer.confirm(
        f"Send {name} to {counted(fits, 'order')}, at most {many.rate:g} a second?", err=True
    ):
        raise Refused("Nothing was sent.")


def _say(fixed: list[Fixed]) -> None:
    for one in fixed:
        if one.outcome is Outcome.ACCEPTED:
            say(f"accepted: {one.order_id} ({one.reason})", "green")
        else:
            say(f"{_WORDS[one.outcome]}: {one.sentence}", "red")
    counts = Counter(one.outcome for one in fixed)
    said = ", ".join(f"{counts[kind]} {word}" for kind, word in _WORDS.items() if counts[kind])
    say(f"{counted(len(fixed), 'order')}: {said}.", "bold")


def _say_json(name: FixName, many: Many, planned: list[Planned], fixed: list[Fixed]) -> None:
    counts = Counter(one.outcome for one in fixed)
    say_json(
        {
            "query": many.query,
            "fix": name.value,
            "dry_run": many.dry_run,
            "orders": len(planned),
            **{kind.value: counts[kind] for kind in Outcome},
            "results": planned if many.dry_run else fixed,
        }
    )
