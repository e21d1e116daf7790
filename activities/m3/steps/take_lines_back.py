"""Cancelled lines of an M3 order that goes on: deleted, lowered or closed, as far as their state allows.

OIS100MI.DelLine where nothing is left of a line, CloLine where all that is left of it has been delivered, and
ChgLineBatchEnt (ORQA) where some of it is still to come. Charges of the order head follow Amazon's
(UpdConnCOCharge, DelConnCOCharge), as long as they are not invoiced; then the total must be Amazon's. Every line is
looked at before the first is touched. Quantities and amounts are absolute, so a repeated call finds its work done.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from activities.m3.client import Call
from activities.m3.context import M3Context
from activities.m3.errors import MIError
from activities.m3.programs.orders import OrderLine, order_with_lines
from activities.m3.programs.values import number
from activities.m3.reasons import hold_for
from activities.m3.steps.adopt import compare_total
from canonical.activity_contracts import SalesOrderResult
from canonical.cancellation_contracts import TakeLinesBackRequest, TakeLinesBackResult
from canonical.held import HeldReason, OrderHeld, held
from canonical.money import Money
from canonical.order_facts import expected_total
from canonical.sales_order import planned_charges
from canonical.shipments import ordered_quantities
from canonical.statuses import ORDER_LINE, is_closed, is_delivered, may_be_picked, meaning

_INVOICED: Final = "77"
"""CHST of a charge that has been invoiced."""


async def take_lines_back(ctx: M3Context, request: TakeLinesBackRequest) -> TakeLinesBackResult:
    """Let M3's order have what is left of Amazon's.

    Raises `OrderHeld`: cancelled_too_late where a line is being picked or more has left than is wanted;
    total_differs where the rest does not come to Amazon's total.
    """
    return await _TakingBack(ctx, request).run()


@dataclass(frozen=True)
class _Change:
    """What is to be done with one line."""

    line: OrderLine
    wanted: int

    @property
    def call(self) -> Call:
        key = {"ORNO": "", "PONR": self.line.ponr, "POSX": self.line.posx}
        if self.wanted == 0:
            return "DelLine", key
        if self.wanted == self.line.delivered:
            return "CloLine", key
        return "ChgLineBatchEnt", {**key, "ORQA": str(self.wanted)}

    @property
    def sentence(self) -> str:
        done = {"DelLine": "deleted", "CloLine": "closed"}.get(
            self.call[0], f"lowered from {self.line.quantity} to {self.wanted}"
        )
        return f"line {self.line.ponr} {done}"


class _TakingBack:
    def __init__(self, ctx: M3Context, request: TakeLinesBackRequest) -> None:
        self._ctx = ctx
        self._client = ctx.client
        self._request = request
        self._orno = request.sales_order.orno
        self._order_id = request.ref.order_id
        quantities = ordered_quantities(request.order)
        self._wanted = {
            (line.ponr, line.posx): quantities.get(line.order_item_id, 0)
            for line in request.sales_order.lines
        }
        self._items = {(line.ponr, line.posx): line.order_item_id for line in request.sales_order.lines}
        self._left: dict[str, int] = {}

    async def run(self) -> TakeLinesBackResult:
        changes = self._changes(await self._lines())
        for change in changes:
            await self._change(change)
        said = [change.sentence for change in changes]
        said += await self._charges()
        return TakeLinesBackResult(
            sales_order=await self._what_is_left(),
            sentence=f"M3 order {self._orno}: {', '.join(said) or 'it was done already'}.",
            left=self._left,
        )

    async def _lines(self) -> tuple[OrderLine, ...]:
        head, lines = await order_with_lines(self._client, self._orno)
        if head is None or head.deleted:
            raise held(
                HeldReason.ORDER_CHANGED,
                f"Amazon cancelled a part of order {self._order_id}, and M3 order {self._orno} is deleted as a whole.",
                system="M3",
            )
        return lines

    def _changes(self, lines: tuple[OrderLine, ...]) -> list[_Change]:
        changes = []
        for line in lines:
            key = (line.ponr, line.posx)
            wanted = self._wanted.get(key)
            if wanted is not None and self._request.by_hand and line.delivered > wanted:
                self._left[self._items[key]] = line.delivered - wanted
                wanted = self._wanted[key] = line.delivered
            if wanted is None or line.quantity <= wanted:
                continue
            if line.delivered > wanted:
                raise self._too_late(line, "more of it has left than is wanted now")
            if line.delivered == wanted and (is_closed(line.status) or is_delivered(line.status)):
                continue
            if may_be_picked(line.status):
                raise self._too_late(line, "it is being picked")
            changes.append(_Change(line, wanted))
        return changes

    async def _change(self, change: _Change) -> None:
        transaction, fields = change.call
        try:
            await self._client.execute("OIS100MI", transaction, {**fields, "ORNO": self._orno})
        except MIError as error:
            if error.is_missing:
                return
            # The warehouse may have been quicker: then it is that, and not M3's refusal, which a person is told.
            key = (change.line.ponr, change.line.posx)
            now = [line for line in await self._lines() if (line.ponr, line.posx) == key]
            if not self._changes(tuple(now)):
                return
            raise hold_for(
                error,
                self._order_id,
                otherwise=HeldReason.CANCELLED_TOO_LATE,
                about=f"M3 order {self._orno}, line {change.line.ponr}",
            ) from error

    async def _charges(self) -> list[str]:
        """The order head's charges as Amazon's figures have them now, where Amazon tells them."""
        order = self._request.order
        if order.is_replacement or expected_total(order) is None:
            return []
        profile = self._ctx.profile(self._request.ref.marketplace_id, self._order_id)
        wanted = {charge.crid: charge.amount for charge in planned_charges(order, profile)}
        ours = {
            profile.charges.shipping, profile.charges.gift_wrap, profile.charges.other, profile.charges.promotion,
        }  # fmt: skip
        rows = await self._client.execute("OIS100MI", "LstConnCOCharge", {"ORNO": self._orno})
        done = []
        for row in rows:
            crid, amount = row.get("CRID", ""), number(row, "CRAM")
            if crid not in ours or row.get("CHST", "") >= _INVOICED or wanted.get(crid) == amount:
                continue
            await self._change_charge(crid, wanted.get(crid))
            done.append(f"charge {crid} from {amount} to {wanted.get(crid, 0)}")
        return done

    async def _change_charge(self, crid: str, amount: Decimal | None) -> None:
        fields = {"ORNO": self._orno, "CRID": crid}
        try:
            if amount is None:
                await self._client.execute("OIS100MI", "DelConnCOCharge", fields)
            else:
                await self._client.execute("OIS100MI", "UpdConnCOCharge", {**fields, "CRAM": f"{amount:f}"})
        except MIError as error:
            if not error.is_missing:
                about = f"M3 order {self._orno}, charge {crid}"
                raise hold_for(error, self._order_id, about=about) from error

    async def _what_is_left(self) -> SalesOrderResult:
        request, known = self._request, self._request.sales_order
        head, lines = await order_with_lines(self._client, self._orno)
        if head is None:
            raise held(HeldReason.ORDER_CHANGED, f"M3 order {self._orno} of {self._order_id} is gone.")
        expected = expected_total(request.order)
        if expected is not None and not request.accept_difference:
            profile = self._ctx.profile(request.ref.marketplace_id, self._order_id)
            compare_total(head, lines, request.order, expected, profile)
        left = tuple(
            line.model_copy(update={"quantity": self._wanted[line.ponr, line.posx]})
            for line in known.lines
            if self._wanted[line.ponr, line.posx] > 0
        )
        total = Money(amount=head.total, currency=head.currency)
        return known.model_copy(update={"lines": left, "total": total, "expected": expected or total})

    def _too_late(self, line: OrderLine, state: str) -> OrderHeld:
        wanted = self._wanted[line.ponr, line.posx]
        return held(
            HeldReason.CANCELLED_TOO_LATE,
            f"Of Amazon order {self._order_id}, line {line.ponr} of M3 order {self._orno} is to be lowered from "
            f"{line.quantity} to {wanted}, but {state}: line status {meaning(ORDER_LINE, line.status)}.",
            system="M3",
            code=line.status,
        )
