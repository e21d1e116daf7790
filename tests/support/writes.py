"""Every write the service sends, each with an order that makes it be sent and the fault that is aimed at it."""

from collections.abc import Callable, Mapping
from typing import Any

from activities.m3.client import M3Client
from simulators import assortment, catalogue
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.trials import AMERICA, Trial, Write, cuor, m3_control, merchants, shipped
from tests.support.world import World
from tests.support.writes_closed import WRITES_OF_THE_CLOSED, goods_have_left
from tests.support.writes_mcf import WRITES_OF_MCF

RELEASED = assortment.ORDINARY_ITEMS[0].itno
BLOCKED = next(item.itno for item in assortment.ITEMS if item.trouble == "item_blocked")
ALIAS = {"ALWT": str(catalogue.ALIAS_TYPE), "ALWQ": catalogue.ALIAS_QUALIFIER}


def _of_a_french_buyer(trial: Trial) -> dict[str, Any]:
    street = {"name": trial.buyer, "addressLine1": "3 rue de la Paix", "city": "Paris"}
    address = {**street, "postalCode": "75002", "countryCode": "FR"}
    return order(ORDINARY, channel="MERCHANT", marketplace="FR", address=address)


def _with_own_sku(trial: Trial) -> dict[str, Any]:
    return order(trial.sku, status="SHIPPED")


def _popn(trial: Trial) -> Mapping[str, str]:
    return {"POPN": trial.sku}


async def _map_sku(trial: Trial, world: World, reason: str) -> None:
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until_held(handle, reason)
    await handle.signal("map_sku", {"sku": trial.sku, "itno": RELEASED})


async def _map_unknown(trial: Trial, world: World, _: M3Client) -> None:
    await _map_sku(trial, world, "unmapped_sku")


async def _map_elsewhere(trial: Trial, world: World, _: M3Client) -> None:
    await _map_sku(trial, world, "item_blocked")


async def _alias_of_a_blocked_item(trial: Trial, _: World, m3: M3Client) -> None:
    await m3.execute("MMS025MI", "AddAlias", {**ALIAS, "POPN": trial.sku, "ITNO": BLOCKED})


async def _temporary_order_there(trial: Trial, _: World, m3: M3Client) -> None:
    """As an attempt leaves it that died after the head."""
    head = {"CUNO": "AMZDE", "ORTP": "AZF", "CUOR": trial.order_id}
    await m3.execute("OIS100MI", "AddBatchHead", head)


async def _out_of_stock(trial: Trial, world: World, _: M3Client) -> None:
    """Nothing is allocated, so that the order can still be deleted."""
    body = {"kind": "shipment_not_reportable", "cuor": trial.order_id}
    (await world.m3.post("/_control/trouble", json=body)).raise_for_status()


async def _out_of_stock_and_undeletable(trial: Trial, world: World, m3: M3Client) -> None:
    """M3 deletes lines of this order and never the whole."""
    await _out_of_stock(trial, world, m3)
    refusal = {"id": f"refuse {trial.id}", "operation": "OIS100MI.DelHead", "match": cuor(trial)}
    body = {**refusal, "action": "nok:CPF9898", "times": 5}
    (await world.m3.post("/_control/faults", json=body)).raise_for_status()


async def _cancel(trial: Trial, world: World, _: M3Client) -> None:
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(trial.order_id, "cancel")
    await world.start(trial.order_id, seller=trial.write.seller)


async def _cancel_in_part(trial: Trial, world: World, _: M3Client) -> None:
    """Of the first item one piece is left, of the second all."""
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(trial.order_id, "change_quantity", items={trial.item_ids[0]: 1})
    await world.start(trial.order_id, seller=trial.write.seller)


async def _cancel_the_first_line(trial: Trial, world: World, _: M3Client) -> None:
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(trial.order_id, "cancel", items={trial.item_ids[0]: 1})
    await world.start(trial.order_id, seller=trial.write.seller)


async def _cancel_the_rest(trial: Trial, world: World, m3: M3Client) -> None:
    """One piece has left and is invoiced; nothing of the rest is allocated when it is cancelled."""
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await m3_control(world, "heal", kind="shipment_not_reportable", cuor=trial.order_id)
    await m3_control(world, "ship", cuor=trial.order_id, lines={"1": 1})
    await m3_control(world, "stop", cuor=trial.order_id)
    await goods_have_left(trial, world, m3)
    await world.until(handle, lambda view: len(view.vouchers) == 1)
    await world.event(trial.order_id, "cancel", items={trial.item_ids[0]: 2})
    await world.start(trial.order_id, seller=trial.write.seller)


