"""What the calls of every workflow to the outside have in common: queue, patience, priority, a summary for people."""

from typing import TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import Priority

from workflows.policies import HEARTBEAT, LIVE_PRIORITY, CallPolicy, seller_priority

R = TypeVar("R", bound=BaseModel)


class Calls:
    """Base of a workflow's activities. A call that is under way when the workflow is cancelled is left to finish."""

    def __init__(self, seller_id: str, key: int = LIVE_PRIORITY) -> None:
        self._seller_id = seller_id
        self._key = key

    def _priority(self, policy: CallPolicy) -> Priority:
        """Amazon's queues count their quota by seller."""
        return seller_priority(self._seller_id, self._key)

    async def _call(
        self, name: str, request: BaseModel, result: type[R], policy: CallPolicy, summary: str
    ) -> R:
        answer: R = await workflow.execute_activity(
            name,
            request,
            result_type=result,
            task_queue=policy.queue,
            start_to_close_timeout=policy.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=policy.retry,
            priority=self._priority(policy),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=summary,
        )
        return answer
