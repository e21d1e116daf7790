"""MHS850MI: what a warehouse partner reports, kept as messages and processed now (*EXE), later (*AUT) or
never."""

from __future__ import annotations

from collections.abc import Mapping

from simulators import catalogue
from simulators.m3.errors import GENERIC, RECORD_MISSING, NotOk
from simulators.m3.records import Delivery, DeliveryLine, Meta, WarehouseMessage
from simulators.m3.registry import Call, Row, job, mi
from simulators.m3.returns_received import receive
from simulators.m3.warehouse import open_list, report_all, report_line, require_packed
from simulators.m3.world import World

WAITING, REFUSED, PROCESSED = "10", "20", "90"
_NOW, _LATER = "*EXE", "*AUT"


def _known(world: World, e0pa: str, pmsn: str) -> WarehouseMessage | None:
    """The message this partner has sent under this number of his own."""
    msgn = world.meta.get(f"pmsn/{e0pa}/{pmsn}") if pmsn else None
    return world.messages.get(msgn.value) if msgn else None


def _new_message(world: World, call: Call) -> WarehouseMessage:
    """The message to enter this report under. NotOk ED01016 (partner), WMS3804 (his number was used
    before)."""
    partner, number = call.text("E0PA"), call.text("PMSN")
    if partner != catalogue.PARTNER or call.text("E065") != catalogue.MESSAGE_TYPE:
        raise NotOk("ED01016", "E065")
    if _known(world, partner, number) is not None:
        raise NotOk("WMS3804", "PMSN")
    msgn = call.text("MSGN") or f"{world.number('message'):015d}"
    return WarehouseMessage(
        msgn=msgn,
        e0pa=partner,
        pmsn=number,
        stat=WAITING,
        transaction=call.transaction,
        fields=[dict(call.fields)],
    )


def _keep(world: World, message: WarehouseMessage) -> None:
    world.messages.put(message.msgn, message)
    if message.pmsn:
        world.meta.put(f"pmsn/{message.e0pa}/{message.pmsn}", Meta(value=message.msgn))


def _take_in(world: World, call: Call, flag: str) -> list[Row]:
    """Enter the report: with *EXE it is done now or refused now and leaves no trace; with *AUT it is
    accepted and whatever is wrong shows only in MHS850; without a flag nobody processes it."""
    message = _new_message(world, call)
    if flag not in ("", _NOW, _LATER):
        raise NotOk(GENERIC, "PRFL", f"Process flag {flag} is invalid")
    if flag == _NOW:
        _process(world, call.transaction, call)
        message.stat = PROCESSED
    elif flag == _LATER:
        world.agenda.later("message", 1.0, 1.0, msgn=message.msgn)
    _keep(world, message)
    return [{"CONO": str(catalogue.CONO), "MSGN": message.msgn}]


@job("message")
def message_due(world: World, args: Mapping[str, str]) -> None:
    """The autojob reads a waiting message; an error stays in MHS850."""
    message = world.messages.get(args["msgn"])
    if message is None or message.stat != WAITING:
        return
    try:
        for fields in message.fields:
            _process(world, message.transaction, Call("MHS850MI", message.transaction, fields))
        message.stat = PROCESSED
    except NotOk as refusal:
        message.stat = REFUSED
        message.error = f"{refusal.code} {refusal.text}"
    world.messages.put(message.msgn, message)


def _process(world: World, transaction: str, call: Call) -> None:
    if transaction == "AddCOPick":
        _report_pick(world, call)
    elif transaction == "AddCOReturn":
        receive(world, call)
    else:
        _confirm_list(world, call)


def _confirm_list(world: World, call: Call) -> None:
    delivery = open_list(world, call.integer("DLIX"), call.integer("PLSX"))
    if delivery.whlo != call.text("WHLO"):
        raise NotOk("WWH0103", "WHLO")
    require_packed(delivery)
    report_all(world, delivery)


def _report_pick(world: World, call: Call) -> None:
    delivery = _meant_delivery(world, call)
    order = world.order(delivery.orno)
    if order.cuno != call.text("CUNO"):
        raise NotOk("XIM0002", "CUNO")
    if delivery.whlo != call.text("WHLO"):
        raise NotOk("WWH0103", "WHLO")
    planned = _meant_line(delivery, call)
    quantity = call.number("QTYP")
    if quantity is None or quantity < 0:
        raise NotOk(GENERIC, "QTYP", "Picked quantity must be entered")
    if quantity > planned.quantity:
        text = f"Picked quantity {quantity} is greater than {planned.quantity} on the picking list"
        raise NotOk(GENERIC, "QTYP", text)
    require_packed(delivery)
    report_line(world, delivery, planned, quantity)


def _meant_delivery(world: World, call: Call) -> Delivery:
    """The delivery by DLIX (or RIDI); without either, the order's one that has this line on an open list."""
    order = world.order(call.text("RIDN"))
    plsx = call.integer("PLSX")
    dlix = call.integer("DLIX") or call.integer("RIDI")
    if dlix:
        delivery = open_list(world, dlix, plsx)
        if delivery.orno != order.orno:
            raise NotOk("WDL0203", "DLIX")
        return delivery
    for delivery in world.deliveries_of(order):
        if delivery.plsx == plsx and any(
            line.ponr == call.integer("RIDL") and line.picked is None for line in delivery.lines
        ):
            return delivery
    raise NotOk("WPL1803", "PLSX")


def _meant_line(delivery: Delivery, call: Call) -> DeliveryLine:
    for line in delivery.lines:
        if line.ponr == call.integer("RIDL"):
            if call.text("ITNO", line.itno) != line.itno:
                raise NotOk("WIT0103", "ITNO")
            if line.picked is not None:
                raise NotOk(GENERIC, "RIDL", f"Line {line.ponr} of picking list is already reported")
            return line
    raise NotOk(RECORD_MISSING, "RIDL")


@mi("MHS850MI", "AddCOPick")
def add_pick(world: World, call: Call) -> list[Row]:
    """Reports the picked quantity (QTYP) of one order line on a picking list."""
    return _take_in(world, call, call.text("PRFL"))


@mi("MHS850MI", "AddCfmPickList")
def confirm_pick_list(world: World, call: Call) -> list[Row]:
    """Reports what is still open on a whole picking list in full."""
    return _take_in(world, call, call.text("PRMD"))


@mi("MHS850MI", "AddCOReturn")
def add_return(world: World, call: Call) -> list[Row]:
    """Reports the received quantity (QTY) of one customer return line."""
    return _take_in(world, call, call.text("PRFL"))


@mi("MHS850MI", "GetMvxMsg")
def get_message(world: World, call: Call) -> list[Row]:
    """M3's number of the message a partner sent under PMSN. Whether it was processed, LstMvxMsg tells."""
    message = _known(world, call.text("E0PB"), call.text("PMSN"))
    if message is None:
        raise NotOk("WMS3703", "PMSN")
    return [{"CONO": str(catalogue.CONO), "MSGN": message.msgn}]


@mi("MHS850MI", "LstMvxMsg")
def list_messages(world: World, call: Call) -> list[Row]:
    """A partner's messages with their status, of one number or status if given."""
    partner, number, stat = call.text("E0PB"), call.text("PMSN"), call.text("STAT")
    known = _known(world, partner, number)
    found = ([known] if known else []) if number else [m for m in world.messages if m.e0pa == partner]
    return [
        {"CONO": str(catalogue.CONO), "MSGN": message.msgn, "STAT": message.stat}
        for message in found
        if stat in ("", message.stat)
    ]
