"""What Amazon and M3 hold of one order in the end, and whether it is exactly one of everything."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from activities.m3.client import Call, M3Client
from canonical.ids import goods_issue_message_number
from canonical.order_contracts import OrderResult
from simulators import catalogue
from tests.support.world import World
from workflows import search_attributes as sa

_DELETED = "90"
"""Head status of a customer order that was deleted. Of a temporary one it says that it became an order."""
_SHIPMENTS = 3
"""Shipments whose report numbers are looked for; none of these orders needs more."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """All that was left behind by one Amazon order, read from the two systems and not from the service."""

    order_id: str
    result: OrderResult | None
    """None where the workflow has not ended."""
    outcome: str
    m3: Mapping[str, Sequence[Json]]
    amazon: Json
    buyers: int | None
    """M3 customers with the buyer's name; None where the order is booked on a generic customer."""
    reports: int | None
    """Goods reports (MHS850 messages); None where the own warehouse ships."""
    ended: str = ""
    """How the workflow beyond the order ended; empty where there is none."""
    receipts: int = 0
    """Reports that goods came back (MHS850 messages)."""

    @property
    def live(self) -> list[Json]:
        """Customer orders that are not deleted."""
        return [order for order in self.m3["orders"] if order["stat"] != _DELETED]

    @property
    def leftover(self) -> list[Json]:
        """Temporary orders that became no customer order: M3 could still make a second one of each."""
        return [batch for batch in self.m3["temporary"] if batch["stat"] != _DELETED]

    @property
    def customers(self) -> int:
        return len(self.m3["customers"]) if self.buyers is None else self.buyers

    @property
    def packages(self) -> list[Json]:
        found: list[Json] = self.amazon.get("packages", [])
        return found

    @property
    def by_merchant(self) -> bool:
        return bool(self.amazon["fulfillment"]["fulfilledBy"] == "MERCHANT")


async def look(world: World, m3: M3Client, order_id: str, seller: str, buyer: str = "") -> Seen:
    """Read everything about an order; `buyer` is the name of one who has an M3 customer of his own."""
    handle = world.handle(order_id, seller)
    description = await handle.describe()
    result = await handle.result() if description.close_time is not None else None
    known = description.typed_search_attributes
    stands = f"{known.get(sa.STEP) or 'under way'} {known.get(sa.HELD_REASON) or ''}".strip()
    everything = await world.in_m3(order_id)
    amazon = await world.at_amazon(order_id)
    by_amazon = amazon["fulfillment"]["fulfilledBy"] == "AMAZON"  # type: ignore[index]
    return Seen(
        order_id=order_id,
        result=result,
        outcome=result.outcome if result else stands,
        m3={name: found for name, found in everything.items() if isinstance(found, list)},
        amazon=amazon,
        buyers=await _customers_named(m3, buyer) if buyer else None,
        reports=await _reports(m3, everything["orders"]) if by_amazon else None,
    )


async def _customers_named(m3: M3Client, buyer: str) -> int:
    rows = await m3.execute("CRS610MI", "LstByNumber", {"CUNO": "0"}, maxrecs=5000)
    return sum(row["CUNM"] == buyer for row in rows)


async def _reports(m3: M3Client, orders: Sequence[Json]) -> int:
    numbers = [
        goods_issue_message_number(str(order["orno"]), shipment, position)
        for order in orders
        for shipment in range(1, _SHIPMENTS + 1)
        for position in range(1, len(order["lines"]) + 1)
    ]
    calls: list[Call] = [("GetMvxMsg", {"E0PB": catalogue.PARTNER, "PMSN": number}) for number in numbers]
    if not calls:
        return 0
    return sum(answer.error is None for answer in await m3.execute_bulk("MHS850MI", calls))


def complaints(seen: Seen, *, cancelled: bool = False, may_split: bool = False) -> list[str]:
    """Everything that is lost, doubled or different; nothing where the order was carried exactly once.

    cancelled: the order had to be taken back. may_split: M3 may have sent it in more than one delivery.
    """
    wrong = [f"{seen.customers} customers"] if seen.customers != 1 else []
    wrong += [f"temporary order {batch['orno']} is left over" for batch in seen.leftover]
    wanted = "cancelled" if cancelled else "booked"
    if seen.result is None or seen.outcome != wanted:
        wrong.append(f"the workflow says {seen.outcome}, not {wanted}")
    return wrong + (_cancelled(seen) if cancelled else _booked(seen, may_split))


