"""REQT: what customer orders want of an item in a warehouse and nobody has allocated yet."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from simulators.m3.records import ZERO, Order
from simulators.m3.store import Table

DELETED = "90"


class Reserved:
    """Open quantities of all orders by balance key ("WHLO/ITNO")."""

    def __init__(self, orders: Table[Order], changed: Callable[[str], None]) -> None:
        self._by_order: dict[str, dict[str, Decimal]] = {}
        self._totals: dict[str, Decimal] = {}
        self._changed = changed
        for order in orders:
            self._take(order.orno, order)
        orders.watch(self._follow)

    def of(self, key: str) -> Decimal:
        """Pieces that orders want of this balance and that are not allocated."""
        return self._totals.get(key, ZERO)

    def _follow(self, orno: str, order: Order) -> None:
        for key in self._take(orno, order):
            self._changed(key)

    def _take(self, orno: str, order: Order) -> list[str]:
        """Count the order as it is now; the balances for which that makes a difference."""
        wanted: dict[str, Decimal] = {}
        for line in order.lines if order.stat != DELETED else ():
            key = f"{line.whlo}/{line.itno}"
            wanted[key] = wanted.get(key, ZERO) + max(ZERO, line.open)
        before = self._by_order.get(orno, {})
        different = [key for key in {**before, **wanted} if before.get(key, ZERO) != wanted.get(key, ZERO)]
        for key in different:
            self._totals[key] = self.of(key) + wanted.get(key, ZERO) - before.get(key, ZERO)
        self._by_order[orno] = {key: pieces for key, pieces in wanted.items() if pieces}
        return different
