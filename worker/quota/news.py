"""What a process meets when it calls Amazon, told to the workflow that keeps the quotas: rarely, and never in the way.

A 429 is acted upon at once by whoever meets it: the queue is put down to the documented rate there and then, and the
keeper sees why.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from activities.amazon.operations import Operation
from canonical.ids import quotas_workflow_id
from canonical.quota_contracts import TOLD, CalledBeside, QuotaNews, RateTold, Throttled
from worker.quota.gauges import QuotaGauges
from worker.quota.limits import AMAZON_QUEUES, QUEUE_OF, THROTTLED, documented, read_queue, set_pace

TELL_AFTER: Final = 2.0
"""Seconds for which news is gathered into one signal."""
REPEAT: Final = timedelta(hours=1)
"""How often a rate other than the configured one is told again."""
_NEARLY: Final = 0.01
_REMEMBERED: Final = 5000

_log = structlog.get_logger(__name__)


class QuotaTeller:
    """``async with QuotaTeller(...) as teller``; give `teller.ear(seller)` to each Amazon client.

    factors: quota_factor by seller.
    """

    def __init__(
        self,
        client: Client,
        factors: Mapping[str, float],
        gauges: QuotaGauges,
        *,
        tell_after: float = TELL_AFTER,
    ) -> None:
        self._client = client
        self._factors = dict(factors)
        self._gauges = gauges
        self._tell_after = tell_after
        self._throttled: dict[tuple[str, str], int] = {}
        self._beside: dict[tuple[str, str], int] = {}
        self._rates: dict[tuple[str, str], float] = {}
        self._told: dict[tuple[str, str], tuple[float, datetime]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._slowing: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._slowing.values(), *([self._telling] if self._telling else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._tell()

    def ear(self, seller_id: str) -> "SellersEar":
        """What hears the calls for one seller."""
        return SellersEar(self, seller_id)

    def throttled(self, seller_id: str, operation: Operation) -> None:
        """Amazon answered 429."""
        self._gauges.throttled(operation.name, seller_id)
        self._count(self._throttled, seller_id, operation)
        queue = QUEUE_OF.get(operation.name)
        if queue is not None and queue not in self._slowing:
            self._slowing[queue] = asyncio.create_task(self._slow_down(queue))

    def called_beside(self, seller_id: str, operation: Operation) -> None:
        """A call was made that its queue does not know of."""
        if operation.name in QUEUE_OF:
            self._count(self._beside, seller_id, operation)

    def rate_named(self, seller_id: str, operation: Operation, rate: float) -> None:
        """Amazon named a rate in its answer."""
        key, now = (operation.name, seller_id), datetime.now(UTC)
        configured = operation.rate * self._factors.get(seller_id, 1.0)
        told, at = self._told.get(key, (configured, now))
        if abs(rate - told) <= _NEARLY * told and (
            now - at < REPEAT or abs(rate - configured) <= _NEARLY * configured
        ):
            return
        self._told[key] = (rate, now)
        self._rates[key] = rate
        self._soon()

    def _count(self, counts: dict[tuple[str, str], int], seller_id: str, operation: Operation) -> None:
        key = (operation.name, seller_id)
        counts[key] = counts.get(key, 0) + 1
        self._soon()

    def _soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_later())

    async def _tell_later(self) -> None:
        await asyncio.sleep(self._tell_after)
        self._telling = None
        await self._tell()

    async def _tell(self) -> None:
        throttled, self._throttled = self._throttled, {}
        beside, self._beside = self._beside, {}
        rates, self._rates = self._rates, {}
        now = datetime.now(UTC)
        news = QuotaNews(
            throttled=tuple(
                Throttled(seller_id=seller, operation=name, calls=calls, at=now)
                for (name, seller), calls in throttled.items()
            ),
            beside=tuple(
                CalledBeside(seller_id=seller, operation=name, calls=calls)
                for (name, seller), calls in beside.items()
            ),
            rates=tuple(
                RateTold(seller_id=seller, operation=name, rate=rate, at=now)
                for (name, seller), rate in rates.items()
            ),
        )
        if news == QuotaNews():
            return
        try:
            await self._client.get_workflow_handle(quotas_workflow_id()).signal(TOLD, news)
        except RPCError as error:
            # The keeper then knows less than there is; the next 429 puts that right.
            _log.warning("quota_news_not_told", error=error.status.name)

    async def _slow_down(self, queue: str) -> None:
        """Down to the documented rate, where the queue is above it; not again for a moment."""
        steady = documented(AMAZON_QUEUES[queue], self._factors).pace
        try:
            pace = (await read_queue(self._client, queue)).per_fairness_key
            lowered = steady if pace is None else min(steady, pace)
            await set_pace(self._client, queue, lowered, f"{THROTTLED} of Amazon, steady")
            await asyncio.sleep(self._tell_after)
        except RPCError as error:
            # Nothing is lost: Amazon goes on answering 429 and Temporal goes on retrying.
            _log.warning("quota_not_set", queue=queue, error=error.status.name)
        finally:
            del self._slowing[queue]


class SellersEar:
    """Hears the calls of one seller's client (activities.amazon.transport.QuotaEar)."""

    def __init__(self, teller: QuotaTeller, seller_id: str) -> None:
        self._teller = teller
        self._seller_id = seller_id
        self._came_out: OrderedDict[tuple[bytes, int], None] = OrderedDict()

    def called(self, operation: Operation) -> None:
        """A request is about to be sent. One for each task of the operation's queue is what the queue counts."""
        if not self._is_the_task_s_own(operation):
            self._teller.called_beside(self._seller_id, operation)

    def throttled(self, operation: Operation) -> None:
        """Amazon answered 429."""
        self._teller.throttled(self._seller_id, operation)

    def rate_named(self, operation: Operation, rate: float) -> None:
        """Amazon named a rate, in calls per second."""
        self._teller.rate_named(self._seller_id, operation, rate)

    def _is_the_task_s_own(self, operation: Operation) -> bool:
        if not activity.in_activity():
            return False
        info = activity.info()
        task = (info.task_token, info.attempt)
        if info.task_queue != QUEUE_OF.get(operation.name) or task in self._came_out:
            return False
        self._came_out[task] = None
        while len(self._came_out) > _REMEMBERED:
            self._came_out.popitem(last=False)
        return True
