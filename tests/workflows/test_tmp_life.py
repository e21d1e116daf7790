import asyncio, warnings
from hypothesis import given, settings, HealthCheck, Phase, strategies as st
from tests.support.stories.lives import Event, Life, Living, lives, CENSUS
from tests.workflows.test_random_stories import sweeps  # noqa

async def test_it(world, sweeps):
    found = []
    @settings(max_examples=130, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(lives())
    def collect(life): 
        if len(life.events) >= 4: found.append(life)
    collect()
    for at in range(0, len(found), 12):
        some = found[at:at+12]
        for life, wrong in zip(some, await asyncio.gather(*(Living(world, one, sweeps).lived() for one in some), return_exceptions=True)):
            if wrong: print("WRONG", life, wrong)
    print("CENSUS", len(found), dict(CENSUS))
