"""What happens to orders by themselves: payment, Amazon's own shipments, cancellations.

An order carries its coming events; each is applied when the simulator's clock has passed it, with the moment
at which it was due, so nobody can tell whether the world was looked at in between.
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.amazon.clock import iso
from simulators.amazon.prices import add_up, rescale
from simulators.amazon.record import Event, EventType, OrderRecord, fulfilled, set_quantities, unfulfilled
from simulators.amazon.view import UNPAID
from simulators.amazon.wire import JsonObject

CANCEL_REASONS = {
    "BUYER": "CUSTOMER_CANCELLED",
    "MERCHANT": "NO_INVENTORY",
    "AMAZON": "PAYMENT_NOT_AUTHORIZED",
}


class EventRefusedError(ValueError):
    """The event makes no sense for the order as it is."""


def apply(record: OrderRecord, event: Event) -> None:
    """Let `event` happen; EventRefusedError if it cannot."""
    unknown = set(event.items) - {item["orderItemId"] for item in record.items}
    if unknown:
        message = f"Order {record.order_id} has no item {sorted(unknown)[0]}."
        raise EventRefusedError(message)
    _ACTIONS[event.type](record, event)
    record.touch(event.due_ms)


def apply_due(record: OrderRecord, now_ms: int) -> bool:
    """Apply every event that is due; those that no longer make sense are dropped. True if any was due."""
    due = sorted((event for event in record.events if event.due_ms <= now_ms), key=lambda e: e.due_ms)
    record.events = [event for event in record.events if event.due_ms > now_ms]
    for event in due:
        try:
            apply(record, event)
        except EventRefusedError:
            continue
    return bool(due)


def _release(record: OrderRecord, _: Event) -> None:
    if record.status not in UNPAID:
        message = f"Order {record.order_id} is {record.status}, not pending."
        raise EventRefusedError(message)
    record.body["fulfillment"]["fulfillmentStatus"] = "UNSHIPPED"


def _ship(record: OrderRecord, event: Event) -> None:
    if record.status not in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
        message = f"Order {record.order_id} is {record.status}; it cannot ship."
        raise EventRefusedError(message)
    wanted = event.items or {item["orderItemId"]: unfulfilled(item) for item in record.items}
    shipped: list[JsonObject] = []
    for item in record.items:
        units = min(wanted.get(item["orderItemId"], 0), unfulfilled(item))
        if units > 0:
            set_quantities(item, fulfilled(item) + units, unfulfilled(item) - units)
            shipped.append({"orderItemId": item["orderItemId"], "quantity": units})
    if not shipped:
        message = f"Nothing of order {record.order_id} is left to ship in this event."
        raise EventRefusedError(message)
    if record.by_amazon:
        record.send_out({part["orderItemId"]: part["quantity"] for part in shipped}, event.due_ms)
    else:  # as if confirmed by hand in Seller Central
        number = str(len(record.packages) + 1)
        record.packages.append(
            {
                "packageReferenceId": number,
                "createdTime": iso(event.due_ms),
                "packageStatus": {"status": "SHIPPED"},
                "carrier": "DHL",
                "shipTime": iso(event.due_ms),
                "trackingNumber": f"JJD{record.order_id.replace('-', '')}{number}",
                "packageItems": shipped,
            }
        )
    record.settle_status()


def _cancel(record: OrderRecord, event: Event) -> None:
    if record.status == "CANCELLED":
        message = f"Order {record.order_id} is cancelled already."
        raise EventRefusedError(message)
    whole = not event.items
    if record.status in UNPAID:
        record.priced = False
        whole = True
    for item in record.items:
        if whole or item["orderItemId"] in event.items:
            _cancel_item(item, event.actor)
    if record.status == "SHIPPED":  # rare: Amazon cancels what could not be delivered
        record.body["fulfillment"]["fulfillmentStatus"] = "CANCELLED"
    else:
        record.settle_status()
    if not add_up(record.body):
        record.body.pop("proceeds", None)
    if record.status in ("CANCELLED", "SHIPPED"):
        record.events = []


def _cancel_item(item: JsonObject, actor: str) -> None:
    """Cancel what has not been shipped: the ordered quantity falls to what has, to 0 without a price.

    Inferred from Orders v0 and the order reports, where a cancelled item has quantity 0.
    """
    shipped = fulfilled(item)
    if not shipped:
        item["quantityOrdered"] = 0
        item.pop("proceeds", None)
    elif unfulfilled(item):
        rescale(item, shipped)
    set_quantities(item, shipped, 0)
    item.setdefault("cancellation", {})["cancellationExecution"] = {
        "cancelledBy": actor,
        "cancelReason": CANCEL_REASONS.get(actor, "CUSTOMER_CANCELLED"),
    }


def _request_cancel(record: OrderRecord, event: Event) -> None:
    if record.status not in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
        message = f"Order {record.order_id} is {record.status}; a cancellation can no longer be asked for."
        raise EventRefusedError(message)
    for item in record.items:
        if not event.items or item["orderItemId"] in event.items:
            item.setdefault("cancellation", {})["cancellationRequest"] = {
                "requester": event.actor,
                "cancelReason": "BUYER_CANCELED",
            }


def _change_quantity(record: OrderRecord, event: Event) -> None:
    for item in record.items:
        wanted = event.items.get(item["orderItemId"])
        if wanted is None:
            continue
        if not item["quantityOrdered"]:
            message = f"Item {item['orderItemId']} of order {record.order_id} is cancelled."
            raise EventRefusedError(message)
        if wanted < max(1, fulfilled(item)):
            message = f"Item {item['orderItemId']} of order {record.order_id} cannot have {wanted} units."
            raise EventRefusedError(message)
        rescale(item, wanted)
        set_quantities(item, fulfilled(item), wanted - fulfilled(item))
    add_up(record.body)
    if record.status not in UNPAID:
        record.settle_status()


def _reship(record: OrderRecord, event: Event) -> None:
    """Amazon sends pieces once more, for a parcel that was lost: a shipment that the order's quantities do not
    know (inferred; reports show such second shipments under the same order item)."""
    if not record.by_amazon or record.status not in ("PARTIALLY_SHIPPED", "SHIPPED"):
        message = f"Order {record.order_id} is {record.status}; nothing of it can be sent again by Amazon."
        raise EventRefusedError(message)
    record.send_out(event.items or {item["orderItemId"]: 1 for item in record.items[:1]}, event.due_ms)


def _drop(record: OrderRecord, event: Event) -> None:
    """What is left is shipped no more, and the order counts as shipped without a cancellation: the quantities of its
    items do not add up (inferred from sellers' reports of such orders)."""
    if not record.by_amazon or record.status != "PARTIALLY_SHIPPED":
        message = (
            f"Order {record.order_id} is {record.status}; only a part of an order can be dropped by Amazon."
        )
        raise EventRefusedError(message)
    for item in record.items:
        if not event.items or item["orderItemId"] in event.items:
            set_quantities(item, fulfilled(item), 0)
    record.settle_status()


_ACTIONS: dict[EventType, Callable[[OrderRecord, Event], None]] = {
    "release": _release,
    "ship": _ship,
    "cancel": _cancel,
    "request_cancel": _request_cancel,
    "change_quantity": _change_quantity,
    "reship": _reship,
    "drop": _drop,
}
