"""`o2c quotas`, `o2c pause`, `o2c resume`: how fast Amazon and M3 are asked, and stopping it."""

import getpass
from enum import StrEnum
from typing import Annotated

import typer
from temporalio.client import Client

from starters.console import counted, hint, say, say_json, table
from starters.options import AsJson, Config
from starters.session import run_connected, settings_of
from worker.quota.limits import is_paused, pause_system, resume_system
from worker.quota.report import QuotaLine, QuotaReport, SellerQuota, quota_report


class System(StrEnum):
    """What can be paused."""

    M3 = "m3"
    AMAZON = "amazon"


def quotas(as_json: AsJson = False, config: Config = None) -> None:
    """Show Amazon's quotas and their use: what is documented, granted and set now, what waits, answers 429."""
    settings = settings_of(config)

    async def work(client: Client) -> QuotaReport:
        return await quota_report(client, settings)

    report = run_connected(settings, work)
    if as_json:
        say_json(report)
        return
    table(
        _HEADINGS,
        [row for line in report.lines for row in _rows(line)],
    )
    for line in report.lines:
        if line.paused:
            say(f"{line.queue} is {line.paused}.", "yellow")
    if report.keeper:
        say(f"Rates are calls per second. The quotas are kept by {report.keeper}.", "dim")
    else:
        say("Rates are calls per second. No worker keeps the quotas at the moment.", "yellow")


def pause(
    system: Annotated[System, typer.Argument(help="What to stop calling: m3 or amazon.")],
    why: Annotated[str, typer.Option("--why", help="Why, for those who find it paused.")] = "",
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Stop calling M3 or Amazon. Calls under way end, everything else waits in its queue; nothing fails."""
    settings = settings_of(config)
    reason = " ".join(part for part in (" ".join(why.split())[:200], f"(by {_who()})") if part)

    async def work(client: Client) -> list[str]:
        return await pause_system(client, system.value, reason)

    queues = run_connected(settings, work)
    if as_json:
        say_json({"paused": queues, "why": reason})
        return
    say(f"{_NAMES[system]} is paused ({counted(len(queues), 'queue')}). Orders wait; none is held for it.")
    say(f"  o2c resume {system.value}", "cyan")


def resume(
    system: Annotated[System, typer.Argument(help="What to call again: m3 or amazon.")],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Call M3 or Amazon again. What has waited goes on within seconds, at the configured rate."""
    settings = settings_of(config)

    async def work(client: Client) -> tuple[bool, list[str]]:
        was = await is_paused(client, system.value)
        return was, await resume_system(client, system.value, settings.m3.requests_per_second)

    was, queues = run_connected(settings, work)
    if as_json:
        say_json({"resumed": queues, "was_paused": was})
        return
    if not was:
        hint(f"{_NAMES[system]} was not paused.")
    rate = settings.m3.requests_per_second
    limited = f" at {rate:g} calls a second" if system is System.M3 and rate else ""
    say(f"{_NAMES[system]} is called again{limited}.")


_HEADINGS = (
    "operation", "seller", "documented", "burst", "granted", "set now", "surely left", "waiting", "oldest", "429",
)  # fmt: skip
_NAMES = {System.M3: "M3", System.AMAZON: "Amazon"}


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _rows(line: QuotaLine) -> list[tuple[str, ...]]:
    waiting = (str(line.backlog), _age(line.oldest_seconds) if line.backlog else "")
    if not line.sellers:
        limit = "no limit" if line.whole is None else f"{line.whole:g}"
        return [("M3", "", "", "", "", limit, "", *waiting, "")]
    rows = [_row(line, seller) for seller in line.sellers]
    return [(*row[:7], *(waiting if number == 0 else ("", "")), row[7]) for number, row in enumerate(rows)]


def _row(line: QuotaLine, seller: SellerQuota) -> tuple[str, ...]:
    return (
        line.operation,
        seller.seller_id,
        f"{line.documented:g}",
        f"{line.burst}",
        f"{seller.granted:.4g}",
        "no limit" if seller.set_now is None else f"{seller.set_now:.4g}",
        "?" if seller.level is None else f"{seller.level:.0f}",
        str(seller.throttled),
    )


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
