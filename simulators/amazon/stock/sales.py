"""What orders do to stock: an order takes what it sells from the listing, or reserves it in the FBA pool.

Inferred: that an order takes its pieces when it is placed, paid or not, and that only what is cancelled before the
payment comes back to the quantity of a listing; of an FBA order everything comes back that does not ship.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulators.amazon.record import OrderRecord, fulfilled, unfulfilled
from simulators.amazon.stock.desk import StockDesk
from simulators.amazon.stock.pools import Pools
from simulators.amazon.stock.records import Entry, Listing, Pool, pool_of
from simulators.amazon.view import UNPAID
from simulators.amazon.wire import JsonObject

Heard = Callable[[Pool, int], None]


@dataclass(frozen=True)
class _Seen:
    """An order when it was last looked at. taken: pieces of each item that left the listing."""

    unpaid: bool
    taken: dict[str, int]
    open: dict[str, int]
    shipped: dict[str, int]


class Sales:
    """Remembers what each order has taken."""

    def __init__(self, stock: StockDesk, pools: Pools) -> None:
        self.listeners: list[Heard] = []
        """Told of every pool that changed, and when."""
        self._stock, self._pools = stock, pools
        self._seen: dict[str, _Seen] = {}

    def remember(self, record: OrderRecord) -> None:
        """Take in an order that was there before; it takes nothing any more."""
        self._seen[record.order_id] = _look(record)

    def orders_changed(self, records: Iterable[OrderRecord]) -> None:
        """Let these orders take what they sell, and give back what they do not."""
        listings: dict[tuple[str, str], Listing] = {}
        pools: dict[tuple[str, str], Pool] = {}
        lines: list[Entry] = []
        for record in records:
            before = self._seen.get(record.order_id, _Seen(True, {}, {}, {}))
            now = _look(record)
            self._seen[record.order_id] = now
            for item in record.items:
                sku = str(item["product"].get("sellerSku", ""))
                if record.by_amazon:
                    pool = self._move(record, sku, item["orderItemId"], before, now, lines)
                    if pool is not None:
                        pools[pool.name, sku] = pool
                else:
                    listing = self._take(record, sku, item["orderItemId"], before, now)
                    if listing is not None:
                        listings[listing.seller_id, sku] = listing
        if listings:
            self._stock.keep(listings.values())
        if pools:
            self._pools.write(pools.values(), lines)
        for pool in pools.values():
            for listener in self.listeners:
                listener(pool, pool.updated_ms)

    def _take(self, record: OrderRecord, sku: str, item_id: str, before: _Seen, now: _Seen) -> Listing | None:
        units = now.taken[item_id] - before.taken.get(item_id, 0)
        listing = self._stock.find(record.seller_id, sku)
        if listing is None or not units or (units < 0 and not before.unpaid):
            return None
        self._stock.sold(listing, _marketplace(record), units, record.order_id, record.updated_ms)
        return listing

    def _move(
        self, record: OrderRecord, sku: str, item_id: str, before: _Seen, now: _Seen, lines: list[Entry]
    ) -> Pool | None:
        pool = self._pools.find(record.seller_id, pool_of(_marketplace(record)), sku)
        if pool is None:
            return None
        reserved = now.open[item_id] - before.open.get(item_id, 0)
        gone = now.shipped[item_id] - before.shipped.get(item_id, 0)
        if not reserved and not gone:
            return None
        pool.fulfillable = max(0, pool.fulfillable - reserved - gone)
        pool.reserved_orders = max(0, pool.reserved_orders + reserved)
        pool.updated_ms = max(pool.updated_ms, record.updated_ms)
        if gone > 0:
            lines.append(
                Entry(
                    seller_id=pool.seller_id,
                    pool=pool.name,
                    sku=sku,
                    at_ms=record.updated_ms,
                    event="Shipments",
                    quantity=-gone,
                )
            )
        return pool


def _look(record: OrderRecord) -> _Seen:
    return _Seen(
        unpaid=record.status in UNPAID,
        taken={item["orderItemId"]: _taken(record, item) for item in record.items},
        open={item["orderItemId"]: unfulfilled(item) for item in record.items},
        shipped={item["orderItemId"]: fulfilled(item) for item in record.items},
    )


def _taken(record: OrderRecord, item: JsonObject) -> int:
    return 0 if record.status == "CANCELLED" and not fulfilled(item) else int(item["quantityOrdered"])


def _marketplace(record: OrderRecord) -> str:
    return str(record.body["salesChannel"].get("marketplaceId", ""))
