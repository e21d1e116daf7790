"""The page for people: what is in M3, read only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import islice

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from simulators.m3.deliveries import external_number
from simulators.m3.ledger_records import Voucher
from simulators.m3.money import amount_text
from simulators.m3.order_value import ordered
from simulators.m3.records import BatchOrder, Delivery, Invoice, Order
from simulators.m3.world import World

_SHOWN = 50
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #1c2733; background: #fff }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { margin: .25rem 0; color: #51606f } a { color: #0b5cad }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #e3e8ee;
         white-space: nowrap; font-variant-numeric: tabular-nums }
th { font-weight: 600; color: #51606f } td.n, th.n { text-align: right }
"""


class Cell:
    """One cell: text, perhaps a link, perhaps aligned as a number."""

    def __init__(self, text: object, link: str = "", *, number: bool = False) -> None:
        inner = escape(str(text)) or "&nbsp;"
        self.html = f'<a href="{escape(link)}">{inner}</a>' if link else inner
        self.number = number


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> str:
    body = [[value if isinstance(value, Cell) else Cell(value) for value in row] for row in rows]
    if not body:
        return f"<p>{escape(empty)}</p>"
    sides = [" class=n" if cell.number else "" for cell in body[0]]
    head = "".join(f"<th{side}>{escape(text)}</th>" for side, text in zip(sides, heads, strict=True))
    lines = "".join(
        f"<tr>{''.join(f'<td{side}>{cell.html}</td>' for side, cell in zip(sides, row, strict=True))}</tr>"
        for row in body
    )
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"


