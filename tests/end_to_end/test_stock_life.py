"""Some minutes in the life of a warehouse: buyers at Amazon, pending and cancelled orders, counts and shipments in M3,
notifications that come twice, late, or never, and a worker and a listener that are killed again and again.

A buyer can only buy what Amazon shows. In the end Amazon shows of every item what M3 has left of it less what is sold
and not in M3 yet less the safety stock, in both marketplaces; every order is in M3 once.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.bench.stage import Stage, stage
from tests.support.configuration import QUOTA_FACTOR
from tests.support.orders import new_order_id, order
from tests.support.processes import python_process, worker_process
from tests.support.sqs import aws_environment, make_queue, sqs_server
from tests.support.world import eventually

pytestmark = pytest.mark.long

SELLER = "A2EUSELLER0001"
MARKETS = {"DE": "A1PA6795UKMFR9", "FR": "A13V1IB3VIYZZH"}
WAREHOUSE = "MAI"
SAFETY = 2
ITEMS = 8
SECONDS = 150.0
KILL_EVERY = 20.0
PATIENCE = 240.0
_RUN = "from starters.cli import main; main()"
STOCK = f"""
[stock]
every_seconds = 2
confirm_minutes = 0.2
patches = 10
rules = {{ pools = [{{ safety_stock = {SAFETY} }}] }}
"""


@dataclass
class Placed:
    """An order, and what became of it."""

    order_id: str
    item: int
    quantity: int
    pending: bool
    cancelled: bool = False


@dataclass
class Life:
    """What happens, by one seed."""

    here: Stage
    random: Random = field(default_factory=lambda: Random(20))
    orders: list[Placed] = field(default_factory=list)
    deepest: int = 0
    """Most pieces of an item that were sold and not there."""

    async def put(self, side: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
        answer = await side.post(path, json=body)
        assert answer.status_code < 300, answer.text

    async def begin(self) -> None:
        items = [
            {"itno": itno(n), "itds": f"Thing {n}", "sku": sku(n), "onhand": {WAREHOUSE: 30}}
            for n in range(ITEMS)
        ]
        await self.put(self.here.m3, "/_control/items", {"items": items})
        listings = [
            {"seller": SELLER, "sku": sku(n), "quantity": 0, "marketplaces": list(MARKETS.values())}
            for n in range(ITEMS)
        ]
        await self.put(self.here.amazon, "/_control/stock/listings", {"listings": listings})

    async def live(self, until: float) -> None:
        """One thing after the other."""
        deeds = (self.buy, self.buy, self.buy, self.decide, self.decide, self.receive, self.lose, self.ship)
        while time.monotonic() < until:
            await self.random.choice(deeds)()
            await asyncio.sleep(self.random.uniform(0.05, 0.5))
            await self.measure()

    async def buy(self) -> None:
        place, item = self.random.choice(list(MARKETS)), self.random.randrange(ITEMS)
        shown = (await shows(self.here, MARKETS[place])).get(sku(item), 0)
        quantity = min(shown, self.random.randint(1, 4))
        if not quantity:
            return
        pending = self.random.random() < 0.5
        placed = Placed(new_order_id(), item, quantity, pending)
        body = order(
            (sku(item), quantity),
            channel="MERCHANT",
            marketplace=place,
            status="PENDING" if pending else "UNSHIPPED",
            order_id=placed.order_id,
        )
        await self.put(self.here.amazon, "/_control/order", {"order": body, "seller": SELLER})
        self.orders.append(placed)

    async def decide(self) -> None:
        """A pending order is paid or cancelled."""
        waiting = [one for one in self.orders if one.pending]
        if not waiting:
            return
        one = self.random.choice(waiting)
        one.pending, one.cancelled = False, self.random.random() < 0.4
        event: dict[str, object] = {"type": "cancel" if one.cancelled else "release"}
        await self.put(self.here.amazon, f"/_control/orders/{one.order_id}/events", event)

    async def receive(self) -> None:
        await self._count(self.random.randint(1, 12))

    async def lose(self) -> None:
        await self._count(-self.random.randint(1, 3))

    async def _count(self, more: int) -> None:
        item = self.random.randrange(ITEMS)
        there = await balances(self.here)
        on_hand = max(0, there[itno(item)][0] + more)
        body: dict[str, object] = {"whlo": WAREHOUSE, "onhand": {itno(item): on_hand}}
        await self.put(self.here.m3, "/_control/counts", body)

    async def ship(self) -> None:
        """Staff ship an order that M3 has; what they cannot ship waits."""
        booked = await in_m3(self.here)
        ours = [one.order_id for one in self.orders if one.order_id in booked]
        if ours:
            await self.here.m3.post("/_control/ship", json={"cuor": self.random.choice(ours)})

    async def measure(self) -> None:
        """How far an item is sold beyond what is there."""
        there, owed = await balances(self.here), await self.not_in_m3()
        for item in range(ITEMS):
            self.deepest = max(self.deepest, owed[item] - there[itno(item)][1])

    async def not_in_m3(self) -> list[int]:
        booked = await in_m3(self.here)
        owed = [0] * ITEMS
        for one in self.orders:
            if not one.cancelled and one.order_id not in booked:
                owed[one.item] += one.quantity
        return owed

    async def expected(self) -> dict[str, int]:
        """What Amazon should show, from M3's own figures and the orders placed here."""
        there, owed = await balances(self.here), await self.not_in_m3()
        return {sku(n): max(0, there[itno(n)][1] - owed[n] - SAFETY) for n in range(ITEMS)}


