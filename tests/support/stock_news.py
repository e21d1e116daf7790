"""A service whose stock is configured, with a keeper that only writes down what it is told."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Worker

from canonical.ids import stock_workflow_id
from tests.conftest import DYNAMIC_CONFIG, temporal_binary
from tests.support.configuration import QUOTA_FACTOR, settings_for
from tests.support.processes import simulator
from tests.support.stock_notebook import NOTEBOOK_QUEUE, Notebook, Told
from tests.support.world import World
from worker.connection import DATA_CONVERTER, sandbox_runner
from worker.main import hosted
from worker.outside import outside
from worker.registration import register
from worker.stock_settings import StockSettings
from workflows.search_attributes import ALL


@dataclass
class StockShop(World):
    """A service with stock, whose keeper is a notebook that a test opens and closes."""

    notebook: WorkflowHandle[Notebook, None] | None = field(default=None)

    async def open_notebook(self) -> None:
        """From now on a keeper runs, and knows nothing yet."""
        await self.close_notebook()
        self.notebook = await self.client.start_workflow(
            Notebook.run, id=stock_workflow_id(), task_queue=NOTEBOOK_QUEUE
        )

    async def close_notebook(self) -> None:
        """No keeper runs."""
        with suppress(RPCError):
            await self.client.get_workflow_handle(stock_workflow_id()).terminate()
        self.notebook = None

    async def told(self) -> Told:
        assert self.notebook is not None
        return await self.notebook.query(Notebook.told)


@asynccontextmanager
async def stock_shop(folder: Path, m3_url: str, ionapi: Path) -> AsyncIterator[StockShop]:
    """A Temporal server and an Amazon of its own: sweeps read all that Amazon has."""
    extra = [word for setting in DYNAMIC_CONFIG for word in ("--dynamic-config-value", setting)]
    async with AsyncExitStack() as stack:
        env = await stack.enter_async_context(
            await WorkflowEnvironment.start_time_skipping_v2(
                ts_config=TimeSkippingConfig(enabled=False),
                dev_server_existing_path=temporal_binary(),
                dev_server_extra_args=extra,
                dev_server_log_level="error",
                data_converter=DATA_CONVERTER,
                search_attributes=list(ALL),
            )
        )
        amazon_url = await stack.enter_async_context(
            simulator("amazon", folder / "amazon", "--pace", "0", "--quota-factor", str(QUOTA_FACTOR))
        )
        address = env.client.service_client.config.target_host
        configured = settings_for(folder, temporal=address, amazon=amazon_url, ionapi=ionapi)
        settings = configured.model_copy(update={"stock": StockSettings(every_seconds=1)})
        await register(env.client, settings)
        await stack.enter_async_context(
            Worker(
                env.client,
                task_queue=NOTEBOOK_QUEUE,
                workflows=[Notebook],
                workflow_runner=sandbox_runner(),
            )
        )
        shop = StockShop(
            env,
            settings,
            folder / "o2c.toml",
            await stack.enter_async_context(httpx.AsyncClient(base_url=amazon_url, timeout=30)),
            await stack.enter_async_context(httpx.AsyncClient(base_url=m3_url, timeout=30)),
        )
        await shop.open_notebook()  # the service finds a keeper and starts none
        systems = await stack.enter_async_context(outside(settings))
        await stack.enter_async_context(hosted(env.client, settings, systems))
        yield shop
