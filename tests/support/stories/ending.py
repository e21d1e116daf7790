"""How a story ended: read from both systems and from Temporal, in words that a table has room for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from canonical.order_contracts import OrderResult, OrderView
from tests.support.holding import OrderHandle
from tests.support.stories.telling import Telling

Json = Mapping[str, Any]
_DELETED = "90"


@dataclass(frozen=True)
class Ends:
    """What is left of an order on each side.

    amazon: status, then shipped/ordered pieces line by line, then the packages of an MFN order.
    m3: line status and delivered/ordered pieces line by line; what left, what was invoiced and credited.
    workflow: how it closed, or what it is held for; after a semicolon the same of the news after its end.
    """

    amazon: str
    m3: str
    workflow: str


@dataclass(frozen=True)
class Left:
    """Everything that both systems and Temporal have of an order."""

    order_id: str
    amazon: Json
    m3: Mapping[str, Sequence[Json]]
    result: OrderResult | None
    view: OrderView
    late: str
    """What news after the order's end is held for; empty where there is none."""
    pending: str = ""
    """Calls under way: name, attempts, what went wrong with the last one."""

    @property
    def live(self) -> list[Json]:
        return [order for order in self.m3["orders"] if order["stat"] != _DELETED]

    @property
    def sent(self) -> list[Json]:
        """M3 deliveries whose goods have left."""
        return [delivery for delivery in self.m3["deliveries"] if delivery["pist"] == "90"]

    @property
    def invoices(self) -> list[Json]:
        return [invoice for invoice in self.m3["invoices"] if invoice["dlix"]]

    @property
    def credits(self) -> list[Json]:
        return [invoice for invoice in self.m3["invoices"] if not invoice["dlix"]]

    @property
    def packages(self) -> list[Json]:
        found: list[Json] = self.amazon.get("packages", [])
        return found

    @property
    def by_merchant(self) -> bool:
        return bool(self.amazon["fulfillment"]["fulfilledBy"] == "MERCHANT")

    def ends(self) -> Ends:
        return Ends(_amazon(self), _m3(self), _workflow(self))


async def look(telling: Telling) -> Left:
    """Read how the order stands."""
    found = await telling.world.in_m3(telling.order_id)
    described = await telling.handle.describe()
    result = await telling.handle.result() if described.close_time is not None else None
    return Left(
        order_id=telling.order_id,
        amazon=await telling.world.at_amazon(telling.order_id),
        m3={name: rows for name, rows in found.items() if isinstance(rows, list)},
        result=result,
        view=await telling.view(),
        late=await _late(telling.late),
        pending="; ".join(
            f"{call.activity_type.name}, attempt {call.attempt}: {call.last_failure.message or 'no failure'}"
            for call in described.raw_description.pending_activities
        ),
    )


async def _late(handle: OrderHandle) -> str:
    try:
        described = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return ""
        raise
    if described.status is not WorkflowExecutionStatus.RUNNING:
        return "settled"
    view: OrderView = await handle.query("state", result_type=OrderView)
    return f"held {view.held_reason}" if view.held_reason else "under way"


def _amazon(left: Left) -> str:
    lines = [
        f"{item.get('fulfillment', {}).get('quantityFulfilled', 0)}/{item['quantityOrdered']}"
        for item in left.amazon["orderItems"]
    ]
    said = f"{left.amazon['fulfillment']['fulfillmentStatus']} {' '.join(lines)}"
    return f"{said}, {counted(len(left.packages), 'package')}" if left.by_merchant else said


def _m3(left: Left) -> str:
    if not left.live:
        return "deleted" if left.m3["orders"] else "nothing"
    said = "; ".join(_order(order) for order in left.live)
    if left.sent:
        said += f", {counted(len(left.sent), 'delivery')}"
    if left.invoices:
        said += f", {counted(len(left.invoices), 'invoice')} {total(left.invoices)}"
    if left.credits:
        said += f", {counted(len(left.credits), 'credit')} {total(left.credits)}"
    return said


def _order(order: Json) -> str:
    free = "free " if order["ortp"] == "AZR" else ""
    return free + " ".join(
        f"{line['status']} {number(line['delivered']) + number(line['invoiced'])}/{number(line['orqt'])}"
        for line in order["lines"]
    )


def _workflow(left: Left) -> str:
    if left.result is not None:
        said = left.result.outcome
    else:
        said = f"held {left.view.held_reason}" if left.view.held_reason else str(left.view.step)
    return f"{said}; {left.late}" if left.late else said


def number(value: object) -> int:
    """A quantity of M3's JSON, which are whole pieces here."""
    whole = Decimal(str(value))
    assert whole == int(whole), f"{value} is no whole number of pieces"
    return int(whole)


def total(invoices: Sequence[Json]) -> str:
    return f"{sum((Decimal(str(each['gross'])) for each in invoices), Decimal(0)):.2f}"


def counted(count: int, thing: str) -> str:
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count} {thing if count == 1 else plural}"
