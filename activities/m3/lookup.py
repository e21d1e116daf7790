"""Where M3 holds an Amazon order: temporary and customer orders under its CUOR, by the configured route.

M3 has no idempotency key and CUOR is not unique, so this look precedes every write. The search index
(SearchHead) lags and is never asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from activities.m3.client import Call, M3Client, TruncatedListError
from activities.m3.options import M3Options
from activities.m3.programs.orders import BatchOrder, SalesOrder, batch_orders, sales_orders
from canonical.held import HeldReason, held
from canonical.statuses import batch_created

_SEPARATOR: Final = ";"
_CUSTOMER_LIMIT: Final = 5000
"""Longest order list of a customer that by_customer reads."""


@dataclass(frozen=True)
class Found:
    """Everything M3 has under one CUOR. Deleted customer orders are left out."""

    batches: tuple[BatchOrder, ...] = ()
    """Temporary orders that became no customer order (yet), lowest number first."""
    orders: tuple[SalesOrder, ...] = ()
    """Live customer orders, lowest number first."""


@dataclass
class _Numbers:
    batches: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)


class OrderLookup:
    """Finds orders by Amazon's order id. `customers` are searched where only the customer is an index."""

    def __init__(self, client: M3Client, options: M3Options, customers: Iterable[str] = ()) -> None:
        self._client = client
        self._options = options
        self._customers = tuple(dict.fromkeys(customers))

    async def find(self, cuor: str, *, customer: str = "") -> Found:
        """What M3 has under `cuor`. Raises `MIError`, `M3Unavailable`, `OrderHeld` (not_configured)."""
        return (await self.find_many([cuor], customer=customer))[cuor]

    async def find_many(self, cuors: Sequence[str], *, customer: str = "") -> dict[str, Found]:
        """The same for many orders in few calls."""
        numbers = await self._numbers(cuors, customer)
        batches = {batch.orno: batch for batch in await self._batches(numbers)}
        wanted = {cuor: set(each.orders) for cuor, each in numbers.items()}
        for cuor, each in numbers.items():
            wanted[cuor] |= {batches[n].final for n in each.batches if n in batches and batches[n].final}
        known = sorted({orno for each in wanted.values() for orno in each})
        orders = {order.orno: order for order in await sales_orders(self._client, known)} if known else {}
        found = {}
        for cuor in cuors:
            mine = (batches[n] for n in sorted(numbers[cuor].batches) if n in batches)
            live = (orders[n] for n in sorted(wanted[cuor]) if n in orders and not orders[n].deleted)
            found[cuor] = Found(
                tuple(b for b in mine if b.cuor in (cuor, "") and not batch_created(b.status)),
                tuple(order for order in live if order.cuor == cuor),
            )
        return found

    async def _batches(self, numbers: dict[str, _Numbers]) -> list[BatchOrder]:
        wanted = sorted({orno for each in numbers.values() for orno in each.batches})
        return await batch_orders(self._client, wanted) if wanted else []

    async def _numbers(self, cuors: Sequence[str], customer: str) -> dict[str, _Numbers]:
        match self._options.cuor_lookup:
            case "lists":
                return await self._by_lists(cuors)
            case "export":
                return await self._by_export(cuors)
            case "by_customer":
                return await self._by_customer(cuors, customer)

    async def _by_lists(self, cuors: Sequence[str]) -> dict[str, _Numbers]:
        lists = self._options.cuor_lists
        calls: list[Call] = []
        for cuor in cuors:
            calls += [(lists.batch_orders, {"OACUOR": cuor}), (lists.orders, {"OACUOR": cuor})]
        answers = await self._client.execute_bulk("CMS100MI", calls)
        found = {}
        for index, cuor in enumerate(cuors):
            rows = [answers[2 * index + place].rows() for place in (0, 1)]
            batches, orders = (
                {row["OAORNO"] for row in part if row.get("OACUOR") == cuor and row.get("OAORNO")}
                for part in rows
            )
            found[cuor] = _Numbers(batches, orders)
        return found

    async def _by_export(self, cuors: Sequence[str]) -> dict[str, _Numbers]:
        calls: list[Call] = []
        for cuor in cuors:
            if not cuor.replace("-", "").isalnum():
                raise ValueError("an order id that cannot be put into a query")
            where = f"where OACONO = {self._options.company} and OACUOR = '{cuor}'"
            calls += [
                ("Select", {"QERY": f"OAORNO,OACUOR from {table} {where}", "SEPC": _SEPARATOR, "HDRS": "0"})
                for table in ("OXHEAD", "OOHEAD")
            ]
        answers = await self._client.execute_bulk("EXPORTMI", calls)
        found = {}
        for index, cuor in enumerate(cuors):
            batches, orders = (
                {orno for row in answers[2 * index + place].rows() if (orno := _exported(row["REPL"], cuor))}
                for place in (0, 1)
            )
            found[cuor] = _Numbers(batches, orders)
        return found

    async def _by_customer(self, cuors: Sequence[str], customer: str) -> dict[str, _Numbers]:
        found = {cuor: _Numbers() for cuor in cuors}
        for cuno in dict.fromkeys((*((customer,) if customer else ()), *self._customers)):
            for transaction in ("LstBatchHead", "LstHead"):
                for row in await self._orders_of(cuno, transaction):
                    numbers = found.get(row.get("CUOR", ""))
                    if numbers is not None:
                        part = numbers.batches if transaction == "LstBatchHead" else numbers.orders
                        part.add(row["ORNO"])
        return found

    async def _orders_of(self, cuno: str, transaction: str) -> list[dict[str, str]]:
        try:
            return await self._client.complete_list(
                "OIS100MI", transaction, {"CUNO": cuno}, limit=_CUSTOMER_LIMIT
            )
        except TruncatedListError as error:
            raise held(
                HeldReason.NOT_CONFIGURED,
                f"M3 customer {cuno} has too many orders to search them one by one ({error}); set up the "
                f"CMS100MI lists by CUOR and configure cuor_lookup = lists.",
                system="M3",
            ) from error


def _exported(reply: str, cuor: str) -> str:
    """ORNO of one EXPORTMI row, empty where the row is of another order or a header."""
    parts = [part.strip() for part in reply.split(_SEPARATOR)]
    return parts[0] if len(parts) >= 2 and parts[1] == cuor else ""
