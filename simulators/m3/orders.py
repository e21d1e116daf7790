"""OIS100MI and OIS175MI, reading customer orders (OOHEAD, OOLINE)."""

from __future__ import annotations

from collections.abc import Iterator

from simulators import catalogue
from simulators.m3.errors import RECORD_MISSING, NotOk
from simulators.m3.items import matches, search_terms
from simulators.m3.money import amount_text, quantity_text
from simulators.m3.order_value import line_net, ordered, value_fields
from simulators.m3.records import Order, OrderLine
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World


def order_line(order: Order, ponr: int) -> OrderLine:
    """The line of the order. NotOk if there is none (any more)."""
    for line in order.lines:
        if line.ponr == ponr:
            return line
    raise NotOk(RECORD_MISSING, "PONR")


def head_fields(order: Order) -> Row:
    """What every list of orders shows of one."""
    return {
        **order.fields, "ORNO": order.orno, "ORTP": order.ortp, "STAT": order.stat, "FACI": order.faci,
        "CUOR": order.cuor, "CUNO": order.cuno, "WHLO": order.whlo, "CUCD": order.cucd, "ORSL": order.lowest,
        "ORST": order.highest, "DIVI": catalogue.DIVI, "OBLC": "9" if order.stopped else "0",
    }  # fmt: skip


@mi("OIS100MI", "GetHead")
def get_head(world: World, call: Call) -> list[Row]:
    """Head of a customer order with its status and value."""
    order = world.order(call.text("ORNO"))
    return [{**head_fields(order), **value_fields(order)}]


@mi("OIS100MI", "GetOrderValue")
def get_value(world: World, call: Call) -> list[Row]:
    """Value of a customer order, ordered and invoiced (see order_value.Value for the meaning of the
    fields)."""
    return [value_fields(world.order(call.text("ORNO")))]


@mi("OIS100MI", "LstHead")
@mi("OIS175MI", "LstHeadByCust")
def list_heads(world: World, call: Call) -> Iterator[Row]:
    """A customer's orders whose lowest line status is from ORSL to ORST, oldest first: maxrecs hides the
    newest."""
    low, high = call.text("ORSL", "00"), call.text("ORST", "99")
    found = (world.orders.get(orno) for orno in world.orders_by_cuno.get(call.text("CUNO"), []))
    return (head_fields(order) for order in found if order is not None and low <= order.lowest <= high)


def _line_fields(order: Order, line: OrderLine) -> Row:
    net = amount_text(line_net(order, line))
    return {
        **line.fields, "ITNO": line.itno, "ITDS": line.itds, "ORQT": quantity_text(line.orqt),
        "ORQA": quantity_text(line.orqt), "WHLO": line.whlo, "SAPR": f"{line.sapr:f}", "PONR": str(line.ponr),
        "POSX": "0", "ORST": line.status, "NLAM": net, "LNA2": net, "NEPR": f"{line.sapr:f}",
        "CUCD": order.cucd, "CUOR": line.fields.get("CUOR", "") or order.cuor, "SACD": "1", "ALUN": "PCS",
        "SPUN": "PCS", "ALQT": quantity_text(line.allocated + line.on_list),
        "DLQT": quantity_text(line.delivered + line.invoiced), "IVQT": quantity_text(line.invoiced),
    }  # fmt: skip


@mi("OIS100MI", "LstLine")
def list_lines(world: World, call: Call) -> list[Row]:
    """Lines of a customer order, of one item if given."""
    order = world.order(call.text("ORNO"))
    wanted = call.text("ITNO")
    return [_line_fields(order, line) for line in order.lines if wanted in ("", line.itno)]


@mi("OIS100MI", "GetLine")
def get_line(world: World, call: Call) -> list[Row]:
    """One line of a customer order."""
    order = world.order(call.text("ORNO"))
    return [_line_fields(order, order_line(order, call.integer("PONR")))]


@mi("OIS100MI", "LstDelLineByCO")
def list_delivery_lines(world: World, call: Call) -> list[Row]:
    """The deliveries one order line is in."""
    order = world.order(call.text("ORNO"))
    ponr = call.integer("PONR")
    order_line(order, ponr)
    return [
        {
            "DLIX": str(delivery.dlix), "RORC": "3", "RIDN": order.orno, "RIDL": str(line.ponr), "RIDX": "0",
            "ITNO": line.itno, "MODL": order.fields.get("MODL", ""), "TRQT": quantity_text(line.quantity),
            "PLQT": quantity_text(line.quantity if delivery.plsx else line.quantity * 0),
            "PGRS": delivery.pgrs,
        }
        for delivery in world.deliveries_of(order)
        for line in delivery.lines
        if line.ponr == ponr
    ]  # fmt: skip


@mi("OIS100MI", "SearchHead")
def search_heads(world: World, call: Call) -> list[Row]:
    """Orders whose head meets all words of SQRY. Reads the search index, which lags behind the database."""
    newest = world.clock.now() - world.settings.search_lag * world.settings.pace
    terms = search_terms(call.text("SQRY"))
    cuor = next((term.word.upper() for term in terms if term.field == "CUOR" and not term.open_end), "")
    keys = world.orders_by_cuor.get(cuor, []) if cuor else [order.orno for order in world.orders]
    found = (world.orders.get(key) for key in keys)
    return [
        {
            **row,
            "NTAM": amount_text(ordered(order).goods),
            "FILE": "OOHEAD",
            "KSTR": order.orno,
            "PGNM": "OIS300",
        }
        for order in found
        if order is not None and order.entered <= newest
        for row in (head_fields(order),)
        if matches(terms, row)
    ]


@mi("OIS120MI", "LstCOStopByCUOR")
def list_stopped(_world: World, _call: Call) -> list[Row]:
    """Customer orders that are stopped. This company's credit stop already holds the temporary order
    (status 30), so no customer order is ever on this list."""
    return []
