"""Work of imports steps aside for live orders within a worker process.

The server hands out live orders' tasks first, but what it has handed out shares this process's one core. Without
this a live order beside an import waits at every step for the steps of as many imported orders as are under way.
"""

import asyncio
from typing import Final

from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from canonical.order_contracts import ORDER_TO_CASH
from workflows.policies import BULK_PRIORITY

LONGEST_SECONDS: Final = 0.2
"""However much is live, work of an import waits no longer than this at one step: it is slowed, never starved."""
LINGER_SECONDS: Final = 0.05
"""Between two steps of a live order its workflow decides; so long it is not taken for gone."""


class StepsAside(Interceptor):
    """Activities of priority `BULK_PRIORITY` begin when no step of a live order is under way here."""

    def __init__(self) -> None:
        self._live = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._lingering: asyncio.TimerHandle | None = None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Gate(next, self)

    async def wait(self) -> None:
        """Until nothing live is under way, at most `LONGEST_SECONDS`."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._quiet.wait()
        except TimeoutError:
            return

    def begin(self) -> None:
        """A step of a live order begins."""
        self._live += 1
        self._quiet.clear()
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None

    def end(self) -> None:
        """It has ended, well or not."""
        self._live -= 1
        if self._live == 0:
            self._lingering = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._quiet.set)


class _Gate(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, shared: StepsAside) -> None:
        super().__init__(following)
        self._shared = shared

    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002
        info = activity.info()
        if info.workflow_type != ORDER_TO_CASH:  # sweeps and audits take long and are in no hurry
            return await super().execute_activity(input)
        if (info.priority.priority_key or 0) >= BULK_PRIORITY:
            await self._shared.wait()
            return await super().execute_activity(input)
        self._shared.begin()
        try:
            return await super().execute_activity(input)
        finally:
            self._shared.end()
