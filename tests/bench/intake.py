"""Taking orders in: beside peers, against the quota, and past a running import."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from tests.bench import overtaking, peers, quota

Measure = Callable[[Path, int], Awaitable[dict[str, object]]]


async def run(folder: Path, count: int, factor: float = quota.FACTOR) -> dict[str, object]:
    """All three; `count` orders beside the peers, ten times as many against the quota, fifty in the import."""
    parts: dict[str, tuple[Measure, int]] = {
        "peers": (peers.run, count),
        "quota": (partial(quota.run, factor=factor), 10 * count),
        "live": (overtaking.run, 50 * count),
    }
    result: dict[str, object] = {}
    for name, (measure, orders) in parts.items():
        here = folder / name
        here.mkdir()
        result[name] = await measure(here, orders)
    return result
