"""One reader reads one settlement file: `python -m tests.bench.settlement_readers csv FILE`. Exit 3 if it is not
installed."""

import contextlib
import csv
import importlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

NOT_INSTALLED = 3


def by_csv() -> Callable[[Path], None]:
    def read(file: Path) -> None:
        with file.open(encoding="utf-8", newline="") as stream:
            for _ in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                pass

    return read


def by_polars() -> Callable[[Path], None]:
    try:
        polars = importlib.import_module("polars")
    except ImportError:
        sys.exit(NOT_INSTALLED)
    return lambda file: polars.read_csv(file, separator="\t", quote_char=None, infer_schema=False)


def by_settlement() -> Callable[[Path], None]:
    preview = importlib.import_module("starters.settlement_preview")
    reading = importlib.import_module("canonical.settlement.summing")
    rules = importlib.import_module("worker.settlement_settings").SettlementSettings()

    def read(file: Path) -> None:
        found = reading.read_settlement(
            preview.file_source(file), rules.book, rules.plan, rules.zone, spool=preview.temporary_file
        )
        if found.settlement.difference:
            raise RuntimeError("The settlement does not add up.")

    return read


def by_preview() -> Callable[[Path], None]:
    preview = importlib.import_module("starters.settlement_preview")
    expected = importlib.import_module("canonical.settlement.reading").Expected()
    rules = importlib.import_module("worker.settlement_settings").SettlementSettings()

    def read(file: Path) -> None:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
            found = preview.Preview(file, rules, expected)
            found.write_json()
        if found.status:
            raise RuntimeError("The settlement is not booked.")

    return read


READERS = {"csv": by_csv, "polars": by_polars, "settlement": by_settlement, "preview": by_preview}
"""Each loads what it needs, and gives what reads."""


def peak_mb() -> float:
    """The most memory this process has had, from Linux; what the process before it had does not count."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    read, file = READERS[sys.argv[1]](), Path(sys.argv[2])
    before, began, used = peak_mb(), time.perf_counter(), time.process_time()
    read(file)
    told = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - used,
        "peak_mb": peak_mb(),
        "peak_mb_before": before,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
