"""Orders that come back: returns, refunds, reimbursements."""

from tests.support.orders import ORDINARY
from tests.support.returns import Sold
from tests.support.stories.ending import Ends
from tests.support.stories.story import Tale, story
from tests.support.stories.telling import Telling, patiently
from tests.support.stories.words import AMAZON, HERE, M3


async def _sold(tale: Tale, quantity: int) -> tuple[Telling, Sold]:
    told = tale.order()
    await told.ordered((ORDINARY, quantity), status="SHIPPED")
    await told.closed()
    [item] = await told.items()
    return told, Sold(tale.world, told.order_id, ORDINARY, item)


async def _happens(told: Telling, item: Sold, kind: str, what: str, **facts: object) -> None:
    await item.happens(kind, **facts)
    told.note(AMAZON, what)


async def _settled(told: Telling, item: Sold) -> None:
    """The feed is read once, and the case ends."""
    await told.sweeps.returns()
    told.note(HERE, "returns report and refunds are read")
    await item.settled()


@story(
    "refunded, came back sellable, credited",
    Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 25.80, 1 credit -25.80", "booked"),
    peers="Odoo and frappe: refunds by hand",
)
async def _returned(tale: Tale) -> None:
    told, item = await _sold(tale, 2)
    await _happens(told, item, "refund", "refunds 2", units=2)
    await _happens(told, item, "return", "2 come back, sellable", units=2)
    await _settled(told, item)


@story(
    "one of three came back before its refund",
    Ends("SHIPPED 3/3", "77 3/3, 1 delivery, 1 invoice 38.70, 1 credit -12.90", "booked"),
)
async def _one_of_three(tale: Tale) -> None:
    told, item = await _sold(tale, 3)
    await _happens(told, item, "return", "1 comes back", units=1)
    await told.sweeps.returns()
    await patiently(item.view, lambda view: bool(view.missing))
    told.note(M3, "has no return yet")
    await _happens(told, item, "refund", "refunds 1", units=1)
    await _settled(told, item)
