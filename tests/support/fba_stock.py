"""Amazon's own stock for tests: goods in its centres, what happens to them, and what M3 has of them."""

from typing import Any, Final

from temporalio.client import WorkflowHandle

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.stock import fba_contracts as act
from canonical.stock import fba_ids as ids
from simulators import assortment
from tests.support.orders import new_order_id
from tests.support.world import World, eventually

EU: Final = "A2EUSELLER0001"
DE, FR, GB = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "A1F83G8C2ARO7P"
SECTION: Final = """
[fba_stock]
most_pieces = 20
most_pieces_a_run = 60

[fba_stock.transaction_reasons]
found = "FND"
lost = "LOS"
damaged = "DMG"
disposed = "DSP"
"""
ITEMS: Final = {item.sku: item.itno for item in assortment.ORDINARY_ITEMS}
Handle = WorkflowHandle[object, act.FbaCorrectionView]


def with_fba_stock(text: str, section: str = SECTION) -> str:
    """The ordinary configuration with the section."""
    return text.replace("\n[returns]\n", f"\n[returns]\n{section}", 1)


async def put(world: World, sku: str, pieces: int, *, market: str = DE, **more: object) -> None:
    """Amazon has so many pieces."""
    pool = {"seller": EU, "sku": sku, "marketplace": market, "fulfillable": pieces, **more}
    answer = await world.amazon.post("/_control/stock/fba", json={"pools": [pool]})
    assert answer.status_code == 201, answer.text


async def count(world: World, sku: str, pieces: int, whlo: str = "AFE") -> None:
    """M3 has so many pieces in the warehouse that stands for Amazon's."""
    body = {"whlo": whlo, "onhand": {ITEMS[sku]: str(pieces)}}
    answer = await world.m3.post("/_control/counts", json=body)
    assert answer.is_success, answer.text


async def happens(
    world: World, sku: str, reason: str, pieces: int, *, market: str = DE, **more: object
) -> None:
    """Something happens to pieces in Amazon's centres."""
    body = {"seller": EU, "sku": sku, "marketplace": market, "reason": reason, "quantity": pieces, **more}
    answer = await world.amazon.post("/_control/stock/adjust", json=body)
    assert answer.status_code == 201, answer.text


async def at_amazon(world: World, sku: str) -> int:
    """Sellable pieces that Amazon has of a SKU, in all its pools."""
    told: dict[str, Any] = (await world.amazon.get("/_control/stock/fba")).json()
    return sum(
        pool["fulfillable"] + pool["reserved_orders"]
        for pool in told["pools"]
        if (pool["seller_id"], pool["sku"]) == (EU, sku)
    )


async def in_m3(world: World, sku: str, whlo: str = "AFE") -> int:
    """What M3 has on hand."""
    rows: list[dict[str, Any]] = (await world.m3.get("/_control/balances", params={"whlo": whlo})).json()
    return next((int(row["onhand"]) for row in rows if row["itno"] == ITEMS[sku]), 0)


async def look(world: World, **more: object) -> act.FbaAdjustmentsResult:
    """One look of the schedule's."""
    result: act.FbaAdjustmentsResult = await world.client.execute_workflow(
        act.FBA_ADJUSTMENTS,
        act.FbaAdjustmentsInput.model_validate(
            {"seller_id": EU, "marketplace_ids": world.settings.sellers[EU].marketplaces, **more}
        ),
        id=f"test-adjustments-{new_order_id()}",
        task_queue=ORDERS_QUEUE,
        result_type=act.FbaAdjustmentsResult,
    )
    return result


async def stock_look(world: World, **more: object) -> act.FbaStockCompared:
    """Amazon's stock beside M3's."""
    sellers = {EU: world.settings.sellers[EU].marketplaces}
    result: act.FbaStockCompared = await world.client.execute_workflow(
        act.FBA_STOCK_LOOK,
        act.FbaStockInput.model_validate({"sellers": sellers, **more}),
        id=f"test-fba-stock-{new_order_id()}",
        task_queue=ORDERS_QUEUE,
        result_type=act.FbaStockCompared,
    )
    return result


def handle_of(world: World, result: act.FbaAdjustmentsResult) -> Handle:
    """The corrections that a look began."""
    assert result.workflow_id, result
    return world.client.get_workflow_handle(result.workflow_id, result_type=act.FbaCorrectionView)


def subject_of(handle: Handle) -> str:
    known = ids.fba_correction_of_workflow(handle.id)
    assert known is not None
    return known[1]


async def view(handle: Handle) -> act.FbaCorrectionView:
    found: act.FbaCorrectionView = await handle.query("state", result_type=act.FbaCorrectionView)
    return found


async def held(handle: Handle, reason: str) -> act.FbaCorrectionView:
    """The corrections as they are held."""
    found = await eventually(lambda: view(handle), lambda now: bool(now.held_reason or now.outcome))
    assert found.held_reason == reason, found
    return found
