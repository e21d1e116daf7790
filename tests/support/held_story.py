"""How an order comes to be held for each reason, and what repairs it: one story a reason, as it happens in life.

Nothing is set in the workflow: M3 or Amazon is brought into the state that the reason means, the service finds it,
a person repairs the cause where it is and sends the repair.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from canonical.held import HeldReason
from tests.support.holding import Telling, Workshop

Tell = Callable[[Telling, Workshop], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """One reason's story; `outcome` is how the order ends, `slow` that every retry has to be used up first."""

    tell: Tell
    how: str
    repaired: str
    outcome: str = "booked"
    slow: bool = False


STORIES: dict[HeldReason, Story] = {}


def story(
    reason: HeldReason, how: str, repaired: str, outcome: str = "booked", *, slow: bool = False
) -> Callable[[Tell], Tell]:
    """Register the story of a reason."""

    def register(tell: Tell) -> Tell:
        STORIES[reason] = Story(tell, how, repaired, outcome, slow)
        return tell

    return register


async def items_at_amazon(shop: Workshop, order_id: str) -> list[str]:
    """The order's item ids at Amazon."""
    body = await shop.at_amazon(order_id)
    return [item["orderItemId"] for item in body["orderItems"]]  # type: ignore[attr-defined]


async def amazon_ships(shop: Workshop, order_id: str) -> None:
    """Amazon sends everything, and the order is told."""
    await shop.event(order_id, "ship", actor="AMAZON")
    await shop.start(order_id)
