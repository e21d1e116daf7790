"""What Amazon means where it refuses a shipment confirmation: its order is looked at before a person is asked.

The refusals as public trackers quote them: "Failed to create package due to not finding a matching package or order
already fulfilled ... PackageToUpdateNotFound" (amzn/selling-partner-api-models issue 5037) says one thing for several
causes, which the order tells apart.
"""

import re
from collections.abc import Mapping
from typing import Final

from activities.amazon.client import ShipmentConfirmation
from activities.amazon.failures import AmazonError
from canonical.held import HeldReason, Hold, OrderHeld

_NO_PACKAGE: Final = re.compile(r"PackageToUpdateNotFound|already fulfilled|matching package", re.IGNORECASE)
_CARRIER: Final = re.compile(r"carrier", re.IGNORECASE)
_SHIPPING_METHOD: Final = re.compile(r"shipping ?method", re.IGNORECASE)
_NAMED: Final = 5


def is_passing(order: Mapping[str, object], shipment: ShipmentConfirmation, error: AmazonError) -> bool:
    """Whether the refusal contradicts Amazon's own order: no package found, although the pieces are there to be
    shipped. Amazon's services learn of each other with a delay."""
    if not _NO_PACKAGE.search(error.message):
        return False
    open_pieces = _pieces(order, "quantityUnfulfilled")
    return all(open_pieces.get(item, 0) >= quantity for item, quantity in shipment.items.items())


def refused(
    order: Mapping[str, object],
    shipment: ShipmentConfirmation,
    error: AmazonError,
    *,
    subject: str,
    carrier: str,
) -> OrderHeld:
    """The hold with the true reason. subject: begins the sentence. carrier: M3's forwarder."""
    facts = {
        "system": "Amazon",
        "code": error.code or str(error.status or ""),
        "request_id": error.request_id,
    }
    if _SHIPPING_METHOD.search(error.message) is None and _CARRIER.search(error.message):
        sentence = (
            f"{subject}: Amazon does not know carrier {shipment.carrier_code!r}"
            f"{f' ({shipment.carrier_name})' if shipment.carrier_name else ''}, to which M3's forwarder {carrier} is "
            f"mapped in marketplace {shipment.marketplace_id}. {error.sentence}"
        )
        return OrderHeld(Hold(reason=HeldReason.CARRIER_UNKNOWN, sentence=sentence, field="carrier", **facts))
    sentence = f"{subject}: {_as_it_is(order, shipment)} {error.sentence}"
    return OrderHeld(Hold(reason=HeldReason.SHIPMENT_REFUSED, sentence=sentence, **facts))


def _as_it_is(order: Mapping[str, object], shipment: ShipmentConfirmation) -> str:
    """How Amazon's order stands to what was to be confirmed. Tracking numbers lead to an address: not told."""
    status = _status(order)
    if status == "CANCELLED":
        return "Amazon has cancelled the order."
    packages = _packages(order)
    same = [one for one in packages if str(one.get("packageReferenceId") or "") == shipment.reference]
    open_pieces, known = _pieces(order, "quantityUnfulfilled"), _pieces(order, "quantityFulfilled")
    missing = sorted(item for item in shipment.items if item not in open_pieces and item not in known)
    if missing:
        return f"Amazon's order has no item {', '.join(missing)}."
    if same:
        return "Amazon has a package under this reference, told otherwise."
    over = [item for item, quantity in shipment.items.items() if quantity > open_pieces.get(item, 0)]
    if over and packages:
        named = ", ".join(str(one.get("packageReferenceId") or "?") for one in packages[:_NAMED])
        more = f" and {len(packages) - _NAMED} more" if len(packages) > _NAMED else ""
        return (
            f"Amazon's order is {status} with package {named}{more}, under another tracking number: these pieces were "
            "confirmed to Amazon before, by another hand."
        )
    if over:
        return f"Amazon's order is {status}; fewer pieces are left to ship than M3 has shipped."
    return f"Amazon's order is {status} and the pieces are still to be shipped."


def _status(order: Mapping[str, object]) -> str:
    fulfillment = order.get("fulfillment")
    return (
        str(fulfillment.get("fulfillmentStatus") or "unknown") if isinstance(fulfillment, dict) else "unknown"
    )


def _packages(order: Mapping[str, object]) -> list[dict[str, object]]:
    packages = order.get("packages")
    return [one for one in packages if isinstance(one, dict)] if isinstance(packages, list) else []


def _pieces(order: Mapping[str, object], key: str) -> dict[str, int]:
    """Quantities by order item id; items whose fulfilment Amazon does not tell are left out."""
    items = order.get("orderItems")
    found: dict[str, int] = {}
    for item in items if isinstance(items, list) else ():
        fulfillment = item.get("fulfillment") if isinstance(item, dict) else None
        if isinstance(fulfillment, dict) and isinstance(fulfillment.get(key), int):
            found[str(item.get("orderItemId"))] = fulfillment[key]
    return found
