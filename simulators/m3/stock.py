"""Balances of items in warehouses (MITBAL): MMS200MI.GetItmWhsBal and OIS100MI.LstNewBalances."""

from __future__ import annotations

from decimal import Decimal

from simulators import catalogue
from simulators.m3.errors import NotOk
from simulators.m3.money import quantity_text
from simulators.m3.records import Balance
from simulators.m3.registry import Call, Row, mi
from simulators.m3.world import World


def balance_asked_for(world: World, whlo: str, itno: str) -> Balance:
    """The balance. NotOk WWH0103 (no such warehouse), WIT0103 (no such item), XRE0103 (not kept there)."""
    if whlo not in {warehouse.whlo for warehouse in catalogue.WAREHOUSES}:
        raise NotOk("WWH0103", "WHLO")
    if itno not in world.items:
        raise NotOk("WIT0103", "ITNO")
    return world.balance(whlo, itno)


def allocatable(world: World, balance: Balance) -> Decimal:
    """AV01: on hand, not allocated and not wanted by any order. Below zero where more is wanted than there is."""
    return balance.onhand - balance.allocated - world.reserved.of(f"{balance.whlo}/{balance.itno}")


@mi("MMS200MI", "GetItmWhsBal")
def get_balance(world: World, call: Call) -> list[Row]:
    """Stock in a warehouse: STQT on hand and approved, ALQT allocated, REQT wanted by orders and not allocated yet.
    AVAL is what is not allocated, AV01 and AV02 (inferred) what nobody wants. Any may be below zero."""
    balance = balance_asked_for(world, call.text("WHLO"), call.text("ITNO"))
    left = quantity_text(allocatable(world, balance))
    return [
        {
            "CONO": str(catalogue.CONO), "WHLO": balance.whlo, "ITNO": balance.itno, "FACI": catalogue.FACI,
            "STQT": quantity_text(balance.onhand), "ALQT": quantity_text(balance.allocated),
            "REQT": quantity_text(world.reserved.of(f"{balance.whlo}/{balance.itno}")),
            "AVAL": quantity_text(balance.onhand - balance.allocated), "AV01": left, "AV02": left,
        }
    ]  # fmt: skip


@mi("OIS100MI", "LstNewBalances")
def list_new_balances(world: World, call: Call) -> list[Row]:
    """Balances changed at LMTS (milliseconds since 1970, inferred) or later; all of them without LMTS. M3 does not
    say when each was changed, and there is no way to ask for the rest of a list that was cut."""
    since = call.integer("LMTS")
    return [
        {"WHLO": balance.whlo, "ITNO": balance.itno, "AV01": left, "AV02": left}
        for balance in world.balances
        if int(balance.changed * 1000) >= since
        for left in (quantity_text(allocatable(world, balance)),)
    ]
