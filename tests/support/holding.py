"""A service of its own for orders that are held on purpose: its worker is restarted with another configuration,
its orders are repaired by the real `o2c`, and what a person reads of a held order is looked through."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS
from canonical.order_contracts import OrderResult, OrderToCashInput, OrderView
from canonical.steps import MARKABLE_STEPS
from simulators import assortment
from tests.conftest import DYNAMIC_CONFIG, temporal_binary
from tests.contract.m3_simulator_client import M3
from tests.support.configuration import QUOTA_FACTOR, write_configuration
from tests.support.orders import GERMAN_ADDRESS
from tests.support.processes import simulator
from tests.support.world import PATIENCE, World, eventually
from worker.connection import DATA_CONVERTER
from worker.intake import start_or_signal
from worker.main import hosted
from worker.outside import outside
from worker.registration import register
from worker.settings import load_settings
from workflows import search_attributes as sa

OrderHandle = WorkflowHandle[object, OrderResult]
Edit = Callable[[str], str]
_RETRIES_USED_UP = 3 * 3600.0
"""Seconds within which every retry of a call is used up: 30 attempts of at most two minutes, and more."""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass
class Workshop(World):
    """Amazon, M3, Temporal with its Web UI, and a worker that can be told to start anew."""

    ui: str = ""
    ionapi: Path = Path()
    mi: M3 = field(kw_only=True)
    """M3 as its own staff use it."""
    _worker: AsyncExitStack = field(default_factory=AsyncExitStack)
    _running: tuple[str, Mapping[str, str]] | None = None

    async def configure(self, edit: Edit = str, environment: Mapping[str, str] | None = None) -> None:
        """Let the worker run with the ordinary configuration as `edit` changes it; restarted where need be."""
        write_configuration(
            self.config_file,
            temporal=self.client.service_client.config.target_host,
            amazon=str(self.amazon.base_url).rstrip("/"),
            ionapi=self.ionapi,
        )
        written = self.config_file.read_text(encoding="utf-8")
        ordinary = written.replace("[temporal]\n", f'[temporal]\nweb_ui = "{self.ui}"\n')
        text = edit(ordinary)
        assert edit is str or text != ordinary, "The edit found nothing to change."
        self.config_file.write_text(text, encoding="utf-8")
        if self._running == (text, environment or {}):
            return
        await self.stop()
        before = dict(os.environ)
        os.environ.update(environment or {})
        try:
            self.settings = load_settings(self.config_file)
            systems = await self._worker.enter_async_context(outside(self.settings))
            await self._worker.enter_async_context(hosted(self.client, self.settings, systems))
        finally:
            os.environ.clear()
            os.environ.update(before)
        self._running = (text, environment or {})

    async def stop(self) -> None:
        """End the worker."""
        await self._worker.aclose()
        self._running = None

    async def o2c(self, *words: str) -> Said:
        """The real command, in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "starters",
            *words,
            "--config",
            str(self.config_file),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return Said(process.returncode or 0, out.decode(), err.decode())

    async def start_by_id(self, order_id: str, seller: str = "A2EUSELLER0001") -> OrderHandle:
        """Start an order of which nothing but the number is known: it has to be read from Amazon."""
        await start_or_signal(self.client, OrderToCashInput(seller_id=seller, order_id=order_id))
        return self.handle(order_id, seller)

    async def sweep_until(self, handle: OrderHandle, true: Callable[[OrderView], bool]) -> OrderView:
        """Sweep over M3's deliveries until it is so."""

        async def look() -> OrderView:
            await self.sweep(amazon=False)
            return await self.view(handle)

        return await eventually(look, true)

    async def let_retries_pass(self, handle: OrderHandle, reason: HeldReason) -> OrderView:
        """Put the order's clock forward until every attempt was made and it is held."""
        await asyncio.wait_for(self.env.fast_forward(handle, _RETRIES_USED_UP), 90)
        return await self.until_held(handle, reason)

    async def fault(self, at: httpx.AsyncClient, operation: str, action: str, **match: str) -> None:
        """From now on this operation of this order fails."""
        body = {"operation": operation, "match": match, "action": action, "times": 10_000}
        answer = await at.post("/_control/faults", json=body)
        assert answer.status_code == 201, answer.text

    async def in_m3_control(self, action: str, **body: object) -> None:
        """Something is done in M3 behind the service's back: trouble, heal, stock, staff, ship."""
        answer = await self.m3.post(f"/_control/{action}", json=body)
        assert answer.is_success, answer.text

    async def details(self, handle: OrderHandle) -> str:
        """The Markdown the Web UI shows as Current Details."""
        metadata: WorkflowMetadata = await handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata
        )
        return metadata.current_details

    async def failure_texts(self, handle: OrderHandle) -> list[str]:
        """Every failure message in the order's history: plain text on the server, whatever is encrypted."""
        history = await handle.fetch_history()
        return [
            str(event.activity_task_failed_event_attributes.failure)
            for event in history.events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED
        ]


