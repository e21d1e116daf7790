"""One look at own shipments that are due. Orders wait without a timer; the clock is the schedule's alone."""

from typing import Final

from temporalio import workflow

from canonical.activity_contracts import ORDERS_QUEUE
from canonical.deadlines import (
    DEADLINES,
    READ_DUE,
    DeadlinesInput,
    DeadlinesResult,
    DueOrders,
    ReadDue,
    line,
    message,
    news,
    remembered,
)
from workflows.alarms import tell_people
from workflows.policies import HEARTBEAT, TELLING

_SHOWN: Final = 50


@workflow.defn(name=DEADLINES)
class Deadlines:
    """Tells people once of every order at risk, and once where it has become late."""

    @workflow.run
    async def run(self, start: DeadlinesInput) -> DeadlinesResult:
        now = workflow.now()
        due: DueOrders = await workflow.execute_activity(
            READ_DUE,
            ReadDue(until=now + start.ahead),
            result_type=DueOrders,
            task_queue=ORDERS_QUEUE,
            start_to_close_timeout=TELLING.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=TELLING.retry,
            summary="Find own shipments that are due",
        )
        last: DeadlinesResult | None = workflow.get_last_completion_result(DeadlinesResult)
        known = last.told if last is not None else {}
        soon, late = news(due.orders, known, now)
        told = not (soon or late) or await tell_people(
            message(soon, late, now), "Tell people of shipments that are due"
        )  # where nobody could be told, the next look tries again
        lines = [f"- {line(order, now)}" for order in due.orders[:_SHOWN]]
        workflow.set_current_details("\n".join(lines) or "No own shipment is at risk.")
        behind = sum(order.late(now) for order in due.orders)
        return DeadlinesResult(
            told=remembered(due.orders, known, now, complete=due.complete) if told else known,
            at_risk=len(due.orders) - behind,
            late=behind,
        )
