"""Orders that are cancelled, wholly or by line, at every stage M3 can be in."""

from tests.support.orders import ORDINARY, order
from tests.support.stories.ending import Ends
from tests.support.stories.fba import SCARCE
from tests.support.stories.story import Tale, story

_NONE_LEFT = Ends("CANCELLED 0/0", "nothing", "cancelled")
_ONE_OF_ONE = "77 1/1, 1 delivery, 1 invoice 12.90"


@story("cancelled while pending", _NONE_LEFT, peers="Odoo waits for Shipped or Cancelled only")
async def _pending(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, status="PENDING")
    await told.waits_for_release()
    await told.amazon("cancel")
    await told.closed()


@story("cancelled before it is known", _NONE_LEFT)
async def _before(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, told=False)
    await told.amazon("cancel")
    await told.closed()


@story("cancelled while it is held for a SKU", _NONE_LEFT)
async def _while_held(tale: Tale) -> None:
    told = tale.order()
    await told.ordered("TEA-JASMIN-100")
    await told.held("unmapped_sku")
    await told.amazon("cancel")
    await told.closed()


@story(
    "FBA, cancelled after import, nothing allocated",
    Ends("CANCELLED 0/0", "deleted", "cancelled"),
    peers="frappe and ledoent: the cancellation never arrives",
)
async def _not_allocated(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((SCARCE, 2))
    await told.waits()
    await told.amazon("cancel")
    await told.closed()


@story(
    "MFN, cancelled after import, nothing allocated",
    Ends("CANCELLED 0/0, 0 packages", "deleted", "cancelled"),
    peers="frappe and ledoent: the cancellation never arrives",
)
async def _not_allocated_own(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((SCARCE, 2), channel="MERCHANT")
    await told.waits()
    await told.amazon("cancel")
    await told.closed()


@story(
    "MFN, cancelled while the warehouse picks",
    Ends("CANCELLED 0/0, 0 packages", "44 0/1", "held cancelled_too_late"),
    peers="Celigo: an error",
)
async def _picked(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.amazon("cancel")
    await told.held("cancelled_too_late")


@story(
    "MFN, cancelled when the parcel has left",
    Ends("CANCELLED 0/0, 0 packages", _ONE_OF_ONE, "held cancelled_too_late"),
    peers="Celigo: an error",
)
async def _left(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.m3_ships(told=False)
    await told.amazon("cancel")
    await told.held("cancelled_too_late")


@story(
    "MFN, that return is settled by a person",
    Ends("CANCELLED 0/0, 0 packages", _ONE_OF_ONE, "cancelled"),
)
async def _settled(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.m3_ships(told=False)
    await told.amazon("cancel")
    await told.held("cancelled_too_late")
    orno = (await told.view()).orno
    await told.repaired("mark_step_done", step="cancelling", number=orno)
    await told.closed()


@story(
    "cancelled after it is shipped, invoiced and closed",
    Ends("CANCELLED 1/1", _ONE_OF_ONE, "booked; held cancelled_after_close"),
    peers="Celigo: an error for a person; frappe: never arrives",
)
async def _late(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, status="SHIPPED")
    await told.closed()
    await told.amazon("cancel")
    await told.heard_after_close("cancelled_after_close")


@story(
    "cancelled here by a person, shipped by Amazon all the same",
    Ends("SHIPPED 1/1", "deleted", "cancelled; held shipped_after_close"),
)
async def _shipped_all_the_same(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(SCARCE)
    await told.waits()
    await told.repaired("cancel")
    await told.closed()
    await told.amazon_ships()
    await told.heard_after_close("shipped_after_close")


# --- asked for by the buyer ----------------------------------------------------------------------


@story(
    "MFN, the buyer asks to cancel: a task",
    Ends("UNSHIPPED 0/1, 0 packages", "44 0/1", "held cancellation_requested"),
    peers="not documented by any peer",
)
async def _asked(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.amazon("request_cancel")
    await told.held("cancellation_requested")


@story(
    "MFN, the buyer asks to cancel and is refused",
    Ends("SHIPPED 1/1, 1 package", _ONE_OF_ONE, "booked"),
)
async def _asked_and_refused(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.amazon("request_cancel")
    await told.held("cancellation_requested")
    await told.repaired("refuse_cancellation")
    await told.waits()
    await told.m3_ships()
    await told.closed()


@story(
    "MFN, the buyer asks to cancel and the goods leave before anybody answers",
    Ends("SHIPPED 1/1, 1 package", _ONE_OF_ONE, "booked"),
)
async def _asked_too_late(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.amazon("request_cancel")
    await told.held("cancellation_requested")
    await told.m3_ships(told=False)
    await told.swept_until(lambda view: view.step == "closed")


@story(
    "MFN, the buyer asks to cancel, it is accepted and cancelled in Seller Central",
    Ends("CANCELLED 0/0, 0 packages", "deleted", "cancelled"),
)
async def _asked_and_accepted(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(SCARCE, channel="MERCHANT")
    await told.waits()
    await told.amazon("request_cancel")
    await told.held("cancellation_requested")
    await told.repaired("accept_cancellation")
    await told.until(lambda view: view.step == "cancelling")
    await told.amazon("cancel", actor="MERCHANT")
    await told.closed()


# --- by line -------------------------------------------------------------------------------------


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
