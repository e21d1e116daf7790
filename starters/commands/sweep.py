"""`o2c sweep`: one pass over what changed at Amazon and over M3's deliveries."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer
from temporalio.client import Client

from canonical.ids import sweep_workflow_id
from canonical.sweep_contracts import SWEEP, SweepInput, SweepResult
from starters.console import Refused, counted, hint, say, say_json
from starters.options import AsJson, Config, Since
from starters.passes import OVERLAP, begin, finish, last_horizon
from starters.session import run_connected, settings_of
from starters.times import check_period, read_optional_time, shown

FIRST_LOOK: Final = timedelta(hours=24)
"""How far back the first sweep reads."""


def sweep(
    since: Since = None,
    amazon: Annotated[bool, typer.Option("--amazon/--no-amazon", help="Read what changed at Amazon.")] = True,
    m3: Annotated[bool, typer.Option("--m3/--no-m3", help="Read M3's deliveries of waiting orders.")] = True,
    mcf: Annotated[
        bool,
        typer.Option("--mcf/--no-mcf", help="Look for M3's deliveries that Amazon is to fulfil, if any is."),
    ] = True,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Start what is new, signal what moved. Without --since it continues where the last sweep ended,
    ten minutes earlier; the first one reads 24 hours."""
    asked = read_optional_time(since, "--since")
    if asked is not None:
        check_period(asked, None)
    settings = settings_of(config)
    mcf = mcf and bool(settings.mcf.warehouses)
    if not amazon and not m3 and not mcf:
        raise Refused(
            "With --no-amazon and --no-m3, and no MCF warehouse to look at, there is nothing to sweep.", 2
        )

    sellers = tuple(settings.sellers)

    async def work(client: Client) -> SweepResult:
        start = asked or await _continued(client, sellers)
        if not as_json:
            hint(f"Sweeping changes since {shown(start)}." if amazon else "Sweeping M3's deliveries.")
        asking = SweepInput(seller_ids=sellers, updated_after=start, amazon=amazon, m3=m3, mcf=mcf)
        begun = await begin(client, SWEEP, asking, sweep_workflow_id(), f"Changes since {shown(start)}")
        return await finish(client, begun, SweepResult)

    result = run_connected(settings, work)
    if as_json:
        say_json(result)
    else:
        _say(result)


async def _continued(client: Client, sellers: tuple[str, ...]) -> datetime:
    horizon = await last_horizon(client, sellers)
    return datetime.now(UTC) - FIRST_LOOK if horizon is None else horizon - OVERLAP


def _say(result: SweepResult) -> None:
    for seller_id, page in result.amazon.items():
        say(
            f"Amazon, seller {seller_id}: {counted(page.orders, 'order')} read, {page.started} started, "
            f"{page.signalled} signalled, {page.late} closed already, {_after_close(page.after_close)}"
            f"{page.skipped} skipped; complete up to {shown(page.horizon) or 'unknown'}."
        )
        for remark in page.remarks:
            say(f"  {remark}")
    if result.mcf.looked_at or result.mcf.started or result.mcf.remarks:
        found = counted(result.mcf.looked_at, "open delivery", "open deliveries")
        say(f"MCF: {found} looked at, {result.mcf.started} handed to Amazon.")
        for remark in result.mcf.remarks:
            say(f"  {remark}")
    say(f"M3: {counted(result.m3.looked_at, 'waiting order')} looked at, {result.m3.signalled} signalled.")


def _after_close(orders: int) -> str:
    return f"{orders} with news after they were closed, " if orders else ""
