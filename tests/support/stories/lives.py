"""Random lives of orders: legal events at Amazon and in M3, and news of them that comes late, twice or not at all.

A life is plain data, so that hypothesis can make it smaller until the shortest one that goes wrong is left.
What is not legal at its moment (Amazon ships a cancelled line) does not happen.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from canonical.held import HeldReason
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.stories.ending import Left, look, number
from tests.support.stories.fba import SCARCE
from tests.support.stories.invariants import complaints
from tests.support.stories.sweeps import Sweeps
from tests.support.stories.telling import Telling, patiently
from tests.support.world import World

CENSUS: Counter[str] = Counter()
"""How the lives ended, to be seen that they are not all alike."""
SKUS = (ORDINARY, ANOTHER, SCARCE)


@dataclass(frozen=True)
class Event:
    """kind: what happens. line, pieces: to how many of which line; both are taken modulo what there is.
    news: which of Amazon's words is delivered, counted back from the last. calm: the service is told and comes to
    rest before the next thing happens."""

    kind: str
    line: int = 0
    pieces: int = 1
    news: int = 0
    calm: bool = False


@dataclass(frozen=True)
class Life:
    """One order: its lines as (SKU, pieces), who ships it, and what happens."""

    own: bool
    lines: tuple[tuple[str, int], ...]
    pending: bool
    shipping: str
    events: tuple[Event, ...]

    def __str__(self) -> str:
        happened = ", ".join(f"{e.kind}({e.line},{e.pieces},{e.news}){'!' * e.calm}" for e in self.events)
        return (
            f"{'MFN' if self.own else 'FBA'} {self.lines}{' pending' * self.pending}: {happened or 'nothing'}"
        )


_AT_AMAZON = ("ship", "ship", "ship", "release", "cancel_line", "cancel", "request_cancel", "change")
_IN_M3 = ("m3_ship", "m3_ship", "m3_ship", "stock")
_NEWS = ("tell", "tell", "notify", "by_id", "sweep", "wait", "answer")


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """One life of at most eight events."""
    own = draw(st.booleans())
    kinds = st.sampled_from((*_AT_AMAZON[3:], *_IN_M3, *_NEWS) if own else (*_AT_AMAZON, "stock", *_NEWS))
    event = st.builds(
        Event,
        kind=kinds,
        line=st.integers(0, 2),
        pieces=st.integers(1, 3),
        news=st.integers(0, 3),
        calm=st.booleans(),
    )
    line = st.tuples(st.sampled_from(SKUS), st.integers(1, 3))
    return Life(
        own=own,
        lines=tuple(draw(st.lists(line, min_size=1, max_size=3))),
        pending=draw(st.booleans()),
        shipping=draw(st.sampled_from(("0", "4.90"))),
        events=tuple(draw(st.lists(event, max_size=8))),
    )


@dataclass
class Living:
    """A life under way."""

    world: World
    life: Life
    sweeps: Sweeps
    telling: Telling = field(init=False)
    changed: bool = False
    """Whether Amazon raised a quantity."""
    fewer: bool = False
    """Whether Amazon lowered one, which is how it cancels a part."""

    def __post_init__(self) -> None:
        self.telling = Telling(self.world, self.sweeps)

    async def lived(self) -> list[str]:
        """Live it; what is wrong in the end."""
        channel = "MERCHANT" if self.life.own else "AMAZON"
        status = "PENDING" if self.life.pending else "UNSHIPPED"
        body = order(*self.life.lines, channel=channel, status=status, shipping=self.life.shipping)
        await self.telling.placed(body)
        for event in self.life.events:
            await _HAPPENS[event.kind](self, event)
            if event.calm:
                await self.wait(event)
        await self._ends()
        left = await look(self.telling)
        CENSUS[f"{'MFN' if self.life.own else 'FBA'} {left.ends().workflow}"] += 1
        CENSUS["things that happened"] += len(self.telling.happened)
        CENSUS["deliveries"] += len(left.sent)
        wrong = [*complaints(left), *untrue(left, changed=self.changed, fewer=self.fewer)]
        if wrong:
            wrong.append(f"course: {[f'{each.where}: {each.what}' for each in self.telling.happened]}")
        return wrong

    async def _ends(self) -> None:
        """Whoever still can ship does, and the last word of everybody is heard."""
        if await self._status() in ("PENDING", "PENDING_AVAILABILITY"):
            await self.telling.amazon("release", told=False)
        await self._stock_came()
        await self.telling.told()
        if self.life.own:
            await self._booked()
            await self.m3_ship(Event("m3_ship", pieces=0))
        elif await self._status() in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
            await self.telling.amazon_ships(told=False)
        await self.telling.told()

        async def quiet() -> tuple[bool, str]:
            described = await self.telling.handle.describe()
            if described.close_time is not None:
                return True, "closed"
            if self.life.own:
                await self.sweeps.one()
            view = await self.telling.view()
            if view.held_reason == HeldReason.CANCELLATION_REQUESTED:
                await self.telling.repaired("refuse_cancellation")
                return False, view.held_reason
            return bool(view.held_reason), view.step

        await patiently(quiet, lambda seen: seen[0])

    async def _status(self) -> str:
        body = await self.world.at_amazon(self.telling.order_id)
        return str(body["fulfillment"]["fulfillmentStatus"])  # type: ignore[index]

    async def _booked(self) -> None:
        """Until M3 has the order, or it is clear that it never will."""

        async def settled() -> bool:
            described = await self.telling.handle.describe()
            if described.close_time is not None:
                return True
            view = await self.telling.view()
            return bool(view.held_reason) or view.step == "awaiting_shipment"

        await patiently(settled, bool)

    # --- events ---------------------------------------------------------------------------------

    async def at_amazon(self, kind: str, lines: dict[int, int] | None = None, **more: Any) -> None:
        """It happens if Amazon lets it."""
        try:
            await self.telling.amazon(kind, lines, told=False, **more)
        except AssertionError as refused:
            if "cannot" not in str(refused) and not _refused(str(refused)):
                raise

    async def ship(self, event: Event) -> None:
        line = event.line % len(self.life.lines)
        if self.life.lines[line][0] == SCARCE:
            await self._stock_came()
        await self.at_amazon("ship", {line + 1: event.pieces}, actor="AMAZON")

    async def release(self, _: Event) -> None:
        await self.at_amazon("release")

    async def cancel(self, _: Event) -> None:
        await self.at_amazon("cancel")

    async def cancel_line(self, event: Event) -> None:
        await self.at_amazon("cancel", {event.line % len(self.life.lines) + 1: 1})

    async def request_cancel(self, _: Event) -> None:
        await self.at_amazon("request_cancel")

    async def change(self, event: Event) -> None:
        line = event.line % len(self.life.lines)
        await self.at_amazon("change_quantity", {line + 1: event.pieces})
        now = (await self.world.at_amazon(self.telling.order_id))["orderItems"]
        counts = [int(item["quantityOrdered"]) for item in now]  # type: ignore[attr-defined]
        self.changed = self.changed or any(
            count > before for count, (_, before) in zip(counts, self.life.lines, strict=True)
        )
        self.fewer = self.fewer or any(
            count < before for count, (_, before) in zip(counts, self.life.lines, strict=True)
        )

    async def answer(self, event: Event) -> None:
        """An operator answers the buyer."""
        if (await self.telling.view()).held_reason == HeldReason.CANCELLATION_REQUESTED:
            await self.telling.repaired("accept_cancellation" if event.news % 2 else "refuse_cancellation")

    async def m3_ship(self, event: Event) -> None:
        """The own warehouse sends some of a line (pieces 0: all it has), if M3 has the order."""
        found = (await self.world.in_m3(self.telling.order_id))["orders"]
        live: list[Any] = [each for each in found if each["stat"] != "90"]
        if not live:
            return
        lines = live[0]["lines"]
        chosen = lines if not event.pieces else [lines[event.line % len(lines)]]
        count = {str(each["ponr"]): str(event.pieces or number(each["orqt"])) for each in chosen}
        body = {"cuor": self.telling.order_id, "fwno": "DHL", "packages": 1 + event.news % 2, "lines": count}
        await self.telling.m3("ship", f"the warehouse sends {count}", **body)

    async def _stock_came(self) -> None:
        await self.telling.healed("shipment_not_reportable", "stock arrives")

    async def stock(self, _: Event) -> None:
        await self._stock_came()

    async def tell(self, event: Event) -> None:
        await self.telling.told(-1 - event.news % len(self.telling.snapshots), noted=True)

    async def notify(self, event: Event) -> None:
        await self.telling.notified(-1 - event.news % len(self.telling.snapshots))

    async def by_id(self, _: Event) -> None:
        await self.telling.told_by_id()

    async def sweep(self, _: Event) -> None:
        await self.sweeps.one()

    async def wait(self, _: Event) -> None:
        """The service comes to rest."""
        await self.telling.told()
        if self.life.own:
            await self.sweeps.one()
        if await self._status() not in ("PENDING", "PENDING_AVAILABILITY"):
            await self._booked()


_HAPPENS: dict[str, Callable[[Living, Event], Awaitable[None]]] = {
    name: getattr(Living, name)
    for name in (
        "ship", "release", "cancel", "cancel_line", "request_cancel", "change", "answer", "m3_ship", "stock",
        "tell", "notify", "by_id", "sweep", "wait",
    )
}  # fmt: skip


def _refused(answer: str) -> bool:
    """Whether Amazon's simulator said that the event makes no sense now."""
    words = ("not pending", "already", "can no longer", "is left to ship", "cannot have", "is cancelled")
    return any(word in answer for word in words)


