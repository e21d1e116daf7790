"""``make bench``: benchmarks as a table and as JSON. They report ratios of one run; none of them is a test.

The intake benchmarks keep to Amazon's quotas and take hours together; they run only when they are named.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from tests.bench import intake, order, overtaking, parked, peers, quota, settlement, sku, stock
from tests.bench.tabling import show

BENCHES: dict[str, tuple[Callable[[Path, int], Awaitable[dict[str, object]]], int]] = {
    "order": (order.run, 400),
    "parked": (parked.run, 2000),
    "intake": (intake.run, 1000),
    "intake-peers": (peers.run, 1000),
    "intake-quota": (quota.run, 10_000),
    "intake-live": (overtaking.run, 50_000),
    "settlement": (settlement.run, 1_000_000),
    "sku": (sku.run, 100_000),
    "stock": (stock.run, 20_000),
}
CLOCKED = {"intake": intake.run, "intake-quota": quota.run}
"""Those whose Amazon has a clock that can be set."""
SHORT = ("order", "parked")
"""What runs when none is named."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*BENCHES, []], help="which; the short ones when none is named"
    )
    parser.add_argument(
        "--count",
        type=int,
        help="orders, rows of a settlement, items, or changes; each benchmark has its own default",
    )
    parser.add_argument("--clock", type=float, help="speed of Amazon's clock, for intake and intake-quota")
    parser.add_argument("--json", type=Path, default=Path("test-output/bench.json"))
    options = parser.parse_args()
    results: dict[str, dict[str, object]] = {}
    for name in options.names or SHORT:
        run, count = BENCHES[name]
        if options.clock and name in CLOCKED:
            run = partial(CLOCKED[name], factor=options.clock)
        with tempfile.TemporaryDirectory() as folder:
            results[name] = asyncio.run(_awaited(run(Path(folder), options.count or count)))
        show(name, results[name])
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results) + "\n")
    return 0


async def _awaited(result: Awaitable[dict[str, object]]) -> dict[str, object]:
    return await result


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        ended
    )  # threads of Temporal's core outlive the event loop, and Python's own ending may abort on them
