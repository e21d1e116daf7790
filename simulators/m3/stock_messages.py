"""MMS850MI: corrections of stock that a partner sends, done now (*EXE), later (*AUT), or kept and never done."""

from __future__ import annotations

from collections.abc import Mapping

from simulators import catalogue
from simulators.m3.errors import GENERIC, NotOk
from simulators.m3.messages import PROCESSED, REFUSED, WAITING
from simulators.m3.records import ZERO, Meta, WarehouseMessage
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.stock import balance_asked_for
from simulators.m3.world import World

_NOW, _LATER = "*EXE", "*AUT"
REASONS = frozenset({"", "FND", "LOS", "DMG", "DSP", "EXP", "MOV", "COR"})
"""Transaction reasons (RSCD) this site has set up."""


def _known(world: World, partner: str, pmsn: str) -> WarehouseMessage | None:
    kept = world.meta.get(f"pmsn-stock/{partner}/{pmsn}") if pmsn else None
    return world.stock_messages.get(kept.value) if kept else None


@mi("MMS850MI", "AddAdjust")
def add_adjustment(world: World, call: Call) -> list[Row]:
    """Adds QLQT (or takes it away) to what is on hand. WMS3804 where the partner used this PMSN before; with *EXE a
    refusal leaves no trace, with *AUT it shows only as status 20 of the message."""
    partner, pmsn, flag = call.text("E0PA"), call.text("PMSN"), call.text("PRFL")
    if partner != catalogue.PARTNER or call.text("E065") != catalogue.MESSAGE_TYPE:
        raise NotOk("ED01016", "E065")
    if _known(world, partner, pmsn) is not None:
        raise NotOk("WMS3804", "PMSN")
    if flag not in ("", _NOW, _LATER):
        raise NotOk(GENERIC, "PRFL", f"Process flag {flag} is invalid")
    message = WarehouseMessage(
        msgn=f"{world.number('stock_message'):015d}", e0pa=partner, pmsn=pmsn, stat=WAITING,
        transaction=call.transaction, fields=[dict(call.fields)],
    )  # fmt: skip
    if flag == _NOW:
        _adjust(world, call)
        message.stat = PROCESSED
    elif flag == _LATER:
        world.agenda.later("stock_message", 1.0, 1.0, msgn=message.msgn)
    world.stock_messages.put(message.msgn, message)
    if pmsn:
        world.meta.put(f"pmsn-stock/{partner}/{pmsn}", Meta(value=message.msgn))
    return [{"CONO": str(catalogue.CONO), "MSNR": message.msgn, "MSLN": "1", "MSGS": "0"}]


@job("stock_message")
def message_due(world: World, args: Mapping[str, str]) -> None:
    """The autojob reads a waiting message; a refusal stays in MMS850."""
    message = world.stock_messages.get(args["msgn"])
    if message is None or message.stat != WAITING:
        return
    try:
        for fields in message.fields:
            _adjust(world, Call("MMS850MI", message.transaction, fields))
        message.stat = PROCESSED
    except NotOk as refusal:
        message.stat = REFUSED
        message.error = f"{refusal.code} {refusal.text}"
    world.stock_messages.put(message.msgn, message)


def _adjust(world: World, call: Call) -> None:
    balance = balance_asked_for(world, call.text("WHLO"), call.text("ITNO"))
    quantity = call.number("QLQT")
    if not quantity:
        raise NotOk(GENERIC, "QLQT", "Quantity must be entered")
    if call.text("RSCD") not in REASONS:
        raise NotOk(GENERIC, "RSCD", f"Transaction reason {call.text('RSCD')} does not exist")
    if quantity < 0 and balance.onhand + quantity < 0:
        raise NotOk(GENERIC, "QLQT", "On-hand balance cannot be negative")
    world.change_balance(balance, onhand=quantity, allocated=ZERO)


@mi("MMS850MI", "GetMvxMsg")
def get_message(world: World, call: Call) -> list[Row]:
    """M3's number of the message a partner sent under PMSN. Whether it was done, LstMvxMsg tells."""
    message = _known(world, call.text("E0PB"), call.text("PMSN"))
    if message is None:
        raise NotOk("WMS3703", "PMSN")
    return [{"CONO": str(catalogue.CONO), "MSGN": message.msgn}]


@mi("MMS850MI", "LstMvxMsg")
def list_messages(world: World, call: Call) -> list[Row]:
    """A partner's messages with their status, of one number or status if given."""
    partner, pmsn, stat = call.text("E0PB"), call.text("PMSN"), call.text("STAT")
    return [
        {"CONO": str(catalogue.CONO), "MSGN": message.msgn, "STAT": message.stat}
        for message in world.stock_messages
        if message.e0pa == partner and pmsn in ("", message.pmsn) and stat in ("", message.stat)
    ]
