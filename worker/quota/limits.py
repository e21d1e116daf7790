"""Amazon's quotas and M3's circuit breaker, enforced by the Temporal server on its task queues.

One queue per limited operation, one limit per fairness key (a seller; a seller id belongs to one region): any number
of workers and sellers keep to the same figures. It takes a server with fairness switched on, one partition for these
queues, and workers that do not take activities eagerly. The limit of a key is the queue's default times the key's
weight, so sellers of different rates have different weights.

Two limits of a queue are two levers. The one per key is the keeper's (worker.quota.keeper). The one of the whole
queue is a person's: 0 pauses it, and no worker that starts lifts that.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, RateLimitConfig, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, UpdateTaskQueueConfigRequest
from temporalio.client import Client

from activities.amazon.operations import (
    CONFIRM_SHIPMENT,
    CREATE_FEED,
    CREATE_FULFILLMENT_ORDER,
    CREATE_REPORT,
    GET_FEED,
    GET_FEED_DOCUMENT,
    GET_FULFILLMENT_ORDER,
    GET_INVENTORY_SUMMARIES,
    GET_LISTINGS_ITEM,
    GET_ORDER,
    GET_REPORT,
    GET_REPORT_DOCUMENT,
    GET_REPORTS,
    LIST_TRANSACTIONS,
    PATCH_LISTINGS_ITEM,
    SEARCH_CATALOG_ITEMS,
    SEARCH_ORDERS,
    Operation,
)
from canonical.activity_contracts import (
    AMAZON_CONFIRM_SHIPMENT_QUEUE,
    AMAZON_CREATE_REPORT_QUEUE,
    AMAZON_GET_ORDER_QUEUE,
    AMAZON_GET_REPORT_DOCUMENT_QUEUE,
    AMAZON_GET_REPORT_QUEUE,
    AMAZON_SEARCH_ORDERS_QUEUE,
    M3_QUEUE,
)
from canonical.mcf_contracts import AMAZON_CREATE_FULFILLMENT_QUEUE, AMAZON_GET_FULFILLMENT_QUEUE
from canonical.quota_level import Plan
from canonical.return_contracts import AMAZON_LIST_TRANSACTIONS_QUEUE
from canonical.settlement_reports import AMAZON_GET_REPORTS_QUEUE
from canonical.sku.catalog import AMAZON_SEARCH_CATALOG_QUEUE
from canonical.stock.fba_contracts import AMAZON_INVENTORY_QUEUE
from canonical.stock.sending import (
    AMAZON_CREATE_FEED_QUEUE,
    AMAZON_GET_FEED_DOCUMENT_QUEUE,
    AMAZON_GET_FEED_QUEUE,
    AMAZON_GET_LISTING_QUEUE,
    AMAZON_PATCH_LISTING_QUEUE,
)

AMAZON_QUEUES: Final[dict[str, Operation]] = {
    AMAZON_GET_ORDER_QUEUE: GET_ORDER,
    AMAZON_SEARCH_ORDERS_QUEUE: SEARCH_ORDERS,
    AMAZON_CONFIRM_SHIPMENT_QUEUE: CONFIRM_SHIPMENT,
    AMAZON_CREATE_REPORT_QUEUE: CREATE_REPORT,
    AMAZON_GET_REPORT_QUEUE: GET_REPORT,
    AMAZON_GET_REPORT_DOCUMENT_QUEUE: GET_REPORT_DOCUMENT,
    AMAZON_GET_REPORTS_QUEUE: GET_REPORTS,
    AMAZON_LIST_TRANSACTIONS_QUEUE: LIST_TRANSACTIONS,
    AMAZON_CREATE_FULFILLMENT_QUEUE: CREATE_FULFILLMENT_ORDER,
    AMAZON_GET_FULFILLMENT_QUEUE: GET_FULFILLMENT_ORDER,
    AMAZON_INVENTORY_QUEUE: GET_INVENTORY_SUMMARIES,
    AMAZON_PATCH_LISTING_QUEUE: PATCH_LISTINGS_ITEM,
    AMAZON_GET_LISTING_QUEUE: GET_LISTINGS_ITEM,
    AMAZON_CREATE_FEED_QUEUE: CREATE_FEED,
    AMAZON_GET_FEED_QUEUE: GET_FEED,
    AMAZON_GET_FEED_DOCUMENT_QUEUE: GET_FEED_DOCUMENT,
    AMAZON_SEARCH_CATALOG_QUEUE: SEARCH_CATALOG_ITEMS,
}
"""Which operation's quota each queue carries; every activity on it makes one such call. The exception is
getInventorySummaries, whose tokens do not outlive a queue: its later calls are told as calls beside the queue."""
QUEUE_OF: Final[dict[str, str]] = {operation.name: queue for queue, operation in AMAZON_QUEUES.items()}
"""Queue by operation."""

HEAVIEST: Final = 1000.0
"""The greatest weight of a fairness key."""
THROTTLED: Final = "429"
"""So begins the reason of a limit that was set because Amazon refused a call."""
_PAUSED: Final = "paused"

System = Literal["m3", "amazon"]

_ACTIVITY: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rates:
    """Limits of one queue as the server holds them, in activities per second; None is no limit."""

    queue: str
    whole: float | None
    per_fairness_key: float | None
    reason: str = ""
    """Why the limit per key is what it is."""
    whole_reason: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    whole_since: datetime | None = None
    """When somebody last changed the limit of the whole queue."""
    backlog: int = 0
    oldest: timedelta = timedelta(0)
    """How long the first task in the backlog waits."""
    dispatch_rate: float = 0.0
    """Tasks let out per second, over the last 30 to 35 seconds; up to five seconds old."""

    @property
    def paused(self) -> bool:
        return self.whole == 0


@dataclass(frozen=True)
class Grants:
    """What Amazon grants each seller for the operation of one queue, in calls per second."""

    operation: Operation
    rates: Mapping[str, float]
    """By seller."""

    def plan(self, seller_id: str) -> Plan:
        return Plan(self.rates[seller_id], self.operation.burst)

    @property
    def pace(self) -> float:
        """The queue's default limit at rest: the smallest pace of a seller."""
        return min(self.plan(seller_id).pace for seller_id in self.rates)

    @property
    def weights(self) -> dict[str, float]:
        """Of each seller, so that default times weight is the seller's own pace."""
        least = self.pace
        return {seller_id: min(self.plan(seller_id).pace / least, HEAVIEST) for seller_id in self.rates}


