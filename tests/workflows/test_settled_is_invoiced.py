"""What Amazon settles of an order is what M3 invoiced for it, to the cent: a settlement's posting stands on it."""

from decimal import Decimal

from tests.support.world import World, eventually


async def placed(world: World, count: int) -> set[str]:
    """Orders as buyers make them, nothing wrong with any."""
    answer = await world.amazon.post("/_control/orders", json={"count": count, "seed": 606})
    return set(answer.json()["created"])


async def invoiced(world: World, orders: set[str]) -> dict[str, Decimal]:
    """What M3 invoiced and posted of the orders that it and Amazon are through with; free ones are left out."""
    shown = (await world.amazon.get("/_control/orders")).json()
    shipped = {each["orderId"] for each in shown if each["status"] == "SHIPPED"}
    summary = (await world.m3.get("/_control/orders")).json()
    return {
        row["cuor"]: sum(map(Decimal, row["invoiced"]), Decimal(0))
        for row in summary
        if row["cuor"] in orders & shipped
        and set(row["status"]) == {"77-77"}
        and row["invoices"] == row["vouchers"] > 0
        and any(Decimal(amount) for amount in row["invoiced"])
    }


async def settled(world: World) -> dict[str, Decimal]:
    """What the settlements pay of each order before fees."""
    found: dict[str, Decimal] = {}
    for head in (await world.amazon.get("/_control/settlements")).json():
        told = (await world.amazon.get(f"/_control/settlements/{head['settlementId']}")).json()
        for order_id, truth in told["orders"].items():
            found[order_id] = found.get(order_id, Decimal(0)) + Decimal(truth["sold"])
    return found


async def test_what_is_settled_of_an_order_is_what_was_invoiced(world: World) -> None:
    orders = await placed(world, 24)

    async def through() -> dict[str, Decimal]:
        await world.sweep()
        return await invoiced(world, orders)

    owed = await eventually(through, lambda found: len(found) >= 16)
    answer = await world.amazon.post("/_control/settlements", json={"fees": False, "reserve": "0"})
    assert {head["currency"] for head in answer.json()} >= {"EUR", "GBP", "USD", "CAD"}
    paid = await settled(world)
    assert {order_id: paid[order_id] for order_id in owed} == owed
