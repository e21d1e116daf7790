"""Fulfilment orders (MCF) inside Amazon: what happens to them, kept in a file of their own.

The states and what leads from one to the next are those the model fulfillmentOutbound_2020-07-01.json describes
(FulfillmentOrderStatus, FulfillmentPolicy, FulfillmentShipment).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from simulators.amazon.fulfillment_records import (
    CANCELLABLE,
    EventError,
    Order,
    OrderStatus,
    Package,
    Shipment,
)

DAY_MS = 86_400_000
_ARRIVES_MS = 2 * DAY_MS


class Desk:
    """All fulfilment orders of one simulator. `automatic`: whether they go their way by themselves."""

    def __init__(self, folder: Path, pace: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.pace = pace
        self._db = sqlite3.connect(
            folder / "fulfillment.sqlite", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID")
        self.orders: dict[tuple[str, str], Order] = {}
        self.stock: dict[str, int] = {}
        """Sellable pieces by "seller/sku"; what is not in it is plenty."""
        self.automatic = True
        self.asynchronous = False
        """Whether 2026-07-04 answers createOrder with 202."""
        for key, body in self._db.execute("SELECT key, body FROM kept"):
            if key.startswith("order/"):
                order = Order.model_validate_json(body)
                self.orders[order.seller_id, order.order_id] = order
        self._numbers = len(self.orders) * 1000
        self.listeners: list[Callable[[Order, int], None]] = []
        """Told of every order that is new or changed, and when."""

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def keep(self, order: Order, now_ms: int) -> None:
        """Write a new or changed order down."""
        order.updated_ms = now_ms
        self.orders[order.seller_id, order.order_id] = order
        self._db.execute(
            "INSERT OR REPLACE INTO kept VALUES (?, ?)",
            (f"order/{order.seller_id}/{order.order_id}", order.model_dump_json()),
        )
        for listener in self.listeners:
            listener(order, now_ms)

    def of(self, seller_id: str) -> Iterator[Order]:
        """A seller's orders."""
        return (order for (seller, _), order in self.orders.items() if seller == seller_id)

    def package(self, seller_id: str, number: int) -> tuple[Order, Shipment, Package] | None:
        """A package of the seller's by number."""
        for order in self.of(seller_id):
            for shipment in order.shipments:
                for package in shipment.packages:
                    if package.number == number:
                        return order, shipment, package
        return None

    # --- what happens to an order ---------------------------------------------------------------

    def settle(self, now_ms: int) -> None:
        """Let orders go as far as they have got by now; a FillAll order ends a day after it got stuck."""
        for order in self.orders.values():
            if self.automatic and not order.ended:
                self._on_its_own(order, now_ms)
            stuck = order.status == "Processing" and not any(s.status == "PENDING" for s in order.shipments)
            if stuck and now_ms - order.updated_ms >= DAY_MS:
                self.give_up_rest(order, now_ms)

    def _on_its_own(self, order: Order, now_ms: int) -> None:
        age = (now_ms - order.received_ms) / 1000
        if order.status == "New" and age >= 2 * self.pace:
            self.validate(order, now_ms)
        if order.status == "Received" and age >= 5 * self.pace:
            self.plan(order, now_ms)
        if order.status == "Planning" and age >= 10 * self.pace:
            self.pick(order, {}, now_ms)
        if order.status == "Processing" and age >= 20 * self.pace:
            self.ship(order, 1, now_ms)
            self.give_up_rest(order, now_ms)

    def validate(self, order: Order, now_ms: int) -> None:
        """New becomes Received, or Invalid where the stock on the books is not enough or the address is none."""
        _must(order, "New")
        address = order.asked.get("destinationAddress")
        postcode = str(address.get("postalCode", "")) if isinstance(address, Mapping) else ""
        wanted: dict[str, int] = {}
        for item in order.items:
            wanted[item.sku] = wanted.get(item.sku, 0) + item.quantity
        short = any(self._sellable(order, sku) < quantity for sku, quantity in wanted.items())
        if short or not postcode.strip("0"):
            order.status = "Invalid"
        else:
            order.status = "Received"
            for sku, quantity in wanted.items():
                key = f"{order.seller_id}/{sku}"
                if key in self.stock:
                    self.stock[key] -= quantity
        self.keep(order, now_ms)

    def _sellable(self, order: Order, sku: str) -> int:
        return self.stock.get(f"{order.seller_id}/{sku}", 1_000_000)

    def plan(self, order: Order, now_ms: int) -> None:
        """Received becomes Planning."""
        _must(order, "Received")
        order.status = "Planning"
        self.keep(order, now_ms)

    def pick(self, order: Order, items: Mapping[str, int], now_ms: int) -> None:
        """Picking begins: a shipment of these pieces (all that is open) becomes PENDING."""
        _must(order, "Planning", "Processing")
        wanted = items or {item.item_id: order.open(item) for item in order.items if order.open(item) > 0}
        for item_id, quantity in wanted.items():
            if not 0 < quantity <= order.open(order.item(item_id)):
                raise EventError(f"Item {item_id} has {order.open(order.item(item_id))} pieces left to pick.")
        if wanted:
            self._numbers += 1
            number = f"{order.received_ms % 100_000:05d}{self._numbers:05d}"
            order.shipments.append(
                Shipment(
                    shipment_id=f"D{number}", centre=("DTM2", "LEJ1")[self._numbers % 2], items=dict(wanted)
                )
            )
        order.status = "Processing"
        self.keep(order, now_ms)

    def ship(self, order: Order, packages: int, now_ms: int) -> None:
        """Every pending shipment leaves, each in this many packages."""
        for shipment in order.shipments:
            if shipment.status != "PENDING":
                continue
            shipment.status, shipment.shipped_ms = "SHIPPED", now_ms
            pieces = [item for item, quantity in shipment.items.items() for _ in range(quantity)]
            for place in range(min(packages, len(pieces))):
                self._numbers += 1
                number = (order.received_ms // 1000) % 1_000_000 * 1000 + self._numbers % 1000
                shipment.packages.append(Package(number=number, carrier="DHL", tracking=f"JJD{number:015d}"))
                packed: dict[str, int] = {}
                for item in pieces[place::packages]:
                    packed[item] = packed.get(item, 0) + 1
                shipment.packed += [(item, quantity, number) for item, quantity in packed.items()]
        self._close_if_done(order)
        self.keep(order, now_ms)

    def short(self, order: Order, items: Mapping[str, int], now_ms: int) -> None:
        """The centre finds no sellable stock for these pieces. FillOrKill before any picking ends the order."""
        _must(order, "Received", "Planning", "Processing")
        wanted = items or {item.item_id: order.open(item) for item in order.items}
        for item_id, quantity in wanted.items():
            item = order.item(item_id)
            if quantity > order.open(item):
                raise EventError(f"Item {item_id} has {order.open(item)} pieces left.")
            item.unfulfillable += quantity
        if order.policy == "FillOrKill" and not order.shipments:
            for item in order.items:
                item.unfulfillable = item.quantity
        self._close_if_done(order)
        self.keep(order, now_ms)

    def cancel_shipment(self, order: Order, now_ms: int) -> None:
        """The fulfiller cancels what is pending; its pieces cannot be fulfilled."""
        for shipment in order.shipments:
            if shipment.status == "PENDING":
                shipment.status = "CANCELLED_BY_FULFILLER"
                for item_id, quantity in shipment.items.items():
                    order.item(item_id).unfulfillable += quantity
        self._close_if_done(order)
        self.keep(order, now_ms)

    def cancel(self, order: Order, now_ms: int) -> None:
        """The seller cancels the whole order; EventError once picking has begun."""
        if order.status not in CANCELLABLE:
            raise EventError(f"The order has the status {order.status} and can no longer be cancelled.")
        for item in order.items:
            item.cancelled = item.quantity
        order.status = "Cancelled"
        self.keep(order, now_ms)

    def give_up_rest(self, order: Order, now_ms: int) -> None:
        """What is still open will not come any more."""
        for item in order.items:
            item.unfulfillable += max(0, order.open(item))
        self._close_if_done(order)
        self.keep(order, now_ms)

    def _close_if_done(self, order: Order) -> None:
        if any(order.open(item) > 0 for item in order.items):
            return
        if any(shipment.status == "PENDING" for shipment in order.shipments):
            return
        total = sum(item.quantity for item in order.items)
        if order.shipped() == total:
            order.status = "Complete"
        elif order.shipped():
            order.status = "CompletePartialled"
        else:
            order.status = "Unfulfillable"

    def arrive(self, order: Order, status: str, now_ms: int) -> None:
        """The packages that have left reach their end."""
        for shipment in order.shipments:
            for package in shipment.packages:
                package.status = status
        self.keep(order, now_ms)

    def arrives_ms(self, shipment: Shipment, order: Order) -> int:
        """When Amazon means the shipment to arrive."""
        return (shipment.shipped_ms or order.received_ms) + _ARRIVES_MS


def _must(order: Order, *statuses: OrderStatus) -> None:
    if order.status not in statuses:
        raise EventError(f"Fulfilment order {order.order_id} is {order.status}, not {' or '.join(statuses)}.")