def paused_sentence(rates: Rates) -> str:
    """What is to be said of a paused queue."""
    system = "m3" if rates.queue == M3_QUEUE else "amazon"
    since = f" since {rates.whole_since:%Y-%m-%d %H:%M} UTC" if rates.whole_since is not None else ""
    return f"The queue {rates.queue} is {rates.whole_reason or _PAUSED}{since}; 'o2c resume {system}' lifts that."


def documented(operation: Operation, factors: Mapping[str, float]) -> Grants:
    """The documented rate, times each seller's factor where Amazon grants this seller more."""
    return Grants(operation, {seller_id: operation.rate * factor for seller_id, factor in factors.items()})


async def apply_amazon_quotas(client: Client, factors: Mapping[str, float]) -> None:
    """Set the limits of every Amazon queue to what is granted for ever. factors: quota_factor by seller.

    Raises `temporalio.service.RPCError` where the server refuses.
    """
    await asyncio.gather(
        *(
            set_grants(client, queue, documented(operation, factors))
            for queue, operation in AMAZON_QUEUES.items()
        )
    )


async def set_grants(client: Client, queue: str, grants: Grants) -> None:
    """Set a queue's steady limits: the default, and each seller's weight."""
    await set_pace(client, queue, grants.pace, f"Amazon {grants.operation.name}", grants.weights)


async def set_pace(
    client: Client, queue: str, pace: float, reason: str, weights: Mapping[str, float] | None = None
) -> None:
    """Set the default limit per fairness key; `weights` as well, where they change."""
    request = _request(client, queue)
    limit = request.update_fairness_key_rate_limit_default
    limit.rate_limit.CopyFrom(RateLimit(requests_per_second=pace))
    limit.reason = f"{reason}: {pace:.4g}/s"
    for seller_id, weight in (weights or {}).items():
        request.set_fairness_weight_overrides[seller_id] = weight
    await _update(client, request)
    _log.info("amazon_rate_set", queue=queue, rate=round(pace, 4), reason=reason)


