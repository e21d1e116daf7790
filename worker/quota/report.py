"""What is to be known of the quotas at a moment: limits and backlogs from the server, levels from the keeper."""

import asyncio
from datetime import datetime, timedelta

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from canonical.activity_contracts import M3_QUEUE
from canonical.ids import quotas_workflow_id
from canonical.quota_contracts import BOOK, BucketName, BucketState, KeeperState, QuotaBook
from worker.quota.limits import AMAZON_QUEUES, Rates, documented, read_rates
from worker.settings import Settings


class SellerQuota(BaseModel):
    """One bucket of Amazon's."""

    seller_id: str
    granted: float
    """Calls per second: the documented rate times quota_factor, or what Amazon names where that is less."""
    set_now: float | None
    """Limit of this seller's calls as the server holds it, per second."""
    level: float | None
    """Calls that are surely in the bucket; None where no keeper says."""
    throttled: int
    """Answers 429 so far."""
    last_throttled: datetime | None


class QuotaLine(BaseModel):
    """One limited queue."""

    queue: str
    operation: str
    """Empty for M3's queue."""
    documented: float | None
    """Calls per second."""
    burst: int | None
    backlog: int
    oldest_seconds: float
    dispatched: float
    """Tasks let out per second over the last half minute."""
    whole: float | None
    """Limit of the whole queue, tasks per second; 0 is a pause."""
    paused: str
    """Since when and why; empty where it is not paused."""
    sellers: tuple[SellerQuota, ...] = ()


class QuotaReport(BaseModel):
    """All limited queues."""

    keeper: str
    """Where the keeper runs; empty where none does."""
    lines: tuple[QuotaLine, ...]


async def quota_report(client: Client, settings: Settings) -> QuotaReport:
    """Ask the server and the keeper. Raises RPCError where the server does not answer."""
    rates, (state, keeper), book = await asyncio.gather(read_rates(client), _keeper(client), _book(client))
    factors = {seller_id: seller.quota_factor for seller_id, seller in settings.sellers.items()}
    lines = [_amazon_line(rates[queue], factors, state, book) for queue in AMAZON_QUEUES]
    return QuotaReport(keeper=keeper, lines=(*lines, _line(rates[M3_QUEUE])))


async def _keeper(client: Client) -> tuple[KeeperState, str]:
    """What the keeper's last heartbeat said, and where it runs."""
    try:
        found = await client.get_workflow_handle(quotas_workflow_id()).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return KeeperState(), ""
    return await _said(client, found)


async def _said(client: Client, found: WorkflowExecutionDescription) -> tuple[KeeperState, str]:
    for pending in found.raw_description.pending_activities:
        if pending.HasField("heartbeat_details"):
            (state,) = await client.data_converter.decode(pending.heartbeat_details.payloads, [KeeperState])
            return state, pending.last_worker_identity
    return KeeperState(), ""


async def _book(client: Client) -> QuotaBook:
    handle = client.get_workflow_handle(quotas_workflow_id())
    try:
        book: QuotaBook = await handle.query(BOOK, result_type=QuotaBook, rpc_timeout=timedelta(seconds=5))
    except RPCError:  # no workflow, or no worker that answers for it
        return QuotaBook()
    return book


def _amazon_line(rates: Rates, factors: dict[str, float], state: KeeperState, book: QuotaBook) -> QuotaLine:
    operation = AMAZON_QUEUES[rates.queue]
    grants = documented(operation, factors)
    kept = state.queues.get(rates.queue)
    sellers = []
    for seller_id, granted in grants.rates.items():
        bucket: BucketState | None = kept.sellers.get(seller_id) if kept is not None else None
        key = BucketName(seller_id=seller_id, operation=operation.name).key
        pace = rates.per_fairness_key
        sellers.append(
            SellerQuota(
                seller_id=seller_id,
                granted=granted if bucket is None else bucket.granted,
                set_now=None if pace is None else pace * rates.weights.get(seller_id, 1.0),
                level=None if bucket is None else max(0.0, bucket.level),
                throttled=book.throttled.get(key, 0),
                last_throttled=book.last_throttled.get(key),
            )
        )
    return _line(rates).model_copy(
        update={
            "operation": operation.name,
            "documented": operation.rate,
            "burst": operation.burst,
            "sellers": tuple(sellers),
        }
    )


def _line(rates: Rates) -> QuotaLine:
    since = f" since {rates.whole_since:%Y-%m-%d %H:%M} UTC" if rates.whole_since is not None else ""
    return QuotaLine(
        queue=rates.queue,
        operation="",
        documented=None,
        burst=None,
        backlog=rates.backlog,
        oldest_seconds=rates.oldest.total_seconds(),
        dispatched=round(rates.dispatch_rate, 4),
        whole=rates.whole,
        paused=f"{rates.whole_reason}{since}" if rates.paused else "",
    )
