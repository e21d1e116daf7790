"""What kind of life an order will have: who ships it, what goes wrong, which trouble is planted in it.

Delays are seconds at pace 1.0, chosen so that a life takes a minute or two instead of days.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from simulators import assortment
from simulators.amazon.record import EventType

Kind = Literal[
    "plain", "partial", "multi_channel", "replacement", "cancelled_pending", "cancelled", "cancelled_late",
    "cancel_requested", "quantity_changed",
]  # fmt: skip

FBA_SHARE = 0.6
PENDING_SHARE = 0.35
KIND_SHARES: dict[Kind, float] = {
    "partial": 0.12,  # of the FBA orders, as are multi_channel and cancelled_late
    "multi_channel": 0.04,
    "cancelled_late": 0.004,
    "cancel_requested": 0.04,  # of the MFN orders
    "replacement": 0.03,  # of all, as are the rest
    "cancelled_pending": 0.03,
    "cancelled": 0.03,
    "quantity_changed": 0.005,
}
FBA_ONLY = frozenset({"partial", "multi_channel", "cancelled_late"})
MFN_ONLY = frozenset({"cancel_requested"})

ADDRESS_TROUBLE = ("address_does_not_fit", "address_refused", "order_incomplete")
"""Trouble that lies in the order itself; only orders the seller ships carry an address."""
FBA_TROUBLE = frozenset({"shipment_not_reportable"})
MFN_TROUBLE = frozenset({"carrier_unknown", *ADDRESS_TROUBLE})
LATE_TROUBLE: dict[Kind, str] = {
    "cancelled_late": "cancelled_too_late",
    "cancel_requested": "cancellation_requested",
    "quantity_changed": "order_changed",
}
"""Lives that themselves are trouble, and its name."""


@dataclass(frozen=True)
class Step:
    """One coming event. first_part: about half of the units only."""

    after_s: float
    type: EventType
    actor: str = "BUYER"
    first_part: bool = False


@dataclass(frozen=True)
class Story:
    """The life of one order."""

    kind: Kind
    by_amazon: bool
    pending: bool
    planted: str | None
    sku: str | None
    """The troublesome item to order, if the trouble lies in an item."""
    steps: tuple[Step, ...]


def story_of(random: Random, region: str, trouble_share: float) -> Story:
    """Draw a life. With trouble planted it is otherwise plain, so that nothing hides the trouble."""
    troubled = random.random() < trouble_share
    planted = _trouble(random, region) if troubled else None
    by_amazon = random.random() < FBA_SHARE
    if planted in MFN_TROUBLE | FBA_TROUBLE:
        by_amazon = planted in FBA_TROUBLE
    kind: Kind = "plain" if troubled else _kind(random, by_amazon=by_amazon)
    pending = kind == "cancelled_pending" or (not troubled and random.random() < PENDING_SHARE)
    sku = next((sku for sku, reason in assortment.TROUBLE.items() if reason == planted), None)
    steps = _steps(random, kind, by_amazon=by_amazon, pending=pending)
    return Story(kind, by_amazon, pending, planted or LATE_TROUBLE.get(kind), sku, steps)


def _trouble(random: Random, region: str) -> str:
    reasons = [*assortment.TROUBLE.values(), *ADDRESS_TROUBLE]
    if region != "na":
        reasons.remove("address_refused")  # European buyers' states are not sent to M3 as codes
    return random.choice(reasons)


def _kind(random: Random, *, by_amazon: bool) -> Kind:
    share = random.random()
    for kind, chance in KIND_SHARES.items():
        if kind in (MFN_ONLY if by_amazon else FBA_ONLY):
            continue
        share -= chance
        if share < 0:
            return kind
    return "plain"


def _steps(random: Random, kind: Kind, *, by_amazon: bool, pending: bool) -> tuple[Step, ...]:
    steps: list[Step] = []
    at = 0.0
    if kind == "cancelled_pending":
        return (Step(random.uniform(5, 20), "cancel", random.choice(("BUYER", "AMAZON"))),)
    if pending:
        at += random.uniform(5, 20)
        steps.append(Step(at, "release"))
    if kind == "quantity_changed":
        steps.append(Step(at + random.uniform(2, 5), "change_quantity"))
    if kind == "cancelled":
        steps.append(Step(at + random.uniform(3, 8), "cancel", random.choice(("BUYER", "MERCHANT"))))
    if kind == "cancel_requested":
        steps.append(Step(at + random.uniform(3, 15), "request_cancel"))
    if by_amazon and kind != "cancelled":
        at += random.uniform(10, 40)
        steps.append(Step(at, "ship", "AMAZON", first_part=kind == "partial"))
        if kind == "partial":
            at += random.uniform(10, 30)
            steps.append(Step(at, "ship", "AMAZON"))
        if kind == "cancelled_late":
            steps.append(Step(at + random.uniform(10, 20), "cancel", "AMAZON"))
    return tuple(steps)
