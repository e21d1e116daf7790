"""A settlement of a million rows: rows per second against only reading the file, and memory.

The same file is read by Python's csv module alone, by polars, by the settlement reader, and by the whole
`o2c settlement preview --json`; each in a process of its own, in turns. A reader that does more per row is slower: the
ratio to csv is what matters, as it hardly depends on the machine.

polars comes from an environment of its own (``make peers``); where it is absent, it is left out with a clear word.
"""

import asyncio
import json
import random
import statistics
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests.bench.peers import ABSENT, PEERS
from tests.bench.settlement_readers import NOT_INSTALLED
from tests.support.settlements import Line, Made, dotted, written

_TURNS: Final = 3
_ROWS_OF_AN_ORDER: Final = 5
_START: Final = datetime(2026, 7, 17, 7, 6, 34, tzinfo=UTC)
_PERIOD: Final = timedelta(days=14)
READERS: Final = ("csv", "polars", "settlement", "preview")
_PEER: Final = "polars"
_LACKING: Final = "left out: .venv-peers is older and lacks it; make peers installs it"
_AMOUNTS: Final = (
    ("ItemPrice", "Principal", 1), ("ItemPrice", "Tax", 1), ("ItemPrice", "Shipping", 1),
    ("ItemFees", "Commission", -1), ("ItemFees", "FBAPerUnitFulfillmentFee", -1),
)  # fmt: skip


async def run(folder: Path, count: int) -> dict[str, object]:
    """Write a settlement of `count` rows and a tenth of it, and let every reader read them."""
    large, small = folder / "settlement.txt", folder / "tenth.txt"
    size = write_settlement(large, count)
    write_settlement(small, count // 10)
    found: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
    for _ in range(_TURNS):
        for reader in READERS:
            told = await _read(reader, large)
            if told is not None:
                found[reader].append(told)
    alone = {measure: _median(found["csv"], measure) for measure in ("seconds", "cpu_seconds")}
    results: list[dict[str, object]] = []
    for reader, turns in found.items():
        if not turns:
            continue
        seconds, cpu_seconds = _median(turns, "seconds"), _median(turns, "cpu_seconds")
        tenth = await _read(reader, small)
        results.append(
            {
                "reader": reader,
                "rows_per_second": round(count / seconds),
                "seconds": round(seconds, 2),
                "times_csv": round(seconds / alone["seconds"], 2),
                "cpu_times_csv": round(cpu_seconds / alone["cpu_seconds"], 2),
                "peak_mb": max(round(one["peak_mb"]) for one in turns),
                "peak_mb_of_a_tenth": round(tenth["peak_mb"]) if tenth else "",
                "peak_mb_before_reading": max(round(one["peak_mb_before"]) for one in turns),
            }
        )
    told_of: dict[str, object] = {"rows": count, "file_mb": round(size / 1e6)}
    if not found[_PEER]:
        told_of[_PEER] = _LACKING if PEERS.exists() else ABSENT
    return {**told_of, "runs": results}


def _median(turns: list[dict[str, float]], measure: str) -> float:
    return statistics.median(one[measure] for one in turns)


async def _read(reader: str, file: Path) -> dict[str, float] | None:
    """What the reader took; None where its package is not installed."""
    python = str(PEERS) if reader == _PEER else sys.executable
    if reader == _PEER and not PEERS.exists():
        return None
    process = await asyncio.create_subprocess_exec(
        python, "-m", "tests.bench.settlement_readers", reader, str(file), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode == NOT_INSTALLED:
        return None
    if process.returncode:
        raise RuntimeError(f"The reader {reader} ended with {process.returncode}.")
    told: dict[str, float] = json.loads(out)
    return told


def write_settlement(file: Path, rows: int) -> int:
    """A settlement with this many rows, five for each order; the size of the file."""
    total = sum((line.amount for lines in _orders(rows) for line in lines), Decimal("0.00"))
    with file.open("w", encoding="utf-8") as stream:
        stream.write(Made((), total=total, start=_START, end=_START + _PERIOD, date=dotted).text())
        for lines in _orders(rows):
            stream.write(written(Made(lines, date=dotted).rows()[2:]))
        return stream.tell()


def _orders(rows: int) -> Iterator[tuple[Line, ...]]:
    chance = random.Random(7)
    orders = rows // _ROWS_OF_AN_ORDER
    for number in range(orders):
        posted = _START + _PERIOD * number / orders
        order_id = f"{chance.randrange(1000):03d}-{number:07d}-{chance.randrange(10_000_000):07d}"
        yield tuple(
            Line(
                "Order", kind, description, Decimal(sign * chance.randrange(100, 9000)) / 100,
                order_id, "Amazon.de", f"U{number:08d}", posted, f"SKU-{number % 3000:05d}",
            )
            for kind, description, sign in _AMOUNTS
        )  # fmt: skip
