"""Fulfilment stories: what happens at Amazon and in M3, in which order, and how both sides end.

All run on the real Temporal server between both simulators, many at once. The table goes to
test-output/fulfilment-stories.md.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.stories import after, by_line, cancelling, fba, mfn, trouble
from tests.support.stories.story import STORIES, Told, tell
from tests.support.stories.sweeps import Sweeps
from tests.support.stories.table import table
from tests.support.world import World

TABLE = Path(__file__).resolve().parents[2] / "test-output" / "fulfilment-stories.md"
AT_ONCE = 16
"""Stories told at the same time."""
TOLD_IN = (fba, mfn, cancelling, by_line, trouble, after)


@pytest_asyncio.fixture(scope="module")
async def told(
    world: World, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[dict[str, Told]]:
    """What the stories that are asked for came to. The own warehouse's staff is sent home: it ships only what a
    story says."""
    asked = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_story"
    }
    stories = [each for name, each in STORIES.items() if name in asked]
    sweeps = Sweeps(world, tmp_path_factory.mktemp("stories"))
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Told:
        async with room:
            return await tell(STORIES[name], world, sweeps)

    await world.m3.post("/_control/staff", json={"at_work": False})
    try:
        yield {each.story.name: each for each in await asyncio.gather(*(one(each.name) for each in stories))}
    finally:
        await world.m3.post("/_control/staff", json={"at_work": True})


@pytest.mark.parametrize("name", list(STORIES))
async def test_story(told: dict[str, Told], name: str) -> None:
    assert not told[name].differences, "\n".join(told[name].differences)


def test_the_table_has_forty_stories_and_more(told: dict[str, Told]) -> None:
    """With `-k` the table has only the stories that were asked for."""
    text = table(told.values())
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    print(text)
    assert len(STORIES) >= 40
    assert {each.tell.__module__ for each in STORIES.values()} == {module.__name__ for module in TOLD_IN}
