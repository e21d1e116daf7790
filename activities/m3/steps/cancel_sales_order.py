"""Taking an order back in M3, as far as its state allows; the same call again finds nothing left to do."""

from activities.m3.client import Call
from activities.m3.context import M3Context
from activities.m3.errors import M3Locked, MIError, NotYet
from activities.m3.programs.orders import (
    BatchOrder,
    OrderLine,
    SalesOrder,
    batch_orders,
    delete_batch,
    order_with_lines,
    sales_orders,
)
from activities.m3.reasons import hold_for
from canonical.activity_contracts import CancelSalesOrderRequest, CancelSalesOrderResult
from canonical.held import HeldReason, OrderHeld, held
from canonical.ids import customer_order_number
from canonical.statuses import ORDER_LINE, Compensation, batch_created, compensation_for, meaning

_LOOKS = 3


async def cancel_sales_order(ctx: M3Context, request: CancelSalesOrderRequest) -> CancelSalesOrderResult:
    """Delete every temporary and customer order of an Amazon order.

    Raises `OrderHeld` (cancelled_too_late) once a line is being picked or has left. Raises `NotYet` while
    M3 is just making a customer order.
    """
    return await _Cancellation(ctx, request).run()


class _Cancellation:
    def __init__(self, ctx: M3Context, request: CancelSalesOrderRequest) -> None:
        self._ctx = ctx
        self._client = ctx.client
        self._order_id = request.ref.order_id
        self._orno = request.orno
        self._lookup = ctx.lookup(request.ref.marketplace_id)
        self._deleted: dict[str, None] = {}

    async def run(self) -> CancelSalesOrderResult:
        for _ in range(_LOOKS):
            found = await self._lookup.find(customer_order_number(self._order_id))
            orders = {order.orno: order for order in (*found.orders, *await self._named())}
            if not found.batches and not orders:
                return CancelSalesOrderResult(deleted=tuple(self._deleted))
            for batch in found.batches:
                await self._delete_batch(batch)
            for order in orders.values():
                await self._delete_order(order)
        raise NotYet(f"M3's orders for Amazon order {self._order_id} keep changing while they are deleted.")

    async def _named(self) -> list[SalesOrder]:
        """The order the workflow knows by number, if it is this order's and live; a deleted one is noted."""
        if not self._orno:
            return []
        orders = await sales_orders(self._client, [self._orno])
        mine = [order for order in orders if order.cuor == customer_order_number(self._order_id)]
        self._deleted.update((order.orno, None) for order in mine if order.deleted)
        return [order for order in mine if not order.deleted]

    async def _delete_batch(self, batch: BatchOrder) -> None:
        try:
            await delete_batch(self._client, batch.orno)
        except M3Locked as error:
            raise NotYet(
                f"M3 is just making a customer order of temporary order {batch.orno} ({self._order_id})."
            ) from error
        except MIError as error:
            left = await batch_orders(self._client, [batch.orno])
            if left and not batch_created(left[0].status):
                raise hold_for(error, self._order_id, about=f"temporary order {batch.orno}") from error
        else:
            self._deleted[batch.orno] = None

    async def _delete_order(self, order: SalesOrder) -> None:
        lines = await self._deletable_lines(order.orno)
        if lines is None:
            return
        try:
            await self._client.execute("OIS100MI", "DelHead", {"ORNO": order.orno})
        except MIError as error:
            if not error.is_missing:
                await self._delete_lines(order.orno, error)
        self._deleted[order.orno] = None

    async def _deletable_lines(self, orno: str) -> tuple[OrderLine, ...] | None:
        """Lines of a live order of which nothing is being picked; None where it is already deleted."""
        head, lines = await order_with_lines(self._client, orno)
        if head is None or head.deleted:
            return None
        what = compensation_for(line.status for line in lines)
        if what in (Compensation.STOP_AND_ASK, Compensation.RETURN):
            raise self._too_late(orno, lines, what)
        return lines

    async def _delete_lines(self, orno: str, refusal: MIError) -> None:
        """Where M3 does not delete a head with lines: line by line; the head goes with the last one, or
        after it."""
        lines = await self._deletable_lines(orno)
        if lines is None:
            return
        calls: list[Call] = [
            ("DelLine", {"ORNO": orno, "PONR": line.ponr, "POSX": line.posx}) for line in lines
        ]
        for result in await self._client.execute_bulk("OIS100MI", calls):
            if result.error is not None and not result.error.is_missing:
                raise hold_for(result.error, self._order_id, about=f"M3 order {orno}") from refusal
        left = await sales_orders(self._client, [orno])
        if left and not left[0].deleted:
            try:
                await self._client.execute("OIS100MI", "DelHead", {"ORNO": orno})
            except MIError as error:
                if not error.is_missing:
                    raise hold_for(error, self._order_id, about=f"M3 order {orno}") from refusal

    def _too_late(self, orno: str, lines: tuple[OrderLine, ...], what: Compensation) -> OrderHeld:
        furthest = max((line.status for line in lines if line.status != "99"), key=lambda status: status[1:])
        state = "goods have left" if what is Compensation.RETURN else "it is being picked"
        return held(
            HeldReason.CANCELLED_TOO_LATE,
            f"Amazon order {self._order_id} was cancelled, but of M3 order {orno} {state}: line status "
            f"{meaning(ORDER_LINE, furthest)}.",
            system="M3",
            code=furthest,
        )