def sku(number: int) -> str:
    return f"LIFE-{number}"


def itno(number: int) -> str:
    return f"LIFE{number}"


async def balances(here: Stage) -> dict[str, tuple[int, int]]:
    """On hand, and what is left of it after allocations and reservations."""
    rows = (await here.m3.get("/_control/balances", params={"whlo": WAREHOUSE})).json()
    return {
        row["itno"]: (
            int(float(row["onhand"])),
            int(float(row["onhand"]) - float(row["allocated"]) - float(row["reserved"])),
        )
        for row in rows
    }


async def in_m3(here: Stage) -> set[str]:
    rows = (await here.m3.get("/_control/orders")).json()
    return {str(row["cuor"]) for row in rows if row["orders"]}


async def shows(here: Stage, marketplace: str) -> dict[str, int]:
    query = {"seller": SELLER, "marketplace": marketplace}
    found: dict[str, int] = (await here.amazon.get("/_control/stock/quantities", params=query)).json()
    return found


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Stage]:
    with aws_environment():
        async with sqs_server(folder) as endpoint:
            queue = await make_queue(endpoint, "life", visibility_seconds=10)
            dead = await make_queue(endpoint, "life-dead", for_amazon=False)
            configuration = (
                f'\n[notifications]\nqueue_url = "{queue.url}"\ndead_letter_url = "{dead.url}"\n'
                f'endpoint = "{endpoint}"\nvisibility_seconds = 10\n{STOCK}'
            )
            options = (
                "--pace", "0.1", "--visibility-delay", "1", "--quota-factor", str(QUOTA_FACTOR),
                "--sqs-endpoint", endpoint, "--notify-loss", "0.1", "--notify-duplicates", "0.5",
                "--notify-delay", "10",
            )  # fmt: skip
            async with stage(folder, amazon_options=options, configuration=configuration) as here:
                yield here


async def mortal(until: float, seed: int, log: Path, *arguments: str, ready: str) -> None:
    """A process that is killed again and again; the last one lives until it is cancelled."""
    random = Random(seed)
    while True:
        async with python_process(log, ready, "-c", _RUN, *arguments) as process:
            rest = until - time.monotonic()
            if rest < 0:
                await asyncio.Event().wait()
            await asyncio.sleep(min(rest + 0.1, random.uniform(0.5, 1.5) * KILL_EVERY))
            process.kill()
            await process.wait()


async def o2c(here: Stage, *arguments: str) -> tuple[int, str]:
    """The command's exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, *arguments, "--config", str(here.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode() or err.decode()


async def test_amazon_shows_what_is_there_whatever_happens(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        life = Life(here)
        await life.begin()
        async with worker_process(here.config, tmp_path / "first.log"):
            status, said = await o2c(here, "subscribe")
            assert status == 0, said
            await eventually(
                lambda: shows(here, MARKETS["DE"]),
                lambda seen: all(seen.get(sku(n)) == 30 - SAFETY for n in range(ITEMS)),
                patience_seconds=PATIENCE,
            )
        until = time.monotonic() + SECONDS
        config = str(here.config)
        lives = [
            asyncio.create_task(
                mortal(
                    until, 1, tmp_path / "worker.log", "worker", "--config", config, ready="worker_started"
                )
            ),
            asyncio.create_task(
                mortal(
                    until,
                    2,
                    tmp_path / "listener.log",
                    "listen",
                    "--config",
                    config,
                    ready="listener_started",
                )
            ),
        ]
        try:
            await life.live(until)
            await asyncio.sleep(15)
            # what was lost on the way, the sweep brings
            status, said = await o2c(here, "sweep", "--json")
            assert status == 0, said
            for place in MARKETS.values():

                async def differing(place: str = place) -> dict[str, tuple[int | None, int]]:
                    seen, wanted = await shows(here, place), await life.expected()
                    return {s: (seen.get(s), q) for s, q in wanted.items() if seen.get(s) != q}

                assert await eventually(differing, lambda left: not left, patience_seconds=PATIENCE) == {}
        finally:
            for task in lives:
                task.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
        booked = (await here.m3.get("/_control/orders")).json()
        assert [row["cuor"] for row in booked if len(row["orders"]) > 1] == []
        wanted = {one.order_id for one in life.orders if not one.cancelled and not one.pending}
        assert wanted <= {row["cuor"] for row in booked if row["orders"]}
        assert len(life.orders) > 50
        print(f"{len(life.orders)} orders; at most {life.deepest} pieces of an item were sold and not there.")
