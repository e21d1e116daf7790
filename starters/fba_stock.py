"""Amazon's own stock as a person asks for it: a look now, and what it told."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from temporalio.client import Client

from canonical.stock import fba_contracts as act
from canonical.stock import fba_ids as ids
from canonical.stock.fba_drift import FbaDifference
from starters.console import Refused
from starters.passes import begin, finish
from worker.fba_stock_settings import FbaStockSettings
from worker.settings import Settings


async def compare(client: Client, settings: Settings) -> act.FbaStockCompared:
    """Read Amazon's stock of every seller and put it beside M3's; people are not told besides."""
    sellers = {seller_id: seller.marketplaces for seller_id, seller in settings.sellers.items()}
    begun = await begin(
        client,
        act.FBA_STOCK_LOOK,
        act.FbaStockInput(sellers=sellers),
        ids.fba_stock_workflow_id(),
        "Amazon's stock beside M3's",
    )
    return await finish(client, begun, act.FbaStockCompared)


async def look(
    client: Client, settings: Settings, seller_id: str, since: datetime | None, until: datetime | None
) -> act.FbaAdjustmentsResult:
    """Ask Amazon for a seller's adjustments and begin their corrections. Raises Refused without the section."""
    wanted: FbaStockSettings | None = settings.fba_stock
    if wanted is None:
        raise Refused("The configuration has no section fba_stock: M3 is told nothing of Amazon's stock.", 2)
    asking = act.FbaAdjustmentsInput(
        seller_id=seller_id,
        marketplace_ids=settings.sellers[seller_id].marketplaces,
        look_back=timedelta(days=wanted.look_back_days),
        since=since,
        until=until,
        begin=wanted.begin,
    )
    begun = await begin(
        client,
        act.FBA_ADJUSTMENTS,
        asking,
        ids.fba_adjustments_workflow_id(seller_id),
        f"What Amazon did to its stock, seller {seller_id}",
    )
    return await finish(client, begun, act.FbaAdjustmentsResult)


def compared_json(compared: act.FbaStockCompared) -> Mapping[str, object]:
    """The comparison for programs, with each item's difference and what of it nothing explains."""
    told = compared.model_dump(mode="json", exclude={"rows", "told_at"})
    return {**told, "agrees": compared.agrees, "rows": [_row(row) for row in compared.rows]}


def _row(row: FbaDifference) -> Mapping[str, object]:
    return {
        **row.model_dump(mode="json"),
        "difference": str(row.difference),
        "beyond": str(row.beyond),
    }
