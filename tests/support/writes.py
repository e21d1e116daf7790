"""Every write the service sends, each with an order that makes it be sent and the fault that is aimed at it."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from activities.m3.client import M3Client
from simulators import catalogue
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.world import World

EUROPE, AMERICA = (seller.seller_id for seller in catalogue.SELLERS)
RELEASED = catalogue.ORDINARY_ITEMS[0].itno
BLOCKED = next(item.itno for item in catalogue.ITEMS if item.trouble == "item_blocked")
ALIAS = {"ALWT": str(catalogue.ALIAS_TYPE), "ALWQ": catalogue.ALIAS_QUALIFIER}

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """What befalls a write: `when` and `action` as in `simulators.faults.FaultOrder`."""

    name: str
    when: str
    action: str

    @property
    def is_crash(self) -> bool:
        """Whether the worker is killed while it waits for the answer."""
        return self.action == "hang"


CASES = (
    Case("reply lost: HTTP 504", "after", "status_504"),
    Case("reply lost: connection cut", "after", "drop"),
    Case("crash just before", "before", "hang"),
    Case("crash just after", "after", "hang"),
)


@dataclass
class Trial:
    """One write, one case, one order of its own."""

    write: "Write"
    case: Case
    number: int = field(default_factory=lambda: next(_numbers))
    body: dict[str, Any] = field(init=False)
    troubles: list[str] = field(default_factory=list)
    """What went wrong on the way, in the test's own words."""

    def __post_init__(self) -> None:
        self.body = self.write.order(self)

    @property
    def id(self) -> str:
        """Name of the fault and of the test."""
        return f"{self.write.name}, {self.case.name}"

    @property
    def order_id(self) -> str:
        return str(self.body["orderId"])

    @property
    def item_ids(self) -> list[str]:
        return [str(item["orderItemId"]) for item in self.body["orderItems"]]

    @property
    def awaits_sweep(self) -> bool:
        """Whether a sweep must bring news of the goods before the order ends or meets its fault."""
        by_merchant = self.body["fulfillment"]["fulfilledBy"] == "MERCHANT"
        return by_merchant and (self.write.at_amazon or not self.case.is_crash)

    @property
    def sku(self) -> str:
        """A SKU that no other order has."""
        return f"MATRIX-{self.number:03d}"

    @property
    def buyer(self) -> str:
        return f"Buyer Number {self.number:03d}"


async def _nothing(trial: Trial, world: World, m3: M3Client) -> None:
    """Most orders make their write without help."""


Step = Callable[[Trial, World, M3Client], Awaitable[None]]


@dataclass(frozen=True)
class Write:
    """A write: `aim` tells the fault which call of all is this order's."""

    operation: str
    order: Callable[[Trial], dict[str, Any]]
    aim: Callable[[Trial], Mapping[str, str]]
    about: str = ""
    seller: str = EUROPE
    before: Step = _nothing
    """What must be so before the order starts."""
    after: Step = _nothing
    """What has to happen once it has started."""
    finish: Step | None = None
    """What has to happen when the write is done, for the order to end."""
    cancelled: bool = False
    may_split: bool = False
    per_buyer: bool = False
    alias: bool = False

    @property
    def name(self) -> str:
        return f"{self.operation} ({self.about})" if self.about else self.operation

    @property
    def at_amazon(self) -> bool:
        return "." not in self.operation


def _shipped(
    *lines: tuple[str, int] | str, marketplace: str = "DE", shipping: str = "0"
) -> Callable[[Trial], dict[str, Any]]:
    return lambda _: order(*lines, status="SHIPPED", marketplace=marketplace, shipping=shipping)


def _merchants(_: Trial) -> dict[str, Any]:
    return order(ORDINARY, channel="MERCHANT")


def _of_a_french_buyer(trial: Trial) -> dict[str, Any]:
    street = {"name": trial.buyer, "addressLine1": "3 rue de la Paix", "city": "Paris"}
    address = {**street, "postalCode": "75002", "countryCode": "FR"}
    return order(ORDINARY, channel="MERCHANT", marketplace="FR", address=address)


def _with_own_sku(trial: Trial) -> dict[str, Any]:
    return order(trial.sku, status="SHIPPED")


def _cuor(trial: Trial) -> Mapping[str, str]:
    return {"CUOR": trial.order_id}


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
    refusal = {"id": f"refuse {trial.id}", "operation": "OIS100MI.DelHead", "match": _cuor(trial)}
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


