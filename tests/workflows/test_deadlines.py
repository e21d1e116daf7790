"""Own shipments against Amazon's latest ship date, on a real server: listed while they are due, and no longer."""

from datetime import UTC, datetime, timedelta

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.deadlines import DEADLINES, DeadlinesInput, DeadlinesResult
from canonical.ids import order_workflow_id
from tests.support.orders import ORDINARY, new_order_id, order
from tests.support.world import World, eventually
from worker.deadlines import due_orders

EU = "A2EUSELLER0001"


async def placed(world: World, hours: float) -> str:
    """An own order that is to be sent within so many hours, and that nobody sends."""
    latest = datetime.now(UTC) + timedelta(hours=hours)
    body = order(ORDINARY, channel="MERCHANT")
    earliest = latest - timedelta(days=1)
    window = {
        "earliestDateTime": f"{earliest:%Y-%m-%dT%H:%M:%SZ}",
        "latestDateTime": f"{latest:%Y-%m-%dT%H:%M:%SZ}",
    }
    body["fulfillment"] = {**body["fulfillment"], "shipByWindow": window}  # type: ignore[dict-item]
    return await world.place(body)


async def test_orders_at_risk_are_listed_told_and_gone_when_they_have_shipped(world: World) -> None:
    (await world.m3.post("/_control/staff", json={"at_work": False})).raise_for_status()
    try:
        late, soon, later = [await placed(world, hours) for hours in (-1, 3, 50)]
        handles = {order_id: await world.start(order_id) for order_id in (late, soon, later)}
        for handle in handles.values():
            await world.until(handle, lambda view: view.step == "awaiting_shipment")

        async def listed() -> list[str]:
            found = await due_orders(world.client, datetime.now(UTC) + timedelta(hours=24))
            return [one.order_id for one in found.orders if one.order_id in handles]

        await eventually(listed, lambda found: found == [late, soon])
        result: DeadlinesResult = await world.client.execute_workflow(
            DEADLINES,
            DeadlinesInput(),
            id=f"test-deadlines-{new_order_id()}",
            task_queue=ORDERS_QUEUE,
            result_type=DeadlinesResult,
        )
        assert result.told[order_workflow_id(EU, late)].late
        assert not result.told[order_workflow_id(EU, soon)].late
        assert order_workflow_id(EU, later) not in result.told

        (await world.m3.post("/_control/ship", json={"cuor": late})).raise_for_status()
        await world.m3_ships(late)
        await world.result(handles[late])
        await eventually(listed, lambda found: found == [soon])
    finally:
        (await world.m3.post("/_control/staff", json={"at_work": True})).raise_for_status()
