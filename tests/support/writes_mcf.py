"""Writes for M3 deliveries of other channels that Amazon fulfils: orders at Amazon, reports to M3."""

from collections.abc import Mapping
from typing import Any

from activities.m3.client import M3Client
from simulators import assortment
from tests.support.mcf import McfShop
from tests.support.trials import Step, Subject, Trial, Write, cuor
from tests.support.world import World

PARCELS = 2
ITEMS = assortment.ORDINARY_ITEMS[-2:]
"""To which no other row gives a further SKU."""


def _nothing_sold_by_amazon(_: Trial) -> dict[str, Any]:
    return {}


def _at_amazon(trial: Trial) -> Mapping[str, str]:
    return {"sellerFulfillmentOrderId": trial.fulfillment_order_id}


def _by_its_path(trial: Trial) -> Mapping[str, str]:
    return {"orderId": trial.fulfillment_order_id}


async def _delivery_in_m3(trial: Trial, world: World, m3: M3Client) -> None:
    lines = zip(ITEMS, (3, 2), strict=True)
    trial.delivery = await McfShop(world, m3).order(*lines, cuor=trial.order_id)


def _amazon_ships(*events: str | dict[str, object]) -> Step:
    """As soon as Amazon has the order."""

    async def happens(trial: Trial, world: World, m3: M3Client) -> None:
        shop = McfShop(world, m3)
        await shop.until_step(trial.handle(world), "awaiting_shipment")
        await shop.happens(trial.fulfillment_order_id, "validate", "plan", *events)
        assert await shop.notified(trial.fulfillment_order_id)

    return happens


async def _cancel(trial: Trial, world: World, m3: M3Client) -> None:
    handle = trial.handle(world)
    await McfShop(world, m3).until_step(handle, "awaiting_shipment")
    await handle.signal("cancel")


_all = _amazon_ships("pick", {"type": "ship", "packages": PARCELS})
_in_part = _amazon_ships({"type": "pick", "items": {"1-0": 2, "2-0": 1}}, "short", "ship")

WRITES_OF_MCF = (
    Write(
        "createFulfillmentOrder",
        _nothing_sold_by_amazon,
        _at_amazon,
        subject=Subject.MCF,
        before=_delivery_in_m3,
        finish=_all,
        outcome="shipped",
    ),
    Write(
        "cancelFulfillmentOrder",
        _nothing_sold_by_amazon,
        _by_its_path,
        subject=Subject.MCF,
        before=_delivery_in_m3,
        later=_cancel,
        outcome="not_shipped",
    ),
    Write(
        "MWS423MI.AddPackage",
        _nothing_sold_by_amazon,
        cuor,
        subject=Subject.MCF,
        before=_delivery_in_m3,
        later=_all,
        outcome="shipped",
    ),
    Write(
        "MHS850MI.AddCfmPickList",
        _nothing_sold_by_amazon,
        cuor,
        subject=Subject.MCF,
        before=_delivery_in_m3,
        later=_all,
        outcome="shipped",
    ),
    Write(
        "MHS850MI.AddCOPick",
        _nothing_sold_by_amazon,
        cuor,
        about="of what Amazon fulfils in part",
        subject=Subject.MCF,
        before=_delivery_in_m3,
        later=_in_part,
        outcome="partly_shipped",
    ),
)
