"""Orders that Amazon ships itself."""

from typing import Any

from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.stories.ending import Ends
from tests.support.stories.story import Tale, free_of_charge, story
from tests.support.stories.telling import NA

SCARCE = "TEA-FIRST-50"
"""M3 has none of it until goods are received for an order."""


@story(
    "FBA, shipped before it is known",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 12.90", "booked"),
)
async def _shipped_before(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, status="SHIPPED")
    await told.closed()


@story(
    "FBA, quantity 3 at one line price",
    Ends("SHIPPED 3/3", "77 3/3, 1 delivery, 1 invoice 38.70", "booked"),
    peers="frappe invoices three times the price",
)
async def _line_price(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3), status="SHIPPED")
    await told.closed()


@story(
    "FBA, shipping charge and promotion",
    Ends("SHIPPED 2/2 1/1", "77 2/2 77 1/1, 1 delivery, 1 invoice 55.50", "booked"),
)
async def _charges(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2), ANOTHER, status="SHIPPED", shipping="4.90", discount="2.00")
    await told.closed()


@story(
    "FBA, shipped after it is booked",
    Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
    peers="frappe never looks at updates",
)
async def _shipped_after(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2))
    await told.waits()
    await told.amazon_ships()
    await told.closed()


@story(
    "FBA, one line in two shipments",
    Ends("SHIPPED 3/3", "77 3/3, 2 deliveries, 2 invoices 38.70", "booked"),
)
async def _two_shipments(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3))
    await told.waits()
    await told.amazon_ships({1: 1})
    await told.waits(shipments=1)
    await told.amazon_ships({1: 2})
    await told.closed()


@story(
    "FBA, three shipments across two lines",
    Ends("SHIPPED 3/3 2/2", "77 3/3 77 2/2, 3 deliveries, 3 invoices 92.30", "booked"),
)
async def _three_shipments(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3), (ANOTHER, 2))
    await told.waits()
    for count, lines in enumerate(({1: 2}, {1: 1, 2: 1}), 1):
        await told.amazon_ships(lines)
        await told.waits(shipments=count)
    await told.amazon_ships({2: 1})
    await told.closed()


@story(
    "FBA, two shipments told as one",
    Ends("SHIPPED 2/2 1/1", "77 2/2 77 1/1, 1 delivery, 1 invoice 52.60", "booked"),
)
async def _told_as_one(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2), ANOTHER)
    await told.waits()
    await told.amazon_ships({1: 1}, told=False)
    await told.amazon_ships({1: 1, 2: 1})
    await told.closed()


@story(
    "FBA, news in the wrong order",
    Ends("SHIPPED 3/3", "77 3/3, 1 delivery, 1 invoice 38.70", "booked"),
)
async def _wrong_order(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3))
    await told.waits()
    await told.amazon_ships({1: 1}, told=False)
    await told.amazon_ships({1: 2}, told=False)
    await told.told(2, noted=True)
    await told.told(1, noted=True)
    await told.told(0, noted=True)
    await told.closed()


@story(
    "FBA, every news three times and a notification beside it",
    Ends("SHIPPED 2/2", "77 2/2, 2 deliveries, 2 invoices 25.80", "booked"),
)
async def _three_times(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2))
    await told.waits()
    await told.amazon_ships({1: 1}, told=False)
    for _ in range(3):
        await told.told(noted=True)
    await told.notified()
    await told.waits(shipments=1)
    await told.amazon_ships({1: 1}, told=False)
    await told.notified()
    for _ in range(3):
        await told.told(noted=True)
    await told.closed()


@story(
    "FBA, shipment known by notification only",
    Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
)
async def _by_notification(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2))
    await told.waits()
    await told.amazon_ships(told=False)
    await told.notified()
    await told.closed()


@story(
    "FBA, two items of the same SKU",
    Ends("SHIPPED 1/1 2/2", "77 1/1 77 2/2, 2 deliveries, 2 invoices 38.70", "booked"),
    peers="matching by SKU adds them together",
)
async def _same_sku(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, (ORDINARY, 2))
    await told.waits()
    await told.amazon_ships({2: 2})
    await told.waits(shipments=1)
    await told.amazon_ships({1: 1})
    await told.closed()


