"""What the company itself is: MNS100MI, OIS010MI, AUTCHKMI, and MRS001MI, M3's own list of its MI
programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulators import catalogue
from simulators.m3 import metadata
from simulators.m3.errors import RECORD_MISSING, NotOk
from simulators.m3.metadata import Field, Transaction
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World


@mi("MNS100MI", "GetBasicData")
def get_division(_: World, call: Call) -> list[Row]:
    """Basic data of the division: its local currency (LOCD) and default facility and warehouse."""
    if call.text("DIVI", catalogue.DIVI) != catalogue.DIVI:
        raise NotOk(RECORD_MISSING, "DIVI")
    return [
        {
            "CONO": str(catalogue.CONO), "DIVI": call.text("DIVI"), "CONM": "Tea and more",
            "TX15": "Tea and more",
            "FACI": catalogue.FACI, "FACT": "Main facility", "WHLO": "MAI", "WHLT": "Main warehouse",
            "DTFM": "YMD", "LOCD": catalogue.LOCAL_CURRENCY, "LOCT": "Euro", "CSCD": "DE", "TIZO": "CET",
        }
    ]  # fmt: skip


@mi("MNS100MI", "LstDivisions")
def list_divisions(_: World, _call: Call) -> list[Row]:
    """The company's divisions."""
    return [
        {
            "CONO": str(catalogue.CONO), "DIVI": catalogue.DIVI, "TX15": "Tea and more",
            "FACI": catalogue.FACI,
            "FACN": "Main facility", "WHLO": "MAI", "WHNM": "Main warehouse",
        }
    ]  # fmt: skip


@mi("OIS010MI", "LstOrderTypes")
def list_order_types(_: World, call: Call) -> list[Row]:
    """The customer order types, from the given one on."""
    return [
        {
            "CONO": str(catalogue.CONO),
            "ORTP": kind.ortp,
            "ORTK": "1",
            "TX40": kind.name,
            "TX15": kind.name[:15],
        }
        for kind in catalogue.ORDER_TYPES
        if kind.ortp >= call.text("ORTP")
    ]


@mi("AUTCHKMI", "ChkAuthority")
def check_authority(world: World, call: Call) -> list[Row]:
    """Whether the user may run a program (ALPG 1). Here: every program that exists."""
    known = call.text("APGM") in metadata.load(world.settings.profile)
    return [{"ALPG": "1" if known else "0"}]


def available(world: World) -> metadata.Programs:
    """The MI programs of this installation and site."""
    programs = dict(metadata.load(world.settings.profile))
    if not world.settings.cuor_list:
        programs.pop("CMS100MI", None)
    if not world.settings.exportmi:
        programs.pop("EXPORTMI", None)
    return programs


def _program(world: World, call: Call) -> dict[str, Transaction]:
    program = available(world).get(call.text("MINM"))
    if program is None:
        raise NotOk(RECORD_MISSING, "MINM")
    return program


@mi("MRS001MI", "LstPrograms")
def list_programs(world: World, _call: Call) -> list[Row]:
    """The MI programs of this installation."""
    return [{"MINM": name, "OBNM": name, "MIDS": name, "VERS": "640"} for name in available(world)]


@mi("MRS001MI", "LstTransactions")
def list_transactions(world: World, call: Call) -> list[Row]:
    """The transactions of an MI program."""
    return [
        {"MINM": one.program, "TRNM": one.name, "TRDS": one.name, "STAT": "20", "SIMU": "0"}
        for one in _program(world, call).values()
    ]


@mi("MRS001MI", "LstFields")
def list_fields(world: World, call: Call) -> Iterable[Row]:
    """The input (TRTP I) or output (TRTP O) fields of a transaction: LENG, TYPE, MAND, and their
    positions."""
    transaction = _program(world, call).get(call.text("TRNM"))
    kind = call.text("TRTP")
    if transaction is None or kind not in ("I", "O"):
        raise NotOk(RECORD_MISSING, "TRNM")
    fields = transaction.inputs if kind == "I" else transaction.outputs
    return _described(transaction, kind, fields.values())


def _described(transaction: Transaction, kind: str, fields: Iterable[Field]) -> Iterator[Row]:
    position = 16  # the transaction name takes the first fifteen positions of the record
    for field in fields:
        last = position + field.length - 1
        yield {
            "MINM": transaction.program, "TRNM": transaction.name, "TRTP": kind, "FLNM": field.name,
            "FLDS": field.name, "FRPO": str(position), "TOPO": str(last), "LENG": str(field.length),
            "TYPE": field.type, "MAND": "1" if field.mandatory else "0",
        }  # fmt: skip
        position = last + 1


@mi("MMS005MI", "GetWarehouse")
def get_warehouse(_: World, call: Call) -> list[Row]:
    """One warehouse with its facility. NotOk WWH0103 if there is none."""
    for warehouse in catalogue.WAREHOUSES:
        if warehouse.whlo == call.text("WHLO"):
            return [
                {
                    "CONO": str(catalogue.CONO),
                    "DIVI": catalogue.DIVI,
                    "FACI": catalogue.FACI,
                    "WHLO": warehouse.whlo,
                    "WHNM": warehouse.name,
                }
            ]
    raise NotOk("WWH0103", "WHLO")
