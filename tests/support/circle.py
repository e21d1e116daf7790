"""The whole circle on servers of its own: orders, shipments, invoices, refunds, settlements, postings."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from canonical.ids import returns_schedule_id
from canonical.return_contracts import RETURN_CASE, ReturnsFeedResult
from canonical.settlement_ids import settlement_feed_id
from canonical.settlement_reports import FeedResult
from tests.support.circle_orders import EU, MARKETS, NA, Placed, Wish
from tests.support.holding import Workshop, workshop
from tests.support.world import eventually
from worker import schedules

_AT_ONCE = 16
_PATIENCE = 600.0
_FORTNIGHT = 14 * 24 * 3600
_ORDERS = 'WorkflowType="OrderToCash"'
_CASES = f'WorkflowType="{RETURN_CASE}"'
_SETTLEMENTS = 'WorkflowType="Settlement"'
_OWN = '\n[[settlement.overrides]]\nmarketplace = "{id}"\naccounts = {{ {accounts} }}\n'
_APART = {"clearing": "1815", "reserve": "1816", "amazon_balance": "1817", "carried_forward": "1817"}
"""Accounts that every marketplace has for itself, by dimension 2."""


def own_accounts(text: str) -> str:
    """The configuration with a clearing account and its like for every marketplace."""
    parts = []
    for country, market in MARKETS.items():
        accounts = ", ".join(
            f'{name} = {{ account = "{number}", ait2 = "{country}" }}' for name, number in _APART.items()
        )
        parts.append(_OWN.format(id=market.marketplace_id, accounts=accounts))
    return text.replace("\n[settlement.posting]", "".join(parts) + "\n[settlement.posting]")


@dataclass
class Clock:
    """How long each part took."""

    laps: list[tuple[str, float]] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, what: str) -> None:
        now = time.monotonic()
        self.laps.append((what, now - self._last))
        print(f"{now - self._last:6.1f} s  {what}", flush=True)
        self._last = now


@dataclass
class Circle:
    """Orders on their way round. Its schedules run only when they are told to."""

    shop: Workshop
    clock: Clock = field(default_factory=Clock)
    placed: list[Placed] = field(default_factory=list)
    _refunded: int = 0

    # --- orders ---------------------------------------------------------------------------------

    async def order(self, wishes: Iterable[Wish]) -> list[Placed]:
        """They are ordered, carried into M3, cancelled in part, shipped, invoiced and posted."""
        shop = self.shop
        await shop.in_m3_control("staff", at_work=False)
        mine = await _at_once(self._place, wishes)
        self.placed += mine
        await shop.sweep(EU, NA)
        await self._until_waiting(len(mine))
        await _at_once(self._cancel, (one for one in mine if one.wish.fate == "cancelled"))
        await shop.sweep(EU, NA)
        await _at_once(self._defer, (one for one in mine if one.wish.fate == "deferred"))
        await shop.in_m3_control("staff", at_work=True)
        for part in (1, 2):
            await _at_once(partial(self._send, part), mine)
            await shop.sweep(EU, NA)
        await self._until_closed(_ORDERS, len(self.placed), sweep=True)
        self.clock.lap(f"{len(mine)} orders placed, shipped and invoiced")
        return mine

    async def _place(self, wish: Wish) -> Placed:
        body = wish.body()
        order_id = await self.shop.place(body, seller=wish.seller)
        return Placed(wish, order_id, tuple(body["orderItems"]))

    async def _cancel(self, one: Placed) -> None:
        """The warehouse hands its picking list back; what is on one would be held for a person."""
        await self.shop.in_m3_control("stop", cuor=one.order_id)
        await self.shop.event(one.order_id, "cancel")

    async def _defer(self, one: Placed) -> None:
        await self._after(one, "defer", reason="B2B")

    async def _send(self, part: int, one: Placed) -> None:
        """Amazon sends its part; the own warehouse sends by itself."""
        parted = one.wish.fate == "parted"
        if one.wish.by_amazon and one.wish.fate != "cancelled" and (part == 1 or parted):
            first = {str(item["orderItemId"]): 1 for item in one.items[:1]} if parted and part == 1 else {}
            await self.shop.event(one.order_id, "ship", items=first)

    async def _after(self, one: Placed, kind: str, **facts: object) -> None:
        answer = await self.shop.amazon.post(
            f"/_control/orders/{one.order_id}/aftersale", json={"type": kind, **facts}
        )
        assert answer.status_code == 201, answer.text

    # --- refunds --------------------------------------------------------------------------------

    async def give_back(self, some: Iterable[Placed]) -> int:
        """Refunded, come back, taken back by M3 and credited; how many order items."""
        mine = [one for one in some if one.wish.given_back]
        await _at_once(self._refund, mine)
        await self.look_at_returns()
        own = [one for one in mine if not one.wish.by_amazon]
        await _at_once(self._receive, own)
        items = sum(len(list(one.refunds)) for one in mine)
        self._refunded += items
        await self.look_at_returns()
        await self._until_closed(_CASES, self._refunded)
        self.clock.lap(f"{items} order items refunded, come back and credited")
        return items

    async def _refund(self, one: Placed) -> None:
        for item, _, _, pieces, share in one.refunds:
            await self._after(one, "refund", item=item, units=pieces, share=str(share))
            await self._after(one, "return" if one.wish.by_amazon else "announce", item=item, units=pieces)

    async def _receive(self, one: Placed) -> None:
        """The own warehouse gets the goods for which M3 has a customer return by now."""
        wanted = list(one.refunds)
        await eventually(
            lambda: self.shop.in_m3(one.order_id), lambda found: len(found["returns"]) == len(wanted)
        )
        for _, _, place, pieces, _ in wanted:
            await self.shop.in_m3_control("receive", cuor=one.order_id, ponr=place, quantity=str(pieces))

    async def look_at_returns(self) -> None:
        """The daily look of both sellers."""
        for seller in (EU, NA):
            await self._run(returns_schedule_id(seller), ReturnsFeedResult)

    # --- settlements ----------------------------------------------------------------------------

    async def mature(self) -> None:
        """Amazon holds nothing back any more."""
        for one in self.placed:
            if one.wish.fate == "deferred":
                await self._after(one, "mature")

    async def charge(self, country: str, kind: str, amount: str) -> None:
        """Something that belongs to no order."""
        body = {"marketplace": MARKETS[country].marketplace_id, "kind": kind, "amount": amount}
        answer = await self.shop.amazon.post("/_control/settlements/charges", json=body)
        assert answer.status_code == 201, answer.text

    async def pay_out(self, **terms: object) -> list[dict[str, Any]]:
        """Amazon closes settlements now; none is asked for."""
        answer = await self.shop.amazon.post("/_control/settlements", json=terms)
        assert answer.status_code == 201, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def a_fortnight_later(self) -> None:
        """The day comes on which Amazon settles by itself."""
        answer = await self.shop.amazon.post("/_control/advance", json={"seconds": _FORTNIGHT})
        assert answer.is_success, answer.text

    async def settlements(self) -> list[dict[str, Any]]:
        """The truth about every settlement, as Amazon has it."""
        listed = (await self.shop.amazon.get("/_control/settlements")).json()
        return [
            (await self.shop.amazon.get(f"/_control/settlements/{one['settlementId']}")).json()
            for one in listed
        ]

    async def feed(self) -> list[FeedResult]:
        """The product's own daily look for settlement reports; every settlement that it starts comes to its end."""
        found = [await self._run(settlement_feed_id(seller), FeedResult) for seller in (EU, NA)]
        for one in found:
            assert not one.failed, one
        await self._until_closed(_SETTLEMENTS, len(await self.settlements()))
        return found

    async def deferred(self) -> int:
        """What Amazon holds back, as it is asked for: so many transactions."""
        said = await self.shop.o2c("settlement", "deferred", "--json")
        assert said.status == 0, said.err
        return sum(share["count"] for one in json.loads(said.out) for share in one["shares"])

    async def ledger(self) -> dict[str, Any]:
        """What stands in M3's ledgers."""
        found: dict[str, Any] = (await self.shop.m3.get("/_control/ledger")).json()
        return found

    # --- waiting --------------------------------------------------------------------------------

    async def _run(self, schedule_id: str, result_type: type[Any]) -> Any:
        """Let a schedule run now; what the run says in the end."""
        client = self.shop.client

        async def runs() -> list[tuple[str, str]]:
            info = (await client.get_schedule_handle(schedule_id).describe()).info
            return [
                (one.action.workflow_id, one.action.first_execution_run_id) for one in info.recent_actions
            ]  # type: ignore[union-attr]

        before = await runs()
        await schedules.trigger(client, schedule_id)
        after = await eventually(runs, lambda now: now[-1:] != before[-1:])
        handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(
            after[-1][0], run_id=after[-1][1], result_type=result_type
        )
        return await asyncio.wait_for(handle.result(), _PATIENCE)

    async def _until_waiting(self, number: int) -> None:
        """M3 has so many orders more, and nothing was shipped of them."""
        query = f'{_ORDERS} AND Step="awaiting_shipment" AND ExecutionStatus="Running"'

        async def look() -> int:
            return (await self.shop.client.count_workflows(query)).count

        await eventually(look, lambda found: found == number, _PATIENCE, 0.5)

    async def _until_closed(self, query: str, number: int, *, sweep: bool = False) -> None:
        """So many workflows have come to their end, and none is held."""
        client = self.shop.client

        async def look() -> tuple[int, list[str]]:
            if sweep:
                await self.shop.sweep(EU, NA)
            held = f"{query} AND HeldReason IS NOT NULL"
            assert (await client.count_workflows(held)).count == 0, await self._some(held)
            closed = (await client.count_workflows(f'{query} AND ExecutionStatus="Completed"')).count
            still = [] if closed == number else await self._some(f'{query} AND ExecutionStatus="Running"')
            return closed, still

        await eventually(look, lambda found: found[0] == number, _PATIENCE, 0.5)

    async def _some(self, query: str) -> list[str]:
        """How some of these workflows stand."""
        found = []
        async for one in self.shop.client.list_workflows(query, limit=2):
            view: dict[str, Any] = await self.shop.client.get_workflow_handle(one.id).query("state")
            found.append(f"{one.id}: {view.get('held_sentence') or view.get('sentence') or view.get('step')}")
        return found


async def _at_once(do: Callable[[Any], Any], some: Iterable[Any]) -> list[Any]:
    """Do it with all of them, a few at the same time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Any) -> Any:
        async with gate:
            return await do(each)

    return await asyncio.gather(*(one(each) for each in some))


@asynccontextmanager
async def circle(folder: Path) -> AsyncIterator[Circle]:
    """Servers of its own, so that the whole ledger can be looked at."""
    async with workshop(folder) as shop:
        await shop.configure(own_accounts)
        await schedules.apply(shop.client, shop.settings)
        for name in await schedules.chosen(shop.client, shop.settings, []):
            await schedules.pause(shop.client, name, "run by hand")
        yield Circle(shop)
