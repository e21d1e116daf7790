"""Whether the demonstration went as it should: what was planted is held, and nothing else is."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from canonical.held import HeldReason
from starters.held_orders import HeldOrder
from starters.simulation import AmazonOrder

_MAY_COME_TOO_LATE: Final = frozenset(
    {HeldReason.ORDER_CHANGED, HeldReason.CANCELLED_TOO_LATE, HeldReason.CANCELLATION_REQUESTED}
)
"""Troubles of timing: a change before M3 booked the order, or after it was closed, needs nobody; goods that leave
answer the buyer who wanted to cancel them."""

_FOUND_EARLIER: Final = {HeldReason.ADDRESS_REFUSED: HeldReason.ADDRESS_DOES_NOT_FIT}
"""Troubles that the mapping rules find before M3 can: a state that M3 would refuse has no code."""


class Verdict(NamedTuple):
    """Planted troubles beside held orders."""

    expected: int
    """Held for the reason that was planted."""
    cancelled: tuple[str, ...]
    """Planted, but cancelled at Amazon meanwhile."""
    in_time: tuple[str, ...]
    """Planted troubles of timing that met no order they could trouble."""
    unplanned: tuple[str, ...]
    """Sentences: held without cause, or for another reason."""
    missed: tuple[str, ...]
    """Sentences: planted and yet not held."""

    @property
    def as_planned(self) -> bool:
        return not self.unplanned and not self.missed


def judge(orders: Sequence[AmazonOrder], held: Sequence[HeldOrder]) -> Verdict:
    """Compare what was planted at Amazon with what is held."""
    planted: Mapping[str, str] = {order.order_id: order.planted for order in orders if order.planted}
    reasons = {order.order_id: order.reason for order in held}
    cancelled_at_amazon = {order.order_id for order in orders if order.status == "CANCELLED"}
    unplanned = tuple(
        f"Order {order_id} is held for {reason}, {_instead(planted.get(order_id))}."
        for order_id, reason in reasons.items()
        if not _is_meant(planted.get(order_id), reason)
    )
    not_held = [(order_id, reason) for order_id, reason in planted.items() if order_id not in reasons]
    cancelled = tuple(order_id for order_id, _ in not_held if order_id in cancelled_at_amazon)
    in_time = tuple(
        order_id
        for order_id, reason in not_held
        if reason in _MAY_COME_TOO_LATE and order_id not in cancelled_at_amazon
    )
    missed = tuple(
        f"Order {order_id} should be held for {reason} and is not."
        for order_id, reason in not_held
        if order_id not in cancelled and order_id not in in_time
    )
    expected = sum(_is_meant(planted.get(order_id), reason) for order_id, reason in reasons.items())
    return Verdict(expected, cancelled, in_time, unplanned, missed)


def _is_meant(planted: str | None, reason: str) -> bool:
    return planted is not None and reason in (planted, _FOUND_EARLIER.get(HeldReason(planted)))


def _instead(planted: str | None) -> str:
    return f"although {planted} was planted" if planted else "although no trouble was planted on it"
