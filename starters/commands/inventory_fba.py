"""`o2c inventory fba` and `o2c inventory adjustments`: the stock that Amazon keeps, beside M3's and carried into it."""

import typer
from temporalio.client import Client

from canonical.stock.fba_contracts import FbaAdjustmentsResult, FbaStockCompared
from starters.console import counted, say, say_json, table
from starters.fba_stock import compare, compared_json, look
from starters.options import AsJson, Config, Seller, Since, Until
from starters.session import run_connected, sellers_of, settings_of
from starters.times import check_period, read_optional_time

_SHOWN = 100


def fba(*, as_json: AsJson = False, config: Config = None) -> None:
    """Put what Amazon keeps (FBA) beside what M3 has of it, item by item; nothing is changed. Exit 1 if they differ
    beyond what is on its way."""
    settings = settings_of(config)
    compared = run_connected(settings, lambda client: compare(client, settings))
    if as_json:
        say_json(compared_json(compared))
    else:
        _say(compared)
    if not compared.agrees:
        raise typer.Exit(1)


def _say(compared: FbaStockCompared) -> None:
    say(
        f"{counted(compared.skus, 'SKU')} at Amazon, {counted(compared.items, 'item')} in M3: {compared.equal} equal, "
        f"{compared.explained} explained by what is on its way, {compared.differing} not."
    )
    if compared.rows:
        table(
            (
                "warehouse",
                "item",
                "Amazon has",
                "M3 has",
                "difference",
                "corrections",
                "in orders",
                "beyond",
                "SKU",
            ),
            (
                (
                    row.whlo,
                    row.itno,
                    str(row.amazon),
                    f"{row.m3:f}",
                    f"{row.difference:+f}",
                    f"{row.under_way:+d}" if row.under_way else "",
                    f"{row.in_orders:f}" if row.in_orders else "",
                    f"{row.beyond:+f}" if row.beyond else "",
                    ", ".join(row.skus),
                )
                for row in compared.rows[:_SHOWN]
            ),
        )
    if compared.unmapped_count:
        named = ", ".join(compared.unmapped[:_SHOWN])
        say(f"{counted(compared.unmapped_count, 'SKU')} with stock without an item in M3: {named}")
    if compared.key:
        say(f"All of it is in the archive: {compared.key}")


def adjustments(
    since: Since = None,
    until: Until = None,
    seller: Seller = None,
    *,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Ask Amazon now what it did to its stock, and carry into M3 what no look took in before. Without --since it reads
    as far back as the daily look. Without --seller every seller is asked for."""
    begins, ends = read_optional_time(since, "--since"), read_optional_time(until, "--until")
    if begins is not None:
        check_period(begins, ends)
    settings = settings_of(config)
    sellers = sellers_of(settings, seller)

    async def work(client: Client) -> list[FbaAdjustmentsResult]:
        return [await look(client, settings, each, begins, ends) for each in sellers]

    results = run_connected(settings, work)
    if as_json:
        say_json(results)
        return
    for result in results:
        read = result.read
        say(
            f"Seller {result.seller_id}: {counted(read.adjustments, 'new adjustment')}, {read.known} known, "
            f"{counted(read.unreadable, 'line')} unreadable. {result.sentence}".rstrip()
        )
        if result.workflow_id:
            say(f"  carried by {result.workflow_id}; what needs a person is in 'o2c held'")
        for remark in read.remarks:
            say(f"  {remark}")
