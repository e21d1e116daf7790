"""A service whose alerts go to a target on this machine, and what a test asks of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from canonical.alert_contracts import AlertsView
from canonical.ids import alerts_workflow_id
from tests.support.holding import Workshop
from tests.support.receiver import Receiver, receiver
from tests.support.world import eventually
from worker.alerting import AlertsOnTemporal

AlertsHandle = WorkflowHandle[object, object]
VARIABLES = {"operations": "ALERTS_OPERATIONS", "lead": "ALERTS_LEAD"}

TOML = """
[alerts]
first = ["operations"]
gather_minutes = {window}
digest_at = "{digest}"
[[alerts.stages]]
after_minutes = 15
targets = ["operations"]
[[alerts.stages]]
after_minutes = 60
[[alerts.stages]]
after_minutes = 240
targets = ["lead"]
[alerts.targets]
operations = "ALERTS_OPERATIONS"
lead = "ALERTS_LEAD"
"""


@dataclass
class AlertShop:
    """The service, its targets, and the workflow between them."""

    shop: Workshop
    receiver: Receiver

    @property
    def handle(self) -> AlertsHandle:
        return self.shop.client.get_workflow_handle(alerts_workflow_id())

    async def known(self) -> AlertsView:
        return await self.handle.query("known", result_type=AlertsView)

    async def until_titles(self, name: str, number: int) -> list[str]:
        """What a target took, as soon as it is so many messages."""

        async def look() -> list[str]:
            return self.receiver.titles(name)

        return await eventually(look, lambda titles: len(titles) >= number)

    async def pass_time(self, span: timedelta) -> None:
        """Put the alerts' clock forward; what is due meanwhile is done on the way."""
        await self.shop.env.fast_forward(self.handle, span)

    async def events(self, kind: EventType.ValueType) -> int:
        """How many events of a kind the run of the alerts has."""
        history = await self.handle.fetch_history()
        return sum(event.event_type == kind for event in history.events)

    async def begin(self) -> None:
        """Alerts that know of nothing, with nothing held."""
        await eventually(self._end_all, lambda running: running == 0)
        self.receiver.received.clear()
        self.receiver.answers.clear()
        await AlertsOnTemporal(self.shop.client, self.shop.settings).configure()

    async def _end_all(self) -> int:
        """End what runs and say how much was seen: a worker's start may show in the list a little later."""
        seen = 0
        async for found in self.shop.client.list_workflows('ExecutionStatus="Running"'):
            seen += 1
            with suppress(RPCError):
                await self.shop.client.get_workflow_handle(found.id).terminate("end of a test")
        return seen


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver whose addresses are in this process's environment, under the targets' names."""
    with receiver() as listening, pytest.MonkeyPatch.context() as patch:
        for name, variable in VARIABLES.items():
            patch.setenv(variable, listening.address(name))
        yield listening


@asynccontextmanager
async def alerting(
    shop: Workshop, receiver: Receiver, *, digest: str = "never", window: int = 15
) -> AsyncIterator[AlertShop]:
    """The shop with alerts; its environment has the targets' addresses, as a worker's has."""
    addresses = {variable: receiver.address(name) for name, variable in VARIABLES.items()}
    await shop.configure(lambda text: text + TOML.format(digest=digest, window=window), addresses)
    yield AlertShop(shop, receiver)
