"""A look in M3 for packages that were corrected after Amazon was told of them.

Amazon is not asked: what it was told stands in the order's workflow and in the results of earlier corrections. What
reads and starts workflows lies above this room and is handed in.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from activities.intake import ReadDeliveries, WaitingOrder
from canonical.order import Delivery, Package
from canonical.package_contracts import (
    SWEEP_CORRECTIONS,
    CorrectionSweepInput,
    CorrectionSweepResult,
    PackagesTold,
)
from canonical.packages import corrected, fingerprint, packages_of

AT_ONCE: Final = 20
IN_ONE_LOOK: Final = 200
"""Orders of which M3 is asked at once."""
REMEMBERED: Final = 50_000
INCOMPLETE: Final = "corrections_incomplete"
"""ApplicationError type: some orders could not be looked at; the look is repeated."""

_log = structlog.get_logger(__name__)


class ToldPackages(Protocol):
    """What the orders' workflows know of packages, and what carries corrections."""

    async def shipped(self, days: int, limit: int, /) -> Sequence[WaitingOrder]:
        """MFN orders under way, or closed no longer ago than that."""

    async def told(self, order: WaitingOrder, /) -> PackagesTold | None:
        """What Amazon has been told; None where nothing was, or nobody knows."""

    async def correct(self, told: PackagesTold, packages: Sequence[Package], /) -> None:
        """Carry the correction by a workflow."""


class CorrectionActivities:
    """Reads M3; writes nothing itself."""

    def __init__(self, read_deliveries: ReadDeliveries, orders: ToldPackages) -> None:
        self._read_deliveries = read_deliveries
        self._orders = orders
        self._seen: OrderedDict[str, frozenset[tuple[str, str, str]]] = OrderedDict()

    @activity.defn(name=SWEEP_CORRECTIONS)
    async def sweep_corrections(self, request: CorrectionSweepInput) -> CorrectionSweepResult:
        """Every correction found is carried by a workflow when this returns. Repeated, it finds nothing new."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                orders = await self._orders.shipped(request.days, request.limit)
                changed = 0
                for start in range(0, len(orders), IN_ONE_LOOK):
                    changed += await self._look(orders[start : start + IN_ONE_LOOK])
                return CorrectionSweepResult(looked_at=len(orders), corrected=changed)

    async def _look(self, orders: Sequence[WaitingOrder]) -> int:
        found = await self._read_deliveries([order.order_id for order in orders])
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(order: WaitingOrder) -> bool:
            async with gate:
                return await self.corrected(order, found.get(order.order_id, ()))

        results = await asyncio.gather(*(one(order) for order in orders), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise RetryLater(
                f"{len(failures)} of {len(orders)} shipped orders could not be looked at "
                f"({type(failures[0]).__name__}); all are looked at again.",
                kind=INCOMPLETE,
            )
        return sum(result is True for result in results)

    async def corrected(self, order: WaitingOrder, deliveries: Sequence[Delivery]) -> bool:
        """Whether M3 has a package otherwise than Amazon was told, which is then carried."""
        seen = fingerprint(deliveries)
        if not seen or self._seen.get(order.workflow_id) == seen:
            return False
        told = await self._orders.told(order)
        if told is None:
            return False
        again = corrected(told.packages, packages_of(deliveries))
        if again:
            await self._orders.correct(told, again)
            _log.info("packages_corrected", order_id=order.order_id, packages=len(again))
        if _all_told(told, deliveries):
            self._remember(order.workflow_id, seen)
        return bool(again)

    def _remember(self, workflow_id: str, seen: frozenset[tuple[str, str, str]]) -> None:
        self._seen[workflow_id] = seen
        self._seen.move_to_end(workflow_id)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def _all_told(told: PackagesTold, deliveries: Sequence[Delivery]) -> bool:
    """Whether there was something to compare with for every package: an order that is just confirming one may
    confirm it as it was before M3 corrected it."""
    known = {package.reference for package in told.packages}
    return all(package.reference in known for package in packages_of(deliveries))