async def _cancel_the_line_with_the_charge(trial: Trial, world: World, _: M3Client) -> None:
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await world.event(trial.order_id, "cancel", items={trial.item_ids[0]: 1})
    await world.start(trial.order_id, seller=trial.write.seller)


async def _m3_control(world: World, path: str, **body: object) -> None:
    (await world.m3.post(f"/_control/{path}", json=body)).raise_for_status()


async def _cancel_the_rest(trial: Trial, world: World, _: M3Client) -> None:
    """One piece has left and is invoiced; nothing of the rest is allocated when it is cancelled."""
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")
    await _m3_control(world, "heal", kind="shipment_not_reportable", cuor=trial.order_id)
    await _m3_control(world, "ship", cuor=trial.order_id, lines={"1": 1})
    await _m3_control(world, "stop", cuor=trial.order_id)
    await world.sweep(amazon=False)
    await world.until(handle, lambda view: len(view.vouchers) == 1)
    await world.event(trial.order_id, "cancel", items={trial.item_ids[0]: 2})
    await world.start(trial.order_id, seller=trial.write.seller)


async def _goods_come(trial: Trial, world: World, _: M3Client) -> None:
    """As soon as the cancelled part is taken back, M3 has the goods, and the warehouse ships the rest."""
    handle = world.handle(trial.order_id, trial.write.seller)
    await world.until(handle, lambda view: bool(view.cancellations))
    await _m3_control(world, "heal", kind="shipment_not_reportable", cuor=trial.order_id)


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
    Write("OIS100MI.AddBatchHead", _shipped(ORDINARY), _cuor),
    Write("OIS100MI.AddBatchAddress", _merchants, _cuor),
    Write(
        "OIS100MI.AddBatchLine",
        _shipped((ORDINARY, 2), ANOTHER),
        lambda trial: {"CUOR": trial.item_ids[1]},
        about="second of two lines",
    ),
    Write("OIS100MI.AddBatchHeadChg", _shipped(ORDINARY, shipping="4.90"), _cuor),
    Write("OIS100MI.DelBatchHead", _shipped(ORDINARY), _cuor, before=_temporary_order_there),
    Write("OIS100MI.Confirm", _shipped((ORDINARY, 3)), _cuor),
    Write("MHS850MI.AddCOPick", _shipped((ORDINARY, 3)), _cuor),
    Write(
        "MHS850MI.AddCOPick",
        _shipped((ORDINARY, 2), (ANOTHER, 2)),
        lambda trial: {**_cuor(trial), "ITNO": catalogue.ITEM_BY_SKU[ANOTHER].itno},
        about="second of two lines",
        may_split=True,
    ),
    Write("OIS350MI.PrtInvoice", _shipped(ORDINARY, marketplace="US"), _cuor, seller=AMERICA),
    Write(
        "OIS100MI.DelHead",
        lambda _: order(ORDINARY),
        _cuor,
        before=_out_of_stock,
        after=_cancel,
        cancelled=True,
    ),
    Write(
        "OIS100MI.DelLine",
        lambda _: order(ORDINARY, ANOTHER),
        _cuor,
        before=_out_of_stock_and_undeletable,
        after=_cancel,
        cancelled=True,
    ),
    Write(
        "OIS100MI.ChgLineBatchEnt",
        _of_a_merchant((ORDINARY, 3)),
        _cuor,
        before=_out_of_stock,
        after=_cancel_in_part,
        finish=_goods_come,
    ),
    Write(
        "OIS100MI.UpdConnCOCharge",
        _of_a_merchant((ORDINARY, 3), shipping="6.00"),
        _cuor,
        before=_out_of_stock,
        after=_cancel_in_part,
        finish=_goods_come,
    ),
    Write(
        "OIS100MI.DelConnCOCharge",
        _of_a_merchant(ORDINARY, (ANOTHER, 2), shipping="4.90"),
        _cuor,
        before=_out_of_stock,
        after=_cancel_the_line_with_the_charge,
        finish=_goods_come,
    ),
    Write(
        "OIS100MI.CloLine",
        _of_a_merchant((ORDINARY, 3)),
        _cuor,
        before=_out_of_stock,
        after=_cancel_the_rest,
    ),
    Write("confirmShipment", _merchants, lambda trial: {"orderId": trial.order_id}),
)
