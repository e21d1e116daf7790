"""`o2c held`: everything that waits for a person, and what repairs it."""

import csv
import sys
from collections import Counter
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from temporalio.client import Client

from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS
from starters.completion import reasons as known_reasons
from starters.console import Refused, counted, say, say_json
from starters.held_orders import HeldOrder, held_orders
from starters.options import AsJson, Config
from starters.session import run_connected, settings_of
from starters.times import shown

_COLUMNS: Final = (
    "kind", "order_id", "reason", "since", "owner", "command", "link", "step", "m3_order", "skus", "workflow_id",
)  # fmt: skip


class KnownReason(BaseModel):
    """A reason for which something can be held."""

    reason: HeldReason
    title: str
    what_to_do: str
    fixes: tuple[FixName, ...]
    """What repairs it, the likeliest first."""
    owner: str


def held(
    reason: Annotated[
        str | None,
        typer.Option("--reason", "-r", help="Only this reason code.", autocompletion=known_reasons),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 1000,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="List every reason there can be, and what repairs it.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the list as CSV, one line each.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List what is held. Each with its owner, where one is configured, and the command that repairs it."""
    wanted = _reason(reason)
    if as_csv and (as_json or reasons):
        raise Refused("--csv is for the list of what is held; leave --json and --reasons out.", 2)

    settings = settings_of(config)
    owners = settings.held.owners
    if reasons:
        _show_reasons(owners, wanted, as_json=as_json)
        return

    async def work(client: Client) -> list[HeldOrder]:
        return await held_orders(client, settings.web_ui, reason=wanted, limit=limit, owners=owners)

    found = run_connected(settings, work)
    if as_json:
        say_json(found)
    elif as_csv:
        _say_csv(found)
    elif not found:
        say("No order is held." if wanted is None else f"No order is held for {wanted}.")
    else:
        _say(found, limit)


def _reason(text: str | None) -> HeldReason | None:
    if text is None:
        return None
    try:
        return HeldReason(text.strip().lower().replace("-", "_"))
    except ValueError:
        raise Refused(f"{text!r} is no reason; reasons are {', '.join(HeldReason)}.", 2) from None


def _show_reasons(owners: dict[str, str], wanted: HeldReason | None, *, as_json: bool) -> None:
    known = [
        KnownReason(reason=reason, **info._asdict(), owner=owners.get(reason, ""))
        for reason, info in HELD_REASONS.items()
        if wanted in (None, reason)
    ]
    if as_json:
        say_json(known)
        return
    for one in known:
        say(f"{one.reason}: {one.title}", "bold")
        say(f"  {one.what_to_do}")
        say(f"  Repairs: {', '.join(one.fixes)}.{f' Owner: {one.owner}.' if one.owner else ''}", "cyan")


def _say_csv(found: list[HeldOrder]) -> None:
    writer = csv.DictWriter(sys.stdout, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one in found:
        writer.writerow({**one.model_dump(mode="json"), "skus": " ".join(one.skus)})
    sys.stdout.flush()


def _say(found: list[HeldOrder], limit: int) -> None:
    for code in dict.fromkeys(one.reason for one in found):
        _say_group(code, [one for one in found if one.reason == code])
    limited = f" (the first {limit}; --limit shows more)" if len(found) == limit else ""
    say(f"{_counted_kinds(found)} held{limited}.", "bold")


def _counted_kinds(found: list[HeldOrder]) -> str:
    return ", ".join(counted(number, noun) for noun, number in Counter(one.kind for one in found).items())


def _say_group(code: str, found: list[HeldOrder]) -> None:
    say(f"{found[0].title} ({code}): {_counted_kinds(found)}", "bold")
    if code in HELD_REASONS:
        say(HELD_REASONS[HeldReason(code)].what_to_do)
    if found[0].owner:
        say(f"Owner: {found[0].owner}.")
    for one in found:
        facts = [
            f"since {shown(one.since)}",
            f"step {one.step}",
            one.m3_order and f"M3 order {one.m3_order}",
            one.skus and f"SKU {', '.join(one.skus)}",
        ]
        say(f"  {one.order_id}  " + ", ".join(fact for fact in facts if fact))
        if one.command:
            say(f"    {one.command}", "cyan")
        say(f"    {one.link}", "dim")
    say("")
