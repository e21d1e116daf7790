"""What a caller sends as fulfillment_availability, and Amazon's complaints about it.

Facts: the sandbox answers of the model listingsItems_2021-08-01 (code 90000900); jlevers/selling-partner-api issues
493 (a value without its channel code) and 861 (an attribute that does not exist); the example of the feed processing
report (code 99022). Inferred: the code and words about a quantity that is no whole number from 0 on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.amazon.stock.records import Issue, Wanted

ATTRIBUTE = "fulfillment_availability"
OTHERS = frozenset(
    {
        "purchasable_offer", "item_name", "condition_type", "merchant_suggested_asin", "merchant_shipping_group",
        "list_price", "brand", "externally_assigned_product_identifier",
    }
)  # fmt: skip
"""Attributes that are taken and change nothing here."""
OPERATIONS = frozenset({"add", "replace", "merge", "delete"})


class PatchError(ValueError):
    """The request itself is broken, not the listing it describes."""


def of_patches(patches: object) -> tuple[list[Wanted], list[Issue]]:
    """JSON patches as changes and complaints; PatchError for what is no patch.

    Only whole attributes can be patched (amzn/selling-partner-api-models issue 4554).
    """
    if not isinstance(patches, list) or not patches:
        raise PatchError("Request has missing or invalid parameters and cannot be parsed.")
    wanted: list[Wanted] = []
    issues: list[Issue] = []
    for number, patch in enumerate(patches):
        if not isinstance(patch, dict) or patch.get("op") not in OPERATIONS:
            raise PatchError("Request has missing or invalid parameters and cannot be parsed.")
        if "value" not in patch and patch["op"] != "delete":
            raise PatchError(f"Value is missing for patch at index of {number}.")
        head, _, name = str(patch.get("path", "")).rpartition("/")
        if head != "/attributes" or not name:
            raise PatchError(f"Path is invalid for patch at index of {number}.")
        found, wrong = _of_attribute(name, patch.get("value"), remove=patch["op"] == "delete")
        wanted += found
        issues += wrong
    return wanted, issues


def of_attributes(attributes: object) -> tuple[list[Wanted], list[Issue]]:
    """Attributes as changes and complaints; PatchError for what is no object."""
    if not isinstance(attributes, dict):
        raise PatchError("Request has missing or invalid parameters and cannot be parsed.")
    wanted: list[Wanted] = []
    issues: list[Issue] = []
    for name, value in attributes.items():
        found, wrong = _of_attribute(name, value, remove=False)
        wanted += found
        issues += wrong
    return wanted, issues


def _of_attribute(name: str, value: object, *, remove: bool) -> tuple[list[Wanted], list[Issue]]:
    if name in OTHERS:
        return [], []
    if name != ATTRIBUTE:
        return [], [Issue(code="90000900", message="The attributes are invalid.", attributes=[name])]
    if value is None and remove:
        return [Wanted(remove=True)], []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise PatchError("Request has missing or invalid parameters and cannot be parsed.")
    wanted: list[Wanted] = []
    issues: list[Issue] = []
    for one in value:
        known = _of_value(one, remove=remove)
        if isinstance(known, Issue):
            issues.append(known)
        else:
            wanted.append(known)
    return wanted, issues


def _of_value(value: Mapping[str, Any], *, remove: bool) -> Wanted | Issue:
    channel, quantity = value.get("fulfillment_channel_code"), value.get("quantity")
    if not channel:
        message = f"The field 'fulfillment_channel_code' for the attribute '{ATTRIBUTE}' does not have enough values."
        return Issue(
            code="99022",
            message=f"{message} The required minimum is '1' value(s).",
            categories=["MISSING_ATTRIBUTE"],
        )
    whole = isinstance(quantity, int) and not isinstance(quantity, bool)
    if quantity is not None and (not whole or quantity < 0):
        message = (
            f"The value '{quantity}' for the field 'quantity' of the attribute '{ATTRIBUTE}' is invalid."
        )
        return Issue(code="90244", message=f"{message} The minimum is '0'.")
    market, lead = value.get("marketplace_id"), value.get("lead_time_to_ship_max_days")
    return Wanted(
        channel=str(channel),
        quantity=quantity,
        lead_days=lead if isinstance(lead, int) else None,
        marketplace=str(market) if market else None,
        remove=remove,
    )
