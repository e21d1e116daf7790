"""The part a worker process has in keeping the quotas: it tells what it meets, and may be the keeper."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.amazon.client import AmazonClient
from canonical.quota_contracts import QUOTAS_QUEUE
from worker.quota.gauges import QuotaGauges
from worker.quota.keeper import QuotaKeeper
from worker.quota.news import QuotaTeller
from worker.settings import Settings

_STOPPING: Final = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def quotas_kept(
    client: Client, settings: Settings, sellers: Mapping[str, AmazonClient]
) -> AsyncIterator[None]:
    """Entered before the other workers and left after them, so that a process never calls Amazon unkept."""
    factors = {seller_id: seller.quota_factor for seller_id, seller in settings.sellers.items()}
    runtime = client.service_client.config.runtime or Runtime.default()
    gauges = QuotaGauges(runtime.metric_meter)
    keeper = QuotaKeeper(client, factors, gauges)
    worker = Worker(
        client,
        task_queue=QUOTAS_QUEUE,
        activities=[keeper.keep_queues],
        max_concurrent_activities=1,
        graceful_shutdown_timeout=_STOPPING,
    )
    async with AsyncExitStack() as stack:
        teller = await stack.enter_async_context(QuotaTeller(client, factors, gauges))
        for seller_id, amazon in sellers.items():
            amazon.tell(teller.ear(seller_id))
        await stack.enter_async_context(worker)
        try:
            await keeper.start()
        except RPCError as error:
            # Without a keeper the queues keep the pace they have: at worst some 429s, or an unused burst.
            _log.warning("quota_keeper_not_started", error=error.status.name)
        yield