async def set_whole_rate(client: Client, queue: str, rate: float | None, reason: str) -> None:
    """The limit of the whole queue: at most `rate` activities per second, 0 stops them, None lifts the limit."""
    request = _request(client, queue)
    request.update_queue_rate_limit.reason = reason
    if rate is not None:
        request.update_queue_rate_limit.rate_limit.CopyFrom(RateLimit(requests_per_second=rate))
    await _update(client, request)
    _log.info("queue_rate_set", queue=queue, rate=rate, reason=reason)


async def set_m3_rate(client: Client, rate: float | None, reason: str) -> None:
    """M3's circuit breaker: at most `rate` MI activities per second, 0 stops them, None lifts the limit."""
    await set_whole_rate(client, M3_QUEUE, rate, reason)


def queues_of(system: System) -> list[str]:
    """The limited queues of one side."""
    return [M3_QUEUE] if system == "m3" else list(AMAZON_QUEUES)


async def pause_system(client: Client, system: System, why: str) -> list[str]:
    """Let nothing more out of the queues of one side: what is under way ends, everything else waits in them."""
    queues = queues_of(system)
    reason = f"{_PAUSED}: {why}" if why else _PAUSED
    await asyncio.gather(*(set_whole_rate(client, queue, 0, reason) for queue in queues))
    return queues


async def resume_system(client: Client, system: System, m3_rate: float | None) -> list[str]:
    """Lift the pause of one side; M3's queue goes on at `m3_rate` per second, None is no limit."""
    queues, rate = queues_of(system), m3_rate if system == "m3" else None
    await asyncio.gather(*(set_whole_rate(client, queue, rate, "resumed") for queue in queues))
    return queues


async def is_paused(client: Client, system: System) -> bool:
    """Whether any queue of that side is."""
    seen = await asyncio.gather(*(read_queue(client, queue) for queue in queues_of(system)))
    return any(rates.paused for rates in seen)


async def read_rates(client: Client) -> Mapping[str, Rates]:
    """All limited queues, as the server holds them."""
    queues = (*AMAZON_QUEUES, M3_QUEUE)
    return dict(
        zip(queues, await asyncio.gather(*(read_queue(client, queue) for queue in queues)), strict=True)
    )


async def read_queue(client: Client, queue: str) -> Rates:
    """Limits, backlog and dispatch rate of one queue."""
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=_ACTIVITY,
            report_config=True,
            report_stats=True,
        )
    )
    config, stats = answer.config, answer.stats
    whole, per_key = config.queue_rate_limit, config.fairness_keys_rate_limit_default
    return Rates(
        queue,
        whole=_limit(whole),
        per_fairness_key=_limit(per_key),
        reason=per_key.metadata.reason,
        whole_reason=whole.metadata.reason,
        weights=dict(config.fairness_weight_overrides),
        whole_since=whole.metadata.update_time.ToDatetime(UTC) if whole.HasField("metadata") else None,
        backlog=stats.approximate_backlog_count,
        oldest=stats.approximate_backlog_age.ToTimedelta(),
        dispatch_rate=stats.tasks_dispatch_rate,
    )


def _request(client: Client, queue: str) -> UpdateTaskQueueConfigRequest:
    return UpdateTaskQueueConfigRequest(
        namespace=client.namespace, identity=client.identity, task_queue=queue, task_queue_type=_ACTIVITY
    )


async def _update(client: Client, request: UpdateTaskQueueConfigRequest) -> None:
    # The server takes few changes of queues per second and refuses more (RESOURCE_EXHAUSTED); all queues of Amazon,
    # set twice in a row, are more. Setting is repeatable.
    await client.workflow_service.update_task_queue_config(request, retry=True)


def _limit(config: RateLimitConfig) -> float | None:
    # A lifted limit still has its metadata.
    return config.rate_limit.requests_per_second if config.HasField("rate_limit") else None
