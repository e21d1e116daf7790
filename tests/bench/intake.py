"""Taking orders in: beside peers, against the quota, and past a running import."""

from pathlib import Path

from tests.bench import overtaking, peers, quota


async def run(folder: Path, count: int) -> dict[str, object]:
    """All three; `count` orders beside the peers, ten times as many against the quota, fifty in the import."""
    parts = {
        "peers": (peers.run, count),
        "quota": (quota.run, 10 * count),
        "live": (overtaking.run, 50 * count),
    }
    result: dict[str, object] = {}
    for name, (measure, orders) in parts.items():
        here = folder / name
        here.mkdir()
        result[name] = await measure(here, orders)
    return result
