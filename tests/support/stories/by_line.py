"""Orders of which Amazon cancels or changes a line, or pieces of one."""

from canonical.return_contracts import LOOK_AGAIN
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.returns import Sold
from tests.support.stories.ending import Ends
from tests.support.stories.fba import SCARCE
from tests.support.stories.story import Tale, story
from tests.support.stories.words import HERE

_ONE_OF_ONE = "77 1/1, 1 delivery, 1 invoice 12.90"


@story(
    "FBA, one line cancelled before it is known",
    Ends("SHIPPED 1/1 0/0", _ONE_OF_ONE, "booked"),
)
async def _line_before(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (SCARCE, 2), told=False)
    await told.amazon("cancel", {2: 2})
    await told.waits()
    await told.amazon_ships()
    await told.closed()


@story(
    "FBA, one line cancelled after import, not allocated",
    Ends("SHIPPED 1/1 0/0", _ONE_OF_ONE, "booked"),
    peers="whole orders only",
)
async def _line_not_allocated(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (SCARCE, 2))
    await told.waits()
    await told.amazon("cancel", {2: 2})
    await told.amazon_ships()
    await told.closed()


@story(
    "MFN, one line cancelled after import, not allocated",
    Ends("SHIPPED 1/1 0/0, 1 package", _ONE_OF_ONE, "booked"),
    peers="whole orders only",
)
async def _line_not_allocated_own(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (SCARCE, 2), channel="MERCHANT")
    await told.waits()
    await told.amazon("cancel", {2: 2})
    await told.waits()
    await told.m3_ships({1: 1})
    await told.closed()


@story(
    "MFN, one line cancelled while the warehouse picks",
    Ends("UNSHIPPED 0/1 0/0, 0 packages", "44 0/1 44 0/2", "held cancelled_too_late"),
)
async def _line_picked(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, ("CUP-STON-4", 2), channel="MERCHANT")
    await told.waits()
    await told.amazon("cancel", {2: 2})
    await told.until(lambda view: bool(view.held_reason))


@story(
    "MFN, one line cancelled when both have left, comes back and is credited",
    Ends(
        "SHIPPED 1/1 0/0, 1 package",
        "77 1/1 77 2/2, 1 delivery, 1 invoice 66.50, 1 credit -53.60",
        "booked",
    ),
    peers="nothing follows the goods",
)
async def _line_comes_back(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (ANOTHER, 2), channel="MERCHANT")
    await told.waits()
    await told.m3_ships(told=False)
    await told.amazon("cancel", {2: 2})
    await told.held("cancelled_too_late")
    orno = (await told.view()).orno
    await told.repaired("mark_step_done", step="cancelling", number=orno)
    await told.swept_until(lambda view: view.step == "closed")
    item = Sold(tale.world, told.order_id, ANOTHER, "")
    await item.until_waiting()
    told.note(HERE, "a return case waits for 2 pieces")
    body = {"cuor": told.order_id, "ponr": 2, "quantity": "2"}
    await told.m3("receive", "the warehouse receives 2 of line 2", **body)
    await item.case.signal(LOOK_AGAIN)
    await item.settled()


@story(
    "FBA, the rest cancelled after a partial shipment, M3 has no stock for it",
    Ends("SHIPPED 1/1", "77 1/3, 1 delivery, 1 invoice 38.75", "booked"),
    peers="stays open for ever",
)
async def _rest(tale: Tale) -> None:
    told = tale.order()
    async with tale.scarce("GRD-HAND-1", "AFE", 1):
        await told.ordered(("GRD-HAND-1", 3))
        await told.waits()
        await told.amazon_ships({1: 1})
        await told.waits(shipments=1)
        await told.amazon("cancel", {1: 2})
        await told.closed()


@story(
    "MFN, the rest cancelled after a partial delivery, M3 has no stock for it",
    Ends("SHIPPED 1/1, 1 package", "77 1/3, 1 delivery, 1 invoice 22.40", "booked"),
    peers="stays open for ever",
)
async def _rest_own(tale: Tale) -> None:
    told = tale.order()
    async with tale.scarce("SCL-KITCH-3", "MAI", 1):
        await told.ordered(("SCL-KITCH-3", 3), channel="MERCHANT")
        await told.waits()
        await told.m3_ships()
        await told.waits(shipments=1)
        await told.amazon("cancel", {1: 2})
        await told.closed()


@story(
    "quantity changed after import",
    Ends("UNSHIPPED 0/5", "44 0/2", "held order_changed"),
    peers="frappe never updates an order",
)
async def _changed(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2))
    await told.waits()
    await told.amazon("change_quantity", {1: 5})
    await told.held("order_changed")


@story(
    "quantity changed while M3 is making the order",
    Ends("UNSHIPPED 0/5", "44 0/2", "held order_changed"),
    peers="the order is booked as it was, and nobody knows",
)
async def _changed_while_booked(tale: Tale) -> None:
    told = tale.order()
    body = order((ORDINARY, 2))
    told.order_id = str(body["orderId"])
    what = "takes long to make the order"
    await told.fault(tale.world.m3, "OIS100MI.AddBatchHead", "hang", what)
    await told.placed(body)
    fault = await told.fault_waits(tale.world.m3)
    await told.amazon("change_quantity", {1: 5})
    await told.let_go(tale.world.m3, fault, "has made the order")
    await told.held("order_changed")
