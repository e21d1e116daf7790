"""The stock keeper's calls: the book, M3, Amazon."""

from datetime import timedelta
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TimedOut

from canonical.activity_contracts import HELD, M3_QUEUE
from canonical.stock import keeper_contracts as act
from canonical.stock import sending
from workflows.policies import HEARTBEAT, LIVE_PRIORITY, seller_priority

R = TypeVar("R", bound=BaseModel)
_BOOK: Final = timedelta(minutes=10)
_BOOK_RETRY: Final = RetryPolicy(maximum_interval=timedelta(minutes=1))
"""Without end: while the archive is away nothing can be decided."""
_M3_RETRY: Final = RetryPolicy(
    maximum_interval=timedelta(seconds=30), maximum_attempts=5, non_retryable_error_types=[HELD]
)
_M3_PATIENCE: Final = timedelta(minutes=15)
"""What M3 has not answered by then is asked anew."""
_PATCH_RETRY: Final = RetryPolicy(
    maximum_interval=timedelta(minutes=2), maximum_attempts=10, non_retryable_error_types=[HELD]
)
_PATCH_WAITS: Final = timedelta(minutes=10)
"""In the queue. A quantity that has waited for longer is decided anew."""
_FEED_RETRY: Final = RetryPolicy(maximum_interval=timedelta(minutes=5), non_retryable_error_types=[HELD])
"""Without end: a feed that Amazon may have must not be given up, or it would come after a newer quantity."""


async def of_book(name: str, request: BaseModel, result: type[R], summary: str) -> R:
    """Work on the book."""
    answer: R = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        task_queue=act.STOCK_QUEUE,
        start_to_close_timeout=_BOOK,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=_BOOK_RETRY,
        summary=summary,
    )
    return answer


async def of_m3(name: str, request: BaseModel, result: type[R], summary: str) -> R:
    """A question to M3. Raises ActivityError where it does not answer in time: nothing waits for it."""
    answer: R = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        task_queue=M3_QUEUE,
        start_to_close_timeout=timedelta(minutes=6),
        schedule_to_close_timeout=_M3_PATIENCE,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=_M3_RETRY,
        priority=Priority(priority_key=LIVE_PRIORITY, fairness_key="stock"),
        summary=summary,
    )
    return answer


async def patch(request: sending.PatchRequest) -> sending.PatchResult:
    """One quantity. Raises ActivityError."""
    answer: sending.PatchResult = await workflow.execute_activity(
        sending.PATCH_QUANTITY,
        request,
        result_type=sending.PatchResult,
        task_queue=sending.AMAZON_PATCH_LISTING_QUEUE,
        start_to_close_timeout=timedelta(minutes=2),
        schedule_to_start_timeout=_PATCH_WAITS,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=_PATCH_RETRY,
        priority=seller_priority(request.seller_id),
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=f"{request.sku}: {request.quantity}",
    )
    return answer


async def seen(request: sending.ListingRequest) -> sending.ListingSeen:
    """What Amazon shows. Raises ActivityError."""
    answer: sending.ListingSeen = await workflow.execute_activity(
        sending.READ_LISTING,
        request,
        result_type=sending.ListingSeen,
        task_queue=sending.AMAZON_GET_LISTING_QUEUE,
        start_to_close_timeout=timedelta(minutes=2),
        schedule_to_start_timeout=_PATCH_WAITS,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=_PATCH_RETRY,
        priority=seller_priority(request.seller_id),
        summary=f"What does Amazon show of {request.sku}?",
    )
    return answer


async def of_feed(
    name: str, queue: str, seller_id: str, request: BaseModel, result: type[R], summary: str
) -> R:
    """A call about a feed. Raises ActivityError only where Amazon surely has nothing of it, or never tells."""
    answer: R = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        task_queue=queue,
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=_FEED_RETRY,
        priority=seller_priority(seller_id),
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary,
    )
    return answer


def said(error: ActivityError) -> str:
    """Why an activity failed, as a sentence."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return cause.message
    if isinstance(cause, TimedOut):
        return f"there was no answer in time ({(cause.type or TimeoutType.START_TO_CLOSE).name.lower()})"
    return str(cause or error)


def never_began(error: ActivityError) -> bool:
    """Whether it waited in its queue for so long that it was given up."""
    return isinstance(error.cause, TimedOut) and error.cause.type is TimeoutType.SCHEDULE_TO_START
