"""confirmShipment (Orders v0): what Amazon checks before it believes that a parcel has left.

Body by the model ordersV0.json; the texts of the refusals as quoted in public trackers
(amzn/selling-partner-api-models issues 492, 5037, 5094; jlevers/selling-partner-api issue 489).
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from simulators.amazon.clock import iso, to_ms
from simulators.amazon.record import OrderRecord, fulfilled, set_quantities, unfulfilled
from simulators.amazon.wire import JsonObject, invalid

CARRIERS = frozenset(
    {
        "4PX", "Amazon Shipping", "AMAZON_SHIPPING", "Aramex", "Asendia", "Australia Post", "bpost",
        "BRT", "Canada Post", "Chronopost", "Colis Prive", "Colissimo", "Correos", "DB Schenker",
        "Deutsche Post", "DHL", "DHL eCommerce", "DHL Express", "DHL Global Mail", "DPD", "Evri",
        "FedEx", "FedEx SmartPost", "GLS", "Hermes", "Hermes Logistik Gruppe", "La Poste", "Lasership",
        "Mondial Relay", "MRW", "Nacex", "OnTrac", "Other", "Parcelforce", "Poste Italiane", "PostNL",
        "PostNord", "Purolator", "Royal Mail", "SDA", "Seur", "SF Express", "Swiss Post", "TNT", "UPS",
        "UPS Mail Innovations", "USPS", "Yodel",
    }
)  # fmt: skip
"""Carrier codes this Amazon knows; the real list differs by marketplace."""

ALREADY_FULFILLED = (
    "Failed to create package due to not finding a matching package or order already fulfilled. "
    "ErrorMessage(errorCode=GeneralError, errorDescription=Unable to find package to update for order (), "
    "errorMetric=PackageToUpdateNotFound, packageIndex=null)"
)


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ConfirmedItem(_Model):
    """Model ConfirmShipmentOrderItem."""

    orderItemId: StrictStr  # noqa: N815
    quantity: StrictInt
    transparencyCodes: list[StrictStr] | None = None  # noqa: N815


class PackageDetail(_Model):
    """Model PackageDetail."""

    packageReferenceId: StrictStr  # noqa: N815
    carrierCode: StrictStr  # noqa: N815
    carrierName: StrictStr | None = None  # noqa: N815
    shippingMethod: StrictStr | None = None  # noqa: N815
    trackingNumber: StrictStr  # noqa: N815
    shipDate: StrictStr  # noqa: N815
    shipFromSupplySourceId: StrictStr | None = None  # noqa: N815
    orderItems: list[ConfirmedItem]  # noqa: N815


class Confirmation(_Model):
    """Model ConfirmShipmentRequest."""

    marketplaceId: StrictStr  # noqa: N815
    packageDetail: PackageDetail  # noqa: N815
    codCollectionMethod: Literal["DirectPayment"] | None = None  # noqa: N815


def read(body: bytes) -> Confirmation:
    """The request body; ApiError 400 naming the fields that are missing or of the wrong type."""
    try:
        return Confirmation.model_validate_json(body)
    except ValidationError as error:
        named = [(".".join(str(part) for part in entry["loc"]), entry["type"]) for entry in error.errors()]
        if any(kind == "json_invalid" for _, kind in named):
            raise invalid("The request body is not valid JSON.") from None
        missing = [name for name, kind in named if kind == "missing"]
        wrong = [name for name, kind in named if kind != "missing"]
        fault, names = ("missing required", missing) if missing else ("invalid type", wrong)
        message = "The input you have submitted is not valid. Please check the fields with"
        raise invalid(f"{message} {fault} [{', '.join(names)}].") from None


def confirm(record: OrderRecord, request: Confirmation, now_ms: int) -> None:
    """Check the confirmation against the order and book it; ApiError 400 if Amazon would refuse it.

    A package reference used before means that package is corrected.
    """
    _check_order(record, request)
    package = request.packageDetail
    ship_ms = _ship_moment(record, package, now_ms)
    earlier = next(
        (p for p in record.packages if p["packageReferenceId"] == package.packageReferenceId), None
    )
    if earlier is None and not any(unfulfilled(item) for item in record.items):
        raise invalid(ALREADY_FULFILLED)
    wanted = _units(record, package, earlier)
    _check_carrier(package)
    _book(record, wanted, earlier)
    entry: JsonObject = {
        "packageReferenceId": package.packageReferenceId,
        "createdTime": earlier["createdTime"] if earlier else iso(now_ms),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.carrierName if package.carrierCode == "Other" else package.carrierCode,
        "shipTime": iso(ship_ms),
        "trackingNumber": package.trackingNumber,
        "packageItems": [{"orderItemId": name, "quantity": units} for name, units in wanted.items()],
    }
    if package.shippingMethod:
        entry["shippingService"] = package.shippingMethod
    if earlier is None:
        record.packages.append(entry)
    else:
        record.packages[record.packages.index(earlier)] = entry
    record.settle_status()
    if not any(unfulfilled(item) for item in record.items):
        record.events = []
    record.touch(now_ms)


def _check_order(record: OrderRecord, request: Confirmation) -> None:
    if request.marketplaceId != record.body["salesChannel"].get("marketplaceId"):
        raise invalid("MarketplaceId is invalid, the order was not placed in this marketplace.")
    if record.by_amazon:
        raise invalid("The order is fulfilled by Amazon; its shipment cannot be confirmed by the seller.")
    if record.status == "CANCELLED":
        raise invalid("The order has been cancelled; its shipment cannot be confirmed.")
    if record.status in ("PENDING", "PENDING_AVAILABILITY"):
        raise invalid("The order is pending; its shipment cannot be confirmed yet.")
    if not re.fullmatch(r"0*[1-9]\d*", request.packageDetail.packageReferenceId):
        raise invalid("PackageReferenceId: is invalid, must be a positive numeric value.")


def _ship_moment(record: OrderRecord, package: PackageDetail, now_ms: int) -> int:
    try:
        ship_ms = to_ms(package.shipDate)
    except ValueError:
        raise invalid("ShipDate is invalid, must be in ISO 8601 date-time format.") from None
    if ship_ms // 1000 < record.created_ms // 1000:  # a client may well send whole seconds
        raise invalid("ShipDate is invalid, must not be before the purchase date of the order.")
    if ship_ms > now_ms:
        raise invalid("ShipDate is invalid, must not be in the future.")
    return ship_ms


def _units(record: OrderRecord, package: PackageDetail, earlier: JsonObject | None) -> dict[str, int]:
    """Units per order item in this package, checked against what may still be shipped."""
    if not package.orderItems:
        raise invalid("OrderItems must not be empty.")
    known = {item["orderItemId"]: item for item in record.items}
    before = {entry["orderItemId"]: entry["quantity"] for entry in (earlier or {}).get("packageItems", [])}
    wanted: dict[str, int] = {}
    for entry in package.orderItems:
        if entry.orderItemId not in known:
            raise invalid(
                f"OrderItemId {entry.orderItemId} is invalid, please obtain the value through the "
                "getOrderItems API or Manage Orders page"
            )
        wanted[entry.orderItemId] = wanted.get(entry.orderItemId, 0) + entry.quantity
        if entry.quantity < 1:
            raise invalid(f"Quantity of OrderItemId {entry.orderItemId} is invalid, must be positive.")
    for name, units in wanted.items():
        free = unfulfilled(known[name]) + before.get(name, 0)
        if units > free:
            raise invalid(
                f"Quantity of OrderItemId {name} is invalid, {units} exceeds the {free} left to ship."
            )
    return wanted


def _check_carrier(package: PackageDetail) -> None:
    if package.carrierCode not in CARRIERS:
        raise invalid("CarrierCode is invalid, please use a supported carrier code or Other.")
    if package.carrierCode == "Other" and not (package.carrierName or "").strip():
        raise invalid("CarrierName is required when CarrierCode is Other.")
    if not package.trackingNumber.strip():
        raise invalid("TrackingNumber is required.")


def _book(record: OrderRecord, wanted: dict[str, int], earlier: JsonObject | None) -> None:
    before = {entry["orderItemId"]: entry["quantity"] for entry in (earlier or {}).get("packageItems", [])}
    for item in record.items:
        change = wanted.get(item["orderItemId"], 0) - before.get(item["orderItemId"], 0)
        set_quantities(item, fulfilled(item) + change, unfulfilled(item) - change)
