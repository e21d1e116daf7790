"""What `confirmShipment` needs of a package, and whether Amazon has it already."""

from collections.abc import Mapping
from datetime import datetime

from activities.amazon.client import ShipmentConfirmation
from canonical.activity_contracts import ConfirmShipmentRequest
from canonical.held import HeldReason, held
from canonical.profile import MarketplaceProfile


def confirmation(
    request: ConfirmShipmentRequest, profile: MarketplaceProfile, now: datetime
) -> ShipmentConfirmation:
    """The package in Amazon's words.

    Raises `OrderHeld`: carrier_unknown where the profile maps M3's forwarder to no Amazon carrier,
    shipment_refused where there is no tracking number, which Amazon does not take (PackageDetail: required).
    """
    package, order_id = request.package, request.ref.order_id
    carrier = profile.carriers.get(package.carrier)
    if carrier is None:
        raise held(
            HeldReason.CARRIER_UNKNOWN,
            f"Order {order_id}, package {package.reference}: M3 shipped with forwarder "
            f"{package.carrier or '(none)'}, and no Amazon carrier is configured for it in marketplace "
            f"{profile.marketplace_id}.",
            field="carrier",
            code=package.carrier,
        )
    tracking = package.tracking_number.strip() or profile.untracked
    if not tracking:
        raise held(
            HeldReason.SHIPMENT_REFUSED,
            f"Order {order_id}, package {package.reference}: M3 has no tracking number and Amazon takes no "
            "confirmation without one. Enter it in M3, or configure `untracked` for the marketplace.",
            field="trackingNumber",
        )
    return ShipmentConfirmation(
        marketplace_id=request.ref.marketplace_id,
        reference=package.reference,
        carrier_code=carrier.code,
        carrier_name=carrier.name,
        method=carrier.method,
        tracking_number=tracking,
        shipped_at=ship_date(package.shipped_at, request.order_created, now),
        items=package.items,
    )


def ship_date(shipped_at: datetime, order_created: datetime, now: datetime) -> datetime:
    """M3's moment brought between purchase and now, outside which Amazon refuses it.

    M3 keeps dates where Amazon wants moments: goods that left on the day of purchase seem to have left before
    it.
    """
    return max(order_created, min(shipped_at, now))


def is_known(order: Mapping[str, object], shipment: ShipmentConfirmation, *, exactly: bool = False) -> bool:
    """Whether Amazon's `packages` hold this parcel: the same tracking number under our reference, or with the
    same items under one that a person gave.

    exactly: only under our reference and with the same carrier, where a correction is to be seen.
    """
    packages = order.get("packages")
    wanted = shipment.tracking_number.casefold()
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        if str(package.get("trackingNumber") or "").strip().casefold() != wanted:
            continue
        ours = str(package.get("packageReferenceId") or "") == shipment.reference
        if exactly:
            if ours and _same_carrier(package, shipment):
                return True
        elif ours or _items(package) == dict(shipment.items):
            return True
    return False


def _same_carrier(package: Mapping[str, object], shipment: ShipmentConfirmation) -> bool:
    """Amazon shows the carrier's name, or its code where no name was told. Another spelling of it only costs one more
    call, which changes nothing."""
    shown = str(package.get("carrier") or "").casefold()
    return shown in (shipment.carrier_code.casefold(), shipment.carrier_name.casefold())


def _items(package: Mapping[str, object]) -> dict[str, int]:
    entries = package.get("packageItems")
    return {
        str(entry.get("orderItemId")): int(entry.get("quantity") or 0)
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    }
