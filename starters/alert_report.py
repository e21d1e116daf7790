"""What the alerts workflow knows."""

import asyncio
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from canonical.alert_contracts import AlertsView
from canonical.ids import alerts_workflow_id
from starters.console import Refused
from starters.links import workflow_link
from starters.lookup import workers_seen
from worker.settings import Settings

_ANSWER_SECONDS: Final = 8.0


class AlertsKnown(BaseModel):
    """The workflow's own answer; `view` is None where there is no such workflow."""

    view: AlertsView | None
    sentence: str
    link: str = ""


async def ask_alerts(client: Client, settings: Settings) -> AlertsKnown:
    """Ask the alerts workflow; raises Refused where no worker answers."""
    handle = client.get_workflow_handle(alerts_workflow_id())
    try:
        description = await handle.describe()
        async with asyncio.timeout(_ANSWER_SECONDS):
            view = await handle.query("known", result_type=AlertsView)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return AlertsKnown(view=None, sentence=_nobody_told(settings))
        raise Refused(f"The alerts did not answer: {await workers_seen(client)}.") from None
    except TimeoutError:
        raise Refused(f"The alerts did not answer: {await workers_seen(client)}.") from None
    except WorkflowQueryFailedError as error:
        raise Refused(f"The alerts could not answer: {error}.") from None
    link = workflow_link(settings.web_ui, client.namespace, handle.id, description.run_id)
    return AlertsKnown(view=view, sentence="", link=link)


def _nobody_told(settings: Settings) -> str:
    if settings.alerts.targets:
        return "Nobody was told of anything yet: the alerts start with the worker. Is 'o2c worker' running?"
    return "Nobody is told of held orders: the configuration names no target in [alerts.targets]."
