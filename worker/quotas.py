"""Amazon's quotas and M3's circuit breaker, enforced by the Temporal server on its task queues.

One queue per limited operation, one limit per fairness key (seller and region): any number of workers and
sellers keep to the same figures. It takes a server with fairness switched on, one partition for these queues,
and workers that do not take activities eagerly.

Amazon refills a bucket at the documented rate and lets a whole burst through after a quiet spell; the
server's limiter knows no such bucket. So each queue has two speeds. At burst speed it may empty Amazon's
bucket within `BURST_SECONDS`. The first 429 puts it down to the steady speed, the documented rate, for as
long as Amazon needs to refill the bucket; then it is tried again. Under lasting load that makes a handful of
429s per refill time (getOrder: a minute, searchOrders: an hour), and never less than the documented rate. The
speed is one setting for all sellers of a queue: a busy seller takes the burst from the others, never the
rate.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, RateLimitConfig, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, UpdateTaskQueueConfigRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.amazon.finances import LIST_TRANSACTIONS
from activities.amazon.operations import (
    CONFIRM_SHIPMENT,
    CREATE_FULFILLMENT_ORDER,
    GET_FULFILLMENT_ORDER,
    GET_ORDER,
    SEARCH_ORDERS,
    Operation,
)
from canonical.activity_contracts import (
    AMAZON_CONFIRM_SHIPMENT_QUEUE,
    AMAZON_GET_ORDER_QUEUE,
    AMAZON_SEARCH_ORDERS_QUEUE,
    M3_QUEUE,
)
from canonical.mcf_contracts import AMAZON_CREATE_FULFILLMENT_QUEUE, AMAZON_GET_FULFILLMENT_QUEUE
from canonical.return_contracts import AMAZON_LIST_TRANSACTIONS_QUEUE

AMAZON_QUEUES: Final[dict[str, Operation]] = {
    AMAZON_GET_ORDER_QUEUE: GET_ORDER,
    AMAZON_SEARCH_ORDERS_QUEUE: SEARCH_ORDERS,
    AMAZON_CONFIRM_SHIPMENT_QUEUE: CONFIRM_SHIPMENT,
    AMAZON_LIST_TRANSACTIONS_QUEUE: LIST_TRANSACTIONS,
    AMAZON_CREATE_FULFILLMENT_QUEUE: CREATE_FULFILLMENT_ORDER,
    AMAZON_GET_FULFILLMENT_QUEUE: GET_FULFILLMENT_ORDER,
}
"""Which operation's quota each queue carries; every activity on it makes one such call."""

BURST_SECONDS: Final = 10.0
"""Within how many seconds a full burst may be used up."""

_ACTIVITY: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rates:
    """Limits of one queue as the server holds them, in activities per second; None is no limit."""

    queue: str
    whole: float | None
    per_fairness_key: float | None
    reason: str = ""


def steady_rate(operation: Operation, factor: float = 1.0) -> float:
    """What Amazon grants for ever: the documented rate, times `factor` where it grants this seller more."""
    return operation.rate * factor


def burst_rate(operation: Operation, factor: float = 1.0) -> float:
    """The rate that uses up a full burst in `BURST_SECONDS`."""
    return steady_rate(operation, factor) + operation.burst / BURST_SECONDS


async def apply_amazon_quotas(client: Client, *, factor: float = 1.0, burst: bool = False) -> None:
    """Set the limit of every Amazon queue; burst speed is for a worker that keeps a `BurstKeeper`.

    Raises `temporalio.service.RPCError` where the server refuses.
    """
    await asyncio.gather(
        *(_set_operation(client, queue, factor=factor, burst=burst) for queue in AMAZON_QUEUES)
    )


async def set_m3_rate(client: Client, rate: float | None, reason: str) -> None:
    """M3's circuit breaker: at most `rate` MI activities per second, 0 stops them, None lifts the limit."""
    request = _request(client, M3_QUEUE)
    request.update_queue_rate_limit.reason = reason
    if rate is not None:
        request.update_queue_rate_limit.rate_limit.CopyFrom(RateLimit(requests_per_second=rate))
    await client.workflow_service.update_task_queue_config(request)
    _log.info("m3_rate_set", rate=rate, reason=reason)


async def read_rates(client: Client) -> Mapping[str, Rates]:
    """The limits of all limited queues, as the server holds them."""
    queues = (*AMAZON_QUEUES, M3_QUEUE)
    return dict(zip(queues, await asyncio.gather(*(_read(client, queue) for queue in queues)), strict=True))


class BurstKeeper:
    """Puts a queue down to the steady rate when Amazon answers 429, and up again once the bucket is full.

    ``async with BurstKeeper(client) as keeper`` sets burst speed; give `keeper.throttled` to the Amazon
    clients (`AmazonClient.tell_throttled`), who call it in the worker's event loop. The queues keep the speed
    they have when the block is left: other workers go on.
    """

    def __init__(self, client: Client, factor: float = 1.0) -> None:
        self._client = client
        self._factor = factor
        self._waiting: dict[str, asyncio.Task[None]] = {}

    def throttled(self, operation: Operation) -> None:
        """Amazon answered 429 to `operation`."""
        queue = next((queue for queue, limited in AMAZON_QUEUES.items() if limited == operation), None)
        if queue is not None and queue not in self._waiting:
            self._waiting[queue] = asyncio.create_task(self._slow_down(queue, operation))

    async def __aenter__(self) -> Self:
        await apply_amazon_quotas(self._client, factor=self._factor, burst=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        waiting = list(self._waiting.values())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _slow_down(self, queue: str, operation: Operation) -> None:
        try:
            await _set_operation(self._client, queue, factor=self._factor, burst=False)
            await asyncio.sleep(operation.refill.total_seconds() / self._factor)
            await _set_operation(self._client, queue, factor=self._factor, burst=True)
        except RPCError as error:
            # Nothing is lost: Amazon goes on answering 429 and Temporal goes on retrying.
            _log.warning("quota_not_set", queue=queue, error=error.status.name)
        finally:
            del self._waiting[queue]


async def _set_operation(client: Client, queue: str, *, factor: float, burst: bool) -> None:
    operation = AMAZON_QUEUES[queue]
    rate = burst_rate(operation, factor) if burst else steady_rate(operation, factor)
    request = _request(client, queue)
    limit = request.update_fairness_key_rate_limit_default
    limit.rate_limit.CopyFrom(RateLimit(requests_per_second=rate))
    limit.reason = f"Amazon {operation.name} {steady_rate(operation, factor):g}/s" + (
        f", and its burst of {operation.burst}" if burst else ""
    )
    await client.workflow_service.update_task_queue_config(request)
    _log.info("amazon_rate_set", queue=queue, rate=rate, burst=burst)


def _request(client: Client, queue: str) -> UpdateTaskQueueConfigRequest:
    return UpdateTaskQueueConfigRequest(
        namespace=client.namespace, identity=client.identity, task_queue=queue, task_queue_type=_ACTIVITY
    )


async def _read(client: Client, queue: str) -> Rates:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=_ACTIVITY,
            report_config=True,
        )
    )
    config = answer.config
    whole, per_key = config.queue_rate_limit, config.fairness_keys_rate_limit_default
    return Rates(queue, _limit(whole), _limit(per_key), per_key.metadata.reason or whole.metadata.reason)


def _limit(config: RateLimitConfig) -> float | None:
    # A lifted limit still has its metadata.
    return config.rate_limit.requests_per_second if config.HasField("rate_limit") else None