def _cancelled(seen: Seen) -> list[str]:
    wrong = [f"order {order['orno']} is still alive" for order in seen.live]
    if len(seen.m3["orders"]) != 1:
        wrong.append(f"{len(seen.m3['orders'])} customer orders were made")
    for kind in ("deliveries", "invoices", "vouchers"):
        if seen.m3[kind]:
            wrong.append(f"{len(seen.m3[kind])} {kind} of a cancelled order")
    taken_back = [str(order["orno"]) for order in seen.m3["orders"]]
    if seen.result is None or not all(orno in seen.result.sentence for orno in taken_back):
        wrong.append(f"the result does not say that {', '.join(taken_back)} was taken back")
    return wrong


def _booked(seen: Seen, may_split: bool) -> list[str]:
    if len(seen.live) != 1 or len(seen.m3["orders"]) != 1:
        return [f"{len(seen.live)} live customer orders, {len(seen.m3['orders'])} in all"]
    order = seen.live[0]
    wrong: list[str] = []
    for kind in ("deliveries", "invoices", "vouchers"):
        count = len(seen.m3[kind])
        if count != len(seen.m3["deliveries"]) or count < 1 or (count > 1 and not may_split):
            wrong.append(f"{count} {kind}")
    wrong += _quantities(seen, order)
    wrong += _amounts(seen, order)
    result = seen.result
    if result is not None:
        named = (result.orno, *sorted(result.deliveries), *sorted(result.invoices))
        there = (
            order["orno"],
            *sorted(str(delivery["dlix"]) for delivery in seen.m3["deliveries"]),
            *sorted(str(invoice["ivno"]) for invoice in seen.m3["invoices"]),
        )
        if named != there:
            wrong.append(f"the result names {named}, M3 has {there}")
    if seen.reports is not None and seen.reports != len(order["lines"]):
        wrong.append(f"{seen.reports} goods reports for {len(order['lines'])} lines")
    return wrong + (_told_amazon(seen) if seen.by_merchant else [])


def _quantities(seen: Seen, order: Json) -> list[str]:
    """Every piece that Amazon sold is ordered once, delivered once and invoiced once."""
    sold = sorted(
        int(item["quantityOrdered"]) for item in seen.amazon["orderItems"] if item["quantityOrdered"]
    )
    ordered = {line["ponr"]: int(Decimal(line["orqt"]) - Decimal(line["closed"])) for line in order["lines"]}
    wrong = [f"ordered {sorted(ordered.values())}, sold {sold}"] if sorted(ordered.values()) != sold else []
    left: Counter[int] = Counter()
    for delivery in seen.m3["deliveries"]:
        for line in delivery["lines"]:
            left[line["ponr"]] += int(Decimal(line["quantity"]))
    charged: Counter[int] = Counter()
    for invoice in seen.m3["invoices"]:
        for row in invoice["rows"]:
            charged[row["ponr"]] += int(Decimal(row["quantity"]))
    for what, counted in (("delivered", left), ("invoiced", charged)):
        pieces = {ponr: counted[ponr] for ponr in ordered}
        if pieces != ordered:
            wrong.append(f"{what} {pieces} of {ordered}")
    return wrong


def _amounts(seen: Seen, order: Json) -> list[str]:
    """Amazon's total is M3's order total, is what was invoiced."""
    paid = Decimal(seen.amazon["proceeds"]["grandTotal"]["amount"])
    invoiced = sum((Decimal(invoice["gross"]) for invoice in seen.m3["invoices"]), Decimal(0))
    if paid == Decimal(order["total"]) == invoiced:
        return []
    return [f"Amazon says {paid}, the M3 order {order['total']}, its invoices {invoiced}"]


def _told_amazon(seen: Seen) -> list[str]:
    """Amazon knows each of M3's packages once, by its tracking number, and nothing else."""
    sent = sorted(box["etrn"] for delivery in seen.m3["deliveries"] for box in delivery["packages"])
    known = sorted(package["trackingNumber"] for package in seen.packages)
    wrong = [f"M3 sent packages {sent}, Amazon knows {known}"] if sent != known else []
    if seen.amazon["fulfillment"]["fulfillmentStatus"] != "SHIPPED":
        wrong.append(f"Amazon says {seen.amazon['fulfillment']['fulfillmentStatus']}")
    return wrong
