"""A service with accounts in all three regions of Amazon, for orders that somebody hands in."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from simulators import catalogue
from tests.conftest import DYNAMIC_CONFIG, temporal_binary
from tests.contract.m3_simulator_client import M3
from tests.support.configuration import QUOTA_FACTOR, settings_for
from tests.support.processes import simulator
from tests.support.real_input import Json, RealOrder
from tests.support.world import World
from worker.connection import DATA_CONVERTER
from worker.main import hosted
from worker.outside import outside
from worker.registration import register
from workflows.search_attributes import ALL


@dataclass
class RealWorld(World):
    """The service with accounts in all three regions, between both simulators; all of it this test's own."""

    mi: M3 = field(kw_only=True)
    """M3 as its own staff use it."""

    async def plant(self, order: RealOrder) -> None:
        """Let Amazon have the order, with the times it really had."""
        body = {"order": order.payload, "seller": order.seller, "keep_times": True}
        answer = await self.amazon.post("/_control/order", json=body)
        assert answer.status_code == 201, answer.text

    async def alias(self, sku: str, itno: str) -> None:
        """Somebody enters the SKU in MMS025."""
        category = {"ALWT": str(catalogue.ALIAS_TYPE), "ALWQ": catalogue.ALIAS_QUALIFIER}
        await self.mi.call("MMS025MI.AddAlias", ITNO=itno, POPN=sku, **category)

    async def in_m3_control(self, action: str, **body: object) -> None:
        """Something is done in M3 without the service."""
        answer = await self.m3.post(f"/_control/{action}", json=body)
        assert answer.is_success, answer.text

    async def o2c(self, *words: str, statuses: tuple[int, ...] = (0,)) -> Json:
        """The real command in a process of its own, which must end with one of these statuses; its JSON."""
        code = "from starters.cli import main; main()"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, *words, "--json", "--config", str(self.config_file),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode in statuses, f"o2c {' '.join(words)}: {err.decode()}{out.decode()}"
        said: Json = json.loads(out)
        return said


@asynccontextmanager
async def real_world(folder: Path) -> AsyncIterator[RealWorld]:
    """A Temporal server, both simulators at pace 0 and a worker for all marketplaces of the samples."""
    extra = [word for setting in DYNAMIC_CONFIG for word in ("--dynamic-config-value", setting)]
    async with (
        await WorkflowEnvironment.start_time_skipping_v2(
            ts_config=TimeSkippingConfig(enabled=False),
            dev_server_existing_path=temporal_binary(),
            dev_server_extra_args=extra,
            dev_server_log_level="error",
            data_converter=DATA_CONVERTER,
            search_attributes=list(ALL),
        ) as env,
        simulator(
            "amazon", folder / "amazon", "--pace", "0", "--quota-factor", str(QUOTA_FACTOR)
        ) as amazon_url,
        simulator("m3", folder / "m3", "--pace", "0", "--rate-limit", "100000") as m3_url,
        httpx.AsyncClient(base_url=amazon_url, timeout=30) as amazon,
        httpx.AsyncClient(base_url=m3_url, timeout=30) as m3,
        httpx.AsyncClient(timeout=30) as staff,
    ):
        mi = M3(staff, m3_url, (await m3.get("/_control/ionapi")).json())
        await mi.login()
        settings = settings_for(
            folder,
            temporal=env.client.service_client.config.target_host,
            amazon=amazon_url,
            ionapi=folder / "m3" / "simulator.ionapi",
            accounts=catalogue.ACCOUNTS,
        )
        await register(env.client, settings)
        async with outside(settings) as systems, hosted(env.client, settings, systems):
            yield RealWorld(env, settings, folder / "o2c.toml", amazon, m3, mi=mi)
