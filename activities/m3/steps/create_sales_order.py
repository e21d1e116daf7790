"""Booking an order in M3 once, whatever happens on the way.

M3 has no idempotency key, so the order's CUOR is looked for before anything is written. A customer order is
adopted. A head that an earlier attempt left is deleted and built anew, since the charges on it cannot be
listed. Before Confirm every rival head is deleted; M3 refuses that once a rival is confirmed, and then this
attempt gives way. So of any two attempts at most one gets through, in whatever order their calls arrive:
each Confirm follows a look that came after the own head could be seen.
"""

import contextlib

from activities.m3.client import Call
from activities.m3.context import M3Context
from activities.m3.errors import M3Locked, M3Unavailable, MIError, MIErrorKind, NotYet
from activities.m3.lookup import Found
from activities.m3.programs.orders import (
    BatchOrder,
    Rejection,
    batch_customer,
    batch_orders,
    delete_batch,
    rejections,
)
from activities.m3.reasons import hold_for
from activities.m3.steps.adopt import adopt
from canonical.activity_contracts import CreateSalesOrderRequest, SalesOrderResult
from canonical.held import HeldReason, OrderHeld, held
from canonical.order_plan import PlannedLine, SalesOrderPlan
from canonical.sales_order import NothingToBook, plan_sales_order
from canonical.statuses import BATCH_ORDER, batch_created, batch_rejected, is_credit_stop, meaning

_CUOR_LENGTH = 20
_LOOKS = 3
"""Times the whole of M3 is looked at anew within one attempt, when it changed under our hands."""


async def create_sales_order(ctx: M3Context, request: CreateSalesOrderRequest) -> SalesOrderResult:
    """The one M3 customer order of an Amazon order: found, or built, confirmed and checked.

    Raises `OrderHeld`: credit_stop, order_rejected, duplicate_in_m3, total_differs, item_blocked,
    customer_unusable, address_refused, not_configured, m3_refused. Raises `NotYet`, `M3Unavailable`,
    `M3Locked`.
    """
    booking = _Booking(ctx, request)
    orno = await booking.order_number()
    return await adopt(
        ctx.client,
        orno,
        request.order,
        request.items,
        profile=booking.profile,
        expected=booking.plan.expected_total,
        accept_difference=request.accept_difference,
    )


def _own_number(line: PlannedLine) -> dict[str, str]:
    """The line's own CUOR: Amazon's order item id, by which a sweep knows the line again (EXHE cannot be
    read)."""
    return {"CUOR": line.order_item_id} if len(line.order_item_id) <= _CUOR_LENGTH else {}


