"""What Amazon holds back, asked page by page: every deferred transaction once, released ones never."""

from decimal import Decimal

from canonical.deferred_contracts import deferred_look_id
from canonical.settlement.deferred import Deferred, DeferredShare
from starters.deferred import ask, known
from tests.support.orders import ORDINARY, order
from tests.support.world import World, eventually

EU = "A2EUSELLER0001"
PLACE = "Amazon.co.uk"
_MORE_THAN_A_PAGE = 23


async def deferred(world: World, reason: str, quantity: int = 1) -> str:
    """An order of the British marketplace that is shipped and not paid for now."""
    order_id = await world.place(order((ORDINARY, quantity), marketplace="GB", status="SHIPPED"))
    await after_sale(world, order_id, type="defer", reason=reason)
    return order_id


async def after_sale(world: World, order_id: str, **event: object) -> None:
    answer = await world.amazon.post(f"/_control/orders/{order_id}/aftersale", json=event)
    assert answer.status_code == 201, answer.text


async def look(world: World) -> dict[str, DeferredShare]:
    [found] = await ask(world.client, [EU])
    assert found.unread == 0
    shares = [share for share in found.shares if share.marketplace == PLACE]
    assert {share.currency for share in shares} <= {"GBP"}
    return {share.reason: share for share in shares}


async def test_every_deferred_transaction_is_counted_once_until_it_is_released(world: World) -> None:
    orders = [await deferred(world, "DD7") for _ in range(_MORE_THAN_A_PAGE)]
    invoiced = await deferred(world, "B2B", 4)
    first = await look(world)
    assert {reason: share.count for reason, share in first.items()} == {"DD7": len(orders), "B2B": 1}
    assert all(share.matures is not None for share in first.values())
    await after_sale(world, invoiced, type="mature")
    await after_sale(world, orders[0], type="mature")
    second = await look(world)
    assert {reason: share.count for reason, share in second.items()} == {"DD7": len(orders) - 1}
    assert second["DD7"].amount == first["DD7"].amount / len(orders) * (len(orders) - 1) > Decimal(0)


async def test_proof_sheets_know_the_last_look_by_hand_or_by_the_clock(world: World) -> None:
    assert await known(world.client, "A9NOBODY") is None
    [told] = await ask(world.client, [EU])
    assert await known(world.client, EU) == told
    again: Deferred = await world.client.execute_workflow(
        "DeferredLook",
        {"seller_id": EU},
        id=f"{deferred_look_id(EU)}-2026-11-23T06:00:00Z",
        task_queue="o2c-orders",
        result_type=Deferred,
    )
    latest = await eventually(lambda: known(world.client, EU), lambda found: found == again)
    assert latest is not None
    assert latest.as_of > told.as_of
