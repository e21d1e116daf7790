"""A worker is killed (-9) at each call of a compensation, before M3 has done it and after: it completes, once.

Each order stands at another call of its own compensation when the one worker process is killed; another process
takes over. Two compensations: a whole order deleted, and lines lowered, deleted and their charges changed.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from canonical.cancellations import Settled
from canonical.order_contracts import OrderView
from tests.support.orders import ANOTHER, ORDINARY, order
from tests.support.processes import worker_process
from tests.support.world import World, eventually
from tests.support.write_run import faults_of, stage

pytestmark = pytest.mark.long

CALLS = 14
"""More calls about one order than either compensation makes: the last of them must never come to pass."""
SHIPPING = "6.00"


@dataclass
class Trial:
    """One order and the call at which its worker dies, counted from 0."""

    whole: bool
    call: int
    when: str
    body: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.body = order((ORDINARY, 3), (ANOTHER, 2), shipping=SHIPPING)

    @property
    def id(self) -> str:
        return f"{'order' if self.whole else 'lines'}, call {self.call}, {self.when}"

    @property
    def order_id(self) -> str:
        return str(self.body["orderId"])

    @property
    def items(self) -> list[str]:
        return [item["orderItemId"] for item in self.body["orderItems"]]  # type: ignore[attr-defined]


TRIALS = [
    Trial(whole, call, when)
    for whole in (True, False)
    for call in range(CALLS)
    for when in ("before", "after")
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await stage(stack, tmp_path)


async def _booked(world: World, trial: Trial) -> None:
    """Booked, and M3 has no stock for it: it can be taken back as long as one likes."""
    planted = {"kind": "shipment_not_reportable", "cuor": trial.order_id}
    (await world.m3.post("/_control/trouble", json=planted)).raise_for_status()
    await world.place(trial.body)
    handle = await world.start(trial.order_id)
    await world.until(handle, lambda view: view.step == "awaiting_shipment")


async def _cancelled(world: World, trial: Trial) -> None:
    """Amazon cancels, and M3 keeps the worker waiting at the trial's call."""
    fault = {"id": trial.id, "operation": "*", "match": {"CUOR": trial.order_id}, "skip": trial.call}
    body = {**fault, "when": trial.when, "action": "hang"}
    (await world.m3.post("/_control/faults", json=body)).raise_for_status()
    if trial.whole:
        await world.event(trial.order_id, "cancel")
    else:
        first, second = trial.items
        await world.event(trial.order_id, "change_quantity", items={first: 1})
        await world.event(trial.order_id, "cancel", items={second: 2})
    await world.start(trial.order_id)


def _is_done(trial: Trial, view: OrderView) -> bool:
    return bool(view.cancellations) and (view.step == "closed" or not trial.whole)


async def _waits_or_is_done(world: World, trial: Trial) -> bool:
    if (await faults_of(world))[trial.id]["waiting"]:
        return True
    return _is_done(trial, await world.view(world.handle(trial.order_id)))


async def test_a_compensation_survives_the_death_of_its_worker_at_every_call(
    world: World, tmp_path: Path
) -> None:
    async with worker_process(world.config_file, tmp_path / "first.log") as worker:
        await asyncio.gather(*(_booked(world, trial) for trial in TRIALS))
        await asyncio.gather(*(_cancelled(world, trial) for trial in TRIALS))
        for trial in TRIALS:
            await eventually(lambda trial=trial: _waits_or_is_done(world, trial), bool)  # type: ignore[misc]
        faults = await faults_of(world)
        died = {trial.id for trial in TRIALS if faults[trial.id]["waiting"]}
        worker.kill()
        assert await worker.wait() == -9
    await eventually(lambda: faults_of(world), lambda now: not any(one["waiting"] for one in now.values()))
    _every_call_was_met(died)
    async with worker_process(world.config_file, tmp_path / "second.log"):
        for trial in TRIALS:
            await _completed_once(world, trial)


def _every_call_was_met(died: set[str]) -> None:
    """Every call of both compensations, up to the last one: none is left out in between."""
    met = Counter((trial.whole, trial.when) for trial in TRIALS if trial.id in died)
    for (whole, when), number in met.items():
        calls = sorted(
            one.call for one in TRIALS if one.id in died and (one.whole, one.when) == (whole, when)
        )
        assert calls == list(range(number)), f"{whole} {when}: {calls}"
        assert 4 <= number < CALLS, f"{whole} {when}: {calls}"
    assert len(met) == 4


async def _completed_once(world: World, trial: Trial) -> None:
    handle = world.handle(trial.order_id)
    view = await world.until(handle, lambda view: _is_done(trial, view))
    assert [one.settled for one in view.cancellations] == [
        Settled.DELETED if trial.whole else Settled.LINES
    ], trial.id
    found = await world.in_m3(trial.order_id)
    [m3_order] = found["orders"]
    assert [batch["stat"] for batch in found["temporary"]] == ["90"], trial.id
    if trial.whole:
        assert (m3_order["stat"], m3_order["lines"]) == ("90", []), trial.id
        assert (await world.result(handle)).outcome == "cancelled"
        return
    lines = [(line["ponr"], Decimal(line["orqt"])) for line in m3_order["lines"]]  # type: ignore[attr-defined]
    charges = [Decimal(charge["amount"]) for charge in m3_order["charges"]]  # type: ignore[attr-defined]
    assert (m3_order["stat"], lines, charges) == ("20", [(1, Decimal(1))], [Decimal("2.00")]), trial.id
    assert view.total == view.expected, trial.id
