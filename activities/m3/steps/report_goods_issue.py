"""Telling M3 that Amazon has shipped (FBA): the pick of every line reported once, until the delivery has
left.

One call reports one delivery. Where M3 has spread an Amazon shipment over several, the returned `items` are
less than was asked for, and the workflow reports the rest as its next shipment.

Safe to repeat: a delivery that has left and is not yet known to the workflow is this call's own work, done
before its answer was lost; a line already reported is known by its message number (PMSN).
"""

from datetime import timedelta

from activities.m3.client import Call
from activities.m3.context import M3Context
from activities.m3.errors import MIError, MIErrorKind, NotYet
from activities.m3.programs.deliveries import (
    CODelivery,
    PlannedLine,
    co_deliveries,
    delivery_heads,
    planned_lines,
)
from activities.m3.reasons import hold_for
from activities.m3.steps.shipped_items import items_of
from canonical.activity_contracts import ReportGoodsIssueRequest, SalesOrderLine
from canonical.held import HeldReason
from canonical.ids import goods_issue_message_number
from canonical.order import Delivery

_NO_LIST = "WPL1803"
_EXECUTE_NOW = "*EXE"
_LOOKED_LONG_ENOUGH = timedelta(seconds=75)
"""A warehouse that allocates by itself does it within seconds: after this a person is asked."""
_PATIENCE = 6.0
"""Seconds to wait inside for allocation, and for the delivery to leave."""


async def report_goods_issue(ctx: M3Context, request: ReportGoodsIssueRequest) -> Delivery:
    """The M3 delivery with which (a part of) an Amazon shipment left, reported now or before.

    Raises `NotYet` while M3 has allocated nothing or the delivery has not left; `OrderHeld`:
    shipment_not_reportable, not_configured.
    """
    return await _Reporting(ctx, request).run()


class _Reporting:
    def __init__(self, ctx: M3Context, request: ReportGoodsIssueRequest) -> None:
        self._ctx = ctx
        self._client = ctx.client
        self._request = request
        self._order = request.sales_order
        self._order_id = request.ref.order_id
        self._known = set(request.known_deliveries)

    async def run(self) -> Delivery:
        left = await self._left()
        if left is None:
            left = await self._report()
        items = await items_of(self._client, self._ctx.options.company, left, self._order.lines)
        return Delivery(dlix=left.dlix, whlo=left.whlo, status=left.status, items=items)

    async def _left(self) -> CODelivery | None:
        """The first delivery that has left and that the workflow does not know."""
        deliveries = (await co_deliveries(self._client, [self._order.orno]))[self._order.orno]
        return next((each for each in deliveries if each.left and each.dlix not in self._known), None)

    async def _report(self) -> CODelivery:
        await self._ctx.patiently(self._start, _PATIENCE)
        left = await self._ctx.patiently(self._left, _PATIENCE)
        if left is None:
            raise NotYet(self._waiting(), patience=_LOOKED_LONG_ENOUGH)
        return left

    def _waiting(self) -> str:
        pieces = sum(self._request.items.values())
        counted = "piece" if pieces == 1 else f"{pieces} pieces"
        return (
            f"M3 order {self._order.orno} has no delivery for the {counted} that Amazon shipped of order "
            f"{self._order_id}: not allocated, on no picking list, or the delivery has not left."
        )

    async def _start(self) -> bool | None:
        """Report the lines of the first delivery that holds some of them; None while there is none."""
        chosen = self._on_one_delivery(await planned_lines(self._client, self._order.orno))
        if not chosen:
            return None
        dlix = chosen[0][1].dlix
        head = (await delivery_heads(self._client, [dlix])).get(dlix)
        if head is None or head.plsx == "0":
            return None
        unreported = await self._unreported(chosen)
        calls = [("AddCOPick", self._pick(line, planned, head.plsx)) for line, planned in unreported]
        for result in await self._client.execute_bulk("MHS850MI", calls):
            if result.error is not None and not await self._harmless(result.error, dlix):
                raise self._refused(result.error, dlix)
        return True

    def _on_one_delivery(self, planned: tuple[PlannedLine, ...]) -> list[tuple[SalesOrderLine, PlannedLine]]:
        lines = {(line.ponr, line.posx): line for line in self._order.lines}
        wanted = [
            (lines[each.ponr, each.posx], each)
            for each in planned
            if each.dlix not in self._known
            and (each.ponr, each.posx) in lines
            and self._request.items.get(lines[each.ponr, each.posx].order_item_id, 0) > 0
            and each.quantity > 0
        ]
        first = min((int(each.dlix) for _, each in wanted), default=0)
        return [(line, each) for line, each in wanted if int(each.dlix) == first]

    async def _unreported(
        self, chosen: list[tuple[SalesOrderLine, PlannedLine]]
    ) -> list[tuple[SalesOrderLine, PlannedLine]]:
        """Those of which M3 has no message yet (MHS850MI.GetMvxMsg)."""
        partner = self._ctx.options.partner
        calls: list[Call] = [
            ("GetMvxMsg", {"E0PB": partner, "PMSN": self._message_number(line)}) for line, _ in chosen
        ]
        answers = await self._client.execute_bulk("MHS850MI", calls)
        return [pair for pair, answer in zip(chosen, answers, strict=True) if answer.row() is None]

    def _message_number(self, line: SalesOrderLine) -> str:
        position = 1 + self._order.lines.index(line)
        return goods_issue_message_number(self._order.orno, self._request.shipment, position)

    def _pick(self, line: SalesOrderLine, planned: PlannedLine, plsx: str) -> dict[str, str]:
        quantity = min(self._request.items[line.order_item_id], planned.quantity)
        return {
            "WHLO": line.whlo,
            "E0PA": self._ctx.options.partner,
            "E065": self._ctx.options.message_type,
            "CUNO": self._order.cuno,
            "RIDN": self._order.orno,
            "RIDL": line.ponr,
            "RIDX": line.posx,
            "PLSX": plsx,
            "DLIX": planned.dlix,
            "ITNO": line.itno,
            "QTYP": str(quantity),
            "PRFL": _EXECUTE_NOW,
            "PMSN": self._message_number(line),
        }

    async def _harmless(self, error: MIError, dlix: str) -> bool:
        """M3 had the report already, or the delivery has left meanwhile."""
        if error.kind is MIErrorKind.ALREADY_EXISTS:
            return True
        left = await self._left()
        return left is not None and left.dlix == dlix

    def _refused(self, error: MIError, dlix: str) -> Exception:
        if error.code == _NO_LIST:
            return NotYet(
                f"Delivery {dlix} of M3 order {self._order.orno} is on no picking list yet.",
                patience=_LOOKED_LONG_ENOUGH,
            )
        return hold_for(
            error,
            self._order_id,
            otherwise=HeldReason.SHIPMENT_NOT_REPORTABLE,
            about=f"delivery {dlix} of M3 order {self._order.orno}",
        )
