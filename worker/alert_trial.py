"""Whether each target of alerts can be reached, tried with a test alert."""

import asyncio
from datetime import UTC, datetime

from pydantic import BaseModel

from activities.alerts.targets import AlertTargets, NotDelivered, UnknownTarget
from canonical.alert_contracts import AlertMessage
from canonical.alert_texts import trial
from worker.alert_settings import AlertSettings
from worker.outside import alert_targets


class Tried(BaseModel):
    """One target and whether it took the test alert."""

    target: str
    delivered: bool
    sentence: str


async def try_targets(alerts: AlertSettings) -> list[Tried]:
    """Send a test alert to each configured target, from this process; raises ConfigurationError."""
    targets = alert_targets(alerts)
    now = datetime.now(UTC)
    try:
        return await asyncio.gather(*(_try(targets, name, trial(name, now)) for name in targets.names))
    finally:
        targets.close()


async def _try(targets: AlertTargets, name: str, message: AlertMessage) -> Tried:
    try:
        await targets.send(name, message)
    except (NotDelivered, UnknownTarget) as error:
        return Tried(target=name, delivered=False, sentence=str(error))
    return Tried(target=name, delivered=True, sentence=f"The alert target {name} took the test alert.")
