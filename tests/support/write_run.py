"""Orders that meet their faults, and a worker that dies of them: the run behind the write matrix.

The worker is a process of its own. Each order meets one fault, at its own write. Where the case is a crash,
M3 (or Amazon) keeps the worker waiting, either before it does the work or after; when every such order waits,
the process is killed once, and another is started. What Amazon is told comes last before that: the service waits
for Amazon's answer a shorter time than for M3's.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
from temporalio.testing import WorkflowEnvironment

from activities.m3.client import M3Client
from tests.conftest import DYNAMIC_CONFIG, temporal_binary
from tests.support.configuration import QUOTA_FACTOR, write_configuration
from tests.support.mcf import McfShop
from tests.support.processes import simulator, worker_process
from tests.support.returns import fed
from tests.support.trials import Trial, m3_control
from tests.support.world import World, eventually
from tests.support.writes_stock import StockTrial
from worker.connection import DATA_CONVERTER
from worker.registration import register
from worker.settings import load_settings
from workflows.search_attributes import ALL

_M3_CALLS = 200
"""More than ever hang at once, so that the others go on."""
_LOOK_EVERY = 0.5
"""Seconds; a hundred orders are looked at side by side."""
_UNTIL_ALL_HANG = 100.0
_UNTIL_AMAZON_HANGS = 25.0
"""Seconds; shorter than the client's patience with Amazon (30)."""
_UNTIL_ALL_END = 100.0
_HURRY = 5
"""Seconds of M3's that pass at each look."""


async def stage(
    stack: AsyncExitStack,
    folder: Path,
    *,
    pace: float = 2,
    patience: int = 600,
    edits: Sequence[tuple[str, str]] = (),
) -> World:
    """A server, an Amazon and an M3 of their own, which takes its time as M3 does; no worker yet.

    pace: of M3's own work; at 0 it is done at the next request. patience: seconds that M3's gateway waits for M3.
    edits: what else is replaced in the configuration.
    """
    extra = [part for setting in DYNAMIC_CONFIG for part in ("--dynamic-config-value", setting)]
    env = await stack.enter_async_context(
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=temporal_binary(),
            dev_server_extra_args=extra,
            dev_server_log_level="error",
            data_converter=DATA_CONVERTER,
            search_attributes=list(ALL),
        )
    )
    quota = ("--pace", "0", "--quota-factor", str(QUOTA_FACTOR))
    amazon_url = await stack.enter_async_context(simulator("amazon", folder, *quota))
    by_hand = ("--manual-invoice", "AZN", "--split-share", "0")
    patient = ("--pace", str(pace), "--rate-limit", "100000", "--gateway-timeout", str(patience))
    m3_url = await stack.enter_async_context(simulator("m3", folder, *patient, *by_hand))
    config = _configuration(folder, env.client.service_client.config.target_host, amazon_url, edits)
    settings = load_settings(config)
    await register(env.client, settings)
    amazon = await stack.enter_async_context(httpx.AsyncClient(base_url=amazon_url, timeout=30))
    m3 = await stack.enter_async_context(httpx.AsyncClient(base_url=m3_url, timeout=30))
    only_as_told = {"automatic": False, "asynchronous": False}
    (await amazon.post("/_control/fulfillment/switch", json=only_as_told)).raise_for_status()
    return World(env, settings, config, amazon, m3, look_every=_LOOK_EVERY)


def _configuration(folder: Path, temporal: str, amazon: str, edits: Sequence[tuple[str, str]]) -> Path:
    """Buyers in France have customers of their own; invoices are asked for where M3 makes none by itself; parcels are
    not followed to their recipients."""
    ionapi = folder / "simulator.ionapi"
    file = write_configuration(folder / "o2c.toml", temporal=temporal, amazon=amazon, ionapi=ionapi)
    text = file.read_text(encoding="utf-8")
    for old, new in (
        ("[worker]\n", f"[worker]\nm3_calls = {_M3_CALLS}\n"),
        ("[mcf.warehouses.AFE]", "[mcf]\nfollow_parcels = false\n[mcf.warehouses.AFE]"),
        ("[m3]\n", "[m3]\ntrigger_invoice = true\ntimeout_seconds = 300\n"),
        (
            'kind = "generic", numbers = ["AMZFR"]',
            'kind = "per_buyer", numbers = ["AMZFR"], template = "AMZTMPL"',
        ),
        *edits,
    ):
        assert text.count(old) == 1, f"the configuration has no {old!r} to be changed"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return file


