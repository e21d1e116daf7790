"""Telling people that a notification could not be read: once, and again only after a while."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from canonical.alert_contracts import AlertMessage, Severity, TellAlerts
from worker.alerting import AlertsOnTemporal
from worker.settings import Settings

_log = structlog.get_logger(__name__)
_TITLE: Final = "A notification from Amazon cannot be read"
_WHAT_TO_DO: Final = (
    "It is in the dead-letter queue, and the order it may be about is found by the next sweep. "
    "See all: o2c listen --dead-letters. After a repair send them again: o2c listen --dead-letters --replay"
)


class DeadLetterAlarm:
    """Raises one alert for the first dead letter, and one for all that follow within the alerts' window."""

    def __init__(self, client: Client, settings: Settings, clock: Callable[[], float] | None = None) -> None:
        self._alerts = AlertsOnTemporal(client, settings)
        self._wanted = bool(settings.alerts.targets)
        self._window = settings.alerts.gather_minutes * 60
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._silent_until: float | None = None
        self._unsaid = 0

    async def raise_for(self, reason: str) -> None:
        """A message was put into the dead-letter queue for `reason`. Raises nothing: the message is safe."""
        self._unsaid += 1
        now = self._clock()
        if not self._wanted or (self._silent_until is not None and now < self._silent_until):
            return
        before, self._silent_until = self._silent_until, now + self._window
        more = f" {self._unsaid - 1} others before it could not be read either." if self._unsaid > 1 else ""
        message = AlertMessage(title=_TITLE, body=f"{reason}{more}\n{_WHAT_TO_DO}", severity=Severity.WARNING)
        try:
            await self._alerts.tell(TellAlerts(report=message))
        except RPCError as error:
            self._silent_until = before
            _log.warning("dead_letter_not_told", error=error.status.name)
            return
        self._unsaid = 0
