"""The service's schedules as stories know them: passes that several stories share."""

import asyncio
from pathlib import Path

from tests.support.returns import fed
from tests.support.world import World


class Sweeps:
    """Passes over M3's deliveries, one for all who ask at the same time: as the schedule makes them."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder
        self._running, self._feeding = asyncio.Lock(), asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    async def one(self) -> None:
        """A pass that begins after it was asked for."""
        if self._next is None:
            self._next = asyncio.create_task(self._pass())
        await asyncio.shield(self._next)

    async def _pass(self) -> None:
        async with self._running:
            self._next = None
            await self._world.sweep(amazon=False)

    async def returns(self) -> None:
        """A look at Amazon's returns report, reimbursements and refunds."""
        async with self._feeding:
            await fed(self._world, self._folder)
