"""The activities of the alerts: an order tells, visibility is asked, a message is sent."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.alerts.targets import AlertTargets, NotDelivered, UnknownTarget
from canonical.alert_contracts import (
    NOT_DELIVERED,
    READ_HELD,
    SEND_ALERT,
    TELL_ALERTS,
    UNKNOWN_TARGET,
    HeldNow,
    ReadHeld,
    SendAlert,
    TellAlerts,
)


class AlertsWorkflow(Protocol):
    """The alerts workflow and visibility, handed in from the room above."""

    async def tell(self, news: TellAlerts) -> None: ...

    async def held_now(self, question: ReadHeld) -> HeldNow: ...


class AlertActivities:
    """Where no target is configured, nobody is told and the alerts workflow is not even started."""

    def __init__(self, targets: AlertTargets, service: AlertsWorkflow) -> None:
        self._targets = targets
        self._service = service

    @property
    def all(self) -> list[Callable[..., Awaitable[object]]]:
        return [self.tell_alerts, self.read_held, self.send_alert]

    @activity.defn(name=TELL_ALERTS)
    async def tell_alerts(self, news: TellAlerts) -> None:
        """Pass on what an order says. Repeated, it is told twice, which the rules bear."""
        if self._targets.names:
            await self._service.tell(news)

    @activity.defn(name=READ_HELD)
    async def read_held(self, question: ReadHeld) -> HeldNow:
        """What is held now, counted by reason."""
        return await self._service.held_now(question)

    @activity.defn(name=SEND_ALERT)
    async def send_alert(self, order: SendAlert) -> None:
        """Send one message to one target; may arrive twice where the answer was lost."""
        try:
            await self._targets.send(order.target, order.message)
        except NotDelivered as error:
            raise ApplicationError(str(error), type=NOT_DELIVERED) from None
        except UnknownTarget as error:
            raise ApplicationError(str(error), type=UNKNOWN_TARGET, non_retryable=True) from None