async def run(
    world: World,
    m3: M3Client,
    trials: Sequence[Trial],
    folder: Path,
    corrections: Sequence[StockTrial] = (),
) -> None:
    """Let every order meet its fault, kill the worker once when all that are to crash wait, and start another."""
    await asyncio.gather(*(_prepare(trial, world, m3) for trial in trials))
    first = [trial for trial in trials if not trial.comes_second]
    second = [trial for trial in trials if trial.case.is_crash or trial.write.finish is None]
    async with worker_process(world.config_file, folder / "first.log") as worker:
        await asyncio.gather(*(noting(trial, _begin(trial, world, m3)) for trial in trials))
        for correction in corrections:  # each look takes in what no look before did
            await noting(correction, correction.begin(world))
        await fed(world, folder)
        await _until(world, first, _UNTIL_ALL_HANG, or_hanging=True, hurrying=True)
        await McfShop(world, m3).sweep()
        await asyncio.gather(
            _until(world, second, _UNTIL_AMAZON_HANGS, or_hanging=True, sweeping=True),
            *(noting(trial, trial.write.later(trial, world, m3)) for trial in trials),
        )
        await _note_who_does_not_hang(world, trials)
        for correction in corrections:
            await correction.note_hanging(await faults_of(world))
        worker.kill()
        await worker.wait()
        await _until_let_go(world)
    async with worker_process(world.config_file, folder / "second.log"):
        await asyncio.gather(
            _until(world, trials, _UNTIL_ALL_END, sweeping=True, hurrying=True),
            *(
                noting(trial, trial.write.finish(trial, world, m3))
                for trial in trials
                if trial.write.finish is not None
            ),
            *(noting(correction, correction.finish(world)) for correction in corrections),
        )


async def _prepare(trial: Trial, world: World, m3: M3Client) -> None:
    if trial.of_amazon:
        await world.place(trial.body, seller=trial.write.seller)
    await trial.write.before(trial, world, m3)
    write = trial.write
    order = {"id": trial.id, "operation": write.operation, "match": write.aim(trial), "skip": write.skip}
    body = {**order, "when": trial.case.when, "action": trial.case.action}
    side = world.amazon if write.at_amazon else world.m3
    (await side.post("/_control/faults", json=body)).raise_for_status()


async def _begin(trial: Trial, world: World, m3: M3Client) -> None:
    if trial.of_amazon:
        await world.start(trial.order_id, seller=trial.write.seller)
    await trial.write.after(trial, world, m3)


async def noting(trial: Trial | StockTrial, way: Awaitable[None]) -> None:
    """A trial that goes astray is told in its own cell of the table and stops no other."""
    try:
        await way
    except Exception as error:
        trial.troubles.append(f"{type(error).__name__}: {str(error)[:300]}")


async def _until(
    world: World,
    trials: Sequence[Trial],
    seconds: float,
    *,
    or_hanging: bool = False,
    sweeping: bool = False,
    hurrying: bool = False,
) -> None:
    """Until every order has ended, or waits for the answer that does not come; time is up without an error.

    hurrying: M3's time passes faster.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    under_way = list(trials)
    while asyncio.get_running_loop().time() < deadline:
        if sweeping:
            await asyncio.wait_for(world.sweep(amazon=False), _UNTIL_ALL_END)
        if hurrying:
            await m3_control(world, "advance", seconds=_HURRY)
        ended = await asyncio.gather(*(trial.has_ended(world) for trial in under_way))
        under_way = [trial for trial, over in zip(under_way, ended, strict=True) if not over]
        seen = await faults_of(world)
        if all(or_hanging and seen[trial.id]["waiting"] for trial in under_way):
            return
        await asyncio.sleep(_LOOK_EVERY)


async def _note_who_does_not_hang(world: World, trials: Sequence[Trial]) -> None:
    """A crash proves something only of a write that was under way."""
    faults = await faults_of(world)
    for trial in trials:
        if trial.case.is_crash and not faults[trial.id]["waiting"]:
            trial.troubles.append("the worker was not at this write when it was killed")


async def _until_let_go(world: World) -> None:
    """Until both systems have noticed that the dead worker no longer listens; work not done stays undone."""
    await eventually(
        lambda: faults_of(world), lambda faults: not any(fault["waiting"] for fault in faults.values())
    )


async def faults_of(world: World) -> dict[str, dict[str, object]]:
    """Every fault that was aimed, by its id."""
    found: dict[str, dict[str, object]] = {}
    for side in (world.amazon, world.m3):
        answer = (await side.get("/_control/faults")).raise_for_status()
        found |= {fault["id"]: fault for fault in answer.json()["faults"]}
    return found
