"""Telling M3 that Amazon has shipped a delivery: its parcels with their tracking numbers, then its picking list,
once, until the goods have left.

Safe to repeat: a delivery that has left is this call's own work, a package is known by its number (PANR), a report
by its message number (PMSN).
"""

from datetime import timedelta
from typing import Final

from activities.m3.client import Call
from activities.m3.context import M3Context
from activities.m3.errors import MIError, MIErrorKind, NotYet
from activities.m3.programs.deliveries import CODelivery, co_deliveries, delivered_quantities
from activities.m3.programs.mcf import add_packages, outbound_heads
from canonical.held import HeldReason, held
from canonical.ids import mcf_item_id, mcf_message_number
from canonical.mcf_contracts import McfDelivery, McfLine, McfReported, ReportMcfShipmentRequest

_EXECUTE_NOW: Final = "*EXE"
_NO_MORE: Final = "1"
"""OEND: of this line nothing more is coming (inferred from its name, "order end")."""
_PATIENCE: Final = 6.0
"""Seconds to wait inside for the delivery to leave."""
_LOOKED_LONG_ENOUGH: Final = timedelta(minutes=5)


async def report_mcf_shipment(ctx: M3Context, request: ReportMcfShipmentRequest) -> McfReported:
    """The delivery with which the goods left, reported now or before.

    Raises `NotYet` while M3 has not let it go; `OrderHeld`: shipment_not_reportable.
    """
    if request.by_hand:
        return await _found_by_hand(ctx, request)
    delivery = request.delivery
    left = await _left(ctx, delivery.orno, delivery.dlix)
    if left is None:
        await _report(ctx, request)
        left = await ctx.patiently(lambda: _left(ctx, delivery.orno, delivery.dlix), _PATIENCE)
    if left is None:
        raise NotYet(
            f"M3 delivery {delivery.dlix} of order {delivery.orno} has been reported and has not left.",
            patience=_LOOKED_LONG_ENOUGH,
        )
    return await _told(ctx, left)


async def _found_by_hand(ctx: M3Context, request: ReportMcfShipmentRequest) -> McfReported:
    orno = request.delivery.orno
    left = await _left(ctx, orno, request.by_hand)
    if left is None:
        raise held(
            HeldReason.SHIPMENT_NOT_REPORTABLE,
            f"M3 order {orno} has no delivery {request.by_hand} that has left.",
            system="M3",
        )
    return (await _told(ctx, left)).model_copy(update={"by_hand": True})


async def _left(ctx: M3Context, orno: str, dlix: str) -> CODelivery | None:
    deliveries = (await co_deliveries(ctx.client, [orno]))[orno]
    return next((each for each in deliveries if each.dlix == dlix and each.left), None)


async def _told(ctx: M3Context, left: CODelivery) -> McfReported:
    quantities = await delivered_quantities(ctx.client, ctx.options.company, [left])
    items: dict[str, int] = {}
    for ponr, posx, quantity in quantities[left.orno, left.dlix]:
        item = mcf_item_id(ponr, posx)
        items[item] = items.get(item, 0) + quantity
    return McfReported(dlix=left.dlix, status=left.status, quantities=items)


async def _report(ctx: M3Context, request: ReportMcfShipmentRequest) -> None:
    delivery = request.delivery
    about = f"delivery {delivery.dlix} of M3 order {delivery.orno}"
    head = (await outbound_heads(ctx.client, [delivery.dlix])).get(delivery.dlix)
    if head is None or head.plsx == "0":
        raise held(
            HeldReason.SHIPMENT_NOT_REPORTABLE,
            f"Amazon has shipped {about}, which M3 no longer has on a picking list.",
            system="M3",
        )
    parcels = [(one.panr, one.tracking_number, one.carrier) for one in request.parcels]
    try:
        await add_packages(ctx.client, delivery.dlix, parcels)
    except MIError as error:
        raise _refused(error, request) from error
    for result in await ctx.client.execute_bulk(
        "MHS850MI", await _unreported(ctx, _reports(ctx, request, head.plsx))
    ):
        if result.error is not None and not await _harmless(ctx, delivery, result.error):
            raise _refused(result.error, request)


def _reports(ctx: M3Context, request: ReportMcfShipmentRequest, plsx: str) -> list[Call]:
    """What M3 is to be told: that the whole picking list has left, in one transaction; or each line with its
    quantity, where less has left."""
    delivery = request.delivery
    common = {
        "WHLO": delivery.whlo,
        "E0PA": ctx.options.partner,
        "E065": ctx.options.message_type,
        "DLIX": delivery.dlix,
        "PLSX": plsx,
    }
    if all(request.shipped.get(line.item_id, 0) >= line.quantity for line in delivery.lines):
        whole = {**common, "PRMD": _EXECUTE_NOW, "PMSN": mcf_message_number(delivery.dlix, 0)}
        return [("AddCfmPickList", whole)]
    return [
        ("AddCOPick", {**common, **_pick(request, line), "PMSN": mcf_message_number(delivery.dlix, position)})
        for position, line in enumerate(delivery.lines, 1)
    ]


def _pick(request: ReportMcfShipmentRequest, line: McfLine) -> dict[str, str]:
    quantity = min(request.shipped.get(line.item_id, 0), line.quantity)
    return {
        "CUNO": request.delivery.cuno,
        "RIDN": request.delivery.orno,
        "RIDL": line.ponr,
        "RIDX": line.posx,
        "ITNO": line.itno,
        "QTYP": str(quantity),
        "PRFL": _EXECUTE_NOW,
        **({"OEND": _NO_MORE} if quantity < line.quantity else {}),
    }


async def _unreported(ctx: M3Context, reports: list[Call]) -> list[Call]:
    """Those of which M3 has no message yet (MHS850MI.GetMvxMsg)."""
    partner = ctx.options.partner
    calls: list[Call] = [("GetMvxMsg", {"E0PB": partner, "PMSN": fields["PMSN"]}) for _, fields in reports]
    answers = await ctx.client.execute_bulk("MHS850MI", calls)
    return [report for report, answer in zip(reports, answers, strict=True) if answer.row() is None]


async def _harmless(ctx: M3Context, delivery: McfDelivery, error: MIError) -> bool:
    """M3 had the report already, or the delivery has left meanwhile."""
    if error.kind is MIErrorKind.ALREADY_EXISTS:
        return True
    return await _left(ctx, delivery.orno, delivery.dlix) is not None


def _refused(error: MIError, request: ReportMcfShipmentRequest) -> Exception:
    delivery = request.delivery
    unknown = error.kind is not MIErrorKind.NOT_AUTHORISED
    reason = HeldReason.SHIPMENT_NOT_REPORTABLE if unknown else HeldReason.M3_NOT_AUTHORISED
    return error.as_hold(reason, f"Delivery {delivery.dlix} of M3 order {delivery.orno}")
