"""Telling a story: whatever is done is written down beside it, so that the table cannot say anything else.

Lines are counted from 1 as a reader counts them; pieces of a line are given as {line: pieces}.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from canonical.amazon_orders import read_order
from canonical.ids import after_close_workflow_id
from canonical.notification_contracts import OrderNotice
from canonical.order import OrderStatus
from canonical.order_contracts import OrderToCashInput, OrderView
from tests.support.holding import OrderHandle
from tests.support.orders import order
from tests.support.stories.sweeps import Sweeps
from tests.support.stories.words import AMAZON, EVENTS, HERE, M3, Happening, in_words, pieces
from tests.support.world import World
from worker.intake import start_or_signal
from worker.notified import notify_order

EU, NA = "A2EUSELLER0001", "A2NASELLER0001"
Json = Mapping[str, Any]
T = TypeVar("T")
PATIENCE_SECONDS = 40.0
_LOOK_SECONDS = 3.0
"""An order that is held for the same reason at two such looks is not about to close."""


async def patiently(look: Callable[[], Awaitable[T]], true: Callable[[T], bool]) -> T:
    """Look again until it is so, ever less often: many stories are told at once, and looking is work for the
    service as well. Fails with what was seen last."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    pause = 0.05
    while True:
        seen = await look()
        if true(seen):
            return seen
        assert asyncio.get_running_loop().time() < deadline, f"did not happen; last seen: {seen}"
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)


