"""Both simulators, a worker and a real Temporal server: what a workflow test lives in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.amazon_orders import read_order
from canonical.ids import order_workflow_id
from canonical.order_contracts import OrderResult, OrderToCashInput, OrderView
from canonical.sweep_contracts import SWEEP, SweepInput, SweepResult
from worker.intake import start_or_signal
from worker.settings import Settings

T = TypeVar("T")
PATIENCE = timedelta(seconds=60)
"""How long a test waits for the service; far longer than it needs."""
_LONGEST_PAUSE = 0.25


@dataclass
class World:
    """Amazon, M3, Temporal and the service between them."""

    env: WorkflowEnvironment
    settings: Settings
    config_file: Path
    amazon: httpx.AsyncClient
    m3: httpx.AsyncClient
    look_every: float = 0.05
    """Seconds between two looks at an order; more where many are waited for at once."""

    @property
    def client(self) -> Client:
        return self.env.client

    async def place(
        self, order: Mapping[str, object], *, seller: str = "A2EUSELLER0001", **lifecycle: object
    ) -> str:
        """Let a buyer order exactly this at Amazon; the order's life goes only where the test says."""
        answer = await self.amazon.post(
            "/_control/order", json={"order": order, "seller": seller, "lifecycle": lifecycle}
        )
        assert answer.status_code < 300, answer.text
        return str(order["orderId"])

    async def event(self, order_id: str, kind: str, **facts: object) -> None:
        """Something happens to the order at Amazon now: ship, cancel, release ..."""
        answer = await self.amazon.post(f"/_control/orders/{order_id}/events", json={"type": kind, **facts})
        assert answer.status_code < 300, answer.text

    async def at_amazon(self, order_id: str) -> dict[str, object]:
        """The order as the simulator's owner sees it."""
        answer = await self.amazon.get(f"/_control/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        order: dict[str, object] = answer.json()["order"]
        return order

    async def in_m3(self, order_id: str) -> dict[str, list[dict[str, object]]]:
        """Everything M3 has under this CUOR."""
        answer = await self.m3.get("/_control/orders", params={"cuor": order_id})
        assert answer.status_code == 200, answer.text
        found: dict[str, list[dict[str, object]]] = answer.json()
        return found

    async def m3_ships(self, order_id: str) -> None:
        """The own warehouse ships, and the sweep tells the order as soon as M3 has the delivery."""
        await eventually(lambda: self.sweep(amazon=False), lambda swept: swept.m3.signalled > 0)

    async def start(
        self, order_id: str, *, seller: str = "A2EUSELLER0001"
    ) -> WorkflowHandle[object, OrderResult]:
        """Hand the order in with what Amazon says of it now, as a sweep does: also as news of a known order."""
        payload = await self.at_amazon(order_id)
        order = read_order(payload, seller)
        start = OrderToCashInput(seller_id=seller, order_id=order.order_id, order=order)
        await start_or_signal(self.client, start)
        return self.handle(order.order_id, seller)

    def handle(self, order_id: str, seller: str = "A2EUSELLER0001") -> WorkflowHandle[object, OrderResult]:
        return self.client.get_workflow_handle(order_workflow_id(seller, order_id), result_type=OrderResult)

    async def sweep(self, *sellers: str, amazon: bool = True, m3: bool = True) -> SweepResult:
        """One pass, run by the worker."""
        wanted = sellers or tuple(self.settings.sellers)
        result: SweepResult = await self.client.execute_workflow(
            SWEEP,
            SweepInput(seller_ids=wanted, amazon=amazon, m3=m3),
            id=f"test-sweep-{id(object())}-{asyncio.get_running_loop().time()}",
            task_queue=ORDERS_QUEUE,
            result_type=SweepResult,
        )
        return result

    async def result(self, handle: WorkflowHandle[object, OrderResult]) -> OrderResult:
        """How the order ended; fails with its last view where it does not end."""
        try:
            return await asyncio.wait_for(handle.result(), PATIENCE.total_seconds())
        except TimeoutError:
            raise AssertionError(f"The order did not end: {await self.view(handle)}") from None

    async def view(self, handle: WorkflowHandle[object, OrderResult]) -> OrderView:
        return await handle.query("state", result_type=OrderView)

    async def until(
        self, handle: WorkflowHandle[object, OrderResult], true: Callable[[OrderView], bool]
    ) -> OrderView:
        """The order's view as soon as `true` of it; fails with the last view when patience ends."""
        return await eventually(lambda: self.view(handle), true, every_seconds=self.look_every)

    async def until_held(self, handle: WorkflowHandle[object, OrderResult], reason: str) -> OrderView:
        return await self.until(handle, lambda view: view.held_reason == reason)


async def updated(handle: WorkflowHandle[Any, Any], name: str, argument: object = None) -> str:
    """The answer to a repair. Where the workflow task that took it came to nothing, which under load happens to one in
    hundreds, it is sent again, as `o2c fix` does."""
    arguments = [] if argument is None else [argument]
    while True:
        try:
            answer: str = await handle.execute_update(name, args=arguments, result_type=str)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
        else:
            return answer


async def eventually(
    look: Callable[[], Awaitable[T]],
    true: Callable[[T], bool],
    patience_seconds: float = PATIENCE.total_seconds(),
    every_seconds: float = 0.05,
) -> T:
    """Look again until it is so, ever less often: looking is work for the service too. The only place where a test
    waits for the service's own time."""
    deadline = asyncio.get_running_loop().time() + patience_seconds
    pause = every_seconds
    while True:
        seen = await look()
        if true(seen):
            return seen
        assert asyncio.get_running_loop().time() < deadline, f"did not happen; last seen: {seen}"
        await asyncio.sleep(pause)
        pause = max(every_seconds, min(pause * 1.25, _LONGEST_PAUSE))
