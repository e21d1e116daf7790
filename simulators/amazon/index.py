"""All orders in memory, in the two orders in which searchOrders walks through them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from simulators.amazon.pages import Position
from simulators.amazon.query import Search
from simulators.amazon.record import OrderRecord

Key = tuple[int, str]


class OrderIndex:
    """Orders by id, and by moment of creation and of update for each seller."""

    def __init__(self) -> None:
        self.by_id: dict[str, OrderRecord] = {}
        self.marketplaces: dict[str, set[str]] = {}
        """Where each seller has orders."""
        self._walks: dict[tuple[str, bool], list[Key]] = {}
        self._updated: dict[str, int] = {}

    def put(self, record: OrderRecord) -> None:
        """Add an order, or move it to where its last update belongs."""
        order_id = record.order_id
        updates = self._walks.setdefault((record.seller_id, True), [])
        known = self._updated.get(order_id)
        if known is None:
            insort(self._walks.setdefault((record.seller_id, False), []), (record.created_ms, order_id))
            marketplace = record.body["salesChannel"].get("marketplaceId", "")
            self.marketplaces.setdefault(record.seller_id, set()).add(marketplace)
        elif known == record.updated_ms:
            return
        else:
            del updates[bisect_left(updates, (known, order_id))]
        insort(updates, (record.updated_ms, order_id))
        self._updated[order_id] = record.updated_ms
        self.by_id[order_id] = record

    def page(
        self, seller_id: str, search: Search, after: Position | None
    ) -> tuple[list[OrderRecord], Key | None]:
        """One page of a search and, if there is more, the key of its last order."""
        before_ms = search.before_ms if after is None else after.before_ms
        start: Key = (search.after_ms, "") if after is None else (after.moment_ms, f"{after.order_id}\0")
        found: list[OrderRecord] = []
        last: Key | None = None
        for key in self._walk((seller_id, search.by_update), start, before_ms):
            record = self.by_id[key[1]]
            if not _wanted(record, search):
                continue
            if len(found) == search.page_size:
                return found, last
            found.append(record)
            last = key
        return found, None

    def _walk(self, name: tuple[str, bool], start: Key, before_ms: int) -> Iterator[Key]:
        keys = self._walks.get(name, [])
        for position in range(bisect_left(keys, start), len(keys)):
            if keys[position][0] > before_ms:
                return
            yield keys[position]


def _wanted(record: OrderRecord, search: Search) -> bool:
    channel = record.body["salesChannel"]
    return (
        (not search.statuses or record.status in search.statuses)
        and (not search.marketplaces or channel.get("marketplaceId") in search.marketplaces)
        and (not search.fulfilled_by or record.body["fulfillment"].get("fulfilledBy") in search.fulfilled_by)
    )