@dataclass
class Telling:
    """One Amazon order and everything that is done to it."""

    world: World
    sweeps: Sweeps
    seller: str = EU
    order_id: str = ""
    happened: list[Happening] = field(default_factory=list)
    snapshots: list[Json] = field(default_factory=list)
    """What Amazon said of the order after each thing that happened to it."""

    def note(self, where: str, what: str) -> None:
        self.happened.append(Happening(where, what))

    @property
    def handle(self) -> OrderHandle:
        return self.world.handle(self.order_id, self.seller)

    @property
    def late(self) -> OrderHandle:
        """The workflow of what Amazon said after the order was closed."""
        return self.world.client.get_workflow_handle(after_close_workflow_id(self.seller, self.order_id))

    # --- Amazon ---------------------------------------------------------------------------------

    async def ordered(self, *lines: tuple[str, int] | str, told: bool = True, **how: Any) -> None:
        """A buyer orders this; `how` as `tests.support.orders.order` has it."""
        await self.placed(order(*lines, **how), told=told)

    async def placed(self, body: dict[str, object], *, told: bool = True) -> None:
        """Exactly this order is there."""
        self.order_id = await self.world.place(body, seller=self.seller)
        self.note(AMAZON, in_words(body))
        self.snapshots.append(await self.world.at_amazon(self.order_id))
        if told:
            await self.told()

    async def amazon(
        self, kind: str, lines: Mapping[int, int] | None = None, *, actor: str = "BUYER", told: bool = True
    ) -> None:
        """Something happens to the order at Amazon; `told`: and it is told at once, as by a sweep."""
        ids = await self.items()
        facts = {"items": {ids[line - 1]: count for line, count in lines.items()}} if lines else {}
        await self.world.event(self.order_id, kind, actor=actor, **facts)
        self.note(AMAZON, f"{EVENTS[kind]} {pieces(lines)}" if kind != "release" else EVENTS[kind])
        self.snapshots.append(await self.world.at_amazon(self.order_id))
        if told:
            await self.told()

    async def amazon_ships(self, lines: Mapping[int, int] | None = None, *, told: bool = True) -> None:
        await self.amazon("ship", lines, actor="AMAZON", told=told)

    async def items(self) -> list[str]:
        """Order item ids by position."""
        body = await self.world.at_amazon(self.order_id)
        return [item["orderItemId"] for item in body["orderItems"]]  # type: ignore[attr-defined]

    # --- the service hears of it ----------------------------------------------------------------

    async def told(self, snapshot: int = -1, *, noted: bool = False) -> None:
        """Hand in what Amazon said of the order (last, or at an earlier moment), as sweeps and imports do."""
        news = read_order(self.snapshots[snapshot], self.seller)
        start = OrderToCashInput(seller_id=self.seller, order_id=self.order_id, order=news)
        await start_or_signal(self.world.client, start)
        if noted:
            when = snapshot + 1 if snapshot >= 0 else len(self.snapshots) + snapshot + 1
            self.note(
                HERE, f"news {when} is told" if when == len(self.snapshots) else f"old news {when} is told"
            )

    async def told_by_id(self) -> None:
        """Somebody hands in nothing but the order's number."""
        start = OrderToCashInput(seller_id=self.seller, order_id=self.order_id)
        await start_or_signal(self.world.client, start)
        self.note(HERE, "the order's number is handed in")

    async def notified(self, snapshot: int = -1, *, noted: bool = True) -> None:
        """Amazon's notification of the order as it was then, taken as the listener takes it."""
        await notify_order(
            self.world.client, self.seller, self.order_id, [notice_of(self.snapshots[snapshot], self.seller)]
        )
        if noted:
            self.note(HERE, "a notification comes")

    # --- M3 -------------------------------------------------------------------------------------

    async def m3(self, action: str, what: str, **body: object) -> None:
        """Something is done in M3 behind the service's back."""
        answer = await self.world.m3.post(f"/_control/{action}", json=body)
        assert answer.is_success, answer.text
        self.note(M3, what)

    async def m3_ships(
        self,
        lines: Mapping[int, int] | None = None,
        *,
        packages: int = 1,
        told: bool = True,
        fwno: str = "DHL",
    ) -> None:
        """The own warehouse sends these pieces in one delivery; `told`: until the service knows it."""
        body: dict[str, object] = {"cuor": self.order_id, "fwno": fwno, "packages": packages}
        if lines is not None:
            body["lines"] = {str(line): str(count) for line, count in lines.items()}
        boxes = f" in {packages} packages" if packages > 1 else ""
        await self.m3("ship", f"the warehouse sends {pieces(lines)}{boxes}", **body)
        if told:
            seen = len((await self.view()).deliveries)
            await self.swept_until(lambda view: len(view.deliveries) > seen or bool(view.held_reason))

    async def healed(self, kind: str, what: str) -> None:
        await self.m3("heal", what, kind=kind, cuor=self.order_id)

    async def fault(
        self, at: httpx.AsyncClient, operation: str, action: str, what: str, when: str = "after", **match: str
    ) -> None:
        """One call of this order goes wrong."""
        match = match or {"CUOR": self.order_id}
        body = {"operation": operation, "match": match, "when": when, "action": action}
        answer = await at.post("/_control/faults", json=body)
        assert answer.status_code == 201, answer.text
        self.note(M3 if at is self.world.m3 else AMAZON, what)

    async def fault_waits(self, at: httpx.AsyncClient) -> str:
        """Until a call of this order hangs; the fault's id."""

        async def look() -> list[Json]:
            faults: list[Json] = (await at.get("/_control/faults")).json()["faults"]
            return [one for one in faults if one["match"] == {"CUOR": self.order_id} and one["waiting"]]

        [fault] = await patiently(look, bool)
        return str(fault["id"])

    async def let_go(self, at: httpx.AsyncClient, fault: str, what: str) -> None:
        """The call that hangs is answered."""
        answer = await at.post("/_control/release", json={"id": fault})
        assert answer.is_success, answer.text
        self.note(M3, what)

    # --- waiting --------------------------------------------------------------------------------

    async def view(self) -> OrderView:
        return await self.world.view(self.handle)

    async def until(self, true: Callable[[OrderView], bool]) -> None:
        await patiently(self.view, true)

    async def waits(self, shipments: int = 0) -> None:
        """The order waits for (more) goods to leave."""
        await self.until(
            lambda view: (
                bool(view.held_reason)
                or (view.step == "awaiting_shipment" and len(view.vouchers) >= shipments)
            ),
        )

    async def waits_for_release(self) -> None:
        await self.until(lambda view: view.step == "awaiting_release")

    async def swept_until(self, true: Callable[[OrderView], bool]) -> None:
        """Passes over M3's deliveries until it is so."""

        async def look() -> OrderView:
            await self.sweeps.one()
            return await self.view()

        await patiently(look, true)

    async def held(self, reason: str) -> None:
        await self.until(lambda view: view.held_reason == reason)
        self.note(HERE, f"held: {reason}")

    async def repaired(self, name: str, **argument: object) -> None:
        """A person sends a repair."""
        await self.handle.execute_update(name, {**argument, "by": "operations"})
        told = " ".join(f"{key}={value}" for key, value in argument.items())
        self.note(HERE, f"a person sends `{' '.join([name, told]).strip()}`")

    async def heard_after_close(self, reason: str) -> None:
        """What Amazon said after the order was closed is held for a person."""

        async def look() -> str:
            view: OrderView = await self.late.query("state", result_type=OrderView)
            return view.held_reason

        await patiently(look, lambda seen: seen == reason)

    async def closed(self) -> None:
        """The order closes; one that stays held instead breaks the story off."""
        ended = asyncio.create_task(self.world.result(self.handle))
        held = ""
        while not (await asyncio.wait({ended}, timeout=_LOOK_SECONDS))[0]:
            before, held = held, (await self.view()).held_reason
            if held and held == before:
                ended.cancel()
                raise AssertionError(f"order {self.order_id} is held for {held} instead of closing")
        result = await ended
        if result.invoices:
            self.note(
                M3,
                f"has invoiced {len(result.invoices)} of {len(result.deliveries)} deliveries and posted it",
            )


def notice_of(snapshot: Json, seller: str) -> OrderNotice:
    """An ORDER_CHANGE notification of the order as it was then, as the listener reads it."""
    news = read_order(snapshot, seller)
    status = OrderStatus(news.status)
    return OrderNotice(
        id=f"{news.order_id}-{news.last_updated:%H%M%S%f}-{status}",
        at=news.last_updated,
        status=status,
        ordered={line.order_item_id: line.quantity for line in news.lines},
        shipped={line.order_item_id: line.quantity_fulfilled for line in news.lines},
    )
