"""Orders that are cancelled, by Amazon, a person or at the buyer's wish, at every stage M3 can be in."""

from canonical.return_contracts import LOOK_AGAIN
from tests.support.orders import ORDINARY
from tests.support.returns import Sold
from tests.support.stories.ending import Ends
from tests.support.stories.fba import SCARCE
from tests.support.stories.story import Tale, story
from tests.support.stories.words import HERE

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
    "MFN, cancelled when the parcel has left, comes back and is credited",
    Ends(
        "CANCELLED 0/0, 0 packages",
        "77 2/2, 1 delivery, 1 invoice 25.80, 1 credit -25.80",
        "cancelled",
    ),
    peers="nothing follows the goods",
)
async def _comes_back(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2), channel="MERCHANT")
    await told.waits()
    await told.m3_ships(told=False)
    await told.amazon("cancel")
    await told.held("cancelled_too_late")
    orno = (await told.view()).orno
    await told.repaired("mark_step_done", step="cancelling", number=orno)
    await told.closed()
    item = Sold(tale.world, told.order_id, ORDINARY, "")
    await item.until_waiting()
    told.note(HERE, "a return case waits for 2 pieces")
    await told.m3("receive", "the warehouse receives 2 pieces", cuor=told.order_id, quantity="2")
    await item.case.signal(LOOK_AGAIN)
    await item.settled()


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
