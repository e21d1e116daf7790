"""A story of the table: its name, who tells it, and how it has to end."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from simulators import assortment
from tests.support.orders import order
from tests.support.stories.ending import Ends, Left, look, number
from tests.support.stories.invariants import complaints
from tests.support.stories.sweeps import Sweeps
from tests.support.stories.telling import Telling
from tests.support.stories.words import Happening
from tests.support.world import World

_LONGEST_SECONDS = 80.0
"""A story that takes longer does not end."""
Tell = Callable[["Tale"], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """One row. `peers`: which peer is known to fail here (docs/decisions are silent; field practice knows)."""

    name: str
    tell: Tell
    ends: tuple[Ends, ...]
    peers: str = ""


STORIES: dict[str, Story] = {}


def story(name: str, *ends: Ends, peers: str = "") -> Callable[[Tell], Tell]:
    """Register a story; one end for each of its orders."""

    def register(tell: Tell) -> Tell:
        assert name not in STORIES, name
        STORIES[name] = Story(name, tell, ends, peers)
        return tell

    return register


@dataclass
class Tale:
    """A story being told: one order, or several beside each other."""

    world: World
    sweeps: Sweeps
    orders: list[Telling] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)

    def order(self, seller: str = "A2EUSELLER0001") -> Telling:
        """An order of this story; all its orders share one course of events."""
        told = Telling(self.world, self.sweeps, seller, happened=self.happened)
        self.orders.append(told)
        return told

    @asynccontextmanager
    async def scarce(self, sku: str, whlo: str, left: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """M3 has only so many of an item; yields what brings the rest back. Nobody else orders this item."""
        item = assortment.ITEM_BY_SKU[sku]
        gone = True

        async def stock(quantity: int) -> int:
            """What is free after so many more; other tests have sold some."""
            body = {"whlo": whlo, "itno": item.itno, "quantity": str(quantity)}
            answer = await self.world.m3.post("/_control/stock", json=body)
            assert answer.is_success, answer.text
            counts: dict[str, str] = answer.json()
            return number(counts["onhand"]) - number(counts["allocated"])

        away = await stock(0) - left

        async def back() -> None:
            nonlocal gone
            if gone:
                gone = False
                await stock(away)

        assert await stock(-away) == left
        self.happened.append(Happening("M3", f"has {left} {sku} in warehouse {whlo}"))
        try:
            yield back
        finally:
            await back()


@dataclass(frozen=True)
class Told:
    """What a story came to."""

    story: Story
    happened: tuple[Happening, ...]
    left: tuple[Left, ...]
    failure: str = ""
    """Where the story could not be told to its end."""
    seconds: float = 0.0

    @property
    def differences(self) -> list[str]:
        """Everything that is not as the story says, or must never be."""
        found = [self.failure] if self.failure else []
        for left, ends in zip(self.left, self.story.ends, strict=False):
            seen = left.ends()
            for side in ("workflow", "amazon", "m3"):
                wanted, there = getattr(ends, side), getattr(seen, side)
                if wanted != there:
                    found.append(f"{left.order_id} {side}: {there!r} instead of {wanted!r}")
            found += [f"{left.order_id}: {wrong}" for wrong in complaints(left)]
        return found


async def _left(tale: Tale) -> tuple[Left, ...]:
    return tuple([await look(told) for told in tale.orders if told.order_id])


async def tell(story: Story, world: World, sweeps: Sweeps) -> Told:
    """Tell it to its end, or as far as it goes, and look at what is left."""
    tale = Tale(world, sweeps)
    failure, began = "", time.monotonic()
    try:
        await asyncio.wait_for(story.tell(tale), _LONGEST_SECONDS)
    except Exception as error:  # a story that breaks off is a row of the table, and fails its test
        failure = f"broke off: {type(error).__name__}: {str(error)[:400]}"
    left = await asyncio.wait_for(_left(tale), _LONGEST_SECONDS)
    assert failure or len(left) == len(story.ends), (
        f"{story.name}: {len(left)} orders, {len(story.ends)} ends"
    )
    return Told(story, tuple(tale.happened), left, failure, time.monotonic() - began)


def free_of_charge(*lines: tuple[str, int], replaces: str, **how: object) -> dict[str, object]:
    """A replacement: the goods again, at no price."""
    body = order(*lines, **how)  # type: ignore[arg-type]
    body["associatedOrders"] = [{"orderId": replaces, "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    for item in body["orderItems"]:  # type: ignore[attr-defined]
        item["product"]["price"]["unitPrice"]["amount"] = "0.00"
        item["proceeds"]["proceedsTotal"]["amount"] = "0.00"
        for part in item["proceeds"]["breakdowns"]:
            part["subtotal"]["amount"] = "0.00"
    body["proceeds"]["grandTotal"]["amount"] = "0.00"  # type: ignore[index]
    return body
