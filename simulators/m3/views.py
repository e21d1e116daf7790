"""What tests and people are shown of an order: all of it, with the derived figures."""

from __future__ import annotations

from pydantic import BaseModel

from simulators.m3.money import amount_text
from simulators.m3.order_value import ordered
from simulators.m3.records import Order
from simulators.m3.world import World

Json = dict[str, object]


def _plain(record: BaseModel) -> Json:
    return record.model_dump(mode="json")


def order_json(order: Order) -> Json:
    """A customer order with its statuses and value."""
    value = ordered(order)
    body = _plain(order)
    body["lines"] = [{**_plain(line), "status": line.status} for line in order.lines]
    return {
        **body,
        "lowest": order.lowest,
        "highest": order.highest,
        "total": amount_text(value.total),
        "vat": amount_text(value.vat),
        "net": amount_text(value.subtotal),
    }


def everything_of(world: World, cuor: str) -> Json:
    """Every record of M3 that has to do with this CUOR: with one of each, nothing was lost or doubled."""
    batches = [batch for batch in map(world.batches.get, world.batches_by_cuor.get(cuor, [])) if batch]
    orders = [order for order in map(world.orders.get, world.orders_by_cuor.get(cuor, [])) if order]
    deliveries = [delivery for order in orders for delivery in world.deliveries_of(order)]
    invoices = [invoice for order in orders for invoice in world.invoices_of(order.orno)]
    vouchers = [world.vouchers.get(f"{invoice.yea4}/{invoice.vono}") for invoice in invoices]
    returns = [
        world.returns.get(key) for order in orders for key in world.returns_by_order.get(order.orno, [])
    ]
    numbers = {batch.cuno for batch in batches} | {order.cuno for order in orders}
    customers = [(cuno, world.customers.get(cuno)) for cuno in sorted(numbers)]
    return {
        "cuor": cuor,
        "temporary": [_plain(batch) for batch in batches],
        "orders": [order_json(order) for order in orders],
        "deliveries": [_plain(delivery) for delivery in deliveries],
        "invoices": [_plain(invoice) for invoice in invoices],
        "vouchers": [_plain(voucher) for voucher in vouchers if voucher is not None],
        "returns": [_plain(found) for found in returns if found is not None],
        "customers": [
            {"cuno": cuno, **_plain(customer)} for cuno, customer in customers if customer is not None
        ],
    }


def summary(world: World) -> list[Json]:
    """One line per CUOR: how many temporary orders, orders, deliveries, invoices and vouchers it has."""
    rows = []
    for cuor in dict.fromkeys([*world.batches_by_cuor, *world.orders_by_cuor]):
        orders = [order for order in map(world.orders.get, world.orders_by_cuor.get(cuor, [])) if order]
        invoices = [invoice for order in orders for invoice in world.invoices_of(order.orno)]
        rows.append(
            Json(
                cuor=cuor,
                temporary=len(world.batches_by_cuor.get(cuor, [])),
                orders=[order.orno for order in orders],
                status=[f"{order.lowest}-{order.highest}" for order in orders],
                totals=[amount_text(ordered(order).total) for order in orders],
                currency=[order.cucd for order in orders],
                deliveries=sum(len(order.deliveries) for order in orders),
                invoices=len(invoices),
                invoiced=[amount_text(invoice.gross) for invoice in invoices],
                vouchers=sum(invoice.vono > 0 for invoice in invoices),
            )
        )
    return rows


def state(world: World) -> Json:
    """How much there is of everything, and what waits."""
    stopped: dict[str, int] = {}
    for batch in world.batches:
        stopped[batch.stat] = stopped.get(batch.stat, 0) + 1
    delivered: dict[str, int] = {}
    for delivery in world.deliveries:
        delivered[delivery.orst or "open"] = delivered.get(delivery.orst or "open", 0) + 1
    return {
        "now": world.clock.ahead(),
        "settings": world.settings.model_dump(mode="json", exclude={"data"}),
        "temporary_orders_by_status": dict(sorted(stopped.items())),
        "orders": len(world.orders),
        "deliveries_by_status": dict(sorted(delivered.items())),
        "invoices": len(world.invoices),
        "vouchers": len(world.vouchers),
        "gl_batches": len(world.gl_batches),
        "warehouse_messages": len(world.messages),
        "customers": len(world.customers),
        "jobs": len(world.jobs),
    }
