"""Finding orders by CUOR without knowing the customer: the site's own CMS100MI lists, and EXPORTMI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from simulators.m3.clock import day_of, time_of
from simulators.m3.errors import GENERIC, NotOk
from simulators.m3.records import BatchOrder, Order
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World


def _batch_row(batch: BatchOrder) -> Row:
    return {
        "OACONO": "100", "OACUOR": batch.cuor, "OAORNO": batch.orno, "OAORNR": batch.ornr,
        "OAFACI": batch.faci,
        "OACUNO": batch.cuno, "OAPYNO": batch.cuno, "OAORTP": batch.ortp, "OAORST": batch.stat,
        "OASTAT": batch.stat, "OATEPY": batch.fields.get("TEPY", ""), "OAPYRE": batch.fields.get("PYRE", ""),
        "OARGDT": day_of(batch.entered), "OARGTM": time_of(batch.entered), "OACHID": "M3API",
        "OACUCD": batch.cucd, "OAYREF": batch.fields.get("YREF", ""), "OAWHLO": batch.whlo,
    }  # fmt: skip


def _order_row(order: Order) -> Row:
    return {
        "OACONO": "100", "OACUOR": order.cuor, "OAORNO": order.orno, "OASTAT": order.stat,
        "OAORSL": order.lowest,
        "OAORST": order.highest, "OACUNO": order.cuno, "OAORTP": order.ortp, "OAFACI": order.faci,
        "OAWHLO": order.whlo, "OACUCD": order.cucd, "OARGDT": day_of(order.entered),
        "OAYREF": order.fields.get("YREF", ""), "OADIVI": "AAA", "OAPYNO": order.cuno,
    }  # fmt: skip


def _batches(world: World, cuor: str | None) -> Iterator[Row]:
    keys = [batch.orno for batch in world.batches] if cuor is None else world.batches_by_cuor.get(cuor, [])
    return (_batch_row(batch) for batch in map(world.batches.get, keys) if batch is not None)


def _orders(world: World, cuor: str | None) -> Iterator[Row]:
    keys = [order.orno for order in world.orders] if cuor is None else world.orders_by_cuor.get(cuor, [])
    return (_order_row(order) for order in map(world.orders.get, keys) if order is not None)


def _from(rows: Iterator[Row], start: str) -> Iterator[Row]:
    return (row for row in rows if row["OAORNO"] >= start)


@mi("CMS100MI", "Lst_OXHEAD_CUOR")
def list_temporary(world: World, call: Call) -> Iterable[Row]:
    """Temporary orders with this CUOR, created ones too."""
    return _from(_batches(world, call.text("OACUOR")), call.text("OAORNO"))


@mi("CMS100MI", "Lst_OOHEAD_CUOR")
def list_orders(world: World, call: Call) -> Iterable[Row]:
    """Customer orders with this CUOR."""
    return _from(_orders(world, call.text("OACUOR")), call.text("OAORNO"))


def _return_rows(world: World, yref: str | None) -> Iterator[Row]:
    keys = world.returns.keys() if yref is None else world.returns_by_yref.get(yref, [])
    for found in map(world.returns.get, keys):
        if found is not None:
            yield {
                "OCCONO": "100", "OCYREF": found.yref, "OCREPN": str(found.repn), "OCWHLO": found.whlo,
                "OCCUNO": found.cuno, "OCORNO": found.orno,
            }  # fmt: skip


@mi("CMS100MI", "Lst_OCHEAD_YREF")
def list_returns(world: World, call: Call) -> Iterable[Row]:
    """Customer returns with this reference."""
    return _return_rows(world, call.text("OCYREF"))


_OCHEAD = "OCCONO OCYREF OCREPN OCWHLO OCCUNO OCORNO"
_OXHEAD = (
    "OACONO OACUOR OAORNO OAORNR OAFACI OACUNO OAPYNO OAORTP OAORST OASTAT OATEPY OAPYRE OARGDT OARGTM OACHID"
    " OACUCD OAYREF OAWHLO"
)
_OOHEAD = (
    "OACONO OACUOR OAORNO OASTAT OAORSL OAORST OACUNO OAORTP OAFACI OAWHLO OACUCD OARGDT OAYREF OADIVI OAPYNO"
)
_TABLES: dict[str, tuple[Callable[[World, str | None], Iterator[Row]], frozenset[str]]] = {
    "OXHEAD": (_batches, frozenset(_OXHEAD.split())),
    "OOHEAD": (_orders, frozenset(_OOHEAD.split())),
    "OCHEAD": (_return_rows, frozenset(_OCHEAD.split())),
}
_QUERY = re.compile(
    r"\s*(?:select\s+)?(?P<columns>[\w,\s]+?)\s+from\s+(?P<table>\w+)(?:\s+where\s+(?P<where>.+?))?\s*",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\s*(?P<field>\w+)\s*(?:=|\beq\b)\s*(?P<quote>['\"]?)(?P<value>.*?)(?P=quote)\s*", re.I
)


def _conditions(where: str | None) -> dict[str, str]:
    found = {}
    for part in re.split(r"\s+and\s+", where, flags=re.IGNORECASE) if where else []:
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise NotOk(GENERIC, "QERY", f"Condition {part.strip()} cannot be read")
        found[match["field"].upper()] = match["value"]
    return found


@mi("EXPORTMI", "Select")
def export(world: World, call: Call) -> Iterator[Row]:
    """Rows of one table, each as one string: ``OAORNO,OACUOR from OOHEAD where OACUOR = X``.

    Columns are separated by SEPC (a blank without it); HDRS 1 puts the column names first. Conditions are
    equalities joined by ``and``.
    """
    query = _QUERY.fullmatch(call.text("QERY"))
    if query is None:
        raise NotOk(GENERIC, "QERY", "Query statement cannot be read")
    if query["table"].upper() not in _TABLES:
        raise NotOk(GENERIC, "QERY", f"Table {query['table']} does not exist or may not be read")
    rows_of, known = _TABLES[query["table"].upper()]
    columns = [column.strip().upper() for column in query["columns"].split(",")]
    conditions = _conditions(query["where"])
    for field in (*columns, *conditions):
        if field not in known:
            raise NotOk(GENERIC, "QERY", f"Field {field} does not exist in table {query['table']}")
    separator = call.text("SEPC") or " "
    if call.text("HDRS") == "1":
        yield {"REPL": separator.join(columns)}
    indexed = "OCYREF" if rows_of is _return_rows else "OACUOR"
    for row in rows_of(world, conditions.get(indexed)):
        if all(row.get(field, "") == value for field, value in conditions.items()):
            yield {"REPL": separator.join(row.get(column, "") for column in columns)}
