"""Orders that the own warehouse ships, and Amazon is told of."""

from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.stories.ending import Ends
from tests.support.stories.story import Tale, free_of_charge, story

_SHORT = "GRD-ELEC-1"


@story(
    "MFN, one package",
    Ends("SHIPPED 1/1 2/2, 1 package", "77 1/1 77 2/2, 1 delivery, 1 invoice 66.50", "booked"),
)
async def _one_package(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (ANOTHER, 2), channel="MERCHANT")
    await told.waits()
    await told.m3_ships()
    await told.closed()


@story(
    "MFN, three packages of one delivery",
    Ends("SHIPPED 3/3, 3 packages", "77 3/3, 1 delivery, 1 invoice 38.70", "booked"),
    peers="Celigo and ledoent carry one tracking number",
)
async def _three_packages(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3), channel="MERCHANT")
    await told.waits()
    await told.m3_ships(packages=3)
    await told.closed()


@story(
    "MFN, two partial deliveries",
    Ends("SHIPPED 3/3, 2 packages", "77 3/3, 2 deliveries, 2 invoices 38.70", "booked"),
    peers="frappe and ledoent: no partial shipment",
)
async def _two_deliveries(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3), channel="MERCHANT")
    await told.waits()
    await told.m3_ships({1: 1})
    await told.waits(shipments=1)
    await told.m3_ships({1: 2})
    await told.closed()


@story(
    "MFN, partial deliveries in several packages across lines",
    Ends("SHIPPED 4/4 2/2, 4 packages", "77 4/4 77 2/2, 2 deliveries, 2 invoices 105.20", "booked"),
)
async def _partial_in_packages(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 4), (ANOTHER, 2), channel="MERCHANT")
    await told.waits()
    await told.m3_ships({1: 2, 2: 1}, packages=2)
    await told.waits(shipments=1)
    await told.m3_ships({1: 2, 2: 1}, packages=2)
    await told.closed()


@story(
    "MFN, two deliveries before the service hears of the first",
    Ends("SHIPPED 3/3, 2 packages", "77 3/3, 2 deliveries, 2 invoices 38.70", "booked"),
)
async def _two_at_once(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3), channel="MERCHANT")
    await told.waits()
    await told.m3_ships({1: 1}, told=False)
    await told.m3_ships({1: 2}, told=False)
    await told.swept_until(lambda view: view.step == "closed")


@story(
    "MFN, one package with two items of the same SKU",
    Ends("SHIPPED 1/1 2/2, 1 package", "77 1/1 77 2/2, 1 delivery, 1 invoice 38.70", "booked"),
)
async def _same_sku(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (ORDINARY, 2), channel="MERCHANT")
    await told.waits()
    await told.m3_ships()
    await told.closed()


@story(
    "MFN, back order: one now, two when stock arrives",
    Ends("SHIPPED 3/3, 2 packages", "77 3/3, 2 deliveries, 2 invoices 357.00", "booked"),
)
async def _back_order(tale: Tale) -> None:
    told = tale.order()
    async with tale.scarce(_SHORT, "MAI", 1) as stock_arrives:
        await told.ordered((_SHORT, 3), channel="MERCHANT")
        await told.waits()
        await told.m3_ships()
        await told.waits(shipments=1)
        await stock_arrives()
        await told.m3_ships()
        await told.closed()


@story(
    "MFN replacement at no price",
    Ends("SHIPPED 1/1, 1 package", "free 77 1/1, 1 delivery, 1 invoice 0.00", "booked"),
)
async def _replacement(tale: Tale) -> None:
    told = tale.order()
    body = free_of_charge((ORDINARY, 1), replaces="302-1111111-1111111", channel="MERCHANT")
    await told.placed(body)
    await told.waits()
    await told.m3_ships()
    await told.closed()


@story(
    "MFN, shipped by hand before it is known (an import of the past)",
    Ends("SHIPPED 2/2, 0 packages", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
)
async def _past(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2), channel="MERCHANT", status="SHIPPED")
    await told.closed()


@story(
    "MFN, the confirmation's answer is lost",
    Ends("SHIPPED 1/1, 1 package", "77 1/1, 1 delivery, 1 invoice 12.90", "booked"),
    peers="a second confirmation: already fulfilled",
)
async def _lost_answer(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    what = "confirms the package, the answer is lost (504)"
    await told.fault(tale.world.amazon, "confirmShipment", "status_504", what, orderId=told.order_id)
    await told.m3_ships()
    await told.closed()


@story(
    "MFN, shipped by hand in Seller Central under another tracking number",
    Ends("SHIPPED 1/1, 1 package", "77 1/1, 1 delivery, 1 invoice 12.90", "held shipment_refused"),
)
async def _by_hand(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.amazon("ship", actor="MERCHANT", told=False)
    await told.m3_ships()


@story(
    "MFN, that confirmation is marked done",
    Ends("SHIPPED 1/1, 1 package", "77 1/1, 1 delivery, 1 invoice 12.90", "booked"),
)
async def _marked_done(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.amazon("ship", actor="MERCHANT", told=False)
    await told.m3_ships()
    await told.held("shipment_refused")
    [delivery] = (await tale.world.in_m3(told.order_id))["deliveries"]
    await told.repaired("mark_step_done", step="shipment", number=str(delivery["dlix"]))
    await told.closed()


@story(
    "MFN, a forwarder that no carrier is configured for",
    Ends("UNSHIPPED 0/1, 0 packages", "77 1/1, 1 delivery, 1 invoice 12.90", "held carrier_unknown"),
    peers="rejected without saying which",
)
async def _carrier(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, channel="MERCHANT")
    await told.waits()
    await told.m3_ships(fwno="XYZ")


@story(
    "MFN, M3's copy of the news comes late: Amazon's echo first",
    Ends("SHIPPED 2/2, 1 package", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
)
async def _echo(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2), channel="MERCHANT")
    await told.waits()
    await told.m3_ships()
    await told.told(0, noted=True)
    await told.closed()
    await told.told(0, noted=True)


@story(
    "FBA and MFN order of the same SKU at once",
    Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
    Ends("SHIPPED 2/2, 1 package", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
    peers="frappe: one warehouse for both; Odoo sold FBA units as FBM",
)
async def _both_channels(tale: Tale) -> None:
    amazons, own = tale.order(), tale.order()
    await amazons.ordered((ORDINARY, 2))
    await own.ordered((ORDINARY, 2), channel="MERCHANT")
    await amazons.waits()
    await own.waits()
    await own.m3_ships()
    await amazons.amazon_ships()
    await amazons.closed()
    await own.closed()
    for told, whlo in ((amazons, "AFE"), (own, "MAI")):
        [found] = (await tale.world.in_m3(told.order_id))["orders"]
        assert {line["whlo"] for line in found["lines"]} == {whlo}  # type: ignore[attr-defined]


@story(
    "MFN, half of it had left before it was known: which half M3 has to send is a person's to say",
    Ends("PARTIALLY_SHIPPED 1/2, 1 package", "nothing", "held not_configured"),
)
async def _half_left(tale: Tale) -> None:
    told = tale.order()
    await told.placed(order((ORDINARY, 2), channel="MERCHANT"), told=False)
    await told.amazon("ship", {1: 1}, actor="MERCHANT")
    await told.held("not_configured")
