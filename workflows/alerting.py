"""Telling people what is held: one long-lived workflow, beside the orders and never in their way.

When who is told of what is decided by `canonical.alerts`; here are its ears (signals), its clock (one timer, only
while something is due) and its hands (activities on a queue of their own). Nothing waits for anything else: a
target that does not answer delays neither another target nor another alert.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from canonical import alert_outbox as outbox
from canonical import alerts
from canonical.alert_contracts import (
    ALERTS,
    ALERTS_QUEUE,
    READ_HELD,
    SEND_ALERT,
    UNKNOWN_TARGET,
    AlertMessage,
    AlertRules,
    AlertsState,
    AlertsView,
    Delivery,
    HeldNotice,
    HeldNow,
    ReadHeld,
    SendAlert,
)
from workflows import alert_details

M = TypeVar("M", bound=BaseModel)

_SEND_TIMEOUT: Final = timedelta(minutes=2)
_SEND_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    backoff_coefficient=3.0,
    maximum_attempts=3,
    non_retryable_error_types=[UNKNOWN_TARGET],
)
"""One round of attempts; the pauses between rounds are ours, so that they can be seen and asked for."""
_LOOK_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=1)
)


@workflow.defn(name=ALERTS)
class Alerts:
    """Gathers, escalates, recovers, sums up; started by the worker or by the first held order."""

    @workflow.init
    def __init__(self, start: AlertsState) -> None:
        self._state = start
        self._awake = True
        self._under_way: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Task[None] | None = None
        self._timer_due: datetime | None = None

    @workflow.run
    async def run(self, start: AlertsState) -> None:
        """Live for ever, in runs of a bounded history."""
        while True:
            self._awake = False
            self._act()
            self._set_timer()
            workflow.set_current_details(alert_details.shown(alerts.view(self._state), workflow.now()))
            await workflow.wait_condition(lambda: self._awake)
            if workflow.info().is_continue_as_new_suggested() and not self._under_way:
                workflow.continue_as_new(self._state)

    # --- ears -----------------------------------------------------------------------------------

    @workflow.signal(description="An order is held; sent by the worker.")
    def held(self, *arguments: object) -> None:
        notice = _read(HeldNotice, arguments)
        if notice is not None:
            self._become(alerts.heard(self._state, notice, workflow.now()))

    @workflow.signal(
        description="An order is held no longer, with the reason it was held for; sent by the worker."
    )
    def released(self, *arguments: object) -> None:
        if arguments and isinstance(arguments[0], str):
            self._become(alerts.released(self._state, arguments[0], workflow.now()))

    @workflow.signal(description="A message to be sent as it is; sent by the worker.")
    def reported(self, *arguments: object) -> None:
        message = _read(AlertMessage, arguments)
        if message is not None:
            self._become(outbox.post(self._state, message, self._state.rules.targets, workflow.now()))

    @workflow.signal(description="The configuration of the alerts; sent by each worker that starts.")
    def configured(self, *arguments: object) -> None:
        rules = _read(AlertRules, arguments)
        if rules is not None:
            self._become(alerts.configured(self._state, rules, workflow.now()))

    @workflow.query(description="Open reasons, what is not delivered yet and why, the last digest.")
    def known(self) -> AlertsView:
        return alerts.view(self._state)

    # --- hands ----------------------------------------------------------------------------------

    def _act(self) -> None:
        now = workflow.now()
        self._state = alerts.quietened(self._state, now)
        question = alerts.question(self._state, now)
        if question is not None:
            self._state = alerts.asked(self._state, now)
            self._launch(self._look(question))
        for delivery in outbox.due_deliveries(self._state, now):
            self._state = outbox.sending(self._state, delivery.id)
            self._launch(self._deliver(delivery))

    def _launch(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _look(self, question: ReadHeld) -> None:
        seen = await workflow.execute_activity(
            READ_HELD,
            question,
            result_type=HeldNow,
            task_queue=ALERTS_QUEUE,
            start_to_close_timeout=timedelta(minutes=2),
            retry_policy=_LOOK_RETRY,
            summary="See what is held",
        )
        self._become(alerts.looked(self._state, seen, workflow.now()))

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await workflow.execute_activity(
                SEND_ALERT,
                SendAlert(target=delivery.target, message=delivery.message),
                task_queue=ALERTS_QUEUE,
                start_to_close_timeout=_SEND_TIMEOUT,
                retry_policy=_SEND_RETRY,
                summary=f"{delivery.target}: {delivery.message.title}",
            )
        except ActivityError as error:
            said = error.cause if isinstance(error.cause, ApplicationError) else None
            sentence = said.message if said else f"The alert target {delivery.target} did not answer in time."
            final = said is not None and said.type == UNKNOWN_TARGET
            self._become(outbox.not_sent(self._state, delivery.id, sentence, workflow.now(), final=final))
        else:
            self._become(outbox.sent(self._state, delivery.id))

    def _become(self, state: AlertsState) -> None:
        self._state = state
        self._awake = True

    # --- clock ----------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        """One timer, set anew only where something is due earlier: a thousand signals set no second one."""
        due = alerts.next_due(self._state)
        if due is None or (self._timer_due is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.create_task(self._wake_at(due))

    async def _wake_at(self, due: datetime) -> None:
        await workflow.sleep(max(due - workflow.now(), timedelta(0)), summary="Look again")
        self._timer, self._timer_due = None, None
        self._awake = True


def _read(kind: type[M], arguments: tuple[object, ...]) -> M | None:
    """What was sent, or None where it is no such thing: a signal must never stop the workflow."""
    try:
        return kind.model_validate(arguments[0] if arguments else None)
    except ValidationError:
        workflow.logger.warning("alert signal ignored", extra={"kind": kind.__name__})
        return None
