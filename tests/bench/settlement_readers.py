"""One reader reads one settlement file: `python -m tests.bench.settlement_readers csv FILE`. Exit 3 if it is not
installed."""

import contextlib
import csv
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

NOT_INSTALLED = 3


def by_csv(file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as stream:
        for _ in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            pass


def by_polars(file: Path) -> None:
    try:
        polars = importlib.import_module("polars")
    except ImportError:
        sys.exit(NOT_INSTALLED)
    polars.read_csv(file, separator="\t", quote_char=None, infer_schema=False)


def by_settlement(file: Path) -> None:
    from canonical.settlement.summing import read_settlement  # noqa: PLC0415
    from starters.settlement_preview import file_source, temporary_file  # noqa: PLC0415 - a reader loads its own
    from worker.settlement_settings import SettlementSettings  # noqa: PLC0415

    rules = SettlementSettings()
    found = read_settlement(file_source(file), rules.book, rules.plan, rules.zone, spool=temporary_file)
    if found.settlement.difference:
        raise RuntimeError("The settlement does not add up.")


def by_preview(file: Path) -> None:
    from canonical.settlement.reading import Expected  # noqa: PLC0415
    from starters.settlement_preview import Preview  # noqa: PLC0415
    from worker.settlement_settings import SettlementSettings  # noqa: PLC0415

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        preview = Preview(file, SettlementSettings(), Expected())
        preview.write_json()
    if preview.status:
        raise RuntimeError("The settlement is not booked.")


READERS: dict[str, Callable[[Path], None]] = {
    "csv": by_csv,
    "polars": by_polars,
    "settlement": by_settlement,
    "preview": by_preview,
}


def main() -> None:
    reader, file = sys.argv[1], Path(sys.argv[2])
    began = time.perf_counter()
    READERS[reader](file)
    told = {
        "seconds": time.perf_counter() - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
