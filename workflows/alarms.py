"""Telling the alerts. An order tells that it is held, and that an outage let it go: never awaited, never in its
way. What runs by the clock tells what it found, and goes on where it cannot."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from canonical.alert_contracts import ALERTS_QUEUE, TELL_ALERTS, AlertMessage, HeldNotice, TellAlerts
from canonical.alerts import OUTAGES
from canonical.held import Hold
from workflows.details import fix_argument, fix_command, fixes_for
from workflows.held_state import HeldState

_LATEST: Final = timedelta(hours=1)
"""What could not be told by then is told by the digest."""


def tell_held(state: HeldState, hold: Hold, noun: str) -> None:
    """The order has just become held; `noun` is what a person calls it."""
    info = workflow.info()
    fix = fixes_for(state.step, hold)[0]
    command = fix_command(state.order_id, fix, fix_argument(fix, state.step, hold))
    notice = HeldNotice(
        workflow_id=info.workflow_id,
        run_id=info.run_id,
        order_id=state.order_id,
        seller_id=state.seller_id,
        reason=hold.reason.value,
        sentence=hold.sentence,
        step=state.step.value,
        since=state.held_since or workflow.now(),
        command=command,
        skus=hold.skus,
        noun=noun,
    )
    _tell(TellAlerts(held=notice), f"Tell people that the {noun} is held")


def tell_released(hold: Hold) -> None:
    """The order is held no longer. Only an outage has an end that is announced."""
    if hold.reason in OUTAGES:
        _tell(TellAlerts(released=hold.reason.value), "Tell people that the order goes on")


def _tell(news: TellAlerts, summary: str) -> None:
    telling = workflow.start_activity(
        TELL_ALERTS,
        news,
        task_queue=ALERTS_QUEUE,
        schedule_to_close_timeout=_LATEST,
        start_to_close_timeout=timedelta(seconds=30),
        retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
        summary=summary,
    )
    # Nobody awaits it, so nobody else would take up its failure.
    telling.add_done_callback(lambda done: None if done.cancelled() else done.exception())


async def tell_people(message: AlertMessage, summary: str) -> bool:
    """Hand over a message about no held order; False where that was not possible within an hour."""
    try:
        await workflow.execute_activity(
            TELL_ALERTS,
            TellAlerts(report=message),
            task_queue=ALERTS_QUEUE,
            schedule_to_close_timeout=_LATEST,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=summary,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("people not told", extra={"error": type(error.cause).__name__})
        return False
    return True
