"""Customer orders and the batch orders they come from: OIS100MI.

Only transactions that take one kind of number: OIS275MI.GetTmpOrderStat accepts temporary and final ones
alike, and the two series may overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from activities.m3.client import BulkResult, Call, M3Client
from activities.m3.errors import MIError
from activities.m3.programs.values import number, pieces
from canonical.statuses import order_deleted


@dataclass(frozen=True)
class BatchOrder:
    """A temporary order (OXHEAD). `final` is the customer order it became, empty until then."""

    orno: str
    status: str
    cuor: str
    final: str = ""


@dataclass(frozen=True)
class OrderLine:
    """A customer order line (OOLINE). `cuor` is the line's own customer order number, the head's by
    default."""

    ponr: str
    posx: str
    itno: str
    cupo: str
    cuor: str
    quantity: int
    delivered: int
    status: str
    whlo: str


@dataclass(frozen=True)
class SalesOrder:
    """A customer order (OOHEAD). `total` is TOAM: goods, charges and VAT, in `currency`."""

    orno: str
    status: str
    cuor: str
    cuno: str
    division: str
    total: Decimal
    currency: str

    @property
    def deleted(self) -> bool:
        return order_deleted(self.status)


@dataclass(frozen=True)
class Rejection:
    """One row of OIS100MI.LstErrMsgOrder, without the data M3 quotes (MDTA), which may be a buyer's."""

    code: str
    text: str


def batch_calls(orno: str) -> list[Call]:
    """What `read_batch` needs of one temporary order."""
    return [("GetBatchHead", {"ORNO": orno}), ("GetOrderNo", {"ORNO": orno})]


def read_batch(orno: str, head: BulkResult, final: BulkResult) -> BatchOrder | None:
    """The temporary order from the answers to `batch_calls`; None where it is gone."""
    row = head.row()
    if row is None:
        return None
    numbers = final.row() or {}
    return BatchOrder(orno, row.get("STAT", ""), row.get("CUOR", ""), numbers.get("ORNR", "").strip())


async def batch_orders(client: M3Client, numbers: Sequence[str]) -> list[BatchOrder]:
    """The temporary orders that still exist."""
    calls = [call for orno in numbers for call in batch_calls(orno)]
    answers = await client.execute_bulk("OIS100MI", calls)
    found = (
        read_batch(orno, answers[2 * index], answers[2 * index + 1]) for index, orno in enumerate(numbers)
    )
    return [batch for batch in found if batch is not None]


async def sales_orders(client: M3Client, numbers: Sequence[str]) -> list[SalesOrder]:
    """The customer orders that exist, deleted ones (head status 90) among them."""
    answers = await client.execute_bulk("OIS100MI", [("GetHead", {"ORNO": orno}) for orno in numbers])
    return [_sales_order(row) for row in (answer.row() for answer in answers) if row is not None]


async def order_with_lines(client: M3Client, orno: str) -> tuple[SalesOrder | None, tuple[OrderLine, ...]]:
    """Head and lines of one customer order in one bulk call."""
    answers = await client.execute_bulk(
        "OIS100MI", [("GetHead", {"ORNO": orno}), ("LstLine", {"ORNO": orno})], maxrecs=1000
    )
    head = answers[0].row()
    if head is None:
        return None, ()
    return _sales_order(head), tuple(_line(row) for row in answers[1].rows())


async def lines_of(client: M3Client, numbers: Sequence[str]) -> dict[str, tuple[OrderLine, ...]]:
    """Lines of several customer orders, by ORNO."""
    calls: list[Call] = [("LstLine", {"ORNO": orno}) for orno in numbers]
    answers = await client.execute_bulk("OIS100MI", calls, maxrecs=1000)
    return {
        orno: tuple(_line(row) for row in answer.rows())
        for orno, answer in zip(numbers, answers, strict=True)
    }


async def rejections(client: M3Client, orno: str) -> tuple[Rejection, ...]:
    """Why M3 rejected a temporary order (LstErrMsgOrder): nothing else tells."""
    try:
        rows = await client.execute("OIS100MI", "LstErrMsgOrder", {"ORNO": orno})
    except MIError as error:
        if error.is_missing:
            return ()
        raise
    return tuple(Rejection(row.get("MSID", ""), row.get("TX60", "")) for row in rows)


async def batch_customer(client: M3Client, orno: str) -> str:
    """CUNO of a temporary order (OIS275MI.GetBatchHead; OIS100MI's does not tell it), empty where it is
    gone."""
    [answer] = await client.execute_bulk("OIS275MI", [("GetBatchHead", {"ORNO": orno})])
    row = answer.row()
    return row.get("CUNO", "") if row else ""


async def delete_batch(client: M3Client, orno: str) -> None:
    """Delete a temporary order (DelBatchHead); already gone is fine. M3 refuses while it transfers the
    order."""
    try:
        await client.execute("OIS100MI", "DelBatchHead", {"ORNO": orno})
    except MIError as error:
        if not error.is_missing:
            raise


def _sales_order(row: dict[str, str]) -> SalesOrder:
    return SalesOrder(
        orno=row.get("ORNO", ""),
        status=row.get("STAT", ""),
        cuor=row.get("CUOR", ""),
        cuno=row.get("CUNO", ""),
        division=row.get("DIVI", ""),
        total=number(row, "TOAM"),
        currency=row.get("CUCD", ""),
    )


def _line(row: dict[str, str]) -> OrderLine:
    return OrderLine(
        ponr=str(int(number(row, "PONR"))),
        posx=str(int(number(row, "POSX"))),
        itno=row.get("ITNO", ""),
        cupo=row.get("CUPO", "").strip().lstrip("0"),
        cuor=row.get("CUOR", "").strip(),
        quantity=pieces(row, "ORQT"),
        delivered=pieces(row, "DLQT"),
        status=row.get("ORST", ""),
        whlo=row.get("WHLO", ""),
    )