class _Booking:
    def __init__(self, ctx: M3Context, request: CreateSalesOrderRequest) -> None:
        order = request.order
        self._ctx = ctx
        self._order_id = order.order_id
        self._cuno = request.cuno
        self.profile = ctx.profile(order.marketplace_id, order.order_id)
        try:
            self.plan: SalesOrderPlan = plan_sales_order(
                order, self.profile, request.items, request.cuno, request.address
            )
        except NothingToBook as error:
            raise held(HeldReason.ORDER_INCOMPLETE, str(error)) from None
        self._lookup = ctx.lookup(order.marketplace_id)

    async def order_number(self) -> str:
        """ORNO of the customer order, after making one where there was none."""
        for _ in range(_LOOKS):
            found = await self._look()
            if found.orders:
                orno = self._only(found)
                for batch in found.batches:  # left by an attempt that died: confirmed later, a second order
                    await self._forget(batch.orno)
                return orno
            if not found.batches:
                return await self._build()
            orno = await self._clear(found.batches)
            if orno:
                return orno
        raise NotYet(f"M3's temporary orders for Amazon order {self._order_id} keep changing.")

    async def _look(self) -> Found:
        return await self._lookup.find(self.plan.head.cuor, customer=self._cuno)

    def _only(self, found: Found) -> str:
        if len(found.orders) > 1:
            numbers = ", ".join(order.orno for order in found.orders)
            raise held(
                HeldReason.DUPLICATE_IN_M3,
                f"M3 has {len(found.orders)} orders for Amazon order {self._order_id}: {numbers}.",
                system="M3",
            )
        return found.orders[0].orno

    async def _clear(self, batches: tuple[BatchOrder, ...]) -> str:
        """Delete what earlier attempts left; returns ORNO where one of them turns out to be confirmed.

        A credit stop is the credit department's: deleted only when the order is now booked on another
        customer.
        """
        for batch in batches:
            if is_credit_stop(batch.status) and not await self._of_another_customer(batch):
                raise await self._credit_stop(batch)
        for batch in batches:
            if not await self._deleted(batch.orno):
                return await self._await_creation(batch.orno)
        return ""

    async def _of_another_customer(self, batch: BatchOrder) -> bool:
        return await batch_customer(self._ctx.client, batch.orno) not in ("", self._cuno)

    async def _deleted(self, orno: str) -> bool:
        """Delete a temporary order; False where M3 is just making a customer order of it, or has made one."""
        try:
            await delete_batch(self._ctx.client, orno)
        except M3Locked:
            return False
        except MIError as error:
            left = await batch_orders(self._ctx.client, [orno])
            if left and not batch_created(left[0].status):
                raise hold_for(error, self._order_id, about=f"temporary order {orno}") from error
            return False
        return True

    async def _build(self) -> str:
        orno = await self._add_head()
        await self._fill(orno)
        await self._check_lines(orno)
        found = await self._look()
        for rival in found.batches:
            if rival.orno != orno and not await self._deleted(rival.orno):
                await self._give_way(orno, rival.orno)
        if found.orders:
            await self._give_way(orno, found.orders[0].orno)
        await self._confirm(orno)
        return await self._await_creation(orno)

    async def _add_head(self) -> str:
        try:
            rows = await self._ctx.client.execute("OIS100MI", "AddBatchHead", self.plan.head.fields())
        except MIError as error:
            raise hold_for(error, self._order_id, about="the order head") from error
        orno = rows[0].get("ORNO", "").strip() if rows else ""
        if not orno:
            raise M3Unavailable("M3 answered OIS100MI.AddBatchHead without an order number.")
        return orno

    async def _fill(self, orno: str) -> None:
        """Address, lines and charges in one bulk call; what is uncertain is deleted by the next attempt."""
        calls: list[Call] = []
        about: list[str] = []
        if self.plan.address is not None:
            calls.append(("AddBatchAddress", {"ADRT": "1", **self.plan.address.batch_fields()}))
            about.append("the delivery address")
        for line in self.plan.lines:
            calls.append(("AddBatchLine", line.fields() | _own_number(line)))
            about.append(f"position {line.cupo} (item {line.itno})")
        for charge in self.plan.charges:
            calls.append(("AddBatchHeadChg", charge.fields()))
            about.append(f"charge {charge.crid}")
        results = await self._ctx.client.execute_bulk(
            "OIS100MI", [(name, {"ORNO": orno, **fields}) for name, fields in calls]
        )
        for result, part in zip(results, about, strict=True):
            if result.error is not None:
                await self._refused(orno, result.error, part)

    async def _refused(self, orno: str, error: MIError, about: str) -> None:
        if error.kind is MIErrorKind.NOT_FOUND or error.field == "ORNO":
            raise self._vanished(orno) from error
        await self._forget(orno)
        raise hold_for(error, self._order_id, about=about) from error

    async def _check_lines(self, orno: str) -> None:
        """Every line once, before M3 makes an order of them."""
        try:
            rows = await self._ctx.client.execute("OIS100MI", "LstBatchLine", {"ORNO": orno}, maxrecs=1000)
        except MIError as error:
            raise self._vanished(orno) from error
        there = sorted(row.get("CUPO", "").strip().lstrip("0") for row in rows)
        if there != sorted(line.cupo for line in self.plan.lines):
            await self._forget(orno)
            raise NotYet(
                f"Temporary order {orno} of Amazon order {self._order_id} has other lines than were sent; "
                "it was deleted and is built anew."
            )

    async def _confirm(self, orno: str) -> None:
        try:
            await self._ctx.client.execute("OIS100MI", "Confirm", {"ORNO": orno})
        except MIError as error:
            if error.kind is MIErrorKind.NOT_FOUND:
                raise self._vanished(orno) from error
            raise hold_for(
                error, self._order_id, otherwise=HeldReason.ORDER_REJECTED, about=f"temporary order {orno}"
            ) from error

    async def _await_creation(self, orno: str) -> str:
        """ORNO of the customer order M3 makes of temporary order `orno`, which was confirmed."""
        final = await self._ctx.patiently(lambda: self._created(orno), self._ctx.options.busy_wait)
        if final:
            return final
        left = await batch_orders(self._ctx.client, [orno])
        if left and batch_rejected(left[0].status):
            raise self._rejected(orno, (), left[0].status)
        raise NotYet(f"M3 is still making a customer order of temporary order {orno} ({self._order_id}).")

    async def _created(self, orno: str) -> str | None:
        batches = await batch_orders(self._ctx.client, [orno])
        if not batches:
            found = await self._look()
            if found.orders:
                return self._only(found)
            raise self._vanished(orno)
        batch = batches[0]
        if batch_created(batch.status):
            return batch.final or None
        if is_credit_stop(batch.status):
            raise await self._credit_stop(batch)
        if batch_rejected(batch.status):
            rows = await rejections(self._ctx.client, orno)
            if rows:  # without messages M3 may still be at it
                raise self._rejected(orno, rows, batch.status)
        return None

    async def _give_way(self, orno: str, winner: str) -> None:
        await self._forget(orno)
        raise NotYet(
            f"Another attempt books Amazon order {self._order_id} under {winner}; this one gives way."
        )

    async def _forget(self, orno: str) -> None:
        """Delete the own temporary order, so that none piles up in OIS275; else the next attempt does it."""
        with contextlib.suppress(MIError, M3Unavailable, M3Locked):
            await delete_batch(self._ctx.client, orno)

    def _vanished(self, orno: str) -> NotYet:
        return NotYet(
            f"Temporary order {orno} of Amazon order {self._order_id} was deleted meanwhile; looking again."
        )

    async def _credit_stop(self, batch: BatchOrder) -> OrderHeld:
        rows = await rejections(self._ctx.client, batch.orno)
        return held(
            HeldReason.CREDIT_STOP,
            f"M3 stopped Amazon order {self._order_id} (temporary order {batch.orno}) for credit{_said(rows)}.",
            system="M3",
            code=rows[0].code if rows else f"STAT {batch.status}",
        )

    def _rejected(self, orno: str, rows: tuple[Rejection, ...], status: str) -> OrderHeld:
        return held(
            HeldReason.ORDER_REJECTED,
            f"M3 rejected temporary order {orno} of Amazon order {self._order_id}: status "
            f"{meaning(BATCH_ORDER, status)}{_said(rows)}.",
            system="M3",
            code=rows[0].code if rows else f"STAT {status}",
        )


def _said(rows: tuple[Rejection, ...]) -> str:
    texts = "; ".join(f"{row.code} {row.text}".strip() for row in rows[:5])
    return f": {texts}" if texts else ""