def _document(title: str, *parts: str) -> Response:
    return HTMLResponse(
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>"
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def _amount(value: object) -> Cell:
    return Cell(value, number=True)


def _order_cells(order: Order) -> list[object]:
    total = amount_text(ordered(order).total)
    return [
        Cell(order.orno, f"/order/{order.orno}"), order.cuor, order.cuno, order.ortp, order.whlo, order.stat,
        f"{order.lowest}-{order.highest}", _amount(total), order.cucd, _moment(order.entered),
    ]  # fmt: skip


_ORDER_HEADS = ("ORNO", "CUOR", "Customer", "Type", "Whs", "Status", "Lines", "Total", "Cur", "Entered (UTC)")


def _delivery_cells(delivery: Delivery) -> list[object]:
    return [
        delivery.dlix, Cell(delivery.orno, f"/order/{delivery.orno}"), delivery.whlo, delivery.pgrs,
        delivery.pist, delivery.orst, delivery.fwno, ", ".join(p.etrn for p in delivery.packages),
        _moment(delivery.shipped),
    ]  # fmt: skip


_DELIVERY_HEADS = (
    "DLIX",
    "ORNO",
    "Whs",
    "PGRS",
    "Pick list",
    "CO delivery",
    "Carrier",
    "Tracking",
    "Issued (UTC)",
)


def _invoice_cells(invoice: Invoice) -> list[object]:
    return [
        external_number(invoice.ivno), Cell(invoice.orno, f"/order/{invoice.orno}"), invoice.dlix,
        _amount(amount_text(invoice.gross)), invoice.cucd, invoice.vono or "", _moment(invoice.entered),
    ]  # fmt: skip


_INVOICE_HEADS = ("Invoice", "ORNO", "DLIX", "Amount", "Cur", "Voucher", "Created (UTC)")


def _voucher_cells(voucher: Voucher) -> Iterable[list[object]]:
    for line in voucher.lines:
        yield [
            voucher.vono, voucher.feid, line.ait[0], _amount(amount_text(line.amount)), line.cucd,
            _amount(amount_text(line.local)), line.text, line.acdt,
        ]  # fmt: skip


_VOUCHER_HEADS = ("Voucher", "FAM", "Account", "Amount", "Cur", "Local", "Text", "Date")


def _batch_cells(batch: BatchOrder) -> list[object]:
    why = "; ".join(error["MDTA"] for error in batch.errors)
    link = f"/order/{batch.ornr}" if batch.ornr else ""
    return [batch.orno, batch.cuor, batch.cuno, batch.stat, Cell(batch.ornr, link), len(batch.lines), why]


_BATCH_HEADS = ("Temporary", "CUOR", "Customer", "Status", "ORNO", "Lines", "Messages")


def _newest(rows: Sequence[object]) -> str:
    return f"the newest {_SHOWN} of {len(rows)}" if len(rows) > _SHOWN else f"{len(rows)}"


def page_routes(world: World) -> list[Route]:
    """``/`` and ``/order/{orno}``."""

    async def overview(_: Request) -> Response:
        world.catch_up()
        world.store.commit()
        waiting = [batch for batch in world.batches if batch.stat != "90"]
        orders, deliveries, invoices = list(world.orders), list(world.deliveries), list(world.invoices)
        vouchers = list(world.vouchers)
        lines = (line for voucher in islice(reversed(vouchers), _SHOWN) for line in _voucher_cells(voucher))
        return _document(
            "M3 (simulated)",
            "<p>Company 100, division AAA. Read only; times are the simulator's own.</p>",
            f"<h2>Customer orders ({_newest(orders)})</h2>",
            _table(
                _ORDER_HEADS, map(_order_cells, islice(reversed(orders), _SHOWN)), "No customer orders yet."
            ),
            f"<h2>Temporary orders not created (OIS275, {_newest(waiting)})</h2>",
            _table(_BATCH_HEADS, map(_batch_cells, islice(reversed(waiting), _SHOWN)), "None waiting."),
            f"<h2>Deliveries ({_newest(deliveries)})</h2>",
            _table(_DELIVERY_HEADS, map(_delivery_cells, islice(reversed(deliveries), _SHOWN)), "None yet."),
            f"<h2>Invoices ({_newest(invoices)})</h2>",
            _table(_INVOICE_HEADS, map(_invoice_cells, islice(reversed(invoices), _SHOWN)), "None yet."),
            f"<h2>Vouchers ({_newest(vouchers)})</h2>",
            _table(_VOUCHER_HEADS, lines, "None yet."),
        )

    async def detail(request: Request) -> Response:
        world.catch_up()
        world.store.commit()
        order = world.orders.get(request.path_params["orno"])
        if order is None:
            return HTMLResponse("<p>There is no such customer order. <a href='/'>All orders</a></p>", 404)
        return _detail(world, order)

    return [Route("/", overview), Route("/order/{orno}", detail)]


def _detail(world: World, order: Order) -> Response:
    lines = (
        [line.ponr, line.itno, line.itds, line.status, _amount(line.orqt), _amount(line.sapr),
         ", ".join(f"{c.crid} {c.amount}" for c in line.charges)]
        for line in order.lines
    )  # fmt: skip
    charges = (
        [charge.crid, charge.name, _amount(charge.amount), charge.ivno or ""] for charge in order.charges
    )
    invoices = world.invoices_of(order.orno)
    vouchers = [world.vouchers.get(f"{invoice.yea4}/{invoice.vono}") for invoice in invoices]
    booked = (cells for voucher in vouchers if voucher is not None for cells in _voucher_cells(voucher))
    batch = world.batches.get(order.temp)
    return _document(
        f"Order {order.orno}",
        "<p><a href='/'>All orders</a></p>",
        _table(_ORDER_HEADS, [_order_cells(order)], ""),
        "<h2>Lines</h2>",
        _table(("Line", "ITNO", "Name", "Status", "Quantity", "Price", "Charges"), lines, "No lines left."),
        "<h2>Charges</h2>",
        _table(("CRID", "Name", "Amount", "Invoice"), charges, "No charges."),
        "<h2>Temporary order</h2>",
        _table(_BATCH_HEADS, [_batch_cells(batch)] if batch else [], "None."),
        "<h2>Deliveries</h2>",
        _table(_DELIVERY_HEADS, map(_delivery_cells, world.deliveries_of(order)), "Not allocated yet."),
        "<h2>Invoices</h2>",
        _table(_INVOICE_HEADS, map(_invoice_cells, invoices), "Not invoiced yet."),
        "<h2>Vouchers</h2>",
        _table(_VOUCHER_HEADS, booked, "Not posted yet."),
    )
