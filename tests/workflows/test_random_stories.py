"""Random lives of orders, several at once: whatever happens in whatever order, both systems end equal.

A life that goes wrong is made smaller by hypothesis until the shortest is left, which it prints.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.stories.lives import CENSUS, Life, Living, lives
from tests.support.stories.sweeps import Sweeps
from tests.support.world import World

TOGETHER = 8
"""Orders that live at the same time in one example."""


@pytest_asyncio.fixture(scope="module")
async def sweeps(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sweeps]:
    """The own warehouse's staff is sent home: it ships only what a life says."""
    await world.m3.post("/_control/staff", json={"at_work": False})
    yield Sweeps(world, tmp_path_factory.mktemp("lives"))
    await world.m3.post("/_control/staff", json={"at_work": True})


several = st.lists(lives(), min_size=1, max_size=TOGETHER)
budget = settings(deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck))
short = settings(budget, max_examples=5, derandomize=True, phases=[Phase.generate])
long = settings(budget, max_examples=150)


async def _all_well(world: World, sweeps: Sweeps, some: Sequence[Life]) -> None:
    ended = await asyncio.gather(
        *(Living(world, life, sweeps).lived() for life in some), return_exceptions=True
    )
    wrong = []
    for life, problems in zip(some, ended, strict=True):
        if isinstance(problems, BaseException):
            wrong.append(f"{life}\n  broke off: {problems!r}"[:1500])
        elif problems:
            wrong.append("\n  ".join([str(life), *problems]))
    print(dict(sorted(CENSUS.items())))
    assert not wrong, "\n".join(wrong)


@short
@given(some=st.lists(lives(), min_size=TOGETHER, max_size=TOGETHER))
async def test_random_lives(world: World, sweeps: Sweeps, some: list[Life]) -> None:
    await _all_well(world, sweeps, some)


@pytest.mark.long
@long
@given(some=several)
async def test_many_random_lives(world: World, sweeps: Sweeps, some: list[Life]) -> None:
    await _all_well(world, sweeps, some)