async def _goods_come(trial: Trial, world: World, _: M3Client) -> None:
    """As soon as the cancelled part is taken back, M3 has the goods, and the warehouse ships the rest."""
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: bool(view.cancellations))
    await m3_control(world, "heal", kind="shipment_not_reportable", cuor=trial.order_id)


def _of_a_merchant(*lines: tuple[str, int] | str, shipping: str = "0") -> Callable[[Trial], dict[str, Any]]:
    return lambda _: order(*lines, channel="MERCHANT", shipping=shipping)


WRITES = (
    Write("MMS025MI.AddAlias", _with_own_sku, _popn, after=_map_unknown, alias=True),
    Write(
        "MMS025MI.DltAlias",
        _with_own_sku,
        _popn,
        before=_alias_of_a_blocked_item,
        after=_map_elsewhere,
        alias=True,
    ),
    Write("CRS610MI.Add", _of_a_french_buyer, lambda trial: {"CUNM": trial.buyer}, per_buyer=True),
    Write("OIS100MI.AddBatchHead", shipped(ORDINARY), cuor),
    Write("OIS100MI.AddBatchAddress", merchants, cuor),
    Write(
        "OIS100MI.AddBatchLine",
        shipped((ORDINARY, 2), ANOTHER),
        lambda trial: {"CUOR": trial.item_ids[1]},
        about="second of two lines",
    ),
    Write("OIS100MI.AddBatchHeadChg", shipped(ORDINARY, shipping="4.90"), cuor),
    Write("OIS100MI.DelBatchHead", shipped(ORDINARY), cuor, before=_temporary_order_there),
    Write("OIS100MI.Confirm", shipped((ORDINARY, 3)), cuor),
    Write("MHS850MI.AddCOPick", shipped((ORDINARY, 3)), cuor),
    Write(
        "MHS850MI.AddCOPick",
        shipped((ORDINARY, 2), (ANOTHER, 2)),
        lambda trial: {**cuor(trial), "ITNO": assortment.ITEM_BY_SKU[ANOTHER].itno},
        about="second of two lines",
        may_split=True,
    ),
    Write("OIS350MI.PrtInvoice", shipped(ORDINARY, marketplace="US"), cuor, seller=AMERICA),
    Write(
        "OIS100MI.DelHead",
        lambda _: order(ORDINARY),
        cuor,
        before=_out_of_stock,
        after=_cancel,
        outcome="cancelled",
    ),
    Write(
        "OIS100MI.DelLine",
        lambda _: order(ORDINARY, ANOTHER),
        cuor,
        before=_out_of_stock_and_undeletable,
        after=_cancel,
        outcome="cancelled",
    ),
    Write(
        "OIS100MI.ChgLineBatchEnt",
        _of_a_merchant((ORDINARY, 3)),
        cuor,
        before=_out_of_stock,
        after=_cancel_in_part,
        finish=_goods_come,
    ),
    Write(
        "OIS100MI.UpdConnCOCharge",
        _of_a_merchant((ORDINARY, 3), shipping="6.00"),
        cuor,
        before=_out_of_stock,
        after=_cancel_in_part,
        finish=_goods_come,
    ),
    Write(
        "OIS100MI.DelConnCOCharge",
        _of_a_merchant(ORDINARY, (ANOTHER, 2), shipping="4.90"),
        cuor,
        before=_out_of_stock,
        after=_cancel_the_first_line,
        finish=_goods_come,
    ),
    Write(
        "OIS100MI.CloLine",
        _of_a_merchant((ORDINARY, 3)),
        cuor,
        before=_out_of_stock,
        after=_cancel_the_rest,
    ),
    Write(
        "OIS100MI.DelLine",
        _of_a_merchant(ORDINARY, (ANOTHER, 2)),
        cuor,
        about="one of two lines",
        before=_out_of_stock,
        after=_cancel_the_first_line,
        finish=_goods_come,
    ),
    Write("confirmShipment", merchants, lambda trial: {"orderId": trial.order_id}),
    *WRITES_OF_THE_CLOSED,
    *WRITES_OF_MCF,
)