@story(
    "FBA, pending, released, shipped",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 12.90", "booked"),
)
async def _pending(tale: Tale) -> None:
    told = tale.order()
    await told.ordered(ORDINARY, status="PENDING")
    await told.waits_for_release()
    await told.amazon("release")
    await told.waits()
    await told.amazon_ships()
    await told.closed()


@story(
    "FBA, quantity and price change while it is pending",
    Ends("SHIPPED 4/4", "77 4/4, 1 delivery, 1 invoice 51.60", "booked"),
    peers="frappe keeps the pending order's missing prices for ever",
)
async def _changed_while_pending(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 2), status="PENDING")
    await told.waits_for_release()
    await told.amazon("change_quantity", {1: 4})
    await told.amazon("release", told=False)
    await told.amazon_ships()
    await told.closed()


@story(
    "FBA replacement at no price",
    Ends("SHIPPED 1/1", "77 1/1, 1 delivery, 1 invoice 12.90", "booked"),
    Ends("SHIPPED 1/1", "free 77 1/1, 1 delivery, 1 invoice 0.00", "booked"),
    peers="price 0 becomes the price list's",
)
async def _replacement(tale: Tale) -> None:
    first = tale.order()
    await first.ordered(ORDINARY, status="SHIPPED")
    await first.closed()
    again = tale.order()
    await again.placed(free_of_charge((ORDINARY, 1), replaces=first.order_id, status="SHIPPED"))
    await again.closed()


@story("multi-channel: Amazon ships what M3 sold", Ends("SHIPPED 1/1", "nothing", "not_a_sale"))
async def _multi_channel(tale: Tale) -> None:
    told = tale.order()
    body = order(ORDINARY, status="SHIPPED")
    body["salesChannel"] = {"channelName": "NON_AMAZON"}
    await told.placed(body)
    await told.closed()


@story(
    "US order, Amazon remits the tax",
    Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 25.80", "booked"),
    peers="tax booked twice",
)
async def _american(tale: Tale) -> None:
    told = tale.order(NA)
    body = order((ORDINARY, 2), marketplace="US", status="SHIPPED")
    item: dict[str, Any] = body["orderItems"][0]  # type: ignore[index]
    tax = {"type": "TAX", "subtotal": {"amount": "2.10", "currencyCode": "USD"}}
    item["proceeds"]["breakdowns"].append(tax)
    item["proceeds"]["proceedsTotal"]["amount"] = "27.90"
    model = {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}
    item["tax"] = {"taxCollections": [model]}
    body["proceeds"]["grandTotal"]["amount"] = "27.90"  # type: ignore[index]
    await told.placed(body)
    await told.closed()


@story(
    "FBA, partly shipped when it is first seen",
    Ends("SHIPPED 3/3", "77 3/3, 2 deliveries, 2 invoices 38.70", "booked"),
)
async def _partly_shipped(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((ORDINARY, 3), told=False)
    await told.amazon_ships({1: 2})
    await told.waits(shipments=1)
    await told.amazon_ships({1: 1})
    await told.closed()


@story(
    "FBA, more shipped than ordered",
    Ends("SHIPPED 3/2", "44 0/2", "held shipped_too_much"),
    peers="the surplus is ignored or invoiced",
)
async def _over_shipped(tale: Tale) -> None:
    told = tale.order()
    body = order((ORDINARY, 2))
    body["orderItems"][0]["fulfillment"] = {"quantityFulfilled": 3, "quantityUnfulfilled": 0}  # type: ignore[index]
    body["fulfillment"]["fulfillmentStatus"] = "SHIPPED"  # type: ignore[index]
    await told.placed(body)
    await told.until(lambda view: bool(view.held_reason) or view.step == "closed")


@story(
    "FBA, M3's stock comes after Amazon has shipped",
    Ends("SHIPPED 2/2", "77 2/2, 1 delivery, 1 invoice 45.60", "booked"),
)
async def _stock_late(tale: Tale) -> None:
    told = tale.order()
    await told.ordered((SCARCE, 2))
    await told.waits()
    await told.amazon_ships(told=False)
    await told.healed("shipment_not_reportable", "stock arrives")
    await told.told(noted=True)
    await told.closed()
