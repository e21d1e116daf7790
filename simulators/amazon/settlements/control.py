"""``/_control/settlements``: close settlements, let charges happen, report a settlement again, and know the truth."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.amazon.clock import iso
from simulators.amazon.reports.kinds import SettlementForm
from simulators.amazon.settlements.charges import Charge
from simulators.amazon.settlements.desk import Terms
from simulators.amazon.settlements.money import Line
from simulators.amazon.settlements.records import Settlement
from simulators.amazon.wire import JsonObject
from simulators.amazon.world import World

_ONE = "/_control/settlements/{settlement_id}"


class Again(BaseModel):
    """Body of ``POST /_control/settlements/{id}/reports``. shuffle: another order of the rows; 0 the same."""

    model_config = ConfigDict(extra="forbid")

    shuffle: int = 0
    form: SettlementForm = "v2"


def routes(world: World) -> list[Route]:
    """The control requests."""
    return [*_looking(world), *_doing(world)]


def _known(world: World, request: Request) -> Settlement | None:
    world.settle()
    return world.settlements.settlements.get(request.path_params["settlement_id"])


def _looking(world: World) -> list[Route]:
    async def show_all(_: Request) -> Response:
        world.settle()
        found = sorted(world.settlements.settlements.values(), key=lambda each: (each.end_ms, each.group))
        return JSONResponse([head(settlement) for settlement in found])

    async def show(request: Request) -> Response:
        settlement = _known(world, request)
        return (
            _refused("There is no such settlement.", 404)
            if settlement is None
            else JSONResponse(truth(settlement))
        )

    async def file(request: Request) -> Response:
        settlement = _known(world, request)
        if settlement is None:
            return _refused("There is no such settlement.", 404)
        return PlainTextResponse(world.settlements.text(settlement))

    return [
        Route("/_control/settlements", show_all, methods=["GET"]),
        Route(_ONE, show, methods=["GET"]),
        Route(f"{_ONE}/file", file, methods=["GET"]),
    ]


def _doing(world: World) -> list[Route]:
    async def close(request: Request) -> Response:
        try:
            terms = Terms.model_validate_json(await request.body() or b"{}")
        except ValidationError as error:
            return _refused(str(error))
        now_ms = world.settle()
        closed = world.settlements.close(terms, now_ms, world.index.by_id.values())
        return JSONResponse([head(settlement) for settlement in closed], 201)

    async def again(request: Request) -> Response:
        settlement = _known(world, request)
        if settlement is None:
            return _refused("There is no such settlement.", 404)
        try:
            wanted = Again.model_validate_json(await request.body() or b"{}")
        except ValidationError as error:
            return _refused(str(error))
        report_id = world.settlements.report(settlement, world.clock.now_ms(), wanted.shuffle, wanted.form)
        return JSONResponse({"reportId": report_id}, 201)

    async def charge(request: Request) -> Response:
        try:
            found = world.settlements.charge(Charge.model_validate_json(await request.body()), world.settle())
        except ValueError as error:
            return _refused(str(error))
        return JSONResponse(found.model_dump(mode="json"), 201)

    return [
        Route("/_control/settlements", close, methods=["POST"]),
        Route("/_control/settlements/charges", charge, methods=["POST"]),
        Route(f"{_ONE}/reports", again, methods=["POST"]),
    ]


def head(settlement: Settlement) -> JsonObject:
    """A settlement in short; amounts as text with a decimal point."""
    return {
        "settlementId": settlement.settlement_id,
        "sellerId": settlement.seller_id,
        "marketplaceIds": list(settlement.marketplaces),
        "currency": settlement.currency,
        "start": iso(settlement.start_ms),
        "end": iso(settlement.end_ms),
        "deposit": iso(settlement.deposit_ms),
        "total": str(settlement.total),
        "reserve": str(settlement.reserve),
        "rows": len(settlement.lines),
        "style": settlement.style,
        "eventGroup": settlement.event_group,
        "reports": list(settlement.reports),
    }


def truth(settlement: Settlement) -> JsonObject:
    """A settlement with its rows, and what each order comes to."""
    orders: dict[str, list[Line]] = {}
    for line in settlement.lines:
        if line.order_id:
            orders.setdefault(line.order_id, []).append(line)
    return {
        **head(settlement),
        "lines": [_line(line) for line in settlement.lines],
        "orders": {order_id: _order(lines) for order_id, lines in orders.items()},
        "account": {
            name: str(sum((ln.amount for ln in settlement.lines if _named(ln) == name), Decimal(0)))
            for name in dict.fromkeys(_named(line) for line in settlement.lines if not line.order_id)
        },
        "transactions": list(settlement.transactions),
    }


def _line(line: Line) -> JsonObject:
    return {
        "type": line.transaction_type, "amountType": line.amount_type, "description": line.description,
        "amount": str(line.amount), "posted": iso(line.at_ms), "orderId": line.order_id, "itemId": line.item_id,
        "sku": line.sku, "shipmentId": line.shipment_id, "adjustmentId": line.adjustment_id,
    }  # fmt: skip


def _named(line: Line) -> str:
    return "" if line.order_id else line.description


def _order(lines: list[Line]) -> JsonObject:
    """What the buyer paid and got back (tax, discounts and what Amazon withholds of it included), and what Amazon
    charged and gave."""

    def of(*types: str, refund: bool = False) -> str:
        wanted = (
            ln.amount
            for ln in lines
            if ln.amount_type in types and refund == (ln.transaction_type != "Order")
        )
        return str(sum(wanted, Decimal(0)))

    bought = ("ItemPrice", "Promotion", "ItemWithheldTax")
    fees = (ln.amount for ln in lines if ln.amount_type == "ItemFees")
    total = sum((ln.amount for ln in lines), Decimal(0))
    known = {*bought, "ItemFees"}
    return {
        "total": str(total),
        "sold": of(*bought),
        "refunded": of(*bought, refund=True),
        "withheld": str(sum((ln.amount for ln in lines if ln.amount_type == "ItemWithheldTax"), Decimal(0))),
        "fees": str(sum(fees, Decimal(0))),
        "other": str(sum((ln.amount for ln in lines if ln.amount_type not in known), Decimal(0))),
    }


def _refused(message: str, status: int = 422) -> Response:
    return JSONResponse({"error": message}, status)
