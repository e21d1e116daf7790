"""What every benchmark needs: a server, both simulators, the configuration, and a clock on a process."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from simulators import catalogue
from tests.conftest import DYNAMIC_CONFIG, temporal_binary
from tests.support.configuration import QUOTA_FACTOR, SECRETS, write_configuration
from tests.support.processes import simulator
from worker.connection import DATA_CONVERTER
from worker.registration import register
from worker.settings import load_settings
from workflows.search_attributes import ALL

FREE = ("--pace", "0", "--quota-factor", str(QUOTA_FACTOR))
"""An Amazon without delays, whose quotas are never met."""


@dataclass
class Stage:
    """Everything but the worker that is measured."""

    client: Client
    address: str
    config: Path
    folder: Path
    amazon: httpx.AsyncClient
    m3: httpx.AsyncClient


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    quota_factor: float = QUOTA_FACTOR,
    amazon_options: Sequence[str] = FREE,
    configuration: str = "",
    accounts: Sequence[catalogue.Seller] = (),
    m3_latency: float = 0.0,
) -> AsyncIterator[Stage]:
    """Start it all at pace 0: what is measured is the service, not the simulators' waiting.

    quota_factor: how many times the documented rates the service believes its sellers have.
    configuration: what its TOML file has beside the world of the simulators. accounts: its sellers, where
    they are not the usual two. m3_latency: seconds that every request to M3 takes.
    """
    os.environ.update(SECRETS)
    extra = [part for setting in DYNAMIC_CONFIG for part in ("--dynamic-config-value", setting)]
    async with (
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=temporal_binary(),
            dev_server_extra_args=extra,
            dev_server_log_level="error",
            data_converter=DATA_CONVERTER,
            search_attributes=list(ALL),
        ) as env,
        simulator("amazon", folder, *amazon_options) as amazon_url,
        simulator(
            "m3", folder, "--pace", "0", "--rate-limit", "100000", "--latency", str(m3_latency)
        ) as m3_url,
        httpx.AsyncClient(base_url=amazon_url, timeout=60) as amazon,
        httpx.AsyncClient(base_url=m3_url, timeout=60) as m3,
    ):
        address = env.client.service_client.config.target_host
        config = write_configuration(
            folder / "o2c.toml",
            temporal=address,
            amazon=amazon_url,
            ionapi=folder / "simulator.ionapi",
            quota_factor=quota_factor,
            extra_marketplace=configuration,
            accounts=accounts,
        )
        await register(env.client, load_settings(config))
        yield Stage(env.client, address, config, folder, amazon, m3)


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used, user and system."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def resident_kib(pid: int) -> float:
    """Resident memory of a process in KiB."""
    return float(psutil.Process(pid).memory_info().rss) / 1024
