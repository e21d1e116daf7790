"""Planting what goes wrong in M3 on one order, and repairing it as a person in M3 would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from simulators import assortment, catalogue
from simulators.m3.invoicing import TO_APPROVE, approve
from simulators.m3.ledger import invoice_lines
from simulators.m3.orders_transfer import SURCHARGE, start_transfer
from simulators.m3.records import ZERO, Healing, Order
from simulators.m3.world import ANYWHERE, World

INTERRUPTED = "interrupted"
PLANTABLE = (frozenset(assortment.TROUBLE.values()) - {"unmapped_sku"}) | {INTERRUPTED}
HEALABLE = frozenset(assortment.TROUBLE.values()) | {INTERRUPTED}
_DELIVERED_STOCK = Decimal(1000)


def plant(world: World, cuor: str, kind: str) -> None:
    """Let this order, whatever is in it, run into this trouble. ValueError for a kind no single order can
    have."""
    if kind not in PLANTABLE:
        raise ValueError(
            f"{kind!r} cannot be planted on one order; possible are {', '.join(sorted(PLANTABLE))}."
        )
    healing = world.healing.get(cuor) or Healing()
    healing.planted = sorted({*healing.planted, kind})
    healing.healed = [other for other in healing.healed if other != kind]
    world.healing.put(cuor, healing)


def heal(world: World, kind: str | None, cuor: str | None) -> list[str]:
    """Repair a kind of trouble everywhere, or for one order, or everything that is wrong with one order.

    Answers the kinds repaired. ValueError if neither is given or the kind is unknown.
    """
    if kind is None and cuor is None:
        raise ValueError("Say which kind of trouble to repair, or for which CUOR.")
    if kind is not None and kind not in HEALABLE:
        raise ValueError(f"{kind!r} is no trouble; possible are {', '.join(sorted(HEALABLE))}.")
    orders = _orders(world, cuor)
    kinds = {kind} if kind is not None else _all_troubles(world, cuor or "", orders)
    for one in sorted(kinds):
        _remember(world, one, cuor)
        repair = _REPAIRS.get(one)
        if repair is not None:
            repair(world, orders, cuor)
    return sorted(kinds)


def _orders(world: World, cuor: str | None) -> list[Order]:
    keys = world.orders_by_cuor.get(cuor, []) if cuor is not None else [order.orno for order in world.orders]
    return [order for order in map(world.orders.get, keys) if order is not None]


def _all_troubles(world: World, cuor: str, orders: Iterable[Order]) -> set[str]:
    batches = [batch for batch in map(world.batches.get, world.batches_by_cuor.get(cuor, [])) if batch]
    items = {line.itno for order in orders for line in order.lines}
    items |= {line.itno for batch in batches for line in batch.lines}
    return world.troubles(cuor, items)


def _remember(world: World, kind: str, cuor: str | None) -> None:
    for key in [cuor] if cuor is not None else [ANYWHERE, *world.healing.keys()]:
        healing = world.healing.get(key) or Healing()
        healing.planted = [other for other in healing.planted if other != kind]
        healing.healed = sorted({*healing.healed, kind})
        world.healing.put(key, healing)


def _sold_items(kind: str) -> list[assortment.Item]:
    return [item for item in assortment.ITEMS if item.trouble == kind]


def _enter_aliases(world: World, _: list[Order], __: str | None) -> None:
    for item in _sold_items("unmapped_sku"):
        world.add_alias(item.sku, item.itno)


def _unblock_items(world: World, _: list[Order], __: str | None) -> None:
    for item in _sold_items("item_blocked"):
        record = world.items.get(item.itno)
        if record is not None:
            record.stat = "20"
            world.items.put(item.itno, record)


def _release_credit(world: World, _: list[Order], cuor: str | None) -> None:
    """The credit department lets the stopped temporary orders go."""
    for batch in world.batches:
        if batch.stat == "30" and not batch.in_transfer and cuor in (None, batch.cuor):
            start_transfer(world, batch)


def _drop_surcharge(world: World, orders: list[Order], _: str | None) -> None:
    """Take the surcharge off orders it has not been invoiced on."""
    for order in orders:
        kept = [charge for charge in order.charges if charge.crid != SURCHARGE or charge.ivno]
        if len(kept) != len(order.charges):
            order.charges = kept
            world.keep_order(order)


def _approve(world: World, orders: list[Order], _: str | None) -> None:
    for order in orders:
        for delivery in world.deliveries_of(order):
            if delivery.orst == TO_APPROVE:
                approve(world, delivery, "M3SRVADM")


def _correct_vouchers(world: World, orders: list[Order], _: str | None) -> None:
    """The vouchers now say what the invoices say."""
    for order in orders:
        for invoice in world.invoices_of(order.orno):
            voucher = world.vouchers.get(f"{invoice.yea4}/{invoice.vono}")
            if voucher is not None:
                voucher.lines = invoice_lines(invoice)
                world.vouchers.put(f"{voucher.yea4}/{voucher.vono}", voucher)


def _deliver_stock(world: World, orders: list[Order], _: str | None) -> None:
    """Goods come in, and what was waiting for them is allocated."""
    for item in _sold_items("shipment_not_reportable"):
        for warehouse in catalogue.WAREHOUSES:
            add_stock(world, warehouse.whlo, item.itno, _DELIVERED_STOCK)
    allocate_waiting(world, orders)


def add_stock(world: World, whlo: str, itno: str, quantity: Decimal) -> None:
    """Put goods into a warehouse. NotOk if the item is not kept there."""
    world.change_balance(world.balance(whlo, itno), onhand=quantity, allocated=ZERO)


def allocate_waiting(world: World, orders: Iterable[Order]) -> None:
    """Have another try at allocating what is still open on these orders."""
    for order in orders:
        if any(line.open > 0 for line in order.lines):
            world.agenda.later("allocate", 0.1, 0.1, orno=order.orno)


def _relabel(world: World, orders: list[Order], _: str | None) -> None:
    """The forwarder on the deliveries is corrected."""
    for order in orders:
        for delivery in world.deliveries_of(order):
            if delivery.fwno == catalogue.UNKNOWN_CARRIER:
                delivery.fwno = catalogue.CARRIERS[0]
                world.keep_delivery(delivery)


_Repair = Callable[[World, list[Order], "str | None"], None]

_REPAIRS: dict[str, _Repair] = {
    "unmapped_sku": _enter_aliases,
    "item_blocked": _unblock_items,
    "credit_stop": _release_credit,
    "total_differs": _drop_surcharge,
    "invoice_missing": _approve,
    "ledger_mismatch": _correct_vouchers,
    "shipment_not_reportable": _deliver_stock,
    "carrier_unknown": _relabel,
}
