"""A worker is killed (-9) at the M3 calls of a settlement's posting, before M3 has done them and after: one voucher.

Each settlement stands at another call of its own when the one worker process is killed; another process takes over.
What M3 has in the end is read from M3 itself. The long run takes every call, and keeps its table in
test-output/settlement-crash.md; the short one those between which most can go wrong.
"""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import PendingActivityState

from tests.support.processes import worker_process
from tests.support.settlement_crash import (
    EDITS,
    LINES,
    Position,
    Trial,
    all_let_go,
    begin,
    calls_of,
    completed,
    hang,
    judge,
    judge_all,
    ledger_of,
    sell,
    table,
)
from tests.support.world import World, eventually
from tests.support.write_run import stage

REPORT = Path("test-output/settlement-crash.md")
_TOGETHER = 24
"""Settlements that one death of a worker befalls."""
Choice = Callable[[Sequence[str]], Sequence[Position]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await stage(stack, tmp_path, pace=0, edits=EDITS)


class Lives:
    """One worker process after the other."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self._stack, self._number = AsyncExitStack(), 0
        self._worker: Process | None = None

    async def __aenter__(self) -> "Lives":
        await self.next()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def pid(self) -> int:
        assert self._worker is not None
        return self._worker.pid

    async def next(self) -> None:
        self._number += 1
        log = self._folder / f"worker-{self._number}.log"
        self._worker = await self._stack.enter_async_context(worker_process(self._world.config_file, log))

    async def end(self) -> None:
        assert self._worker is not None
        self._worker.kill()
        assert await self._worker.wait() == -9


async def survived(
    world: World, folder: Path, lives: Lives, choose: Choice
) -> tuple[list[Trial], Sequence[str]]:
    """A settlement for each of the chosen calls, and one that nothing befalls; all are booked in the end."""
    first = Trial(0)
    await sell(world, [first])
    calls = await calls_of(world, first, folder)
    trials = [Trial(number, position) for number, position in enumerate(choose(calls), start=1)]
    await sell(world, trials)
    for start in range(0, len(trials), _TOGETHER):
        group = trials[start : start + _TOGETHER]
        for trial in group:
            await hang(world, trial, calls, folder)
        await lives.end()
        await all_let_go(world, group)
        await lives.next()
        await completed(world, group)
    return [first, *trials], calls


def between_the_writes(calls: Sequence[str]) -> list[Position]:
    """Where half of it is in M3."""
    last = len(calls) - 1
    return [
        Position(calls.index("ARS040MI.AddBatchLine"), "half way"),
        Position(last - calls[::-1].index("ARS040MI.ControlBatch"), "after"),
        Position(calls.index("GLS840MI.CtrlBatch"), "before"),
        Position(last - calls[::-1].index("GLS840MI.UpdBatch"), "after"),
    ]


def everywhere(calls: Sequence[str]) -> list[Position]:
    """Of all calls, and half way through those that send several lines; the second payment batch has one line."""
    single = len(calls) - 1 - calls[::-1].index("ARS040MI.AddBatchLine")
    several = [call for call, operation in enumerate(calls) if operation in LINES and call != single]
    whole = [Position(call, when) for call in range(len(calls)) for when in ("before", "after")]
    return [*whole, *(Position(call, "half way") for call in several)]


async def test_a_settlement_whose_worker_dies_between_two_writes_is_booked_once(
    world: World, tmp_path: Path
) -> None:
    async with Lives(world, tmp_path) as lives:
        trials, _ = await survived(world, tmp_path, lives, between_the_writes)
    await each_is_booked_once(world, trials)


@pytest.mark.long
async def test_a_settlement_survives_the_death_of_its_worker_at_every_call(
    world: World, tmp_path: Path
) -> None:
    async with Lives(world, tmp_path) as lives:
        trials, calls = await survived(world, tmp_path, lives, everywhere)
        slow = [Trial(len(trials)), Trial(len(trials) + 1, pays=False)]
        await die_while_m3_has_not_updated(world, tmp_path, lives, slow)
    REPORT.parent.mkdir(exist_ok=True)
    try:
        await each_is_booked_once(world, [*trials, *slow])
    finally:
        lines = [
            *table(trials, calls),
            "",
            "| killed while M3 had | |",
            "|--|--|",
            f"| a controlled payment batch that is not updated | {slow[0].told} |",
            f"| a ledger voucher to post | {slow[1].told} |",
        ]
        REPORT.write_text("\n".join([*lines, ""]), encoding="utf-8")
        print("\n".join(["", *lines]))


async def die_while_m3_has_not_updated(
    world: World, folder: Path, lives: Lives, slow: Sequence[Trial]
) -> None:
    """M3 has taken the batch and posts it much later: the next worker finds it neither open nor posted."""
    await sell(world, slow)
    await _updates(world, run=False)
    for trial in slow:
        await begin(world, trial, folder)
    await eventually(lambda: ledger_of(world), lambda ledger: all(trial.waits(ledger) for trial in slow))
    await lives.end()
    await lives.next()
    for trial in slow:
        await eventually(lambda trial=trial: _has_looked(world, trial, lives.pid), bool, 180)  # type: ignore[misc]
    await _updates(world, run=True)
    await completed(world, slow)


async def _updates(world: World, *, run: bool) -> None:
    (await world.m3.post("/_control/ledger/updates", json={"run": run})).raise_for_status()


async def _has_looked(world: World, trial: Trial, pid: int) -> bool:
    """Whether this worker has tried, and waits for M3 now."""
    described = await trial.handle(world).describe()
    [pending] = described.raw_description.pending_activities
    mine = pending.last_worker_identity.startswith(f"{pid}@")
    return mine and pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED


async def each_is_booked_once(world: World, trials: Sequence[Trial]) -> None:
    ledger = await ledger_of(world)
    for trial in trials:
        judge(trial, ledger)
    assert [f"{trial.name}, {trial.position}: {trial.troubles}" for trial in trials if trial.troubles] == []
    judge_all(trials, ledger)
