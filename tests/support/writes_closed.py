"""Writes that come after an order was closed: what comes back of it, and packages that M3 has corrected."""

import asyncio

from temporalio.service import RPCError, RPCStatusCode

from activities.m3.activities import M3Activities
from activities.m3.client import M3Client
from canonical.activity_contracts import ORDERS_QUEUE
from canonical.order_contracts import GoodsLeft
from canonical.package_contracts import CORRECTION_SWEEP, CorrectionSweepInput, CorrectionSweepResult
from tests.support.orders import ORDINARY
from tests.support.returns import Sold
from tests.support.trials import Subject, Trial, Write, cuor, m3_control, merchants, shipped
from tests.support.world import PATIENCE, World, eventually
from worker.outside import m3_options


async def goods_have_left(trial: Trial, world: World, m3: M3Client) -> None:
    """This order alone is told of its goods, as a sweep tells all."""
    read = M3Activities(m3, world.settings.marketplaces, m3_options(world.settings)).deliveries_of
    found = await eventually(
        lambda: read([trial.order_id]),
        lambda seen: bool(seen.get(trial.order_id)),
        every_seconds=world.look_every,
    )
    news = GoodsLeft(deliveries=found[trial.order_id])
    await world.handle(trial.order_id, trial.write.seller).signal("goods_left", news)


async def _booked(trial: Trial, world: World) -> None:
    """All orders of the run are under way together; this one is waited for as long as they are."""
    handle = world.handle(trial.order_id, trial.write.seller)
    result = await asyncio.wait_for(handle.result(), 2 * PATIENCE.total_seconds())
    assert result.outcome == "booked", result.sentence


async def _comes_back(trial: Trial, world: World, _: M3Client) -> None:
    """Refunded and returned, once the order is closed; the run's one look tells of it."""
    await _booked(trial, world)
    sold = Sold(world, trial.order_id, ORDINARY, trial.item_ids[0])
    await sold.happens("refund", units=2)
    await sold.happens("return", units=2)


async def _closed(trial: Trial, world: World, m3: M3Client) -> None:
    """The own warehouse ships it at once."""
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await m3_control(world, "ship", cuor=trial.order_id)
    await goods_have_left(trial, world, m3)
    await _booked(trial, world)


async def _corrected(trial: Trial, world: World, _: M3Client) -> None:
    """M3 gives its package another tracking number, and a look finds it."""
    await m3_control(world, "correct", cuor=trial.order_id, package=1, etrn=f"JJD{trial.number:018d}")
    await eventually(lambda: _found(trial, world), bool)


async def _found(trial: Trial, world: World) -> bool:
    await world.client.execute_workflow(
        CORRECTION_SWEEP,
        CorrectionSweepInput(days=1),
        id=f"matrix-corrections-{trial.number}-{asyncio.get_running_loop().time()}",
        task_queue=ORDERS_QUEUE,
        result_type=CorrectionSweepResult,
    )
    try:
        await trial.handle(world).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _of_a_return(operation: str) -> Write:
    return Write(
        operation,
        shipped((ORDINARY, 2)),
        cuor,
        subject=Subject.RETURN,
        after=_comes_back,
        outcome="settled",
    )


WRITES_OF_THE_CLOSED = (
    _of_a_return("OIS390MI.AddHead"),
    _of_a_return("OIS390MI.AddLine"),
    _of_a_return("MHS850MI.AddCOReturn"),
    Write(
        "confirmShipment",
        merchants,
        lambda trial: {"orderId": trial.order_id},
        about="of a corrected package",
        subject=Subject.CORRECTION,
        skip=1,
        after=_closed,
        later=_corrected,
        outcome="corrected",
    ),
)