def untrue(left: Left, *, changed: bool, fewer: bool) -> list[str]:
    """Whether what the order is held for is so, by what both systems say and not by what the service thinks."""
    reason = left.view.held_reason if left.result is None else left.late.removeprefix("held ")
    items = left.amazon["orderItems"]
    cancelled = left.amazon["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    line_gone = fewer or any(item.get("cancellation", {}).get("cancellationExecution") for item in items)
    asked = any(item.get("cancellation", {}).get("cancellationRequest") for item in items)
    lines = [line for each in left.live for line in each["lines"]]
    begun = any(
        number(line["on_list"]) or number(line["delivered"]) or number(line["invoiced"]) for line in lines
    )
    true = {
        "": not (cancelled and left.result is not None and left.result.outcome == "booked"),
        "settled": True,
        HeldReason.ORDER_CHANGED: line_gone or changed,
        HeldReason.CANCELLED_TOO_LATE: (cancelled or line_gone) and begun,
        HeldReason.CANCELLED_AFTER_CLOSE: cancelled or line_gone,
        HeldReason.SHIPMENT_REFUSED: line_gone and begun,
        HeldReason.CANCELLATION_REQUESTED: asked,
    }
    if not true.get(reason, False):
        return [
            f"held for {reason or 'nothing'}, which is not so: Amazon {left.ends().amazon}, M3 {left.ends().m3}"
        ]
    return []
