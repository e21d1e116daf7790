"""Own shipments in several packages, corrected afterwards: seen at Amazon, through real Temporal and M3's simulator."""

from temporalio.client import WorkflowHandle

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.held import HeldReason
from canonical.ids import correction_workflow_id
from canonical.package_contracts import (
    CORRECTION_SWEEP,
    CorrectionSweepInput,
    CorrectionSweepResult,
    PackageCorrectionResult,
)
from starters.held_orders import HeldOrder, held_orders
from starters.lookup import find_subject
from tests.support.orders import ANOTHER, ORDINARY, new_order_id, order
from tests.support.world import World, eventually, updated

EU = "A2EUSELLER0001"


async def packages_at_amazon(world: World, order_id: str) -> dict[str, tuple[str, str, int]]:
    """Carrier, tracking number and pieces by reference."""
    body = await world.at_amazon(order_id)
    return {
        one["packageReferenceId"]: (
            one["carrier"],
            one["trackingNumber"],
            sum(item["quantity"] for item in one["packageItems"]),
        )
        for one in body.get("packages", [])  # type: ignore[attr-defined]
    }


async def m3_does(world: World, action: str, **body: object) -> None:
    answer = await world.m3.post(f"/_control/{action}", json=body)
    assert answer.is_success, answer.text


async def look(world: World) -> CorrectionSweepResult:
    result: CorrectionSweepResult = await world.client.execute_workflow(
        CORRECTION_SWEEP,
        CorrectionSweepInput(days=1),
        id=f"test-corrections-{new_order_id()}",
        task_queue=ORDERS_QUEUE,
        result_type=CorrectionSweepResult,
    )
    return result


async def shipped_in(world: World, packages: int, *lines: tuple[str, int]) -> str:
    """An own order, sent in so many packages by DHL, booked and closed."""
    await m3_does(world, "staff", at_work=False)
    try:
        order_id = await world.place(order(*lines, channel="MERCHANT"))
        handle = await world.start(order_id)
        await world.until(handle, lambda view: view.step == "awaiting_shipment")
        await m3_does(world, "ship", cuor=order_id, packages=packages, fwno="DHL")
        await world.m3_ships(order_id)
        assert (await world.result(handle)).outcome == "booked"
    finally:
        await m3_does(world, "staff", at_work=True)
    return order_id


async def corrected(world: World, order_id: str) -> PackageCorrectionResult:
    """Amazon is told of the correction as soon as a look has found it."""
    workflow_id = correction_workflow_id(EU, order_id)

    async def known() -> int:
        await look(world)
        found = world.client.list_workflows(f'WorkflowId="{workflow_id}"')
        return len([one async for one in found])

    await eventually(known, lambda runs: runs > 0)
    handle = world.client.get_workflow_handle(workflow_id, result_type=PackageCorrectionResult)
    result: PackageCorrectionResult = await handle.result()
    return result


async def test_three_packages_one_corrected_after_the_order_was_closed(world: World) -> None:
    order_id = await shipped_in(world, 3, (ORDINARY, 3), (ANOTHER, 2))
    before = await packages_at_amazon(world, order_id)
    assert len(before) == 3
    assert len({tracking for _, tracking, _ in before.values()}) == 3
    assert sum(pieces for *_, pieces in before.values()) == 5
    assert all(int(reference) > 0 for reference in before)

    second = sorted(before, key=int)[1]
    await m3_does(world, "correct", cuor=order_id, package=2, etrn="JJD000390007900000042")
    result = await corrected(world, order_id)
    assert result.outcome == "corrected"
    carrier, _, pieces = before[second]
    assert await packages_at_amazon(world, order_id) == before | {
        second: (carrier, "JJD000390007900000042", pieces)
    }
    body = await world.at_amazon(order_id)
    assert body["fulfillment"]["fulfillmentStatus"] == "SHIPPED"  # type: ignore[index]

    runs = result.sentence
    await look(world)  # the same correction again is none
    again = await corrected(world, order_id)
    assert again.sentence == runs
    assert len((await world.in_m3(order_id))["invoices"]) == 1


async def test_another_carrier_is_told_for_every_package_of_the_delivery(world: World) -> None:
    order_id = await shipped_in(world, 2, (ORDINARY, 2))
    before = await packages_at_amazon(world, order_id)
    await m3_does(world, "correct", cuor=order_id, fwno="UPS")
    await corrected(world, order_id)
    after = await packages_at_amazon(world, order_id)
    assert {reference: ("UPS", *rest) for reference, (_, *rest) in before.items()} == after


async def test_a_correction_that_cannot_be_told_is_held_and_the_latest_word_repairs_it(world: World) -> None:
    order_id = await shipped_in(world, 1, (ORDINARY, 1))
    await m3_does(world, "correct", cuor=order_id, fwno="XYZ")
    handle: WorkflowHandle[object, PackageCorrectionResult] = world.client.get_workflow_handle(
        correction_workflow_id(EU, order_id), result_type=PackageCorrectionResult
    )

    async def held() -> list[HeldOrder]:
        await look(world)
        found = await held_orders(world.client, "http://ui", reason=HeldReason.CARRIER_UNKNOWN)
        return [one for one in found if one.order_id == order_id]

    [listed] = await eventually(held, lambda found: len(found) == 1)
    assert (listed.kind, listed.workflow_id) == ("package correction", handle.id)
    assert (await find_subject(world.client, [EU], order_id)).description.id == handle.id
    await m3_does(world, "correct", cuor=order_id, fwno="UPS", etrn="1Z999AA10123456784")
    await look(world)
    await updated(handle, "retry")
    assert (await handle.result()).outcome == "corrected"
    [(carrier, tracking, pieces)] = (await packages_at_amazon(world, order_id)).values()
    assert (carrier, tracking, pieces) == ("UPS", "1Z999AA10123456784", 1)


async def test_a_package_is_corrected_while_the_rest_of_its_order_is_still_to_leave(world: World) -> None:
    await m3_does(world, "staff", at_work=False)
    try:
        order_id = await world.place(order((ORDINARY, 3), channel="MERCHANT"))
        handle = await world.start(order_id)
        await world.until(handle, lambda view: view.step == "awaiting_shipment")
        await m3_does(world, "ship", cuor=order_id, lines={"1": "2"}, packages=1, fwno="DHL")
        await world.m3_ships(order_id)
        await world.until(handle, lambda view: len(view.vouchers) == 1 and view.step == "awaiting_shipment")
        await m3_does(world, "correct", cuor=order_id, etrn="JJD000390007900000099")
        await corrected(world, order_id)
        first = await packages_at_amazon(world, order_id)
        assert [one[1:] for one in first.values()] == [("JJD000390007900000099", 2)]
        await m3_does(world, "ship", cuor=order_id, packages=1, fwno="UPS")
        await world.m3_ships(order_id)
        assert (await world.result(handle)).outcome == "booked"
        both = await packages_at_amazon(world, order_id)
        assert first.items() <= both.items()
        assert sorted(pieces for *_, pieces in both.values()) == [1, 2]
    finally:
        await m3_does(world, "staff", at_work=True)
