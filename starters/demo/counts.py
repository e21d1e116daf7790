"""How far the demonstration is: counted at Amazon, in Temporal and in M3, not guessed from what was sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from temporalio.client import Client

from canonical.order_contracts import ORDER_TO_CASH
from starters.links import HELD_ORDERS
from starters.simulation import AmazonControl, AmazonOrder, m3_state

_ALL: Final = f'WorkflowType="{ORDER_TO_CASH}"'
_GOODS_LEFT: Final = "60"
"""ORST of an M3 delivery from which on its goods have left."""


@dataclass(frozen=True)
class Counts:
    """One look at all three systems."""

    amazon: tuple[AmazonOrder, ...] = field(repr=False)
    received: int
    """Orders that have a workflow."""
    closed: int
    held: int
    booked: int
    """Customer orders in M3."""
    delivered: int
    """Deliveries in M3 whose goods have left."""
    invoices: int
    vouchers: int

    @property
    def placed(self) -> int:
        return len(self.amazon)

    @property
    def events_to_come(self) -> int:
        return sum(order.events_to_come for order in self.amazon)

    @property
    def sales(self) -> int:
        """Amazon orders that are to be carried into M3."""
        return sum(order.is_sale for order in self.amazon)

    @property
    def all_ended(self) -> bool:
        """Whether every sale has a workflow that is closed or held, and Amazon plans nothing more."""
        ended = self.closed + self.held == self.received == self.sales
        return ended and self.events_to_come == 0

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Equal as long as nothing moves."""
        newest = max((order.last_updated for order in self.amazon), default=None)
        figures = self.received, self.closed, self.held, self.booked
        more = self.delivered, self.invoices, self.vouchers
        return (self.placed, self.events_to_come, newest, *figures, *more)


async def look(client: Client, http: httpx.AsyncClient, amazon: AmazonControl, m3_url: str) -> Counts:
    """Count everywhere at once."""
    orders, received, closed, held, m3 = await asyncio.gather(
        amazon.orders(),
        client.count_workflows(_ALL),
        client.count_workflows(f'{_ALL} AND ExecutionStatus!="Running"'),
        client.count_workflows(HELD_ORDERS),
        m3_state(http, m3_url),
    )
    return Counts(
        amazon=tuple(orders),
        received=received.count,
        closed=closed.count,
        held=held.count,
        booked=int(m3["orders"]),
        delivered=_left(m3["deliveries_by_status"]),
        invoices=int(m3["invoices"]),
        vouchers=int(m3["vouchers"]),
    )


def _left(by_status: Mapping[str, Any]) -> int:
    return sum(int(number) for status, number in by_status.items() if status >= _GOODS_LEFT)