@asynccontextmanager
async def workshop(folder: Path, *dynamic_config: str) -> AsyncIterator[Workshop]:
    """A Temporal server with its Web UI, both simulators at pace 0, and a worker, all of their own."""
    port = _free_port()
    extra = [
        word for setting in (*DYNAMIC_CONFIG, *dynamic_config) for word in ("--dynamic-config-value", setting)
    ]
    async with (
        await WorkflowEnvironment.start_time_skipping_v2(
            ts_config=TimeSkippingConfig(enabled=False),
            dev_server_existing_path=temporal_binary(),
            dev_server_extra_args=extra,
            dev_server_log_level="error",
            data_converter=DATA_CONVERTER,
            search_attributes=list(sa.ALL),
            ui=True,
            ui_port=port,
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
        file, ionapi = folder / "o2c.toml", folder / "m3" / "simulator.ionapi"
        address = env.client.service_client.config.target_host
        settings = load_settings(
            write_configuration(file, temporal=address, amazon=amazon_url, ionapi=ionapi)
        )
        await register(env.client, settings)
        shop = Workshop(env, settings, file, amazon, m3, ui=f"http://127.0.0.1:{port}", ionapi=ionapi, mi=mi)
        await shop.configure()
        try:
            yield shop
        finally:
            await shop.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


PERSONAL = tuple(
    word
    for field_name in ("name", "addressLine1", "city", "postalCode", "phone")
    for word in re.split(r"[\s+]+", GERMAN_ADDRESS[field_name])
    if len(word) > 3
)
"""Words by which the buyer of these orders could be recognised."""


@dataclass
class Telling:
    """One order's story: how it came to be held, what the operator was shown, what repaired it."""

    shop: Workshop
    reason: HeldReason
    personal: tuple[str, ...] = PERSONAL
    handle: OrderHandle | None = None
    sentence: str = ""
    step: str = ""
    command: str = ""

    async def held(self, handle: OrderHandle) -> OrderView:
        """The order is held for the reason, says so to a person, and tells nothing of the buyer."""
        view = await self.shop.until_held(handle, self.reason)
        self.handle, self.sentence, self.step = handle, view.held_sentence, view.step
        info = HELD_REASONS[self.reason]
        shown = await self.shop.details(handle)
        described = await handle.describe()
        attributes = described.typed_search_attributes
        assert view.order_id in view.held_sentence, f"Which order? {view.held_sentence}"
        assert view.held_sentence.endswith("."), f"No sentence: {view.held_sentence}"
        assert view.held_sentence in shown
        assert info.title in shown
        assert info.what_to_do in shown
        for fix in FixName:
            fits = fix in info.fixes and (fix is not FixName.MARK_STEP_DONE or view.step in MARKABLE_STEPS)
            assert (f"- `{fix}` with input `{{" in shown) is fits, f"{fix}?\n{shown}"
            assert (f"o2c fix {view.order_id} {fix}" in shown) is fits
        assert attributes.get(sa.HELD_REASON) == self.reason
        assert attributes.get(sa.HELD_SINCE) is not None
        assert attributes.get(sa.STEP) == view.step
        readable = [view.model_dump_json(), shown, str(attributes), *await self.shop.failure_texts(handle)]
        for word in self.personal:
            for text in readable:
                assert word not in text, f"{word!r} tells who the buyer is:\n{text}"
        return view

    async def fix(self, *words: str) -> None:
        """Repair the order as an operator would; the command must be accepted."""
        assert self.handle is not None, "An order is repaired before it is held."
        order_id = self.handle.id[-19:]
        said = await self.shop.o2c("fix", order_id, *words, "--by", "operations")
        self.command = " ".join(("o2c fix", order_id, *words))
        assert said.status == 0, f"{self.command}: {said.err}"
        assert order_id in said.out

    async def closed(self) -> OrderResult:
        """How the order ended; fails with what it waits for when it does not."""
        assert self.handle is not None, "The order was never held."
        try:
            return await asyncio.wait_for(self.handle.result(), PATIENCE.total_seconds())
        except TimeoutError:
            view = await self.shop.view(self.handle)
            raise AssertionError(f"The order does not close: {view}") from None


def sku_of(trouble: str) -> str:
    """The SKU whose M3 side is wrong in this way."""
    return next(sku for sku, reason in assortment.TROUBLE.items() if reason == trouble)
